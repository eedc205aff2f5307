"""What `loa plan` says: a plan as one JSON answer, and the same as a station's printed programme sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from link.codec import dump
from schedules.calendar import instant, local_dates, occurrences
from schedules.clock import Interval
from schedules.duty import DutyState
from schedules.findings import Finding
from schedules.grid import Change, DayKind, SessionException, SessionRule
from schedules.intent import Intent
from schedules.recurrence import days_of
from schedules.rundown import Rundown, RundownItem
from schedules.station import Station
from schedules.text import Text
from webui.pages.states import DUTIES, ITEMS_BY_VALUE

Answer = Mapping[str, Any]
"""A plan as `plan_answer` gives it: plain JSON, since it may come through the control socket."""

_WEEKDAYS = (
    Text("Thứ Hai", "Monday"),
    Text("Thứ Ba", "Tuesday"),
    Text("Thứ Tư", "Wednesday"),
    Text("Thứ Năm", "Thursday"),
    Text("Thứ Sáu", "Friday"),
    Text("Thứ Bảy", "Saturday"),
    Text("Chủ Nhật", "Sunday"),
)
_SEVERITIES = {
    "error": Text("Lỗi", "Error"),
    "warning": Text("Cảnh báo", "Warning"),
    "note": Text("Lưu ý", "Note"),
}
_KIND_WIDTH, _TITLE_WIDTH = 20, 52
_CHANCES = 4
"""How many further chances of a duty are printed."""


def plan_answer(rundown: Rundown, intent: Intent, during: Interval, grid: tuple[Finding, ...] = ()) -> dict[str, Any]:
    """Return a plan of `during` as the command line answers it: items, sessions, days with a name, duties, findings.

    grid: what is to be known of the grid before it is published, whatever `during` is.
    """
    station = intent.station(rundown.station)
    zone = ZoneInfo(station.zone)
    days = list(local_dates(zone, Interval(during.start, max(during.start, during.end - timedelta(seconds=1)))))
    return {
        "station": station.code,
        "name": station.name,
        "zone": station.zone,
        "revision": rundown.revision,
        "planned_at": rundown.planned_at.isoformat(),
        "days": [{"day": day.isoformat(), "notes": _notes(intent, station, day)} for day in days],
        "sessions": [
            {
                "session": f"{station.code}/{one.name}/{one.day.isoformat()}",
                "name": one.rule.name,
                "start": one.during.start.isoformat(),
                "end": one.during.end.isoformat(),
                "places": [place.id for place in one.rule.items],
            }
            for one in occurrences(intent, station, during)
        ],
        "items": [_item(item) for item in rundown.items],
        "duties": [{**dump(one), "reason": one.reason.vi, "reason_en": one.reason.en} for one in rundown.duties],
        "findings": [dump(finding) for finding in rundown.findings],
        "grid": [dump(finding) for finding in grid],
    }


def _item(item: RundownItem) -> dict[str, Any]:
    return {
        "slot": item.slot,
        "session": item.session,
        "start": item.start.isoformat(),
        "end": item.end.isoformat(),
        "due": item.due.isoformat(),
        "kind": item.kind.value,
        "programme": item.programme,
        "segment": item.segment,
        "title": item.title,
        "relay": item.relay,
        "duration_s": (item.end - item.start).total_seconds(),
        "timing": item.timing.value,
        "why": item.why.vi,
        "why_en": item.why.en,
        "replaced_by": item.replaced_by,
        "cancelled_by": item.cancelled_by,
        "cut_at": None if item.cut_at is None else item.cut_at.isoformat(),
        "targets": None if item.targets is None else list(item.targets),
        "priority": item.priority.value,
        "duty": item.duty,
    }


def _notes(intent: Intent, station: Station, day: date) -> list[dict[str, str]]:
    """Return what is special about a day: its name, the week that holds instead of the standing one, and the sessions
    that were cancelled on it or moved from it."""
    found = [Text(one.name, one.name) for one in intent.calendar if one.day == day and one.kind is not DayKind.ORDINARY]
    noon = instant(ZoneInfo(station.zone), day, time(12))
    week = days_of(intent, station.code).template(day, noon)
    found += [Text(f"theo “{one.name}”", f"by “{one.name}”") for one in intent.templates if one.id == week]
    rules = {rule.id: rule for rule in intent.sessions if rule.station == station.code}
    for change in intent.exceptions:
        if change.station == station.code and change.day == day:
            found.append(_changed(change, rules.get(change.session)))
    return [{"vi": one.vi, "en": one.en} for one in dict.fromkeys(found)]


def _changed(change: SessionException, rule: SessionRule | None) -> Text:
    """Return what a decision about one date does to a session: `nghỉ Buổi sáng 05:30: Cắt điện`."""
    name = change.session if rule is None else rule.name
    if rule is not None and change.number is not None and 1 <= change.number <= len(rule.starts) != 1:
        name = f"{name} {rule.starts[change.number - 1]:%H:%M}"
    since = Text(" từ ngày này", " from this day on") if change.following else Text("", "")
    why = f": {change.reason}" if change.reason else ""
    if change.change is Change.CANCEL:
        return Text(f"nghỉ {name}{since.vi}{why}", f"no {name}{since.en}{why}")
    to = [f"{change.to_start:%H:%M}"] if change.to_start else []
    to += [f"{change.to_day:%d/%m}"] if change.to_day and change.to_day != change.day else []
    return Text(f"dời {name}{since.vi} sang {' '.join(to)}{why}", f"{name}{since.en} moved to {' '.join(to)}{why}")


def programme_sheet(answer: Answer, *, english: bool = False) -> Iterator[str]:
    """Yield the lines of a plan as a station prints its programme: days, sessions, items, then duties and findings."""
    return _Sheet(answer=answer, zone=ZoneInfo(answer["zone"]), english=english).lines()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    answer: Answer
    zone: ZoneInfo
    english: bool

    def lines(self) -> Iterator[str]:
        yield self._say(
            f"{self.answer['name'].upper()} ({self.answer['station']})",
            f"{self.answer['name'].upper()} ({self.answer['station']})",
        )
        yield self._title()
        at = self._local(self.answer["planned_at"])
        yield self._say(
            f"Lập lúc {at:%H:%M} ngày {at:%d/%m/%Y}, giờ địa phương ({self.answer['zone']})",
            f"Planned at {at:%H:%M} on {at:%d/%m/%Y}, local time ({self.answer['zone']})",
        )
        for one in self.answer["days"]:
            yield ""
            yield from self._day(date.fromisoformat(one["day"]), one["notes"])
        yield from self._duties()
        yield from self._findings("findings", self._say("CẦN CHÚ Ý", "FINDINGS"))
        yield from self._findings("grid", self._say("TRƯỚC KHI CÔNG BỐ LỊCH", "BEFORE THE GRID IS PUBLISHED"))

    def _title(self) -> str:
        days = [date.fromisoformat(one["day"]) for one in self.answer["days"]]
        first, last = days[0], days[-1]
        if first == last:
            return self._say(
                f"CHƯƠNG TRÌNH PHÁT THANH ngày {first:%d/%m/%Y}", f"BROADCAST PROGRAMME of {first:%d/%m/%Y}"
            )
        short = f"{first:%d/%m}" if first.year == last.year else f"{first:%d/%m/%Y}"
        if first.isocalendar()[:2] == last.isocalendar()[:2]:
            week = first.isocalendar().week
            return self._say(
                f"CHƯƠNG TRÌNH PHÁT THANH\nTuần {week}, từ {short} đến {last:%d/%m/%Y}",
                f"BROADCAST PROGRAMME\nWeek {week}, from {short} to {last:%d/%m/%Y}",
            )
        return self._say(
            f"CHƯƠNG TRÌNH PHÁT THANH\nTừ {short} đến {last:%d/%m/%Y}",
            f"BROADCAST PROGRAMME\nFrom {short} to {last:%d/%m/%Y}",
        )

    def _day(self, day: date, notes: Sequence[Mapping[str, str]]) -> Iterator[str]:
        weekday = _WEEKDAYS[day.isoweekday() - 1]
        heading = self._say(f"{weekday.vi}, {day:%d/%m}", f"{weekday.en}, {day:%d/%m}")
        yield "; ".join([heading, *(self._say(note["vi"], note["en"]) for note in notes)])
        items = [item for item in self.answer["items"] if self._local(item["start"]).date() == day]
        items.sort(key=lambda item: (item["start"], self._place(item)))
        if not items:
            yield self._say("  Không phát.", "  Nothing airs.")
        key: object = None
        for item in items:
            if (found := self._session_of(item) or item["slot"]) != key:
                key = found
                yield f"  {self._session(item)}"
            yield f"    {self._row(item)}"

    def _place(self, item: Answer) -> int:
        """Return which place of its session an item fills: without sound, several begin at one instant."""
        places = [one["places"] for one in self.answer["sessions"] if one["session"] == self._session_of(item)]
        place = item["slot"].rpartition("/")[2]
        # A place of fillers numbers what it takes: `ca-nhac.2`.
        name = next((one for one in (place, place.rpartition(".")[0]) if places and one in places[0]), None)
        return 0 if name is None else places[0].index(name)

    def _session_of(self, item: Answer) -> str | None:
        """Return the session of an item; one that is over knows it by its slot only."""
        named = item["slot"].rpartition("/")[0]
        return item["session"] or (named if any(one["session"] == named for one in self.answer["sessions"]) else None)

    def _session(self, item: Answer) -> str:
        session = next((one for one in self.answer["sessions"] if one["session"] == self._session_of(item)), None)
        if session is not None:
            start, end = self._local(session["start"]), self._local(session["end"])
            return f"{session['name']} ({start:%H:%M}–{end:%H:%M})"
        if item["duty"] is not None:
            return self._say("Phát bù", "Make-up broadcast")
        return self._say("Phát riêng", "Single broadcast")

    def _row(self, item: Answer) -> str:
        start, due = self._local(item["start"]), self._local(item["due"])
        kind = ITEMS_BY_VALUE[item["kind"]]
        title = item["title"] or item["relay"] or self._say("(chưa có bài)", "(no item yet)")
        what = f"{title} ({_length(item['duration_s'])})" if item["duration_s"] else title
        late = ""
        if due - start >= timedelta(seconds=1):
            late = self._say(f"phát lúc {due:%H:%M:%S}; ", f"airs at {due:%H:%M:%S}; ")
        groups = ""
        if item["targets"] is not None:
            groups = self._say(f"tới {', '.join(item['targets'])}; ", f"to {', '.join(item['targets'])}; ")
        why = self._say(f"vì sao: {item['why']}", f"why: {item['why_en']}")
        word = self._say(kind.vi, kind.en)
        return f"{start:%H:%M:%S}  {word:{_KIND_WIDTH}} {what:{_TITLE_WIDTH}} {late}{groups}{why}"

    def _duties(self) -> Iterator[str]:
        if self.answer["duties"]:
            yield ""
            yield self._say("NHIỆM VỤ", "DUTIES")
        for one in self.answer["duties"]:
            word = DUTIES[DutyState(one["state"])].word
            yield self._say(
                f"  {one['name']}, {_period(one['period']).vi}, hạn {self._deadline(one['deadline'])}",
                f"  {one['name']}, {_period(one['period']).en}, due {self._deadline(one['deadline'])}",
            )
            yield self._say(f"    {word.vi}: {one['reason']}", f"    {word.en}: {one['reason_en']}")
            if one["fallback"] is not None:
                yield "    " + self._say(one["fallback"]["vi"], one["fallback"]["en"])
            chances = [f"{self._moment(chance['start'])} {chance['title']}".strip() for chance in one["chances"]]
            if chances:
                more = f" … (+{len(chances) - _CHANCES})" if len(chances) > _CHANCES else ""
                listed = "; ".join(chances[:_CHANCES]) + more
                yield self._say(
                    f"    Còn {len(chances)} khung giờ: {listed}", f"    {len(chances)} chances left: {listed}"
                )

    def _findings(self, key: str, heading: str) -> Iterator[str]:
        if self.answer[key]:
            yield ""
            yield heading
        told: dict[str, list[str]] = {}
        for one in self.answer[key]:
            severity = _SEVERITIES[one["severity"]]
            message = self._say(one["message"]["vi"], one["message"]["en"])
            hint = one["hint"]
            text = f"  [{self._say(severity.vi, severity.en)}] {message}"
            if hint is not None:
                text += "\n    " + self._say(f"Cách xử lý: {hint['vi']}", f"What to do: {hint['en']}")
            told.setdefault(text, []).append(one["where"])
        for text, places in told.items():
            first, _, rest = text.partition("\n")
            where = ", ".join(place for place in places[:2] if place)
            more = f" … (+{len(places) - 2})" if len(places) > 2 else ""
            yield f"{first} [{where}{more}]" if where else first
            if rest:
                yield rest

    def _say(self, vi: str, en: str) -> str:
        return en if self.english else vi

    def _local(self, moment: str) -> datetime:
        return datetime.fromisoformat(moment).astimezone(self.zone)

    def _moment(self, moment: str) -> str:
        at = self._local(moment)
        return f"{at:%H:%M} {self._day_short(at.date())}"

    def _deadline(self, moment: str) -> str:
        at = self._local(moment)
        if (at.hour, at.minute) == (0, 0):
            # People count the midnight that ends a Sunday to that Sunday.
            return f"24:00 {self._day_short(at.date() - timedelta(days=1))}"
        return self._moment(moment)

    def _day_short(self, day: date) -> str:
        number = day.isoweekday()
        weekday = ("CN" if number == 7 else f"T{number + 1}") if not self.english else _WEEKDAYS[number - 1].en[:3]
        return f"{weekday} {day:%d/%m}"


def _period(period: str) -> Text:
    if "-W" in period:
        year, _, week = period.partition("-W")
        return Text(f"tuần {int(week)}/{year}", f"week {int(week)}/{year}")
    if "-" in period:
        year, _, month = period.partition("-")
        return Text(f"tháng {int(month)}/{year}", f"{month}/{year}")
    return Text(f"năm {period}", period)


def _length(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
