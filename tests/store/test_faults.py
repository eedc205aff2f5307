"""The register of faults: opened, said anew, closed, ended by a start, and who was told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schedules.station import Unit
from schedules.text import Text
from store import accounts, faults, units
from store.accounts import Role
from store.faults import Mark

LOST = {
    "code": "output_main",
    "state": "open",
    "message": "Không có tiếng.",
    "message_en": "No sound.",
    "hint": "Kiểm tra dây.",
    "hint_en": "Check the cable.",
    "detail": "lost",
}


@pytest.fixture
def register(database, people, now):
    """A function that copies a row of station Long Hiệp; times are minutes after `now`."""
    with database.writing() as session:

        def copy(seq, body, *, kind="fault", minutes=None, station="LONGHIEP", trusted=True):
            at = now + timedelta(minutes=seq if minutes is None else minutes)
            faults.record(
                session,
                station,
                seq=seq,
                row_hash="h" * 64,
                at=at,
                kind=kind,
                trusted=trusted,
                body=body,
                now=now + timedelta(hours=1),
            )

        copy.session = session
        yield copy


def found(register, **filters):
    """Return code and state of what the register lists."""
    return [(one.code, one.state) for one in faults.listing(register.session, stations=["LONGHIEP"], **filters)]


def test_a_fault_is_told_from_its_first_row_to_its_last(register, now):
    """Sentence, cause, start and end; said in other words it is still the same fault."""
    register(1, LOST)
    (one,) = faults.listing(register.session, stations=["LONGHIEP"])
    assert (one.message, one.hint) == (Text("Không có tiếng.", "No sound."), Text("Kiểm tra dây.", "Check the cable."))
    assert (one.open, one.since, one.until, one.details) == (True, now + timedelta(minutes=1), None, {"detail": "lost"})
    register(4, LOST | {"message": "Bị tắt tiếng.", "message_en": "Muted.", "detail": "muted"})
    register(9, {"code": "output_main", "state": "closed", "since": "x"})
    (one,) = faults.listing(register.session, stations=["LONGHIEP"])
    assert (one.seq, one.state, one.message.en, one.details["detail"]) == (1, "closed", "Muted.", "muted")
    assert (one.since, one.until) == (now + timedelta(minutes=1), now + timedelta(minutes=9))
    register(12, LOST)
    assert found(register) == [("output_main", "open"), ("output_main", "closed")]


def test_a_start_ends_what_was_open_and_what_happened_once_is_over(register):
    """The station forgets its faults when it stops; the register says why they ended."""
    register(1, LOST)
    register(2, {"code": "player_hang", "state": "once", "slot": "a"})
    register(3, {}, kind="boot")
    register(4, {"code": "clock_untrusted", "state": "open", "message": "Giờ sai."}, trusted=False)
    assert found(register) == [("clock_untrusted", "open"), ("player_hang", "once"), ("output_main", "restarted")]
    wrong = faults.listing(register.session, stations=["LONGHIEP"], open=True)[0]
    assert not wrong.trusted
    assert wrong.message == Text("Giờ sai.", "Giờ sai."), "an older row speaks Vietnamese only"


def test_rows_that_come_again_change_nothing(register):
    """The follower may read the same rows twice."""
    rows = [(1, LOST, "fault"), (2, {"code": "output_main", "state": "closed"}, "fault"), (3, LOST, "fault")]
    for seq, body, kind in [*rows, *rows, (1, {}, "boot")]:
        register(seq, body, kind=kind)
    assert found(register) == [("output_main", "open"), ("output_main", "closed")]
    assert faults.last_seq(register.session, "LONGHIEP") == 3
    faults.forget(register.session, "LONGHIEP")
    assert faults.last_seq(register.session, "LONGHIEP") == 0


def test_the_unit_and_the_centre_above_are_told(register, now):
    """Names, roles and when; nobody of other units, no closed accounts, no inspectors."""
    with_centre = register.session
    units.save(with_centre, Unit(code="TINH", name="Tỉnh"))
    accounts.create(with_centre, name="tt", role=Role.CENTRE, unit="MINHLONG", full_name="Bà Trung tâm", now=now)
    accounts.create(with_centre, name="ben", role=Role.OPERATOR, unit="LONGMAI", full_name="Ông Bên cạnh", now=now)
    gone = accounts.create(with_centre, name="cu", role=Role.OPERATOR, unit="LONGHIEP", full_name="Ông Cũ", now=now)
    accounts.disable(with_centre, gone, now)
    register(1, LOST)
    (one,) = faults.listing(register.session, stations=["LONGHIEP"])
    assert sorted(person.name for person in one.told) == ["Bà Trung tâm", "Người approver", "Người operator"]
    assert {person.at for person in one.told} == {now + timedelta(hours=1)}
    register(2, LOST | {"code": "old"}, minutes=-60 * 24 * 40)
    assert faults.listing(register.session, stations=["LONGHIEP"], code="old")[0].told == (), "news to nobody"


def test_the_list_is_filtered_and_paged(register, now):
    """What lasts comes first, on whichever page; code, station and time narrow the list."""
    register(1, LOST)
    for seq in range(2, 8):
        register(seq, {"code": f"player_hang_{seq}", "state": "once"})
    register(1, LOST | {"code": "output_thon"}, station="LONGMAI")
    assert faults.count_open(register.session, ["LONGHIEP", "LONGMAI"]) == 2
    assert found(register, open=True) == [("output_main", "open")]
    assert len(found(register, open=False)) == 6
    assert found(register, code="player_hang_3") == [("player_hang_3", "once")]
    assert found(register, code="%") == []
    assert found(register, start=now + timedelta(minutes=7)) == [("output_main", "open"), ("player_hang_7", "once")]
    assert found(register, end=now + timedelta(minutes=2)) == [("output_main", "open")]
    seen, mark = [], None
    while page := faults.listing(register.session, stations=["LONGHIEP"], after=mark, limit=3):
        seen += [one.seq for one in page]
        last = page[-1]
        mark = Mark(open=last.open, since=last.since, station=last.station, seq=last.seq)
    assert seen == [1, 7, 6, 5, 4, 3, 2]
