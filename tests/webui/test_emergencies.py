"""Emergencies from the order to the station: two persons or a template, signed bytes, drills apart, a stop at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from link.orders import OrderKeys, unseal_order
from schedules.emergency import AlertState, EmergencyOrder, EmergencyStop, Urgency
from schedules.errors import Conflict, NotAllowed, SignatureInvalid
from schedules.text import Text
from store import audit, tokens
from webui import emergencies

API = "/api/v1/emergencies"


class Room:
    """People around an emergency, over the API."""

    def __init__(self, world, client) -> None:
        self.world = world
        self.client = client
        self.segment = world.approved(client, title="Sơ tán khẩn cấp")
        self.services = world.app.extensions["loa"]

    def order(self, who="operator", **fields):
        """Order it and return the answer."""
        body = {"stations": ["LONGHIEP"], "segment": self.segment["id"]} | fields
        body = {name: value for name, value in body.items() if value is not None}
        return self.client.post(API, json=body, headers=self.world.token(who))

    def do(self, order, act, who, **body):
        """Confirm or stop it and return the answer."""
        return self.client.post(f"{API}/{order['id']}/{act}", json=body, headers=self.world.token(who))

    def see(self, order, who="inspector"):
        """Return the order as somebody sees it now."""
        return self.client.get(f"{API}/{order['id']}", headers=self.world.token(who)).json

    def template(self, preparer="operator", approver="approver", **fields):
        """Prepare a template in the name of one person and approve it in that of another; return its id."""
        with self.world.app.test_request_context("/"):
            made = emergencies.prepare(
                **(
                    {
                        "owner": "LONGHIEP",
                        "name": "Mưa lũ, sơ tán",
                        "segment": self.segment["id"],
                        "urgency": Urgency.EXTREME,
                        "repeats": 2,
                        "tone_s": 8.0,
                        "person": self.person(preparer),
                    }
                    | fields
                )
            )
            if approver:
                emergencies.approve_template(made, person=self.person(approver))
        return made

    def person(self, name):
        """Return the account of that name."""
        return self.world.people[name]

    def deliver(self):
        """Do what the house does each few seconds."""
        return emergencies.deliver(self.services)


@pytest.fixture
def room(world, client):
    """An approved recording, people and two stations."""
    return Room(world, client)


def states(order):
    """Return how it stands, by station."""
    return {one["station"]: one["state"] for one in order["stations"]}


def test_s53_a_real_order_waits_for_a_second_person_and_then_goes_out_signed(room, world):
    """S53: nobody alone makes a village hear an alarm: the same person, a lower role and a stranger are refused."""
    door = world.doors["LONGHIEP"]
    answer = room.order(basis="Công điện 07/CĐ-BCH", repeat=2)
    order = answer.json
    assert (answer.status_code, order["state"], order["stations"]) == (201, "awaiting_second", [])
    assert answer.headers["Location"] == f"/api/v1/emergencies/{order['id']}"
    assert door.documents == []

    assert room.do(order, "confirm", "operator").status_code == 403
    assert room.do(order, "confirm", "operator2").status_code == 403
    assert room.do(order, "confirm", "admin").status_code == 403
    assert room.do(order, "confirm", "approver-bato").status_code == 404
    assert room.do(order, "confirm", "approver-longmai").status_code == 404
    assert door.documents == []

    done = room.do(order, "confirm", "approver").json
    assert (done["state"], states(done), done["confirmed_by"]) == ("issued", {"LONGHIEP": "received"}, "Người approver")
    (document,) = door.documents
    sealed = unseal_order(document, door.order_keys)
    assert isinstance(sealed, EmergencyOrder)
    assert (sealed.sha256, sealed.pcm_sha256) == (room.segment["sha256"], room.segment["pcm_sha256"])
    assert (sealed.ordered_by, sealed.confirmed_by, sealed.repeats) == ("Người operator", "Người approver", 2)
    assert (sealed.drill, sealed.stations, sealed.samples) == (False, ("LONGHIEP",), room.segment["samples"])
    assert room.do(order, "confirm", "approver2").status_code == 409
    assert len(door.documents) == 1


def test_who_gave_an_order_cannot_confirm_it_even_as_a_leader(room):
    """Two persons are two persons, whatever their rank."""
    order = room.order("approver").json
    refused = room.do(order, "confirm", "approver")
    assert (refused.status_code, refused.json["findings"][0]["code"]) == (403, "four_eyes")
    assert room.do(order, "confirm", "centre").json["state"] == "issued"


def test_a_template_needs_one_person_and_only_as_it_was_prepared(room, world):
    """What a second person approved beforehand goes out at once; with another repeat it is another order."""
    made = room.template()
    listed = room.client.get(f"{API}/templates", headers=world.token("operator")).json
    assert [(one["id"], one["usable"], one["approved_by"]) for one in listed] == [(made, True, "Người approver")]
    order = room.order(segment=None, template=made).json
    assert (order["state"], order["urgency"], order["repeat"], order["tone_s"]) == ("issued", "extreme", 2, 8.0)
    sealed = unseal_order(world.doors["LONGHIEP"].documents[0], world.doors["LONGHIEP"].order_keys)
    assert (sealed.template, sealed.tone_s, sealed.confirmed_by) == ("Mưa lũ, sơ tán", 8.0, None)
    assert room.order(segment=None, template=made, repeat=3).json["state"] == "awaiting_second"
    assert room.order(segment=None, template=made, urgency="severe").json["state"] == "awaiting_second"


def test_a_template_is_good_only_while_two_persons_stand_for_its_sound(room, world):
    """Unapproved, approved by its own maker, retired, or with another sound: none of them is an order."""
    alone = room.template("approver", approver=None)
    assert room.order(segment=None, template=alone).json["findings"][0]["code"] == "template_wrong"
    with world.app.test_request_context("/"):
        with pytest.raises(NotAllowed):
            emergencies.approve_template(alone, person=room.person("approver"))
        with pytest.raises(NotAllowed):
            emergencies.approve_template(alone, person=room.person("operator2"))
        good = room.template()
        with pytest.raises(Conflict):
            emergencies.approve_template(good, person=room.person("approver2"))
        emergencies.retire_template(good, person=room.person("operator"))
        with pytest.raises(Conflict):
            emergencies.retire_template(good, person=room.person("operator"))
    assert room.order(segment=None, template=good).status_code == 422
    third = room.template()
    headers = world.token("approver")
    room.client.post(f"/api/v1/segments/{room.segment['id']}/withdraw", json={"reason": "sai"}, headers=headers)
    refused = room.order(segment=None, template=third)
    assert (refused.status_code, refused.json["findings"][0]["code"]) == (422, "segment_wrong")
    listed = room.client.get(f"{API}/templates", headers=world.token("operator")).json
    assert {one["usable"] for one in listed} == {False}


def test_a_recording_that_was_withdrawn_meanwhile_is_not_confirmed(room, world):
    """What the second person says yes to is the sound that was approved, or nothing."""
    order = room.order().json
    headers = world.token("approver")
    room.client.post(f"/api/v1/segments/{room.segment['id']}/withdraw", json={"reason": "sai"}, headers=headers)
    refused = room.do(order, "confirm", "approver")
    assert (refused.status_code, refused.json["findings"][0]["code"]) == (409, "recording_changed")
    assert world.doors["LONGHIEP"].documents == []


def test_a_drill_goes_out_by_one_person_under_another_key(room, world):
    """The key of drills opens nothing real: who holds only that cannot raise an alarm."""
    order = room.order(drill=True, stations=["LONGHIEP"]).json
    assert (order["state"], order["drill"], states(order)) == ("issued", True, {"LONGHIEP": "received"})
    door = world.doors["LONGHIEP"]
    (document,) = door.documents
    assert unseal_order(document, door.order_keys).drill
    keys = world.order_keys
    with pytest.raises(SignatureInvalid):
        unseal_order(document, OrderKeys(real=keys.drill.verify_key, drill=keys.real.verify_key))


def test_each_station_tells_how_it_stands_until_it_is_done(room, world):
    """Received, on air, done: what the station tells is seen at once and kept, and the order is over when all are."""
    order = room.order("centre-minhlong", stations=["LONGHIEP", "LONGMAI"]).json
    order = room.do(order, "confirm", "approver-minhlong").json
    assert states(order) == {"LONGHIEP": "received", "LONGMAI": "received"}
    world.doors["LONGHIEP"].sound(AlertState.ON_AIR)
    assert states(room.see(order)) == {"LONGHIEP": "on_air", "LONGMAI": "received"}
    assert room.deliver() == 2
    for door in world.doors.values():
        door.sound(AlertState.DONE, said=3)
    room.deliver()
    seen = room.see(order)
    assert (seen["state"], states(seen)) == ("over", {"LONGHIEP": "done", "LONGMAI": "done"})
    assert {one["said"] for one in seen["stations"]} == {3}
    assert room.deliver() == 0
    assert [len(door.documents) for door in world.doors.values()] == [1, 1]


def test_an_order_is_sent_again_as_the_same_bytes_until_the_station_is_there(room, world):
    """A station without contact gets it later, byte for byte the same; one that never comes back is named at expiry."""
    away = world.doors.pop("LONGMAI")
    order = room.order("centre-minhlong", stations=["LONGHIEP", "LONGMAI"]).json
    order = room.do(order, "confirm", "approver-minhlong").json
    assert states(order) == {"LONGHIEP": "received", "LONGMAI": "sent"}
    room.deliver()
    world.doors["LONGMAI"] = away
    room.deliver()
    assert states(room.see(order))["LONGMAI"] == "received"
    assert away.documents == world.doors["LONGHIEP"].documents[:1]

    world.doors.pop("LONGMAI")
    second = room.order("centre-minhlong", stations=["LONGMAI"]).json
    room.do(second, "confirm", "approver-minhlong")
    world.clock.advance(3601)
    room.deliver()
    seen = room.see(second, "inspector-longmai")
    assert (seen["state"], states(seen)) == ("over", {"LONGMAI": "expired"})
    assert "hết hạn" in seen["stations"][0]["why"]


def test_a_station_that_refuses_says_why(room, world):
    """A refusal is final for that station and told in its words."""
    world.doors["LONGHIEP"].refuses = Text("Máy không có bài này.", "The recording is not here.")
    order = room.order(drill=True).json
    assert states(order) == {"LONGHIEP": "refused"}
    assert order["stations"][0]["why"] == "Máy không có bài này."
    assert order["state"] == "over"


def test_a_stop_is_told_at_once_by_anyone_with_the_right(room, world):
    """Silence needs one person; what has not come yet is cancelled, what sounds is stopped, and it is named who did."""
    order = room.order().json
    cancelled = room.do(order, "stop", "operator2", reason="Nhầm xã").json
    assert (cancelled["state"], cancelled["stopped_by"], cancelled["stop_reason"]) == (
        "cancelled",
        "Người operator2",
        "Nhầm xã",
    )
    assert room.do(order, "confirm", "approver").status_code == 409
    assert room.do(order, "stop", "operator").status_code == 409

    second = room.order().json
    room.do(second, "confirm", "approver")
    world.doors["LONGHIEP"].sound(AlertState.ON_AIR)
    assert room.do(second, "stop", "inspector").status_code == 403
    stopped = room.do(second, "stop", "admin", reason="Báo nhầm").json
    assert (stopped["state"], states(stopped)) == ("over", {"LONGHIEP": "stopped"})
    sealed = unseal_order(world.doors["LONGHIEP"].documents[-1], world.doors["LONGHIEP"].order_keys)
    assert isinstance(sealed, EmergencyStop)
    assert (sealed.by, sealed.reason, sealed.order) == ("Người admin", "Báo nhầm", second["id"])
    assert room.do(second, "stop", "admin").status_code == 409


def test_a_commune_stops_it_at_home_only_and_a_late_station_never_sounds_it(room, world):
    """Each person ends it where they have the right; a station that comes back gets the end, not the alarm."""
    away = world.doors.pop("LONGMAI")
    order = room.order("centre-minhlong", stations=["LONGHIEP", "LONGMAI"]).json
    room.do(order, "confirm", "approver-minhlong")
    world.doors["LONGHIEP"].sound(AlertState.ON_AIR)
    stopped = room.do(order, "stop", "operator-longmai").json
    assert (stopped["state"], states(stopped)) == ("issued", {"LONGHIEP": "on_air", "LONGMAI": "sent"})
    assert [one["stopping"] for one in stopped["stations"]] == [False, True]
    assert room.do(order, "stop", "operator-longmai").status_code == 409
    world.doors["LONGMAI"] = away
    room.deliver()
    assert states(room.see(order)) == {"LONGHIEP": "on_air", "LONGMAI": "cancelled"}
    assert [type(unseal_order(one, away.order_keys)).__name__ for one in away.documents] == ["EmergencyStop"]


def test_an_order_that_nobody_confirms_lapses(room, world):
    """Without a second person it is nothing, and says so; at the end of its time nobody can wake it any more."""
    order = room.order().json
    world.clock.advance(3599)
    assert room.see(order)["state"] == "awaiting_second"
    world.clock.advance(1)
    assert room.do(order, "confirm", "approver").status_code == 409
    room.deliver()
    assert room.see(order)["state"] == "expired"


def test_an_order_that_cannot_be_is_refused_whole(room, world):
    """Nothing is kept of an order without a station, an approved sound, or an end within a day."""
    now = world.clock.now()
    draft = world.analysed(room.client, title="Nháp")["id"]
    for fields, where in (
        ({"stations": []}, "stations"),
        ({"stations": ["LONGHIEP", "LONGHIEP"]}, "stations"),
        ({"expires": (now + timedelta(hours=25)).isoformat()}, "expires"),
        ({"expires": (now - timedelta(hours=1)).isoformat()}, "expires"),
        ({"segment": None}, "segment"),
        ({"segment": draft}, "segment"),
    ):
        refused = room.order(**fields)
        assert refused.status_code == 422
        assert where in {finding["where"] for finding in refused.json["findings"]}
    assert room.client.get(API, headers=world.token("inspector")).json == []


def test_nobody_orders_for_stations_or_recordings_that_are_not_theirs(room):
    """A neighbour's station and recording do not exist for others, whatever the role."""
    assert room.order("operator", stations=["LONGMAI"]).status_code == 404
    assert room.order("centre-bato", stations=["BADINH"]).status_code == 404
    assert room.order("inspector").status_code == 403
    assert room.order("admin").status_code == 403


