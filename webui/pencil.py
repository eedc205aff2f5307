"""What people do with a pencil: edits of a station's grid that are not on air until they are published.

A draft is put in force inside a transaction that is taken back, so that what is shown is what publishing would do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from schedules import pencil
from schedules.airing import Facts
from schedules.calendar import instant
from schedules.clock import Interval
from schedules.errors import Conflict, Refused, Unknown
from schedules.findings import Finding, Severity, errors
from schedules.grid import SessionException, SessionRule, WeekTemplate
from schedules.intent import Intent
from schedules.pencil import AddWeek, Edit, EndSession, Reach, SetSession, Step, TakeBack
from schedules.planner import plan
from schedules.recurrence import days_of
from schedules.station import Station, StationCode
from schedules.text import Text
from store import audit, drafts, exceptions, revision, sessions, stations, templates
from store.accounts import Person
from store.drafts import Draft, Pencil
from store.identity import new_id
from store.intent import load_part
from webui import auth
from webui.effects import Effects, effects
from webui.planning import Consequences, Shift, facts_of, findings_of, same_said, shifts_between
from webui.rights import reach
from webui.services import services
from webui.work import no_such, require, station_of, trace

MOST_STEPS = 200
PUBLISHED = "grid.pencil_publish"
MOST_TOGETHER = 30
_AHEAD = timedelta(days=7)
_WHO_CHANGED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A station's grid as one person sees it: with their pencil marks, where they have any.

    intent: what would be decided then. change: what the draft comes to. called: names of sessions in the intent, by
    which the draft calls them. rules: the sessions by the draft's names. moved: somebody else changed the grid since
    the draft was begun.
    """

    station: Station
    intent: Intent
    draft: Draft | None = None
    called: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, SessionRule] = field(default_factory=dict)
    exceptions: tuple[SessionException, ...] = ()
    moved: bool = False
    others: tuple[Pencil, ...] = ()
    change: pencil.Folded = field(default_factory=pencil.Folded)

    def name(self, name: str) -> str:
        """Return by which name the draft calls the session of an occurrence; `NAME.2` keeps its number."""
        rule, dot, number = name.partition(".")
        return f"{self.called.get(rule, rule)}{dot}{number}"

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was done with the pencil, oldest first."""
        return self.draft.steps if self.draft else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What publishing a draft would do. moved_by: who changed the grid meanwhile, and what, in order."""

    station: Station
    consequences: Consequences
    effects: Effects
    moved_by: tuple[audit.Entry, ...] = ()


def look(code: StationCode, *, person: Person, with_draft: bool = True) -> Look:
    """Return the grid of a station that the person reaches, under their own pencil. Raises Unknown."""
    here = services()
    now = here.clock.now()
    with here.database.reading() as session:
        station = station_of(session, code, person)
        draft = drafts.find(session, person.id, code) if with_draft else None
        others = tuple(one for one in drafts.of_stations(session, (code,)) if one.person != person.id)
        if draft is None or not draft.steps:
            rules = {rule.id: rule for rule in sessions.in_force(session, code)}
            known = exceptions.in_force(session, code)
            return Look(
                station=station,
                intent=load_part(session, (code,), now, demo=here.demo),
                rules=rules,
                exceptions=known,
                others=others,
                draft=draft,
            )
        change = pencil.folded(draft.edits)
        rules = pencil.edited(sessions.in_force(session, code), change)
        known = exceptions.in_force(session, code)
        moved = drafts.fingerprint(session, code) != draft.base
    intent, called = _as_if(code, change, now)
    gone = {one.id for one in change.taken_back}
    return Look(
        station=station,
        intent=intent,
        draft=draft,
        called=called,
        rules=rules,
        exceptions=(*(one for one in known if one.id not in gone), *change.added),
        moved=moved,
        others=others,
        change=change,
    )


