"""Các nhiệm vụ: who owes what how often, by which document; and the excuses that a document grants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.duty import Counting, Duty, Excuse, Period
from schedules.errors import Refused
from schedules.findings import Finding
from schedules.owing import duties_of
from schedules.station import StationCode
from schedules.text import Text
from schedules.topics import BY_CODE
from store import duties, excuses
from store.excuses import GrantedExcuse
from store.intent import load_intent
from webui import planning
from webui.auth import allowed
from webui.pages.answers import Part
from webui.pages.hours import parse_spans, windows, windows_text
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.review import Review, review
from webui.pages.scope import Scope, now, scope
from webui.pages.session import Reading, parse_times
from webui.rights import can
from webui.services import services

_CODE = re.compile(r"[A-Z0-9]+(-[A-Z0-9]+)*")
_MOST = 400
_LONGEST_EXCUSE = timedelta(days=730)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A duty as its form shows it; numbers, windows and times as typed."""

    code: str = ""
    name: str = ""
    owner: str = ""
    stations: tuple[str, ...] = ()
    programme: str = ""
    counting: str = Counting.AIRINGS.value
    count: str = "1"
    period: str = Period.WEEK.value
    topic_prefix: str = ""
    topics: str = ""
    windows: str = ""
    deadline_days: str = "0"
    deadline_at: str = "24:00"
    warn_days: str = "2"
    share: str = "100"
    document: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcuseWanted:
    """An excuse as its form shows it."""

    station: str = ""
    duty: str = ""
    first: str = ""
    last: str = ""
    document: str = ""
    reason: str = ""


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/nhiem-vu/danh-sach", "duty_rules", duty_rules)
    pages.add_url_rule("/nhiem-vu/sua", "duty_rule", duty_rule, methods=["GET", "POST"])
    pages.add_url_rule("/nhiem-vu/ket-thuc", "end_duty", end_duty, methods=["POST"])
    pages.add_url_rule("/nhiem-vu/mien", "excuse", excuse, methods=["GET", "POST"])
    pages.add_url_rule("/nhiem-vu/mien/bo", "revoke_excuse", revoke_excuse, methods=["POST"])


@allowed("duties.read")
def duty_rules() -> AnyResponse:
    """List the duties of the reader's stations and units, and who was excused by which document."""
    mine = scope()
    with services().database.reading() as session:
        known = duties.in_force(session)
        granted = excuses.listing(session, stations=mine.station_codes)
    own = [duty for duty in known if duty.owner in mine.unit_codes or set(duty.stations) & set(mine.station_codes)]
    return page(
        "duty_rules.html",
        active="duties",
        listed=[(duty, _words(mine, duty), _editable(mine, duty)) for duty in own],
        excused=[(one, _excuse_words(mine, one)) for one in granted],
        may_add=can(mine.person, "duties.edit"),
        may_excuse=can(mine.person, "duties.excuse"),
        answer=_answer(own),
        scope=mine,
    )


@allowed("duties.edit")
def duty_rule() -> AnyResponse:
    """Show the form of a duty (`ma=`, none is a new one), what a change would do, or put it in force."""
    mine = scope()
    asked = request.values.get("ma", "")
    with services().database.reading() as session:
        known = duties.find(session, asked) if asked else None
    if asked and (known is None or not _editable(mine, known)):
        abort(404)
    if request.method == "GET":
        return _form(mine, _shown(known) if known else Wanted(owner=mine.person.unit), known, Review())
    wanted = _typed(known)
    duty, wrong = _duty(mine, wanted, known)
    if duty is None:
        return _form(mine, wanted, known, wrong)
    made = duty

    def decide(key: str, rehearse: bool) -> planning.Consequences:
        return planning.save_duty(made, person=mine.person, accepted=key, rehearse=rehearse)

    found = review(decide, wanted, about="duties", name=wanted.code)
    if not found.done:
        return _form(mine, wanted, known, found)
    flash(_("Đã lưu nhiệm vụ “%(name)s”. Kỳ đã bắt đầu vẫn tính theo quy định cũ.", name=made.name), "done")
    return redirect(url_for("pages.duty_rules"), 303)


@allowed("duties.edit")
def end_duty() -> AnyResponse:
    """End a duty; the period that has begun is still owed."""
    try:
        planning.end_duty(request.form.get("ma", ""), person=scope().person)
    except Refused as refused:
        flash(say(refused.findings[0].message), "bad")
    else:
        flash(_("Đã kết thúc nhiệm vụ. Kỳ đang diễn ra vẫn phải hoàn thành."), "done")
    return redirect(url_for("pages.duty_rules"), 303)


