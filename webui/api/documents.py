"""The API's documents: how values of the core look in JSON, each with the sentence in the reader's language."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from link.door import FaultStatus, LiveStatus, OnAirStatus, OutputStatus, StationStatus
from schedules.airing import Evidence
from schedules.calendar import FIRST_YEAR, LAST_YEAR
from schedules.clock import ClockState
from schedules.duty import DutyStanding
from schedules.emergency import Alert
from schedules.findings import Finding
from schedules.programme import Otherwise, Programme
from schedules.rundown import RundownItem
from schedules.segment import Priority, SegmentKind, SegmentState
from schedules.station import Station, Unit
from store.airings import LoggedAiring
from store.segments import Event, SegmentRecord
from webui.hearing import Composed

_MOMENT = WithJsonSchema({"type": "string", "format": "date-time"})


def _spaced(value: object) -> object:
    # A bare number would be taken for seconds since 1970, which nobody means.
    if not isinstance(value, str) or "T" not in value:
        raise ValueError("not an ISO 8601 time")
    # In an address an unescaped "+" of an offset arrives as a space.
    return value.replace(" ", "+")


def _reckonable(moment: datetime) -> datetime:
    # At the ends of the calendar neither zones nor weeks can be reckoned.
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError("outside the calendar")
    return moment


def _one_line(value: object) -> object:
    # Line breaks, NUL and halves of letters have no place in a title or a reason; PostgreSQL refuses NUL.
    if not isinstance(value, str):
        return value
    return " ".join("".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in value).split())


When = Annotated[datetime, PlainSerializer(lambda moment: moment.isoformat(), return_type=str), _MOMENT]
Asked = Annotated[AwareDatetime, BeforeValidator(_spaced), AfterValidator(_reckonable), _MOMENT]
Line = Annotated[str, BeforeValidator(_one_line), StringConstraints(min_length=1, max_length=200)]
Name = Annotated[str, BeforeValidator(_one_line), StringConstraints(max_length=200)]
Reason = Annotated[str, BeforeValidator(_one_line), StringConstraints(min_length=1, max_length=500)]
Number = Annotated[int, Field(ge=0, le=2**31 - 1)]
Episode = Annotated[int, Field(ge=1, le=99_999)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Question(BaseModel):
    """What is asked: a field that is not known is refused, so that nobody sets what is not theirs to set."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """What is answered."""


class FindingOut(Answer):
    """A finding; `severity` is error, warning or note."""

    code: str
    severity: str
    where: str
    message: str
    hint: str | None

    @classmethod
    def of(cls, finding: Finding, language: str) -> FindingOut:
        """Return it in that language."""
        return cls(
            code=finding.code,
            severity=finding.severity.value,
            where=finding.where,
            message=finding.message.in_language(language),
            hint=None if finding.hint is None else finding.hint.in_language(language),
        )


class ClockOut(Answer):
    """Whether a station believes its clock, and why."""

    state: Literal["trusted", "untrusted"]
    reason: str

    @classmethod
    def of(cls, clock: ClockState, language: str) -> ClockOut:
        """Return it in that language."""
        return cls(state="trusted" if clock.trusted else "untrusted", reason=clock.reason.in_language(language))


class StationHealth(Answer):
    """A station in the health document."""

    state: str
    clock: Literal["trusted", "untrusted"]


class Health(Answer):
    """Whether Loa works; more than `status` only for somebody who is signed in."""

    status: str
    version: str | None = None
    clock: ClockOut | None = None
    stations: dict[str, StationHealth] | None = None


class Me(Answer):
    """Whose token or session this is."""

    name: str
    full_name: str
    role: str
    unit: str
    units: list[str]


class UnitOut(Answer):
    """A unit of the administration."""

    code: str
    name: str
    parent: str | None

    @classmethod
    def of(cls, unit: Unit) -> UnitOut:
        """Return the unit."""
        return cls(code=unit.code, name=unit.name, parent=unit.parent)


class ProgrammeOut(Answer):
    """A recurring programme. otherwise: what fills a slot without a new item, in this order; separation_s: seconds."""

    code: str
    name: str
    repeats: bool
    order: str
    otherwise: list[str]
    separation_s: int

    @classmethod
    def of(cls, programme: Programme) -> ProgrammeOut:
        """Return the programme."""
        return cls(
            code=programme.code,
            name=programme.name,
            repeats=Otherwise.REPEAT in programme.otherwise,
            order=programme.order.value,
            otherwise=[one.value for one in programme.otherwise],
            separation_s=programme.separation_s,
        )


class SegmentOut(Answer):
    """A recording. Loudness and peak are those of the canonical file; times of day are the sender's business."""

    id: str
    state: SegmentState
    reason: str | None
    progress: float
    revision: int
    title: str
    programme: str
    station: str | None
    owner: str
    kind: SegmentKind
    origin: str
    language: str
    author: str
    topics: list[str]
    valid_from: When | None
    valid_until: When | None
    evergreen: bool
    episode: int | None
    priority: Priority
    sha256: str | None
    pcm_sha256: str | None
    samples: int | None
    duration_s: float | None
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    gain_db: float | None
    head_silence_s: float | None
    tail_silence_s: float | None
    source_format: str | None
    warnings: list[FindingOut]
    file_name: str
    uploader: str
    created_at: When
    updated_at: When
    approved_by: str | None
    approved_at: When | None
    self_approved: bool

    @classmethod
    def of(cls, record: SegmentRecord, language: str, *, progress: float) -> SegmentOut:
        """Return the recording. progress: of an analysis that is under way, 0 to 1."""
        audio, card = record.audio, record.card
        working = record.state in {SegmentState.RECEIVED, SegmentState.ANALYSING}
        return cls(
            id=record.id,
            state=record.state,
            reason=None if record.reason is None else record.reason.in_language(language),
            progress=progress if working else 1.0,
            revision=record.revision,
            title=card.title,
            programme=card.programme,
            station=card.station,
            owner=card.owner,
            kind=card.kind,
            origin=card.origin,
            language=card.language,
            author=card.author,
            topics=list(card.topics),
            valid_from=card.valid_from,
            valid_until=card.valid_until,
            evergreen=card.evergreen,
            episode=card.episode,
            priority=card.priority,
            sha256=audio.sha256 if audio else None,
            pcm_sha256=audio.pcm_sha256 if audio else None,
            samples=audio.samples if audio else None,
            duration_s=record.duration_s,
            loudness_lufs=audio.loudness_lufs if audio else None,
            true_peak_dbtp=audio.true_peak_dbtp if audio else None,
            gain_db=audio.gain_db if audio else None,
            head_silence_s=audio.head_silence_s if audio else None,
            tail_silence_s=audio.tail_silence_s if audio else None,
            source_format=audio.source_format if audio else None,
            warnings=[FindingOut.of(finding, language) for finding in audio.warnings] if audio else [],
            file_name=record.file_name,
            uploader=record.uploader_name,
            created_at=record.created_at,
            updated_at=record.updated_at,
            approved_by=record.approver_name,
            approved_at=record.approved_at,
            self_approved=record.self_approved,
        )


