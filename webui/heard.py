"""Who has to have heard what before it goes on: a spoken text its submitter, a long item its approver."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from schedules.errors import Conflict
from schedules.findings import Finding, Severity
from schedules.segment import SegmentState
from schedules.station import UnitCode, units_above
from schedules.text import Text
from store import authority, listening, scripts, units
from store.accounts import Person
from store.listening import NOTHING, Heard
from store.segments import SegmentRecord

LONG_S = 900
"""Items longer than this are heard whole before they are approved, where no unit decided otherwise (test S33)."""


def of(session: Session, record: SegmentRecord, person: Person) -> Heard:
    """Return what the person heard of the recording's present version."""
    if record.audio is None:
        return NOTHING
    found = listening.of_person(session, person, {record.id: record.audio.sha256}).get(record.id, NOTHING)
    return Heard(ranges=found.ranges, length_s=length_s(record), heard_s=found.heard_s)


def length_s(record: SegmentRecord) -> int:
    """Return the recording's length in whole seconds, as its player counts them."""
    return int(record.duration_s or 0.0)


def longest_unheard_s(session: Session, unit: UnitCode) -> int | None:
    """Return up to which length items of the unit may be approved unheard; None: whatever their length."""
    return limits(session, (unit,))[unit]


def limits(session: Session, wanted: Collection[UnitCode]) -> dict[UnitCode, int | None]:
    """Return the same for several units at once."""
    if authority.value(session, authority.HEAR_ALL):
        return dict.fromkeys(wanted, 0)
    tree = units.every(session)
    lines = {unit: [unit, *units_above(tree, unit)] for unit in wanted}
    decided = listening.rules(session, {one for line in lines.values() for one in line})
    return {unit: next((decided[one] for one in line if one in decided), LONG_S) for unit, line in lines.items()}


def must_be_whole(session: Session, record: SegmentRecord) -> bool:
    """Return whether the recording has to be heard whole before it is approved."""
    limit_s = longest_unheard_s(session, record.card.owner)
    return limit_s is not None and length_s(record) > limit_s


def before_submitting(session: Session, record: SegmentRecord, person: Person) -> None:
    """Raise Conflict where a machine spoke the recording and the person has not heard it to its end."""
    script = scripts.of_segment(session, record.id)
    if script is None or not script.spoken or record.audio is None:
        return
    if record.state is SegmentState.READY and record.reason is not None:
        raise Conflict(
            Finding(
                code="not_respoken",
                severity=Severity.ERROR,
                message=Text(
                    "Lần tạo giọng nói vừa rồi không thành, nên tiếng và lời có thể khác nhau. Chưa trình duyệt.",
                    "The last speaking failed, so sound and text may differ. It was not submitted.",
                ),
                hint=Text("Hãy mở lời bài và tạo lại giọng nói.", "Open the text and have it spoken again."),
            )
        )
    heard = of(session, record, person)
    if not heard.whole:
        raise Conflict(_unheard(heard, Text("Chưa trình duyệt.", "It was not submitted.")))


def before_approving(
    session: Session, record: SegmentRecord, person: Person, *, sha256: str, by_program: bool, now: datetime
) -> None:
    """Keep how much the person heard; raise Conflict where the unit wants all of it heard.

    by_program: a token speaks. A program hears nothing: who gave it the token answers for that, and the record says 0.
    """
    heard = of(session, record, person)
    if record.audio is None or record.audio.sha256 != sha256:
        return
    if not by_program and not heard.whole and must_be_whole(session, record):
        raise Conflict(_unheard(heard, Text("Chưa duyệt.", "It was not approved.")))
    listening.keep_approval(
        session, segment=record.id, sha256=sha256, revision=record.revision, person=person, heard=heard, now=now
    )


def clock(seconds: int) -> str:
    """Return 2:10 or 1:02:10."""
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def _unheard(heard: Heard, outcome: Text) -> Finding:
    amount = f"{clock(heard.heard_s)}/{clock(heard.length_s)}"
    return Finding(
        code="not_heard",
        severity=Severity.ERROR,
        message=Text(
            f"Bài này phải được nghe hết trước; mới nghe {amount}. {outcome.vi}",
            f"This has to be heard to its end first; {amount} was heard. {outcome.en}",
        ),
        hint=Text("Hãy bấm ▶ và nghe hết, rồi làm lại.", "Press ▶, listen to the end, then do it again."),
    )