def mine(*, person: Person) -> tuple[Draft, ...]:
    """Return the person's drafts at stations that they still reach."""
    with services().database.reading() as session:
        found = drafts.of_person(session, person.id)
        return tuple(draft for draft in found if _reaches(session, draft.station, person))


def of_others(*, person: Person) -> tuple[Pencil, ...]:
    """Return whose drafts there are at stations that the person reaches, without their own."""
    with services().database.reading() as session:
        codes = [station.code for station in stations.every(session) if station.unit in reach(person)]
        return tuple(one for one in drafts.of_stations(session, codes) if one.person != person.id)


def note(code: StationCode, words: Text, edits: Iterable[Edit], *, person: Person) -> Draft:
    """Add a step to the person's draft of a station. Raises Refused, NotAllowed, Unknown, Conflict."""
    here = services()
    with here.database.writing() as session:
        return _note(session, code, words, tuple(edits), person, here.clock.now())


def _note(
    session: Session, code: StationCode, words: Text, edits: tuple[Edit, ...], person: Person, now: datetime
) -> Draft:
    station = station_of(session, code, person)
    require(person, "grid.edit", station)
    known = drafts.find(session, person.id, code)
    if known is None or not known.steps:
        known = _fresh(session, code, person, now, known)
    if len(known.steps) >= MOST_STEPS:
        raise Refused(_too_many())
    step = Step(words=words, edits=tuple(_with_ids(edit) for edit in edits), at=now)
    saved = drafts.save(session, replace(known, steps=(*known.steps, step), dropped=(), changed_at=now))
    if saved is None:
        raise Conflict(_other_window())
    trace(session, "grid.pencil", code, person, detail=words.vi)
    return saved


def undo(code: StationCode, *, person: Person) -> Step:
    """Take back the last step and return it. Raises Unknown where there is none."""
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        require(person, "grid.edit", station_of(session, code, person))
        known = drafts.find(session, person.id, code)
        if known is None or not known.steps:
            raise Unknown(_no_draft())
        last = known.steps[-1]
        drafts.save(session, replace(known, steps=known.steps[:-1], dropped=(), changed_at=now))
        trace(session, "grid.pencil_undo", code, person, detail=last.words.vi)
    return last


def discard(code: StationCode, *, person: Person) -> int:
    """Throw the draft of a station away, to be had back by `restore`; return how many steps. Raises Unknown."""
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        require(person, "grid.edit", station_of(session, code, person))
        known = drafts.find(session, person.id, code)
        if known is None or not known.steps:
            raise Unknown(_no_draft())
        drafts.save(session, replace(known, steps=(), dropped=known.steps, changed_at=now))
        trace(session, "grid.pencil_discard", code, person, detail=str(len(known.steps)))
    return len(known.steps)


