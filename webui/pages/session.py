"""Buổi phát: the form of one session of the week, from its recurrence to the timing of each item."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import NotAllowed, Refused
from schedules.findings import Finding, Severity
from schedules.grid import EVERY_DAY, DayKind, ItemKind, NthWeekday, SessionItem, SessionRule, Timing
from schedules.segment import Segment
from schedules.station import Station
from schedules.text import Text
from store import segments, sessions, sources, templates
from store.identity import new_id
from webui import pencil, planning
from webui.auth import allowed
from webui.pages.formats import iso_week, local, parse_day, weekday_long
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.review import Review, review
from webui.pages.scope import Scope, now, scope
from webui.rights import can
from webui.services import services

LONGEST_H = 12
_BLANKS = 3
_BLANKS_NEW = 5
_MOST_ITEMS = 80
_MOST_NTH = 31
_BOUND_S = 300
OFFERED = (
    ItemKind.IDENT,
    ItemKind.GREETING,
    ItemKind.SEGMENT,
    ItemKind.RELAY,
    ItemKind.NOTICE,
    ItemKind.FILLER,
    ItemKind.CLOSING,
)
NTHS = (1, 2, 3, 4, 5, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """One place of a session in its form. what: `p:CODE`, `s:ID` or `r:`; offset, bound, length: as typed."""

    id: str = ""
    kind: str = ItemKind.SEGMENT.value
    what: str = ""
    optional: bool = False
    timing: str = Timing.RELATIVE.value
    offset: str = ""
    bound: str = ""
    length: str = ""
    relay: str = ""

    @property
    def plain(self) -> bool:
        """Whether everything but kind and content is as usual."""
        return self.timing == Timing.RELATIVE.value and not self.length and self.what != "r:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A session as its form shows it, right or wrong. how: daily, weekly, month_days or nth."""

    id: str = ""
    name: str = ""
    how: str = "daily"
    weekdays: tuple[int, ...] = ()
    every: str = "1"
    anchor: str = ""
    month_days: str = ""
    nth: tuple[tuple[str, str], ...] = ()
    only: tuple[str, ...] = ()
    starts: str = ""
    minutes: str = "30"
    valid_from: str = ""
    valid_until: str = ""
    template: str = ""
    targets: tuple[str, ...] = ()
    from_day: str = ""
    items: tuple[ItemRow, ...] = ()


