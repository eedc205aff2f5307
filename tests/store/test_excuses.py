"""Excuses: granted by a document and a person, revoked once, never forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from schedules.duty import Excuse
from schedules.text import Text
from store import excuses
from store.accounts import Role

EXCUSE = Excuse(
    station="LONGHIEP",
    duty="CDS",
    first=date(2026, 11, 23),
    last=date(2026, 11, 29),
    document="15/QĐ-UBND",
    reason=Text("Đài hỏng.", "Out of service."),
)


def test_who_granted_and_who_revoked_is_known(database, people, now):
    """Both stay to be seen; only those that nobody revoked hold."""
    later = now + timedelta(days=1)
    centre, admin = people[Role.CENTRE], people[Role.ADMIN]
    with database.writing() as session:
        made = excuses.grant(session, EXCUSE, now, person=centre.id)
        excuses.grant(session, replace(EXCUSE, station="LONGMAI", duty=None), now)
        assert len(excuses.in_force(session)) == 2
        assert excuses.revoke(session, made, later, person=admin.id)
        assert not excuses.revoke(session, made, later)
        found = excuses.find(session, made)
        assert (found.excuse, found.granted_at, found.revoked_at) == (EXCUSE, now, later)
        assert (found.granted_by, found.revoked_by) == (centre.full_name, admin.full_name)
        assert excuses.listing(session, stations=["LONGHIEP"]) == (found,)
        assert [one.station for one in excuses.in_force(session)] == ["LONGMAI"]
        assert excuses.find(session, "nothing") is None


@pytest.mark.parametrize("change", [{"document": " "}, {"last": date(2026, 11, 22)}])
def test_an_excuse_without_a_document_or_a_day_is_refused(database, now, change):
    """Nobody is let off by word of mouth, or for no day at all."""
    with database.writing() as session, pytest.raises(ValueError, match="excuse"):
        excuses.grant(session, replace(EXCUSE, **change), now)
