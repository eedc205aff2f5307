"""What officers do with what villages send, and with the links that it comes through."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from schedules.errors import Conflict, Unknown
from schedules.findings import Finding, Severity
from schedules.segment import SegmentKind
from schedules.station import Station, StationCode
from schedules.text import Text
from store import contributions, outsidelinks
from store.accounts import Person
from store.contributions import Contribution, ContributionState, VoiceState
from store.outsidelinks import LinkKind, OutsideLink
from store.segments import Card, SegmentRecord
from webui import voices, work, writing
from webui.rights import reach
from webui.services import services
from webui.work import no_such, require, station_of, trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A link just made. secret: for its address; it is nowhere else from now on."""

    link: OutsideLink
    secret: str


def issue_link(
    *,
    kind: LinkKind,
    station: StationCode,
    cluster: str,
    village: str,
    holder: str,
    quota: int,
    days: int,
    person: Person,
) -> Issued:
    """Make a link for a village, a person or a pole. Raises Refused, NotAllowed, Unknown."""
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        where = station_of(session, station, person)
        require(person, "inbox.manage", where)
        if cluster and all(group.code != cluster for group in where.groups):
            raise Unknown(no_such("cluster_unknown", "Không có cụm loa này.", "There is no such loudspeaker cluster."))
        link, secret = outsidelinks.issue(
            session,
            kind=kind,
            unit=where.unit,
            station=where.code,
            cluster=cluster,
            village=village,
            holder=holder,
            quota=quota,
            days=days,
            person=person,
            now=now,
        )
        trace(session, "link.issue", link, person, detail=f"{kind.value} {station} {days} days")
        made = outsidelinks.find(session, link)
    assert made is not None
    return Issued(link=made, secret=secret)


def revoke_link(link: str, *, person: Person) -> OutsideLink:
    """End a link at once. Raises Unknown, NotAllowed, Conflict."""
    here = services()
    with here.database.writing() as session:
        known = outsidelinks.find(session, link)
        if known is None or known.unit not in reach(person):
            raise Unknown(no_such("link_unknown", "Không có liên kết này.", "There is no such link."))
        require(person, "inbox.manage", known.unit)
        if not outsidelinks.revoke(session, link, person=person, now=here.clock.now()):
            raise Conflict(no_such("link_ended", "Liên kết này đã thu hồi trước đó.", "It was ended before."))
        trace(session, "link.revoke", link, person)
    return known


def visible(contribution: str, *, person: Person) -> Contribution:
    """Return something that was sent to a unit that the person reaches. Raises Unknown for every other one."""
    with services().database.reading() as session:
        return _visible(session, contribution, person)


def decide(contribution: str, state: ContributionState, *, answer: str, person: Person) -> None:
    """Thank, turn down with a reason, or put it back among the new ones. Raises Refused, Conflict, Unknown."""
    here = services()
    with here.database.writing() as session:
        known = _visible(session, contribution, person)
        require(person, "inbox.manage", known.unit)
        contributions.decide(session, contribution, state, answer=answer, person=person, now=here.clock.now())
        trace(session, f"contribution.{state.value}", contribution, person)


def make_recording(
    contribution: str, *, title: str, programme: str, topics: tuple[str, ...], person: Person
) -> SegmentRecord:
    """Make an item of what somebody spoke: the file goes the way of every recording, with its sender as author."""
    here = services()
    known = visible(contribution, person=person)
    require(person, "inbox.manage", known.unit)
    source = voices.original(here.data, known.id)
    if known.voice is not VoiceState.READY or not source.is_file():
        raise Conflict(_no_voice())
    card = Card(
        owner=known.unit,
        station=known.station,
        programme=programme,
        title=" ".join(title.split())[:200],
        kind=SegmentKind.TIN,
        topics=topics,
        author=author(known),
    )
    with source.open("rb") as stream:
        record = work.receive_upload(stream=stream, file_name=f"{known.village}.ghi-am", card=card, person=person)
    with here.database.writing() as session:
        contributions.decide(
            session,
            contribution,
            ContributionState.USED,
            answer=known.answer,
            person=person,
            now=here.clock.now(),
            segment=record.id,
        )
        trace(session, "contribution.used", contribution, person, detail=record.id)
    return record


def make_text(contribution: str, *, title: str, programme: str, topics: tuple[str, ...], person: Person) -> str:
    """Make a text of what somebody wrote, for an officer to go on with; return its id. Raises Refused, Conflict."""
    here = services()
    known = visible(contribution, person=person)
    require(person, "inbox.manage", known.unit)
    if not known.text:
        raise Conflict(_no_text())
    script = writing.draft(
        station=known.station,
        programme=programme,
        title=title,
        body=known.text,
        person=person,
        kind=SegmentKind.TIN,
        topics=topics,
        author=author(known),
    )
    with here.database.writing() as session:
        contributions.decide(
            session,
            contribution,
            ContributionState.USED,
            answer=known.answer,
            person=person,
            now=here.clock.now(),
            script=script,
        )
        trace(session, "contribution.used", contribution, person, detail=script)
    return script


def villages_with_links(session: Session, station: Station) -> frozenset[str]:
    """Return the villages that may send something to the station now."""
    known = outsidelinks.listing(
        session, units=[station.unit], station=station.code, now=services().clock.now(), limit=500
    )
    return frozenset(link.village for link in known if link.kind is LinkKind.CONTRIBUTE)


def author(contribution: Contribution) -> str:
    """Return who is named as the author: the sender where they agreed to it, else their village."""
    if contribution.credited and contribution.name:
        return f"{contribution.name} ({contribution.village})"[:200]
    return contribution.village


def _visible(session: Session, contribution: str, person: Person) -> Contribution:
    known = contributions.find(session, contribution)
    if known is None or known.unit not in reach(person):
        raise Unknown(no_such("contribution_unknown", "Không có tin này.", "There is no such contribution."))
    return known


def _no_voice() -> Finding:
    return Finding(
        code="no_voice",
        severity=Severity.ERROR,
        message=Text(
            "Tin này không có bản ghi âm dùng được, hoặc bản ghi đã hết thời hạn lưu. Chưa tạo bài.",
            "There is no usable recording, or its time is over. No item was made.",
        ),
    )


def _no_text() -> Finding:
    return Finding(
        code="no_text",
        severity=Severity.ERROR,
        message=Text(
            "Tin này không có bài viết, hoặc bài viết đã hết thời hạn lưu. Chưa tạo bản nháp.",
            "There are no words in it, or their time is over. No draft was made.",
        ),
    )
