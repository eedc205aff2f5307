"""Listening: what a station sends out now and what it sent out, as HLS by short requests."""

from __future__ import annotations

import re
from datetime import timedelta

from apiflask import APIBlueprint
from flask import Response, send_file

from link.door import StationDoor
from schedules.clock import utc
from schedules.errors import Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.station import StationCode
from schedules.text import Text
from webui import work
from webui.api.documents import Span
from webui.api.openapi import content
from webui.auth import allowed, current_person
from webui.services import services

bp = APIBlueprint("aircheck", __name__, tag="aircheck")

_LONGEST = timedelta(hours=6)
_PLAYLIST = "application/vnd.apple.mpegurl"
_KINDS = {".m4s": "audio/mp4", ".mp4": "audio/mp4", ".m4a": "audio/mp4", ".aac": "audio/aac", ".ts": "video/mp2t"}
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_URI = re.compile(r'URI="([^"]+)"')


@bp.get("/stations/<code>/live.m3u8")
@bp.doc(
    summary="The playlist of what goes out now",
    responses=content(_PLAYLIST, "HLS playlist"),
)
@allowed("aircheck.listen")
def live(code: StationCode) -> Response:
    """Return the live playlist; 404 while nothing goes out."""
    playlist = _door(code).live_playlist()
    if playlist is None:
        raise Unknown(_finding("silent", "Đài đang im lặng.", "The station is silent now."))
    return _answer(playlist)


@bp.get("/stations/<code>/aircheck.m3u8")
@bp.input(Span, location="query", arg_name="span")
@bp.doc(
    summary="The playlist of what went out in [from, to), at most 6 hours",
    responses=content(_PLAYLIST, "HLS playlist"),
)
@allowed("aircheck.listen")
def recorded(code: StationCode, span: Span) -> Response:
    """Return the playlist of a stretch of time; 404 where no recording is kept."""
    door = _door(code)
    if span.from_ is None or span.to is None or not timedelta(0) < span.to - span.from_ <= _LONGEST:
        raise Refused(
            _finding(
                "span_wrong",
                "Cần “from” và “to”, cách nhau không quá 6 giờ.",
                "`from` and `to` are needed, at most 6 hours apart.",
            )
        )
    playlist = door.aircheck_playlist(utc(span.from_), utc(span.to))
    if playlist is None:
        raise Unknown(_finding("no_aircheck", "Không còn bản thu của lúc đó.", "No recording of that time is kept."))
    return _answer(playlist)


@bp.get("/stations/<code>/aircheck/<run>/<name>")
@bp.doc(
    summary="One piece of a playlist",
    responses=content("audio/mp4", "Audio"),
)
@allowed("aircheck.listen")
def piece(code: StationCode, run: str, name: str) -> Response:
    """Return one file that a playlist names."""
    door = _door(code)
    path = None
    if _NAME.fullmatch(run) and _NAME.fullmatch(name):
        path = door.aircheck_file(run, name)
    if path is None or not path.is_file():
        raise Unknown(_finding("no_aircheck", "Không có đoạn thu này.", "There is no such piece."))
    response = send_file(
        path, mimetype=_KINDS.get(path.suffix, "application/octet-stream"), conditional=True, etag=False
    )
    # The same piece is asked for again when somebody seeks; it never changes, and it is nobody else's.
    response.headers["Cache-Control"] = "private, max-age=600"
    return response


def _door(code: StationCode) -> StationDoor:
    work.visible_station(code, person=current_person())
    door = services().doors.get(code)
    if door is None:
        raise Unknown(
            _finding("no_station_here", "Máy này không nối với đài.", "This machine has no link to the station.")
        )
    return door


def _answer(playlist: str) -> Response:
    response = Response("\n".join(_placed(line) for line in playlist.splitlines()) + "\n", content_type=_PLAYLIST)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _placed(line: str) -> str:
    """Return the line with its `RUN/NAME` where the pieces are found, seen from the playlist's own address."""
    if line.startswith("#"):
        return _URI.sub(r'URI="aircheck/\1"', line)
    return f"aircheck/{line}" if line else line


def _finding(code: str, vi: str, en: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=Text(vi, en))