class Received(Answer):
    """A recording that was taken in."""

    id: str
    state: SegmentState


class EventOut(Answer):
    """A step in a recording's history. person is null where Loa itself did it."""

    at: When
    person: str | None
    what: str
    revision: int
    reason: str

    @classmethod
    def of(cls, event: Event) -> EventOut:
        """Return the step."""
        return cls(
            at=event.at,
            person=event.person_name,
            what=event.what,
            revision=event.revision,
            reason=event.reason,
        )


class Upload(BaseModel):
    """The card of an upload, as form fields beside the file `audio`. topics: repeated, or parted by commas."""

    # A browser's form brings its CSRF token along; what else is not known is not looked at.
    model_config = ConfigDict(extra="ignore")

    title: Line
    programme: Line
    station: str | None = None
    topics: str = ""
    kind: SegmentKind = SegmentKind.BAI
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "vi"
    author: Name = ""
    valid_from: Asked | None = None
    valid_until: Asked | None = None
    evergreen: bool = False
    episode: Episode | None = None
    priority: Literal["normal", "priority"] = "normal"


class Claim(Question):
    """The card of a file that has been sent whole."""

    title: Line
    programme: Line
    station: str | None = None
    topics: list[Line] = Field(default=[], max_length=26)
    kind: SegmentKind = SegmentKind.BAI
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "vi"
    author: Name = ""
    valid_from: Asked | None = None
    valid_until: Asked | None = None
    evergreen: bool = False
    episode: Episode | None = None
    priority: Literal["normal", "priority"] = "normal"


