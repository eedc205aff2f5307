"""Before going on air: everything that would go wrong on this machine, as findings, without a sound."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from audio import readiness
from house.devicecheck import devices
from house.equipment import voices_of
from house.facts import copied_facts
from link.keys import load_or_make
from playout.journal.journalcheck import verify_file
from playout.player.playerprocess import PlayerProcess
from schedules.checking import check_grid
from schedules.clock import Interval
from schedules.errors import JournalBroken, SegmentUnplayable
from schedules.findings import Finding, Severity, errors
from schedules.planner import plan
from schedules.text import Text
from store import ledger, stations

if TYPE_CHECKING:
    from house.building import House

PLAYER_S = 20.0
"""How long a player may take to start on the slowest card."""


def check(house: House, *, thorough: bool = True) -> tuple[Finding, ...]:
    """Return all findings: configuration against the store, grid, audio on disk, devices, clock, journals, machine.

    thorough: the player and the locked rooms are tried too, which takes seconds.
    """
    return (
        *_stations(house),
        *_groups(house),
        *devices(house.config, house.intent()),
        *_clock(house),
        *_audio(house),
        *_grid(house),
        *_places(house),
        *_journals(house),
        *_ledger(house),
        *(readiness.findings() if thorough else ()),
        *_voices(house),
        *(_player() if thorough and house.config.stations else ()),
    )


def _voices(house: House) -> Iterator[Finding]:
    """Say where a voice that config.yaml names cannot speak: the pages would only not offer it."""
    piper = house.config.speech.piper
    if piper is not None and not voices_of(house.config.speech)["piper"].voices():
        yield Finding(
            code="voice_missing",
            severity=Severity.WARNING,
            where="speech.piper",
            message=Text(
                f"Giọng đọc “{piper.label}” chưa dùng được: thiếu chương trình {piper.program} hoặc tệp {piper.model}.",
                f"The voice “{piper.label}” cannot speak: {piper.program} or {piper.model} is missing.",
            ),
        )


def _stations(house: House) -> Iterator[Finding]:
    with house.database.reading() as session:
        known = {station.code for station in stations.every(session)}
    for index, station in enumerate(house.config.stations):
        if known and station.code not in known:
            vi, en = f"Chưa có đài {station.code} trong hệ thống.", f"Station {station.code} is not in the store."
            yield _finding("unknown_station", Severity.ERROR, f"stations[{index}].code", vi, en)


def _groups(house: House) -> Iterator[Finding]:
    """Find cluster groups that config.yaml and the store do not both know."""
    with house.database.reading() as session:
        known = {station.code: station for station in stations.every(session)}
    for index, station in enumerate(house.config.stations):
        if station.code not in known:
            continue
        groups = {group.code for group in known[station.code].groups}
        for number, output in enumerate(station.outputs):
            for group in output.groups:
                if group not in groups:
                    yield Finding(
                        code="unknown_group",
                        severity=Severity.ERROR,
                        where=f"stations[{index}].outputs[{number}].groups",
                        message=Text(
                            f"Đài {station.code} không có cụm loa “{group}”. Đầu ra “{output.name}” sẽ không phát "
                            "những mục dành riêng cho cụm loa khác.",
                            f"Station {station.code} has no cluster group “{group}”. Output “{output.name}” stays "
                            "silent for items that are meant for other groups.",
                        ),
                        hint=Text(
                            f"Cụm loa đã có: {', '.join(sorted(groups)) or '—'}. Sửa config.yaml hoặc thêm cụm loa.",
                            f"Known groups: {', '.join(sorted(groups)) or '—'}. Change config.yaml or add the group.",
                        ),
                    )
        heard = {group for output in station.outputs for group in output.groups or groups}
        for group in sorted(groups - heard):
            yield Finding(
                code="group_without_output",
                severity=Severity.WARNING,
                where=f"stations[{index}].outputs",
                message=Text(
                    f"Cụm loa “{group}” của đài {station.code} không có đầu ra nào trên máy này: mục dành riêng cho "
                    "cụm đó sẽ không phát được.",
                    f"Cluster group “{group}” of station {station.code} has no output on this machine: what is meant "
                    "for it alone cannot air.",
                ),
                hint=Text("Ghi mã cụm loa vào groups của một đầu ra.", "Name the group in the groups of an output."),
            )


_CLOCK_HINTS = {
    "before_built": Text(
        "Đặt lại ngày giờ của máy, hoặc nối mạng để lấy giờ; thay pin đồng hồ nếu máy có.",
        "Set date and time, or connect the network; replace the clock's battery where there is one.",
    ),
    "before_log": Text(
        "Đặt lại ngày giờ của máy: giờ không thể sớm hơn dòng nhật ký cuối cùng.",
        "Set date and time: it cannot be earlier than the last row of the log.",
    ),
}
_CLOCK_HINT = Text(
    "Bật đồng bộ giờ (chrony), hoặc bấm “Xác nhận giờ” trên trang của đài sau mỗi lần máy khởi động.",
    "Switch on time synchronisation (chrony), or confirm the time on the station's page after each start.",
)


def _clock(house: House) -> Iterator[Finding]:
    state = house.clock.state()
    if not state.trusted:
        hint = _CLOCK_HINTS.get(state.ground, _CLOCK_HINT)
        yield Finding(
            code="clock_untrusted", severity=Severity.ERROR, where="clock.source", message=state.reason, hint=hint
        )


def _audio(house: House) -> Iterator[Finding]:
    for segment in house.intent().segments:
        descriptor = None
        try:
            descriptor = house.library.open_verified(segment.sha256)
        except SegmentUnplayable as error:
            for finding in error.findings:
                vi, en = f"“{segment.title}”: {finding.message.vi}", f"“{segment.title}”: {finding.message.en}"
                yield _finding(finding.code, Severity.ERROR, segment.id, vi, en)
        finally:
            if descriptor is not None:
                with contextlib.suppress(OSError):
                    os.close(descriptor)


def _grid(house: House) -> Iterator[Finding]:
    """Find what is wrong with each station's grid, and with its next seven days; what is broken is not planned."""
    intent = house.intent()
    now = house.clock.now()
    for station in intent.stations:
        facts = copied_facts(house.database, station.code, now)
        found = check_grid(intent, station, facts, now)
        for finding in found:
            yield replace(finding, where=f"{station.code}.{finding.where}" if finding.where else station.code)
        if not errors(found):
            yield from plan(intent, facts, now, Interval(now, now + timedelta(days=7))).findings


