"""Hộp tin thôn gửi: what villages sent, to be heard and seen, made into items, answered; and who sends how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, flash, redirect, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import NotAllowed, Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.station import Station
from schedules.text import Text
from schedules.topics import BY_CODE, GROUPS, in_group
from store import authority, contributions
from store.contributions import Contribution, ContributionState, VoiceState
from webui import inbox as acts
from webui import photos
from webui.auth import allowed
from webui.pages.answers import Part
from webui.pages.formats import local
from webui.pages.items import Recording
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.pages.states import CONTRIBUTIONS
from webui.pages.waveform import bars
from webui.rights import can
from webui.services import services
from webui.voices import voices

_PAGE = 30
_WEEKS = 8
_TITLE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class VillageRow:
    """One village's line: how many in each week, the oldest first."""

    village: str
    counts: tuple[int, ...]


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/hop-tin", "inbox", inbox)
    pages.add_url_rule("/hop-tin/<contribution>", "contribution", contribution)
    pages.add_url_rule("/hop-tin/<contribution>/anh", "contribution_photo", contribution_photo)
    pages.add_url_rule("/hop-tin/<contribution>/tieng", "contribution_voice", contribution_voice)
    pages.add_url_rule("/hop-tin/<contribution>/song", "contribution_waveform", contribution_waveform)
    pages.add_url_rule("/hop-tin/<contribution>/bai", "use_contribution", use_contribution, methods=["POST"])
    pages.add_url_rule("/hop-tin/<contribution>/tra-loi", "answer_contribution", answer_contribution, methods=["POST"])


@allowed("inbox.read")
def inbox() -> AnyResponse:
    """List what was sent, new first, with what each village sent in the last weeks."""
    mine = scope()
    station = mine.chosen()
    if station is None:
        return page("inbox.html", active="inbox", station=None, scope=mine, answer=(), new=(), done=())
    with services().database.reading() as session:
        new = contributions.listing(session, stations=[station.code], states=[ContributionState.NEW], limit=_PAGE + 1)
        done = contributions.listing(
            session,
            stations=[station.code],
            states=[ContributionState.USED, ContributionState.THANKED, ContributionState.REJECTED],
            before=request.args.get("truoc") or None,
            limit=_PAGE + 1,
        )
        days = authority.value(session, authority.INBOX_DAYS)
    weeks, rows = _villages(station)
    more = len(done) > _PAGE
    older = f"{url_for('pages.inbox')}?{urlencode({'dai': station.code, 'truoc': done[_PAGE - 1].id})}" if more else ""
    return page(
        "inbox.html",
        active="inbox",
        station=station,
        scope=mine,
        answer=_answer(len(new), rows),
        new=new[:_PAGE],
        more_new=len(new) > _PAGE,
        done=[(one, CONTRIBUTIONS[one.state]) for one in done[:_PAGE]],
        older=older,
        weeks=weeks,
        villages=rows,
        days=days,
        may_manage=can(mine.person, "inbox.manage", station),
    )


@allowed("inbox.read")
def contribution(contribution: str) -> AnyResponse:
    """Show one thing that was sent, with what can be done about it."""
    mine = scope()
    return _page(mine, acts.visible(contribution, person=mine.person))


@allowed("inbox.read")
def contribution_photo(contribution: str) -> Response:
    """Give the photo, drawn anew, to those who may see the contribution."""
    known = acts.visible(contribution, person=scope().person)
    if known.picture is None:
        abort(404)
    try:
        return photos.shown(known.picture)
    except FileNotFoundError:
        abort(404)