class CardChange(Question):
    """What changes on a card; what is left out stays. revision: the one that was read."""

    revision: Number
    title: Line | None = None
    programme: Line | None = None
    topics: list[Line] | None = Field(default=None, max_length=26)
    kind: SegmentKind | None = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] | None = None
    author: Name | None = None
    valid_from: Asked | None = None
    valid_until: Asked | None = None
    evergreen: bool | None = None
    episode: Episode | None = None
    priority: Literal["normal", "priority"] | None = None


class TrimIn(Question):
    """How many seconds to cut off at head and tail of which revision."""

    revision: Number
    head_s: Annotated[float, Field(ge=0, le=10_800)] = 0.0
    tail_s: Annotated[float, Field(ge=0, le=10_800)] = 0.0


class Approval(Question):
    """What exactly is approved."""

    sha256: Sha256
    revision: Number


class ReasonIn(Question):
    """Why."""

    reason: Reason


class SegmentsAsked(Question):
    """Which recordings. state: one or several, parted by commas. before: the last id of the page before."""

    state: str = ""
    station: str | None = None
    programme: str | None = None
    before: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Count(Question):
    """How many values are wanted."""

    count: Annotated[int, Field(ge=10, le=2000)] = 400


class PeaksOut(Answer):
    """The waveform: loudest samples of equal stretches, 0 to 100."""

    sha256: str
    peaks: list[int]


class OutputOut(Answer):
    """An output of a station as it is now.

    amplifier: on, off or fault; ear: hearing, lost, matching, foreign, silent or unscheduled; null where there is none.
    """

    name: str
    kind: str
    device: str | None
    state: str
    detail: str
    amplifier: str | None
    ear: str | None

    @classmethod
    def of(cls, output: OutputStatus) -> OutputOut:
        """Return the output."""
        return cls(
            name=output.name,
            kind=output.kind,
            device=output.device,
            state=output.state,
            detail=output.detail,
            amplifier=output.amplifier,
            ear=output.ear,
        )


class AlertOut(Answer):
    """An emergency order as a station knows it. state: received, on_air, done, stopped, refused, expired, cancelled."""

    id: str
    title: str
    drill: bool
    state: str
    received_at: When
    started_at: When | None
    ended_at: When | None
    said: int

    @classmethod
    def of(cls, alert: Alert) -> AlertOut:
        """Return the order."""
        return cls(
            id=alert.order.id,
            title=alert.order.title,
            drill=alert.order.drill,
            state=alert.state.value,
            received_at=alert.received_at,
            started_at=alert.started_at,
            ended_at=alert.ended_at,
            said=alert.said,
        )


class TalkOut(Answer):
    """A live talk that is on air or about to be. input: a microphone of the station, null for a browser's."""

    id: str
    by: str
    started_at: When | None
    ends_at: When
    input: str | None

    @classmethod
    def of(cls, talk: LiveStatus) -> TalkOut:
        """Return the talk."""
        return cls(id=talk.id, by=talk.by, started_at=talk.started_at, ends_at=talk.ends_at, input=talk.input)


