"""Emergency orders in the store: signed once, final once, stopped a station at a time, and never forgotten open."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from schedules.emergency import Alert, AlertState, EmergencyOrder, Urgency
from schedules.programme import Programme
from schedules.text import Text
from store import emergencies, programmes, segments
from store.accounts import Role
from store.emergencies import Message, OrderState
from store.segments import Card

BOTH = ("LONGHIEP", "LONGMAI")


@pytest.fixture
def kept(database, people, now):
    """An order of the operator for both stations that awaits a second person; returned as it would be signed."""
    with database.writing() as session:
        programmes.save(session, Programme(code="CDS", name="Chuyển đổi số"))
        card = Card(owner="LONGHIEP", station="LONGHIEP", programme="CDS", title="Sơ tán")
        segments.receive(
            session,
            segment="seg",
            card=card,
            uploader=people[Role.OPERATOR],
            file_name="a.mp3",
            now=now,
            most_drafts=5,
        )
        message = Message(
            segment="seg",
            title="Sơ tán",
            sha256="a" * 64,
            pcm_sha256="b" * 64,
            samples=48_000,
            urgency=Urgency.SEVERE,
            repeats=3,
            tone_s=6.0,
            gap_s=2.0,
        )
        emergencies.keep(
            session,
            order="o1",
            stations=BOTH,
            message=message,
            drill=False,
            template=None,
            basis="",
            person=people[Role.OPERATOR].id,
            now=now,
            expires_at=now + timedelta(hours=1),
        )
    return EmergencyOrder(
        id="o1",
        stations=BOTH,
        segment="seg",
        title="Sơ tán",
        sha256="a" * 64,
        pcm_sha256="b" * 64,
        samples=48_000,
        issued_at=now,
        expires_at=now + timedelta(hours=1),
        drill=False,
        ordered_by="Người operator",
    )


def test_an_order_is_signed_once_and_sent_as_the_same_bytes(database, people, now, kept):
    """A second confirmation finds nothing to sign; what is due is the kept document, until a station has it."""
    leader = people[Role.APPROVER]
    with database.writing() as session:
        assert emergencies.due(session) == ()
        assert emergencies.issue(session, kept, b"signed", confirmed_by=leader.id)
        assert not emergencies.issue(session, kept, b"other", confirmed_by=leader.id)
        assert not emergencies.cancel(session, "o1", person=leader.id, reason="", now=now)
        assert [(one.station, one.document) for one in emergencies.due(session, "o1")] == [(c, b"signed") for c in BOTH]
        assert emergencies.due(session, "o2") == ()
        found = emergencies.find(session, "o1")
    assert (found.confirmed_by_name, found.state, found.open) == ("Người approver", OrderState.ISSUED, True)


def test_what_is_final_at_a_station_stays_so(database, now, kept):
    """A late word of an earlier state does not bring an order back; it is over when it is final everywhere."""
    alert = Alert(order=kept, state=AlertState.ON_AIR, received_at=now, started_at=now)
    with database.writing() as session:
        emergencies.issue(session, kept, b"signed", confirmed_by=None)
        assert emergencies.learn_alert(session, "LONGHIEP", alert, now)
        done = replace(alert, state=AlertState.DONE, ended_at=now, said=3, why=Text("Xong.", "Done."))
        assert emergencies.learn_alert(session, "LONGHIEP", done, now)
        assert not emergencies.learn_alert(session, "LONGHIEP", alert, now)
        assert not emergencies.learn(session, "o1", "LONGHIEP", AlertState.SENT, now)
        assert emergencies.close(session, now) == 0
        assert emergencies.learn(session, "o1", "LONGMAI", AlertState.REFUSED, now, why=Text("Không.", "No."))
        assert emergencies.close(session, now) == 1
        found = emergencies.find(session, "o1")
    assert (found.state, found.open) == (OrderState.OVER, False)
    assert [(one.state, one.said, one.final) for one in found.standings] == [
        (AlertState.DONE, 3, True),
        (AlertState.REFUSED, 0, True),
    ]


def test_a_stop_holds_for_its_stations_and_once(database, people, now, kept):
    """One station is ended, the other goes on; the end is due there until it is taken."""
    with database.writing() as session:
        emergencies.issue(session, kept, b"signed", confirmed_by=None)
        person = people[Role.ADMIN].id
        for count in (1, 0):
            stopped = emergencies.stop(session, "o1", ["LONGMAI"], b"end", person=person, reason="Nhầm", now=now)
            assert stopped == count
        assert [one.stop_document for one in emergencies.due(session)] == [None, b"end"]
        emergencies.stop_taken(session, "o1", "LONGMAI")
        assert [one.stop_document for one in emergencies.due(session)] == [None, None]
        found = emergencies.find(session, "o1")
    assert [(one.stopping, one.stop_taken, one.stopped_by_name) for one in found.standings] == [
        (False, False, None),
        (True, True, "Người admin"),
    ]
    assert (found.stopped_by_name, found.stop_reason) == ("Người admin", "Nhầm")


def test_nothing_stays_open_for_ever(database, now, kept):
    """An order without a second person lapses; one of which a station never told again is closed after a day."""
    later = kept.expires_at + emergencies.FORGOTTEN
    with database.writing() as session:
        assert not emergencies.closing(session, kept.expires_at - timedelta(seconds=1))
        assert emergencies.closing(session, kept.expires_at)
        emergencies.issue(session, kept, b"signed", confirmed_by=None)
        assert emergencies.close(session, later - timedelta(seconds=1)) == 0
        assert emergencies.closing(session, later)
        assert emergencies.close(session, later) == 1
        assert emergencies.find(session, "o1").state is OrderState.OVER
        assert emergencies.listing(session, open_only=True) == ()
        assert emergencies.listing(session, before="nothing") == ()
        assert emergencies.find(session, "nothing") is None
