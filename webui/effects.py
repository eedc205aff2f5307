"""What a change of the grid costs: two plans of one station held against each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from schedules.duty import DutyStanding, DutyState
from schedules.rundown import Rundown, RundownItem


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyTurn:
    """A duty whose state or next chance is another one. before: None where it was not owed."""

    before: DutyState | None
    after: DutyStanding


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """An airing of today that goes, comes or moves. before, after: None where there is none."""

    before: RundownItem | None
    after: RundownItem | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """lost: recordings that had a place in the stretch and have none now. duties: those that stand otherwise."""

    lost: tuple[RundownItem, ...] = ()
    duties: tuple[DutyTurn, ...] = ()
    today: tuple[Touched, ...] = ()


def effects(before: Rundown, after: Rundown, *, zone: str, now: datetime) -> Effects:
    """Compare the plan as it is with the plan as it would be."""
    today = now.astimezone(ZoneInfo(zone)).date()
    old, new = _coming(before, now), _coming(after, now)
    kept = {item.segment for item in new}
    lost: dict[str, RundownItem] = {}
    for item in old:
        if item.segment is not None and item.segment not in kept:
            lost.setdefault(item.segment, item)
    known = {(one.duty, one.period): one for one in before.duties}
    turns = []
    for standing in after.duties:
        then = known.get((standing.duty, standing.period))
        if then is None or then.state is not standing.state:
            turns.append(DutyTurn(before=then.state if then else None, after=standing))
    return Effects(
        lost=tuple(sorted(lost.values(), key=lambda item: item.start)),
        duties=tuple(turns),
        today=_today(old, new, ZoneInfo(zone), today),
    )


def _coming(rundown: Rundown, now: datetime) -> list[RundownItem]:
    return [item for item in rundown.items if item.due > now and item.replaced_by is None and item.cancelled_by is None]


def _today(old: list[RundownItem], new: list[RundownItem], zone: ZoneInfo, today: date) -> tuple[Touched, ...]:
    """Return what becomes another airing today; the same recording at the same second under another name is none."""

    def of_today(items: list[RundownItem]) -> dict[tuple[object, ...], RundownItem]:
        return {
            (item.due, item.segment, item.relay, item.title): item
            for item in items
            if item.due.astimezone(zone).date() == today
        }

    was, will = of_today(old), of_today(new)
    gone = [item for key, item in was.items() if key not in will]
    come = [item for key, item in will.items() if key not in was]
    found = []
    for item in gone:
        match = next((other for other in come if (other.segment, other.title) == (item.segment, item.title)), None)
        if match is not None:
            come.remove(match)
        found.append(Touched(before=item, after=match))
    found += [Touched(before=None, after=item) for item in come]
    return tuple(sorted(found, key=lambda one: (one.before or one.after or old[0]).due))