class LiveIn(Question):
    """A live talk of at most `limit_s`, from the browser or a microphone of the station, to some groups or to all."""

    limit_s: float = 300.0
    input: Annotated[str, StringConstraints(min_length=1, max_length=80)] | None = None
    targets: Annotated[list[Annotated[str, StringConstraints(max_length=40)]], Field(max_length=100)] | None = None


class LiveOut(Answer):
    """A live talk that has begun."""

    id: str
    limit_s: float


class PieceIn(Question):
    """n: number of a piece of sound, from 1, growing; one that comes again is dropped."""

    n: Annotated[int, Field(ge=1, le=2**31 - 1)]


class PieceOut(Answer):
    """Whether the talk goes on."""

    going: bool


class Shown(Question):
    """The time of a station's clock, as a person saw it."""

    shown: Asked


class FaultOut(Answer):
    """A fault that is open now."""

    code: str
    since: When
    message: str
    hint: str | None

    @classmethod
    def of(cls, fault: FaultStatus, language: str) -> FaultOut:
        """Return it in that language."""
        return cls(
            code=fault.code,
            since=fault.since,
            message=fault.message.in_language(language),
            hint=None if fault.hint is None else fault.hint.in_language(language),
        )


class OnAirOut(Answer):
    """What is being heard now; position and duration in seconds."""

    slot: str
    title: str
    programme: str | None
    kind: str
    segment: str | None
    started_at: When | None
    ends_at: When
    position_s: float
    duration_s: float

    @classmethod
    def of(cls, item: OnAirStatus) -> OnAirOut:
        """Return the item."""
        return cls(
            slot=item.slot,
            title=item.title,
            programme=item.programme,
            kind=item.kind,
            segment=item.segment,
            started_at=item.started_at,
            ends_at=item.ends_at,
            position_s=item.position_s,
            duration_s=item.duration_s,
        )


class ItemOut(Answer):
    """An item of the plan. due: when it will really start as things stand. why: the reason for it, in a sentence.

    relay: the source of a relay. targets: cluster groups that hear it, null for all. priority: normal, priority or
    emergency.
    """

    slot: str
    start: When
    end: When
    due: When
    kind: str
    programme: str | None
    segment: str | None
    title: str
    sha256: str | None
    samples: int
    duration_s: float
    topics: list[str]
    timing: str
    session: str | None
    why: str
    joins: str | None
    replaced_by: str | None
    cancelled_by: str | None
    self_approved: bool
    duty: str | None
    relay: str | None
    targets: list[str] | None
    priority: str

    @classmethod
    def of(cls, item: RundownItem, language: str) -> ItemOut:
        """Return it in that language."""
        return cls(
            slot=item.slot,
            start=item.start,
            end=item.end,
            due=item.due,
            kind=item.kind.value,
            programme=item.programme,
            segment=item.segment,
            title=item.title,
            sha256=item.sha256,
            samples=item.samples,
            duration_s=(item.end - item.start).total_seconds(),
            topics=list(item.topics),
            timing=item.timing.value,
            session=item.session,
            why=item.why.in_language(language),
            joins=item.joins,
            replaced_by=item.replaced_by,
            cancelled_by=item.cancelled_by,
            self_approved=item.self_approved,
            duty=item.duty,
            relay=item.relay,
            targets=None if item.targets is None else list(item.targets),
            priority=item.priority.value,
        )


class MarkOut(Answer):
    """An item in the sound of a session; at_s, duration_s: seconds in it."""

    slot: str
    title: str
    kind: str
    segment: str | None
    at_s: float
    duration_s: float


