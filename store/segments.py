"""Recordings on their way from upload to the air: each step a conditional update, each one in the history."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, case, func, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.errors import Conflict, NotAllowed, Refused, TooMany, Unknown
from schedules.findings import Finding, Severity
from schedules.programme import ProgrammeCode
from schedules.segment import SAMPLE_RATE_HZ, Priority, Segment, SegmentId, SegmentKind, SegmentState
from schedules.station import StationCode, UnitCode
from schedules.text import Text
from store import findingjson, tables
from store.accounts import Person
from store.revision import bump
from store.rows import changed

_TABLE = tables.segment
_EVENT = tables.segment_event

DRAFTS = (SegmentState.RECEIVED, SegmentState.ANALYSING, SegmentState.READY, SegmentState.RETURNED)
_CHANGEABLE = (SegmentState.READY, SegmentState.RETURNED, SegmentState.SUBMITTED, SegmentState.APPROVED)
_LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What people write about a recording.

    station: whose loudspeakers it is for; None for a unit's own library. owner: the unit whose library it is in.
    origin: own, above (from a unit above) or source (the source information system).
    episode: its number in a series, None outside of one. priority: a slot takes it before those of lower priority.
    """

    owner: UnitCode
    station: StationCode | None
    programme: ProgrammeCode
    title: str
    kind: SegmentKind = SegmentKind.BAI
    topics: tuple[str, ...] = ()
    language: str = "vi"
    author: str = ""
    origin: str = "own"
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    evergreen: bool = False
    episode: int | None = None
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """What was found out about the canonical file; units as in audio.ingest."""

    sha256: str
    pcm_sha256: str
    samples: int
    loudness_lufs: float
    true_peak_dbtp: float
    gain_db: float
    head_silence_s: float
    tail_silence_s: float
    source_format: str
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRecord:
    """One recording as the authority knows it. audio is None until it was analysed.

    revision: grows with every change of card or audio; an approval names it. audio_by: who caused the sound in it.
    trim_head_s, trim_tail_s: cut from the source so far. pending_head_s, pending_tail_s: asked for on top of that.
    original: the source is the kept upload; else it is the library's file. attempts: how often analysis was begun.
    """

    id: SegmentId
    card: Card
    state: SegmentState
    revision: int
    reason: Text | None
    audio: Audio | None
    file_name: str
    attempts: int
    original: bool
    trim_head_s: float
    trim_tail_s: float
    pending_head_s: float
    pending_tail_s: float
    uploader: str
    uploader_name: str
    audio_by: str
    created_at: datetime
    updated_at: datetime
    approver: str | None
    approver_name: str | None
    approved_at: datetime | None
    self_approved: bool

    @property
    def duration_s(self) -> float | None:
        """Length in seconds, None until it was analysed."""
        return None if self.audio is None else self.audio.samples / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One step in a recording's history. person_name is None where Loa itself did it."""

    at: datetime
    person_name: str | None
    what: str
    revision: int
    reason: str


def receive(
    session: Session,
    *,
    segment: SegmentId,
    card: Card,
    uploader: Person,
    file_name: str,
    now: datetime,
    most_drafts: int,
) -> SegmentRecord:
    """Keep the card of a file that has arrived whole. Raises TooMany where the person has `most_drafts` already."""
    drafts = session.scalar(
        select(func.count())
        .select_from(_TABLE)
        .where(_TABLE.c.uploader == uploader.id, _TABLE.c.state.in_([state.value for state in DRAFTS]))
    )
    if (drafts or 0) >= most_drafts:
        raise TooMany(
            Finding(
                code="too_many_drafts",
                severity=Severity.ERROR,
                message=Text(
                    f"Đã có {drafts} bản nháp chưa trình duyệt. Bài mới chưa được nhận.",
                    f"There are {drafts} drafts not yet submitted. The new recording was not taken.",
                ),
                hint=Text(
                    "Hãy trình duyệt hoặc thu hồi bớt bản nháp rồi gửi lại.",
                    "Submit or withdraw some drafts, then send it again.",
                ),
            )
        )
    session.execute(
        insert(_TABLE).values(
            id=segment,
            **_card_values(card),
            state=SegmentState.RECEIVED.value,
            revision=1,
            reason_vi="",
            reason_en="",
            warnings=[],
            file_name=file_name[:200],
            source_format="",
            original=True,
            trim_head_s=0.0,
            trim_tail_s=0.0,
            **_NOTHING_PENDING,
            samples=0,
            uploader=uploader.id,
            audio_by=uploader.id,
            created_at=now,
            updated_at=now,
            self_approved=False,
        )
    )
    _note(session, segment, now, "received", person=uploader, revision=1)
    return _must(session, segment)


