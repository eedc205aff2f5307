"""A small broadcaster on loopback: endless streams, bursts as of Icecast, HLS, and what goes wrong with them."""

from __future__ import annotations

import io
import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np

from playout.benches.soundlab import Samples
from playout.source import RATE_HZ


def tone(seconds: float, *, hz: float = 440.0, amplitude: float = 0.25) -> Samples:
    """Return a steady tone."""
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.asarray(amplitude * 32_767 * np.sin(2 * np.pi * hz * at), dtype=np.int16)


def encoded(samples: Samples, *, container: str = "mp3", codec: str = "libmp3lame") -> bytes:
    """Return samples as one file of a container, 64 kbit/s."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=RATE_HZ, layout="mono")
        stream.bit_rate = 64_000
        size = stream.codec_context.frame_size or 1_152
        fit = av.AudioResampler(format=stream.codec_context.format.name, layout="mono", rate=RATE_HZ, frame_size=size)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
        for ready in [*fit.resample(frame), *fit.resample(None)]:
            out.mux(stream.encode(ready))
        out.mux(stream.encode(None))
    return file.getvalue()


class Broadcaster:
    """Serves paths; what each does is set by `stream`, `file` and `redirect`, also while somebody listens."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.stalled = threading.Event()
        self.closing = threading.Event()
        self._files: dict[str, tuple[str, bytes]] = {}
        self._streams: dict[str, tuple[str, bytes, float]] = {}
        self._redirects: dict[str, str] = {}
        self._made: dict[str, Callable[[], bytes]] = {}
        self._burst_s = 4.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def file(self, path: str, content: bytes, kind: str = "application/octet-stream") -> None:
        """Serve a file."""
        self._files[path] = (kind, content)

    def stream(
        self, path: str, content: bytes, *, seconds: float, burst_s: float = 4.0, kind: str = "audio/mpeg"
    ) -> None:
        """Serve content that lasts so long at its own pace and then ends, after a burst as Icecast gives it."""
        self._streams[path] = (kind, content, len(content) / seconds)
        self._burst_s = burst_s

    def made(self, path: str, make: Callable[[], bytes]) -> None:
        """Serve a playlist that is made anew for everybody who asks."""
        self._made[path] = make

    def redirect(self, path: str, to: str) -> None:
        """Send whoever asks for a path to another address."""
        self._redirects[path] = to

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        path = handler.path
        self.asked.append(path)
        if path in self._redirects:
            handler.send_response(302)
            handler.send_header("Location", self._redirects[path])
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        elif path in self._files or path in self._made:
            made = self._made.get(path)
            kind, content = self._files[path] if made is None else ("application/vnd.apple.mpegurl", made())
            handler.send_response(200)
            handler.send_header("Content-Type", kind)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)
        elif path in self._streams:
            kind, content, rate = self._streams[path]
            handler.send_response(200)
            handler.send_header("Content-Type", kind)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            try:
                for chunk in self._paced(content, rate):
                    handler.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            except OSError:
                return
            handler.close_connection = True
        else:
            handler.send_error(404)

    def _paced(self, content: bytes, rate: float) -> Iterator[bytes]:
        began = time.monotonic() - self._burst_s
        sent = 0
        while sent < len(content) and not self.closing.wait(0.05):
            due = min(len(content), round((time.monotonic() - began) * rate))
            if due > sent and not self.stalled.is_set():
                yield content[sent:due]
                sent = due


def hls(server: Broadcaster, folder: str, samples: Samples, *, container: str, master: bool = False) -> None:
    """Serve samples as a live HLS stream of pieces of 2 s, of which the last 4 that are over are listed at any time."""
    with tempfile.TemporaryDirectory() as made:
        kind = "fmp4" if container == "mp4" else "mpegts"
        options = {"hls_time": "2", "hls_list_size": "0", "hls_segment_type": kind, "hls_flags": "+omit_endlist"}
        with av.open(f"{made}/all.m3u8", "w", format="hls", options=options) as out:
            stream = out.add_stream("aac", rate=RATE_HZ, layout="mono")
            stream.bit_rate = 64_000
            fit = av.AudioResampler(format="fltp", layout="mono", rate=RATE_HZ, frame_size=1_024)
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
            for ready in [*fit.resample(frame), *fit.resample(None)]:
                out.mux(stream.encode(ready))
            out.mux(stream.encode(None))
        for path in Path(made).iterdir():
            if path.suffix != ".m3u8":
                server.file(f"{folder}/{path.name}", path.read_bytes(), "video/mp2t")
        lines = Path(made, "all.m3u8").read_text(encoding="utf-8").splitlines()
    pieces = [f"{former}\n{line}\n" for former, line in itertools.pairwise(lines) if former.startswith("#EXTINF")]
    head = "".join(f"{line}\n" for line in lines if line.startswith("#EXT-X-MAP"))
    began = time.monotonic() - 8

    def live() -> bytes:
        newest = min(len(pieces), int((time.monotonic() - began) / 2))
        first = max(0, newest - 4)
        top = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n{head}"
        return (top + "".join(pieces[first:newest])).encode()

    server.made(f"{folder}/{'media' if master else 'live'}.m3u8", live)
    if master:
        variants = "#EXT-X-STREAM-INF:BANDWIDTH=64000\nmedia.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=900000\nno.m3u8\n"
        server.file(f"{folder}/live.m3u8", f"#EXTM3U\n{variants}".encode(), "application/vnd.apple.mpegurl")
