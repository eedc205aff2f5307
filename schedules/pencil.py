"""The grid under the pencil: edits of one station as typed values, kept apart from what is in force until published.

Gestures (move, resize, copy) become edits here; `folded` says what a list of edits comes to, `carried` brings edits to
a grid that somebody else changed meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeAlias

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.grid import Change, SessionException, SessionRule, WeekTemplate
from schedules.recurrence import monthly
from schedules.text import Text

_DAY = timedelta(days=1)
_FIELDS = (
    "name",
    "weekdays",
    "starts",
    "length_s",
    "items",
    "valid_from",
    "valid_until",
    "every_weeks",
    "anchor",
    "month_days",
    "nth_weekdays",
    "only",
    "owner",
    "targets",
)


class Reach(StrEnum):
    """How far a gesture reaches: every week, this date and all following, this date only."""

    EVERY = "every"
    FOLLOWING = "following"
    ONCE = "once"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSession:
    """A session is to be so. before: as it was when that was decided, None for a new one."""

    rule: SessionRule
    before: SessionRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession:
    """A session is to end."""

    before: SessionRule


@dataclass(frozen=True, slots=True, kw_only=True)
class AddException:
    """One date of a session, or it and all following, is to be cancelled or moved. It has its id already."""

    exception: SessionException


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """An exception is to hold no longer."""

    exception: SessionException


@dataclass(frozen=True, slots=True, kw_only=True)
class AddWeek:
    """A new week template; its sessions are edits of their own."""

    template: WeekTemplate


Edit: TypeAlias = SetSession | EndSession | AddException | TakeBack | AddWeek


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What somebody did at once, and takes back at once. words: a sentence for the list of changes."""

    words: Text
    edits: tuple[Edit, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What a list of edits comes to. rules: before and after; None before is new, None after is ended."""

    weeks: tuple[WeekTemplate, ...] = ()
    rules: tuple[tuple[SessionRule | None, SessionRule | None], ...] = ()
    added: tuple[SessionException, ...] = ()
    taken_back: tuple[SessionException, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing would change."""
        return not (self.weeks or self.rules or self.added or self.taken_back)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """Edits brought to another grid. both: sessions and fields that were changed on both sides; lost: names of what
    is no longer there, so that its edits fell away."""

    steps: tuple[Step, ...]
    both: tuple[tuple[str, str], ...] = ()
    lost: tuple[str, ...] = ()


def folded(edits: Iterable[Edit]) -> Folded:
    """Return what the edits come to, in whatever way they got there."""
    weeks: dict[str, WeekTemplate] = {}
    first: dict[str, SessionRule | None] = {}
    last: dict[str, SessionRule | None] = {}
    added: dict[str, SessionException] = {}
    taken: dict[str, SessionException] = {}
    for edit in edits:
        match edit:
            case SetSession(rule=rule, before=before):
                first.setdefault(rule.id, before)
                last[rule.id] = rule
            case EndSession(before=before):
                first.setdefault(before.id, before)
                last[before.id] = None
            case AddException(exception=exception):
                added[exception.id] = exception
            case AddWeek(template=template):
                weeks[template.id] = template
            case _:
                if added.pop(edit.exception.id, None) is None:
                    taken[edit.exception.id] = edit.exception
    pairs = [(first[name], last[name]) for name in last if first[name] != last[name]]
    gone = {name for name, rule in last.items() if rule is None}
    kept = {rule.template for _before, rule in pairs if rule is not None}
    return Folded(
        # A week whose sessions were all taken out again is no silence that somebody meant.
        weeks=tuple(template for template in weeks.values() if template.id in kept),
        rules=tuple(pairs),
        added=tuple(one for one in added.values() if one.session not in gone),
        taken_back=tuple(taken.values()),
    )


def edited(rules: Iterable[SessionRule], change: Folded) -> dict[str, SessionRule]:
    """Return the sessions by id as they are under the pencil."""
    found = {rule.id: rule for rule in rules}
    for before, after in change.rules:
        if after is not None:
            found[after.id] = after
        elif before is not None:
            found.pop(before.id, None)
    return found


def placed(rule: SessionRule, *, number: int, day: date, by_days: int, to_start: time, length_s: int) -> SessionRule:
    """Return the session with its `number`-th start at `to_start`, its weekday of `day` moved, and another length.

    Raises Refused where the weekday cannot move: the session is on the other day already, or goes by the month.
    """
    weekdays = rule.weekdays
    if by_days:
        old, new = day.isoweekday(), (day + by_days * _DAY).isoweekday()
        if monthly(rule) or old not in weekdays:
            raise Refused(_by_form(rule))
        if new != old:
            if new in weekdays:
                raise Refused(_there_already(rule))
            weekdays = tuple(sorted({new, *weekdays} - {old}))
    starts = list(rule.starts)
    starts[number - 1] = to_start
    return replace(rule, weekdays=weekdays, starts=tuple(sorted(set(starts))), length_s=length_s)


def always(rule: SessionRule, after: SessionRule) -> tuple[Edit, ...]:
    """Return the edits that make the session so from now on."""
    return (SetSession(rule=after, before=rule),)


def following(
    rule: SessionRule,
    after: SessionRule,
    *,
    first: date,
    today: date,
    name: str,
    exceptions: Iterable[SessionException] = (),
    names: Iterable[str] = (),
) -> tuple[Edit, ...]:
    """Return the edits that make the session so from the local date `first` on.

    name: id of the session that goes on from there. exceptions: those of the session; what they say of later dates
    holds there too, under the ids `names`.
    """
    if first <= today or (rule.valid_from is not None and first <= rule.valid_from):
        return always(rule, after)
    fresh = iter(names)
    later = [one for one in exceptions if one.following or one.day >= first]
    return (
        SetSession(rule=replace(rule, valid_until=first - _DAY), before=rule),
        SetSession(rule=replace(after, id=name, valid_from=first, valid_until=rule.valid_until)),
        *(
            AddException(exception=replace(one, id=fresh_name, session=name))
            for one, fresh_name in zip(later, fresh, strict=False)
        ),
    )


def once(
    rule: SessionRule,
    decision: SessionException,
    *,
    exceptions: Iterable[SessionException] = (),
    instead: SessionRule | None = None,
) -> tuple[Edit, ...]:
    """Return the edits that cancel or move one date; what was decided about exactly that date before goes.

    instead: a session of that date alone, where more than its time is to be another.
    """
    said = (decision.session, decision.day, decision.number, decision.following)
    return (
        *(TakeBack(exception=one) for one in exceptions if (one.session, one.day, one.number, one.following) == said),
        AddException(exception=decision),
        *(() if instead is None else (SetSession(rule=instead),)),
    )


def copied(
    rule: SessionRule,
    *,
    name: str,
    station: str,
    day: date,
    start: time,
    length_s: int,
    reach: Reach,
    template: str | None,
    now: datetime,
) -> SessionRule:
    """Return a session like this one on another day, at another time or station. Its items get ids when it is kept."""
    return replace(
        planted(rule, name=name, station=station, template=template, now=now),
        weekdays=(day.isoweekday(),),
        starts=(start,),
        length_s=length_s,
        every_weeks=1,
        anchor=None,
        month_days=(),
        nth_weekdays=(),
        only=(),
        valid_from=None if reach is Reach.EVERY else day,
        valid_until=day if reach is Reach.ONCE else None,
    )


def planted(rule: SessionRule, *, name: str, station: str, template: str | None, now: datetime) -> SessionRule:
    """Return the whole session, with its recurrence, for another station or week."""
    at_home = station == rule.station
    return replace(
        rule,
        id=name,
        station=station,
        template=template,
        since=now,
        until=None,
        owner=rule.owner if at_home else None,
        targets=rule.targets if at_home else (),
    )


def cancelled(rule: SessionRule, *, name: str, day: date, number: int | None, now: datetime) -> SessionException:
    """Return the decision that cancels one date."""
    return SessionException(
        id=name, station=rule.station, session=rule.id, day=day, change=Change.CANCEL, number=number, since=now
    )


def moved(
    rule: SessionRule, *, name: str, day: date, number: int | None, to_day: date, to_start: time, now: datetime
) -> SessionException:
    """Return the decision that moves one date."""
    return SessionException(
        id=name,
        station=rule.station,
        session=rule.id,
        day=day,
        change=Change.MOVE,
        number=number,
        to_day=to_day,
        to_start=to_start,
        since=now,
    )


def carried(
    steps: Sequence[Step], rules: Sequence[SessionRule], exceptions: Sequence[SessionException], weeks: Sequence[str]
) -> Carried:
    """Bring edits to a grid that was changed meanwhile: `rules`, `exceptions` and ids of week templates in force now.

    Field by field: what the pencil did not touch is as it is now. A session that goes on under a new version is
    followed there; where nothing of it is left its edits fall away.
    """
    known = {rule.id: rule for rule in rules}
    open_ones = {one.id for one in exceptions}
    made = {e.rule.id for s in steps for e in s.edits if isinstance(e, SetSession) and e.before is None}
    drawn = {e.template.id for s in steps for e in s.edits if isinstance(e, AddWeek)}
    now_called: dict[str, str] = {}
    at: dict[str, SessionRule] = {}
    both: dict[tuple[str, str], None] = {}
    lost: dict[str, None] = {}

    def present(rule: SessionRule) -> SessionRule | None:
        """Return what the session that an edit saw as `rule` is now, under the edits before."""
        name = now_called.get(rule.id, rule.id)
        if name in at:
            return at[name]
        found = known.get(name) or next((k for k in rules if stem(k.id) == stem(name)), None)
        if found is not None:
            now_called[rule.id] = found.id
            at[found.id] = found
        return found

    def brought(edit: Edit) -> Edit | None:
        match edit:
            case SetSession(rule=rule, before=None):
                if rule.template is not None and rule.template not in weeks and rule.template not in drawn:
                    lost[rule.name] = None
                    return None
                at[rule.id] = rule
                return edit
            case SetSession(rule=rule, before=before) if before is not None:
                here = present(before)
                if here is None:
                    lost[rule.name] = None
                    return None
                after, clashes = merged(before, rule, here)
                both.update({(rule.name, field): None for field in clashes})
                at[here.id] = after
                return SetSession(rule=after, before=here)
            case EndSession(before=before):
                here = present(before)
                if here is None:
                    return None
                del at[here.id]
                known.pop(here.id, None)
                return EndSession(before=here)
            case AddException(exception=exception):
                name = now_called.get(exception.session, exception.session)
                of = at.get(name) or known.get(name) or next((k for k in rules if stem(k.id) == stem(name)), None)
                if of is None and exception.session not in made:
                    lost[exception.day.isoformat()] = None
                    return None
                return AddException(exception=exception if of is None else replace(exception, session=of.id))
            case TakeBack(exception=exception):
                mine = any(
                    isinstance(e, AddException) and e.exception.id == exception.id for s in steps for e in s.edits
                )
                return edit if mine or exception.id in open_ones else None
            case _:
                return edit

    found = [replace(step, edits=tuple(e for one in step.edits if (e := brought(one)) is not None)) for step in steps]
    return Carried(steps=tuple(step for step in found if step.edits), both=tuple(both), lost=tuple(lost))


def merged(before: SessionRule, after: SessionRule, current: SessionRule) -> tuple[SessionRule, tuple[str, ...]]:
    """Return `current` with what changed from `before` to `after`, and the fields that `current` had changed too."""
    mine = {field: getattr(after, field) for field in _FIELDS if getattr(after, field) != getattr(before, field)}
    clashes = tuple(
        field
        for field, value in mine.items()
        if getattr(current, field) != getattr(before, field) and getattr(current, field) != value
    )
    return replace(current, **mine), clashes


def stem(name: str) -> str:
    """Return what all versions of a session share of their id."""
    return re.sub(r"-\d+$", "", name)


def _by_form(rule: SessionRule) -> Finding:
    return Finding(
        code="move_by_form",
        severity=Severity.ERROR,
        message=Text(
            f"Buổi “{rule.name}” lặp lại theo tháng hoặc theo ngày hoán đổi, nên không đổi thứ bằng cách kéo được. "
            "Lịch chưa đổi.",
            f"Session “{rule.name}” goes by the month or by a swapped day, so its weekday cannot be moved this way. "
            "Nothing was changed.",
        ),
        hint=Text("Hãy mở buổi để sửa ngày lặp lại, hoặc chọn “Chỉ ngày này”.", "Open it, or choose “This date only”."),
    )


def _there_already(rule: SessionRule) -> Finding:
    return Finding(
        code="move_onto_itself",
        severity=Severity.ERROR,
        message=Text(
            f"Buổi “{rule.name}” đã phát cả ngày đó rồi. Lịch chưa đổi.",
            f"Session “{rule.name}” is on that day already. Nothing was changed.",
        ),
        hint=Text(
            "Chọn “Chỉ ngày này” để dời riêng một ngày, hoặc chỉ đổi giờ.",
            "Choose “This date only” to move a single date, or change the time only.",
        ),
    )
