"""Recordings over the API: upload, card, approval, and listening."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify, request, send_file

from audio.peaks import peaks
from schedules.errors import Conflict, Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.segment import Priority, SegmentId, SegmentState
from schedules.text import Text
from store import segments
from store.segments import Card, SegmentRecord
from webui import work
from webui.api.documents import (
    Approval,
    CardChange,
    Count,
    EventOut,
    PeaksOut,
    ReasonIn,
    Received,
    SegmentOut,
    SegmentsAsked,
    TrimIn,
    Upload,
)
from webui.api.openapi import content, many
from webui.api.pages import with_next
from webui.auth import allowed, current_person
from webui.problems import language
from webui.services import services

bp = APIBlueprint("segments", __name__, tag="segments")

_MOST_TOPICS = 26


@bp.post("/segments")
@bp.input(Upload, location="form_and_files", arg_name="card")
@bp.output(Received, status_code=202)
@bp.doc(summary="Send a recording: the file `audio` with its card; it is analysed afterwards")
@allowed("segments.create")
def create(card: Upload) -> Any:  # noqa: ANN401 - APIFlask's pairs of document and headers
    """Take a recording in."""
    file = request.files.get("audio")
    if file is None:
        raise Refused(_finding("audio_missing", "Thiếu tệp âm thanh “audio”.", "The file `audio` is missing.", "audio"))
    record = work.receive_upload(
        stream=file.stream,
        file_name=file.filename or "",
        card=card_of(card, request.form.getlist("topics")),
        person=current_person(),
    )
    return Received(id=record.id, state=record.state), 202, {"Location": f"/api/v1/segments/{record.id}"}


@bp.get("/segments")
@bp.input(SegmentsAsked, location="query", arg_name="asked")
@bp.output(many(SegmentOut))
@bp.doc(summary="Recordings of the units that one reaches, newest first")
@allowed("segments.read")
def listing(asked: SegmentsAsked) -> Response:
    """Return a page of recordings; `Link: rel=next` leads to the next one."""
    person = current_person()
    with services().database.reading() as session:
        found = segments.listing(
            session,
            owners=person.reach,
            states=_states(asked.state),
            station=asked.station,
            programme=asked.programme,
            before=asked.before,
            limit=asked.limit + 1,
        )
    page = found[: asked.limit]
    rows = jsonify([_document(record).model_dump(mode="json") for record in page])
    return with_next(rows, {"before": page[-1].id} if len(found) > asked.limit else None)


@bp.get("/segments/<segment>")
@bp.output(SegmentOut)
@bp.doc(summary="One recording")
@allowed("segments.read")
def one(segment: SegmentId) -> SegmentOut:
    """Return a recording."""
    return _one(segment)


@bp.patch("/segments/<segment>")
@bp.input(CardChange, arg_name="change")
@bp.output(SegmentOut)
@bp.doc(summary="Change the card; it then needs a new approval")
@allowed("segments.create")
def change_card(segment: SegmentId, change: CardChange) -> SegmentOut:
    """Change what is given, and leave the rest."""
    person = current_person()
    card = work.visible_segment(segment, person=person).card
    given = {
        name: value
        for name in change.model_fields_set - {"revision", "topics"}
        if (value := getattr(change, name)) is not None or name.startswith("valid_") or name == "episode"
    }
    if change.priority is not None:
        given["priority"] = Priority(change.priority)
    if change.topics is not None:
        given["topics"] = _topics(change.topics)
    work.edit(segment, card=replace(card, **given), revision=change.revision, person=person)
    return _one(segment)


@bp.post("/segments/<segment>/trim")
@bp.input(TrimIn, arg_name="cut")
@bp.output(SegmentOut, status_code=202)
@bp.doc(summary="Cut off head and tail: a new file, which needs a new approval")
@allowed("segments.create")
def trim(segment: SegmentId, cut: TrimIn) -> Any:  # noqa: ANN401
    """Ask for a shorter file."""
    work.trim(segment, head_s=cut.head_s, tail_s=cut.tail_s, revision=cut.revision, person=current_person())
    return _one(segment), 202


@bp.post("/segments/<segment>/submit")
@bp.output(SegmentOut)
@bp.doc(summary="Ask for approval")
@allowed("segments.submit")
def submit(segment: SegmentId) -> SegmentOut:
    """Ask for approval."""
    work.submit(segment, person=current_person())
    return _one(segment)


@bp.post("/segments/<segment>/approve")
@bp.input(Approval, arg_name="approval")
@bp.output(SegmentOut)
@bp.doc(summary="Approve exactly this audio under exactly this card")
@allowed("segments.approve")
def approve(segment: SegmentId, approval: Approval) -> SegmentOut:
    """Approve."""
    work.approve(segment, sha256=approval.sha256, revision=approval.revision, person=current_person())
    return _one(segment)


@bp.post("/segments/<segment>/return")
@bp.input(ReasonIn, arg_name="why")
@bp.output(SegmentOut)
@bp.doc(summary="Return it to its maker with a reason")
@allowed("segments.approve")
def send_back(segment: SegmentId, why: ReasonIn) -> SegmentOut:
    """Return it."""
    work.send_back(segment, reason=why.reason, person=current_person())
    return _one(segment)


@bp.post("/segments/<segment>/withdraw")
@bp.input(ReasonIn, arg_name="why")
@bp.output(SegmentOut)
@bp.doc(summary="Take it out for good")
@allowed("segments.withdraw")
def withdraw(segment: SegmentId, why: ReasonIn) -> SegmentOut:
    """Take it out."""
    work.withdraw(segment, reason=why.reason, person=current_person())
    return _one(segment)


@bp.get("/segments/<segment>/history")
@bp.output(many(EventOut))
@bp.doc(summary="What happened to it, oldest first")
@allowed("segments.read")
def history(segment: SegmentId) -> list[EventOut]:
    """Return its steps."""
    record = work.visible_segment(segment, person=current_person())
    with services().database.reading() as session:
        return [EventOut.of(event) for event in segments.history(session, record.id)]


@bp.get("/segments/<segment>/audio")
@bp.doc(
    summary="Listen to it; with `?sha256=` only to exactly that version",
    responses=content("audio/flac", "FLAC"),
)
@allowed("segments.read")
def listen(segment: SegmentId) -> Response:
    """Return the canonical file, whole or in parts."""
    record = work.visible_segment(segment, person=current_person())
    sha256 = _sha256(record)
    wanted = request.args.get("sha256")
    if wanted is not None and wanted != sha256:
        raise Conflict(
            _finding(
                "changed_meanwhile",
                "Bài đã có bản mới. Hãy tải lại trang rồi nghe bản mới.",
                "There is a newer version. Reload the page and listen to that one.",
            )
        )
    response = send_file(
        services().library.path(sha256),
        mimetype="audio/flac",
        conditional=True,
        etag=False,
        last_modified=None,
        max_age=None,
    )
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Disposition"] = f'inline; filename="{record.id}.flac"'
    return response


@bp.get("/segments/<segment>/peaks")
@bp.input(Count, location="query", arg_name="asked")
@bp.output(PeaksOut)
@bp.doc(summary="Its waveform")
@allowed("segments.read")
def waveform(segment: SegmentId, asked: Count) -> PeaksOut:
    """Return the heights of its waveform."""
    sha256 = _sha256(work.visible_segment(segment, person=current_person()))
    return PeaksOut(sha256=sha256, peaks=peaks(services().library.path(sha256), count=asked.count))


def card_of(card: Upload, topics: list[str]) -> Card:
    """Return the card that was filled in by the one who asks. topics: each field may hold several, parted by commas."""
    return Card(
        owner=current_person().unit,
        station=card.station or None,
        programme=card.programme,
        title=card.title,
        kind=card.kind,
        topics=_topics([code.strip() for field in topics for code in field.split(",")]),
        language=card.language,
        author=card.author,
        valid_from=card.valid_from,
        valid_until=card.valid_until,
        evergreen=card.evergreen,
        episode=card.episode,
        priority=Priority(card.priority),
    )


def _one(segment: SegmentId) -> SegmentOut:
    return _document(work.visible_segment(segment, person=current_person()))


def _document(record: SegmentRecord) -> SegmentOut:
    return SegmentOut.of(record, language(), progress=work.progress(record.id))


def _sha256(record: SegmentRecord) -> str:
    if record.audio is None or not services().library.has(record.audio.sha256):
        raise Unknown(_finding("no_audio", "Bài này chưa có âm thanh.", "This recording has no audio yet."))
    return record.audio.sha256


def _states(text: str) -> tuple[SegmentState, ...]:
    try:
        return tuple(SegmentState(name.strip()) for name in text.split(",") if name.strip())
    except ValueError as error:
        raise Refused(
            _finding("state_unknown", "Không có trạng thái này.", "There is no such state.", "state")
        ) from error


def _topics(codes: list[str]) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(code for code in codes if code))
    if len(kept) > _MOST_TOPICS or any(len(code) > 40 for code in kept):
        raise Refused(_finding("topics_wrong", "Danh sách chủ đề không hợp lệ.", "The topics are not valid.", "topics"))
    return kept


def _finding(code: str, vi: str, en: str, where: str = "") -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=Text(vi, en), where=where)
