"""Bars of a recording's loudness: asked for after the page, kept for ever by the browser, since audio never changes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import av
from flask import Blueprint, Response, abort, make_response, render_template

from audio.peaks import peaks
from webui import work
from webui.auth import allowed
from webui.pages.scope import scope
from webui.services import services

_BARS = 96
_YEAR_S = 365 * 24 * 3600


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/bai/<segment>/song/<sha256>", "waveform", waveform)


@allowed("segments.read")
def waveform(segment: str, sha256: str) -> Response:
    """Give the drawing of a recording's loudness; empty where the audio cannot be read."""
    record = work.visible_segment(segment, person=scope().person)
    if record.audio is None or record.audio.sha256 != sha256:
        abort(404)
    return bars(services().library.path(sha256), key=segment, cache=f"private, max-age={_YEAR_S}, immutable")


def bars(path: Path, *, key: str, cache: str) -> Response:
    """Return the drawing of a file of ours. key: its name on the page. cache: who may keep it, and how long."""
    response = make_response(render_template("waveform.html", peaks=_peaks(path), key=key))
    response.headers["Cache-Control"] = cache
    return response


@lru_cache(maxsize=256)
def _peaks(path: Path) -> tuple[int, ...]:
    try:
        return tuple(peaks(path, count=_BARS))
    except (OSError, av.FFmpegError):
        return ()
