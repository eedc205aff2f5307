"""Benchmarks of `loa run` as a whole: five idle stations, and twenty stations that are on air at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import yaml

import config as settings
from audio.compose import speak
from audio.ingest import IngestLimits, ingest
from house import orders
from house.building import House
from playout.benches.bench import Figures
from playout.benches.soundlab import PulseServer, pulse_server, wait_until
from schedules.grid import OneOff, Timing
from schedules.segment import SegmentKind
from schedules.station import WHOLE_DAY
from store import accounts, airings, one_offs, segments, stations
from store.accounts import Role
from store.revision import bump
from store.segments import Audio, Card

_STATIONS = 20
_READY_S = 60.0
_SETTLE_S = 5.0
_SENTENCES = (
    "Kính thưa bà con, sáng nay bộ phận một cửa của xã làm việc từ bảy giờ ba mươi.",
    "Bà con mang theo căn cước công dân để được hướng dẫn nộp hồ sơ trực tuyến.",
    "Tổ công nghệ số cộng đồng có mặt tại nhà văn hóa thôn vào chiều thứ bảy hằng tuần.",
    "Không cung cấp mật khẩu và mã xác thực cho bất kỳ ai gọi điện tự xưng là cán bộ.",
)


def idle(count: int) -> Figures:
    """CPU of `loa run` with five idle stations over `count` seconds, in per cent of a core, and its memory."""
    codes = ("LONGHIEP", "LONGMAI", "LONGMON", "LONGSON", "THANHAN")
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder:
        config = _configured(Path(folder), {code: {"kind": "virtual"} for code in codes}, demo=True)
        with _running(config, None) as process:
            seen = psutil.Process(process.pid)
            before, begun = sum(seen.cpu_times()[:2]), time.monotonic()
            time.sleep(count)
            cpu = 100 * (sum(seen.cpu_times()[:2]) - before) / (time.monotonic() - begun)
            resident = seen.memory_info().rss / 1e6
    return {"cpu_percent": round(cpu, 2), "resident_mb": round(resident, 1), "target": "CPU <= 1.5 % of a core"}


def twenty(count: int) -> Figures:
    """Cores and memory (PSS) of one `loa run` with twenty stations on air at once, over `count` seconds.

    Each on a null sink of its own, with player, aircheck and whatever listens to the sink's monitor; pages are served.
    The sound server is counted apart.
    """
    codes = [f"DAI{number:02d}" for number in range(1, _STATIONS + 1)]
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder, pulse_server() as server:
        for code in codes:
            server.add_sink(code)
        config = _configured(Path(folder), {code: {"kind": "pulse", "device": code} for code in codes}, demo=False)
        start, seconds = _all_at_once(config, codes, length_s=count + 3 * _SETTLE_S)
        with _running(config, server.environment) as process:
            on_air = start + timedelta(seconds=_SETTLE_S)
            _sleep_until(on_air)
            playing = _streams(server)
            before = _Cost.of(process.pid, server.pid)
            _sleep_until(on_air + timedelta(seconds=count))
            after = _Cost.of(process.pid, server.pid)
            still_playing = _streams(server)
            # Rows wait some seconds for what the ears say.
            _sleep_until(start + timedelta(seconds=seconds + 4 * _SETTLE_S))
        rows = _rows(config, codes, start)
    return {
        "streams_open": [playing, still_playing],
        "cores": round(after.cores_since(before), 3),
        "cores_by_program": after.by_program_since(before),
        "sound_server_cores": round((after.server_cpu_s - before.server_cpu_s) / (after.at_s - before.at_s), 3),
        "pss_mb": round(after.pss_mb),
        "pss_mb_by_program": {name: round(megabytes) for name, megabytes in after.pss_by_program.items()},
        "processes": after.processes,
        "rows": rows,
        "target": "<= 1.5 cores, <= 2000 MB, with 20 stations on air",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """What a Loa and all its children had taken at a moment. by program: `loa`, `playout.player.player`, and so on."""

    at_s: float
    cpu_by_program: Mapping[str, float]
    pss_by_program: Mapping[str, float]
    processes: int
    server_cpu_s: float

    @classmethod
    def of(cls, pid: int, server: int) -> _Cost:
        """Look at a process, all below it, and the sound server."""
        cpu: dict[str, float] = {}
        pss: dict[str, float] = {}
        loa = psutil.Process(pid)
        everything = [loa, *loa.children(recursive=True)]
        at_s = time.monotonic()
        for process in everything:
            try:
                name = _program(process.cmdline())
                times = process.cpu_times()
                memory = process.memory_full_info().pss / 1e6
            except psutil.NoSuchProcess:
                continue
            cpu[name] = cpu.get(name, 0.0) + times.user + times.system
            pss[name] = pss.get(name, 0.0) + memory
        served = psutil.Process(server).cpu_times()
        return cls(
            at_s=at_s,
            cpu_by_program=cpu,
            pss_by_program=pss,
            processes=len(everything),
            server_cpu_s=served.user + served.system,
        )

    @property
    def pss_mb(self) -> float:
        """Memory of all together, shared pages counted once."""
        return sum(self.pss_by_program.values())

    def cores_since(self, before: _Cost) -> float:
        """Return the cores that all together kept busy."""
        used = sum(self.cpu_by_program.values()) - sum(before.cpu_by_program.values())
        return used / (self.at_s - before.at_s)

    def by_program_since(self, before: _Cost) -> Figures:
        """Return the same for each program."""
        took_s = self.at_s - before.at_s
        return {
            name: round((cpu_s - before.cpu_by_program.get(name, 0.0)) / took_s, 3)
            for name, cpu_s in self.cpu_by_program.items()
        }


def _program(command: list[str]) -> str:
    if "-m" in command[:-1]:
        return command[command.index("-m") + 1]
    return "loa" if any(Path(word).name == "loa" for word in command[:2]) else Path(command[0]).name if command else "?"


def _configured(folder: Path, outputs: Mapping[str, Mapping[str, object]], *, demo: bool) -> Path:
    path = folder / "config.yaml"
    listed = [{"code": code, "outputs": [{"name": "main", **output}]} for code, output in outputs.items()]
    path.write_text(
        yaml.safe_dump(
            {
                "data": "data",
                "demo": demo,
                "web": {"listen": "127.0.0.1:0"},
                "clock": {"source": "host"},
                "stations": listed,
            }
        )
    )
    return path


def _all_at_once(config: Path, codes: list[str], *, length_s: float) -> tuple[datetime, float]:
    """Decide that every station airs the same recording at the same time; return when, and how many seconds."""
    house = House(settings.load(config, {}))
    house.open()
    try:
        orders.found_stations(house)
        source = config.parent / "spoken.wav"
        # A spoken sentence lasts about five seconds.
        speak(" ".join(_SENTENCES * (int(length_s / 5 / len(_SENTENCES)) + 1)), out=source)
        made = ingest(
            source, library=house.library, scratch=config.parent, limits=IngestLimits(), on_progress=lambda share: None
        )
        audio = Audio(**{name: getattr(made, name) for name in Audio.__dataclass_fields__})
        now = house.clock.now()
        with house.database.writing() as session:
            maker, approver = (
                accounts.create(session, name=name, role=role, unit="TRUNGTAM", full_name=name, now=now)
                for name, role in (("nguoi.lam", Role.OPERATOR), ("nguoi.duyet", Role.APPROVER))
            )
            card = Card(owner="TRUNGTAM", station=None, programme="BANTIN", title="Bản tin", kind=SegmentKind.BAI)
            record = segments.receive(
                session, segment="bench", card=card, uploader=maker, file_name="", now=now, most_drafts=10
            )
            segments.claim(session, record.id, now)
            segments.finish(session, record.id, audio, now)
            segments.submit(session, record.id, person=maker, now=now)
            segments.approve(
                session,
                record.id,
                sha256=audio.sha256,
                revision=record.revision,
                person=approver,
                now=now,
                self_approval=False,
            )
            start = house.clock.now() + timedelta(seconds=25)
            for code in codes:
                station = stations.find(session, code)
                assert station is not None
                stations.save(session, replace(station, permitted=WHOLE_DAY))
                order = OneOff(
                    id=f"bench-{code}",
                    station=code,
                    segment=record.id,
                    start=start,
                    timing=Timing.HARD,
                    ordered_by=maker.full_name,
                    ordered_at=now,
                )
                one_offs.order(session, order, person=maker.id)
            bump(session)
    finally:
        house.stop()
    return start, audio.samples / 48_000


def _rows(config: Path, codes: list[str], start: datetime) -> Figures:
    """Return how many rows say what; nothing runs any more."""
    house = House(settings.load(config, {}))
    house.open()
    try:
        with house.database.reading() as session:
            rows = airings.counts(session, stations=codes, start=start, end=start + timedelta(hours=1))
    finally:
        house.stop()
    return {verdict.value: count for verdict, count in rows.items()}


def _streams(server: PulseServer) -> int | None:
    """Return how many streams of stations are open; None where the server takes no more than its 64 connections."""
    try:
        return len(server.pactl("list", "short", "sink-inputs").splitlines())
    except subprocess.CalledProcessError:
        return None


@contextmanager
def _running(config: Path, environment: Mapping[str, str] | None) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(Path(sys.executable).parent / "loa"), "run", "--config", str(config)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=None if environment is None else dict(environment),
    )
    try:
        wait_until((config.parent / "data" / "loa.sock").exists, timeout_s=_READY_S, what="loa to run")
        time.sleep(3.0)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


def _sleep_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(moment.tzinfo)).total_seconds()))


BENCHMARKS: Mapping[str, Callable[[int], Figures]] = {"idle": idle, "twenty": twenty}