@allowed("duties.excuse")
def excuse() -> AnyResponse:
    """Show the form of an excuse, or grant it."""
    mine = scope()
    if request.method == "GET":
        asked = ExcuseWanted(station=request.args.get("dai", ""), duty=request.args.get("ma", ""))
        return _excuse_form(mine, asked, ())
    form = request.form
    wanted = ExcuseWanted(
        station=form.get("station", ""),
        duty=form.get("duty", ""),
        first=form.get("first", "").strip(),
        last=form.get("last", "").strip(),
        document=" ".join(form.get("document", "").split())[:500],
        reason=" ".join(form.get("reason", "").split())[:500],
    )
    made, problems = _excuse(mine, wanted)
    if made is None:
        return _excuse_form(mine, wanted, problems)
    try:
        planning.grant_excuse(made, person=mine.person)
    except Refused as refused:
        return _excuse_form(mine, wanted, refused.findings)
    flash(_("Đã ghi quyết định miễn."), "done")
    return redirect(url_for("pages.duty_rules"), 303)


@allowed("duties.excuse")
def revoke_excuse() -> AnyResponse:
    """Take an excuse back."""
    try:
        planning.revoke_excuse(request.form.get("ma", ""), person=scope().person)
    except Refused as refused:
        flash(say(refused.findings[0].message), "bad")
    else:
        flash(_("Đã bỏ quyết định miễn. Kỳ nào máy đã chốt thì giữ nguyên."), "done")
    return redirect(url_for("pages.duty_rules"), 303)


def how_often(duty: Duty) -> str:
    """Return `1 lần mỗi tuần`, `6 chủ đề mỗi tháng`."""
    if duty.counting is Counting.TOPICS:
        what = ngettext("%(num)d chủ đề", "%(num)d chủ đề", duty.count)
    else:
        what = ngettext("%(num)d lần", "%(num)d lần", duty.count)
    per = {Period.WEEK: _("mỗi tuần"), Period.MONTH: _("mỗi tháng"), Period.YEAR: _("mỗi năm")}
    return f"{what} {per[duty.period]}"


def _words(mine: Scope, duty: Duty) -> tuple[str, ...]:
    """Return what a duty asks for, a line each."""
    names = [mine.station_name(code) for code in duty.stations]
    lines = [
        _("%(owner)s chịu trách nhiệm, %(often)s", owner=mine.unit_name(duty.owner), often=how_often(duty)),
        _("chuyên mục: %(name)s", name=mine.programme_name(duty.programme) or _("bất kỳ")),
        _("trên: %(stations)s", stations=", ".join(names)),
    ]
    if duty.topics or duty.topic_prefix:
        topics = [say(BY_CODE[code].label) if code in BY_CODE else code for code in duty.topics]
        topics += [f"{duty.topic_prefix}…"] if duty.topic_prefix else []
        lines.append(_("chủ đề: %(topics)s", topics=", ".join(topics)))
    if duty.windows:
        lines.append(_("phát bù trong: %(windows)s", windows=windows_text(duty.windows).replace("\n", "; ")))
    else:
        lines.append(_("phát bù trong mọi khung giờ được phát"))
    if duty.deadline_days or duty.deadline_at.hour or duty.deadline_at.minute:
        lines.append(_("xong trước %(time)s, %(days)s ngày trước khi hết kỳ", time=_at(duty), days=duty.deadline_days))
    lines.append(_("căn cứ: %(document)s", document=duty.document) if duty.document else _("chưa ghi căn cứ"))
    return tuple(lines)


def _at(duty: Duty) -> str:
    return "24:00" if not (duty.deadline_at.hour or duty.deadline_at.minute) else f"{duty.deadline_at:%H:%M}"


def _answer(own: list[Duty]) -> tuple[Part, ...]:
    if not own:
        return (Part(text=_("Chưa đặt nhiệm vụ nào.")),)
    bare = sum(1 for duty in own if not duty.document)
    parts = [Part(text=ngettext("%(num)d nhiệm vụ đang có hiệu lực.", "%(num)d nhiệm vụ đang có hiệu lực.", len(own)))]
    if bare:
        parts.append(
            Part(text=ngettext("%(num)d chưa ghi căn cứ.", "%(num)d chưa ghi căn cứ.", bare), tone="warn"),
        )
    return tuple(parts)


def _editable(mine: Scope, duty: Duty) -> bool:
    return can(mine.person, "duties.edit", duty.owner) and set(duty.stations) <= set(mine.station_codes)


