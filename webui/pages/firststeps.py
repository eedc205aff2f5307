"""The first five steps of a new station, on Today: each ticks itself from facts, and all go when they are done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import url_for
from flask_babel import gettext as _

from schedules.station import Station
from store import accounts, airings, audit, segments, sessions
from store.accounts import Role
from webui.pages.scope import Scope, now
from webui.services import services

_NEW = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. address: where it is done."""

    words: str
    done: bool
    address: str


def of(mine: Scope, station: Station) -> tuple[Step, ...]:
    """Return the steps of a station while one of them is open, none afterwards; inspectors have no part in them."""
    if mine.person.role is Role.INSPECTOR:
        return ()
    with services().database.reading() as session:
        aired = bool(airings.listing(session, stations=(station.code,), limit=1))
        recorded = bool(segments.listing(session, owners=(station.unit,), limit=1))
        planned = bool(sessions.in_force(session, station.code))
        approver = any(
            account.person.role is Role.APPROVER and account.person.unit == station.unit
            for account in accounts.every(session)
            if account.disabled_at is None
        )
        # Where something aired, somebody has heard the loudspeakers.
        tested = aired or bool(
            audit.about(session, subject=station.code, what="station.test", since=now() - _NEW, limit=1)
        )
    done = (tested, planned, recorded, approver, aired)
    if all(done):
        return ()
    words = (
        (_("Nghe thử loa"), url_for("pages.station", code=station.code)),
        (_("Đặt khung giờ, buổi phát"), url_for("pages.this_week", dai=station.code)),
        (_("Ghi bài đầu tiên"), url_for("pages.new_item", dai=station.code)),
        (_("Mời người duyệt"), url_for("pages.people" if mine.person.role is Role.ADMIN else "pages.help")),
        (_("Xem lượt phát đầu tiên"), url_for("pages.airlog", dai=station.code)),
    )
    return tuple(Step(words=said, done=one, address=address) for (said, address), one in zip(words, done, strict=True))
