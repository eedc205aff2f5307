"""Where a relay may fetch: the signed hosts and nowhere else, however it is led away; and how much it takes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from playout.intakes import fetching
from playout.intakes.fetching import Fetcher, FetchFailed
from playout.intakes.hls import Piece, Playlist, parse
from tests.playout.broadcaster import Broadcaster

BASE = "https://a.example/live/list.m3u8"
HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"


@pytest.fixture
def server() -> Iterator[Broadcaster]:
    """A broadcaster that answers."""
    broadcaster = Broadcaster()
    broadcaster.start()
    yield broadcaster
    broadcaster.close()


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name have these addresses, and nobody answer; return whom it tried to reach."""
    asked: list[str] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        asked.append(address[0])
        raise ConnectionRefusedError

    def found(host: str, port: int, **_: Any) -> list[Any]:
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setattr(socket, "create_connection", connect)
    return asked


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/x",
        "file:///etc/passwd",
        "//a.example/x",
        "http://b.example/x",
        "http://a.example.evil.example/x",
        "http://a.example@evil.example/x",
        "http://me:secret@a.example/x",
        "http://a.example:0/x",
        "http://a.example:99999/x",
        "http://[::1/x",
        "http://a.example/a b",
        "http://a.example/\r\nHost: evil.example",
        "http:///x",
    ],
)
def test_another_address_is_not_even_looked_up(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Other schemes, other hosts, names and passwords, and letters that would end a line of the question."""
    asked = resolving(monkeypatch, "203.0.113.1")

    with pytest.raises(FetchFailed) as failed:
        Fetcher("a.example").get(url)

    assert "refused" == failed.value.cause
    assert [] == asked


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
    ],
)
def test_a_public_name_never_leads_into_a_private_network(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Whatever a name server says: this machine, the village hall's network, and the address of a cloud's secrets."""
    asked = resolving(monkeypatch, address)

    with pytest.raises(FetchFailed) as failed:
        Fetcher("a.example", ["localhost", "127.0.0.1"]).get("http://a.example/x")

    assert ("refused", "a.example lies in a private network") == (failed.value.cause, failed.value.detail)
    assert [] == asked


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second look-up that could answer otherwise; of several only the public ones, each in turn."""
    asked = resolving(monkeypatch, "10.0.0.1", "93.184.216.34", "2606:2800:220:1::1")

    with pytest.raises(FetchFailed) as failed:
        Fetcher("a.example").get("https://A.example/x")

    assert "no_answer" == failed.value.cause
    assert ["93.184.216.34", "2606:2800:220:1::1"] == asked


@pytest.mark.parametrize("own", ["192.168.1.9", "localhost", "fd00::9"])
def test_a_source_that_was_signed_as_private_may_be_private(monkeypatch: pytest.MonkeyPatch, own: str) -> None:
    """The commune's own sender stands in its own network, and the authority said so."""
    asked = resolving(monkeypatch, "192.168.1.9")

    with pytest.raises(FetchFailed):
        Fetcher(own).get(f"http://{f'[{own}]' if ':' in own else own}/x")

    assert ["192.168.1.9"] == asked


def test_what_is_too_much_or_too_slow_is_left(server: Broadcaster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beyond its bound, one that trickles, one that stalls: each ends with its cause."""
    fetcher = Fetcher("127.0.0.1")
    server.file("/big", bytes(200_000))
    server.stream("/slow", bytes(200_000), seconds=100)

    with pytest.raises(FetchFailed, match="more than 100000 bytes"):
        fetcher.get(server.url("/big")).whole(100_000)
    assert 200_000 == len(fetcher.get(server.url("/big")).whole(200_000))
    monkeypatch.setattr(fetching, "WHOLE_S", 0.3)
    with pytest.raises(FetchFailed, match="not whole after"):
        fetcher.get(server.url("/slow")).whole(1_000_000)
    monkeypatch.setattr(fetching, "READ_S", 0.3)
    server.stalled.set()
    with pytest.raises(FetchFailed, match="nothing came for"):
        fetcher.get(server.url("/slow")).whole(1_000_000)


def test_a_redirect_from_a_secured_address_to_an_open_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stands in between could send anything."""
    given = iter([302])

    class Response:
        status = next(given)

        class headers:
            @staticmethod
            def get_content_type() -> str:
                return "audio/mpeg"

            @staticmethod
            def get(_name: str, _other: str) -> str:
                return "http://a.example/x"

        def close(self) -> None:
            """Nothing is open."""

    monkeypatch.setattr(
        Fetcher,
        "_ask",
        lambda self, url, parts: fetching.Answer(url, Response(), Response()),  # type: ignore[arg-type]
    )

    with pytest.raises(FetchFailed, match="from https to something else"):
        Fetcher("a.example").get("https://a.example/x")


def test_a_playlist_of_pieces_is_read() -> None:
    """Numbers, lengths, heads and breaks; addresses are those beside the playlist."""
    found = parse(
        '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP:URI="init.mp4"\n'
        "#EXTINF:4.0,tin\na.m4s\n\n#EXT-X-DISCONTINUITY\n#EXTINF:3.5,\n../b.m4s?x=1\n#EXT-X-ENDLIST\n",
        BASE,
    )

    head = "https://a.example/live/init.mp4"
    assert found == Playlist(
        pieces=(
            Piece(number=7, url="https://a.example/live/a.m4s", seconds=4.0, head=head),
            Piece(number=8, url="https://a.example/b.m4s?x=1", seconds=3.5, head=head, cut=True),
        ),
        target_s=4.0,
        ended=True,
    )


def test_a_playlist_of_playlists_is_read() -> None:
    """Each with its bits per second, which say how much a village's line has to carry."""
    found = parse(
        '#EXTM3U\n#EXT-X-STREAM-INF:CODECS="mp4a.40.2,x",BANDWIDTH=96000\nhi.m3u8\n'
        "#EXT-X-STREAM-INF:BANDWIDTH=32000\nhttps://c.example/lo.m3u8\n",
        BASE,
    )

    assert ((96_000, "https://a.example/live/hi.m3u8"), (32_000, "https://c.example/lo.m3u8")) == found.variants


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "ID3",
        f'{HEAD}#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"\n#EXTINF:4,\na.ts\n',
        f"{HEAD}#EXTINF:4,\n#EXT-X-BYTERANGE:9@0\na.ts\n",
        f"{HEAD}#EXTINF:four,\na.ts\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:x\n",
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:-\n",
    ],
)
def test_a_playlist_that_is_none_or_cannot_be_relayed_is_refused(text: str) -> None:
    """Other text, keys, parts of files, and numbers that are none."""
    with pytest.raises(FetchFailed) as failed:
        parse(text, BASE)

    assert "not_audio" == failed.value.cause


def test_senseless_numbers_of_a_playlist_are_bounded() -> None:
    """A length of a year or of nothing would let it wait for ever or ask without end."""
    assert 60.0 == parse("#EXTM3U\n#EXT-X-TARGETDURATION:31536000\n", BASE).target_s
    assert 0.1 == parse("#EXTM3U\n#EXT-X-TARGETDURATION:nan\n", BASE).target_s
    assert 0.1 == parse("#EXTM3U\n#EXT-X-TARGETDURATION:-5\n", BASE).target_s
    assert 0 == parse("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:-5\n#EXTINF:1,\na\n", BASE).pieces[0].number
