"""Cắt đầu, cuối: what is cut off a recording is seen and heard before; the result is a new file and a new approval."""

from __future__ import annotations

import re
import secrets

from flask import Blueprint, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.findings import Finding
from store.segments import SegmentRecord
from webui import work
from webui.auth import allowed
from webui.headers import STYLE_NONCE
from webui.pages.formats import number
from webui.pages.items import CHANGEABLE, item_page, own_record, problem, revision_shown
from webui.pages.layout import page
from webui.pages.scope import Scope, scope

_BARS = 400
_LONGEST_S = 10_800
_TIME = re.compile(r"(?:(\d{1,3}):)?(\d{1,5})(?:[.,](\d{1,3}))?", re.ASCII)


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/bai/<segment>/cat", "trim_item", trim_item, methods=["GET", "POST"])


@allowed("segments.create")
def trim_item(segment: str) -> AnyResponse:
    """Show the waveform with its handles, or have head and tail cut off: a new file, a new hash, a new approval."""
    mine = scope()
    record = own_record(mine, segment)
    if record.audio is None or record.state not in CHANGEABLE:
        flash(_("Bài này chưa cắt được, hoặc không cắt được nữa."), "bad")
        return redirect(url_for("pages.item", segment=segment), 303)
    if request.method == "GET":
        return _page(record)
    return _cut_ends(record, mine) if "start" in request.form else _cut_silence(record, mine)


def _cut_ends(record: SegmentRecord, mine: Scope) -> AnyResponse:
    length_s = record.duration_s or 0.0
    start, end = moment_in(request.form.get("start", "")), moment_in(request.form.get("end", ""))
    wrong = [
        problem(name, "Hãy ghi phút:giây,phần mười, như 0:03,2.", "Write minutes:seconds.tenths, such as 0:03.2.")
        for name, value in (("start", start), ("end", end))
        if value is None
    ]
    if start is None or end is None:
        return _page(record, tuple(wrong), code=422)
    # Fields show tenths: an end that was not touched must not cut the hundredths behind it.
    tail_s = 0.0 if length_s - end < 0.1 else length_s - end
    return _cut(record, mine, start, tail_s, on_trim_page=True)


def _cut_silence(record: SegmentRecord, mine: Scope) -> AnyResponse:
    head, tail = _seconds("head_s"), _seconds("tail_s")
    if head is None or tail is None:
        wrong = problem("head_s", "Số giây cần cắt chưa đúng.", "The seconds to cut are not right.")
        return item_page(mine, record, (wrong,), code=422)
    return _cut(record, mine, head, tail, on_trim_page=False)


def _cut(record: SegmentRecord, mine: Scope, head_s: float, tail_s: float, *, on_trim_page: bool) -> AnyResponse:
    try:
        work.trim(record.id, head_s=head_s, tail_s=tail_s, revision=revision_shown(), person=mine.person)
    except Refused as refused:
        fresh = own_record(mine, record.id)
        if on_trim_page and fresh.audio is not None:
            return _page(fresh, refused.findings, code=409)
        return item_page(mine, fresh, refused.findings, code=409)
    flash(_("Đang cắt. Bài cắt xong là một bản mới và phải duyệt lại."), "done")
    return redirect(url_for("pages.item", segment=record.id), 303)


def moment_in(text: str) -> float | None:
    """Return the second that `3:02,5`, `182.5` or `182` names, None for anything else."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    minutes, seconds, part = found.groups()
    value = int(minutes or 0) * 60 + int(seconds) + (int(part) / 10 ** len(part) if part else 0.0)
    return value if value < _LONGEST_S else None


def _page(record: SegmentRecord, problems: tuple[Finding, ...] = (), *, code: int = 200) -> AnyResponse:
    audio = record.audio
    if audio is None:
        raise LookupError(record.id)
    length_s = record.duration_s or 0.0
    # The drawing brings a style sheet of its own into the page; this one and no other is let in.
    nonce = secrets.token_urlsafe(16)
    setattr(g, STYLE_NONCE, nonce)
    return page(
        "item_trim.html",
        active="items",
        code=code,
        record=record,
        errors=problems,
        nonce=nonce,
        start=request.form.get("start") or _written(max(0.0, audio.head_silence_s - 0.3)),
        end=request.form.get("end") or _written(length_s - max(0.0, audio.tail_silence_s - 0.5)),
        peaks_url=f"/api/v1/segments/{record.id}/peaks?count={_BARS}",
        audio_url=f"/api/v1/segments/{record.id}/audio?sha256={audio.sha256}",
    )


def _written(seconds: float) -> str:
    tenths = round(seconds * 10)
    rest = number(tenths % 600 / 10, 1)
    return f"{tenths // 600}:{rest.zfill(4)}"


def _seconds(name: str) -> float | None:
    try:
        value = float(request.form.get(name, "").replace(",", "."))
    except ValueError:
        return None
    return value if 0 <= value < _LONGEST_S else None
