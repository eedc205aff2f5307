"""Emergencies over the API: orders, the second person, the stop, and the templates that one person may order by."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from apiflask import APIBlueprint
from pydantic import Field, StringConstraints

from schedules.clock import utc
from schedules.emergency import MOST_REPEATS, Urgency
from schedules.segment import SAMPLE_RATE_HZ
from store.emergencies import OrderRecord, Standing, TemplateRecord
from store.segments import SegmentRecord
from webui import emergencies
from webui.api.documents import Answer, Asked, Question, When
from webui.api.openapi import many
from webui.auth import allowed, current_person
from webui.problems import language

bp = APIBlueprint("emergencies", __name__, tag="emergencies")

Id = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Password = Annotated[str, StringConstraints(max_length=1024)]


class EmergencyIn(Question):
    """An order: a recording or a template, for stations. repeat: 1 to 10; expires: at most 24 h ahead, else 1 h.

    What a template prepared goes out by one person; with another repeat or urgency it awaits a second one.
    password: only with a session cookie, and there only if the sign-in is older than five minutes.
    """

    stations: Annotated[list[Id], Field(max_length=1000)]
    segment: Id | None = None
    template: Id | None = None
    repeat: Annotated[int, Field(ge=1, le=MOST_REPEATS)] | None = None
    expires: Asked | None = None
    drill: bool = False
    urgency: Literal["moderate", "severe", "extreme"] | None = None
    basis: Annotated[str, StringConstraints(max_length=500)] = ""
    password: Password = ""


class ConfirmIn(Question):
    """The second person's yes. password: as for the order."""

    password: Password = ""


class StopIn(Question):
    """The end of an order."""

    reason: Annotated[str, StringConstraints(max_length=500)] = ""


class EmergencyListIn(Question):
    """Which orders: only those that are not over; how many, and the last id of the part before."""

    open: bool = False
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    before: Id | None = None


class StandingOut(Answer):
    """An order at one station. state: sent, received, on_air, done, stopped, refused, expired or cancelled."""

    station: str
    state: str
    why: str | None
    received_at: When | None
    started_at: When | None
    ended_at: When | None
    said: int
    stopping: bool

    @classmethod
    def of(cls, one: Standing, language: str) -> StandingOut:
        """Return it in that language."""
        return cls(
            station=one.station,
            state=one.state.value,
            why=None if one.why is None else one.why.in_language(language),
            received_at=one.received_at,
            started_at=one.started_at,
            ended_at=one.ended_at,
            said=one.said,
            stopping=one.stopping,
        )


class EmergencyOut(Answer):
    """An order. state: awaiting_second, issued, over, cancelled or expired; stations: empty until it is issued."""

    id: str
    state: str
    drill: bool
    stations: list[StandingOut]
    targets: list[str]
    segment: str
    title: str
    sha256: str
    duration_s: float
    urgency: str
    repeat: int
    tone_s: float
    template: str | None
    basis: str
    ordered_by: str
    ordered_at: When
    expires: When
    confirmed_by: str | None
    issued_at: When | None
    stopped_by: str | None
    stopped_at: When | None
    stop_reason: str

    @classmethod
    def of(cls, order: OrderRecord, language: str) -> EmergencyOut:
        """Return it in that language."""
        return cls(
            id=order.id,
            state=order.state.value,
            drill=order.drill,
            stations=[StandingOut.of(one, language) for one in order.standings],
            targets=list(order.stations),
            segment=order.message.segment,
            title=order.message.title,
            sha256=order.message.sha256,
            duration_s=order.message.samples / SAMPLE_RATE_HZ,
            urgency=order.message.urgency.value,
            repeat=order.message.repeats,
            tone_s=order.message.tone_s,
            template=order.template,
            basis=order.basis,
            ordered_by=order.ordered_by_name,
            ordered_at=order.ordered_at,
            expires=order.expires_at,
            confirmed_by=order.confirmed_by_name,
            issued_at=order.issued_at,
            stopped_by=order.stopped_by_name,
            stopped_at=order.stopped_at,
            stop_reason=order.stop_reason,
        )