def _shown(known: Duty) -> Wanted:
    return Wanted(
        code=known.code,
        name=known.name,
        owner=known.owner,
        stations=known.stations,
        programme=known.programme or "",
        counting=known.counting.value,
        count=str(known.count),
        period=known.period.value,
        topic_prefix=known.topic_prefix,
        topics=", ".join(known.topics),
        windows=windows_text(known.windows),
        deadline_days=str(known.deadline_days),
        deadline_at=_at(known),
        warn_days=str(known.warn_days),
        share=f"{known.least_share * 100:g}",
        document=known.document,
    )


def _typed(known: Duty | None) -> Wanted:
    form = request.form

    def line(name: str, most: int = 200) -> str:
        return " ".join(form.get(name, "").split())[:most]

    return Wanted(
        code=known.code if known else line("code", 40).upper(),
        name=line("name"),
        owner=line("owner", 40),
        stations=tuple(form.getlist("stations"))[:_MOST],
        programme=line("programme", 40),
        counting=line("counting"),
        count=line("count"),
        period=line("period"),
        topic_prefix=line("topic_prefix", 40).upper(),
        topics=line("topics", 1000).upper(),
        windows=form.get("windows", "")[:2000],
        deadline_days=line("deadline_days"),
        deadline_at=line("deadline_at"),
        warn_days=line("warn_days"),
        share=line("share"),
        document=line("document", 500),
    )


def _duty(mine: Scope, wanted: Wanted, known: Duty | None) -> tuple[Duty | None, Review]:
    reading = Reading()
    if known is None and (not _CODE.fullmatch(wanted.code) or any(duty.code == wanted.code for duty in mine.duties)):
        reading.wrong(
            "code",
            "Mã gồm chữ in hoa không dấu, số và dấu gạch nối, chưa dùng cho nhiệm vụ khác.",
            "A code of capital letters, digits and dashes that no other duty has.",
        )
    if not wanted.name:
        reading.wrong("name", "Hãy đặt tên nhiệm vụ.", "Give the duty a name.")
    if wanted.owner not in mine.unit_codes:
        reading.wrong("owner", "Hãy chọn đơn vị chịu trách nhiệm.", "Choose the unit that owes it.")
    if not wanted.stations or not set(wanted.stations) <= set(mine.station_codes):
        reading.wrong("stations", "Hãy chọn ít nhất một đài.", "Choose at least one station.")
    if wanted.programme and wanted.programme not in mine.programmes:
        reading.wrong("programme", "Không có chuyên mục này.", "There is no such programme.")
    counting = next((one for one in Counting if one.value == wanted.counting), Counting.AIRINGS)
    period = next((one for one in Period if one.value == wanted.period), None)
    if period is None:
        reading.wrong("period", "Hãy chọn kỳ.", "Choose the period.")
    topics = tuple(dict.fromkeys(word for word in re.split(r"[\s,;]+", wanted.topics) if word))
    unknown = [code for code in topics if code not in BY_CODE]
    if unknown:
        reading.wrong("topics", f"Không có chủ đề {unknown[0]}.", f"There is no topic {unknown[0]}.")
    spans = parse_spans(wanted.windows)
    if spans is None:
        reading.wrong(
            "windows",
            "Mỗi dòng một khung, như 17:00–18:00 T6. Để trống là mọi khung giờ được phát.",
            "One window a line, such as 17:00–18:00 Fri. Empty: all permitted hours.",
        )
    count = _whole(reading, "count", wanted.count, 1, 200)
    if counting is Counting.TOPICS and topics and count > len(topics):
        reading.wrong(
            "count", "Số chủ đề phải đạt lớn hơn số chủ đề đã ghi.", "More topics are asked for than are named."
        )
    deadline_days = _whole(reading, "deadline_days", wanted.deadline_days, 0, 300)
    warn_days = _whole(reading, "warn_days", wanted.warn_days, 0, 60)
    share = _whole(reading, "share", wanted.share, 1, 100)
    at = parse_times("00:00" if wanted.deadline_at == "24:00" else wanted.deadline_at)
    if at is None or len(at) != 1:
        reading.wrong("deadline_at", "Giờ viết như 17:00 hoặc 24:00.", "Write the time as 17:00 or 24:00.")
    if not wanted.document:
        reading.wrong("document", "Hãy ghi số văn bản giao nhiệm vụ.", "Name the document that orders it.")
    if reading.problems or period is None or spans is None or at is None:
        return None, Review(errors=tuple(reading.problems))
    return (
        Duty(
            code=wanted.code,
            name=wanted.name,
            owner=wanted.owner,
            stations=tuple(code for code in mine.station_codes if code in wanted.stations),
            programme=wanted.programme or None,
            since=known.since if known else now(),
            count=count,
            period=period,
            windows=windows(spans),
            document=wanted.document,
            topic_prefix=wanted.topic_prefix,
            topics=topics,
            counting=counting,
            deadline_days=deadline_days,
            deadline_at=at[0],
            warn_days=warn_days,
            least_share=share / 100,
        ),
        Review(),
    )