def claim(session: Session, segment: SegmentId, now: datetime) -> bool:
    """Begin (or begin again) the analysis; False where there is nothing to analyse."""
    waiting = [SegmentState.RECEIVED.value, SegmentState.ANALYSING.value]
    return (
        changed(
            session,
            update(_TABLE)
            .where(_TABLE.c.id == segment, _TABLE.c.state.in_(waiting))
            .values(state=SegmentState.ANALYSING.value, attempts=_TABLE.c.attempts + 1, updated_at=now),
        )
        == 1
    )


def finish(session: Session, segment: SegmentId, audio: Audio, now: datetime) -> bool:
    """Keep what the analysis gave; False where the recording was withdrawn meanwhile."""
    done = _move(
        session,
        segment,
        (SegmentState.ANALYSING,),
        SegmentState.READY,
        now,
        values={
            "sha256": audio.sha256,
            "pcm_sha256": audio.pcm_sha256,
            "samples": audio.samples,
            "loudness_lufs": audio.loudness_lufs,
            "true_peak_dbtp": audio.true_peak_dbtp,
            "gain_db": audio.gain_db,
            "head_silence_s": audio.head_silence_s,
            "tail_silence_s": audio.tail_silence_s,
            "source_format": audio.source_format[:80],
            "warnings": findingjson.dump(audio.warnings),
            # The library's file has lost what was cut from it; the original still has everything.
            "trim_head_s": case((_TABLE.c.original, _TABLE.c.trim_head_s + _TABLE.c.pending_head_s), else_=0.0),
            "trim_tail_s": case((_TABLE.c.original, _TABLE.c.trim_tail_s + _TABLE.c.pending_tail_s), else_=0.0),
            **_NOTHING_PENDING,
            **_NO_REASON,
        },
    )
    if done:
        _note(session, segment, now, "ready", revision=_must(session, segment).revision, sha256=audio.sha256)
    return done


def refuse(session: Session, segment: SegmentId, findings: Collection[Finding], now: datetime) -> bool:
    """Keep why it cannot be used. One that had audio before (a failed trim) stays ready with that audio."""
    had_audio = _must(session, segment).audio is not None
    state = SegmentState.READY if had_audio else SegmentState.REFUSED
    vi, en = _sentences(findings)
    done = _move(
        session,
        segment,
        (SegmentState.ANALYSING, SegmentState.RECEIVED),
        state,
        now,
        values={"reason_vi": vi, "reason_en": en, **_NOTHING_PENDING},
    )
    if done:
        _note(session, segment, now, "refused", revision=_must(session, segment).revision, reason=vi)
    return done


def edit(session: Session, segment: SegmentId, card: Card, *, revision: int, person: Person, now: datetime) -> None:
    """Change the card: a new revision that needs a new approval. Raises Conflict where it changed meanwhile."""
    before = _must(session, segment)
    if not _move(
        session,
        segment,
        _CHANGEABLE,
        SegmentState.READY,
        now,
        expected_revision=revision,
        values={"revision": revision + 1, **_card_values(card), **_UNAPPROVED},
    ):
        raise _changed_meanwhile(before)
    _note(session, segment, now, "edited", person=person, revision=revision + 1)
    _bump_if_approved(session, before)


def trim(
    session: Session,
    segment: SegmentId,
    *,
    head_s: float,
    tail_s: float,
    revision: int,
    person: Person,
    now: datetime,
) -> None:
    """Ask for a new file without `head_s` at its start and `tail_s` at its end; it then needs a new approval."""
    before = _must(session, segment)
    if not _move(
        session,
        segment,
        _CHANGEABLE,
        SegmentState.RECEIVED,
        now,
        expected_revision=revision,
        values={
            "revision": revision + 1,
            "audio_by": person.id,
            **_NOTHING_PENDING,
            "pending_head_s": head_s,
            "pending_tail_s": tail_s,
            **_NO_REASON,
            **_UNAPPROVED,
        },
    ):
        raise _changed_meanwhile(before)
    _note(session, segment, now, "trimmed", person=person, revision=revision + 1)
    _bump_if_approved(session, before)