class SessionOut(Answer):
    """A session of the plan as one sound. playlist: HLS, valid for half a day; null where there is nothing to hear.

    empty: slots without audio yet; live: slots that cannot be heard before they come, such as relays.
    """

    session: str
    start: When
    end: When
    duration_s: float
    playlist: str | None
    items: list[MarkOut]
    empty: list[ItemOut]
    live: list[ItemOut]

    @classmethod
    def of(cls, session: Composed, language: str, playlist: str | None) -> SessionOut:
        """Return it in that language."""
        return cls(
            session=session.session,
            start=session.start,
            end=session.end,
            duration_s=session.length_s,
            playlist=playlist,
            items=[
                MarkOut(
                    slot=mark.item.slot,
                    title=mark.item.title,
                    kind=mark.item.kind.value,
                    segment=mark.item.segment,
                    at_s=mark.at_s,
                    duration_s=mark.length_s,
                )
                for mark in session.marks
            ],
            empty=[ItemOut.of(item, language) for item in session.empty],
            live=[ItemOut.of(item, language) for item in session.live],
        )


class StationOut(Answer):
    """A station. state: off, idle, armed, on_air, live, emergency, fault or untrusted_clock. level: dBFS, or null."""

    code: str
    name: str
    unit: str
    zone: str
    permitted: list[list[str]]
    quiet: list[list[str]]
    groups: dict[str, str]
    self_approval: bool
    state: str
    on_air: OnAirOut | None
    next: ItemOut | None
    clock: ClockOut | None
    outputs: list[OutputOut]
    faults: list[FaultOut]
    last_contact: When | None
    level_dbfs: float | None
    peak_dbfs: float | None
    rehearsal: bool
    revision: int | None
    alerts: list[AlertOut]
    live: TalkOut | None
    inputs: list[str]

    @classmethod
    def of(cls, station: Station, status: StationStatus | None, language: str) -> StationOut:
        """Return the station; `off` without contact where nothing is known of it."""
        return cls(
            code=station.code,
            name=station.name,
            unit=station.unit,
            zone=station.zone,
            permitted=[[f"{span.start:%H:%M}", f"{span.end:%H:%M}"] for span in station.permitted],
            quiet=[[f"{span.start:%H:%M}", f"{span.end:%H:%M}"] for span in station.quiet],
            groups={group.code: group.name for group in station.groups},
            self_approval=station.self_approval,
            state=status.state if status else "off",
            on_air=OnAirOut.of(status.on_air) if status and status.on_air else None,
            next=ItemOut.of(status.next, language) if status and status.next else None,
            clock=ClockOut.of(status.clock, language) if status else None,
            outputs=[OutputOut.of(output) for output in status.outputs] if status else [],
            faults=[FaultOut.of(fault, language) for fault in status.faults] if status else [],
            last_contact=status.contact_at if status else None,
            level_dbfs=status.level_dbfs if status else None,
            peak_dbfs=status.peak_dbfs if status else None,
            rehearsal=status.rehearsal if status else False,
            revision=status.revision if status else None,
            alerts=[AlertOut.of(alert) for alert in status.alerts] if status else [],
            live=TalkOut.of(status.live) if status and status.live else None,
            inputs=list(status.inputs) if status else [],
        )


class Order(Question):
    """A one-off airing: which approved recording, when, and whether it cuts what is playing (hard) or waits (soft)."""

    segment: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    start: Asked
    timing: Literal["hard", "soft"] = "soft"


class OrderedOut(Answer):
    """A one-off airing that was taken; findings say what it costs."""

    id: str
    slot: str
    findings: list[FindingOut]


class Stopped(Answer):
    """Whether anything was cut."""

    stopped: bool


class Span(Question):
    """A stretch of time, `[from, to)`."""

    from_: Annotated[Asked | None, Field(alias="from")] = None
    to: Asked | None = None


class AirlogAsked(Span):
    """Which rows. verdict: one or several, parted by commas. after: `rel=next` of the page before gives it."""

    programme: str | None = None
    verdict: str = ""
    after: Number | None = None
    after_start: Asked | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 500


