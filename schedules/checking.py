"""Everything to know about a station's grid before it is published: what refuses it, and what it will cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from schedules.airing import Facts
from schedules.calendar import (
    Occurrence,
    deadline,
    duty_windows,
    occurrences,
    on_date,
    open_hours,
    period_interval,
    period_name,
)
from schedules.choosing import Stock, usable
from schedules.clock import Interval
from schedules.conflicts import first_overlaps
from schedules.duty import Duty, Period
from schedules.findings import Finding, Severity
from schedules.giving_way import Rank
from schedules.grid import Change, ItemKind, SessionException, SessionItem, SessionRule, Timing
from schedules.intent import Intent
from schedules.owing import duties_of, fits
from schedules.recurrence import days_of, monthly
from schedules.segment import Segment
from schedules.station import ClusterGroup, Station
from schedules.structure import check_intent
from schedules.text import Text

__all__ = ["check_grid", "check_intent"]

AHEAD = timedelta(days=35)
"""How far hours, lengths and limits are looked at date by date: five weeks hold every weekday and a month's turn."""

FURTHEST = timedelta(days=5 * 366)
"""A session that does not come in so long a time is said never to come."""

_YEAR = timedelta(days=366)
_FRAME = frozenset({ItemKind.IDENT, ItemKind.GREETING, ItemKind.CLOSING})
_EMPTY_SHARE = 3
_DAY = timedelta(days=1)


