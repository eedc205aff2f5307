"""Duties in versions: what a change ends, what it begins, and that nothing is rewritten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from schedules.duty import Duty
from store import duties


@pytest.fixture
def duty(now):
    """One airing a week."""
    return Duty(code="CDS", name="Chuyển đổi số", owner="LONGHIEP", stations=("LONGHIEP",), programme="CDS", since=now)


def test_a_change_is_a_new_version(database, duty, now):
    """The old version ends when the new one begins, and is kept as it was."""
    later = now + timedelta(days=3)
    with database.writing() as session:
        assert duties.save(session, duty, now) == duty
        changed = duties.save(session, replace(duty, count=2), later)
        assert changed == replace(duty, count=2, since=later)
        assert duties.every(session) == (replace(duty, until=later), changed)
        assert duties.in_force(session) == (changed,)
        assert duties.find(session, "CDS") == changed


def test_saving_the_same_again_changes_nothing(database, duty, now):
    """Only content makes a version, not the moment at which it is saved."""
    later = now + timedelta(days=3)
    with database.writing() as session:
        duties.save(session, duty, now)
        assert duties.save(session, replace(duty, since=later), later) == duty
        assert duties.every(session) == (duty,)


def test_what_was_never_in_force_leaves_no_version(database, duty, now):
    """A duty that begins next week, changed today, still begins next week, once."""
    planned = replace(duty, since=now + timedelta(days=7))
    with database.writing() as session:
        duties.save(session, planned, now)
        assert duties.save(session, replace(planned, count=3), now) == replace(planned, count=3)
        assert [one.count for one in duties.every(session)] == [3]


def test_a_removed_duty_ends_once_and_may_come_back(database, duty, now):
    """Removing ends the version in force; the same code begins anew after it, whatever `since` it is given."""
    later = now + timedelta(days=3)
    with database.writing() as session:
        duties.save(session, duty, now)
        assert duties.remove(session, "CDS", later)
        assert not duties.remove(session, "CDS", later)
        assert duties.in_force(session) == ()
        assert duties.find(session, "CDS") is None
        assert duties.save(session, duty, later + timedelta(days=1)).since == later
        assert [one.until for one in duties.every(session)] == [later, None]
