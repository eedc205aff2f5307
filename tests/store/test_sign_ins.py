"""Sessions in browsers and the bearer tokens of programs."""

from __future__ import annotations

from datetime import timedelta

from store import sign_ins, tokens
from store.accounts import Role


def test_s12_a_session_ends_after_half_an_hour_of_nothing(database, people, now):
    """S12: 30 minutes without a request end a session; requests keep it open."""
    person = people[Role.OPERATOR]
    with database.writing() as session:
        secret = sign_ins.start(session, person, now, address="127.0.0.1")
        assert sign_ins.find(session, secret, now + timedelta(minutes=29, seconds=59)) == (person, True)
        assert sign_ins.find(session, secret, now + timedelta(minutes=30)) is None
        sign_ins.touch(session, secret, now + timedelta(minutes=29))
        assert sign_ins.find(session, secret, now + timedelta(minutes=58)) is not None


def test_s12_a_session_ends_after_twelve_hours_whatever_happens(database, people, now):
    """S12: not even steady use carries a session over twelve hours."""
    with database.writing() as session:
        secret = sign_ins.start(session, people[Role.OPERATOR], now, address="127.0.0.1")
        for minutes in range(20, 720, 20):
            moment = now + timedelta(minutes=minutes)
            assert sign_ins.find(session, secret, moment) is not None
            sign_ins.touch(session, secret, moment)
        assert sign_ins.find(session, secret, now + timedelta(hours=12)) is None


def test_ended_and_swept_sessions_are_gone(database, people, now):
    """A log-out ends one session only; sweeping removes those that time has ended."""
    with database.writing() as session:
        first, second = (sign_ins.start(session, people[Role.OPERATOR], now, address="127.0.0.1") for _ in range(2))
        assert first != second
        sign_ins.end(session, first)
        assert sign_ins.find(session, first, now) is None
        assert sign_ins.find(session, second, now) is not None
        assert sign_ins.sweep(session, now) == 0
        assert sign_ins.sweep(session, now + timedelta(hours=1)) == 1


def test_tokens_end_when_revoked_or_expired(database, people, now):
    """A token works until its time or until its owner takes it back; nobody else can take it back."""
    person = people[Role.OPERATOR]
    with database.writing() as session:
        brief = tokens.issue(session, person, now, expires_at=now + timedelta(hours=1))
        lasting = tokens.issue(session, person, now, label="máy trạm")
        assert tokens.find(session, brief, now) == person
        assert tokens.find(session, brief, now + timedelta(hours=1)) is None
        (token,) = (token for token in tokens.of_person(session, person) if token.label == "máy trạm")
        assert not tokens.revoke(session, people[Role.ADMIN], token.id, now)
        assert tokens.find(session, lasting, now) == person
        assert tokens.revoke(session, person, token.id, now)
        assert tokens.find(session, lasting, now) is None
        assert tokens.find(session, "loa_guess", now) is None