class PartOut(Answer):
    """An unbroken stretch of an airing; first and next are samples of the file."""

    first: int
    next: int
    started_at: When | None
    ended_at: When | None


class CountOut(Answer):
    """What one output really played."""

    name: str
    kind: str
    samples: int
    grade: str


class AiringOut(Answer):
    """A row of the air log. started_at: the instant of the first sample at the sink. aircheck: a playlist, or null."""

    slot: str
    station: str
    kind: str
    programme: str | None
    segment: str | None
    title: str
    sha256: str | None
    topics: list[str]
    planned_start: When
    planned_end: When
    started_at: When | None
    ended_at: When | None
    seconds_aired: float
    samples_aired: int
    samples_expected: int
    bit_exact: bool
    start_error_s: float | None
    holes_s: float
    parts: list[PartOut]
    outputs: list[CountOut]
    verdict: str
    reason: str | None
    rehearsal: bool
    evidence: str
    self_approved: bool
    by: str | None
    duty: str | None
    seq: int
    hash: str
    aircheck: str | None

    @classmethod
    def of(cls, row: LoggedAiring, language: str, *, aircheck: str | None, grade: Evidence) -> AiringOut:
        """Return the row in that language. grade: the best that is known now; the row's own may be lower."""
        airing = row.airing
        return cls(
            slot=airing.slot,
            station=airing.station,
            kind=airing.kind,
            programme=airing.programme,
            segment=airing.segment,
            title=airing.title,
            sha256=airing.sha256,
            topics=list(airing.topics),
            planned_start=airing.planned_start,
            planned_end=airing.planned_end,
            started_at=airing.started_at,
            ended_at=airing.ended_at,
            seconds_aired=airing.seconds_aired,
            samples_aired=airing.samples_aired,
            samples_expected=airing.samples_expected,
            bit_exact=airing.bit_exact,
            start_error_s=airing.start_error_s,
            holes_s=airing.holes_s,
            parts=[
                PartOut(first=part.first, next=part.next, started_at=part.started_at, ended_at=part.ended_at)
                for part in airing.parts
            ],
            outputs=[
                CountOut(name=output.name, kind=output.kind, samples=output.samples, grade=output.grade.value)
                for output in airing.outputs
            ],
            verdict=airing.verdict.value,
            reason=None if airing.reason is None else airing.reason.in_language(language),
            rehearsal=airing.rehearsal,
            evidence=grade.value,
            self_approved=airing.self_approved,
            by=airing.by,
            duty=airing.duty,
            seq=row.seq,
            hash=row.hash,
            aircheck=aircheck,
        )


class DutiesAsked(Question):
    """Which period: 2026-W48, 2026-11 or 2026; the present ones where none is named."""

    period: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}(-W[0-9]{2}|-[0-9]{2})?$")] | None = None


class ChanceOut(Answer):
    """A place where a duty can still be fulfilled; slot is null where it would only be taken after a miss."""

    slot: str | None
    start: When
    title: str


class DutyOut(Answer):
    """How a duty stands at one station in one period.

    reason: what decided it, or what will. fallback: what happens if that fails. chances: the places that are left.
    """

    duty: str
    name: str
    owner: str
    station: str
    period: str
    state: str
    deadline: When
    slots: list[str]
    reason: str
    fallback: str | None
    chances: list[ChanceOut]

    @classmethod
    def of(cls, standing: DutyStanding, language: str) -> DutyOut:
        """Return it in that language."""
        return cls(
            duty=standing.duty,
            name=standing.name,
            owner=standing.owner,
            station=standing.station,
            period=standing.period,
            state=standing.state.value,
            deadline=standing.deadline,
            slots=list(standing.slots),
            reason=standing.reason.in_language(language),
            fallback=None if standing.fallback is None else standing.fallback.in_language(language),
            chances=[
                ChanceOut(slot=chance.slot, start=chance.start, title=chance.title) for chance in standing.chances
            ],
        )
