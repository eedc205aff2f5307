"""What villages send: received, made into an item, thanked or turned down, and forgotten when its time is over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, and_, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from schedules.errors import Conflict, Refused
from schedules.findings import Finding, Severity
from schedules.segment import SAMPLE_RATE_HZ, SegmentId
from schedules.station import StationCode, UnitCode
from schedules.text import Text
from store import tables_public
from store.accounts import Person
from store.outsidelinks import QUOTA_SPAN, OutsideLink
from store.rows import changed

_TABLE = tables_public.contribution
LONGEST_TEXT = 5000
LONGEST_ANSWER = 1000
VOICE_TRIES = 3


class ContributionState(StrEnum):
    """What became of it. USED: an item was made of it."""

    NEW = "new"
    USED = "used"
    THANKED = "thanked"
    REJECTED = "rejected"


class VoiceState(StrEnum):
    """What became of the recording that came along; nobody hears it before it is READY."""

    NONE = "none"
    WAITING = "waiting"
    READY = "ready"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One thing that somebody sent. had_picture: also after the photo was forgotten. answer: for the sender.

    credited: the sender agrees to be named on air. forgotten_at: from then on nothing of the sender's is left.
    """

    id: str
    link: str
    unit: UnitCode
    station: StationCode
    village: str
    received_at: datetime
    state: ContributionState
    text: str
    name: str
    phone: str
    credited: bool
    picture: str | None
    had_picture: bool
    voice: VoiceState
    voice_sha256: str | None
    voice_s: float
    voice_why: Text
    answer: str
    decided_at: datetime | None
    segment: SegmentId | None
    script: str | None
    forgotten_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VillageWeek:
    """How many things a village sent in the week that begins on that Monday."""

    village: str
    monday: date
    count: int


def receive(
    session: Session,
    contribution: str,
    link: OutsideLink,
    *,
    words: str,
    name: str,
    phone: str,
    credited: bool,
    picture: str | None,
    voice: bool,
    now: datetime,
) -> None:
    """Keep what was sent. Raises Refused where there is nothing in it, or too much."""
    words = words.replace("\r\n", "\n").strip()
    name, phone = " ".join(name.split())[:200], " ".join(phone.split())[:40]
    if not words and picture is None and not voice:
        raise Refused(
            _finding(
                "nothing_sent",
                "text",
                "Chưa có gì để gửi. Hãy viết vài dòng, chụp ảnh hoặc ghi âm.",
                "There is nothing to send. Write some lines, take a photo or record your voice.",
            )
        )
    if len(words) > LONGEST_TEXT:
        raise Refused(
            _finding(
                "text_long",
                "text",
                f"Bài viết dài hơn {LONGEST_TEXT} ký tự. Hãy chia làm hai lần gửi.",
                f"The text is longer than {LONGEST_TEXT} characters. Send it in two parts.",
            )
        )
    session.execute(
        insert(_TABLE).values(
            id=contribution,
            link=link.id,
            unit=link.unit,
            station=link.station,
            village=link.village,
            received_at=now,
            state=ContributionState.NEW.value,
            text=words,
            name=name,
            phone=phone,
            credited=credited,
            picture=picture,
            had_picture=picture is not None,
            voice=(VoiceState.WAITING if voice else VoiceState.NONE).value,
            voice_samples=0,
            voice_tries=0,
            voice_why_vi="",
            voice_why_en="",
            answer="",
        )
    )


def sent_lately(session: Session, link: str, now: datetime) -> int:
    """Return how many came through the link within the span of its quota."""
    since = now - QUOTA_SPAN
    counted = select(func.count()).select_from(_TABLE).where(_TABLE.c.link == link, _TABLE.c.received_at > since)
    return session.scalar(counted) or 0


def of_link(session: Session, link: str, *, limit: int) -> tuple[Contribution, ...]:
    """Return the newest that came through a link."""
    query = _select().where(_TABLE.c.link == link).order_by(_TABLE.c.received_at.desc(), _TABLE.c.id.desc())
    return tuple(_contribution(row) for row in session.execute(query.limit(limit)))


