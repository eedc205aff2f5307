"""A real Loa for tests: `loa run` in its own process and folder, spoken to by its API and its command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import requests
import yaml

LOA = str(Path(sys.executable).parent / "loa")
RATE_HZ = 48_000
READY_S = 40.0


def wait_for(what: str, there: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """Look ten times a second until `there` gives something true, and return it; fails naming `what`."""
    deadline = time.monotonic() + timeout_s
    while not (found := there()):
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(0.1)
    return found


class RunningLoa:
    """`loa run` with the demonstration's district but without its sessions, on the given outputs."""

    def __init__(
        self,
        folder: Path,
        stations: Mapping[str, list[dict[str, Any]]],
        *,
        environment: Mapping[str, str] | None = None,
        demo: bool = False,
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.environment = {k: v for k, v in (environment or os.environ).items() if not k.startswith("LOA_")}
        self.config = folder / "config.yaml"
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None
        self._tokens: dict[str, str] = {}
        self._ordered: list[tuple[str, str]] = []
        self._starts = 0
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "data": "data",
            "demo": demo,
            "web": {"listen": "127.0.0.1:0"},
            "clock": {"source": "host"},
            "stations": [{"code": code, "outputs": outputs} for code, outputs in stations.items()],
        }
        self.config.write_text(yaml.safe_dump(settings))

    def start(self) -> None:
        """Start it and wait until it serves."""
        self._starts += 1
        log = self.folder / f"loa-{self._starts}.log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [LOA, "run", "--config", str(self.config)], env=self.environment, stdout=output, stderr=output
            )
        process = self.process

        def served() -> str | None:
            assert process.poll() is None, log.read_text()
            lines = [line for line in log.read_text().splitlines() if "is serving at " in line]
            return lines[0].split("is serving at ")[1].strip() if lines else None

        self.url = wait_for("loa to serve", served, READY_S).rstrip("/")

    @property
    def log(self) -> str:
        """What the newest start printed."""
        return (self.folder / f"loa-{self._starts}.log").read_text()

    def kill(self) -> None:
        """End it as a power cut would: no farewell."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it as Ctrl-C does; returns its exit code, killing it after ten seconds."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a `loa` command on the same configuration."""
        run = subprocess.run(
            [LOA, *arguments, "--config", str(self.config)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not check or run.returncode == 0, run.stderr
        return run

    def person(self, name: str, role: str, unit: str | None = None, *, scopes: tuple[str, ...] = ()) -> str:
        """Make an account if it is new, and return a token of it."""
        if name not in self._tokens:
            self.command("user", "add", name, "--role", role, *(("--unit", unit) if unit else ()))
            self._tokens[name] = self.command("token", name, *(f"--scope={one}" for one in scopes)).stdout.strip()
        return self._tokens[name]

    def permit_whole_day(self, station: str) -> None:
        """Let the station air at any hour, since tests run at any hour."""
        self.command("station", station, "--hours", "00:00-00:00")

    def ask(self, method: str, path: str, who: str, *, expect: int | None = None, **more: Any) -> Any:
        """Ask the API in a person's name; returns the JSON answer."""
        headers = {"Authorization": f"Bearer {self._tokens[who]}"}
        answer = requests.request(method, f"{self.url}/api/v1{path}", headers=headers, timeout=30, **more)
        wanted = {200, 201, 202} if expect is None else {expect}
        assert answer.status_code in wanted, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer

    def approved(self, audio: Path, *, station: str, title: str = "Bài thử", programme: str = "CDS") -> dict[str, Any]:
        """Upload a file as an operator, submit it, approve it as another person; returns the segment."""
        self.person("hanh", "operator")
        self.person("nghia", "approver")
        form = {"title": title, "programme": programme, "station": station, "topics": "DX-DGOV", "kind": "bai"}
        with audio.open("rb") as file:
            received = self.ask("POST", "/segments", "hanh", expect=202, data=form, files={"audio": file})

        def ready() -> dict[str, Any] | None:
            segment: dict[str, Any] = self.ask("GET", f"/segments/{received['id']}", "hanh")
            assert segment["state"] != "refused", segment["reason"]
            return segment if segment["state"] == "ready" else None

        segment = wait_for("the recording to be ready", ready, 60)
        self.ask("POST", f"/segments/{segment['id']}/submit", "hanh")
        binding = {"sha256": segment["sha256"], "revision": segment["revision"]}
        approved: dict[str, Any] = self.ask("POST", f"/segments/{segment['id']}/approve", "nghia", json=binding)
        return approved

    def order(self, station: str, segment: str, start: datetime, timing: str = "hard") -> str:
        """Order a one-off airing and return its slot."""
        order = {"segment": segment, "start": start.isoformat(), "timing": timing}
        slot: str = self.ask("POST", f"/stations/{station}/airings", "hanh", expect=201, json=order)["slot"]
        self._ordered.append((station, slot))
        return slot

    def settle(self) -> None:
        """Wait until everything that was ordered has its row: what a restart took up again is over."""
        while self._ordered:
            self.row(*self._ordered[0])
            self._ordered.pop(0)

    def airlog(self, station: str) -> list[dict[str, Any]]:
        """Return the air log of the last and the next day."""
        now = datetime.now(UTC)
        during = {"from": (now - timedelta(days=1)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
        rows: list[dict[str, Any]] = self.ask("GET", f"/stations/{station}/airlog", "hanh", params=during)
        return rows

    def row(self, station: str, slot: str, timeout_s: float = 60.0) -> dict[str, Any]:
        """Wait for the one final row of a slot."""

        def final() -> dict[str, Any] | None:
            rows = [row for row in self.airlog(station) if row["slot"] == slot]
            assert len(rows) <= 1, rows
            return rows[0] if rows else None

        return dict(wait_for(f"the row of {slot}", final, timeout_s))

    def verify(self) -> list[dict[str, Any]]:
        """Verify every journal; returns what `loa journal verify --json` says."""
        answer = json.loads(self.command("journal", "verify", "--json", check=False).stdout)
        return answer if isinstance(answer, list) else [answer]


def make_mp3(path: Path, *, seconds: float, seed: int = 1) -> npt.NDArray[np.int16]:
    """Write an MP3 of speech-like noise in bursts (no two alike) with the encoder of FFmpeg; returns the samples."""
    dice = np.random.default_rng(seed)
    count = round(seconds * 44_100)
    noise = dice.normal(0.0, 1.0, count)
    kernel = np.hanning(24)
    tone = np.convolve(noise, kernel / kernel.sum(), mode="same")
    syllables = np.repeat(dice.uniform(0.15, 1.0, count // 5000 + 1), 5000)[:count]
    wave = (tone * syllables / np.abs(tone).max() * 20_000).astype(np.int16)
    with av.open(str(path), "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=44_100)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 44_100
        resampler = av.AudioResampler(format="s16p", layout="mono", rate=44_100, frame_size=1152)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return wave
