"""Cổng thông tin: are the 20 items of the year there? What was published, and what a feed brought."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import NotAllowed, Refused, Unknown
from schedules.findings import Finding
from schedules.station import UnitCode
from schedules.text import Text
from schedules.topics import BY_CODE, GROUPS, in_group
from store import portal as published
from store.portal import ItemState, NewItem, Place
from store.scripts import Wording
from webui import portal as acts
from webui import writing
from webui.auth import allowed
from webui.pages.answers import Part
from webui.pages.formats import local, parse_day
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.rights import can
from webui.services import services

_PAGE = 50
_WAITING = 20
PLACES = {
    Place.PORTAL: Text("Cổng thông tin", "Portal"),
    Place.ZALO: Text("Zalo OA", "Zalo OA"),
    Place.FANPAGE: Text("Fanpage", "Fanpage"),
}


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/cong", "portal", portal)
    pages.add_url_rule("/cong/moi", "new_portal_item", new_portal_item, methods=["GET", "POST"])
    pages.add_url_rule("/cong/nguon", "portal_feeds", portal_feeds, methods=["GET", "POST"])
    pages.add_url_rule("/cong/nguon/<feed>/lay", "fetch_feed", fetch_feed, methods=["POST"])
    pages.add_url_rule("/cong/nguon/<feed>/bo", "remove_feed", remove_feed, methods=["POST"])
    pages.add_url_rule("/cong/chi-tieu", "portal_target", portal_target, methods=["POST"])
    pages.add_url_rule("/cong/<item>/tinh", "count_portal_item", count_portal_item, methods=["POST"])
    pages.add_url_rule("/cong/<item>/khong-tinh", "dismiss_portal_item", dismiss_portal_item, methods=["POST"])
    pages.add_url_rule("/cong/<item>/thanh-bai", "portal_to_text", portal_to_text, methods=["POST"])


@allowed("portal.read")
def portal() -> AnyResponse:
    """Show the year's count, what waits for a look, and what was published."""
    mine = scope()
    today = local(now()).date()
    asked = request.args.get("nam", "")
    year = int(asked) if asked.isdecimal() and len(asked) == 4 else today.year
    owner = _unit(mine, request.args.get("don_vi", ""))
    with services().database.reading() as session:
        count = published.counted(session, owner, year)
        target, document = published.target(session, owner, year)
        waiting = published.listing(session, [owner], states=[ItemState.WAITING], limit=_WAITING + 1)
        found = published.listing(
            session,
            [owner],
            states=[ItemState.COUNTED],
            year=year,
            before=request.args.get("truoc") or None,
            limit=_PAGE + 1,
        )
        feeds = published.feeds(session, [owner])
    return page(
        "portal.html",
        active="portal",
        year=year,
        count=count,
        target=target,
        document=document,
        share=min(100, round(100 * count / target)),
        answer=_answer(count, target, year, today),
        waiting=waiting[:_WAITING],
        more_waiting=len(waiting) > _WAITING,
        items=found[:_PAGE],
        next_url=url_for("pages.portal", nam=year, don_vi=owner, truoc=found[_PAGE - 1].id)
        if len(found) > _PAGE
        else "",
        feeds={feed.id: feed.name for feed in feeds},
        troubles=[feed for feed in feeds if feed.trouble],
        trouble_words=acts.trouble_words,
        places=PLACES,
        topics=BY_CODE,
        units=mine.units,
        unit=owner,
        may_edit=can(mine.person, "portal.edit", owner),
        may_set=can(mine.person, "settings.edit", owner),
        may_write=can(mine.person, "segments.create", owner),
    )


@allowed("portal.edit")
def new_portal_item() -> AnyResponse:
    """Enter an item; from a recording with its title and words already there."""
    mine = scope()
    owner = mine.person.unit
    segment = request.args.get("bai", "")
    if request.method == "GET":
        title, text, topics = acts.text_of(segment, person=mine.person) if segment else ("", "", ())
        return _form(mine, _item(owner, title=title, text=text, topics=topics, segment=segment), ())
    form = request.form
    item = NewItem(
        owner=owner,
        title=" ".join(form.get("title", "").split()),
        url=form.get("url", "").strip(),
        published=parse_day(form.get("published", "")) or date(1, 1, 1),
        topics=tuple(code for code in BY_CODE if code in set(form.getlist("topics"))),
        place=next((one for one in Place if one.value == form.get("place")), Place.PORTAL),
        text=form.get("text", "").strip(),
        segment=form.get("segment", "") or None,
    )
    try:
        acts.add(item, person=mine.person)
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        return _form(mine, item, refused.findings, code=422)
    flash(_("Đã ghi “%(title)s” vào danh mục.", title=item.title), "done")
    return redirect(url_for("pages.portal"), 303)


@allowed("portal.edit")
def portal_feeds() -> AnyResponse:
    """Show the feeds, or add one."""
    mine = scope()
    owner = mine.person.unit
    errors: tuple[Finding, ...] = ()
    form = request.form
    if request.method == "POST":
        words = tuple(word for part in form.get("words", "").split(",") if (word := " ".join(part.split())))
        try:
            acts.add_feed(
                owner,
                name=form.get("name", ""),
                url=form.get("url", ""),
                words=words,
                counts=form.get("counts") == "1",
                person=mine.person,
            )
        except (NotAllowed, Unknown):
            raise
        except Refused as refused:
            errors = refused.findings
        else:
            flash(_("Đã thêm nguồn tin. Bấm Lấy tin ngay để thử."), "done")
            return redirect(url_for("pages.portal_feeds"), 303)
    with services().database.reading() as session:
        feeds = published.feeds(session, [owner])
    return page(
        "portal_feeds.html",
        active="portal",
        code=422 if errors else 200,
        feeds=feeds,
        trouble_words=acts.trouble_words,
        errors=errors,
        filled=form,
    )