def resound(session: Session, segment: SegmentId, *, revision: int, person: Person, now: datetime) -> None:
    """Take the kept original, which is a new one, in the place of its sound; it then needs a new approval."""
    before = _must(session, segment)
    if not _move(
        session,
        segment,
        _CHANGEABLE,
        SegmentState.RECEIVED,
        now,
        expected_revision=revision,
        values={
            "revision": revision + 1,
            "audio_by": person.id,
            "original": True,
            "trim_head_s": 0.0,
            "trim_tail_s": 0.0,
            **_NOTHING_PENDING,
            **_NO_REASON,
            **_UNAPPROVED,
        },
    ):
        raise _changed_meanwhile(before)
    _note(session, segment, now, "respoken", person=person, revision=revision + 1)
    _bump_if_approved(session, before)


def submit(session: Session, segment: SegmentId, *, person: Person, now: datetime) -> None:
    """Ask for approval. Raises Conflict where it is not ready."""
    before = _must(session, segment)
    if not _move(
        session,
        segment,
        (SegmentState.READY, SegmentState.RETURNED),
        SegmentState.SUBMITTED,
        now,
        expected_revision=before.revision,
        values=_NO_REASON,
    ):
        raise _wrong_state(_must(session, segment), Text("Chưa trình duyệt được.", "It cannot be submitted now."))
    _note(session, segment, now, "submitted", person=person, revision=before.revision)


def approve(
    session: Session,
    segment: SegmentId,
    *,
    sha256: str,
    revision: int,
    person: Person,
    now: datetime,
    self_approval: bool,
) -> None:
    """Approve exactly this audio under exactly this card. Bumps the intent.

    Raises Conflict where state, hash or revision differ; NotAllowed where the person made the recording
    and `self_approval` (the station's setting) does not permit that.
    """
    before = _must(session, segment)
    own = person.id in {before.uploader, before.audio_by}
    if own and not self_approval:
        raise NotAllowed(
            Finding(
                code="four_eyes",
                severity=Severity.ERROR,
                message=Text(
                    "Người làm bài không tự duyệt bài của mình. Chưa duyệt.",
                    "Whoever made a recording cannot approve it. It was not approved.",
                ),
                hint=Text("Hãy nhờ một người duyệt khác.", "Ask another approver."),
            )
        )
    if before.state is not SegmentState.SUBMITTED:
        raise _wrong_state(before, Text("Chưa duyệt.", "It was not approved."))
    if before.audio is None or not _move(
        session,
        segment,
        (SegmentState.SUBMITTED,),
        SegmentState.APPROVED,
        now,
        expected_revision=revision,
        expected_sha256=sha256,
        values={
            "approver": person.id,
            "approved_at": now,
            "self_approved": own,
            # The kept original goes: from now on the approved file is the source of every trim.
            "original": False,
            "trim_head_s": 0.0,
            "trim_tail_s": 0.0,
        },
    ):
        raise _changed_meanwhile(before)
    _note(session, segment, now, "approved", person=person, revision=revision, sha256=sha256)
    bump(session)


def send_back(session: Session, segment: SegmentId, *, reason: str, person: Person, now: datetime) -> None:
    """Return it to its maker with a reason. Raises Conflict where it is not submitted, Refused without a reason."""
    reason = _reason(reason)
    before = _must(session, segment)
    if not _move(
        session,
        segment,
        (SegmentState.SUBMITTED,),
        SegmentState.RETURNED,
        now,
        expected_revision=before.revision,
        values={"reason_vi": reason, "reason_en": reason},
    ):
        raise _wrong_state(_must(session, segment), Text("Chưa trả lại.", "It was not returned."))
    _note(session, segment, now, "returned", person=person, revision=before.revision, reason=reason)


def take_back(session: Session, segment: SegmentId, *, person: Person, since: datetime, now: datetime) -> None:
    """Undo the person's own last word on it, approval or return, spoken after `since`: it waits for approval again.

    Raises Conflict where the last word was another one, somebody else's, or is older.
    """
    before = _must(session, segment)
    last = session.execute(
        select(_EVENT.c.what, _EVENT.c.person, _EVENT.c.at)
        .where(_EVENT.c.segment == segment)
        .order_by(_EVENT.c.id.desc())
        .limit(1)
    ).one()
    mine = last.what in {"approved", "returned"} and last.person == person.id and last.at >= since
    decided = (SegmentState.APPROVED, SegmentState.RETURNED)
    if not mine or not _move(
        session,
        segment,
        decided,
        SegmentState.SUBMITTED,
        now,
        expected_revision=before.revision,
        values={**_UNAPPROVED, **_NO_REASON},
    ):
        raise _wrong_state(before, Text("Không hoàn tác được nữa.", "It can no longer be undone."))
    _note(session, segment, now, "taken_back", person=person, revision=before.revision)
    _bump_if_approved(session, before)


