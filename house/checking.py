"""Before going on air: everything that would go wrong on this machine, as findings, without a sound."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pulsectl

from audio import readiness
from house.facts import copied_facts
from schedules.checking import check_grid
from schedules.clock import Interval
from schedules.errors import SegmentUnplayable
from schedules.findings import Finding, Severity, errors
from schedules.planner import plan
from schedules.text import Text
from store import stations

if TYPE_CHECKING:
    from house.building import House

LOW_DISK = 0.15


def check(house: House) -> tuple[Finding, ...]:
    """Return all findings: configuration against the store, grid, audio on disk, sound devices, clock, disk."""
    return (
        *_stations(house),
        *_groups(house),
        *_devices(house),
        *_clock(house),
        *_audio(house),
        *_grid(house),
        *_machine(house),
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


def _devices(house: House) -> Iterator[Finding]:
    for index, station in enumerate(house.config.stations):
        for number, output in enumerate(station.outputs):
            if output.kind != "pulse":
                continue
            where = f"stations[{index}].outputs[{number}].device"
            try:
                with pulsectl.Pulse("loa-check", connect=False) as pulse:
                    pulse.connect(timeout=3)
                    sinks = {sink.name: sink for sink in pulse.sink_list()}
            except (pulsectl.PulseError, OSError):
                vi, en = "Không kết nối được PulseAudio.", "PulseAudio cannot be reached."
                yield _finding("no_sound_server", Severity.ERROR, where, vi, en)
                continue
            sink = sinks.get(output.device or "")
            if sink is None:
                names = ", ".join(sorted(sinks)) or "—"
                vi = f"Không có thiết bị “{output.device}”. Có: {names}."
                yield _finding("no_device", Severity.ERROR, where, vi, f"There is no sink “{output.device}”: {names}.")
            elif sink.mute or sink.volume.value_flat == 0:
                vi, en = f"Thiết bị “{output.device}” đang tắt tiếng.", f"Sink “{output.device}” is muted."
                yield _finding("muted", Severity.ERROR, where, vi, en)


def _clock(house: House) -> Iterator[Finding]:
    state = house.clock.state()
    if not state.trusted:
        hint = Text("Bật đồng bộ giờ (chrony), rồi kiểm tra lại.", "Switch on time synchronisation (chrony).")
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


def _machine(house: House) -> Iterator[Finding]:
    yield from readiness.findings()
    usage = shutil.disk_usage(house.data)
    if usage.free < LOW_DISK * usage.total:
        vi, en = f"Đĩa sắp đầy: còn {usage.free >> 30} GB.", f"The disk is nearly full: {usage.free >> 30} GB left."
        yield _finding("disk_low", Severity.WARNING, "data", vi, en)


def _finding(code: str, severity: Severity, where: str, vi: str, en: str) -> Finding:
    return Finding(code=code, severity=severity, where=where, message=Text(vi, en))
