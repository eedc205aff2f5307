"""The weekly grid: what keeps its identity, what becomes a new version, and what ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from schedules.grid import DayKind, ItemKind, NthWeekday, SessionItem, SessionRule, WeekTemplate
from store import sessions, templates


@pytest.fixture
def rule(now):
    """A session on working days at 5:00."""
    return SessionRule(
        id="sang",
        station="LONGHIEP",
        name="Buổi sáng",
        weekdays=(1, 2, 3, 4, 5),
        starts=(time(5, 0),),
        length_s=1800,
        items=(
            SessionItem(id="nhac", kind=ItemKind.IDENT, optional=True),
            SessionItem(id="cds", kind=ItemKind.SEGMENT, programme="CDS"),
        ),
        since=now,
        valid_from=date(2026, 11, 1),
        valid_until=date(2026, 12, 31),
    )


def test_a_new_session_is_due_from_its_own_since(database, rule, now):
    """A rule under an unknown id is kept as it is, and read back the same."""
    with database.writing() as session:
        assert sessions.publish(session, rule, now + timedelta(days=1)) == rule
    with database.reading() as session:
        assert sessions.in_force(session, "LONGHIEP") == (rule,)
        assert sessions.find(session, "LONGHIEP", "sang") == rule
        assert sessions.find(session, "LONGMAI", "sang") is None


def test_new_items_keep_the_identity(database, rule, now):
    """Changing name, items or length keeps id and since: what aired today does not air again."""
    later = now + timedelta(days=1)
    with database.writing() as session:
        sessions.publish(session, rule, now)
        changed = replace(rule, name="Sớm", length_s=900, items=rule.items[1:], since=later)
        kept = sessions.publish(session, changed, later)
        assert (kept.id, kept.since, kept.name, kept.length_s) == ("sang", now, "Sớm", 900)
        assert sessions.in_force(session, "LONGHIEP") == (kept,)


@pytest.mark.parametrize(
    "change",
    [
        {"starts": (time(17, 0),)},
        {"weekdays": (1,)},
        {"every_weeks": 2, "anchor": date(2026, 11, 2)},
        {"month_days": (-1,)},
        {"nth_weekdays": (NthWeekday(nth=1, weekday=5),)},
        {"only": (DayKind.HOLIDAY,)},
        {"targets": ("thon-1",)},
        {"template": "tet"},
        {"valid_from": date(2026, 11, 10)},
        {"valid_from": date(2027, 1, 1)},
        {"valid_until": date(2026, 11, 22)},
    ],
)
def test_other_times_make_a_new_version(database, rule, now, change):
    """Moving a session ends the old version and begins one under a new id, so that today's can still air."""
    later = now + timedelta(hours=3)
    with database.writing() as session:
        templates.publish(session, WeekTemplate(id="tet", station="LONGHIEP", name="Tết", since=now), now)
        sessions.publish(session, rule, now)
        moved = sessions.publish(session, replace(rule, **change), later)
        assert (moved.id, moved.since, moved.until) == ("sang-2", later, None)
        old = sessions.find(session, "LONGHIEP", "sang")
        assert (old.since, old.until) == (now, later)
        assert sessions.in_force(session, "LONGHIEP") == (moved,)
        again = sessions.publish(session, replace(moved, starts=(time(18, 30),)), later + timedelta(hours=1))
        assert again.id == "sang-3"
        assert len(sessions.since(session, now)) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"owner": "MINHLONG"},
        {"anchor": date(2026, 11, 2)},
        {"valid_until": None},
        {"valid_until": date(2026, 11, 23)},
        {"weekdays": (5, 4, 3, 2, 1)},
    ],
)
def test_what_changes_nothing_that_is_past_keeps_the_identity(database, rule, now, change):
    """Dates from today's end on, another owner or another order of the same days need no version."""
    with database.writing() as session:
        sessions.publish(session, rule, now)
        kept = sessions.publish(session, replace(rule, **change), now + timedelta(hours=3))
        assert (kept.id, kept.since) == ("sang", now)


def test_dates_that_are_still_to_come_keep_the_identity(database, rule, now):
    """A session that begins in December may begin later in December instead."""
    with database.writing() as session:
        planned = sessions.publish(session, replace(rule, valid_from=date(2026, 12, 1)), now)
        assert sessions.publish(session, replace(planned, valid_from=date(2026, 12, 8)), now).id == "sang"


def test_from_a_date_on_there_are_two_versions(database, rule, now):
    """The old one goes on until the day before, the new one begins on the day, and nothing is due twice."""
    day = date(2026, 12, 7)
    with database.writing() as session:
        sessions.publish(session, rule, now)
        changed = replace(rule, starts=(time(5, 30),))
        new = sessions.publish_from(session, changed, day, now + timedelta(hours=1))
        assert new == replace(changed, id="sang-2", since=now + timedelta(hours=1), valid_from=day)
        old = sessions.find(session, "LONGHIEP", "sang")
        assert (old.until, old.valid_until, old.starts) == (None, date(2026, 12, 6), rule.starts)
        assert sessions.in_force(session, "LONGHIEP") == (old, new)


def test_from_today_on_is_now(database, rule, now):
    """A day that is not in the future means now, as does one before the session's first date."""
    with database.writing() as session:
        sessions.publish(session, rule, now)
        changed = sessions.publish_from(session, replace(rule, starts=(time(18, 0),)), date(2026, 11, 23), now)
        assert (changed.id, changed.since, changed.valid_from) == ("sang-2", now, rule.valid_from)
        assert sessions.find(session, "LONGHIEP", "sang").until == now
        fresh = sessions.publish_from(session, replace(rule, id="trua", valid_from=None), date(2026, 12, 1), now)
        assert (fresh.id, fresh.valid_from) == ("trua", date(2026, 12, 1))


def test_a_removed_session_ends_now(database, rule, now):
    """Removing ends a rule once; what was due before stays known for a while."""
    with database.writing() as session:
        sessions.publish(session, rule, now)
        later = now + timedelta(hours=1)
        assert sessions.remove(session, "LONGHIEP", "sang", later)
        assert not sessions.remove(session, "LONGHIEP", "sang", later)
        assert not sessions.remove(session, "LONGMAI", "sang", later)
        assert sessions.in_force(session, "LONGHIEP") == ()
        assert [known.until for known in sessions.since(session, now)] == [later]
        assert sessions.since(session, later) == ()


def test_ids_fit_into_slots(database, rule, now):
    """An id that would break a slot apart is refused; a missing one is made."""
    with database.writing() as session:
        for bad in ("Sáng", "a/b", "a b", "-a", "a--b", "x" * 41):
            with pytest.raises(ValueError, match="id"):
                sessions.publish(session, replace(rule, id=bad), now)
        with pytest.raises(ValueError, match="share"):
            sessions.publish(session, replace(rule, items=(rule.items[0], rule.items[0])), now)
        unnamed = replace(rule, id="", items=tuple(replace(item, id="") for item in rule.items))
        made = sessions.publish(session, unnamed, now)
        assert made.id
        assert len({item.id for item in made.items}) == 2
        assert all(item.id for item in made.items)


def test_two_stations_may_use_one_name(database, rule, now):
    """Ids belong to their station."""
    with database.writing() as session:
        sessions.publish(session, rule, now)
        sessions.publish(session, replace(rule, station="LONGMAI"), now)
        assert len(sessions.since(session, now)) == 2
