"""What people decide about the plan: checked as it would be before it is put in force, traced, told to the stations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from sqlalchemy.orm import Session

from schedules.airing import Facts
from schedules.calendar import occurrences
from schedules.checking import check_grid
from schedules.clock import Interval
from schedules.duty import Duty, DutyState, Excuse
from schedules.errors import Conflict, NotAllowed, Refused, Unknown
from schedules.findings import Finding, Severity, errors
from schedules.grid import CalendarDay, DayKind, SessionException, SessionRule, WeekTemplate
from schedules.intent import Intent
from schedules.planner import plan
from schedules.programme import Programme
from schedules.rundown import Rundown
from schedules.sources import RelaySource, SourceCode
from schedules.station import Station, StationCode
from schedules.text import Text
from store import (
    airings,
    calendar_days,
    duties,
    exceptions,
    excuses,
    programmes,
    revision,
    sessions,
    sources,
    stations,
    templates,
)
from store.accounts import Person
from store.intent import load_intent
from webui import auth
from webui.rights import reach
from webui.services import services
from webui.work import no_such, require, station_of, trace

AHEAD = timedelta(days=14)
_BACK = timedelta(days=32)
_MOST_ROWS = 20_000
_MOST_CHECKED = 100
_UNNAMED = re.compile(r"\[[^\]]*\]")
_BAD = frozenset({DutyState.AT_RISK, DutyState.MISSED})

Act = Callable[[Session, datetime], str]


class Difference(StrEnum):
    """What becomes of one occurrence of a session."""

    NEW = "new"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One occurrence that comes, goes or is another one than before. before, after: None where there is none."""

    difference: Difference
    station: StationCode
    name: str
    before: Interval | None
    after: Interval | None
    start: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What a decision would do. errors: refuse it. warnings: need a person's consent. shifts: of the next 14 days."""

    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    shifts: tuple[Shift, ...] = ()

    @property
    def key(self) -> str:
        """Names exactly these warnings: consent to some is no consent to others."""
        # Without the names in brackets: what is new gets another one each time it is tried.
        said = sorted(f"{one.code} {_UNNAMED.sub('[]', one.where)} {one.message.vi}" for one in self.warnings)
        return sha256("\n".join(said).encode()).hexdigest()[:16]


def publish_session(
    rule: SessionRule, *, person: Person, from_day: date | None = None, accepted: str = "", rehearse: bool = False
) -> Consequences:
    """Put a session in force, now or from a date on.

    accepted: the key of the consequences that the person agreed to. rehearse: only say what it would do.
    Raises Refused with every error, Conflict with warnings that nobody agreed to.
    """

    def act(session: Session, now: datetime) -> str:
        if from_day is None:
            published = sessions.publish(session, rule, now)
        else:
            published = sessions.publish_from(session, rule, from_day, now)
        return f"{rule.station}/{published.id}"

    return _at_station(act, rule.station, person, "grid.publish", accepted, rehearse)


def remove_session(station: StationCode, rule: str, *, person: Person) -> None:
    """End a session now. Raises Unknown where there is none in force."""

    def act(session: Session, now: datetime) -> str:
        if not sessions.remove(session, station, rule, now):
            raise Unknown(no_such("session_unknown", "Không có buổi này.", "There is no such session."))
        return f"{station}/{rule}"

    _freely(act, station, person, "grid.edit", "grid.remove")


def publish_template(
    template: WeekTemplate, *, person: Person, accepted: str = "", rehearse: bool = False
) -> Consequences:
    """Put a week template in force; without sessions of its own it is silence. As `publish_session`."""

    def act(session: Session, now: datetime) -> str:
        return f"{template.station}/{templates.publish(session, template, now).id}"

    return _at_station(act, template.station, person, "grid.template", accepted, rehearse)


def end_template(station: StationCode, template: str, *, person: Person) -> None:
    """End a week template and its sessions now; the standing week holds again. Raises Unknown."""

    def act(session: Session, now: datetime) -> str:
        if not templates.remove(session, station, template, now):
            raise Unknown(no_such("template_unknown", "Không có tuần mẫu này.", "There is no such week template."))
        return f"{station}/{template}"

    _freely(act, station, person, "grid.edit", "grid.template_end")


def replace_day(
    template: WeekTemplate,
    rules: Iterable[SessionRule],
    *,
    person: Person,
    accepted: str = "",
    rehearse: bool = False,
) -> Consequences:
    """Put a template and its sessions in force as one decision: another day, or none at all."""
    wanted = tuple(rules)

    def act(session: Session, now: datetime) -> str:
        made = templates.publish(session, template, now)
        for rule in wanted:
            sessions.publish(session, replace(rule, template=made.id), now)
        return f"{template.station}/{made.id}"

    return _at_station(act, template.station, person, "grid.template", accepted, rehearse)


