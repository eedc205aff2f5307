"""Week templates: versions, and that their sessions go with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from schedules.grid import DayKind, ItemKind, SessionItem, SessionRule, WeekTemplate
from store import sessions, templates


@pytest.fixture
def tet(now):
    """A template for Tết 2027."""
    return WeekTemplate(
        id="tet",
        station="LONGHIEP",
        name="Tết",
        valid_from=date(2027, 2, 5),
        valid_until=date(2027, 2, 11),
        since=now,
    )


@pytest.fixture
def rule(now):
    """A session of that template."""
    return SessionRule(
        id="chuc-tet",
        station="LONGHIEP",
        name="Chúc Tết",
        starts=(time(6, 0),),
        length_s=1800,
        items=(SessionItem(id="tin", kind=ItemKind.SEGMENT, programme="CDS"),),
        since=now,
        template="tet",
    )


def test_a_name_is_changed_in_its_place(database, tet, now):
    """Name and document decide nothing: they need no version."""
    with database.writing() as session:
        assert templates.publish(session, tet, now) == tet
        renamed = templates.publish(session, replace(tet, name="Tết Đinh Mùi", document="12/KH"), now)
        assert renamed == replace(tet, name="Tết Đinh Mùi", document="12/KH")
        assert templates.in_force(session, "LONGHIEP") == (renamed,)


@pytest.mark.parametrize(
    "change", [{"valid_until": date(2027, 2, 12)}, {"priority": 2}, {"day_kinds": (DayKind.TET,)}, {"valid_from": None}]
)
def test_what_it_decides_makes_a_version_with_its_sessions(database, tet, rule, now, change):
    """Other dates, days or rank end it, and it goes on under a new id with the same sessions."""
    later = now + timedelta(days=1)
    with database.writing() as session:
        templates.publish(session, tet, now)
        sessions.publish(session, rule, now)
        version = templates.publish(session, replace(tet, **change), later)
        assert version == replace(tet, id="tet-2", since=later, **change)
        assert templates.in_force(session, "LONGHIEP") == (version,)
        assert templates.find(session, "LONGHIEP", "tet").until == later
        (moved,) = sessions.in_force(session, "LONGHIEP")
        assert moved == replace(rule, id="chuc-tet-2", template="tet-2", since=later)
        assert sessions.find(session, "LONGHIEP", "chuc-tet").until == later
        assert len(templates.since(session, now)) == 2
        assert len(templates.since(session, later)) == 1


def test_removing_ends_its_sessions(database, tet, rule, now):
    """A template that is over takes its sessions with it, and those of the standing week stay."""
    later = now + timedelta(days=1)
    with database.writing() as session:
        templates.publish(session, tet, now)
        sessions.publish(session, rule, now)
        standing = sessions.publish(session, replace(rule, id="sang", template=None), now)
        assert templates.remove(session, "LONGHIEP", "tet", later)
        assert not templates.remove(session, "LONGHIEP", "tet", later)
        assert sessions.in_force(session, "LONGHIEP") == (standing,)


def test_ids_fit_into_addresses(database, tet, now):
    """A bad id is refused, a missing one made."""
    with database.writing() as session:
        assert templates.publish(session, replace(tet, id=""), now).id
        with pytest.raises(ValueError, match="id"):
            templates.publish(session, replace(tet, id="Tết 2027"), now)
