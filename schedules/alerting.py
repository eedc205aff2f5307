"""Which emergency should sound at a station now: pure steps over the orders that it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from schedules.emergency import Alert, AlertState, EmergencyOrder, EmergencyStop, OrderId, Urgency
from schedules.segment import SAMPLE_RATE_HZ
from schedules.station import StationCode
from schedules.text import Text

_RANK = {Urgency.MODERATE: 0, Urgency.SEVERE: 1, Urgency.EXTREME: 2}

REMEMBERED = timedelta(hours=48)
"""How long an order that is over is still known, so that it cannot come again: longer than any may be valid."""

_NOT_MEANT = Text("Lệnh không dành cho đài này.", "The order is not for this station.")
_LATE = Text("Lệnh đến khi đã hết hiệu lực, không phát.", "The order came after it had expired; it does not air.")
_UNHEARD = Text("Lệnh hết hiệu lực khi chưa phát được.", "The order expired before it could sound.")
_EXPIRED = Text("Lệnh hết hiệu lực trước khi phát xong.", "The order expired before it was said in full.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The orders and stops that a station knows; the newest last."""

    alerts: Mapping[OrderId, Alert] = field(default_factory=dict)
    stops: Mapping[OrderId, EmergencyStop] = field(default_factory=dict)

    @property
    def waiting(self) -> tuple[Alert, ...]:
        """The orders that are not over."""
        return tuple(alert for alert in self.alerts.values() if not alert.final)

    def put(self, alert: Alert) -> Desk:
        """Return the desk with an order as it stands now."""
        return replace(self, alerts={**self.alerts, alert.order.id: alert})


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What should sound. at_once: it cuts what sounds now; otherwise it waits for the end of a message."""

    alert: Alert
    at_once: bool


def take(desk: Desk, order: EmergencyOrder, station: StationCode, now: datetime) -> Desk:
    """Return the desk after an order came; one that it knows already changes nothing."""
    if order.id in desk.alerts:
        return desk
    alert = Alert(order=order, state=AlertState.RECEIVED, received_at=now)
    stop = desk.stops.get(order.id)
    if station not in order.stations:
        alert = replace(alert, state=AlertState.REFUSED, why=_NOT_MEANT)
    elif stop is not None:
        alert = replace(alert, state=AlertState.CANCELLED, why=_said(stop), by=stop.by)
    elif now >= order.expires_at:
        alert = replace(alert, state=AlertState.EXPIRED, why=_LATE)
    return desk.put(alert)


def end(desk: Desk, stop: EmergencyStop, now: datetime) -> Desk:
    """Return the desk after a stop came: it ends what it names, or is remembered for what comes later."""
    desk = replace(desk, stops={**desk.stops, stop.order: stop})
    alert = desk.alerts.get(stop.order)
    if alert is None or alert.final:
        return desk
    begun = alert.started_at is not None
    return desk.put(
        replace(
            alert,
            state=AlertState.STOPPED if begun else AlertState.CANCELLED,
            ended_at=now if begun else None,
            why=_said(stop),
            by=stop.by,
        )
    )


def expire(desk: Desk, now: datetime) -> Desk:
    """Return the desk after time passed: what expired ends, and what nobody can send again is forgotten.

    What sounds at its expiry is said to the end of its last message.
    """
    for alert in desk.waiting:
        if now >= alert.order.expires_at and alert.state is not AlertState.ON_AIR:
            said = alert.started_at is not None
            ended = AlertState.STOPPED if said else AlertState.EXPIRED
            desk = desk.put(replace(alert, state=ended, why=_EXPIRED if said else _UNHEARD))
    return Desk(
        alerts={name: alert for name, alert in desk.alerts.items() if now < alert.order.expires_at + REMEMBERED},
        stops={name: stop for name, stop in desk.stops.items() if now < stop.expires_at + REMEMBERED},
    )


def turn(desk: Desk) -> Turn | None:
    """Return which order should sound; None where there is none, or the one that sounds is the right one.

    What is real goes before a drill and ends it at once. Extreme cuts what is lower at once, severe waits until what is
    moderate ends its message; equals follow each other.
    """
    waiting = [alert for alert in desk.waiting if alert.state is AlertState.RECEIVED]
    if not waiting:
        return None
    best = min(waiting, key=lambda alert: (*(-part for part in _weight(alert)), alert.received_at, alert.order.id))
    current = on_air(desk)
    if current is None:
        return Turn(alert=best, at_once=True)
    if _weight(best) <= _weight(current):
        return None
    extreme = best.order.urgency is Urgency.EXTREME
    return Turn(alert=best, at_once=extreme or current.order.drill is not best.order.drill)


def on_air(desk: Desk) -> Alert | None:
    """Return the order that sounds now."""
    return next((alert for alert in desk.alerts.values() if alert.state is AlertState.ON_AIR), None)


def samples_of(order: EmergencyOrder, *, said: int = 0) -> int:
    """Return how long an order sounds, tone and pauses included, when `said` of its messages were heard already."""
    left = max(0, order.repeats - said)
    return tone_samples(order) + left * order.samples + max(0, left - 1) * gap_samples(order)


def tone_samples(order: EmergencyOrder) -> int:
    """Return the length of its attention tone."""
    return round(order.tone_s * SAMPLE_RATE_HZ)


def gap_samples(order: EmergencyOrder) -> int:
    """Return the length of a pause between two messages."""
    return round(order.gap_s * SAMPLE_RATE_HZ)


def said_by(order: EmergencyOrder, position: int, *, said: int) -> int:
    """Return how many messages are over in all, `position` samples after a turn began with `said` of them over."""
    inside = position - tone_samples(order)
    if inside < order.samples:
        return said
    return min(order.repeats, said + 1 + (inside - order.samples) // (order.samples + gap_samples(order)))


def message_end(order: EmergencyOrder, position: int) -> int:
    """Return the sample of a turn at which the message that is being said at `position` is over."""
    inside = max(0, position - tone_samples(order))
    return (
        tone_samples(order)
        + inside // (order.samples + gap_samples(order)) * (order.samples + gap_samples(order))
        + order.samples
    )


def restored(alerts: Iterable[Alert], stops: Iterable[EmergencyStop]) -> Desk:
    """Return the desk of a station that starts again: what sounded waits for its turn anew."""
    known = {
        alert.order.id: replace(alert, state=AlertState.RECEIVED) if alert.state is AlertState.ON_AIR else alert
        for alert in alerts
    }
    return Desk(alerts=known, stops={stop.order: stop for stop in stops})


def _weight(alert: Alert) -> tuple[int, int]:
    return (0 if alert.order.drill else 1, _RANK[alert.order.urgency])


def _said(stop: EmergencyStop) -> Text:
    if not stop.reason:
        return Text(f"{stop.by} cho dừng.", f"Stopped by {stop.by}.")
    return Text(f"{stop.by} cho dừng: {stop.reason}", f"Stopped by {stop.by}: {stop.reason}")
