"""Looking before publishing: what a decision would change is shown, and only what was shown can be put in force."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext

from schedules.clock import Interval
from schedules.errors import Conflict, Refused
from schedules.findings import Finding
from schedules.station import StationCode
from webui.pages.formats import clock, moment_short
from webui.pages.scope import Scope, scope
from webui.planning import Consequences, Difference, Shift

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One occurrence that changes, in words. sign: of the sprite."""

    sign: str
    word: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What stands above a form that was sent. confirm: what its second sending carries; empty where it cannot be."""

    done: bool = False
    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    summary: str = ""
    lines: tuple[Line, ...] = ()
    rest: tuple[Line, ...] = ()
    confirm: str = ""

    @property
    def code(self) -> int:
        """The answer's status: 422 where it is refused, 409 where it needs consent."""
        return 422 if self.errors else 409 if self.warnings else 200


def review(decide: Callable[[str, bool], Consequences], said: object, *, about: str, name: str = "") -> Review:
    """Rehearse the decision of the form that was sent, or put it in force where exactly this was shown and agreed to.

    decide: called with the key that was agreed to, and whether to rehearse only. said: what the form holds, as read.
    about, name: what of the intent the form is about, such as `sessions` and its id: errors there stand beside fields.
    """
    key, _dot, digest = request.form.get("confirm", "").partition(".")
    present = sha256(repr(said).encode()).hexdigest()[:16]
    try:
        if key and digest == present:
            decide(key, False)
            return Review(done=True)
        found = _shown(decide("", True), present)
    except Conflict:
        found = _shown(decide("", True), present)
    except Refused as refused:
        found = Review(errors=refused.findings)
    return replace(found, errors=tuple(_beside(finding, about, name) for finding in found.errors))


def _shown(consequences: Consequences, said: str) -> Review:
    every = lines(consequences.shifts)
    return Review(
        errors=consequences.errors,
        warnings=consequences.warnings,
        summary=summary(consequences.shifts),
        lines=tuple(every[:_SHOWN]),
        rest=tuple(every[_SHOWN:]),
        confirm="" if consequences.errors else f"{consequences.key}.{said}",
    )


def lines(shifts: Sequence[Shift]) -> list[Line]:
    """Return occurrences that change, in words."""
    mine = scope()
    return [_line(mine, shift) for shift in shifts]


def summary(shifts: Sequence[Shift]) -> str:
    """Return how many sessions come, change and go."""
    count = {one: sum(1 for shift in shifts if shift.difference is one) for one in Difference}
    words = []
    if count[Difference.NEW]:
        words.append(ngettext("thêm %(num)d buổi", "thêm %(num)d buổi", count[Difference.NEW]))
    if count[Difference.CHANGED]:
        words.append(ngettext("đổi %(num)d buổi", "đổi %(num)d buổi", count[Difference.CHANGED]))
    if count[Difference.REMOVED]:
        words.append(ngettext("bỏ %(num)d buổi", "bỏ %(num)d buổi", count[Difference.REMOVED]))
    if not words:
        return _("Trong 14 ngày tới không có buổi nào thay đổi.")
    return _("Trong 14 ngày tới: %(what)s.", what=", ".join(words))


def _line(mine: Scope, shift: Shift) -> Line:
    zone = _zone(mine, shift.station)
    name = shift.name
    if len(mine.stations) > 1:
        name = f"{name} ({mine.station_name(shift.station)})"
    new = _span(shift.after, zone) if shift.after else ""
    old = _span(shift.before, zone) if shift.before else ""
    if shift.difference is Difference.NEW:
        return Line(sign="plus", word=_("Thêm"), text=f"{new} {name}")
    if shift.difference is Difference.REMOVED:
        return Line(sign="cross", word=_("Bỏ"), text=f"{old} {name}")
    if old == new:
        return Line(sign="edit", word=_("Đổi nội dung"), text=f"{new} {name}")
    return Line(sign="edit", word=_("Đổi giờ"), text=_("%(old)s thành %(new)s %(name)s", old=old, new=new, name=name))


def _span(during: Interval, zone: str) -> str:
    return f"{moment_short(during.start, zone)}–{clock(during.end, zone)}"


def _zone(mine: Scope, code: StationCode) -> str:
    return next((station.zone for station in mine.stations if station.code == code), "Asia/Ho_Chi_Minh")


def _beside(finding: Finding, about: str, name: str) -> Finding:
    """Return the finding with the field of the form in place of its path; without one where it is about another."""
    # An overlap is of two sessions, whichever of them it names: it is mended at this one's times too.
    if finding.code == "sessions_overlap" and about == "sessions":
        return replace(finding, where="starts")
    found = _PATH.match(finding.where)
    # The version that would be made has a name of its own: the old one and a number.
    if found is None or found[1] != about or (name and _stem(found[2]) != _stem(name)):
        return replace(finding, where="")
    field = found[3] or "name"
    return replace(finding, where=f"items-{found[4]}" if field == "items" and found[4] else _FIELDS.get(field, field))


def _stem(name: str) -> str:
    return re.sub(r"-\d+$", "", name)


_PATH = re.compile(r"(\w+)\[([^\]]*)\](?:\.(\w+)(?:\[(\d+)\])?)?")
_FIELDS = {"length_s": "minutes", "nth_weekdays": "nth", "every_weeks": "every", "least_share": "share"}
