"""Văn bản: a text is written, shown as it will be said, spoken by the machine or read aloud by a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from audio.reading import Piece, Reading
from audio.speech import Pace
from schedules.errors import Refused
from schedules.findings import Finding
from schedules.segment import SegmentKind
from schedules.text import Text
from schedules.topics import BY_CODE
from store import scripts, segments
from store.scripts import LONGEST, Script, Wording
from store.segments import Card, SegmentRecord
from webui import samples, speaking, work, writing
from webui.auth import allowed
from webui.pages.formats import DEFAULT_ZONE, local, parse_moment
from webui.pages.items import Filled, card_from, card_values, filled_card, problem, revision_shown
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.rights import can
from webui.services import services

_PAGE = 50
_MOST_CHANGES = 60
_OWN = 20
_WORDS_PER_MINUTE = 150
PACES = {
    Pace.SLOW: Text("Chậm", "Slow"),
    Pace.USUAL: Text("Vừa", "Usual"),
    Pace.FAST: Text("Nhanh", "Fast"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What stands in the form beside the card. voice: engine:voice; segment: a recording that gets this text."""

    body: str = ""
    voice: str = ""
    pace: str = Pace.USUAL.value
    airs_at: str = ""
    segment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How a text will be said. minutes: about how long it takes, in words; changes: what is said differently, once."""

    pieces: tuple[Piece, ...]
    changes: tuple[Piece, ...]
    rest: int
    about_s: int


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/bai/van-ban", "texts", texts)
    pages.add_url_rule("/bai/van-ban/moi", "new_text", new_text, methods=["GET", "POST"])
    pages.add_url_rule("/bai/van-ban/<script>", "text", text, methods=["GET", "POST"])
    pages.add_url_rule("/bai/van-ban/<script>/doc", "read_text", read_text)
    pages.add_url_rule("/bai/van-ban/<script>/gan", "attach_text", attach_text, methods=["POST"])
    pages.add_url_rule("/bai/van-ban/<script>/bo", "remove_text", remove_text, methods=["POST"])
    pages.add_url_rule("/bai/van-ban/<script>/lay-lai", "restore_text", restore_text, methods=["POST"])


@allowed("segments.read")
def texts() -> AnyResponse:
    """List texts that are no recording yet, newest first."""
    mine = scope()
    with services().database.reading() as session:
        found = scripts.waiting(session, mine.unit_codes, before=request.args.get("truoc") or None, limit=_PAGE + 1)
    return page(
        "texts.html",
        active="texts",
        scope=mine,
        listed=found[:_PAGE],
        next_url=url_for("pages.texts", truoc=found[_PAGE - 1].id) if len(found) > _PAGE else "",
        may_write=_may_write(mine),
    )


@allowed("segments.create")
def new_text() -> AnyResponse:
    """Show an empty form or a sample in it, or keep what was written."""
    mine = scope()
    if request.method == "POST":
        return _sent(mine, None)
    station = mine.chosen()
    card = Filled(station=station.code if station else "", programme=request.args.get("chuyen_muc", ""))
    typed = Typed(voice=_first_voice())
    if "khan" in request.args:
        card = replace(card, kind=SegmentKind.THONG_BAO.value)
    wanted = request.args.get("mau", "")
    if wanted:
        with services().database.reading() as session:
            sample = samples.one(session, wanted, mine.person)
        if sample is not None:
            typed = replace(typed, body=sample.body)
            topics = (sample.topic,) if sample.topic in BY_CODE else ()
            card = replace(card, title=sample.name, kind=sample.kind or card.kind, topics=topics)
    segment = request.args.get("bai", "")
    if segment:
        record = work.visible_segment(segment, person=mine.person)
        typed = replace(typed, segment=record.id, voice="")
        card = _of_card(record.card)
    return _form(mine, None, card, typed)


@allowed("segments.read")
def text(script: str) -> AnyResponse:
    """Show a text and how it will be said, or keep what was changed."""
    mine = scope()
    found = writing.text(script, person=mine.person)
    if request.method == "POST":
        writing.text(script, person=mine.person, permission="segments.create")
        return _sent(mine, found)
    return _form(mine, found, *_of(found))


@allowed("segments.read")
def read_text(script: str) -> AnyResponse:
    """Show a text in large letters, to be read aloud at the microphone or printed."""
    mine = scope()
    found = writing.text(script, person=mine.person)
    return page(
        "text_read.html",
        active="texts",
        scope=mine,
        script=found,
        paragraphs=[line for line in found.wording.body.splitlines() if line.strip()],
        about_s=_about_s(found.wording.body),
        may_record=_may_write(mine) and found.segment is None,
    )


@allowed("segments.create")
def attach_text(script: str) -> AnyResponse:
    """Say which recording a person made of a text."""
    mine = scope()
    found = writing.text(script, person=mine.person)
    segment = request.form.get("segment", "")
    if segment not in {record.id for record in _own_items(mine, found)}:
        wrong = problem("segment", "Hãy chọn bài trong danh sách.", "Choose an item of the list.")
        return _form(mine, found, *_of(found), problems=(wrong,), code=422)
    writing.attach(script, segment, person=mine.person)
    flash(_("Đã gắn lời với bài."), "done")
    return redirect(url_for("pages.item", segment=segment), 303)


@allowed("segments.create")
def remove_text(script: str) -> AnyResponse:
    """Take a text out of sight; the next page offers it back."""
    mine = scope()
    found = writing.text(script, person=mine.person)
    try:
        writing.remove(script, person=mine.person)
    except Refused as refused:
        return _form(mine, found, *_of(found), problems=refused.findings, code=409)
    offer: Any = {
        "said": _("Đã bỏ “%(title)s”.", title=found.wording.title),
        "undo": url_for("pages.restore_text", script=script),
    }
    flash(offer, "undo")
    return redirect(url_for("pages.texts"), 303)


@allowed("segments.create")
def restore_text(script: str) -> AnyResponse:
    """Bring a removed text back."""
    writing.restore(script, person=scope().person)
    flash(_("Đã lấy lại lời đọc."), "done")
    return redirect(url_for("pages.text", script=script), 303)


def preview(wording: Wording) -> Preview:
    """Return how a text will be said."""
    return _preview(writing.reading(wording))


def _preview(reading: Reading) -> Preview:
    seen = {piece.written.strip(): piece for piece in reading.changes}
    changes = sorted(seen.values(), key=lambda piece: piece.note is None)
    return Preview(
        pieces=reading.pieces,
        changes=tuple(changes[:_MOST_CHANGES]),
        rest=max(0, len(changes) - _MOST_CHANGES),
        about_s=_about_s(reading.spoken),
    )


def _about_s(body: str) -> int:
    """Return about how many seconds a text takes; Vietnamese words are syllables, and a voice says 150 of them."""
    return round(len(body.split()) * 60 / _WORDS_PER_MINUTE)


def _sent(mine: Scope, found: Script | None) -> AnyResponse:
    card_typed, typed = filled_card(), _typed()
    card, problems = card_from(mine, card_typed)
    act = request.form.get("act", "save")
    if len(typed.body) > LONGEST:
        limit = f"{LONGEST:,}".replace(",", ".")
        problems = (
            *problems,
            problem("body", f"Lời đọc dài quá {limit} ký tự.", f"The text is longer than {LONGEST:,} characters."),
        )
    airs_at = parse_moment(typed.airs_at, _zone(mine, card_typed.station)) if typed.airs_at else None
    if typed.airs_at and (airs_at is None or airs_at <= now()):
        problems = (
            *problems,
            problem("airs_at", "Giờ phát phải là một lúc sắp tới.", "The time must be still to come."),
        )
    if act == "look":
        return _form(mine, found, card_typed, typed, looked=True)
    if card is None or problems:
        return _form(mine, found, card_typed, typed, problems=problems, code=422)
    engine, _colon, voice = typed.voice.partition(":")
    wording = Wording(
        owner=card.owner,
        station=card.station,
        programme=card.programme,
        title=card.title,
        body=typed.body,
        kind=card.kind,
        topics=card.topics,
        language=card.language,
        author=card.author,
        engine=engine,
        voice=voice,
        pace=typed.pace if typed.pace in {pace.value for pace in Pace} else Pace.USUAL.value,
        airs_at=airs_at,
        airs_on=card.station,
    )
    return _keep(mine, found, wording, card_typed, typed, act)


def _keep(mine: Scope, found: Script | None, wording: Wording, card: Filled, typed: Typed, act: str) -> AnyResponse:
    try:
        if found is None:
            identity, revision = writing.write(wording, person=mine.person), 1
            if typed.segment:
                writing.attach(identity, typed.segment, person=mine.person)
        else:
            identity, revision = found.id, revision_shown() + 1
            writing.rewrite(
                identity,
                wording,
                revision=revision_shown(),
                person=mine.person,
                respoken=act == "speak" and found.spoken,
            )
    except Refused as refused:
        return _form(mine, found, card, typed, problems=refused.findings, code=409)
    if act != "speak":
        flash(_("Đã lưu lời đọc."), "done")
        if typed.segment:
            return redirect(url_for("pages.item", segment=typed.segment), 303)
        return redirect(url_for("pages.text", script=identity), 303)
    try:
        segment = writing.speak(identity, revision=revision, person=mine.person)
    except Refused as refused:
        kept = writing.text(identity, person=mine.person)
        return _form(mine, kept, *_of(kept), problems=refused.findings, code=409)
    return redirect(url_for("pages.item", segment=segment), 303)


def _form(
    mine: Scope,
    found: Script | None,
    card: Filled,
    typed: Typed,
    *,
    problems: Sequence[Finding] = (),
    code: int = 200,
    looked: bool = False,
) -> AnyResponse:
    station = next((one for one in mine.stations if one.code == card.station), None)
    engine, _colon, voice = typed.voice.partition(":")
    wording = Wording(
        owner=station.unit if station else mine.person.unit,
        station=None,
        programme="",
        title="",
        body=typed.body[:LONGEST],
        engine=engine,
        voice=voice,
    )
    offered = speaking.voices(services().speech)
    record = _record(found)
    return page(
        "text.html",
        active="texts",
        code=code,
        script=found,
        record=record,
        typed=typed,
        preview=preview(wording) if typed.body.strip() else None,
        looked=looked,
        unfilled=writing.unfilled(typed.body),
        voices=[(f"{engine.name}:{one.name}", one.label) for engine, one in offered],
        paces=PACES,
        longest=LONGEST,
        brief=True,
        # A draft that a browser kept is laid over an empty form or a kept text, never over a sample or an error.
        fresh=not problems and not looked and not request.args.get("mau"),
        own_items=_own_items(mine, found) if found is not None and record is None else (),
        zone=_zone(mine, card.station),
        may_write=_may_write(mine) and (found is None or _mine(mine, found)),
        **card_values(mine, card, problems),
    )


def _typed() -> Typed:
    form = request.form
    return Typed(
        body=form.get("body", "").replace("\r\n", "\n").strip(),
        voice=form.get("voice", "")[:80],
        pace=form.get("pace", Pace.USUAL.value),
        airs_at=form.get("airs_at", "").strip(),
        segment=form.get("bai", "")[:16],
    )


def _of(found: Script) -> tuple[Filled, Typed]:
    wording = found.wording
    card = Filled(
        title=wording.title,
        station=wording.station or "",
        programme=wording.programme,
        kind=wording.kind.value,
        topics=wording.topics,
        author=wording.author,
        language=wording.language,
    )
    airs_at = "" if wording.airs_at is None else f"{local(wording.airs_at, DEFAULT_ZONE):%Y-%m-%dT%H:%M}"
    voice = f"{wording.engine}:{wording.voice}" if wording.engine else ""
    return card, Typed(body=wording.body, voice=voice, pace=wording.pace, airs_at=airs_at)


def _of_card(card: Card) -> Filled:
    return Filled(
        title=card.title,
        station=card.station or "",
        programme=card.programme,
        kind=card.kind.value,
        topics=card.topics,
        author=card.author,
        language=card.language,
    )


def _record(found: Script | None) -> SegmentRecord | None:
    if found is None or found.segment is None:
        return None
    with services().database.reading() as session:
        return segments.find(session, found.segment)


def _own_items(mine: Scope, found: Script) -> tuple[SegmentRecord, ...]:
    """Return the reader's newest recordings of the text's unit that are not approved yet."""
    with services().database.reading() as session:
        return segments.listing(
            session, owners=(found.wording.owner,), states=segments.DRAFTS, uploader=mine.person.id, limit=_OWN
        )


def _mine(mine: Scope, found: Script) -> bool:
    return can(mine.person, "segments.create", found.wording.owner)


def _may_write(mine: Scope) -> bool:
    return can(mine.person, "segments.create", mine.person.unit) or any(
        can(mine.person, "segments.create", one) for one in mine.stations
    )


def _first_voice() -> str:
    offered = speaking.voices(services().speech)
    return f"{offered[0][0].name}:{offered[0][1].name}" if offered else ""


def _zone(mine: Scope, code: str) -> str:
    return next((one.zone for one in mine.stations if one.code == code), DEFAULT_ZONE)