def test_s53_six_orders_an_hour_are_enough(room, world):
    """S53: one account cannot flood the loudspeakers; the answer says how long to wait, and drills count apart."""
    for _number in range(emergencies.MOST_AN_HOUR):
        assert room.order().status_code == 201
    refused = room.order()
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
    assert room.order(drill=True).status_code == 201
    assert room.order("operator2").status_code == 201
    world.clock.advance(3601)
    assert room.order().status_code == 201


def test_a_token_needs_the_scope_for_it(room, world):
    """A program that reads the air log must not be able to raise or end an alarm with the same token."""
    plain = world.token("approver", scopes=())
    order = room.order().json
    body = {"stations": ["LONGHIEP"], "segment": room.segment["id"]}
    for path, what in ((API, body), (f"{API}/{order['id']}/confirm", {}), (f"{API}/{order['id']}/stop", {})):
        refused = room.client.post(path, json=what, headers=plain)
        assert (refused.status_code, refused.json["findings"][0]["code"]) == (403, "scope_missing")
    good = world.token("approver", scopes=[tokens.EMERGENCY])
    assert room.client.post(f"{API}/{order['id']}/confirm", json={}, headers=good).status_code == 200
    with world.database.writing() as session, pytest.raises(ValueError, match="scope"):
        tokens.issue(session, room.person("operator"), world.clock.now(), scopes=["everything"])