def _whole(reading: Reading, where: str, text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"\d{1,4}", text) or not least <= int(text) <= most:
        reading.wrong(where, f"Hãy ghi số từ {least} tới {most}.", f"Write a number from {least} to {most}.")
        return least
    return int(text)


def _form(mine: Scope, wanted: Wanted, known: Duty | None, found: Review) -> AnyResponse:
    return page(
        "duty_rule.html",
        active="duties",
        code=found.code,
        wanted=wanted,
        known=known,
        errors=found.errors,
        review=found,
        scope=mine,
        periods=list(Period),
        countings=list(Counting),
    )


def _excuse(mine: Scope, wanted: ExcuseWanted) -> tuple[Excuse | None, tuple[Finding, ...]]:
    reading = Reading()
    if wanted.station not in mine.station_codes:
        reading.wrong("station", "Hãy chọn đài.", "Choose the station.")
    if wanted.duty and all(duty.code != wanted.duty for duty in mine.duties):
        reading.wrong("duty", "Không có nhiệm vụ này.", "There is no such duty.")
    elif wanted.duty and not reading.problems and not _owes(wanted.station, wanted.duty):
        # It would be kept, listed and never have an effect.
        reading.wrong(
            "duty",
            "Đài này không có nhiệm vụ đó: miễn cũng không có tác dụng. Hãy chọn nhiệm vụ của đài.",
            "This station does not owe that duty: the excuse would have no effect. Choose one of the station's.",
        )
    first, last = reading.day("first", wanted.first), reading.day("last", wanted.last)
    if not reading.problems and (first is None or last is None):
        reading.wrong("first", "Hãy chọn ngày đầu và ngày cuối.", "Choose the first and the last day.")
    if first and last and not first <= last <= first + _LONGEST_EXCUSE:
        reading.wrong("last", "Ngày cuối đứng sau ngày đầu, không quá 2 năm.", "At most 2 years after the first day.")
    if not wanted.document:
        reading.wrong("document", "Hãy ghi số văn bản cho miễn.", "Name the document that grants it.")
    if not wanted.reason:
        reading.wrong("reason", "Hãy ghi lý do.", "Give the reason.")
    if reading.problems or first is None or last is None:
        return None, tuple(reading.problems)
    return (
        Excuse(
            station=wanted.station,
            duty=wanted.duty or None,
            first=first,
            last=last,
            document=wanted.document,
            reason=Text(wanted.reason, wanted.reason),
        ),
        (),
    )


def _owes(code: StationCode, duty: str) -> bool:
    """Return whether a station owes a duty, also one that it took over from a station that ended."""
    with services().database.reading() as session:
        intent = load_intent(session, now(), demo=services().demo)
    station = next(one for one in intent.stations if one.code == code)
    return any(one.code == duty for one in duties_of(intent, station))


def _offered(mine: Scope) -> list[tuple[str, str]]:
    """Return the duties by name, with the stations that owe them: every commune's weekly programme has one name."""
    return sorted(
        {
            duty.code: f"{duty.name} ({', '.join(mine.station_name(station) for station in duty.stations)})"
            for duty in mine.duties
        }.items(),
        key=lambda one: one[1],
    )


def _excuse_words(mine: Scope, one: GrantedExcuse) -> str:
    known = next((duty.name for duty in mine.duties if duty.code == one.excuse.duty), one.excuse.duty)
    return _(
        "%(station)s, %(duty)s, %(first)s đến %(last)s",
        station=mine.station_name(one.excuse.station),
        duty=known or _("mọi nhiệm vụ"),
        first=_short(one.excuse.first),
        last=_short(one.excuse.last),
    )


def _short(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _excuse_form(mine: Scope, wanted: ExcuseWanted, problems: tuple[Finding, ...]) -> AnyResponse:
    return page(
        "excuse.html",
        active="duties",
        code=422 if problems else 200,
        wanted=wanted,
        errors=problems,
        offered=_offered(mine),
        scope=mine,
    )
