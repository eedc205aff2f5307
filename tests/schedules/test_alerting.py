"""Orders at the desk: which one sounds, which one waits, and what a stop, an expiry or a second copy does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schedules.alerting import (
    REMEMBERED,
    Desk,
    end,
    expire,
    gap_samples,
    message_end,
    on_air,
    restored,
    said_by,
    samples_of,
    take,
    tone_samples,
    turn,
)
from schedules.emergency import Alert, AlertState, EmergencyOrder, EmergencyStop, Urgency
from tests.schedules.builders import local

NOW = local(23, 2)
RATE = 48_000


def order(name: str = "lu", **more: Any) -> EmergencyOrder:
    """An order of three messages of 10 s, valid for an hour."""
    values: dict[str, Any] = {
        "id": name,
        "stations": ("XA",),
        "segment": "k",
        "title": "Lũ quét",
        "sha256": "a" * 64,
        "pcm_sha256": "b" * 64,
        "samples": 10 * RATE,
        "issued_at": NOW,
        "expires_at": NOW + timedelta(hours=1),
        "drill": False,
        "ordered_by": "Chủ tịch",
    }
    return EmergencyOrder(**{**values, **more})


def stop_of(name: str = "lu", reason: str = "Nhầm") -> EmergencyStop:
    """The stop of an order."""
    return EmergencyStop(
        order=name,
        stations=("XA",),
        by="Bí thư",
        reason=reason,
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        drill=False,
    )


def desk_with(*orders: EmergencyOrder) -> Desk:
    """A desk that got these orders a second apart."""
    desk = Desk()
    for number, one in enumerate(orders):
        desk = take(desk, one, "XA", NOW + timedelta(seconds=number))
    return desk


def sounding(desk: Desk, name: str) -> Desk:
    """The desk with one order on air."""
    alert = desk.alerts[name]
    return desk.put(replace(alert, state=AlertState.ON_AIR, started_at=NOW))


def test_an_order_waits_for_its_turn_and_a_copy_changes_nothing() -> None:
    """The same order a second time, also when it is over, is not a second emergency."""
    desk = desk_with(order())
    again = take(desk, order(title="khác"), "XA", NOW)
    wanted = turn(desk)

    assert desk == again
    assert wanted is not None and wanted.at_once
    assert "lu" == wanted.alert.order.id
    done = desk.put(replace(desk.alerts["lu"], state=AlertState.DONE))
    assert turn(take(done, order(), "XA", NOW)) is None


def test_f65_a_stop_before_its_order_is_remembered_and_one_after_it_ends_it() -> None:
    """Stop first: cancelled when it comes. Stop while it waits: cancelled. Stop while it sounds: stopped, by name."""
    first = take(end(Desk(), stop_of(), NOW), order(), "XA", NOW)
    waiting = end(desk_with(order()), stop_of(), NOW)
    cut = end(sounding(desk_with(order()), "lu"), stop_of(), NOW)
    over = end(cut, stop_of(), NOW)

    assert [AlertState.CANCELLED, AlertState.CANCELLED, AlertState.STOPPED] == [
        desk.alerts["lu"].state for desk in (first, waiting, cut)
    ]
    assert "Bí thư" == cut.alerts["lu"].by
    assert "Nhầm" in cut.alerts["lu"].why.vi
    assert NOW == cut.alerts["lu"].ended_at
    assert waiting.alerts["lu"].ended_at is None
    assert over.alerts == cut.alerts
    assert all(turn(desk) is None for desk in (first, waiting, cut))
    silent = take(end(Desk(), stop_of(reason=""), NOW), order(), "XA", NOW)
    assert "Bí thư cho dừng." == silent.alerts["lu"].why.vi


def test_an_order_for_others_or_too_late_never_sounds() -> None:
    """Refused or expired on arrival, with the reason."""
    other = desk_with(order(stations=("KHAC",)))
    late = take(Desk(), order(), "XA", NOW + timedelta(hours=1))

    assert AlertState.REFUSED is other.alerts["lu"].state
    assert AlertState.EXPIRED is late.alerts["lu"].state
    assert late.alerts["lu"].why is not None
    assert turn(other) is None is turn(late)


def test_expiry_ends_what_waits_and_not_what_sounds() -> None:
    """What sounds is said to its end; what was interrupted and expired then is stopped; old ones are forgotten."""
    desk = desk_with(order("a"), order("b"), order("c"))
    desk = sounding(desk, "a").put(replace(desk.alerts["b"], started_at=NOW))
    later = expire(desk, NOW + timedelta(hours=1))

    assert [AlertState.ON_AIR, AlertState.STOPPED, AlertState.EXPIRED] == [
        later.alerts[name].state for name in ("a", "b", "c")
    ]
    assert expire(desk, NOW) == desk
    gone = expire(end(later, stop_of("x"), NOW), NOW + timedelta(hours=1) + REMEMBERED)
    assert {} == dict(gone.alerts) == dict(gone.stops)


@pytest.mark.parametrize(
    ("current", "new", "at_once"),
    [
        ({"urgency": Urgency.SEVERE}, {"urgency": Urgency.EXTREME}, True),
        ({"urgency": Urgency.MODERATE}, {"urgency": Urgency.SEVERE}, False),
        ({"urgency": Urgency.EXTREME, "drill": True}, {"urgency": Urgency.MODERATE}, True),
        ({"urgency": Urgency.SEVERE}, {"urgency": Urgency.SEVERE}, None),
        ({"urgency": Urgency.EXTREME}, {"urgency": Urgency.SEVERE}, None),
        ({"urgency": Urgency.MODERATE}, {"urgency": Urgency.EXTREME, "drill": True}, None),
    ],
)
def test_f64_a_second_order_cuts_waits_or_queues(current: Any, new: Any, at_once: bool | None) -> None:
    """Extreme and what is real cut at once, severe waits for a message's end, equals and lower ones for all of it."""
    wanted = turn(sounding(desk_with(order("a", **current), order("b", **new)), "a"))

    assert at_once == (None if wanted is None else wanted.at_once)
    if wanted is not None:
        assert "b" == wanted.alert.order.id