def withdraw(session: Session, segment: SegmentId, *, reason: str, person: Person, now: datetime) -> None:
    """Take it out for good, an approved one out of the intent at once. Raises Conflict where it is out already."""
    reason = _reason(reason)
    before = _must(session, segment)
    alive = tuple(state for state in SegmentState if state not in {SegmentState.WITHDRAWN, SegmentState.REFUSED})
    if not _move(
        session,
        segment,
        alive,
        SegmentState.WITHDRAWN,
        now,
        values={"reason_vi": reason, "reason_en": reason, "original": False},
    ):
        raise _wrong_state(_must(session, segment), Text("Chưa thu hồi.", "It was not withdrawn."))
    _note(session, segment, now, "withdrawn", person=person, revision=before.revision, reason=reason)
    _bump_if_approved(session, before)


def find(session: Session, segment: SegmentId) -> SegmentRecord | None:
    """Return the recording, or None."""
    row = session.execute(_select().where(_TABLE.c.id == segment)).one_or_none()
    return None if row is None else _record(row)


def listing(
    session: Session,
    *,
    owners: Collection[UnitCode] | None = None,
    states: Collection[SegmentState] = (),
    station: StationCode | None = None,
    programme: ProgrammeCode | None = None,
    uploader: str | None = None,
    before: SegmentId | None = None,
    limit: int = 50,
) -> tuple[SegmentRecord, ...]:
    """Return recordings, newest first. owners: only of these units. before: the last id of the page before."""
    query = _select().order_by(_TABLE.c.created_at.desc(), _TABLE.c.id.desc()).limit(limit)
    if owners is not None:
        query = query.where(_TABLE.c.owner.in_(owners))
    if states:
        query = query.where(_TABLE.c.state.in_([state.value for state in states]))
    if station is not None:
        query = query.where(_TABLE.c.station == station)
    if programme is not None:
        query = query.where(_TABLE.c.programme == programme)
    if uploader is not None:
        query = query.where(_TABLE.c.uploader == uploader)
    if before is not None:
        mark = session.scalar(select(_TABLE.c.created_at).where(_TABLE.c.id == before))
        if mark is None:
            return ()
        query = query.where(or_(_TABLE.c.created_at < mark, and_(_TABLE.c.created_at == mark, _TABLE.c.id < before)))
    return tuple(_record(row) for row in session.execute(query))


def history(session: Session, segment: SegmentId) -> tuple[Event, ...]:
    """Return what happened to it, oldest first."""
    rows = session.execute(
        select(_EVENT, tables.person.c.full_name)
        .outerjoin(tables.person, tables.person.c.id == _EVENT.c.person)
        .where(_EVENT.c.segment == segment)
        .order_by(_EVENT.c.id)
    )
    return tuple(
        Event(at=row.at, person_name=row.full_name, what=row.what, revision=row.revision, reason=row.reason)
        for row in rows
    )


def unfinished(session: Session) -> tuple[SegmentRecord, ...]:
    """Return those whose analysis is still to be done, oldest first."""
    waiting = [SegmentState.RECEIVED.value, SegmentState.ANALYSING.value]
    rows = session.execute(_select().where(_TABLE.c.state.in_(waiting)).order_by(_TABLE.c.updated_at, _TABLE.c.id))
    return tuple(_record(row) for row in rows)


def airable(session: Session, owners: Collection[UnitCode] | None = None) -> tuple[Segment, ...]:
    """Return the approved ones, as planning knows them, in order of id. owners: only of these units, None for all."""
    query = _select().where(_TABLE.c.state == SegmentState.APPROVED.value)
    if owners is not None:
        query = query.where(_TABLE.c.owner.in_(owners))
    rows = session.execute(query.order_by(_TABLE.c.id))
    return tuple(as_segment(_record(row)) for row in rows)