def except_session(
    exception: SessionException, *, person: Person, accepted: str = "", rehearse: bool = False
) -> Consequences:
    """Cancel or move one date of a session, or it and all following. As `publish_session`."""

    def act(session: Session, now: datetime) -> str:
        made = exceptions.decide(session, exception, now)
        return f"{made.station}/{made.session}/{made.day.isoformat()} {made.change.value}"

    return _at_station(act, exception.station, person, "grid.except", accepted, rehearse)


def take_back_exception(station: StationCode, exception: str, *, person: Person) -> None:
    """Let a session be as its rule says again, from now on. Raises Unknown."""

    def act(session: Session, now: datetime) -> str:
        known = exceptions.find(session, exception)
        if known is None or known.station != station or not exceptions.take_back(session, exception, now):
            raise Unknown(no_such("exception_unknown", "Không có quyết định này.", "There is no such decision."))
        return f"{station}/{known.session}/{known.day.isoformat()}"

    _freely(act, station, person, "grid.edit", "grid.except_end")


def decree_day(day: CalendarDay, *, person: Person, accepted: str = "", rehearse: bool = False) -> Consequences:
    """Enter a decreed day for all stations: a day of mourning, a swap, a day off."""

    def act(session: Session, now: datetime) -> str:
        calendar_days.decree(session, day)
        return f"{day.day.isoformat()} {day.kind.value}"

    return _everywhere(act, person, "calendar.edit", "calendar.decree", accepted, rehearse)


def take_back_day(day: date, kind: DayKind, *, person: Person) -> None:
    """Forget a decreed day that has not come yet. Raises Unknown."""

    def act(session: Session, now: datetime) -> str:
        if not calendar_days.take_back(session, day, kind):
            raise Unknown(no_such("day_unknown", "Không có ngày này.", "There is no such day."))
        return f"{day.isoformat()} {kind.value}"

    consequences = _everywhere(act, person, "calendar.edit", "calendar.take_back", "", rehearse=True)
    _everywhere(act, person, "calendar.edit", "calendar.take_back", consequences.key, rehearse=False)


def save_station(station: Station, *, person: Person, accepted: str = "", rehearse: bool = False) -> Consequences:
    """Change a station's hours, quiet stretches, limits, groups and name. As `publish_session`."""

    def act(session: Session, now: datetime) -> str:
        stations.save(session, station)
        return station.code

    return _at_station(act, station.code, person, "station.edit", accepted, rehearse, permission="stations.edit")


def save_programme(programme: Programme, *, person: Person) -> None:
    """Add a programme or change its rules, for every station."""

    def act(session: Session, now: datetime) -> str:
        programmes.save(session, programme)
        return programme.code

    here = services()
    with here.database.writing() as session:
        _require_all(session, person, "programmes.edit")
        trace(session, "programme.edit", act(session, here.clock.now()), person)
        revision.bump(session)
    here.wake()


def save_source(source: RelaySource, *, person: Person) -> None:
    """Add a relay source or change it, for every station."""
    here = services()
    with here.database.writing() as session:
        _require_all(session, person, "sources.edit")
        sources.save(session, source)
        trace(session, "source.edit", source.code, person, detail=source.address)
        revision.bump(session)
    here.wake()


def remove_source(code: SourceCode, *, person: Person) -> None:
    """Forget a relay source. Raises Unknown, Conflict where a session still relays it."""
    here = services()
    with here.database.writing() as session:
        _require_all(session, person, "sources.edit")
        using = [
            rule.name
            for station in stations.every(session)
            for rule in sessions.in_force(session, station.code)
            if any(item.relay == code for item in rule.items)
        ]
        if using:
            names = ", ".join(f"“{name}”" for name in using[:5])
            raise Conflict(
                Finding(
                    code="source_used",
                    severity=Severity.ERROR,
                    message=Text(
                        f"Nguồn này còn được tiếp âm trong: {names}. Nguồn chưa bị bỏ.",
                        f"This source is still relayed in: {names}. It was not removed.",
                    ),
                    hint=Text("Hãy đổi nguồn trong các buổi đó trước.", "Change those sessions first."),
                )
            )
        if not sources.remove(session, code):
            raise Unknown(no_such("source_unknown", "Không có nguồn này.", "There is no such source."))
        trace(session, "source.remove", code, person)
        revision.bump(session)
    here.wake()


