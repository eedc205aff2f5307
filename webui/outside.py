"""What people without an account do with a link: send something for the air, report a broken loudspeaker."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from werkzeug.datastructures import FileStorage

from schedules.errors import Refused, TooMany, Unknown
from schedules.findings import Finding, Severity
from schedules.text import Text
from schedules.upkeep import Trouble
from store import audit, contributions, outsidelinks, stations, tickets, units
from store.identity import new_id
from store.outsidelinks import LinkKind, OutsideLink
from webui import photos, voices
from webui.pace import Limit
from webui.photos import PHOTO_BYTES
from webui.services import services
from webui.voices import VOICE_BYTES

_MISSES = Limit(purpose="unknown link", most=60, span_s=600)
_OF_LINK = Limit(purpose="forms of a link", most=60, span_s=3600)
_OF_ADDRESS = Limit(purpose="forms of a link and address", most=10, span_s=600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A link that works, with the names that its form shows."""

    link: OutsideLink
    station: str
    unit: str
    clusters: tuple[tuple[str, str], ...]


def opened(secret: str, kind: LinkKind) -> Opened:
    """Return what the link opens. Raises Unknown where there is none or it has ended, TooMany."""
    here = services()
    with here.database.reading() as session:
        link = outsidelinks.opened_by(session, secret, kind)
        station = None if link is None else stations.find(session, link.station)
        known = units.every(session)
    if link is None or station is None:
        here.pace.spend(_MISSES, request.remote_addr or "", here.clock.monotonic())
        raise Unknown(_unknown())
    if not link.works(here.clock.now()):
        raise Unknown(_ended())
    return Opened(
        link=link,
        station=station.name,
        unit=next((unit.name for unit in known if unit.code == link.unit), link.unit),
        clusters=tuple((group.code, group.name) for group in station.groups),
    )


def form_bytes(kind: LinkKind) -> int:
    """Return how many bytes a form behind the asked link may bring; raises for a link that does not work.

    It is asked before the body is read, and spends one of the forms that link and sender have.
    """
    here = services()
    secret = str((request.view_args or {}).get("khoa", ""))
    link = opened(secret, kind).link
    now_s = here.clock.monotonic()
    here.pace.spend(_OF_ADDRESS, f"{link.id} {request.remote_addr or ''}", now_s)
    here.pace.spend(_OF_LINK, link.id, now_s)
    return PHOTO_BYTES + (VOICE_BYTES if kind is LinkKind.CONTRIBUTE else 0)


def contribute(
    link: OutsideLink,
    *,
    words: str,
    name: str,
    phone: str,
    credited: bool,
    photo: FileStorage | None,
    voice: FileStorage | None,
) -> str:
    """Take in what a contributor sends and return its id. Raises Refused, TooMany."""
    here = services()
    now = here.clock.now()
    with here.database.reading() as session:
        if contributions.sent_lately(session, link.id, now) >= link.quota:
            raise TooMany(_full(link.quota))
    picture = photos.taken(photo)
    contribution = new_id()
    has_voice = voice is not None and bool(voice.filename)
    if voice is not None and has_voice:
        voices.take(here.data, contribution, voice.stream)
        if voices.original(here.data, contribution).stat().st_size > VOICE_BYTES:
            voices.original(here.data, contribution).unlink()
            raise Refused(_voice_heavy())
    try:
        with here.database.writing() as session:
            contributions.receive(
                session,
                contribution,
                link,
                words=words,
                name=name,
                phone=phone,
                credited=credited,
                picture=None if picture is None else picture.sha256,
                voice=has_voice,
                now=now,
            )
            outsidelinks.use(session, link.id, now)
            # The link, not the sender: nothing of theirs goes into a log that is never emptied.
            audit.note(session, at=now, what="contribution", subject=contribution, detail=f"link {link.id}")
    except Refused:
        voices.original(here.data, contribution).unlink(missing_ok=True)
        raise
    return contribution


def report(
    link: OutsideLink,
    *,
    trouble: Trouble,
    cluster: str,
    words: str,
    place: str,
    name: str,
    phone: str,
    photo: FileStorage | None,
) -> str:
    """Open a ticket for a loudspeaker, or join the one there is, and return its name. Raises Refused, TooMany."""
    here = services()
    now = here.clock.now()
    picture = photos.taken(photo)
    with here.database.writing() as session:
        ticket = tickets.report(
            session,
            station=link.station,
            cluster=link.cluster or cluster,
            what=words[:2000],
            place=place[:200] or link.village,
            picture=None if picture is None else picture.sha256,
            phone=phone[:40],
            link=link.id,
            now=now,
            trouble=trouble,
            name=name[:200],
        )
        outsidelinks.use(session, link.id, now)
        audit.note(session, at=now, what="ticket.report", subject=ticket.id, detail=f"link {link.id}")
    return ticket.name


def _unknown() -> Finding:
    return Finding(
        code="link_unknown",
        severity=Severity.ERROR,
        message=Text("Liên kết này không có, hoặc chép chưa đủ.", "There is no such link, or it was not copied whole."),
        hint=Text(
            "Hãy mở lại từ tin nhắn hoặc mã QR đã nhận, hoặc hỏi cán bộ đài truyền thanh xã.",
            "Open it again from the message or the QR code, or ask the commune's station.",
        ),
    )


def _ended() -> Finding:
    return Finding(
        code="link_ended",
        severity=Severity.ERROR,
        message=Text("Liên kết này đã hết hạn hoặc đã bị thu hồi.", "This link has ended."),
        hint=Text("Hãy xin cán bộ đài truyền thanh xã một liên kết mới.", "Ask the commune's station for a new one."),
    )


def _full(quota: int) -> Finding:
    return Finding(
        code="quota",
        severity=Severity.ERROR,
        message=Text(
            f"Liên kết này đã gửi đủ {quota} tin trong 7 ngày. Lần này chưa nhận.",
            f"This link has sent its {quota} within 7 days. Nothing was taken now.",
        ),
        hint=Text("Việc gấp hãy gọi cán bộ đài.", "If it is urgent, call the station."),
    )


def _voice_heavy() -> Finding:
    return Finding(
        code="voice_heavy",
        severity=Severity.ERROR,
        where="voice",
        message=Text(
            f"Bản ghi âm nặng hơn {VOICE_BYTES // 1_048_576} MB. Chưa gửi được.",
            f"The recording has more than {VOICE_BYTES // 1_048_576} MB. It was not sent.",
        ),
        hint=Text("Hãy ghi ngắn hơn, dưới 15 phút.", "Record less, under 15 minutes."),
    )