class TemplateOut(Answer):
    """A prepared order. usable: approved by a second person, and its recording still the approved one."""

    id: str
    name: str
    owner: str
    segment: str
    sha256: str
    urgency: str
    repeat: int
    tone_s: float
    usable: bool
    prepared_by: str
    approved_by: str | None

    @classmethod
    def of(cls, template: TemplateRecord, recording: SegmentRecord | None) -> TemplateOut:
        """Return the template."""
        return cls(
            id=template.id,
            name=template.name,
            owner=template.owner,
            segment=template.segment,
            sha256=template.sha256,
            urgency=template.urgency.value,
            repeat=template.repeats,
            tone_s=template.tone_s,
            usable=template.approved and recording is not None,
            prepared_by=template.prepared_by_name,
            approved_by=template.approved_by_name,
        )


@bp.post("/emergencies")
@bp.input(EmergencyIn, arg_name="wanted")
@bp.output(EmergencyOut, status_code=201)
@bp.doc(summary="Order an emergency broadcast or a drill; a token needs the scope `emergency`")
@allowed("emergencies.order")
def order(wanted: EmergencyIn) -> Any:  # noqa: ANN401
    """Order it."""
    made = emergencies.order(
        emergencies.Wanted(
            stations=tuple(wanted.stations),
            segment=wanted.segment,
            template=wanted.template,
            repeats=wanted.repeat,
            urgency=None if wanted.urgency is None else Urgency(wanted.urgency),
            expires_at=None if wanted.expires is None else utc(wanted.expires),
            drill=wanted.drill,
            basis=wanted.basis,
        ),
        person=current_person(),
        password=wanted.password,
    )
    return EmergencyOut.of(made, language()), 201, {"Location": f"/api/v1/emergencies/{made.id}"}


@bp.get("/emergencies")
@bp.input(EmergencyListIn, location="query", arg_name="asked")
@bp.output(many(EmergencyOut))
@bp.doc(summary="Orders for the stations that one reaches, newest first")
@allowed("emergencies.read")
def listing(asked: EmergencyListIn) -> Any:  # noqa: ANN401
    """Return orders."""
    found = emergencies.listing(person=current_person(), open_only=asked.open, before=asked.before, limit=asked.limit)
    return [EmergencyOut.of(one, language()) for one in found]


@bp.get("/emergencies/templates")
@bp.output(many(TemplateOut))
@bp.doc(summary="The templates that one may order by")
@allowed("emergencies.read")
def templates() -> list[TemplateOut]:
    """Return templates."""
    return [TemplateOut.of(one, recording) for one, recording in emergencies.templates(person=current_person())]


@bp.get("/emergencies/<order_id>")
@bp.output(EmergencyOut)
@bp.doc(summary="One order as it stands now, station by station")
@allowed("emergencies.read")
def one(order_id: str) -> EmergencyOut:
    """Return an order."""
    return EmergencyOut.of(emergencies.visible(order_id, person=current_person()), language())


@bp.post("/emergencies/<order_id>/confirm")
@bp.input(ConfirmIn, arg_name="yes")
@bp.output(EmergencyOut)
@bp.doc(summary="Confirm an order as the second person; it goes out at once")
@allowed("emergencies.confirm")
def confirm(order_id: str, yes: ConfirmIn) -> EmergencyOut:
    """Confirm it."""
    done = emergencies.confirm(order_id, person=current_person(), password=yes.password)
    return EmergencyOut.of(done, language())


@bp.post("/emergencies/<order_id>/stop")
@bp.input(StopIn, arg_name="end")
@bp.output(EmergencyOut)
@bp.doc(summary="End an order at once, or cancel one that waits")
@allowed("emergencies.stop")
def stop(order_id: str, end: StopIn) -> EmergencyOut:
    """End it."""
    done = emergencies.stop(order_id, person=current_person(), reason=end.reason)
    return EmergencyOut.of(done, language())