def find(session: Session, contribution: str) -> Contribution | None:
    """Return it, or None."""
    row = session.execute(_select().where(_TABLE.c.id == contribution)).first()
    return None if row is None else _contribution(row)


def listing(
    session: Session,
    *,
    stations: Collection[StationCode],
    states: Sequence[ContributionState] = (),
    before: str | None = None,
    limit: int = 50,
) -> tuple[Contribution, ...]:
    """Return what was sent to these stations, newest first. before: the last id of the page before."""
    query = _select().where(_TABLE.c.station.in_(stations))
    if states:
        query = query.where(_TABLE.c.state.in_([state.value for state in states]))
    if before is not None:
        mark = session.scalar(select(_TABLE.c.received_at).where(_TABLE.c.id == before))
        if mark is None:
            return ()
        query = query.where(or_(_TABLE.c.received_at < mark, and_(_TABLE.c.received_at == mark, _TABLE.c.id < before)))
    rows = session.execute(query.order_by(_TABLE.c.received_at.desc(), _TABLE.c.id.desc()).limit(limit))
    return tuple(_contribution(row) for row in rows)


def count_new(session: Session, units: Collection[UnitCode]) -> int:
    """Return how many nobody has dealt with yet."""
    waiting = (_TABLE.c.unit.in_(units), _TABLE.c.state == ContributionState.NEW.value)
    return session.scalar(select(func.count()).select_from(_TABLE).where(*waiting)) or 0


def by_village(
    session: Session, *, unit: UnitCode, station: StationCode, since: datetime, zone: str
) -> tuple[VillageWeek, ...]:
    """Return how many each village sent to the station in each week, by the calendar of the station."""
    asked = select(_TABLE.c.village, _TABLE.c.received_at).where(
        _TABLE.c.unit == unit, _TABLE.c.station == station, _TABLE.c.received_at >= since
    )
    counts: dict[tuple[str, date], int] = {}
    for village, moment in session.execute(asked):
        day = moment.astimezone(ZoneInfo(zone)).date()
        key = village, day - timedelta(days=day.weekday())
        counts[key] = counts.get(key, 0) + 1
    return tuple(VillageWeek(village=name, monday=monday, count=n) for (name, monday), n in sorted(counts.items()))


def decide(
    session: Session,
    contribution: str,
    state: ContributionState,
    *,
    answer: str,
    person: Person,
    now: datetime,
    segment: SegmentId | None = None,
    script: str | None = None,
) -> None:
    """Say what becomes of it, with an answer for the sender. Raises Conflict where it is forgotten, Refused."""
    answer = answer.strip()
    if len(answer) > LONGEST_ANSWER or (state is ContributionState.REJECTED and not answer):
        raise Refused(
            _finding(
                "answer_wrong",
                "answer",
                f"Hãy ghi lý do, từ 1 đến {LONGEST_ANSWER} ký tự. Chưa có gì thay đổi.",
                f"Give a reason of 1 to {LONGEST_ANSWER} characters. Nothing was changed.",
            )
        )
    values: dict[str, object] = {
        "state": state.value,
        "decided_at": None if state is ContributionState.NEW else now,
        "decided_by": None if state is ContributionState.NEW else person.id,
        "answer": answer,
    }
    if segment is not None:
        values["segment"] = segment
    if script is not None:
        values["script"] = script
    statement = update(_TABLE).where(_TABLE.c.id == contribution, _TABLE.c.forgotten_at.is_(None)).values(**values)
    if changed(session, statement) != 1:
        raise Conflict(
            _finding(
                "contribution_gone",
                "",
                "Tin này đã hết thời hạn lưu và đã được xóa.",
                "This was deleted because its time was over.",
            )
        )


def voices_waiting(session: Session, limit: int) -> tuple[Contribution, ...]:
    """Return those whose recording is still to be checked, oldest first."""
    query = _select().where(_TABLE.c.voice == VoiceState.WAITING.value).order_by(_TABLE.c.received_at).limit(limit)
    return tuple(_contribution(row) for row in session.execute(query))


