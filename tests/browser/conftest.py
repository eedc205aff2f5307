"""The real Loa on a port and in a folder of its own, and a real Chromium in front of it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
OUT = ROOT / "tests" / "out" / "browser"
CHROMIUM = "/usr/bin/chromium"
SIZES = {"desktop": (1366, 900), "phone": (390, 844)}


class RunningLoa:
    """`loa run` as a person starts it, with what it printed."""

    def __init__(self, data: Path, *, before: str = "") -> None:
        """data: its folder. before: what an earlier start on the same data printed, where passwords stand."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        self.data = data
        self._before = before
        self._lines: list[str] = []
        self._grown = threading.Condition()
        self._process = subprocess.Popen(
            [
                str(Path(sys.executable).with_name("loa")),
                "run",
                "--config",
                str(ROOT / "config.yaml"),
                "--data",
                str(data),
                "--listen",
                f"127.0.0.1:{port}",
            ],
            cwd=data,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={key: value for key, value in os.environ.items() if not key.startswith("LOA_")},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def line(self, pattern: str, *, within_s: float = 90) -> re.Match[str]:
        """Return the first match of the pattern in what was printed, waiting for it."""
        deadline = time.monotonic() + within_s
        with self._grown:
            while True:
                if found := re.search(pattern, "".join(self._lines), re.M):
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or self._process.poll() is not None:
                    raise AssertionError(f"no line like {pattern!r} in:\n{''.join(self._lines)}")
                self._grown.wait(min(left, 1.0))

    @property
    def printed(self) -> str:
        """Everything that was printed so far, by earlier starts too."""
        with self._grown:
            return self._before + "".join(self._lines)

    def password(self, name: str) -> str:
        """Return the password of an account of the demonstration."""
        pattern = rf"^\s+{re.escape(name)}\s+(\S+)\s"
        return (re.search(pattern, self._before, re.M) or self.line(pattern)).group(1)

    def stop(self) -> int:
        """Press Ctrl-C and return the exit code."""
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(15)
        finally:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._reader.join(5)
            self._process.stderr.close()

    def _read(self) -> None:
        for line in self._process.stderr:
            with self._grown:
                self._lines.append(line)
                self._grown.notify_all()


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The folder of a demonstration whose recordings are made, and what was printed: done once."""
    running = RunningLoa(tmp_path_factory.mktemp("made"))
    try:
        running.line(r"Loa is serving at")
        running.line(r"Bài trình diễn 22/22", within_s=180)
    finally:
        code = running.stop()
    assert code == 0
    return running.data, running.printed


@pytest.fixture(scope="module")
def loa(request, tmp_path_factory):
    """The demonstration: a copy for each module, or from nothing where `FIRST_START` says so."""
    data, printed = tmp_path_factory.mktemp("loa"), ""
    if not getattr(request.module, "FIRST_START", False):
        made, printed = request.getfixturevalue("made")
        shutil.copytree(made, data, dirs_exist_ok=True, ignore=shutil.ignore_patterns("loa.sock", "run"))
    running = RunningLoa(data, before=printed)
    try:
        running.line(r"Loa is serving at")
        if not printed:
            running.line(r"Bài trình diễn 22/22", within_s=180)
        yield running
    finally:
        code = running.stop()
    assert code == 0


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium; nothing is downloaded."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--lang=vi", "--mute-audio", *(["--no-sandbox"] if os.geteuid() == 0 else [])],
        )
        yield browser
        browser.close()


class Reader:
    """Somebody at a browser. `complaints` holds what the browser's console and the pages' scripts complained about."""

    def __init__(self, loa: RunningLoa, browser, size: str = "desktop") -> None:
        width, height = SIZES[size]
        self.loa = loa
        self.complaints: list[str] = []
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, locale="vi-VN", base_url=loa.base, timezone_id="America/Lima"
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message) -> None:
        # Between two sessions there is nothing to listen to: the playlist is not there, and the page says so.
        over = "404" in message.text and message.location.get("url", "").endswith("/live.m3u8")
        if message.type in ("error", "warning") and not over:
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")

    def sign_in(self, name: str, password: str | None = None) -> None:
        """Sign in through the form."""
        self.page.goto("/dang-nhap")
        self.page.fill("[name=name]", name)
        self.page.fill("[name=password]", password or self.loa.password(name))
        self.page.click("main button[type=submit]")
        self.page.wait_for_selector(".shell")

    def shoot(self, name: str) -> None:
        """Keep a picture of the page at both sizes and require that nothing sticks out sideways."""
        OUT.mkdir(parents=True, exist_ok=True)
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.evaluate("document.fonts.ready.then(() => true)")
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            self.page.screenshot(path=OUT / f"{name}.{size}.png")
            assert wide <= width, f"{name} is {wide} px wide on the {size}"

    def close(self) -> None:
        """Leave."""
        self.context.close()


@pytest.fixture
def reader(loa, chromium):
    """Make readers; all of them leave at the end."""
    readers = []

    def make(size: str = "desktop") -> Reader:
        readers.append(Reader(loa, chromium, size))
        return readers[-1]

    yield make
    for one in readers:
        one.close()