def save_duty(duty: Duty, *, person: Person, accepted: str = "", rehearse: bool = False) -> Consequences:
    """Put a duty, or a new version of it, in force. As `publish_session`."""

    def act(session: Session, now: datetime) -> str:
        known = duties.find(session, duty.code)
        if known is not None:
            require(person, "duties.edit", known.owner)
        return duties.save(session, duty, now).code

    def judged(session: Session) -> tuple[Station, ...]:
        require(person, "duties.edit", duty.owner)
        return tuple(station_of(session, code, person) for code in duty.stations)

    return _decide(act, judged, person, "duty.edit", accepted, rehearse)


def end_duty(code: str, *, person: Person) -> None:
    """End a duty now; the period that has begun is still owed. Raises Unknown."""
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        known = duties.find(session, code)
        if known is None or known.owner not in reach(person):
            raise Unknown(no_such("duty_unknown", "Không có nhiệm vụ này.", "There is no such duty."))
        require(person, "duties.edit", known.owner)
        duties.remove(session, code, now)
        revision.bump(session)
        trace(session, "duty.end", code, person)
    here.wake()


def grant_excuse(excuse: Excuse, *, person: Person) -> None:
    """Excuse a station from a duty, or from all, by a named document. Raises Refused without one."""
    here = services()
    with here.database.writing() as session:
        require(person, "duties.excuse", station_of(session, excuse.station, person))
        excuses.grant(session, excuse, here.clock.now(), person=person.id)
        revision.bump(session)
        subject = f"{excuse.station} {excuse.duty or '*'} {excuse.first.isoformat()}–{excuse.last.isoformat()}"
        trace(session, "duty.excuse", subject, person, detail=excuse.document)
    here.wake()


def revoke_excuse(excuse: str, *, person: Person) -> None:
    """Take an excuse back; what was sealed meanwhile stays. Raises Unknown."""
    here = services()
    with here.database.writing() as session:
        known = excuses.find(session, excuse)
        if known is None:
            raise Unknown(_no_excuse())
        require(person, "duties.excuse", station_of(session, known.excuse.station, person))
        if not excuses.revoke(session, excuse, here.clock.now(), person=person.id):
            raise Unknown(_no_excuse())
        revision.bump(session)
        trace(session, "duty.excuse_end", f"{known.excuse.station} {known.excuse.duty or '*'}", person)
    here.wake()


class _Rehearsed(Exception):
    """Ends a transaction whose effects nobody wants."""


def _at_station(
    act: Act,
    code: StationCode,
    person: Person,
    what: str,
    accepted: str,
    rehearse: bool,
    *,
    permission: str = "grid.edit",
) -> Consequences:
    def judged(session: Session) -> tuple[Station, ...]:
        station = station_of(session, code, person)
        require(person, permission, station)
        return (station,)

    return _decide(act, judged, person, what, accepted, rehearse)


def _everywhere(act: Act, person: Person, permission: str, what: str, accepted: str, rehearse: bool) -> Consequences:
    def judged(session: Session) -> tuple[Station, ...]:
        _require_all(session, person, permission)
        return stations.every(session)

    return _decide(act, judged, person, what, accepted, rehearse)


def _freely(act: Act, code: StationCode, person: Person, permission: str, what: str) -> None:
    """Do what only takes away: it is never refused, so that nobody is held by an earlier mistake."""
    here = services()
    with here.database.writing() as session:
        require(person, permission, station_of(session, code, person))
        subject = act(session, here.clock.now())
        revision.bump(session)
        trace(session, what, subject, person)
    here.wake()


def _decide(
    act: Act,
    judged: Callable[[Session], tuple[Station, ...]],
    person: Person,
    what: str,
    accepted: str,
    rehearse: bool,
) -> Consequences:
    """Do it, look at the whole intent as it then is, and keep it only where nothing speaks against it."""
    auth.take_proof()
    here = services()
    now = here.clock.now()
    consequences = Consequences()
    with suppress(_Rehearsed), here.database.writing() as session:
        where = judged(session)
        before = load_intent(session, now, demo=here.demo)
        subject = act(session, now)
        revision.bump(session)
        after = load_intent(session, now, demo=here.demo)
        consequences = _consequences(session, before, after, where, now)
        if rehearse:
            raise _Rehearsed
        if consequences.errors:
            raise Refused(*consequences.errors)
        if consequences.warnings and accepted != consequences.key:
            raise Conflict(*consequences.warnings)
        if consequences.warnings:
            auth.demand_proof()
        trace(session, what, subject, person)
    if not rehearse:
        here.wake()
    return consequences