@allowed("portal.edit")
def fetch_feed(feed: str) -> AnyResponse:
    """Look into a feed now."""
    new, trouble = acts.look_now(feed, person=scope().person)
    if trouble:
        flash(_("Chưa lấy được tin. %(why)s Danh mục không thay đổi.", why=say(acts.trouble_words(trouble))), "bad")
    elif new:
        flash(ngettext("Có %(num)d tin mới.", "Có %(num)d tin mới.", new), "done")
    else:
        flash(_("Không có tin mới."), "info")
    return redirect(url_for("pages.portal_feeds"), 303)


@allowed("portal.edit")
def remove_feed(feed: str) -> AnyResponse:
    """Look into it no more."""
    acts.remove_feed(feed, person=scope().person)
    flash(_("Đã bỏ nguồn tin. Tin, bài đã lấy vẫn còn."), "done")
    return redirect(url_for("pages.portal_feeds"), 303)


@allowed("settings.edit")
def portal_target() -> AnyResponse:
    """Set the year's target."""
    mine = scope()
    form = request.form
    owner = _unit(mine, form.get("owner", ""))
    count, year = form.get("count", ""), form.get("year", "")
    try:
        if not (count.isdecimal() and year.isdecimal() and len(year) == 4 and len(count) <= 6):
            abort(400)
        acts.set_target(owner, int(year), int(count), form.get("document", ""), person=mine.person)
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        flash(" ".join(say(finding.message) for finding in refused.findings), "bad")
    else:
        flash(_("Đã đặt chỉ tiêu."), "done")
    return redirect(url_for("pages.portal", don_vi=owner), 303)


@allowed("portal.edit")
def count_portal_item(item: str) -> AnyResponse:
    """Count an item in the reader's name."""
    return _decide(item, ItemState.COUNTED, _("Đã tính “%(title)s”."))


@allowed("portal.edit")
def dismiss_portal_item(item: str) -> AnyResponse:
    """Do not count it."""
    return _decide(item, ItemState.DISMISSED, _("Không tính “%(title)s”."))


@allowed("segments.create")
def portal_to_text(item: str) -> AnyResponse:
    """Make a text for the loudspeaker of what was published."""
    mine = scope()
    known = acts.visible(item, person=mine.person)
    station = mine.stations[0] if len(mine.stations) == 1 else None
    codes = tuple(mine.programmes)
    try:
        script = writing.write(
            Wording(
                owner=station.unit if station else mine.person.unit,
                station=station.code if station else None,
                programme="CDS" if "CDS" in codes else codes[0] if codes else "",
                title=known.content.title[:200],
                body=known.content.text or known.content.title,
                topics=known.content.topics,
            ),
            person=mine.person,
        )
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        flash(" ".join(say(finding.message) for finding in refused.findings), "bad")
        return redirect(url_for("pages.portal"), 303)
    flash(_("Đã tạo văn bản phát thanh từ tin trên cổng. Hãy sửa cho dễ nghe rồi ghi âm."), "done")
    return redirect(url_for("pages.text", script=script), 303)


def glance(mine: Scope) -> tuple[int, int, int]:
    """Return year, count and target of the reader's unit, for other pages."""
    year = local(now()).year
    with services().database.reading() as session:
        return (
            year,
            published.counted(session, mine.person.unit, year),
            published.target(session, mine.person.unit, year)[0],
        )


def _decide(item: str, state: ItemState, done: str) -> AnyResponse:
    known = acts.decide(item, state, topics=None, person=scope().person)
    flash(done % {"title": known.content.title}, "done")
    return redirect(url_for("pages.portal", don_vi=known.content.owner), 303)


def _unit(mine: Scope, asked: str) -> UnitCode:
    if asked and asked not in mine.unit_codes:
        abort(404)
    return asked or mine.person.unit


def _item(owner: UnitCode, *, title: str, text: str, topics: tuple[str, ...], segment: str) -> NewItem:
    return NewItem(
        owner=owner,
        title=title,
        url="",
        published=local(now()).date(),
        topics=topics,
        text=text,
        segment=segment or None,
    )


def _form(mine: Scope, item: NewItem, errors: tuple[Finding, ...], *, code: int = 200) -> Response:
    return page(
        "portal_new.html",
        active="portal",
        code=code,
        item=item,
        errors=errors,
        places=PLACES,
        groups=[(group, in_group(group.letter)) for group in GROUPS],
        unit=mine.unit_name(item.owner),
        today=local(now()).date(),
    )


def _answer(count: int, target: int, year: int, today: date) -> tuple[Part, ...]:
    first = Part(text=_("Năm %(year)s: %(count)s/%(target)s tin, bài.", year=year, count=count, target=target))
    left = target - count
    if left <= 0:
        return first, Part(text=_("Đã đủ chỉ tiêu."), tone="ok")
    if year < today.year:
        return first, Part(text=ngettext("Thiếu %(num)d bài.", "Thiếu %(num)d bài.", left), tone="bad")
    end = date(year, 12, 31)
    words = ngettext("Còn %(num)d bài, hạn 31/12.", "Còn %(num)d bài, hạn 31/12.", left)
    late = (end - today).days < left * 7
    return first, Part(text=words, tone="warn" if late else "")