def voice_tried(session: Session, contribution: str) -> int:
    """Count one more attempt to check the recording, and return which it is."""
    session.execute(update(_TABLE).where(_TABLE.c.id == contribution).values(voice_tries=_TABLE.c.voice_tries + 1))
    return session.scalar(select(_TABLE.c.voice_tries).where(_TABLE.c.id == contribution)) or 0


def voice_ready(session: Session, contribution: str, *, sha256: str, samples: int) -> None:
    """Keep that the recording can be heard."""
    _voice(session, contribution, VoiceState.READY, voice_sha256=sha256, voice_samples=samples)


def voice_refused(session: Session, contribution: str, why: Text) -> None:
    """Keep why the recording cannot be heard."""
    _voice(session, contribution, VoiceState.REFUSED, voice_why_vi=why.vi[:2000], voice_why_en=why.en[:2000])


def to_forget(session: Session, *, decided: datetime, untouched: datetime, limit: int) -> tuple[Contribution, ...]:
    """Return what has to be forgotten: decided before the one moment, or never decided and come before the other."""
    over = or_(
        and_(_TABLE.c.decided_at.is_not(None), _TABLE.c.decided_at <= decided),
        and_(_TABLE.c.decided_at.is_(None), _TABLE.c.received_at <= untouched),
    )
    query = _select().where(_TABLE.c.forgotten_at.is_(None), over).order_by(_TABLE.c.received_at).limit(limit)
    return tuple(_contribution(row) for row in session.execute(query))


def forget(session: Session, contribution: str, now: datetime) -> None:
    """Empty every column that the sender filled, and the answer; what stays is that something came, when, from where.

    Emptied pages are overwritten, so that the words are not in the file either.
    """
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA secure_delete=ON"))
    session.execute(
        update(_TABLE)
        .where(_TABLE.c.id == contribution)
        .values(
            text="",
            name="",
            phone="",
            answer="",
            picture=None,
            voice=VoiceState.NONE.value,
            voice_sha256=None,
            voice_samples=0,
            voice_why_vi="",
            voice_why_en="",
            forgotten_at=now,
        )
    )


def pictures(session: Session) -> frozenset[str]:
    """Return the photos that are still needed."""
    return frozenset(
        sha256 for sha256 in session.scalars(select(_TABLE.c.picture).where(_TABLE.c.picture.is_not(None))) if sha256
    )


def voices(session: Session) -> frozenset[str]:
    """Return the recordings that are still needed, by contribution and by hash."""
    asked = select(_TABLE.c.id, _TABLE.c.voice_sha256).where(_TABLE.c.voice != VoiceState.NONE.value)
    return frozenset(one for row in session.execute(asked) for one in row if one)


def _voice(session: Session, contribution: str, state: VoiceState, **values: object) -> None:
    waiting = (_TABLE.c.id == contribution, _TABLE.c.voice == VoiceState.WAITING.value)
    session.execute(update(_TABLE).where(*waiting).values(voice=state.value, **values))


def _select() -> Select[Any]:
    return select(_TABLE)


def _contribution(row: Row[Any]) -> Contribution:
    return Contribution(
        id=row.id,
        link=row.link,
        unit=row.unit,
        station=row.station,
        village=row.village,
        received_at=row.received_at,
        state=ContributionState(row.state),
        text=row.text,
        name=row.name,
        phone=row.phone,
        credited=row.credited,
        picture=row.picture,
        had_picture=row.had_picture,
        voice=VoiceState(row.voice),
        voice_sha256=row.voice_sha256,
        voice_s=row.voice_samples / SAMPLE_RATE_HZ,
        voice_why=Text(row.voice_why_vi, row.voice_why_en),
        answer=row.answer,
        decided_at=row.decided_at,
        segment=row.segment,
        script=row.script,
        forgotten_at=row.forgotten_at,
    )


def _finding(code: str, where: str, vi: str, en: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=where, message=Text(vi, en))