@dataclass(slots=True)
class Reading:
    """A form on its way to values: what is wrong is collected, all at once."""

    problems: list[Finding] = field(default_factory=list)

    def wrong(self, where: str, vi: str, en: str) -> None:
        """Note a problem of one field."""
        self.problems.append(
            Finding(code=f"{where.partition('-')[0]}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))
        )

    def day(self, where: str, text: str) -> date | None:
        """Return the day that was typed, None for none."""
        if not text:
            return None
        read = parse_day(text)
        if read is None or not 1970 <= read.year <= 2199:
            self.wrong(where, "Ngày này không đúng.", "This is not a date.")
            return None
        return read


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/lich/<week>/buoi", "session", session, methods=["GET", "POST"])
    pages.add_url_rule("/lich/<week>/buoi/bo", "remove_session", remove_session, methods=["POST"])


@allowed("grid.edit")
def session(week: str) -> AnyResponse:
    """Show the form of one session (`buoi=` names it, none is a new one), show what it would change, or publish it."""
    _week(week)
    mine = scope()
    station = editable(mine)
    asked = request.values.get("buoi", "")
    seen = pencil.look(station.code, person=mine.person)
    touched = {rule.id for pair in seen.change.rules for rule in pair if rule is not None}
    with services().database.reading() as database:
        known = (seen.rules.get(asked) or sessions.find(database, station.code, asked)) if asked else None
        offered = segments.airable(database)
        listed = sources.every(database)
        weeks = {template.id: template.name for template in templates.in_force(database, station.code)}
        weeks |= {template.id: template.name for template in seen.change.weeks}
    if asked and known is None:
        abort(404)
    relays = {source.code: source.name for source in listed} | {
        # What the list lost stays in the session until somebody changes it there.
        item.relay: _("không còn trong danh sách")
        for item in (known.items if known else ())
        if item.relay is not None and all(source.code != item.relay for source in listed)
    }
    show = _Form(
        mine=mine,
        station=station,
        week=week,
        offered=offered,
        weeks=weeks,
        relays=relays,
        at_once=asked not in touched and not set(weeks) & {template.id for template in seen.change.weeks},
    )
    if request.method == "GET":
        draft = of_rule(known) if known else Draft(template=request.args.get("mau", ""))
        return show(draft, Review())
    draft = _drafted(known)
    rule, problems = _rule(mine, station, draft, known, offered, weeks, relays)
    reading = Reading()
    from_day = reading.day("from_day", draft.from_day)
    problems = (*problems, *reading.problems)
    if rule is None or problems:
        return show(draft, Review(errors=problems))
    wanted = rule
    if request.form.get("nhap") or not show.at_once:
        try:
            step = pencil.put(station.code, wanted, from_day=from_day, person=mine.person)
        except NotAllowed:
            raise
        except Refused as refused:
            return show(draft, Review(errors=refused.findings))
        flash(_("Đã ghi vào bản nháp: %(what)s.", what=say(step.words)), "done")
        return redirect(url_for("pages.week", week=week, dai=station.code), 303)

    def decide(key: str, rehearse: bool) -> planning.Consequences:
        return planning.publish_session(wanted, from_day=from_day, person=mine.person, accepted=key, rehearse=rehearse)

    found = review(decide, draft, about="sessions", name=rule.id)
    if not found.done:
        return show(draft, found)
    flash(_("Đã công bố “%(name)s”. Đài phát theo lịch mới từ bây giờ.", name=rule.name), "done")
    return redirect(url_for("pages.week", week=week, dai=station.code), 303)


@allowed("grid.edit")
def remove_session(week: str) -> AnyResponse:
    """End a session from now on; what it aired stays in the log."""
    _week(week)
    mine = scope()
    station = editable(mine)
    try:
        planning.remove_session(station.code, request.form.get("buoi", ""), person=mine.person)
    except Refused:
        flash(_("Buổi phát này đã được bỏ trước đó."), "bad")
    else:
        flash(_("Đã bỏ buổi phát này từ bây giờ."), "done")
    return redirect(url_for("pages.week", week=week, dai=station.code), 303)


def editable(mine: Scope) -> Station:
    """Return the station that the request names, where the person may change its grid; else 404 or 403."""
    station = mine.station(request.values.get("dai", ""))
    if not can(mine.person, "grid.edit", station):
        abort(403)
    return station


def recurrence(rule: SessionRule) -> str:
    """Return on which dates a session falls, in words."""
    words = []
    if rule.month_days:
        days = [
            _("ngày cuối") if day == -1 else _("ngày %(day)s", day=day) for day in sorted(rule.month_days, key=_last)
        ]
        words.append(_("%(days)s hằng tháng", days=", ".join(days)))
    if rule.nth_weekdays:
        words += [
            _("%(day)s %(nth)s của tháng", day=weekday_long(one.weekday), nth=nth_word(one.nth))
            for one in rule.nth_weekdays
        ]
    if not words:
        if len(rule.weekdays) == 7:
            words.append(_("hằng ngày"))
        else:
            words.append(", ".join(weekday_long(day) for day in sorted(rule.weekdays)))
        if rule.every_weeks > 1:
            words.append(ngettext("%(num)d tuần một lần", "%(num)d tuần một lần", rule.every_weeks))
    if rule.valid_from:
        words.append(_("từ %(day)s", day=f"{rule.valid_from:%d/%m/%Y}"))
    if rule.valid_until:
        words.append(_("đến %(day)s", day=f"{rule.valid_until:%d/%m/%Y}"))
    return ", ".join(words)


def nth_word(nth: int) -> str:
    """Return `thứ hai`, `cuối cùng`."""
    words = {
        1: _("đầu tiên"),
        2: _("lần thứ hai"),
        3: _("lần thứ ba"),
        4: _("lần thứ tư"),
        5: _("lần thứ năm"),
        -1: _("cuối cùng"),
    }
    return words.get(nth, str(nth))


def parse_times(text: str) -> tuple[time, ...] | None:
    """Return the local times in `05:30, 17:00`, or None where one of them is no time."""
    found = []
    for word in re.split(r"[\s,;]+", text.strip()):
        match = re.fullmatch(r"(\d{1,2})[:hH](\d{2})(?::(\d{2}))?", word)
        if match is None:
            return None
        try:
            found.append(time(int(match[1]), int(match[2]), int(match[3] or 0)))
        except ValueError:
            return None
    return tuple(sorted(set(found)))


def of_rule(rule: SessionRule) -> Draft:
    """Return the form of a rule."""
    how = "month_days" if rule.month_days else "nth" if rule.nth_weekdays else "weekly"
    if how == "weekly" and len(rule.weekdays) == 7 and rule.every_weeks == 1:
        how = "daily"
    return Draft(
        id=rule.id,
        name=rule.name,
        how=how,
        weekdays=rule.weekdays,
        every=str(rule.every_weeks),
        anchor=rule.anchor.isoformat() if rule.anchor else "",
        month_days=", ".join(_("cuối") if day == -1 else str(day) for day in rule.month_days),
        nth=tuple((str(one.nth), str(one.weekday)) for one in rule.nth_weekdays),
        only=tuple(kind.value for kind in rule.only),
        starts=", ".join(f"{start:%H:%M:%S}" if start.second else f"{start:%H:%M}" for start in rule.starts),
        minutes=f"{rule.length_s / 60:g}",
        valid_from=rule.valid_from.isoformat() if rule.valid_from else "",
        valid_until=rule.valid_until.isoformat() if rule.valid_until else "",
        template=rule.template or "",
        targets=rule.targets,
        items=tuple(_row(item) for item in rule.items),
    )


def _row(item: SessionItem) -> ItemRow:
    what = f"p:{item.programme}" if item.programme else f"s:{item.segment}" if item.segment else "r:"
    return ItemRow(
        id=item.id,
        kind=item.kind.value,
        what=what,
        optional=item.optional,
        timing=item.timing.value,
        offset="" if item.offset_s is None else f"{item.offset_s // 60}:{item.offset_s % 60:02d}",
        bound="" if item.timing is not Timing.SOFT else f"{item.bound_s / 60:g}",
        length="" if item.length_s is None else f"{item.length_s / 60:g}",
        relay=item.relay or "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """The page of the form, with what it offers."""

    mine: Scope
    station: Station
    week: str
    offered: Sequence[Segment]
    weeks: dict[str, str]
    relays: Mapping[str, str]
    at_once: bool = True

    def __call__(self, draft: Draft, found: Review) -> AnyResponse:
        blanks = _BLANKS if draft.items else _BLANKS_NEW
        rows = [*draft.items, *(ItemRow() for _n in range(blanks))][:_MOST_ITEMS]
        nth = [*draft.nth, *(("", "") for _n in range(2))][:_MOST_NTH]
        return page(
            "session.html",
            active="week",
            code=found.code,
            station=self.station,
            week=self.week,
            draft=draft,
            rows=rows,
            nth_rows=nth,
            errors=found.errors,
            review=found,
            scope=self.mine,
            segments=sorted(self.offered, key=lambda segment: segment.title),
            # What came in by another way is not turned into something else by the form.
            kinds=[kind for kind in ItemKind if kind in OFFERED or kind.value in {row.kind for row in draft.items}],
            day_kinds=list(DayKind),
            timings=list(Timing),
            nths=[(number, nth_word(number)) for number in NTHS],
            weeks=self.weeks,
            relays=self.relays,
            weekdays=[(number, weekday_long(number)) for number in EVERY_DAY],
            at_once=self.at_once,
        )


def _drafted(known: SessionRule | None) -> Draft:
    form = request.form
    places: list[tuple[float, ItemRow]] = []
    for number in range(_MOST_ITEMS):
        kind, relay = form.get(f"kind-{number}", ""), _line(form.get(f"relay-{number}", ""))
        # Whoever names a source, or says that a place is a relay, need not say it a second time.
        what = form.get(f"what-{number}", "") or ("r:" if relay or kind == ItemKind.RELAY.value else "")
        if not what:
            continue
        row = ItemRow(
            id=form.get(f"item-{number}", ""),
            kind=ItemKind.RELAY.value if what == "r:" and kind != ItemKind.LIVE.value else kind,
            what=what,
            optional=form.get(f"optional-{number}") == "1",
            timing=form.get(f"timing-{number}", Timing.RELATIVE.value),
            offset=_line(form.get(f"offset-{number}", "")),
            bound=_line(form.get(f"bound-{number}", "")),
            length=_line(form.get(f"length-{number}", "")),
            relay=relay,
        )
        places.append((_place(form.get(f"place-{number}", ""), number), row))
    return Draft(
        id=known.id if known else "",
        name=_line(form.get("name", "")),
        # A form without the field is one of an older page: weekdays, as ever.
        how=form.get("how", "weekly"),
        weekdays=tuple(sorted({int(day) for day in form.getlist("weekdays") if day in set("1234567")})),
        every=_line(form.get("every", "1")),
        anchor=_line(form.get("anchor", "")),
        month_days=_line(form.get("month_days", "")),
        nth=tuple(
            (form.get(f"nth-{number}", ""), form.get(f"nth_day-{number}", ""))
            for number in range(_MOST_NTH)
            if form.get(f"nth-{number}") and form.get(f"nth_day-{number}")
        ),
        only=tuple(form.getlist("only")),
        starts=form.get("starts", "").strip(),
        minutes=form.get("minutes", "").strip(),
        valid_from=_line(form.get("valid_from", "")),
        valid_until=_line(form.get("valid_until", "")),
        template=form.get("template", ""),
        targets=tuple(form.getlist("targets")),
        from_day=_line(form.get("from_day", "")),
        items=tuple(row for _number, row in sorted(places, key=lambda pair: pair[0])),
    )


def _line(text: str) -> str:
    return " ".join(text.split())[:200]


def _last(day: int) -> int:
    return 99 if day == -1 else day


def _place(text: str, number: int) -> float:
    try:
        return float(text)
    except ValueError:
        return number + 1


def _rule(
    mine: Scope,
    station: Station,
    draft: Draft,
    known: SessionRule | None,
    offered: Sequence[Segment],
    weeks: dict[str, str],
    relays: Mapping[str, str],
) -> tuple[SessionRule | None, tuple[Finding, ...]]:
    reading = Reading()
    if not draft.name:
        reading.wrong("name", "Hãy đặt tên buổi phát.", "Give the session a name.")
    starts = parse_times(draft.starts)
    if not starts:
        reading.wrong(
            "starts", "Giờ bắt đầu viết như 05:30 hoặc 05:30, 17:00.", "Write starts as 05:30 or 05:30, 17:00."
        )
    length_s = minutes_s(draft.minutes)
    if length_s is None:
        reading.wrong("minutes", "Thời lượng từ 1 phút tới 12 giờ.", "A session lasts from 1 minute to 12 hours.")
    days = _days(reading, draft, known)
    valid_from = reading.day("valid_from", draft.valid_from)
    valid_until = reading.day("valid_until", draft.valid_until)
    if valid_from and valid_until and valid_until < valid_from:
        reading.wrong("valid_until", "Ngày cuối đứng trước ngày đầu.", "The last day comes before the first.")
    if draft.template and draft.template not in weeks:
        reading.wrong("template", "Không có tuần mẫu này.", "There is no such week template.")
    groups = {group.code for group in station.groups}
    if not set(draft.targets) <= groups:
        reading.wrong("targets", "Có cụm loa không thuộc đài này.", "A cluster group is not of this station.")
    items = _items(reading, mine, draft, known, offered, relays)
    if reading.problems or not starts or length_s is None:
        return None, tuple(reading.problems)
    return (
        replace(
            days,
            id=draft.id or new_id(),
            station=station.code,
            name=draft.name,
            starts=starts,
            length_s=length_s,
            items=items,
            since=known.since if known else now(),
            valid_from=valid_from,
            valid_until=valid_until,
            only=tuple(kind for kind in DayKind if kind.value in draft.only),
            template=draft.template or None,
            owner=known.owner if known else None,
            targets=draft.targets,
        ),
        (),
    )


def _days(reading: Reading, draft: Draft, known: SessionRule | None) -> SessionRule:
    """Return a rule that holds the recurrence alone."""
    bare = SessionRule(id="", station="", name="", starts=(), length_s=0, items=(), since=now())
    if draft.how == "daily":
        return bare
    if draft.how == "month_days":
        days = _month_days(draft.month_days)
        if not days:
            reading.wrong(
                "month_days",
                "Ngày trong tháng viết như 1, 15 hoặc cuối.",
                "Write days of the month as 1, 15 or last.",
            )
        return replace(bare, month_days=days or ())
    if draft.how == "nth":
        nth = tuple(
            NthWeekday(nth=int(number), weekday=int(day))
            for number, day in draft.nth
            if number in {str(one) for one in NTHS} and day in set("1234567")
        )
        if not nth:
            reading.wrong(
                "nth",
                "Hãy chọn ít nhất một thứ của tháng, ví dụ Thứ Bảy đầu tiên.",
                "Choose at least one weekday of the month, such as the first Saturday.",
            )
        return replace(bare, nth_weekdays=nth)
    if not draft.weekdays:
        reading.wrong("weekdays", "Hãy chọn ít nhất một ngày trong tuần.", "Choose at least one weekday.")
    every = int(draft.every) if re.fullmatch(r"\d{1,2}", draft.every) else 0
    if not 1 <= every <= 52:
        reading.wrong("every", "Số tuần là từ 1 tới 52.", "The number of weeks is 1 to 52.")
    anchor = reading.day("anchor", draft.anchor)
    if every > 1 and anchor is None:
        # Without a first week nobody could say which weeks are meant.
        anchor = (known.anchor if known else None) or local(now()).date()
    return replace(bare, weekdays=draft.weekdays, every_weeks=max(1, every), anchor=anchor if every > 1 else None)


def _month_days(text: str) -> tuple[int, ...] | None:
    found = set()
    for word in re.split(r"[\s,;]+", text.strip().lower()):
        if word in {"cuối", "cuoi", "last", "-1"}:
            found.add(-1)
        elif re.fullmatch(r"\d{1,2}", word) and 1 <= int(word) <= 31:
            found.add(int(word))
        elif word:
            return None
    return tuple(sorted(found, key=_last))


def _items(
    reading: Reading,
    mine: Scope,
    draft: Draft,
    known: SessionRule | None,
    offered: Sequence[Segment],
    relays: Mapping[str, str],
) -> tuple[SessionItem, ...]:
    kept = {item.id for item in known.items} if known else set()
    allowed_segments = {segment.id for segment in offered} | {
        item.segment for item in (known.items if known else ()) if item.segment
    }
    items: list[SessionItem] = []
    for number, row in enumerate(draft.items):
        sort, _colon, code = row.what.partition(":")
        kind = next((k for k in ItemKind if k.value == row.kind), None)
        timing = next((t for t in Timing if t.value == row.timing), None)
        relay = row.relay if sort == "r" else ""
        good = (
            (sort == "p" and code in mine.programmes)
            or (sort == "s" and code in allowed_segments)
            or (sort == "r" and relay in relays)
        )
        where = f"items-{number}"
        if kind is None or timing is None or not good:
            if sort == "r" and not relay:
                reading.wrong(
                    where, f"Mục {number + 1}: hãy chọn nguồn tiếp âm.", f"Item {number + 1}: choose its source."
                )
            else:
                reading.wrong(where, f"Mục {number + 1} chưa đúng.", f"Item {number + 1} is not right.")
            continue
        offset = _offset(row.offset)
        bound, length = minutes_s(row.bound or f"{_BOUND_S // 60}", least=0), minutes_s(row.length or "0", least=0)
        if timing is not Timing.RELATIVE and offset is None:
            reading.wrong(
                where,
                f"Mục {number + 1}: hãy ghi phút và giây kể từ đầu buổi, như 10:00.",
                f"Item {number + 1}: write minutes and seconds from the session's start, such as 10:00.",
            )
            continue
        if bound is None or length is None:
            reading.wrong(where, f"Mục {number + 1}: số phút chưa đúng.", f"Item {number + 1}: wrong minutes.")
            continue
        if kind is ItemKind.RELAY and not length:
            reading.wrong(
                where,
                f"Mục {number + 1}: tiếp âm cần thời lượng.",
                f"Item {number + 1}: a relay needs its length.",
            )
            continue
        items.append(
            SessionItem(
                id=row.id if row.id in kept else "",
                kind=kind,
                programme=code if sort == "p" else None,
                segment=code if sort == "s" else None,
                relay=relay or None,
                optional=row.optional,
                timing=timing,
                offset_s=offset if timing is not Timing.RELATIVE else None,
                bound_s=bound if timing is Timing.SOFT else _BOUND_S,
                length_s=length or None,
            )
        )
    if not draft.items:
        reading.wrong("items", "Buổi phát cần ít nhất một mục.", "A session needs at least one item.")
    return tuple(items)


def _offset(text: str) -> int | None:
    """Return the seconds of `10:00` or `10` minutes from the session's start."""
    match = re.fullmatch(r"(\d{1,3})(?::(\d{2}))?", text)
    return None if match is None or int(match[2] or 0) > 59 else int(match[1]) * 60 + int(match[2] or 0)


def minutes_s(text: str, *, least: float = 1, most: float = LONGEST_H * 60) -> int | None:
    """Return the seconds of a number of minutes, None outside of `least` to `most` minutes."""
    try:
        minutes = float(text.replace(",", "."))
    except ValueError:
        return None
    return round(minutes * 60) if least <= minutes <= most else None


def _week(text: str) -> tuple[int, int]:
    known = iso_week(text)
    if known is None:
        abort(404)
    return known
