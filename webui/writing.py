"""What people do with texts: write, have them spoken, read them aloud, and have them aired at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from audio.numerals import NORTHERN
from audio.reading import Reading, read
from audio.speech import Pace
from schedules.errors import Conflict, Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.grid import Timing
from schedules.segment import SegmentId, SegmentKind, SegmentState
from schedules.station import UnitCode, units_above
from schedules.text import Text
from store import pronunciations, scripts, segments, stations, units
from store.accounts import Person
from store.identity import new_id
from store.scripts import Script, ScriptId, Wording
from store.segments import Card, SegmentRecord
from webui import speaking, work
from webui.rights import reach
from webui.services import services
from webui.speaking import SpeechOrder

_NOTHING_LEFT = frozenset({SegmentState.WITHDRAWN, SegmentState.REFUSED})


def text(script: ScriptId, *, person: Person, permission: str = "segments.read", removed: bool = False) -> Script:
    """Return a text that the person may see. Raises Unknown for every other one, NotAllowed without the right."""
    with services().database.reading() as session:
        return _own(session, script, person, permission, removed=removed)


def draft(
    *,
    station: str | None,
    programme: str,
    title: str,
    body: str,
    person: Person,
    kind: SegmentKind = SegmentKind.BAI,
    topics: Iterable[str] = (),
    author: str = "",
) -> ScriptId:
    """Keep a text that somebody else's words begin with, for an officer to go on with. Raises as `write` does."""
    wording = Wording(
        owner=person.unit,
        station=station,
        programme=programme,
        title=title,
        body=body,
        kind=kind,
        topics=tuple(topics),
        author=author,
    )
    return write(wording, person=person)


def write(wording: Wording, *, person: Person) -> ScriptId:
    """Keep a new text and return its id. Raises Refused, NotAllowed, Unknown."""
    here = services()
    with here.database.writing() as session:
        checked = _checked(session, wording, person)
        script = scripts.write(session, checked, person=person, now=here.clock.now())
        work.trace(session, "script.create", script, person)
    return script


def rewrite(script: ScriptId, wording: Wording, *, revision: int, person: Person, respoken: bool = False) -> None:
    """Change a text. Raises Conflict, Refused.

    Other words than those that were approved need a new approval; other words than a machine spoke have to be spoken.
    respoken: the caller has them spoken next; nothing is changed where they could not be.
    """
    here = services()
    now = here.clock.now()
    if respoken:
        _speakable(wording)
    with here.database.writing() as session:
        found = _own(session, script, person, "segments.create")
        checked = _checked(session, wording, person)
        if found.segment is not None and wording.body != found.wording.body:
            if found.spoken and not respoken:
                raise Refused(
                    _wrong(
                        "body",
                        "Lời đã khác với giọng máy đã đọc. Hãy bấm Tạo giọng nói. Chưa lưu.",
                        "These are other words than the machine spoke. Press Have it spoken. Nothing was saved.",
                    )
                )
            if not found.spoken:
                _unapprove(session, found.segment, person, now)
        scripts.rewrite(session, script, checked, revision=revision, person=person, now=now)
        work.trace(session, "script.edit", script, person)
    here.wake()


def remove(script: ScriptId, *, person: Person) -> None:
    """Take a text out of sight; `restore` brings it back. Raises Conflict for one that became a recording."""
    here = services()
    with here.database.writing() as session:
        _own(session, script, person, "segments.create")
        if not scripts.remove(session, script, now=here.clock.now()):
            raise Conflict(
                work.no_such(
                    "script_used",
                    "Lời này đã thành bài nên không bỏ được. Hãy thu hồi bài.",
                    "This text became an item and cannot be removed. Withdraw the item.",
                )
            )
        work.trace(session, "script.remove", script, person)


def restore(script: ScriptId, *, person: Person) -> None:
    """Bring a removed text back."""
    here = services()
    with here.database.writing() as session:
        _own(session, script, person, "segments.create", removed=True)
        scripts.restore(session, script)
        work.trace(session, "script.restore", script, person)


