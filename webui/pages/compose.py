"""Tin, bài mới: record it or pick a file, fill in its card, and know what happens if nobody does anything."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, current_app, flash, jsonify, request, url_for
from flask import redirect as lead
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.duty import DutyStanding, DutyState
from schedules.errors import Refused
from schedules.findings import Finding
from schedules.segment import SegmentKind
from schedules.station import Station
from schedules.text import Text
from store import uploads
from store.scripts import Script
from webui import uploading, work, writing
from webui.auth import allowed
from webui.pages import states
from webui.pages.formats import deadline, megabytes, moment_short
from webui.pages.items import Filled, card_from, card_values, filled_card, problem
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import Scope, door, now, scope
from webui.services import services

_TABS = frozenset({"record", "file"})
# The page where a text becomes sound, where there is one.
_TEXT_PAGE = "pages.new_text"


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyAhead:
    """A duty that is still to be met, beside the form. fallback: what happens if nobody does anything."""

    name: str
    mark: states.Mark
    deadline_words: str
    fallback: Text | None


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/bai/moi", "new_item", new_item, methods=["GET", "POST"])
    pages.add_url_rule("/bai/dang-gui/<upload>/huy", "cancel_upload", cancel_upload, methods=["POST"])


@allowed("segments.create")
def new_item() -> AnyResponse:
    """Show the form, take a recording in with it, or expect one that follows in parts."""
    mine = scope()
    if request.method == "GET":
        station = mine.chosen()
        filled = Filled(
            station=station.code if station else "",
            programme=request.args.get("chuyen_muc", ""),
            title=request.args.get("ten", "")[:200],
            kind=request.args.get("the_loai", SegmentKind.BAI.value),
            topics=tuple(request.args.getlist("chu_de")),
        )
        script = _script(mine, request.args.get("van_ban", ""))
        return _form(mine, filled if script is None else _of_script(script), (), script=script)
    script = _script(mine, request.form.get("van_ban", ""))
    return _expect(mine, script) if "length" in request.form else _take(mine, script)


@allowed("segments.create")
def cancel_upload(upload: str) -> AnyResponse:
    """Give up a file on its way, such as one begun on another machine; what was sent of it goes."""
    mine = scope()
    try:
        uploading.end(upload, person=mine.person)
    except uploading.UploadBusy as busy:
        for finding in busy.findings:
            flash(say(finding.message), "bad")
    else:
        flash(_("Đã hủy. Phần đã gửi của tệp đó không còn."), "done")
    return lead(url_for("pages.new_item"), 303)


def _take(mine: Scope, script: Script | None) -> AnyResponse:
    """Take a recording that came along with the form: browsers without script."""
    filled = filled_card()
    card, problems = card_from(mine, filled)
    file = request.files.get("audio")
    if file is None or not file.filename:
        problems = (*problems, problem("audio", "Hãy chọn tệp âm thanh.", "Choose an audio file."))
    if problems or card is None or file is None:
        return _form(mine, filled, problems, script=script, code=422)
    try:
        record = work.receive_upload(stream=file.stream, file_name=file.filename or "", card=card, person=mine.person)
    except Refused as refused:
        return _form(mine, filled, refused.findings, script=script, code=422)
    if script is not None:
        with contextlib.suppress(Refused):
            writing.attach(script.id, record.id, person=mine.person)
    return lead(url_for("pages.item", segment=record.id), 303)


def _expect(mine: Scope, script: Script | None) -> AnyResponse:
    """Check the card before the first byte is sent, and say where the parts go."""
    card, problems = card_from(mine, filled_card())
    length = request.form["length"]
    if not length.isascii() or not length.isdigit() or len(length) > 15:
        problems = (*problems, problem("audio", "Hãy chọn tệp âm thanh.", "Choose an audio file."))
    if problems or card is None:
        return _refused(problems)
    try:
        found = uploading.begin(
            length=int(length),
            name=request.form.get("file_name", ""),
            said="",
            card=card,
            person=mine.person,
            script=None if script is None else script.id,
        )
    except Refused as refused:
        return _refused(refused.findings)
    return jsonify({"upload": f"/api/v1/uploads/{found.id}"})


def _refused(problems: Sequence[Finding]) -> Response:
    words = " ".join(f"{say(p.message)} {say(p.hint)}".strip() for p in problems)
    response = jsonify({"message": words, "fields": [p.where for p in problems if p.where]})
    response.status_code = 422
    return response


def _script(mine: Scope, script: str) -> Script | None:
    """Return the text that is to be read aloud, where the address or form names one that waits for its recording."""
    if not script:
        return None
    found = writing.text(script, person=mine.person, permission="segments.create")
    return found if found.segment is None else None


def _of_script(script: Script) -> Filled:
    wording = script.wording
    return Filled(
        title=wording.title,
        station=wording.station or "",
        programme=wording.programme,
        kind=wording.kind.value,
        topics=wording.topics,
        author=wording.author,
        language=wording.language,
    )


def _form(
    mine: Scope, filled: Filled, problems: Sequence[Finding], *, script: Script | None = None, code: int = 200
) -> Response:
    limit = services().settings.max_upload_bytes
    station = next((one for one in mine.stations if one.code == filled.station), None)
    duties = _duties_ahead(station)
    asked = request.args.get("cach", "")
    with services().database.reading() as session:
        sending = uploads.of_person(session, mine.person.id, now())
    return page(
        "item_new.html",
        active="new" if mine.person.role.value == "operator" else "items",
        code=code,
        script=script,
        sending=sending,
        max_bytes=limit,
        max_text=megabytes(limit),
        tab=asked if asked in _TABS else "file" if problems else "",
        text_url=url_for(_TEXT_PAGE) if _TEXT_PAGE in current_app.view_functions else "",
        answer=_answer(mine, filled.programme),
        chance=_chance(mine, filled.programme, duties, station),
        duties=[_ahead(duty, station) for duty in duties] if station else [],
        **card_values(mine, filled, problems),
    )


def _answer(mine: Scope, programme: str) -> str:
    if programme in mine.programmes:
        return _("Làm bài cho chuyên mục %(name)s.", name=mine.programme_name(programme))
    return _("Ghi âm hoặc tải tệp lên, điền thông tin, rồi gửi bài.")


def _chance(mine: Scope, programme: str, duties: Sequence[DutyStanding], station: Station | None) -> str:
    """Return until when it has to be approved to be in time for the programme's next window."""
    for duty in duties:
        ahead = [one for one in duty.chances if one.start > now()]
        if station and ahead and mine.duty_programme(duty.duty) == programme:
            start: datetime = ahead[0].start
            return _("Cần được duyệt trước %(time)s để kịp khung gần nhất.", time=moment_short(start, station.zone))
    return ""


def _duties_ahead(station: Station | None) -> tuple[DutyStanding, ...]:
    its = door(station.code) if station else None
    if station is None or its is None:
        return ()
    # No stretch of time: how duties stand is told without a rundown.
    standing = its.plan(now(), now()).duties
    return tuple(duty for duty in standing if duty.state in (DutyState.PLANNED, DutyState.AT_RISK))


def _ahead(duty: DutyStanding, station: Station) -> DutyAhead:
    return DutyAhead(
        name=duty.name,
        mark=states.DUTIES[duty.state],
        deadline_words=_("Phải phát xong trước %(time)s.", time=deadline(duty.deadline, station.zone)),
        fallback=duty.fallback,
    )