def _consequences(
    session: Session, before: Intent, after: Intent, where: tuple[Station, ...], now: datetime
) -> Consequences:
    shifts = [shift for station in where for shift in shifts_between(before, after, station.code, now)]
    touched = {shift.station for shift in shifts}
    looked_at = where if len(where) == 1 else [station for station in where if station.code in touched][:_MOST_CHECKED]
    found: list[Finding] = []
    for station in looked_at:
        facts = facts_of(session, station.code, now)
        known = {same_said(finding) for finding in findings_of(before, station.code, facts, now)}
        fresh = [finding for finding in findings_of(after, station.code, facts, now) if same_said(finding) not in known]
        found += [finding for finding in fresh if finding.severity is not Severity.NOTE]
    refusing = errors(tuple(found))
    return Consequences(
        errors=refusing,
        warnings=tuple(finding for finding in found if finding not in refusing),
        shifts=tuple(sorted(shifts, key=lambda shift: (shift.start, shift.station, shift.name))),
    )


def findings_of(
    intent: Intent, code: StationCode, facts: Facts, now: datetime, rundown: Rundown | None = None
) -> list[Finding]:
    """Return what is wrong with the grid of a station, and which duties are in danger by it.

    rundown: the station's plan by this intent, where it was made already.
    """
    station = intent.station(code)
    found = list(check_grid(intent, station, facts, now))
    if errors(tuple(found)):
        return found
    standings = (rundown or plan(intent, facts, now, Interval(now, now))).duties
    found += [
        Finding(
            code="duty_in_danger",
            severity=Severity.WARNING,
            message=Text(f"{standing.name}: {standing.reason.vi}", f"{standing.name}: {standing.reason.en}"),
            hint=standing.fallback,
        )
        for standing in standings
        if standing.state in _BAD
    ]
    return found


def shifts_between(before: Intent, after: Intent, code: StationCode, now: datetime) -> list[Shift]:
    """Return what comes, goes and changes at a station in the next 14 days."""
    during = Interval(now, now + AHEAD)
    old, new = _sounding(before, code, during), _sounding(after, code, during)
    # Another version of a session goes on under another name: the same session at the same time is no change.
    gone = {place: one for place, one in old.items() if place not in new}
    come = {place: one for place, one in new.items() if place not in old}
    found = []
    for (name, start), (length, _content) in sorted(come.items()):
        match = next((place for place in sorted(gone) if place[0] == name and _near(place[1], start)), None)
        before_it = None if match is None else Interval(match[1], match[1] + gone.pop(match)[0])
        found.append(
            Shift(
                difference=Difference.NEW if before_it is None else Difference.CHANGED,
                station=code,
                name=name,
                before=before_it,
                after=Interval(start, start + length),
                start=start,
            )
        )
    found += [
        Shift(
            difference=Difference.REMOVED,
            station=code,
            name=name,
            before=Interval(start, start + length),
            after=None,
            start=start,
        )
        for (name, start), (length, _content) in gone.items()
    ]
    found += [
        Shift(
            difference=Difference.CHANGED,
            station=code,
            name=name,
            before=Interval(start, start + old[name, start][0]),
            after=Interval(start, start + new[name, start][0]),
            start=start,
        )
        for name, start in old.keys() & new.keys()
        if old[name, start] != new[name, start]
    ]
    return found


def _sounding(
    intent: Intent, code: StationCode, during: Interval
) -> dict[tuple[str, datetime], tuple[timedelta, tuple[object, ...]]]:
    """Return the sessions to come by name and start, with their length and what is in them."""
    return {
        (one.rule.name, one.during.start): (one.during.end - one.during.start, (one.rule.items, one.rule.targets))
        for one in occurrences(intent, intent.station(code), during)
        if one.during.start >= during.start
    }


def _near(old: datetime, new: datetime) -> bool:
    return abs(old - new) < timedelta(hours=18)


def facts_of(session: Session, code: StationCode, now: datetime) -> Facts:
    """Return what the authority knows of a station's last weeks."""
    rows = airings.listing(session, stations=(code,), start=now - _BACK, end=now, limit=_MOST_ROWS)
    return Facts(
        station=code,
        airings=tuple(row.airing for row in rows),
        aired=airings.last_whole(session, code),
        since=now,
    )


def same_said(finding: Finding) -> tuple[str, str, str]:
    """Return what tells one finding from another."""
    return finding.code, finding.where, finding.message.vi


def _require_all(session: Session, person: Person, permission: str) -> None:
    """Raise NotAllowed unless the person has the permission at every station."""
    reached = reach(person)
    require(person, permission, person.unit)
    if any(station.unit not in reached for station in stations.every(session)):
        raise NotAllowed(
            Finding(
                code="not_allowed_everywhere",
                severity=Severity.ERROR,
                message=Text(
                    "Việc này áp dụng cho mọi đài, nên phải do đơn vị quản lý tất cả các đài làm. Chưa có gì thay đổi.",
                    "This holds for every station, so the unit above all of them has to do it. Nothing was changed.",
                ),
            )
        )


def _no_excuse() -> Finding:
    return no_such("excuse_unknown", "Không có quyết định miễn này.", "There is no such excuse.")
