"""The acts behind the forms: checked as the plan would be, refused with everything that is wrong, always traced."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from schedules.duty import Excuse
from schedules.errors import Conflict, NotAllowed, Refused, Unknown
from schedules.grid import CalendarDay, DayKind, ItemKind, SessionItem, SessionRule, WeekTemplate
from schedules.programme import Programme
from schedules.text import Text
from store import audit, duties, sessions, stations
from webui import planning
from webui.planning import Difference


@pytest.fixture
def rule(world):
    """A daily session of one bulletin."""
    return SessionRule(
        id="sang",
        station="LONGHIEP",
        name="Buổi sáng",
        starts=(time(5, 30),),
        length_s=1800,
        items=(SessionItem(id="a", kind=ItemKind.SEGMENT, programme="BANTIN"),),
        since=world.clock.now(),
    )


@pytest.fixture
def inside(world):
    """The app, as if a request were being answered."""
    with world.app.test_request_context():
        yield


def agreed(act, *args, **options):
    """Do it with consent to whatever it costs."""
    shown = act(*args, **options, rehearse=True)
    return act(*args, **options, accepted=shown.key)


def in_force(world):
    """Return the sessions in force."""
    with world.database.reading() as session:
        return sessions.in_force(session, "LONGHIEP")


def done(world):
    """Return how many acts the security log holds."""
    with world.database.reading() as session:
        return len(audit.newest(session, limit=500))


def test_a_rehearsal_leaves_nothing_behind(world, inside, rule):
    """What would happen is told without happening: no session, no revision, no trace, nobody woken."""
    before = done(world)

    shown = planning.publish_session(rule, person=world.people["operator"], rehearse=True)

    assert len(shown.shifts) == 14
    assert {shift.difference for shift in shown.shifts} == {Difference.NEW}
    assert in_force(world) == ()
    assert done(world) == before
    assert world.doors["LONGHIEP"].woken == 0


def test_errors_cannot_be_agreed_to(world, inside, rule):
    """Two sessions at one time are refused whatever consent comes along, and the first one stays as it was."""
    person = world.people["operator"]
    agreed(planning.publish_session, rule, person=person)
    clash = replace(rule, id="khac", name="Buổi khác")
    shown = planning.publish_session(clash, person=person, rehearse=True)

    with pytest.raises(Refused) as refused:
        planning.publish_session(clash, person=person, accepted=shown.key)

    assert [finding.code for finding in refused.value.findings] == ["sessions_overlap"]
    assert [kept.id for kept in in_force(world)] == ["sang"]


def test_warnings_need_consent_to_exactly_them(world, inside, rule):
    """Without consent, or with consent to something else, nothing is published and every warning comes back."""
    person = world.people["operator"]
    shown = planning.publish_session(rule, person=person, rehearse=True)
    assert shown.warnings

    for accepted in ("", "x", planning.Consequences().key):
        with pytest.raises(Conflict) as conflict:
            planning.publish_session(rule, person=person, accepted=accepted)
        assert conflict.value.findings == shown.warnings
    planning.publish_session(rule, person=person, accepted=shown.key)

    assert [kept.id for kept in in_force(world)] == ["sang"]
    assert world.doors["LONGHIEP"].woken == 1


def test_what_was_wrong_before_holds_nobody_up(world, inside, rule):
    """An old clash in the grid does not keep people from changing something else, nor from taking one of them out."""
    person = world.people["operator"]
    with world.database.writing() as session:
        sessions.publish(session, rule, world.clock.now())
        sessions.publish(session, replace(rule, id="trung", name="Trùng giờ"), world.clock.now())

    agreed(planning.publish_session, replace(rule, id="toi", name="Buổi tối", starts=(time(19),)), person=person)
    planning.remove_session("LONGHIEP", "trung", person=person)

    assert sorted(kept.id for kept in in_force(world)) == ["sang", "toi"]


def test_shifts_tell_what_comes_goes_and_changes(world, inside, rule):
    """Another time is a change of the same session, another content too; the rest is not mentioned."""
    person = world.people["operator"]
    agreed(planning.publish_session, rule, person=person)

    later = planning.publish_session(replace(rule, starts=(time(6),)), person=person, rehearse=True)
    other = planning.publish_session(
        replace(rule, items=(SessionItem(id="a", kind=ItemKind.SEGMENT, programme="CDS"),)),
        person=person,
        rehearse=True,
    )
    same = planning.publish_session(rule, person=person, rehearse=True)
    silent = planning.publish_template(
        WeekTemplate(
            id="",
            station="LONGHIEP",
            name="Im lặng",
            valid_from=date(2026, 11, 25),
            valid_until=date(2026, 11, 26),
            since=world.clock.now(),
        ),
        person=person,
        rehearse=True,
    )

    assert {shift.difference for shift in later.shifts} == {Difference.CHANGED}
    assert all(shift.after.start - shift.before.start == timedelta(minutes=30) for shift in later.shifts)
    assert {shift.difference for shift in other.shifts} == {Difference.CHANGED}
    assert same.shifts == ()
    assert [shift.difference for shift in silent.shifts] == [Difference.REMOVED] * 2


def test_who_may_not_is_refused_before_anything_is_looked_at(world, inside, rule):
    """Each act asks for its right in that place; what lies elsewhere does not exist."""
    people = world.people
    with pytest.raises(NotAllowed):
        planning.publish_session(rule, person=people["inspector"], rehearse=True)
    with pytest.raises(Unknown):
        planning.publish_session(rule, person=people["operator-longmai"], rehearse=True)
    with world.database.reading() as session:
        station = stations.find(session, "LONGHIEP")
        duty = duties.find(session, "CDS")
    with pytest.raises(NotAllowed):
        planning.save_station(station, person=people["operator"], rehearse=True)
    with pytest.raises(NotAllowed):
        planning.save_programme(Programme(code="X1", name="x"), person=people["centre-minhlong"])
    day = CalendarDay(day=date(2026, 12, 1), kind=DayKind.MOURNING, name="x", document="y")
    with pytest.raises(NotAllowed):
        planning.decree_day(day, person=people["centre-minhlong"])
    with pytest.raises(NotAllowed):
        planning.save_duty(duty, person=people["centre-longmai"])
    with pytest.raises(Unknown):
        planning.end_duty("CDS", person=people["centre-longmai"])
    excuse = Excuse(
        station="LONGHIEP", first=date(2026, 12, 1), last=date(2026, 12, 2), document="x", reason=Text("a", "a")
    )
    with pytest.raises(NotAllowed):
        planning.grant_excuse(excuse, person=people["operator"])
    with pytest.raises(Unknown):
        planning.grant_excuse(excuse, person=people["centre-longmai"])
    with pytest.raises(Unknown):
        planning.take_back_exception("LONGHIEP", "khong", person=people["operator"])
    with pytest.raises(Unknown):
        planning.end_template("LONGHIEP", "khong", person=people["operator"])


def test_a_duty_of_somebody_else_cannot_be_taken_over(world, inside):
    """Who saves a duty under a code that another unit owns needs the right at that unit too."""
    with world.database.reading() as session:
        duty = duties.find(session, "CDS")
    with pytest.raises(NotAllowed):
        planning.save_duty(
            replace(duty, owner="LONGMAI", stations=("LONGMAI",), name="của tôi"),
            person=world.people["centre-longmai"],
        )
