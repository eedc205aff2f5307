"""Drafts of the grid: kept as they were, changed in one window at a time, put in force by the acts of publishing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from schedules import pencil
from schedules.airing import Facts
from schedules.clock import Interval
from schedules.grid import ItemKind, SessionItem, SessionRule, WeekTemplate
from schedules.pencil import AddException, AddWeek, EndSession, SetSession, Step, TakeBack
from schedules.planner import plan
from schedules.text import Text
from store import drafts, exceptions, sessions, templates
from store.accounts import Role
from store.drafts import Draft
from store.intent import load_intent, load_part


@pytest.fixture
def officer(people):
    """Whoever holds the pencil."""
    return people[Role.OPERATOR]


@pytest.fixture
def rule(now):
    """A daily session."""
    return SessionRule(
        id="sang",
        station="LONGHIEP",
        name="Buổi sáng",
        starts=(time(5, 30),),
        length_s=1800,
        items=(SessionItem(id="a", kind=ItemKind.SEGMENT, programme="CDS"),),
        since=now,
    )


def begun(person, now, *edits):
    """Return a draft that holds these edits."""
    steps = (Step(words=Text("Sửa", "Edit"), edits=edits, at=now),) if edits else ()
    return Draft(
        person=person.id,
        station="LONGHIEP",
        base="0" * 64,
        base_revision=1,
        base_at=now,
        changed_at=now,
        steps=steps,
    )


def test_a_draft_comes_back_as_it_was_kept(database, officer, rule, now):
    """Every sort of edit survives the way through the database, and so do the steps that were thrown away."""
    off = pencil.cancelled(rule, name="x1", day=date(2026, 11, 25), number=None, now=now)
    week = WeekTemplate(id="he", station="LONGHIEP", name="Hè", valid_from=date(2026, 6, 1), since=now)
    edits = (
        SetSession(rule=rule, before=replace(rule, length_s=60)),
        EndSession(before=rule),
        AddException(exception=off),
        TakeBack(exception=off),
        AddWeek(template=week),
    )
    wanted = begun(officer, now, *edits)
    wanted = replace(wanted, dropped=wanted.steps)

    with database.writing() as session:
        kept = drafts.save(session, wanted)
        found = drafts.find(session, officer.id, "LONGHIEP")

    assert found == kept == replace(wanted, version=1)
    assert found.edits == edits


def test_two_windows_do_not_write_over_each_other(database, officer, rule, now):
    """Who saw an older version changes nothing, neither by saving nor by closing; a second first one is refused."""
    with database.writing() as session:
        first = drafts.save(session, begun(officer, now, SetSession(rule=rule)))
        second = drafts.save(session, first)

        assert drafts.save(session, first) is None
        assert drafts.save(session, begun(officer, now)) is None
        assert not drafts.close(session, first)
        assert [one.steps for one in drafts.of_stations(session, ("LONGHIEP",))] == [1]
        assert drafts.of_person(session, officer.id) == (second,)
        assert drafts.close(session, second)
        assert drafts.find(session, officer.id, "LONGHIEP") is None


def test_an_empty_draft_is_nobodys_news(database, officer, now):
    """What was thrown away is kept, but neither listed as the person's nor shown to others."""
    with database.writing() as session:
        drafts.save(session, begun(officer, now))

        assert drafts.of_person(session, officer.id) == ()
        assert drafts.of_stations(session, ("LONGHIEP",)) == ()


def test_what_a_draft_comes_to_is_put_in_force(database, rule, now):
    """New weeks, changed, ended and new sessions, decisions made and taken back; and what they are called there."""
    other = replace(rule, id="toi", starts=(time(19),))
    with database.writing() as session:
        sessions.publish(session, rule, now)
        sessions.publish(session, other, now)
        known = exceptions.decide(
            session, pencil.cancelled(rule, name="", day=date(2026, 12, 1), number=None, now=now), now
        )
        before = drafts.fingerprint(session, "LONGHIEP")
    later = now + timedelta(minutes=1)
    week = WeekTemplate(id="he", station="LONGHIEP", name="Hè", valid_from=date(2027, 6, 1), since=now)
    inside = replace(rule, id="trong", template="he")
    decided = pencil.cancelled(rule, name="x2", day=date(2026, 12, 2), number=None, now=now)
    about_new = pencil.cancelled(inside, name="x3", day=date(2027, 6, 2), number=None, now=now)
    change = pencil.folded(
        [
            SetSession(rule=replace(rule, starts=(time(6),)), before=rule),
            EndSession(before=other),
            AddWeek(template=week),
            SetSession(rule=inside),
            AddException(exception=decided),
            AddException(exception=about_new),
            TakeBack(exception=known),
        ]
    )

    with database.writing() as session:
        called = drafts.apply(session, "LONGHIEP", change, later)
        present = {one.id: one for one in sessions.in_force(session, "LONGHIEP")}

        assert called == {"sang-2": "sang", "trong": "trong"}
        assert set(present) == {"sang-2", "trong"}
        assert [one.id for one in templates.in_force(session, "LONGHIEP")] == ["he"]
        assert {one.session for one in exceptions.in_force(session, "LONGHIEP")} == {"sang-2", "trong"}
        assert drafts.fingerprint(session, "LONGHIEP") != before


def test_a_part_of_the_intent_gives_the_same_plan(database, rule, now):
    """A station's plan needs only what concerns it; other stations' sessions are not even read."""
    with database.writing() as session:
        sessions.publish(session, rule, now)
        sessions.publish(session, replace(rule, station="LONGMAI"), now)
    with database.reading() as session:
        whole = load_intent(session, now, demo=False)
        part = load_part(session, ("LONGHIEP",), now, demo=False)
    facts = Facts(station="LONGHIEP", since=now)
    week = Interval(now, now + timedelta(days=7))

    assert {one.station for one in part.sessions} == {"LONGHIEP"}
    assert plan(part, facts, now, week) == plan(whole, facts, now, week)
