"""Accounts: names, passwords, roles, and what ends with them."""

from __future__ import annotations

import statistics
import time
import unicodedata

import pytest

from schedules.errors import Conflict, Refused, Unknown
from store import accounts, sign_ins, tokens
from store.accounts import Role

GOOD = "bốn con vịt bơi chậm"


def test_one_spelling_is_one_account(database, people, now):
    """Capitals, spaces around and full-width letters do not make a second account."""
    with database.writing() as session:
        for name in ("Operator", " operator ", "\uff4fperator"):
            with pytest.raises(Conflict):
                accounts.create(session, name=name, role=Role.ADMIN, unit="LONGHIEP", full_name="Ai đó", now=now)


@pytest.mark.parametrize("name", ["", "a", "có dấu", "../x", "-i", "a" * 81, "a\nb", "=cmd", "a@b"])
def test_unusable_names_are_refused(database, now, name):
    """A name that could be mistaken for something else is not taken."""
    with pytest.raises(Refused), database.writing() as session:
        accounts.create(session, name=name, role=Role.OPERATOR, unit="LONGHIEP", full_name="Ai", now=now)


def test_an_account_belongs_to_a_known_unit(database, now):
    """There is no account without a unit."""
    with pytest.raises(Unknown), database.writing() as session:
        accounts.create(session, name="ai", role=Role.OPERATOR, unit="NOWHERE", full_name="Ai", now=now)


@pytest.mark.parametrize(
    ("password", "accepted"),
    [
        ("mười bốn ký tự", False),
        ("một trăm lẻ hai", True),
        (GOOD, True),
        ("x" * 64, False),
        ("đường nào cũng về làng " * 6, True),
        ("correct horse battery staple", True),
        ("passwordpassword123456", False),
        ("longhieplonghieplonghiep", False),
        ("operatoroperator1", False),
        ("truyenthanhlonghiep", False),
        ("123456789012345678", False),
        ("ababababababababab", False),
        ("y" + "đường xa ướt mưa " * 70, False),
    ],
)
def test_s16_passwords_are_judged_by_length_and_guessing(database, people, password, accepted):
    """S16: at least 15 characters, no rules about kinds of letters, nothing that names the person or the place."""
    found = accounts.password_findings(password, people[Role.OPERATOR])
    assert (not found) is accepted


def test_s16_both_spellings_of_a_letter_are_one_password(database, people):
    """S16: a password typed with composed letters fits the same one typed decomposed, and is never cut off."""
    long = "Đường về Long Hiệp rất xa " * 5
    with database.writing() as session:
        accounts.set_password(session, people[Role.OPERATOR], unicodedata.normalize("NFC", long))
    with database.reading() as session:
        assert accounts.check_password(session, "operator", unicodedata.normalize("NFD", long)) is not None
        assert accounts.check_password(session, "operator", long[:-1]) is None


def test_a_wrong_password_or_name_gives_nobody(database, people):
    """Only the right pair gives the person."""
    with database.writing() as session:
        accounts.set_password(session, people[Role.OPERATOR], GOOD)
    with database.reading() as session:
        assert accounts.check_password(session, "OPERATOR", GOOD) == people[Role.OPERATOR]
        assert accounts.check_password(session, "operator", GOOD + "x") is None
        assert accounts.check_password(session, "approver", GOOD) is None
        assert accounts.check_password(session, "nobody", GOOD) is None
        assert accounts.check_password(session, "nobody", "\x00" * 5000) is None


def test_s14_an_unknown_name_takes_as_long_as_a_known_one(database, people):
    """S14: the time of the answer does not tell whether a name exists (wide bound; the two are interleaved)."""
    with database.writing() as session:
        accounts.set_password(session, people[Role.OPERATOR], GOOD)
    taken = {"operator": [], "nobody": []}
    with database.reading() as session:
        for _ in range(15):
            for name, times in taken.items():
                begun = time.perf_counter()
                accounts.check_password(session, name, "not the password at all")
                times.append(time.perf_counter() - begun)
    known, unknown = (statistics.median(times) for times in taken.values())
    assert abs(known - unknown) < 0.5 * max(known, unknown)


def test_s10_a_new_password_role_or_closing_ends_sessions(database, people, now):
    """S10: after a change of password or role, or when the account is closed, no old session works."""
    person = people[Role.OPERATOR]
    changes = (
        lambda session: accounts.set_password(session, person, GOOD),
        lambda session: accounts.set_role(session, person, Role.INSPECTOR, "LONGHIEP"),
        lambda session: accounts.disable(session, person, now),
    )
    for change in changes:
        with database.writing() as session:
            secret = sign_ins.start(session, person, now, address="127.0.0.1")
            assert sign_ins.find(session, secret, now) is not None
            change(session)
            assert sign_ins.find(session, secret, now) is None


def test_a_closed_account_has_no_token_and_no_password(database, people, now):
    """Closing an account closes every way in; opening it again does not revive its tokens."""
    person = people[Role.OPERATOR]
    with database.writing() as session:
        accounts.set_password(session, person, GOOD)
        token = tokens.issue(session, person, now)
        assert tokens.find(session, token, now) == person
        accounts.disable(session, person, now)
        assert tokens.find(session, token, now) is None
        assert accounts.check_password(session, "operator", GOOD) is None
        assert accounts.named(session, "operator") is None
        assert accounts.enable(session, person.id)
        assert tokens.find(session, token, now) is None
        assert accounts.check_password(session, "operator", GOOD) == person


def test_no_secret_is_kept_readable(database, people, now, tmp_path):
    """Neither passwords nor tokens nor session secrets stand in the database."""
    person = people[Role.OPERATOR]
    with database.writing() as session:
        accounts.set_password(session, person, GOOD)
        secrets = [tokens.issue(session, person, now), sign_ins.start(session, person, now, address="::1")]
    database.stop()
    content = b"".join(path.read_bytes() for path in tmp_path.glob("loa.db*"))
    for secret in (*secrets, GOOD):
        assert secret.encode() not in content
    database.start()
