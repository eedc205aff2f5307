"""What `loa simulate` says: the account of simulated days as JSON, and the same for people, what matters most first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from link.codec import dump
from link.scenario import Scenario
from playout.simulation import SimulationReport
from schedules.airing import Verdict
from schedules.duty import DutyState
from schedules.text import Text
from webui.pages.states import DUTIES, VERDICTS

_FAULTS = {
    "power": Text("mất điện", "power cut"),
    "clock_step": Text("đồng hồ bị chỉnh", "clock set"),
    "link": Text("mất kết nối", "link lost"),
    "media": Text("mất hoặc hỏng tệp", "file lost or damaged"),
    "output": Text("đầu ra", "output"),
    "player": Text("trình phát dừng", "player died"),
    "restart": Text("phần mềm khởi động lại", "software restarted"),
    "emergency": Text("phát khẩn cấp", "emergency"),
    "edit": Text("sửa sát giờ", "late edit"),
    "stop": Text("có người dừng phát", "stopped by a person"),
}


def simulation_answer(report: SimulationReport) -> Mapping[str, Any]:
    """Return the account of a simulation as the command line answers it; `ok` where every invariant held."""
    return {"ok": not report.violations, **dump(report)}


def simulation_sheet(scenario: Scenario, report: SimulationReport, *, english: bool = False) -> Iterator[str]:
    """Yield the lines of the account: totals, violations, duties, faults, then every slot by day."""
    zones = {station.code: ZoneInfo(station.zone) for station in scenario.stations}
    return _Sheet(title=scenario.title, report=report, zones=zones, english=english).lines()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    title: str
    report: SimulationReport
    zones: Mapping[str, ZoneInfo]
    english: bool

    def lines(self) -> Iterator[str]:
        report = self.report
        last = report.first_day + timedelta(days=report.days - 1)
        title = f": {self.title}" if self.title else ""
        yield self._say(f"MÔ PHỎNG{title}", f"SIMULATION{title}")
        yield self._say(
            f"{len(report.stations)} đài, {report.days} ngày từ {report.first_day:%d/%m/%Y} đến {last:%d/%m/%Y}, "
            f"hạt giống {report.seed}",
            f"{len(report.stations)} stations, {report.days} days from {report.first_day:%d/%m/%Y} to {last:%d/%m/%Y}, "
            f"seed {report.seed}",
        )
        yield from self._totals()
        yield from self._violations()
        yield from self._duties()
        yield from self._faults()
        yield from self._slots()

    def _totals(self) -> Iterator[str]:
        report = self.report
        verdicts = Counter(slot.verdict for slot in report.slots)
        listed = [f"{verdicts[one]} {self._word(VERDICTS[one].word)}" for one in Verdict if verdicts[one]]
        yield self._say(f"Lượt phát: {len(report.slots)}", f"Slots: {len(report.slots)}") + _after(listed)
        states = Counter(duty.state for duty in report.duties)
        listed = [f"{states[one]} {self._word(DUTIES[one].word)}" for one in DutyState if states[one]]
        yield self._say(f"Nhiệm vụ theo kỳ: {len(report.duties)}", f"Duty periods: {len(report.duties)}") + _after(
            listed
        )
        kinds = Counter(one.kind for one in report.faults)
        listed = [f"{count} {self._fault(kind)}" for kind, count in sorted(kinds.items())]
        yield self._say(f"Sự cố: {len(report.faults)}", f"What happened: {len(report.faults)}") + _after(listed)
        count = f"{report.checks:,}"
        yield self._say(
            f"Điều phải luôn đúng: kiểm tra {count.replace(',', '.')} lần, {len(report.violations)} lần sai",
            f"Invariants: checked {count} times, violated {len(report.violations)} times",
        )

    def _violations(self) -> Iterator[str]:
        if self.report.violations:
            yield ""
            yield self._say(
                f"SAI (chạy lại với --seed {self.report.seed} để xem)",
                f"VIOLATED (run again with --seed {self.report.seed} to see)",
            )
        for one in self.report.violations:
            yield from (f"  {line}" for line in str(one).splitlines())

    def _duties(self) -> Iterator[str]:
        if self.report.duties:
            yield ""
            yield self._say("NHIỆM VỤ", "DUTIES")
        for one in self.report.duties:
            word = self._word(DUTIES[one.state].word)
            yield f"  {one.station}  {one.period}  {one.duty}: {word}. {self._word(one.reason)}"

    def _faults(self) -> Iterator[str]:
        if self.report.faults:
            yield ""
            yield self._say("SỰ CỐ", "WHAT HAPPENED")
        for one in self.report.faults:
            yield f"  {self._moment(one.at, one.station)}  {one.station}  {self._fault(one.kind)}: {one.detail}"

    def _slots(self) -> Iterator[str]:
        for station in self.report.stations:
            slots = [one for one in self.report.slots if one.station == station]
            if slots:
                yield ""
                yield self._say(f"LƯỢT PHÁT, {station}", f"SLOTS, {station}")
            for one in slots:
                word = self._word(VERDICTS[one.verdict].word)
                heard = ""
                if one.heard_s:
                    whole = round(one.heard_s)
                    heard = f" {whole // 60}:{whole % 60:02d}"
                why = "" if one.reason is None else f". {self._word(one.reason)}"
                at = self._moment(one.planned_start, station)
                yield f"  {at}  {one.slot.partition('/')[2]:44} {one.title:44} {word}{heard}{why}"

    def _moment(self, moment: datetime, station: str) -> str:
        return f"{moment.astimezone(self.zones[station]):%d/%m %H:%M:%S}"

    def _fault(self, kind: str) -> str:
        return self._word(_FAULTS[kind]) if kind in _FAULTS else kind

    def _say(self, vi: str, en: str) -> str:
        return en if self.english else vi

    def _word(self, text: Text) -> str:
        return self._say(text.vi, text.en)


def _after(listed: list[str]) -> str:
    return f" ({', '.join(listed)})" if listed else ""