def check_grid(intent: Intent, station: Station, facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Return what is wrong with the grid of `station` as decided in `intent`, and what to know about it; errors first.

    Errors refuse to publish, warnings want a yes. Paths name things by id: `sessions[sang].items[2]`. Overlaps are
    found for every date to come; hours, lengths and limits for the next five weeks and each session's next time.
    What is broken in itself is said and then left out, so that everything else is said too.
    """
    broken = check_intent(intent, station=station.code, named=True, now=now)
    if any(finding.where.startswith("stations[") for finding in broken):
        return broken
    sound = _without_broken(intent, station, broken)
    look = _Look(intent=sound, station=station, facts=facts, now=now, zone=ZoneInfo(station.zone))
    found = [*broken, *look.everything()]
    return tuple(sorted(found, key=lambda finding: (_RANK[finding.severity], finding.where, finding.code)))


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


def _without_broken(intent: Intent, station: Station, broken: tuple[Finding, ...]) -> Intent:
    """Return `intent` with the things of this station only that can be reckoned with."""

    def whole(section: str, name: str) -> bool:
        return not any(finding.where.startswith(f"{section}[{name}]") for finding in broken)

    templates = tuple(t for t in intent.templates if t.station == station.code and whole("templates", t.id))
    known = {None, *(template.id for template in templates)}
    return replace(
        intent,
        templates=templates,
        sessions=tuple(
            rule
            for rule in intent.sessions
            if rule.station == station.code and whole("sessions", rule.id) and rule.template in known
        ),
        exceptions=tuple(e for e in intent.exceptions if e.station == station.code and whole("exceptions", e.id)),
        duties=tuple(duty for duty in intent.duties if station.code in duty.stations and whole("duties", duty.code)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    intent: Intent
    station: Station
    facts: Facts
    now: datetime
    zone: ZoneInfo

    def everything(self) -> Iterator[Finding]:
        coming = self._starting(self.intent, Interval(self.now, self.now + AHEAD))
        yield from self._overlaps()
        yield from self._limits(coming)
        for rule in sorted(self.intent.sessions, key=lambda known: known.id):
            if rule.until is not None and rule.until <= self.now:
                continue
            ahead = self._ahead(rule, [one for one in coming if one.rule is rule])
            if not ahead:
                yield self._never(rule)
                continue
            yield from self._hours(rule, ahead)
            yield from self._length(rule, ahead[0])
            yield from self._recordings(rule, ahead[0])
        yield from self._exceptions()
        yield from self._duties()

    def _ahead(self, rule: SessionRule, coming: list[Occurrence]) -> list[Occurrence]:
        """Return the times of a session to look at, by start: those that come, and those that are unlike them.

        A date of the month comes on every weekday within a year; what an exception moves may go anywhere.
        """
        alone = replace(self.intent, sessions=(rule,))
        found = coming
        start = self.now
        while not found and start < self.now + FURTHEST:
            found = self._starting(alone, Interval(start, start + 4 * AHEAD))
            start += 4 * AHEAD
        if monthly(rule):
            found = [*found, *self._starting(alone, Interval(self.now, self.now + _YEAR))]
        days = days_of(self.intent, self.station.code)
        mine = [change for change in self.intent.exceptions if change.session == rule.id]
        moved = [
            on_date(rule, number, change.day, self.station, days, mine)
            for change in mine
            if change.change is Change.MOVE and days.due(rule, change.day)
            for number in range(1, len(rule.starts) + 1)
        ]
        found = [*found, *(one for one in moved if one is not None and one.during.start >= self.now)]
        return sorted(found, key=lambda one: one.during.start)

    def _starting(self, intent: Intent, during: Interval) -> list[Occurrence]:
        return [one for one in occurrences(intent, self.station, during) if one.during.start >= during.start]

    def _never(self, rule: SessionRule) -> Finding:
        return _finding(
            Severity.WARNING,
            "session_never",
            f"sessions[{rule.id}]",
            f"Buổi “{rule.name}” không rơi vào ngày nào trong năm năm tới.",
            f"Session “{rule.name}” falls on no date in the next five years.",
            "Xem lại ngày lặp lại, thời gian áp dụng và loại ngày.",
            "Look at its recurrence, its dates and its kinds of days.",
        )

    def _overlaps(self) -> Iterator[Finding]:
        for overlap in first_overlaps(self.intent, self.station, self.now):
            first, second = overlap.first, overlap.second
            at_vi, at_en = self._at(overlap.start)
            with_vi = "chính nó" if first.rule.id == second.rule.id else f"buổi “{first.rule.name}”"
            with_en = "itself" if first.rule.id == second.rule.id else f"session “{first.rule.name}”"
            yield _finding(
                Severity.ERROR,
                "sessions_overlap",
                f"sessions[{second.rule.id}].starts",
                f"Buổi “{second.rule.name}” trùng giờ với {with_vi}, lần đầu lúc {at_vi}.",
                f"Session “{second.rule.name}” overlaps with {with_en}, for the first time at {at_en}.",
                "Đổi giờ hoặc ngày của một trong hai buổi, hoặc rút ngắn buổi bắt đầu trước.",
                "Change the time or the days of one of them, or make the earlier one shorter.",
            )

    def _limits(self, coming: list[Occurrence]) -> Iterator[Finding]:
        limits = self.station.limits
        for rule in self.intent.sessions:
            if limits.session_s is not None and rule.length_s > limits.session_s and not self._over(rule):
                yield _finding(
                    Severity.ERROR,
                    "session_too_long",
                    f"sessions[{rule.id}].length_s",
                    f"Buổi “{rule.name}” dài {_minutes(rule.length_s)}, trong khi đài chỉ được phát "
                    f"{_minutes(limits.session_s)} mỗi buổi.",
                    f"Session “{rule.name}” lasts {_length(rule.length_s)}, but the station may air "
                    f"{_length(limits.session_s)} a session.",
                    "Rút ngắn buổi, hoặc tách thành hai buổi.",
                    "Make it shorter, or make two of it.",
                )
        told: set[str] = set()
        for day, sessions in groupby(coming, key=lambda one: one.during.start.astimezone(self.zone).date()):
            of_day = list(sessions)
            seconds = sum(one.rule.length_s for one in of_day)
            last = of_day[-1].rule
            if limits.day_s is not None and seconds > limits.day_s and "day_too_long" not in told:
                told.add("day_too_long")
                yield _finding(
                    Severity.WARNING,
                    "day_too_long",
                    f"sessions[{last.id}]",
                    f"Ngày {day:%d/%m/%Y} các buổi dài tổng cộng {_minutes(seconds)}, trong khi đài chỉ được phát "
                    f"{_minutes(limits.day_s)} mỗi ngày: phần vượt quá sẽ không phát.",
                    f"On {day:%d/%m/%Y} the sessions last {_length(seconds)} in all, but the station may air "
                    f"{_length(limits.day_s)} a day: what is beyond will not air.",
                    "Rút ngắn hoặc bỏ bớt buổi trong ngày đó.",
                    "Make sessions of that day shorter or fewer.",
                )
            if limits.sessions is not None and len(of_day) > limits.sessions and "too_many_sessions" not in told:
                told.add("too_many_sessions")
                yield _finding(
                    Severity.WARNING,
                    "too_many_sessions",
                    f"sessions[{last.id}]",
                    f"Ngày {day:%d/%m/%Y} có {len(of_day)} buổi, trong khi đài chỉ được phát {limits.sessions} buổi "
                    "mỗi ngày: buổi thừa sẽ không phát.",
                    f"{day:%d/%m/%Y} has {len(of_day)} sessions, but the station may air {limits.sessions} a day: "
                    "those beyond will not air.",
                    "Bỏ bớt buổi trong ngày đó.",
                    "Have fewer sessions on that day.",
                )

    def _over(self, rule: SessionRule) -> bool:
        return rule.until is not None and rule.until <= self.now

    def _hours(self, rule: SessionRule, ahead: list[Occurrence]) -> Iterator[Finding]:
        where = f"sessions[{rule.id}].starts"
        told: set[str] = set()
        meant = [group for group in self.station.groups if not rule.targets or group.code in rule.targets]
        for one in ahead:
            heard = open_hours(self.station, one.during)
            closed = [group for group in meant if not _heard(self.station, group, heard)]
            silent = not heard or (bool(meant) and len(closed) == len(meant))
            whole = heard == [one.during]
            code = "outside_hours" if silent else "partly_outside_hours" if not whole else "groups_closed"
            if code in told or (code == "groups_closed" and not closed):
                continue
            told.add(code)
            at_vi, at_en = self._at(one.during.start)
            if silent:
                yield _finding(
                    Severity.ERROR,
                    code,
                    where,
                    f"Buổi “{rule.name}” lúc {at_vi} nằm ngoài khung giờ được phép phát: sẽ không có tiếng.",
                    f"Session “{rule.name}” at {at_en} lies outside the permitted hours: nothing would be heard.",
                    "Chọn giờ trong khung giờ của đài, hoặc bỏ ngày đó.",
                    "Choose a time within the station's hours, or leave out that day.",
                )
            elif not whole:
                yield _finding(
                    Severity.WARNING,
                    code,
                    where,
                    f"Buổi “{rule.name}” lúc {at_vi} có phần ngoài khung giờ được phép phát: phần đó sẽ không phát.",
                    f"Session “{rule.name}” at {at_en} lies partly outside the permitted hours and is cut there.",
                    "Dời hoặc rút ngắn buổi.",
                    "Move it or make it shorter.",
                )
            else:
                names = ", ".join(group.name for group in closed)
                yield _finding(
                    Severity.WARNING,
                    code,
                    where,
                    f"Buổi “{rule.name}” lúc {at_vi}: {names} không nghe được, vì ngoài giờ của cụm loa đó.",
                    f"Session “{rule.name}” at {at_en}: {names} will not hear it, it is outside their hours.",
                    "Dời buổi, hoặc sửa giờ của cụm loa.",
                    "Move it, or change the hours of the cluster group.",
                )

    def _length(self, rule: SessionRule, one: Occurrence) -> Iterator[Finding]:
        """Yield whether what is known of the next session is too long or leaves it empty."""
        lengths, ranks, filled = self._lengths(rule, one)
        at, empty = 0.0, 0.0
        for number, (item, length) in enumerate(zip(rule.items, lengths, strict=True)):
            if item.timing is not Timing.RELATIVE and item.offset_s is not None:
                room = item.offset_s + (item.bound_s if item.timing is Timing.SOFT else 0)
                if at > room:
                    late = at - room
                    going = _giving_way(rule, lengths, ranks, number, late)
                    yield self._over_run(rule, one, f".items[{number}]", late, going)
                    if number in going:
                        # Its silence is told already: it is not one more reason to call the session empty.
                        empty -= length
                        continue
                    at = item.offset_s
                empty += max(0.0, item.offset_s - at)
                at = max(at, item.offset_s)
            at += length
        if at > rule.length_s:
            late = at - rule.length_s
            yield self._over_run(rule, one, "", late, _giving_way(rule, lengths, ranks, None, late))
        empty += max(0.0, rule.length_s - at)
        if empty * _EMPTY_SHARE > rule.length_s and not filled:
            at_vi, at_en = self._at(one.during.start)
            yield _finding(
                Severity.WARNING,
                "under_run",
                f"sessions[{rule.id}].items",
                f"Buổi “{rule.name}” lúc {at_vi} sẽ im lặng {_minutes(empty)} trong {_minutes(rule.length_s)}.",
                f"Session “{rule.name}” at {at_en} will be silent for {_length(empty)} of {_length(rule.length_s)}.",
                "Thêm mục, thêm mục lấp chỗ trống, hoặc rút ngắn buổi.",
                "Add items or a filler, or make the session shorter.",
            )

    def _lengths(self, rule: SessionRule, one: Occurrence) -> tuple[list[float], list[Rank], bool]:
        """Return how long each item will be, seconds, as things stand, its rank in giving way, and whether a filler
        takes what is left."""
        duties = duties_of(self.intent, self.station)
        stock = Stock(intent=self.intent, station=self.station, facts=self.facts)
        used: dict[str, datetime] = {}
        lengths: list[float] = []
        ranks: list[Rank] = []
        filled = False
        for item in rule.items:
            segment: Segment | None = None
            fresh = True
            if item.segment is not None:
                segment = self.intent.segment(item.segment)
            elif item.programme is not None:
                key = f"{self.station.code}/{one.name}/{one.day}/{item.id}"
                found = stock.choices(item.programme, one.during.start, used, key=key).found
                segment, fresh = (found[0].segment, found[0].fresh) if found else (None, True)
            owed = segment is not None and any(fits(duty, segment) for duty in duties)
            ranks.append(_rank(item, owed=owed, fresh=fresh))
            if item.kind is ItemKind.FILLER:
                filled = filled or segment is not None
                lengths.append(0.0)
                continue
            if segment is not None:
                used[segment.id] = one.during.start
            lengths.append(float(item.length_s or 0) if segment is None else segment.duration.total_seconds())
        return lengths, ranks, filled

    def _over_run(self, rule: SessionRule, one: Occurrence, at: str, seconds: float, victims: list[int]) -> Finding:
        at_vi, at_en = self._at(one.during.start)
        numbers = ", ".join(str(number + 1) for number in victims)
        return _finding(
            Severity.WARNING,
            "over_run",
            f"sessions[{rule.id}]{at or '.items'}",
            f"Buổi “{rule.name}” lúc {at_vi} thừa {_minutes(seconds)}: mục {numbers} sẽ nhường giờ hoặc không phát.",
            f"Session “{rule.name}” at {at_en} is {_length(seconds)} too long: item {numbers} gives way.",
            "Kéo dài buổi, hoặc bỏ bớt mục.",
            "Make the session longer, or leave out items.",
        )

    def _recordings(self, rule: SessionRule, one: Occurrence) -> Iterator[Finding]:
        start = one.during.start
        at_vi, at_en = self._at(start)
        for number, item in enumerate(rule.items):
            where = f"sessions[{rule.id}].items[{number}]"
            if item.segment is not None:
                yield from self._fixed(item, start, f"{where}.segment", at_vi, at_en)
            elif item.programme is not None and not item.optional:
                offered = any(
                    segment.programme == item.programme and usable(self.intent, self.station, segment)
                    for segment in self.intent.segments
                )
                if not offered:
                    name = next((p.name for p in self.intent.programmes if p.code == item.programme), item.programme)
                    yield _finding(
                        Severity.WARNING,
                        "programme_empty",
                        f"{where}.programme",
                        f"Chuyên mục “{name}” chưa có bài nào được duyệt: mục này sẽ không phát.",
                        f"Programme “{name}” has no approved recording yet: this item will not air.",
                        "Gửi và duyệt một bài, hoặc đánh dấu mục là tùy chọn.",
                        "Have a recording approved, or mark the item as optional.",
                    )

    def _fixed(self, item: SessionItem, start: datetime, where: str, at_vi: str, at_en: str) -> Iterator[Finding]:
        segment = self.intent.segment(item.segment or "")
        if segment is None:
            yield _finding(
                Severity.WARNING,
                "segment_not_approved",
                where,
                f"Bài “{item.segment}” chưa được duyệt hoặc đã thu hồi: mục này sẽ không phát.",
                f"Recording “{item.segment}” is not approved, or was withdrawn: this item will not air.",
                "Duyệt bài, hoặc chọn bài khác.",
                "Have it approved, or choose another.",
            )
            return
        if not usable(self.intent, self.station, segment):
            yield _finding(
                Severity.WARNING,
                "segment_of_others",
                where,
                f"Bài “{segment.title}” thuộc đơn vị {segment.owner}; đài này không được phát.",
                f"Recording “{segment.title}” belongs to unit {segment.owner}; this station may not air it.",
                "Chọn bài của đơn vị mình hoặc của cấp trên.",
                "Choose one of this unit or of a unit above it.",
            )
        if segment.valid_until is not None and segment.valid_until <= start:
            until_vi, until_en = self._at(segment.valid_until)
            yield _finding(
                Severity.WARNING,
                "segment_expired",
                where,
                f"Bài “{segment.title}” hết hạn lúc {until_vi}, trước lần phát tới ({at_vi}): mục này sẽ không phát.",
                f"Recording “{segment.title}” expires at {until_en}, before its next time ({at_en}): it will not air.",
                "Chọn bài khác, hoặc kéo dài thời hạn của bài.",
                "Choose another, or extend its dates.",
            )
        if segment.valid_from is not None and segment.valid_from > start:
            from_vi, from_en = self._at(segment.valid_from)
            yield _finding(
                Severity.WARNING,
                "segment_not_valid_yet",
                where,
                f"Bài “{segment.title}” chỉ được phát từ {from_vi}, sau lần phát tới ({at_vi}).",
                f"Recording “{segment.title}” may air from {from_en} on, after its next time ({at_en}).",
                "Chọn bài khác, hoặc cho buổi bắt đầu muộn hơn.",
                "Choose another, or let the session begin later.",
            )

    def _exceptions(self) -> Iterator[Finding]:
        rules = {rule.id: rule for rule in self.intent.sessions}
        days = days_of(self.intent, self.station.code)
        today = self.now.astimezone(self.zone).date()
        for change in self.intent.exceptions:
            rule = rules.get(change.session)
            ended = change.until is not None and change.until <= self.now
            if rule is None or change.following or change.day < today or ended:
                continue
            numbers = range(1, len(rule.starts) + 1) if change.number is None else (change.number,)
            due = [on_date(rule, number, change.day, self.station, days, ()) for number in numbers]
            if days.due(rule, change.day) and any(one and _applies(change, one) for one in due):
                continue
            yield _finding(
                Severity.WARNING,
                "exception_without_session",
                f"exceptions[{change.id}].day",
                f"Ngày {change.day:%d/%m/%Y} không có buổi “{rule.name}” nào để hủy hay dời.",
                f"There is no session “{rule.name}” on {change.day:%d/%m/%Y} to be cancelled or moved.",
                "Xem lại ngày.",
                "Look at the date.",
            )

    def _duties(self) -> Iterator[Finding]:
        """Yield the weekly duties that a single failure would lose, in the next whole week."""
        for duty in self.intent.duties:
            if duty.period is not Period.WEEK or (duty.until is not None and duty.until <= self.now):
                continue
            next_week = self.now.astimezone(self.zone).date() + 7 * _DAY
            week = period_interval(Period.WEEK, period_name(Period.WEEK, next_week), self.zone)
            during = Interval(week.start, max(week.start, deadline(duty, week, self.zone)))
            places = [
                one.during.start
                for one in occurrences(self.intent, self.station, during)
                for item in one.rule.items
                if during.contains(one.during.start) and _of_duty(self.intent, duty, item)
            ]
            first = min(places, default=during.start)
            spare = [window for window in duty_windows(self.station, duty, during) if window.end > first]
            if len(places) + len(spare) > duty.count:
                continue
            yield _finding(
                Severity.WARNING,
                "duty_one_chance",
                f"duties[{duty.code}]",
                f"Nhiệm vụ “{duty.name}” chỉ có {len(places)} lượt trong lịch và {len(spare)} khung giờ phát bù mỗi "
                f"tuần, trong khi cần {duty.count} lượt: hỏng một lượt là không đạt.",
                f"Duty “{duty.name}” has {len(places)} places in the grid and {len(spare)} make-up windows a week, and "
                f"needs {duty.count}: with one failure it is missed.",
                "Thêm mục của chuyên mục vào một buổi khác, hoặc thêm khung giờ phát bù.",
                "Give the programme a place in another session, or add a make-up window.",
            )

    def _at(self, moment: datetime) -> tuple[str, str]:
        local = moment.astimezone(self.zone)
        return f"{local:%H:%M} ngày {local:%d/%m/%Y}", f"{local:%H:%M} on {local:%d/%m/%Y}"


def _heard(station: Station, group: ClusterGroup, hours: Iterable[Interval]) -> bool:
    """Return whether the group may hear anything of these stretches."""
    if not group.permitted:
        return True
    own = replace(station, permitted=group.permitted, quiet=())
    return any(open_hours(own, stretch) for stretch in hours)


def _applies(change: SessionException, one: Occurrence) -> bool:
    return change.since <= one.during.start and (change.until is None or one.during.start < change.until)


def _of_duty(intent: Intent, duty: Duty, item: SessionItem) -> bool:
    segment = intent.segment(item.segment) if item.segment is not None else None
    programme = item.programme if segment is None else segment.programme
    return programme is not None and duty.programme in (None, programme)


def _rank(item: SessionItem, *, owed: bool, fresh: bool) -> Rank:
    """Return the rank of a place as it is known of beforehand; whether its recording comes from above is not asked."""
    if item.optional:
        return Rank.OPTIONAL
    if owed:
        return Rank.DUTY
    if item.kind in _FRAME:
        return Rank.FRAME
    if item.relay is not None:
        return Rank.RELAY
    return Rank.ORDINARY if fresh else Rank.REPEAT


def _giving_way(
    rule: SessionRule, lengths: list[float], ranks: list[Rank], clash: int | None, seconds: float
) -> list[int]:
    """Return which items would go, or be shortened, so that `seconds` are won: in the plan's order of giving way.

    clash: the item whose time has passed by then; it goes itself when its turn comes. None at the session's end.
    """
    upto = len(lengths) if clash is None else clash + 1
    found: list[int] = []
    for number in sorted(range(upto), key=lambda n: (ranks[n], rule.items[n].timing is Timing.HARD, -n)):
        if seconds > 0 and number == clash:
            return sorted([*found, number])
        if seconds > 0 and lengths[number] > 0:
            found.append(number)
            seconds -= lengths[number]
    return sorted(found)


def _minutes(seconds: float) -> str:
    whole, rest = divmod(round(seconds), 60)
    return f"{whole} phút" if not rest else f"{rest} giây" if not whole else f"{whole} phút {rest} giây"


def _length(seconds: float) -> str:
    whole, rest = divmod(round(seconds), 60)
    return f"{whole} min" if not rest else f"{rest} s" if not whole else f"{whole} min {rest} s"


def _finding(severity: Severity, code: str, where: str, vi: str, en: str, hint_vi: str, hint_en: str) -> Finding:
    return Finding(code=code, severity=severity, where=where, message=Text(vi, en), hint=Text(hint_vi, hint_en))