def attach(script: ScriptId, segment: SegmentId, *, person: Person) -> None:
    """Say that a person read this text for that recording. Raises Unknown, NotAllowed."""
    here = services()
    with here.database.writing() as session:
        found = _own(session, script, person, "segments.create")
        record = segments.find(session, segment)
        if record is None or record.card.owner not in reach(person) or found.segment is not None:
            raise Unknown(work.no_such("segment_unknown", "Không có bài này.", "There is no such recording."))
        _unapprove(session, segment, person, here.clock.now())
        scripts.join(session, script, segment, spoken=False, now=here.clock.now())
        work.trace(session, "script.join", script, person, detail=segment)
    here.wake()


def reading(wording: Wording) -> Reading:
    """Return how a text will be said by its voice, with the words of its unit."""
    with services().database.reading() as session:
        own = own_words(session, wording.owner)
    chosen = (voice for _engine, voice in speaking.voices(services().speech) if voice.name == wording.voice)
    voice = next(chosen, None)
    return read(wording.body, own=own, habit=voice.habit if voice is not None else NORTHERN)


def own_words(session: Session, unit: UnitCode) -> dict[str, str]:
    """Return how words are said in a unit: its own, and those of the units above it."""
    above = units_above(units.every(session), unit)
    return pronunciations.along(session, [*reversed([one for one in above if one != unit]), unit])


def speak(script: ScriptId, *, revision: int, person: Person) -> SegmentId:
    """Have a text spoken: a recording that is heard and submitted like any other. Returns its id.

    A text that was spoken before gives its recording another sound, which needs a new approval.
    Raises Refused where there is nothing to say or places are left to fill, TooMany, Conflict.
    """
    here = services()
    now = here.clock.now()
    with here.database.reading() as session:
        found = _own(session, script, person, "segments.create")
        _expect(found, revision)
    order = _speakable(found.wording)
    with here.database.reading() as session:
        before = segments.find(session, found.segment) if found.segment else None
    again = before if before is not None and before.state not in _NOTHING_LEFT else None
    segment = again.id if again is not None else new_id()
    original = here.intake.original(segment)
    waiting = original.with_name(f"{segment}.speech")
    with contextlib.ExitStack() as unless_kept:
        unless_kept.callback(waiting.unlink, missing_ok=True)
        waiting.write_bytes(order.sealed())
        with here.database.writing() as session:
            _expect(_own(session, script, person, "segments.create"), revision)
            if again is None:
                _receive(session, segment, found.wording, person, now)
            else:
                _again(session, again, found.wording, person, now)
            scripts.join(session, script, segment, spoken=True, now=now)
            work.trace(session, "script.speak", script, person, detail=segment)
            # Under its name before the intake can see the row: both become visible with the commit.
            waiting.replace(original)
        unless_kept.pop_all()
    here.intake.notify()
    if again is not None and again.state is SegmentState.APPROVED:
        here.wake()
    return segment


def air_as_wished(segment: SegmentId, *, person: Person) -> tuple[datetime | None, tuple[Finding, ...]]:
    """Order the airing that an approved text asks for; returns when it will be, or why it could not be ordered.

    Both are empty where nobody asked for one.
    """
    here = services()
    with here.database.reading() as session:
        script = scripts.of_segment(session, segment)
        record = segments.find(session, segment)
    if script is None or record is None or record.state is not SegmentState.APPROVED:
        return None, ()
    start, station = script.wording.airs_at, script.wording.airs_on
    if start is None or station is None:
        return None, ()
    try:
        if start <= here.clock.now():
            raise Conflict(
                work.no_such(
                    "wish_past",
                    "Giờ phát mong muốn đã qua trước khi bài được duyệt, nên chưa xếp lượt phát nào.",
                    "The time asked for had passed before the approval, so no airing was ordered.",
                )
            )
        work.order_airing(station=station, segment=segment, start=start, timing=Timing.SOFT, person=person)
    except Refused as refused:
        return None, refused.findings
    return start, ()


def unfilled(body: str) -> list[str]:
    """Return the places of a sample text that nobody filled yet: what stands in square brackets."""
    found = []
    for part in body.split("[")[1:]:
        inside, end, _rest = part.partition("]")
        if end and inside.strip() and "\n" not in inside and len(inside) <= 120:
            found.append(f"[{inside}]")
    return list(dict.fromkeys(found))