@allowed("inbox.read")
def contribution_voice(contribution: str) -> Response:
    """Give the recording, made plain, to those who may hear the contribution."""
    known = acts.visible(contribution, person=scope().person)
    here = services()
    if known.voice_sha256 is None or not voices(here.data).has(known.voice_sha256):
        abort(404)
    response = send_file(
        voices(here.data).path(known.voice_sha256), mimetype="audio/flac", conditional=True, etag=False, max_age=None
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


@allowed("inbox.read")
def contribution_waveform(contribution: str) -> Response:
    """Give the drawing of the recording's loudness."""
    known = acts.visible(contribution, person=scope().person)
    if known.voice_sha256 is None:
        abort(404)
    return bars(voices(services().data).path(known.voice_sha256), key=known.id, cache="private, no-store")


@allowed("inbox.manage")
def use_contribution(contribution: str) -> AnyResponse:
    """Make an item of it: a recording of what was spoken, or a text of what was written."""
    mine = scope()
    known = acts.visible(contribution, person=mine.person)
    title = " ".join(request.form.get("title", "").split())
    topics = tuple(code for code in dict.fromkeys(request.form.getlist("topics")) if code in BY_CODE)
    programme = request.form.get("programme", "")
    if not title or len(title) > _TITLE:
        wrong = Finding(
            code="title_missing",
            severity=Severity.ERROR,
            where="title",
            message=Text("Hãy đặt tên bài, tối đa 200 ký tự.", "Give the item a title, at most 200 characters."),
        )
        return _page(mine, known, (wrong,), code=422)
    try:
        if request.form.get("from") == "voice":
            record = acts.make_recording(
                contribution, title=title, programme=programme, topics=topics, person=mine.person
            )
            flash(_("Đã tạo bài từ bản ghi thôn gửi. Máy đang kiểm tra tệp."), "done")
            return redirect(url_for("pages.item", segment=record.id), 303)
        script = acts.make_text(contribution, title=title, programme=programme, topics=topics, person=mine.person)
    except (Unknown, NotAllowed):
        raise
    except Refused as refused:
        return _page(mine, known, refused.findings, code=409)
    flash(_("Đã tạo bản nháp từ bài thôn gửi. Hãy sửa lại cho đúng lời phát thanh."), "done")
    return redirect(url_for("pages.text", script=script), 303)


@allowed("inbox.manage")
def answer_contribution(contribution: str) -> AnyResponse:
    """Thank with an answer, turn down with a reason, or put it back among the new ones."""
    mine = scope()
    known = acts.visible(contribution, person=mine.person)
    wanted = {"thank": ContributionState.THANKED, "reject": ContributionState.REJECTED, "again": ContributionState.NEW}
    state = wanted.get(request.form.get("what", ""))
    if state is None:
        abort(400)
    try:
        acts.decide(contribution, state, answer=request.form.get("answer", ""), person=mine.person)
    except (Unknown, NotAllowed):
        raise
    except Refused as refused:
        return _page(mine, known, refused.findings, code=409)
    words = {
        ContributionState.THANKED: _("Đã trả lời. Người gửi thấy câu trả lời khi mở lại liên kết."),
        ContributionState.REJECTED: _("Đã ghi là không dùng, kèm lý do."),
        ContributionState.NEW: _("Đã đưa lại vào tin mới."),
    }
    flash(words[state], "done")
    target = "pages.contribution" if state is ContributionState.NEW else "pages.inbox"
    if state is ContributionState.NEW:
        return redirect(url_for(target, contribution=contribution), 303)
    return redirect(url_for(target, dai=known.station), 303)


def _page(mine: Scope, known: Contribution, errors: Sequence[Finding] = (), *, code: int = 200) -> AnyResponse:
    station = next((one for one in mine.stations if one.code == known.station), None)
    programme = request.form.get("programme", "")
    values: dict[str, Any] = {
        "one": known,
        "mark": CONTRIBUTIONS[known.state],
        "station": station,
        "scope": mine,
        "errors": errors,
        "typed": request.form,
        "programme": programme,
        "chosen": request.form.getlist("topics"),
        "groups": [(group, in_group(group.letter)) for group in GROUPS],
        "recording": _recording(known),
        "author": acts.author(known),
        "suggested": _suggested(known),
        "may_manage": can(mine.person, "inbox.manage", known.unit),
    }
    return page("contribution.html", active="inbox", code=code, **values)


def _recording(known: Contribution) -> Recording | None:
    if known.voice is not VoiceState.READY:
        return None
    return Recording(
        id=known.id,
        title=known.village,
        duration_s=round(known.voice_s, 2),
        waveform_url=url_for("pages.contribution_waveform", contribution=known.id),
        audio_url=url_for("pages.contribution_voice", contribution=known.id),
    )


def _suggested(known: Contribution) -> str:
    """Return a title to begin with: the first words of what was written, else the village."""
    first = " ".join(known.text.split("\n", 1)[0].split()[:14])
    return (first or _("Tin %(village)s", village=known.village))[:_TITLE]


def _villages(station: Station) -> tuple[list[date], list[VillageRow]]:
    """Return the Mondays of the last weeks and each village's counts; a village that sends nothing now stands first."""
    today = local(now(), station.zone).date()
    monday = today - timedelta(days=today.weekday())
    weeks = [monday - timedelta(weeks=n) for n in reversed(range(_WEEKS))]
    since = now() - timedelta(weeks=_WEEKS + 1)
    with services().database.reading() as session:
        found = contributions.by_village(
            session, unit=station.unit, station=station.code, since=since, zone=station.zone
        )
        linked = acts.villages_with_links(session, station)
    names = {one.village for one in found} | linked
    counts = {(one.village, one.monday): one.count for one in found}
    rows = [VillageRow(village=name, counts=tuple(counts.get((name, week), 0) for week in weeks)) for name in names]
    return weeks, sorted(rows, key=lambda row: (row.counts[-1] > 0, row.village))


def _answer(new: int, rows: Sequence[VillageRow]) -> tuple[Part, ...]:
    parts = []
    if new:
        count = min(new, _PAGE)
        parts.append(Part(text=ngettext("%(num)d tin mới chưa xem.", "%(num)d tin mới chưa xem.", count), tone="warn"))
    else:
        parts.append(Part(text=_("Không có tin mới.")))
    quiet = sum(1 for row in rows if not row.counts[-1])
    if rows and quiet:
        words = ngettext("%(num)d thôn chưa gửi gì trong tuần này.", "%(num)d thôn chưa gửi gì trong tuần này.", quiet)
        parts.append(Part(text=words))
    elif rows:
        parts.append(Part(text=_("Tuần này thôn nào cũng đã gửi.")))
    return tuple(parts)
