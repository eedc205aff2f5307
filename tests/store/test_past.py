"""No edit changes what was due before it: random edits of a grid over weeks, looked at through the calendar."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from schedules.calendar import occurrences
from schedules.clock import Interval
from schedules.grid import Change, ItemKind, SessionException, SessionItem, SessionRule, WeekTemplate
from schedules.station import Station
from store import exceptions, sessions, stations, templates
from store.intent import load_intent

BEGIN = datetime(2026, 11, 22, 22, 7, tzinfo=UTC)
ITEMS = (SessionItem(id="tin", kind=ItemKind.SEGMENT, programme="CDS"),)
STARTS = (time(5), time(5, 30), time(11), time(17), time(23, 45))


def due(session, station, start, end):
    """Return what is due in `[start, end)`, by the names that slots are made of."""
    intent = load_intent(session, end, demo=False)
    found = occurrences(intent, station, Interval(start, end))
    return {(one.name, one.day, one.during.start) for one in found if start <= one.during.start < end}


def rule_of(dice, now, number):
    day = now.date()
    return SessionRule(
        id=f"buoi{number}",
        station="LONGHIEP",
        name="Buổi",
        weekdays=tuple(sorted(dice.sample(range(1, 8), dice.randint(1, 7)))),
        starts=tuple(sorted(dice.sample(STARTS, dice.randint(1, 2)))),
        length_s=dice.choice((600, 1800)),
        items=ITEMS,
        since=now,
        valid_from=dice.choice((None, None, day - timedelta(days=3), day, day + timedelta(days=4))),
        valid_until=dice.choice((None, None, day - timedelta(days=1), day, day + timedelta(days=6))),
        every_weeks=dice.choice((1, 1, 2)),
        anchor=date(2026, 11, 2),
        month_days=dice.choice(((), (), (), (-1, 1, 25, 26, 27))),
    )


def change_something(dice, session, now, number):
    """Do one thing that people do to a grid."""
    day = now.date() + timedelta(days=dice.randint(0, 6))
    rules = sessions.in_force(session, "LONGHIEP")
    weeks = templates.in_force(session, "LONGHIEP")
    decided = exceptions.in_force(session, "LONGHIEP")
    what = dice.choice(
        ("new", "edit", "dates", "dates", "from", "remove", "cancel", "move", "take back", "week", "edit week")
    )
    rule = dice.choice(rules) if rules else None
    week = dice.choice(weeks) if weeks else None
    match what:
        case "edit" if rule is not None:
            sessions.publish(session, replace(rule_of(dice, now, number), id=rule.id, template=rule.template), now)
        case "dates" if rule is not None:
            other = rule_of(dice, now, number)
            sessions.publish(session, replace(rule, valid_from=other.valid_from, valid_until=other.valid_until), now)
        case "from" if rule is not None:
            sessions.publish_from(
                session, replace(rule_of(dice, now, number), id=rule.id, valid_from=None, valid_until=None), day, now
            )
        case "remove" if rule is not None:
            sessions.remove(session, "LONGHIEP", rule.id, now)
        case "cancel" | "move" if rule is not None:
            exception = SessionException(
                id="",
                station="LONGHIEP",
                session=rule.id,
                day=day,
                change=Change(what),
                following=dice.random() < 0.3,
                number=dice.choice((None, 1, 2)),
                to_day=day + timedelta(days=dice.randint(-2, 2)) if what == "move" else None,
                to_start=time(23, 50) if what == "move" else None,
                since=now,
            )
            exceptions.decide(session, exception, now)
        case "take back" if decided:
            exceptions.take_back(session, dice.choice(decided).id, now)
        case "week":
            made = WeekTemplate(
                id=f"tuan{number}",
                station="LONGHIEP",
                name="Tuần",
                priority=dice.randint(1, 3),
                valid_from=dice.choice((None, day)),
                valid_until=dice.choice((None, day + timedelta(days=2))),
                since=now,
            )
            templates.publish(session, made, now)
            sessions.publish(session, replace(rule_of(dice, now, number), template=made.id), now)
        case "edit week" if week is not None:
            if dice.random() < 0.3:
                templates.remove(session, "LONGHIEP", week.id, now)
            else:
                templates.publish(session, replace(week, priority=dice.randint(1, 3), valid_until=day), now)
        case _:
            sessions.publish(session, rule_of(dice, now, number), now)


@pytest.mark.parametrize("seed", range(25))
def test_the_past_stays_as_it_was_due(database, seed):
    """After each of fourteen edits over some weeks, the same sessions were due up to then, under the same names."""
    dice = random.Random(seed)
    now = BEGIN
    with database.writing() as session:
        station = replace(stations.find(session, "LONGHIEP"), permitted=Station(code="", name="", unit="").permitted)
        for number in range(14):
            now += timedelta(minutes=dice.randint(30, 3000))
            before = due(session, station, BEGIN - timedelta(days=7), now)
            change_something(dice, session, now, number)
            assert due(session, station, BEGIN - timedelta(days=7), now) == before, (seed, number)
