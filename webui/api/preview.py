"""A whole session heard before it airs: what it will hold, and its sound as HLS by short requests."""

from __future__ import annotations

import re

from apiflask import APIBlueprint
from flask import Response, url_for

from audio.composed import Sound, SoundUnreadable, head, piece, playlist
from schedules.errors import SegmentUnplayable, Unknown
from schedules.findings import Finding, Severity
from schedules.station import StationCode
from schedules.text import Text
from webui import hearing, work
from webui.api.documents import SessionOut, Span
from webui.api.openapi import content, many
from webui.api.stations import asked_plan
from webui.auth import allowed, current_person
from webui.problems import language

bp = APIBlueprint("preview", __name__, tag="stations")

_PLAYLIST = "application/vnd.apple.mpegurl"
_PIECE = re.compile(r"(\d{1,6})\.m4s")


@bp.get("/stations/<code>/plan/sessions")
@bp.input(Span, location="query", arg_name="span")
@bp.output(many(SessionOut))
@bp.doc(summary="The sessions of that plan, each with a playlist to hear it whole before it airs")
@allowed("plan.read")
def sessions(code: StationCode, span: Span) -> list[SessionOut]:
    """Return every session with its items' places in the sound, and what is still empty."""
    rundown = asked_plan(code, span)
    return [
        SessionOut.of(
            one, language(), url_for("preview.whole", code=code, key=one.key, _external=False) if one.key else None
        )
        for one in hearing.composed(rundown.items if rundown else ())
    ]


@bp.get("/stations/<code>/preview/<key>/session.m3u8")
@bp.doc(summary="The playlist of a whole session", responses=content(_PLAYLIST, "HLS playlist"))
@allowed("plan.read")
def whole(code: StationCode, key: str) -> Response:
    """Return the playlist; its pieces are made when they are asked for."""
    found = _sounds(code, key)
    response = Response(playlist(sum(sound.samples for sound in found)), content_type=_PLAYLIST)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.get("/stations/<code>/preview/<key>/<name>")
@bp.doc(summary="One piece of a whole session", responses=content("audio/mp4", "Audio"))
@allowed("plan.read")
def part(code: StationCode, key: str, name: str) -> Response:
    """Return one piece of about ten seconds."""
    found = _sounds(code, key)
    number = _PIECE.fullmatch(name)
    try:
        data = head() if name == "head.mp4" else piece(found, int(number[1])) if number else None
    except SoundUnreadable as error:
        raise SegmentUnplayable(_damaged()) from error
    if data is None:
        raise Unknown(_nothing())
    response = Response(data, content_type="audio/mp4")
    # The same piece is asked for again when somebody skips; under this key it never changes.
    response.headers["Cache-Control"] = "private, max-age=600"
    return response


def _sounds(code: StationCode, key: str) -> tuple[Sound, ...]:
    work.visible_station(code, person=current_person())
    found = hearing.sounds(code, key)
    if found is None:
        raise Unknown(_nothing())
    return found


def _nothing() -> Finding:
    return Finding(
        code="no_preview",
        severity=Severity.ERROR,
        message=Text(
            "Không có buổi nghe thử này, hoặc trang đã mở quá lâu.",
            "There is no such session to hear, or its page was open too long.",
        ),
        hint=Text("Hãy tải lại trang kế hoạch rồi nghe lại.", "Reload the page of the plan and listen again."),
    )


def _damaged() -> Finding:
    return Finding(
        code="media_unreadable",
        severity=Severity.ERROR,
        message=Text(
            "Một tệp âm thanh của buổi này không đọc được, nên chưa nghe thử được đoạn đó.",
            "A sound file of this session cannot be read, so that stretch cannot be heard.",
        ),
        hint=Text("Hãy mở từng bài để biết bài nào hỏng.", "Open the items one by one to find the broken one."),
    )