def as_segment(record: SegmentRecord) -> Segment:
    """Return an approved recording as planning knows it. Raises ValueError for one that is not approved."""
    if record.audio is None or record.approved_at is None or record.state is not SegmentState.APPROVED:
        raise ValueError(f"segment {record.id} is not approved")
    return Segment(
        id=record.id,
        owner=record.card.owner,
        programme=record.card.programme,
        title=record.card.title,
        kind=record.card.kind,
        sha256=record.audio.sha256,
        pcm_sha256=record.audio.pcm_sha256,
        samples=record.audio.samples,
        approved_at=record.approved_at,
        approved_by=record.approver_name or "",
        topics=record.card.topics,
        language=record.card.language,
        valid_from=record.card.valid_from,
        valid_until=record.card.valid_until,
        evergreen=record.card.evergreen,
        self_approved=record.self_approved,
        episode=record.card.episode,
        priority=record.card.priority,
    )


def hashes_to_keep(session: Session) -> frozenset[str]:
    """Return the hashes of all audio that is, or ever was, of use; the rest of the library may go."""
    ever_approved = select(_EVENT.c.sha256).where(_EVENT.c.what == "approved")
    alive = select(_TABLE.c.sha256).where(_TABLE.c.sha256.is_not(None), _TABLE.c.state != SegmentState.WITHDRAWN.value)
    return frozenset(session.scalars(ever_approved)) | frozenset(
        sha256 for sha256 in session.scalars(alive) if sha256 is not None
    )


def originals_to_keep(session: Session) -> frozenset[SegmentId]:
    """Return the ids whose uploaded original is still needed: those not yet approved, refused or withdrawn."""
    needed = [SegmentState.SUBMITTED.value, *(state.value for state in DRAFTS)]
    return frozenset(
        session.scalars(select(_TABLE.c.id).where(_TABLE.c.original.is_(True), _TABLE.c.state.in_(needed)))
    )


_UNAPPROVED: Mapping[str, object] = {"approver": None, "approved_at": None, "self_approved": False}
_NO_REASON: Mapping[str, object] = {"reason_vi": "", "reason_en": ""}
_NOTHING_PENDING: Mapping[str, object] = {"pending_head_s": 0.0, "pending_tail_s": 0.0, "attempts": 0}


def _move(
    session: Session,
    segment: SegmentId,
    sources: Collection[SegmentState],
    target: SegmentState,
    now: datetime,
    *,
    expected_revision: int | None = None,
    expected_sha256: str | None = None,
    values: Mapping[str, object],
) -> bool:
    statement = update(_TABLE).where(_TABLE.c.id == segment, _TABLE.c.state.in_([state.value for state in sources]))
    if expected_revision is not None:
        statement = statement.where(_TABLE.c.revision == expected_revision)
    if expected_sha256 is not None:
        statement = statement.where(_TABLE.c.sha256 == expected_sha256)
    return changed(session, statement.values(state=target.value, updated_at=now, **values)) == 1


def _note(
    session: Session,
    segment: SegmentId,
    now: datetime,
    what: str,
    *,
    revision: int,
    person: Person | None = None,
    sha256: str | None = None,
    reason: str = "",
) -> None:
    session.execute(
        insert(_EVENT).values(
            segment=segment,
            at=now,
            person=None if person is None else person.id,
            what=what,
            revision=revision,
            sha256=sha256,
            reason=reason[:2000],
        )
    )


def _bump_if_approved(session: Session, before: SegmentRecord) -> None:
    if before.state is SegmentState.APPROVED:
        bump(session)


def _must(session: Session, segment: SegmentId) -> SegmentRecord:
    record = find(session, segment)
    if record is None:
        raise Unknown(
            Finding(
                code="segment_unknown",
                severity=Severity.ERROR,
                message=Text("Không có bài này.", "There is no such recording."),
            )
        )
    return record