def test_of_several_that_wait_the_gravest_comes_first_then_the_oldest() -> None:
    """Real before drill, extreme before severe, earlier before later."""
    orders = (
        order("d", drill=True, urgency=Urgency.EXTREME),
        order("s"),
        order("t"),
        order("x", urgency=Urgency.EXTREME),
    )
    desk = desk_with(*orders)
    came = []
    while (wanted := turn(desk)) is not None:
        came.append(wanted.alert.order.id)
        desk = desk.put(replace(wanted.alert, state=AlertState.DONE))

    assert ["x", "s", "t", "d"] == came
    assert on_air(desk) is None


def test_how_long_it_sounds_and_where_its_messages_end() -> None:
    """Tone 6 s, three messages of 10 s with 2 s between them: 40 s; one said already leaves 28."""
    one = order()

    assert 40 * RATE == samples_of(one)
    assert 28 * RATE == samples_of(one, said=1)
    assert (6 * RATE, 2 * RATE) == (tone_samples(one), gap_samples(one))
    assert [0, 0, 1, 1, 2, 3, 3] == [said_by(one, at * RATE, said=0) for at in (0, 15.9, 16, 20, 28, 40, 99)]
    assert 2 == said_by(one, 16 * RATE, said=1)
    assert [16, 16, 28, 40] == [message_end(one, int(at * RATE)) / RATE for at in (0, 15, 18.5, 31)]


def test_what_sounded_before_a_restart_waits_for_its_turn_anew() -> None:
    """A done one stays done."""
    desk = sounding(desk_with(order("a"), order("b")), "a")
    done: Alert = replace(desk.alerts["b"], state=AlertState.DONE)
    after = restored([desk.alerts["a"], done], [stop_of("c")])

    assert AlertState.RECEIVED is after.alerts["a"].state
    assert AlertState.DONE is after.alerts["b"].state
    assert "c" in after.stops