def _unapprove(session: Session, segment: SegmentId, person: Person, now: datetime) -> None:
    """Have a recording approved anew: the words that stand with it were approved too."""
    record = segments.find(session, segment)
    if record is not None and record.state in (SegmentState.SUBMITTED, SegmentState.APPROVED):
        segments.edit(session, segment, record.card, revision=record.revision, person=person, now=now)
        work.trace(session, "segment.edit", segment, person, detail="text")


def _speakable(wording: Wording) -> SpeechOrder:
    if left := unfilled(wording.body):
        places = ", ".join(left[:5])
        raise Refused(
            _wrong(
                "body",
                f"Còn chỗ chưa điền: {places}. Hãy điền hoặc xóa rồi tạo giọng nói.",
                f"Places are left to fill: {places}. Fill or delete them first.",
            )
        )
    said = reading(wording).spoken.strip()
    if not any(letter.isalnum() for letter in said):
        raise Refused(_wrong("body", "Hãy viết lời đọc.", "Write what is to be said."))
    offered = [(engine.name, voice.name) for engine, voice in speaking.voices(services().speech)]
    if (wording.engine, wording.voice) not in offered:
        raise Refused(_wrong("voice", "Hãy chọn giọng đọc.", "Choose a voice."))
    if wording.language != "vi":
        raise Refused(
            _wrong(
                "voice",
                "Máy chỉ đọc được tiếng Việt. Lời tiếng Hrê cần người đọc và ghi âm.",
                "The machine speaks Vietnamese only. A text in Hrê is read and recorded by a person.",
            )
        )
    return SpeechOrder(engine=wording.engine, voice=wording.voice, pace=Pace(wording.pace), said=said)


def _receive(session: Session, segment: SegmentId, wording: Wording, person: Person, now: datetime) -> None:
    card = work.checked_card(session, _card(wording), person)
    segments.receive(
        session,
        segment=segment,
        card=card,
        uploader=person,
        file_name="",
        now=now,
        most_drafts=services().settings.most_drafts,
    )
    work.trace(session, "segment.create", segment, person)


def _again(session: Session, before: SegmentRecord, wording: Wording, person: Person, now: datetime) -> None:
    work.require(person, "segments.create", before.card.owner)
    card = replace(before.card, title=wording.title, topics=wording.topics, kind=wording.kind, author=wording.author)
    if card != before.card:
        segments.edit(session, before.id, card, revision=before.revision, person=person, now=now)
    revision = before.revision + (1 if card != before.card else 0)
    segments.resound(session, before.id, revision=revision, person=person, now=now)
    work.trace(session, "segment.resound", before.id, person)


def _card(wording: Wording) -> Card:
    return Card(
        owner=wording.owner,
        station=wording.station,
        programme=wording.programme,
        title=wording.title,
        kind=wording.kind,
        topics=wording.topics,
        language=wording.language,
        author=wording.author,
    )


def _checked(session: Session, wording: Wording, person: Person) -> Wording:
    """Return the wording with its owner set from the station. Raises Unknown, NotAllowed, Refused."""
    card = work.checked_card(session, _card(wording), person)
    airs_on = None
    if wording.airs_at is not None:
        wanted = wording.airs_on or wording.station
        if wanted is None:
            raise Refused(_wrong("airs_on", "Hãy chọn đài phát.", "Choose the station that airs it."))
        airs_on = work.station_of(session, wanted, person).code
    return replace(wording, owner=card.owner, airs_on=airs_on)


def _own(session: Session, script: ScriptId, person: Person, permission: str, *, removed: bool = False) -> Script:
    found = scripts.find(session, script, removed=removed)
    if found is None or found.wording.owner not in reach(person):
        raise Unknown(work.no_such("script_unknown", "Không có lời đọc này.", "There is no such text."))
    station = stations.find(session, found.wording.station) if found.wording.station else None
    work.require(person, permission, station or found.wording.owner)
    return found


def _expect(script: Script, revision: int) -> None:
    if script.revision != revision:
        raise Conflict(
            work.no_such(
                "changed_meanwhile",
                "Lời này đã được sửa sau khi anh/chị mở. Chưa tạo giọng nói.",
                "This text was changed after you opened it. Nothing was spoken.",
            )
        )


def _wrong(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))
