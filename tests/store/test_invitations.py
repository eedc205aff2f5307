"""One-time links: the first set-up and the choice of a password."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schedules.errors import Refused, Unknown
from store import accounts, invitations, units
from store.accounts import Role
from store.database import Database

GOOD = "bốn con vịt bơi chậm"


def test_s15_the_first_set_up_makes_one_administrator(database, now):
    """S15: nobody can sign in before the link was used; it makes an administrator of the top unit and is used up."""
    with database.writing() as session:
        assert accounts.every(session) == ()
        assert invitations.setup_link_needed(session)
        secret = invitations.issue(session, None, now)
    assert len(secret) >= 40
    with database.writing() as session:
        person = invitations.redeem(session, secret, password=GOOD, now=now, name="Lan", full_name="Nguyễn Thị Lan")
    assert (person.role, person.unit, person.name) == (Role.ADMIN, "MINHLONG", "lan")
    with database.writing() as session:
        assert not invitations.setup_link_needed(session)
        assert accounts.check_password(session, "lan", GOOD) == person
        with pytest.raises(Unknown):
            invitations.redeem(session, secret, password=GOOD, now=now, name="kẻ khác")


def test_s18_a_link_is_void_after_a_day_or_after_use(database, people, now):
    """S18: a link of 24 hours ago, a used one, a replaced one and a guessed one are all refused alike."""
    person = people[Role.OPERATOR]
    with database.writing() as session:
        old = invitations.issue(session, person, now)
        assert invitations.find(session, old, now + timedelta(hours=24)) is None
        replaced = old
        fresh = invitations.issue(session, person, now)
        assert invitations.find(session, fresh, now).person == person
    for secret in (replaced, "guess", ""):
        with pytest.raises(Unknown), database.writing() as session:
            invitations.redeem(session, secret, password=GOOD, now=now)
    with database.writing() as session:
        invitations.redeem(session, fresh, password=GOOD, now=now)
    with pytest.raises(Unknown), database.writing() as session:
        invitations.redeem(session, fresh, password=GOOD, now=now)


def test_a_weak_password_does_not_use_the_link_up(database, people, now):
    """Whoever types a weak password first may try again with the same link."""
    with database.writing() as session:
        secret = invitations.issue(session, people[Role.OPERATOR], now)
    with pytest.raises(Refused), database.writing() as session:
        invitations.redeem(session, secret, password="ngắn", now=now)
    with database.writing() as session:
        assert invitations.redeem(session, secret, password=GOOD, now=now) == people[Role.OPERATOR]


def test_a_closed_account_cannot_be_entered_by_its_link(database, people, now):
    """An invitation dies with the account."""
    person = people[Role.OPERATOR]
    with database.writing() as session:
        secret = invitations.issue(session, person, now)
        accounts.disable(session, person, now)
        assert invitations.find(session, secret, now) is None


def test_accounts_of_the_demonstration_do_not_end_the_set_up(database, now):
    """An administrator made for the demonstration is not the owner of the system."""
    with database.writing() as session:
        person = accounts.create(
            session, name="demo", role=Role.ADMIN, unit="MINHLONG", full_name="Demo", now=now, demo=True
        )
        accounts.set_password(session, person, GOOD)
        assert invitations.setup_link_needed(session)


def test_an_empty_authority_gets_its_first_unit(tmp_path, now):
    """Where there is no unit yet, the first set-up makes one, so that the administrator belongs somewhere."""
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    database.start()
    with database.writing() as session:
        secret = invitations.issue(session, None, now)
        person = invitations.redeem(session, secret, password=GOOD, now=now, name="lan")
        assert units.find(session, person.unit) is not None
    database.stop()
