"""Fault tickets: one for one loudspeaker, whoever reports it, and open until somebody else accepts the repair."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schedules.errors import Refused
from schedules.upkeep import Trouble
from store import steps, tickets
from store.steps import Subject


def reported(session, now, **fields):
    """Report a loudspeaker as somebody with a link does and return the ticket."""
    values = {"station": "LONGHIEP", "cluster": "GOTRANH", "what": "Loa không kêu", "place": "", "picture": None}
    values |= {"phone": "0905 123 456", "link": "abc", "now": now}
    return tickets.report(session, **(values | fields))


def test_the_same_loudspeaker_reported_twice_is_one_ticket(database, now):
    """The second report joins the first: it is counted, and kept with its words and telephone number."""
    with database.writing() as session:
        first = reported(session, now)
        second = reported(session, now + timedelta(hours=1), what="Hỏng rồi", place="Nhà văn hóa", picture="a" * 64)
        other = reported(session, now, cluster="HALIET")
        history = steps.of(session, Subject.TICKET, first.id)

    assert (second.id, second.reports, second.name) == (first.id, 2, "PBH-0001")
    assert (other.id != first.id, other.name) == (True, "PBH-0002")
    assert [(one.what, one.text, one.picture) for one in history] == [
        ("opened", "Loa không kêu", None),
        ("reported", "Hỏng rồi", "a" * 64),
    ]
    assert first.silent_now
    assert first.silent_since == now


def test_places_without_a_cluster_are_told_apart(database, now):
    """Where nobody knows the cluster, the place decides, however it is spelled."""
    with database.writing() as session:
        first = reported(session, now, cluster="", place="Ngã ba Đồng Vông")
        same = reported(session, now, cluster="", place="nga ba  dong vong.")
        other = reported(session, now, cluster="", place="Trường tiểu học")
        nowhere = reported(session, now, cluster="")

    assert same.id == first.id
    assert len({first.id, other.id, nowhere.id}) == 3


def test_a_report_says_something(database, now):
    """What nobody can act on opens nothing; invisible characters are no words."""
    with database.writing() as session:
        with pytest.raises(Refused):
            reported(session, now, what=" \u200b\n", trouble=Trouble.OTHER)
        assert reported(session, now, what="", trouble=Trouble.HOWLING).what == ""


def test_a_flood_of_reports_is_counted_not_kept(database, now):
    """Fifty are kept one by one; the ticket goes on counting."""
    with database.writing() as session:
        for _one in range(60):
            last = reported(session, now)
        history = steps.of(session, Subject.TICKET, last.id)

    assert (last.reports, len(history)) == (60, tickets.MOST_REPORTS)