def test_s12_the_password_is_asked_again_after_five_minutes(room, world):
    """S12: a screen that was left open is not enough for an alarm; a drill goes without."""
    browser = world.signed_in("operator")
    headers = {"X-CSRFToken": world.csrf(browser)}
    body = {"stations": ["LONGHIEP"], "segment": room.segment["id"]}
    assert browser.post(API, json=body, headers=headers).status_code == 201
    world.clock.advance(301)
    refused = browser.post(API, json=body, headers=headers)
    assert (refused.status_code, refused.json["findings"][0]["code"]) == (403, "password_needed")
    refused = browser.post(API, json=body | {"password": "đoán thử xem sao"}, headers=headers)
    assert (refused.status_code, refused.json["findings"][0]["code"]) == (403, "password_wrong")
    assert browser.post(API, json=body | {"password": "bốn con vịt bơi chậm"}, headers=headers).status_code == 201
    assert browser.post(API, json=body | {"drill": True}, headers=headers).status_code == 201


def test_without_keys_nothing_can_be_ordered(room, world):
    """A machine that holds no key says so before anything is kept."""
    app = world.new_app(order_keys=None)
    answer = app.test_client().post(
        API, json={"stations": ["LONGHIEP"], "segment": room.segment["id"]}, headers=world.token("operator")
    )
    assert (answer.status_code, answer.json["findings"][0]["code"]) == (409, "emergency_off")


def test_every_step_leaves_its_name(room, world):
    """The security log knows who ordered, confirmed and stopped."""
    order = room.order().json
    room.do(order, "confirm", "approver")
    room.do(order, "stop", "admin", reason="Báo nhầm")
    with world.database.reading() as session:
        rows = [(one.what, one.name, one.subject) for one in audit.newest(session, limit=3)]
    assert rows == [
        ("emergency.stop", "admin", order["id"]),
        ("emergency.confirm", "approver", order["id"]),
        ("emergency.order", "operator", order["id"]),
    ]
    page = room.client.get(f"{API}?limit=1", headers=world.token("inspector")).json
    assert [one["id"] for one in page] == [order["id"]]
    assert room.client.get(f"{API}?before={order['id']}", headers=world.token("inspector")).json == []
    assert room.client.get(f"{API}?open=true", headers=world.token("inspector")).json == []
