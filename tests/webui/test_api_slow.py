"""The server as it runs: slow senders and many listeners in front of the real waitress."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import requests
from waitress.server import create_server

SLOW = 200


@pytest.fixture
def port(world):
    """The port of a server with the settings of `house`."""
    server = create_server(
        world.app,
        host="127.0.0.1",
        port=0,
        threads=8,
        ident=None,
        connection_limit=1000,
        asyncore_use_poll=True,
        channel_timeout=30,
        cleanup_interval=10,
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server.effective_port
    server.close()
    server.task_dispatcher.shutdown()
    thread.join(5)


def test_s26_slow_senders_do_not_keep_others_out(port):
    """S26: with 200 uploads that trickle, other people's requests are still answered within a second."""
    head = (
        b"POST /api/v1/segments HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x"
    )
    senders = []
    try:
        for _ in range(SLOW):
            sender = socket.create_connection(("127.0.0.1", port))
            sender.sendall(head)
            senders.append(sender)
        taken = []
        for number in range(30):
            senders[number].send(b"a")
            begun = time.perf_counter()
            answer = requests.get(f"http://127.0.0.1:{port}/api/v1/health", timeout=5)
            taken.append(time.perf_counter() - begun)
            assert answer.status_code == 200
        assert sorted(taken)[28] < 1
    finally:
        for sender in senders:
            sender.close()


def test_twenty_listeners_do_not_slow_others(world, port):
    """Twenty people who listen live by short requests leave the pages quick for everybody else."""
    door = world.doors["LONGHIEP"]
    door.live = True
    folder = world.data / "aircheck" / "LONGHIEP" / "20261123T100000Z"
    folder.mkdir(parents=True)
    (folder / "1.m4s").write_bytes(b"moof" * 1500)
    base = f"http://127.0.0.1:{port}/api/v1/stations/LONGHIEP"
    headers = world.token("operator")
    heard, ending = [], threading.Event()

    def listen():
        with requests.Session() as session:
            session.headers.update(headers)
            while not ending.is_set():
                playlist = session.get(f"{base}/live.m3u8", timeout=5)
                piece = session.get(f"{base}/{playlist.text.splitlines()[-1]}", timeout=5)
                heard.append(piece.status_code)
                ending.wait(0.5)

    listeners = [threading.Thread(target=listen) for _ in range(20)]
    for listener in listeners:
        listener.start()
    taken = []
    with requests.Session() as session:
        for _ in range(30):
            begun = time.perf_counter()
            assert session.get(base, headers=headers, timeout=5).status_code == 200
            taken.append(time.perf_counter() - begun)
    ending.set()
    for listener in listeners:
        listener.join(10)
    assert set(heard) == {200}
    assert len(heard) >= 20
    assert sorted(taken)[28] < 1