def _places(house: House) -> Iterator[Finding]:
    """Find a disk that is nearly full, and a folder for pipes and sockets that others could reach into."""
    usage = shutil.disk_usage(house.data)
    if usage.free < house.config.health.disk_low_percent / 100 * usage.total:
        vi, en = f"Đĩa sắp đầy: còn {usage.free >> 30} GB.", f"The disk is nearly full: {usage.free >> 30} GB left."
        hint = Text("Xóa bớt tệp không cần, hoặc thay đĩa lớn hơn.", "Remove files, or fit a larger disk.")
        yield replace(_finding("disk_low", Severity.WARNING, "data", vi, en), hint=hint)
    run = house.data / "run"
    try:
        run.mkdir(mode=0o700, exist_ok=True)
        usable = os.access(run, os.W_OK | os.X_OK)
        open_to_others = bool(run.stat().st_mode & 0o077)
    except OSError:
        usable, open_to_others = False, False
    if not usable:
        vi, en = f"Không ghi được vào thư mục {run}.", f"The folder {run} cannot be written."
        hint = Text("Cấp quyền ghi thư mục cho tài khoản chạy Loa.", "Let the account that runs Loa write there.")
        yield replace(_finding("run_folder", Severity.ERROR, "data", vi, en), hint=hint)
    elif open_to_others:
        vi = f"Người khác trên máy vào được thư mục {run}, nơi tiếng trực tiếp đi qua."
        en = f"Others on this machine can enter {run}, where live sound passes."
        hint = Text(f"Chạy: chmod 700 {run}", f"Run: chmod 700 {run}")
        yield replace(_finding("run_folder", Severity.ERROR, "data", vi, en), hint=hint)


def _journals(house: House) -> Iterator[Finding]:
    """Find journals that are not as their station wrote them."""
    for station in house.config.stations:
        path = house.journal_path(station.code)
        if not path.exists():
            continue
        key = load_or_make(house.data / "keys" / f"station-{station.code}.ed25519").verify_key
        try:
            verify_file(path, key)
        except JournalBroken as error:
            vi = f"Nhật ký của đài {station.code} không nguyên vẹn từ dòng {error.seq}."
            en = f"The journal of station {station.code} is not as it was written: {error}."
            hint = Text(
                f"Giữ nguyên tệp {path} làm bằng chứng và báo đơn vị quản lý; đừng xóa.",
                f"Keep the file {path} as evidence and tell the authority; do not remove it.",
            )
            yield replace(_finding("journal_broken", Severity.ERROR, station.code, vi, en), hint=hint)


def _ledger(house: House) -> Iterator[Finding]:
    """Find what was changed in the authority's own record of what people said."""
    key = load_or_make(house.data / "keys" / "authority.ed25519").verify_key
    try:
        with house.database.reading() as session:
            ledger.verify(session, key)
    except JournalBroken as error:
        vi = f"Sổ xác nhận của đơn vị quản lý không nguyên vẹn từ mục {error.seq}."
        en = f"The authority's ledger is not as it was written: {error}."
        hint = Text(
            "Sao lưu ngay làm bằng chứng, rồi so với bản sao lưu cũ.",
            "Make a backup as evidence, then compare with an older one.",
        )
        yield replace(_finding("ledger_broken", Severity.ERROR, "data", vi, en), hint=hint)


def _player() -> Iterator[Finding]:
    """Start a player as a session would, without a sound, and see whether it is ready and cut off from the network."""
    events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    player = PlayerProcess(
        station="CHECK", on_event=lambda event: events.put(dict(event)), on_exit=lambda code: events.put(None)
    )
    player.start()
    ready = None
    deadline = time.monotonic() + PLAYER_S
    with contextlib.suppress(queue.Empty):
        while ready is None and (event := events.get(timeout=max(0.0, deadline - time.monotonic()))) is not None:
            ready = event if event["event"] == "ready" else None
    player.kill()
    player.join(5.0)
    if ready is None:
        said = player.last_words.strip().splitlines()
        vi = "Trình phát không chạy được trên máy này: sẽ không có tiếng."
        en = f"The player does not start on this machine: {said[-1] if said else 'it says nothing'}."
        hint = Text("Chạy tools/setup run để cài đủ libvlc.", "Run tools/setup run, which installs libvlc.")
        yield replace(_finding("player", Severity.ERROR, "stations", vi, en), hint=hint)
    elif ready.get("network") != "none":
        vi = "Trình phát không tách được khỏi mạng trên máy này."
        en = f"The player cannot be cut off from the network on this machine: {ready.get('detail')}."
        hint = Text(
            "Cho phép không gian tên của người dùng thường (user namespaces).",
            "Allow user namespaces for ordinary users (sysctl kernel.unprivileged_userns_clone).",
        )
        yield replace(_finding("player_network", Severity.WARNING, "stations", vi, en), hint=hint)


def _finding(code: str, severity: Severity, where: str, vi: str, en: str) -> Finding:
    return Finding(code=code, severity=severity, where=where, message=Text(vi, en))
