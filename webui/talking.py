"""What people do at a station by hand: talk live, sound an output, say that its clock is right."""

from __future__ import annotations

from datetime import datetime, timedelta

from link.door import LiveOrder, Receipt, StationDoor
from schedules.errors import Conflict, Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.station import Station, StationCode
from schedules.text import Text
from store.accounts import Person
from store.identity import new_id
from webui.services import Services, services
from webui.talks import Talk
from webui.work import no_such, require, trace, visible_station

SHORTEST_S = 15.0
LONGEST_S = 30 * 60.0
USUAL_S = 5 * 60.0
MOST_BYTES = 4 * 48_000 * 2
"""A piece of a talk holds at most four seconds: what a browser could not send for longer is old."""

_SHOWN_S = 120.0


def begin(
    code: StationCode,
    *,
    limit_s: float,
    source: str | None,
    targets: tuple[str, ...] | None,
    person: Person,
) -> LiveOrder:
    """Begin a live talk. source: a microphone of the station, None for sound from the browser.

    Raises Refused where the limit or the microphone cannot be, Conflict with the station's own reason.
    """
    here = services()
    station, door = _door(code, person, "stations.talk")
    problems = []
    if not SHORTEST_S <= limit_s <= LONGEST_S:
        problems.append(
            _wrong(
                "limit_s",
                f"Thời gian nói từ {SHORTEST_S:g} giây đến {LONGEST_S / 60:g} phút.",
                f"A talk may last from {SHORTEST_S:g} s to {LONGEST_S / 60:g} min.",
            )
        )
    if source is not None and source not in door.status().inputs:
        problems.append(
            _wrong("input", "Đài không có micrô hay đường vào này.", "The station has no such microphone or line.")
        )
    if targets is not None and not {*targets} <= {group.code for group in station.groups}:
        problems.append(_wrong("targets", "Có cụm loa không thuộc đài này.", "A cluster group is not of this station."))
    if problems:
        raise Refused(*problems)
    order = LiveOrder(id=new_id(), by=person.full_name, limit_s=limit_s, input=source, targets=targets)
    with here.database.writing() as session:
        trace(session, "live.begin", code, person, detail=f"{order.id} {source or 'browser'} {limit_s:g} s")
    _taken(door.go_live(order), "live_refused")
    if source is None:
        here.talks.add(
            Talk(
                id=order.id,
                station=code,
                person=person.id,
                by=person.full_name,
                ends_at=here.clock.now() + timedelta(seconds=limit_s),
                heard_s=here.clock.monotonic(),
            )
        )
    return order


def say(code: StationCode, talk: str, *, number: int, pcm: bytes, person: Person) -> bool:
    """Hand on a piece of one's own talk, mono 48 kHz s16; False where the talk is over.

    number: from 1, growing; a piece that comes again or too late is dropped.
    """
    here = services()
    _station, door = _door(code, person, "stations.talk")
    if len(pcm) % 2 or not 0 < len(pcm) <= MOST_BYTES:
        raise Refused(_wrong("audio", "Đoạn âm thanh này không đúng.", "This piece of sound is not right."))
    if here.talks.of(talk, station=code, person=person.id) is None:
        return False
    if not here.talks.heard(talk, number, here.clock.monotonic()):
        return True
    going = door.live_audio(talk, pcm)
    if not going:
        here.talks.end(talk)
    return going


def end(code: StationCode, talk: str, *, person: Person) -> bool:
    """End a talk, one's own or somebody else's; False where it is over already."""
    here = services()
    _station, door = _door(code, person, "stations.talk")
    here.talks.end(talk)
    ended = door.end_live(talk, by=person.full_name)
    if ended:
        with here.database.writing() as session:
            trace(session, "live.end", code, person, detail=talk)
    return ended


def sweep(here: Services) -> int:
    """End the talks whose browser fell silent; returns how many. The house calls it every second or two."""
    gone = here.talks.silent(here.clock.monotonic(), here.clock.now())
    for talk in gone:
        here.talks.end(talk.id)
        door = here.doors.get(talk.station)
        if door is not None:
            door.end_live(talk.id, by=talk.by)
    return len(gone)


def sound_output(code: StationCode, output: str, *, person: Person) -> None:
    """Sound chime and test tone on one output. Raises Conflict with the station's own reason."""
    here = services()
    _station, door = _door(code, person, "stations.test")
    if all(one.name != output for one in door.status().outputs):
        raise Unknown(no_such("output_unknown", "Đài không có đầu ra này.", "The station has no such output."))
    receipt = door.test_output(output, by=person.full_name)
    with here.database.writing() as session:
        outcome = "done" if receipt.taken else "refused"
        trace(session, "station.test", code, person, outcome=outcome, detail=output)
    _taken(receipt, "test_refused")


def confirm_time(code: StationCode, *, shown: datetime, person: Person) -> None:
    """Say that the station's clock is right. Raises Conflict with its own reason, or where `shown` is long past."""
    here = services()
    _station, door = _door(code, person, "stations.clock")
    if abs((here.clock.now() - shown).total_seconds()) > _SHOWN_S:
        raise Conflict(
            no_such(
                "time_shown_is_old",
                "Giờ trên trang đã cũ, nên chưa xác nhận. Hãy xem lại giờ mới rồi xác nhận.",
                "The time on the page was old, so nothing was confirmed. Look at the new one and confirm that.",
            )
        )
    receipt = door.confirm_time(by=person.full_name, shown=shown)
    with here.database.writing() as session:
        outcome = "done" if receipt.taken else "refused"
        trace(session, "station.clock", code, person, outcome=outcome, detail=shown.isoformat())
    _taken(receipt, "time_refused")


def _door(code: StationCode, person: Person, permission: str) -> tuple[Station, StationDoor]:
    station = visible_station(code, person=person)
    require(person, permission, station)
    door = services().doors.get(code)
    if door is None:
        raise Conflict(
            no_such(
                "station_unreached",
                "Chưa liên lạc được với máy phát của đài, nên chưa làm được.",
                "The station cannot be reached, so this cannot be done now.",
            )
        )
    return station, door


def _taken(receipt: Receipt, code: str) -> None:
    if receipt.taken:
        return
    why = receipt.why or Text("Máy phát của đài không làm được việc này lúc này.", "The station cannot do this now.")
    raise Conflict(Finding(code=code, severity=Severity.ERROR, message=why))


def _wrong(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))