def _reason(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > _LONGEST_REASON:
        raise Refused(
            Finding(
                code="reason_missing",
                severity=Severity.ERROR,
                where="reason",
                message=Text(
                    f"Hãy ghi lý do, từ 1 đến {_LONGEST_REASON} ký tự.",
                    f"Give a reason of 1 to {_LONGEST_REASON} characters.",
                ),
            )
        )
    return reason


_STATE_WORDS = {
    SegmentState.RECEIVED: Text("đã nhận, đang kiểm tra", "received, being checked"),
    SegmentState.ANALYSING: Text("đã nhận, đang kiểm tra", "received, being checked"),
    SegmentState.READY: Text("sẵn sàng trình duyệt", "ready to submit"),
    SegmentState.REFUSED: Text("không dùng được", "unusable"),
    SegmentState.SUBMITTED: Text("chờ duyệt", "submitted"),
    SegmentState.APPROVED: Text("đã duyệt", "approved"),
    SegmentState.RETURNED: Text("bị trả lại", "returned"),
    SegmentState.WITHDRAWN: Text("đã thu hồi", "withdrawn"),
}


def _wrong_state(record: SegmentRecord, outcome: Text) -> Conflict:
    words = _STATE_WORDS[record.state]
    return Conflict(
        Finding(
            code="state",
            severity=Severity.ERROR,
            message=Text(
                f"Bài đang ở trạng thái “{words.vi}”. {outcome.vi}",
                f"The recording is {words.en}. {outcome.en}",
            ),
        )
    )


def _changed_meanwhile(record: SegmentRecord) -> Conflict:
    if record.state not in {*_CHANGEABLE}:
        return _wrong_state(record, Text("Chưa có gì thay đổi.", "Nothing was changed."))
    return Conflict(
        Finding(
            code="changed_meanwhile",
            severity=Severity.ERROR,
            message=Text(
                "Bài đã được sửa sau khi anh/chị mở. Thao tác vừa rồi chưa được ghi.",
                "The recording was changed after you opened it. Nothing was saved.",
            ),
            hint=Text(
                "Hãy tải lại trang, nghe lại bản mới rồi làm tiếp.",
                "Reload the page, listen to the new version, then go on.",
            ),
        )
    )


def _sentences(findings: Collection[Finding]) -> tuple[str, str]:
    texts = [text for finding in findings for text in (finding.message, finding.hint) if text is not None]
    return " ".join(text.vi for text in texts)[:2000], " ".join(text.en for text in texts)[:2000]


def _card_values(card: Card) -> dict[str, object]:
    return {
        "owner": card.owner,
        "station": card.station,
        "programme": card.programme,
        "title": card.title,
        "kind": card.kind.value,
        "topics": list(card.topics),
        "language": card.language,
        "author": card.author,
        "origin": card.origin,
        "valid_from": card.valid_from,
        "valid_until": card.valid_until,
        "evergreen": card.evergreen,
        "episode": card.episode,
        "priority": card.priority.value,
    }


def _select() -> Select[Any]:
    uploader = tables.person.alias("uploader_person")
    approver = tables.person.alias("approver_person")
    return (
        select(_TABLE, uploader.c.full_name.label("uploader_name"), approver.c.full_name.label("approver_name"))
        .join(uploader, uploader.c.id == _TABLE.c.uploader)
        .outerjoin(approver, approver.c.id == _TABLE.c.approver)
    )


def _record(row: Row[Any]) -> SegmentRecord:
    return SegmentRecord(
        id=row.id,
        card=Card(
            owner=row.owner,
            station=row.station,
            programme=row.programme,
            title=row.title,
            kind=SegmentKind(row.kind),
            topics=tuple(row.topics),
            language=row.language,
            author=row.author,
            origin=row.origin,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            evergreen=row.evergreen,
            episode=row.episode,
            priority=Priority(row.priority),
        ),
        state=SegmentState(row.state),
        revision=row.revision,
        reason=Text(row.reason_vi, row.reason_en) if row.reason_vi else None,
        audio=None
        if row.sha256 is None
        else Audio(
            sha256=row.sha256,
            pcm_sha256=row.pcm_sha256,
            samples=row.samples,
            loudness_lufs=row.loudness_lufs,
            true_peak_dbtp=row.true_peak_dbtp,
            gain_db=row.gain_db,
            head_silence_s=row.head_silence_s,
            tail_silence_s=row.tail_silence_s,
            source_format=row.source_format,
            warnings=findingjson.load(row.warnings),
        ),
        file_name=row.file_name,
        attempts=row.attempts,
        original=row.original,
        trim_head_s=row.trim_head_s,
        trim_tail_s=row.trim_tail_s,
        pending_head_s=row.pending_head_s,
        pending_tail_s=row.pending_tail_s,
        uploader=row.uploader,
        uploader_name=row.uploader_name,
        audio_by=row.audio_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        approver=row.approver,
        approver_name=row.approver_name,
        approved_at=row.approved_at,
        self_approved=row.self_approved,
    )