def restore(code: StationCode, *, person: Person) -> int:
    """Have back what was thrown away last; return how many steps. Raises Unknown where nothing is kept."""
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        require(person, "grid.edit", station_of(session, code, person))
        known = drafts.find(session, person.id, code)
        if known is None or known.steps or not known.dropped:
            raise Unknown(_no_draft())
        drafts.save(session, replace(known, steps=known.dropped, dropped=(), changed_at=now))
        trace(session, "grid.pencil_restore", code, person, detail=str(len(known.dropped)))
    return len(known.dropped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gesture:
    """Something done to one occurrence. name: of its session, `NAME.2` for its second start; day: as the rule has it.

    from_day: where it is drawn, which an exception may have moved. length_s: None leaves it.
    """

    what: str
    name: str
    day: date
    from_day: date
    reach: Reach = Reach.EVERY
    to_day: date | None = None
    to_start: time | None = None
    length_s: int | None = None


def gesture(code: StationCode, wanted: Gesture, *, person: Person) -> Step:
    """Move, resize, copy, cancel or end a session in the person's draft. Raises Refused, NotAllowed, Unknown."""
    seen = look(code, person=person)
    now = services().clock.now()
    rule_id, _dot, tail = wanted.name.partition(".")
    rule = seen.rules.get(rule_id)
    number = int(tail) if tail.isdecimal() else 1
    if rule is None or not 1 <= number <= len(rule.starts):
        raise Unknown(no_such("session_unknown", "Không có buổi này.", "There is no such session."))
    acts: Mapping[str, Callable[[Look, SessionRule, int, Gesture, datetime], tuple[Text, tuple[Edit, ...]]]] = {
        "move": _move,
        "copy": _copy,
        "cancel": _cancel,
        "end": _end,
    }
    act = acts.get(wanted.what)
    if act is None:
        raise Refused(no_such("gesture_unknown", "Chưa rõ cần làm gì.", "It is not clear what to do."))
    words, edits = act(seen, rule, number, wanted, now)
    draft = note(code, words, edits, person=person)
    return draft.steps[-1]


def put(code: StationCode, rule: SessionRule, *, from_day: date | None, person: Person) -> Step:
    """Pencil a session as its form has it, now or from a date on. Raises Refused, NotAllowed, Unknown."""
    seen = look(code, person=person)
    now = services().clock.now()
    before = seen.rules.get(rule.id)
    zone = ZoneInfo(seen.station.zone)
    today = now.astimezone(zone).date()
    if before is None:
        wanted = rule if from_day is None else replace(rule, valid_from=max(from_day, rule.valid_from or from_day))
        edits: tuple[Edit, ...] = (SetSession(rule=wanted),)
        words = Text(f"Thêm “{rule.name}”", f"Add “{rule.name}”")
    elif from_day is not None:
        edits = _following(seen, before, rule, from_day, today)
        words = Text(f"Sửa “{rule.name}” từ {from_day:%d/%m/%Y}", f"Change “{rule.name}” from {from_day:%d/%m/%Y}")
    else:
        edits = pencil.always(before, rule)
        words = Text(f"Sửa “{rule.name}”", f"Change “{rule.name}”")
    return note(code, words, edits, person=person).steps[-1]


def take_back(code: StationCode, exception: str, *, person: Person) -> Step:
    """Pencil that a decision about a date is to hold no longer. Raises Unknown."""
    seen = look(code, person=person)
    known = next((one for one in seen.exceptions if one.id == exception), None)
    if known is None:
        raise Unknown(no_such("exception_unknown", "Không có quyết định này.", "There is no such decision."))
    words = Text(
        f"Bỏ quyết định riêng của ngày {known.day:%d/%m/%Y}", f"Take back the decision of {known.day:%d/%m/%Y}"
    )
    return note(code, words, (TakeBack(exception=known),), person=person).steps[-1]


def copy_session(
    code: StationCode, name: str, targets: Collection[StationCode], *, person: Person
) -> tuple[StationCode, ...]:
    """Pencil a session, with its recurrence, at other stations; return which. Raises Refused, Unknown, NotAllowed."""
    seen = look(code, person=person)
    rule = seen.rules.get(name.partition(".")[0])
    if rule is None:
        raise Unknown(no_such("session_unknown", "Không có buổi này.", "There is no such session."))
    words = Text(f"Chép “{rule.name}” từ {seen.station.name}", f"Copy “{rule.name}” from {seen.station.name}")

    def edits(_session: Session, station: StationCode, now: datetime) -> tuple[Edit, ...]:
        return (SetSession(rule=pencil.planted(rule, name=new_id(), station=station, template=None, now=now)),)

    return _everywhere(targets, words, edits, person)


def copy_week(
    code: StationCode,
    monday: date,
    targets: Collection[StationCode],
    mondays: Collection[date],
    *,
    person: Person,
) -> tuple[StationCode, ...]:
    """Pencil the week that begins on `monday` at other stations or in other weeks; return where.

    mondays: the weeks that become like it, each a week template of its own; without any, the week becomes the standing
    week of the other stations. Raises Refused, Unknown, NotAllowed.
    """
    seen = look(code, person=person)
    year, week, _day = monday.isocalendar()
    rules = _of_week(seen, monday)
    if not rules:
        raise Refused(no_such("week_empty", "Tuần này không có buổi nào để chép.", "This week has nothing to copy."))
    name = f"Như {seen.station.name} tuần {week}/{year}"
    words = Text(
        f"Chép tuần {week} của {seen.station.name}" + (f" sang {len(mondays)} tuần" if mondays else ""),
        f"Copy week {week} of {seen.station.name}" + (f" to {len(mondays)} weeks" if mondays else ""),
    )

    def edits(session: Session, station: StationCode, now: datetime) -> tuple[Edit, ...]:
        if not mondays:
            # Under the pencil of this person: a session pencilled before is replaced too.
            draft = drafts.find(session, person.id, station)
            known = pencil.edited(sessions.in_force(session, station), pencil.folded(draft.edits if draft else ()))
            ended = [EndSession(before=rule) for rule in known.values() if rule.template is None]
            made = [
                SetSession(rule=pencil.planted(rule, name=new_id(), station=station, template=None, now=now))
                for rule in rules
            ]
            return (*ended, *made)
        found: list[Edit] = []
        for first in sorted(mondays):
            template = WeekTemplate(
                id=new_id(),
                station=station,
                name=name,
                priority=_priority(session, station, first),
                valid_from=first,
                valid_until=first + timedelta(days=6),
                since=now,
            )
            found.append(AddWeek(template=template))
            found += [
                SetSession(
                    rule=replace(
                        pencil.planted(rule, name=new_id(), station=station, template=template.id, now=now),
                        valid_from=None,
                        valid_until=None,
                    )
                )
                for rule in rules
            ]
        return tuple(found)

    return _everywhere(targets, words, edits, person)


def outlook(codes: Collection[StationCode], *, person: Person) -> tuple[Outlook, ...]:
    """Return what publishing the person's drafts of these stations would do. Raises Unknown."""
    here = services()
    now = here.clock.now()
    found = []
    for code in codes:
        with here.database.reading() as session:
            station = station_of(session, code, person)
            draft = drafts.find(session, person.id, code)
            if draft is None or not draft.steps:
                raise Unknown(_no_draft())
            before = load_part(session, (code,), now, demo=here.demo)
            facts = facts_of(session, code, now)
            moved_by = _moved_by(session, draft)
        after, _called = _as_if(code, pencil.folded(draft.edits), now)
        weighed = _weighed(station, before, after, facts, now)
        found.append(replace(weighed, moved_by=moved_by))
    return tuple(found)


def key(outlooks: Iterable[Outlook]) -> str:
    """Return a name for exactly these warnings: a yes to some is no yes to others."""
    said = "\n".join(f"{one.station.code} {one.consequences.key}" for one in outlooks)
    return sha256(said.encode()).hexdigest()[:16]


def publish(codes: Collection[StationCode], *, person: Person, accepted: str = "") -> tuple[Outlook, ...]:
    """Put the person's drafts of these stations in force, all or none.

    accepted: the key of what was agreed to. Raises Conflict where the grid was changed since a draft was begun, or
    with warnings that nobody agreed to; Refused with every error; Unknown where there is no draft (any more).
    """
    auth.take_proof()
    here = services()
    now = here.clock.now()
    wanted = tuple(dict.fromkeys(codes))
    if not wanted or len(wanted) > MOST_TOGETHER:
        raise Refused(_together())
    done = []
    with here.database.writing() as session:
        for code in wanted:
            station = station_of(session, code, person)
            require(person, "grid.edit", station)
            draft = drafts.find(session, person.id, code)
            if draft is None or not draft.steps:
                raise Unknown(_no_draft())
            if drafts.fingerprint(session, code) != draft.base:
                raise Conflict(_moved(station))
            before = load_part(session, (code,), now, demo=here.demo)
            facts = facts_of(session, code, now)
            change = pencil.folded(draft.edits)
            drafts.apply(session, code, change, now)
            revision.bump(session)
            after = load_part(session, (code,), now, demo=here.demo)
            done.append(_weighed(station, before, after, facts, now))
            if not drafts.close(session, draft):
                raise Conflict(_other_window())
            trace(session, PUBLISHED, code, person, detail="; ".join(s.words.vi for s in draft.steps))
        wrong = tuple(finding for one in done for finding in one.consequences.errors)
        if wrong:
            raise Refused(*wrong)
        warned = tuple(finding for one in done for finding in one.consequences.warnings)
        if warned and accepted != key(done):
            raise Conflict(*warned)
        if warned:
            auth.demand_proof()
    here.wake()
    return tuple(done)


def carry_over(code: StationCode, *, person: Person) -> pencil.Carried:
    """Bring the person's edits to the grid as it is now, which becomes what the draft rests on. Raises Unknown."""
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        require(person, "grid.edit", station_of(session, code, person))
        draft = drafts.find(session, person.id, code)
        if draft is None or not draft.steps:
            raise Unknown(_no_draft())
        carried = pencil.carried(
            draft.steps,
            sessions.in_force(session, code),
            exceptions.in_force(session, code),
            [template.id for template in templates.in_force(session, code)],
        )
        based = _fresh(session, code, person, now, draft)
        drafts.save(session, replace(based, steps=carried.steps, dropped=draft.steps, changed_at=now))
        trace(session, "grid.pencil_carry", code, person, detail=str(len(carried.steps)))
    return carried


class _AsIf(Exception):
    """Ends a transaction whose effects nobody wants."""


def _as_if(code: StationCode, change: pencil.Folded, now: datetime) -> tuple[Intent, dict[str, str]]:
    """Return the intent as it would be, and what its sessions are called in the draft."""
    here = services()
    found: list[tuple[Intent, dict[str, str]]] = []
    with suppress(_AsIf), here.database.writing() as session:
        called = drafts.apply(session, code, change, now)
        found.append((load_part(session, (code,), now, demo=here.demo), called))
        raise _AsIf
    return found[0]


def _weighed(station: Station, before: Intent, after: Intent, facts: Facts, now: datetime) -> Outlook:
    horizon = Interval(now, now + _AHEAD)
    was = plan(before, facts, now, horizon)
    known = {same_said(finding) for finding in findings_of(before, station.code, facts, now, was)}
    will = plan(after, facts, now, horizon)
    fresh = [
        finding
        for finding in findings_of(after, station.code, facts, now, will)
        if same_said(finding) not in known and finding.severity is not Severity.NOTE
    ]
    refusing = errors(tuple(fresh))
    shifts: list[Shift] = shifts_between(before, after, station.code, now)
    return Outlook(
        station=station,
        consequences=Consequences(
            errors=refusing,
            warnings=tuple(finding for finding in fresh if finding not in refusing),
            shifts=tuple(sorted(shifts, key=lambda shift: (shift.start, shift.name))),
        ),
        effects=effects(was, will, zone=station.zone, now=now),
    )


def _moved_by(session: Session, draft: Draft) -> tuple[audit.Entry, ...]:
    if drafts.fingerprint(session, draft.station) == draft.base:
        return ()
    said = audit.about(session, subject=draft.station, what="grid.", since=draft.base_at, limit=MOST_STEPS)
    return tuple(one for one in said if not one.what.startswith("grid.pencil") or one.what == PUBLISHED)[-_WHO_CHANGED:]


def _fresh(session: Session, code: StationCode, person: Person, now: datetime, known: Draft | None) -> Draft:
    """Return an empty draft that rests on the grid as it is now, in the place of the one before."""
    return Draft(
        person=person.id,
        station=code,
        base=drafts.fingerprint(session, code),
        base_revision=revision.current(session),
        base_at=now,
        changed_at=now,
        version=known.version if known else 0,
    )


def _with_ids(edit: Edit) -> Edit:
    """Return the edit with ids wherever a place of a new session has none, so that it keeps them."""
    if not isinstance(edit, SetSession):
        return edit
    items = tuple(item if item.id else replace(item, id=new_id()) for item in edit.rule.items)
    return replace(edit, rule=replace(edit.rule, items=items))


def _move(seen: Look, rule: SessionRule, number: int, wanted: Gesture, now: datetime) -> tuple[Text, tuple[Edit, ...]]:
    zone = ZoneInfo(seen.station.zone)
    to_day = wanted.to_day or wanted.from_day
    to_start = wanted.to_start or rule.starts[number - 1]
    length_s = wanted.length_s or rule.length_s
    today = now.astimezone(zone).date()
    lasting = length_s != rule.length_s
    minutes = f", {length_s / 60:g} phút" if lasting else ""
    minutes_en = f", {length_s / 60:g} min" if lasting else ""
    single = rule.valid_from is not None and rule.valid_from == rule.valid_until
    if wanted.reach is Reach.ONCE and not single:
        _not_over(zone, wanted.day, rule.starts[number - 1], now)
        _not_over(zone, to_day, to_start, now)
        which = number if len(rule.starts) > 1 else None
        words = Text(
            f"“{rule.name}” ngày {wanted.day:%d/%m}: sang {to_day:%d/%m} lúc {to_start:%H:%M}{minutes}",
            f"“{rule.name}” of {wanted.day:%d/%m}: to {to_day:%d/%m} at {to_start:%H:%M}{minutes_en}",
        )
        if lasting:
            alone = pencil.copied(
                rule,
                name=new_id(),
                station=rule.station,
                day=to_day,
                start=to_start,
                length_s=length_s,
                reach=Reach.ONCE,
                template=rule.template,
                now=now,
            )
            off = pencil.cancelled(rule, name=new_id(), day=wanted.day, number=which, now=now)
            return words, pencil.once(rule, off, exceptions=seen.exceptions, instead=alone)
        there = pencil.moved(
            rule, name=new_id(), day=wanted.day, number=which, to_day=to_day, to_start=to_start, now=now
        )
        return words, pencil.once(rule, there, exceptions=seen.exceptions)
    by_days = (to_day - wanted.from_day).days
    if single:
        after = replace(
            rule,
            weekdays=(to_day.isoweekday(),),
            starts=(to_start,),
            length_s=length_s,
            valid_from=to_day,
            valid_until=to_day,
        )
        _not_over(zone, to_day, to_start, now)
    else:
        after = pencil.placed(
            rule, number=number, day=wanted.day, by_days=by_days, to_start=to_start, length_s=length_s
        )
    if wanted.reach is Reach.FOLLOWING and not single:
        words = Text(
            f"“{rule.name}”: {to_start:%H:%M}{minutes}{_weekday(by_days, to_day)[0]} từ {wanted.day:%d/%m} về sau",
            f"“{rule.name}”: {to_start:%H:%M}{minutes_en}{_weekday(by_days, to_day)[1]} from {wanted.day:%d/%m} on",
        )
        return words, _following(seen, rule, after, min(wanted.day, to_day), today)
    words = Text(
        f"“{rule.name}”: {to_start:%H:%M}{minutes}{_weekday(by_days, to_day)[0]}",
        f"“{rule.name}”: {to_start:%H:%M}{minutes_en}{_weekday(by_days, to_day)[1]}",
    )
    return words, pencil.always(rule, after)


_WEEKDAYS_VI = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật")
_WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _weekday(by_days: int, day: date) -> tuple[str, str]:
    if not by_days:
        return "", ""
    return f", sang {_WEEKDAYS_VI[day.weekday()]}", f", to {_WEEKDAYS_EN[day.weekday()]}"


def _copy(seen: Look, rule: SessionRule, number: int, wanted: Gesture, now: datetime) -> tuple[Text, tuple[Edit, ...]]:
    zone = ZoneInfo(seen.station.zone)
    to_day = wanted.to_day or wanted.from_day
    to_start = wanted.to_start or rule.starts[number - 1]
    if wanted.reach is Reach.ONCE:
        _not_over(zone, to_day, to_start, now)
    made = pencil.copied(
        rule,
        name=new_id(),
        station=rule.station,
        day=to_day,
        start=to_start,
        length_s=wanted.length_s or rule.length_s,
        reach=wanted.reach,
        template=days_of(seen.intent, seen.station.code).template(to_day, instant(zone, to_day, to_start)),
        now=now,
    )
    words = Text(
        f"Chép “{rule.name}” sang {_WEEKDAYS_VI[to_day.weekday()]} {to_day:%d/%m} lúc {to_start:%H:%M}",
        f"Copy “{rule.name}” to {_WEEKDAYS_EN[to_day.weekday()]} {to_day:%d/%m} at {to_start:%H:%M}",
    )
    return words, (SetSession(rule=made),)


def _cancel(
    seen: Look, rule: SessionRule, number: int, wanted: Gesture, now: datetime
) -> tuple[Text, tuple[Edit, ...]]:
    zone = ZoneInfo(seen.station.zone)
    today = now.astimezone(zone).date()
    if wanted.reach is Reach.ONCE:
        _not_over(zone, wanted.day, rule.starts[number - 1], now)
        if rule.valid_from is not None and rule.valid_from == rule.valid_until:
            return _end(seen, rule, number, wanted, now)
        which = number if len(rule.starts) > 1 else None
        off = pencil.cancelled(rule, name=new_id(), day=wanted.day, number=which, now=now)
        words = Text(f"Hủy “{rule.name}” ngày {wanted.day:%d/%m}", f"Cancel “{rule.name}” of {wanted.day:%d/%m}")
        return words, pencil.once(rule, off, exceptions=seen.exceptions)
    begun = rule.valid_from is None or rule.valid_from < wanted.day
    if wanted.reach is Reach.FOLLOWING and begun and wanted.day > today:
        words = Text(f"Bỏ “{rule.name}” từ {wanted.day:%d/%m/%Y}", f"End “{rule.name}” from {wanted.day:%d/%m/%Y}")
        until = wanted.day - timedelta(days=1)
        return words, pencil.always(rule, replace(rule, valid_until=until))
    return _end(seen, rule, number, wanted, now)


def _end(
    _seen: Look, rule: SessionRule, _number: int, _wanted: Gesture, _now: datetime
) -> tuple[Text, tuple[Edit, ...]]:
    return Text(f"Bỏ “{rule.name}”", f"Remove “{rule.name}”"), (EndSession(before=rule),)


def _following(seen: Look, rule: SessionRule, after: SessionRule, first: date, today: date) -> tuple[Edit, ...]:
    known = [one for one in seen.exceptions if one.session == rule.id]
    return pencil.following(
        rule,
        after,
        first=first,
        today=today,
        name=new_id(),
        exceptions=known,
        names=[new_id() for _one in known],
    )


def _not_over(zone: ZoneInfo, day: date, start: time, now: datetime) -> None:
    if instant(zone, day, start) <= now:
        raise Refused(
            Finding(
                code="move_into_past",
                severity=Severity.ERROR,
                where="to_day",
                message=Text(
                    "Giờ này đã qua, nên không đổi riêng được. Bản nháp chưa đổi.",
                    "This time is over, so it cannot be changed alone. The draft was not changed.",
                ),
                hint=Text("Hãy chọn ngày sau.", "Choose a later date."),
            )
        )


def _of_week(seen: Look, monday: date) -> tuple[SessionRule, ...]:
    """Return the sessions of the week that holds on most days of a week: a template's, or the standing ones."""
    days = days_of(seen.intent, seen.station.code)
    zone = ZoneInfo(seen.station.zone)
    held = [days.template(day, instant(zone, day, time(12))) for day in (monday + timedelta(days=n) for n in range(7))]
    most = max(dict.fromkeys(held), key=held.count)
    called = most if most is None else next((k for k, v in seen.called.items() if v == most), most)
    wanted = {most, called}
    return tuple(rule for rule in seen.rules.values() if rule.template in wanted and rule.until is None)


def _priority(session: Session, station: StationCode, monday: date) -> int:
    """Return a priority above whatever holds in that week already."""
    sunday = monday + timedelta(days=6)
    over = [
        template.priority
        for template in templates.in_force(session, station)
        if (template.valid_from or date.min) <= sunday and monday <= (template.valid_until or date.max)
    ]
    return min(99, max(over, default=0) + 1)


def _everywhere(
    targets: Collection[StationCode],
    words: Text,
    edits: Callable[[Session, StationCode, datetime], tuple[Edit, ...]],
    person: Person,
) -> tuple[StationCode, ...]:
    here = services()
    now = here.clock.now()
    wanted = tuple(dict.fromkeys(targets))
    if not wanted or len(wanted) > MOST_TOGETHER:
        raise Refused(_together())
    with here.database.writing() as session:
        for code in wanted:
            _note(session, code, words, edits(session, code, now), person, now)
    return wanted


def _reaches(session: Session, code: StationCode, person: Person) -> bool:
    try:
        station_of(session, code, person)
    except Unknown:
        return False
    return True


def not_understood() -> Finding:
    """Return the sentence for a gesture that makes no sense."""
    return Finding(
        code="gesture_wrong",
        severity=Severity.ERROR,
        message=Text(
            "Ngày, giờ hoặc số phút chưa đúng. Bản nháp chưa đổi.",
            "Day, time or minutes are not right. The draft was not changed.",
        ),
        hint=Text("Giờ viết như 17:30, độ dài từ 1 phút tới 12 giờ.", "Write 17:30, and 1 minute to 12 hours."),
    )


def _no_draft() -> Finding:
    return no_such(
        "draft_unknown",
        "Không có thay đổi nào đang chờ công bố: đã công bố hoặc đã bỏ ở cửa sổ khác.",
        "There are no unpublished changes: they were published or thrown away in another window.",
    )


def _other_window() -> Finding:
    return no_such(
        "draft_changed",
        "Bản nháp vừa được sửa ở cửa sổ khác. Chưa có gì thay đổi; hãy tải lại trang.",
        "The draft was just changed in another window. Nothing was changed; reload the page.",
    )


def _too_many() -> Finding:
    return no_such(
        "draft_full",
        f"Bản nháp đã có {MOST_STEPS} thay đổi. Hãy công bố trước rồi sửa tiếp.",
        f"The draft holds {MOST_STEPS} changes. Publish them before going on.",
    )


def _together() -> Finding:
    return Finding(
        code="stations_wrong",
        severity=Severity.ERROR,
        where="stations",
        message=Text(
            f"Hãy chọn từ 1 tới {MOST_TOGETHER} đài mỗi lần. Chưa có gì thay đổi.",
            f"Choose 1 to {MOST_TOGETHER} stations at a time. Nothing was changed.",
        ),
    )


def _moved(station: Station) -> Finding:
    return Finding(
        code="grid_moved",
        severity=Severity.ERROR,
        message=Text(
            f"Lịch của {station.name} đã được người khác sửa sau khi anh/chị bắt đầu bản nháp. Chưa công bố gì; bản "
            "nháp vẫn giữ.",
            f"The schedule of {station.name} was changed by somebody else after this draft was begun. Nothing was "
            "published; the draft is kept.",
        ),
        hint=Text(
            "Hãy xem ai đã sửa gì, rồi mang các thay đổi sang bản mới.", "See who changed what, then carry over."
        ),
    )
