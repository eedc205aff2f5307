"""The grid by form: recurrences, timings, week templates, exceptions and decreed days, looked at before they hold."""

from __future__ import annotations

import html
import re
from datetime import date, time

import pytest

from schedules.grid import Change, DayKind, ItemKind, NthWeekday, SessionItem, SessionRule, Timing
from schedules.station import ClusterGroup
from store import audit, calendar_days, exceptions, sessions, stations, templates

FORM = {
    "dai": "LONGHIEP",
    "name": "Buổi sáng",
    "how": "daily",
    "starts": "05:30",
    "minutes": "30",
    "kind-0": "segment",
    "what-0": "p:CDS",
}
PATH = "/lich/2026-W48/buoi"


def grid(world, code="LONGHIEP"):
    """Return the sessions in force."""
    with world.database.reading() as session:
        return sessions.in_force(session, code)


def traces(world):
    """Return what was done, oldest first."""
    with world.database.reading() as session:
        return [entry.what for entry in reversed(audit.newest(session))]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"how": "daily"}, {"weekdays": (1, 2, 3, 4, 5, 6, 7), "every_weeks": 1}),
        (
            {"how": "weekly", "weekdays": ["2", "4"], "every": "2", "anchor": "2026-11-24"},
            {"weekdays": (2, 4), "every_weeks": 2, "anchor": date(2026, 11, 24)},
        ),
        ({"how": "month_days", "month_days": "1, 15, cuối"}, {"month_days": (1, 15, -1)}),
        (
            {"how": "nth", "nth-0": "1", "nth_day-0": "6", "nth-1": "-1", "nth_day-1": "7"},
            {"nth_weekdays": (NthWeekday(nth=1, weekday=6), NthWeekday(nth=-1, weekday=7))},
        ),
        (
            {"valid_from": "2026-12-01", "valid_until": "2026-12-31", "only": ["ordinary", "working"]},
            {
                "valid_from": date(2026, 12, 1),
                "valid_until": date(2026, 12, 31),
                "only": (DayKind.ORDINARY, DayKind.WORKING),
            },
        ),
    ],
)
def test_every_recurrence_is_made_by_form_and_shown_again(world, fields, expected):
    """What was typed is what is kept, and the form shows it again so that saving changes nothing."""
    client = world.signed_in("operator")

    made = world.publish(client, PATH, FORM | fields)

    assert made.status_code == 303, made.text
    (rule,) = grid(world)
    assert {name: getattr(rule, name) for name in expected} == expected
    page = client.get(f"{PATH}?dai=LONGHIEP&buoi={rule.id}").text
    assert "Buổi sáng" in page
    again = world.publish(client, PATH, FORM | fields | {"buoi": rule.id, "item-0": rule.items[0].id})
    assert again.status_code == 303
    assert grid(world) == (rule,)


@pytest.mark.parametrize("said", [{"what-0": "r:"}, {"what-0": "", "kind-0": "relay"}, {"what-0": ""}])
def test_the_timing_of_items_is_made_by_form(world, said):
    """Exact and soft places, a relay named in any of three ways, a filler and an optional one come in as typed."""
    client = world.signed_in("operator")
    form = FORM | {
        "kind-0": "segment",
        "relay-0": "VOV1",
        "length-0": "10",
        "kind-1": "segment",
        "what-1": "p:CDS",
        "timing-1": "hard",
        "offset-1": "12:30",
        "kind-2": "segment",
        "what-2": "p:BANTIN",
        "timing-2": "soft",
        "offset-2": "20",
        "bound-2": "3",
        "kind-3": "filler",
        "what-3": "p:BANTIN",
        "optional-3": "1",
    }

    assert world.publish(client, PATH, form | said).status_code == 303

    (rule,) = grid(world)
    relay, hard, soft, filler = rule.items
    assert (relay.kind, relay.relay, relay.length_s) == (ItemKind.RELAY, "VOV1", 600)
    assert (hard.timing, hard.offset_s) == (Timing.HARD, 750)
    assert (soft.timing, soft.offset_s, soft.bound_s) == (Timing.SOFT, 1200, 180)
    assert (filler.kind, filler.optional, filler.timing) == (ItemKind.FILLER, True, Timing.RELATIVE)
    page = client.get(f"{PATH}?dai=LONGHIEP&buoi={rule.id}").text
    assert 'value="12:30"' in page
    assert '<option value="VOV1" selected>' in page


def test_what_is_wrong_stands_beside_its_field_all_at_once(world):
    """Nothing is kept of a form with mistakes, and each of them is told where it was made."""
    client = world.signed_in("operator")

    bad = world.post(
        client,
        PATH,
        FORM
        | {
            "name": " ",
            "how": "month_days",
            "month_days": "32",
            "minutes": "0",
            "valid_from": "2026-12-31",
            "valid_until": "2026-12-01",
            "template": "khong-co",
            "targets": ["thon-1"],
            "kind-0": "relay",
            "what-0": "",
            "kind-1": "segment",
            "what-1": "p:CDS",
            "timing-1": "hard",
        },
    )

    assert bad.status_code == 422
    for name in ("name", "month_days", "minutes", "valid_until", "template", "targets", "items-0", "items-1"):
        assert f'href="#f-{name}"' in bad.text, name
    assert grid(world) == ()


def test_targets_are_offered_where_the_station_has_groups(world):
    """A session can be for some cluster groups only."""
    with world.database.writing() as session:
        station = stations.find(session, "LONGHIEP")
        from dataclasses import replace

        stations.save(session, replace(station, groups=(ClusterGroup(code="thon-1", name="Thôn 1"),)))
    client = world.signed_in("operator")
    assert "Thôn 1" in client.get(f"{PATH}?dai=LONGHIEP").text

    world.publish(client, PATH, FORM | {"targets": ["thon-1"]})

    assert grid(world)[0].targets == ("thon-1",)


def test_a_change_from_a_date_on_leaves_the_days_before_as_they_were(world):
    """From that date on the new version holds; until the day before the old one does."""
    client = world.signed_in("operator")
    world.publish(client, PATH, FORM)
    (before,) = grid(world)

    answer = world.publish(
        client,
        PATH,
        FORM | {"buoi": before.id, "item-0": before.items[0].id, "starts": "06:00", "from_day": "2026-11-30"},
    )

    assert answer.status_code == 303
    old, new = sorted(grid(world), key=lambda rule: rule.valid_from or date.min)
    assert (old.starts, old.valid_until) == ((time(5, 30),), date(2026, 11, 29))
    assert (new.starts, new.valid_from) == ((time(6),), date(2026, 11, 30))


def test_what_was_changed_after_the_look_is_looked_at_again(world):
    """Consent is to what was shown: another time under the same consent is shown first, not published."""
    client = world.signed_in("operator")
    shown = world.post(client, PATH, FORM)
    confirm = re.search(r'name="confirm" value="([^"]+)"', shown.text).group(1)

    other = world.post(client, PATH, FORM | {"starts": "07:00", "confirm": confirm})

    assert shown.status_code == other.status_code == 409
    assert "Vẫn công bố" in shown.text
    wrong = world.post(client, PATH, FORM | {"starts": "05:30, 05:31"})
    assert wrong.status_code == 422
    assert "Vẫn công bố" not in wrong.text
    assert "thêm 14 buổi" in shown.text
    assert grid(world) == ()
    assert world.post(client, PATH, FORM | {"confirm": confirm}).status_code == 303
    assert traces(world)[-1] == "grid.publish"


def test_one_date_of_a_session_is_cancelled_moved_and_restored(world):
    """A decision about one date leaves the rule alone, shows what it changes, and can be taken back."""
    client = world.signed_in("operator")
    world.publish(client, PATH, FORM)
    (rule,) = grid(world)
    path = f"/lich/buoi/{rule.id}/2026-11-27"
    week = client.get("/lich/2026-W48?dai=LONGHIEP").text
    assert f"{path}?dai=LONGHIEP" in week

    shown = world.post(client, path, {"dai": "LONGHIEP", "what": "cancel"})
    cancelled = world.publish(client, path, {"dai": "LONGHIEP", "what": "cancel", "reason": "Mất điện theo lịch"})
    page = client.get(f"{path}?dai=LONGHIEP").text
    week = client.get("/lich/2026-W48?dai=LONGHIEP").text

    assert "Quyết định riêng trong tuần này" in week
    assert f'href="{path}?dai=LONGHIEP"' in week
    assert "bỏ 1 buổi" in shown.text
    assert cancelled.status_code == 303
    assert "Hủy buổi" in page
    assert "Mất điện theo lịch" in page
    assert "không phát." in page
    with world.database.reading() as session:
        (decision,) = exceptions.in_force(session, "LONGHIEP")
    assert (decision.change, decision.day, decision.following) == (Change.CANCEL, date(2026, 11, 27), False)
    back = world.post(client, f"{path}/bo-quyet-dinh", {"dai": "LONGHIEP", "ma": decision.id})
    assert back.status_code == 303
    moved = world.publish(
        client,
        path,
        {"dai": "LONGHIEP", "what": "move", "to_day": "2026-11-28", "to_start": "17:30", "following": "1"},
    )
    assert moved.status_code == 303
    assert "17:30" in client.get("/lich/2026-W48?dai=LONGHIEP&ngay=2026-11-28").text
    with world.database.reading() as session:
        (decision,) = exceptions.in_force(session, "LONGHIEP")
    assert (decision.change, decision.to_start, decision.following) == (Change.MOVE, time(17, 30), True)
    assert grid(world) == (rule,)
    assert traces(world)[-3:] == ["grid.except", "grid.except_end", "grid.except"]


def test_a_move_that_makes_no_sense_is_refused(world):
    """Without a time, into the past, or of a session that is due already: told beside the field."""
    client = world.signed_in("operator")
    world.publish(client, PATH, FORM)
    (rule,) = grid(world)
    path = f"/lich/buoi/{rule.id}/2026-11-27"

    no_time = world.post(client, path, {"dai": "LONGHIEP", "what": "move", "to_day": "2026-11-28"})
    past = world.post(client, path, {"dai": "LONGHIEP", "what": "move", "to_day": "2026-11-20", "to_start": "05:30"})
    due = world.post(client, f"/lich/buoi/{rule.id}/2026-11-20", {"dai": "LONGHIEP", "what": "cancel"})
    nothing = world.post(client, path, {"dai": "LONGHIEP"})

    assert {answer.status_code for answer in (no_time, past, due, nothing)} == {422}
    assert 'id="e-to_start"' in no_time.text
    assert "đã qua" in past.text
    assert "đã đến giờ" in due.text
    assert client.get("/lich/buoi/khong-co/2026-11-27?dai=LONGHIEP").status_code == 404
    assert client.get(f"/lich/buoi/{rule.id}.2/2026-11-27?dai=LONGHIEP").status_code == 404
    assert client.get(f"/lich/buoi/{rule.id}/khong?dai=LONGHIEP").status_code == 404
    assert world.signed_in("inspector").get(f"{path}?dai=LONGHIEP").status_code == 403
    assert world.signed_in("operator-longmai").get(f"{path}?dai=LONGHIEP").status_code == 404


def test_a_whole_day_is_replaced_and_comes_back(world):
    """A day can have other sessions or none; ending that gives the standing week back."""
    client = world.signed_in("operator")
    world.publish(client, PATH, FORM)
    form = {
        "dai": "LONGHIEP",
        "name": "Thay ngày 27/11",
        "valid_from": "2026-11-27",
        "valid_until": "2026-11-27",
        "priority": "10",
        "begin": "copy",
        "day": "2026-11-27",
    }

    silent = world.post(client, "/lich/tuan-mau/sua", form | {"begin": "empty"})
    made = world.publish(client, "/lich/tuan-mau/sua", form)

    assert "bỏ 1 buổi" in silent.text
    assert made.status_code == 303, made.text
    with world.database.reading() as session:
        (template,) = templates.in_force(session, "LONGHIEP")
    (copy,) = [rule for rule in grid(world) if rule.template == template.id]
    assert (copy.name, copy.starts) == ("Buổi sáng", (time(5, 30),))
    page = client.get("/lich/tuan-mau?dai=LONGHIEP").text
    assert "Thay ngày 27/11" in page
    assert "Thay ngày 27/11" in client.get("/lich/2026-W48?dai=LONGHIEP").text
    renamed = world.publish(client, "/lich/tuan-mau/sua", form | {"ma": template.id, "name": "Ngày hội"})
    assert renamed.status_code == 303
    ended = world.post(client, "/lich/tuan-mau/ket-thuc", {"dai": "LONGHIEP", "ma": template.id})
    again = world.post(client, "/lich/tuan-mau/ket-thuc", {"dai": "LONGHIEP", "ma": template.id})
    assert ended.status_code == again.status_code == 303
    with world.database.reading() as session:
        assert templates.in_force(session, "LONGHIEP") == ()
    assert [rule.template for rule in grid(world)] == [None]
    assert traces(world)[-3:] == ["grid.template", "grid.template", "grid.template_end"]


def test_a_week_template_without_any_limit_is_refused(world):
    """A template for ever would be the standing week itself; the form says so."""
    client = world.signed_in("operator")
    bad = world.post(client, "/lich/tuan-mau/sua", {"dai": "LONGHIEP", "name": "", "priority": "0"})

    assert bad.status_code == 422
    for name in ("name", "priority"):
        assert f'href="#f-{name}"' in bad.text
    endless = world.post(client, "/lich/tuan-mau/sua", {"dai": "LONGHIEP", "name": "X", "priority": "1"})
    assert 'href="#f-valid_from"' in endless.text


def test_a_decreed_day_is_for_every_station_and_needs_its_document(world):
    """The unit above all stations enters it with its document; the week's head and the sessions follow it."""
    everywhere = world.people["centre"]
    assert everywhere.unit == "LONGHIEP"
    form = {"day": "2026-11-28", "kind": "mourning", "name": "Quốc tang", "document": "Quyết định 1/QĐ-TTg"}
    path = "/lich/ngay-dac-biet/moi"
    for name in ("centre", "centre-minhlong"):
        refused = world.post(world.signed_in(name), path, form)
        assert refused.status_code == 422, name
        assert "mọi đài" in refused.text
    assert world.signed_in("operator").get(path).status_code == 403

    with world.database.writing() as session:
        from store import accounts
        from store.accounts import Role

        top = accounts.create(
            session, name="tinh", role=Role.CENTRE, unit="QUANGNGAI", full_name="Người tinh", now=world.clock.now()
        )
        accounts.set_password(session, top, "ao cá rau muống gió nồm")
    client = world.client()
    world.sign_in(client, "tinh", "ao cá rau muống gió nồm")
    world.publish(client, PATH, FORM | {"only": ["ordinary"]})
    without = world.post(client, path, form | {"document": ""})
    shown = world.post(client, path, form)
    entered = world.publish(client, path, form)

    assert without.status_code == 422
    assert 'href="#f-document"' in without.text
    assert "bỏ 1 buổi" in shown.text
    assert entered.status_code == 303, entered.text
    with world.database.reading() as session:
        assert [day.name for day in calendar_days.decreed(session)] == ["Quốc tang"]
    assert "Quốc tang" in client.get("/lich/2026-W48?dai=LONGHIEP").text
    assert "Quyết định 1/QĐ-TTg" in client.get("/lich/ngay-dac-biet").text
    past = world.post(client, path, form | {"day": "2026-11-23"})
    assert past.status_code == 422
    back = world.post(client, "/lich/ngay-dac-biet/bo", {"day": "2026-11-28", "kind": "mourning"})
    assert back.status_code == 303
    world.post(client, "/lich/ngay-dac-biet/bo", {"day": "x", "kind": "mourning"})
    with world.database.reading() as session:
        assert calendar_days.decreed(session) == ()
    assert traces(world)[-2:] == ["calendar.decree", "calendar.take_back"]


def test_a_session_over_midnight_stands_in_the_week_in_which_it_began(world):
    """The night from Sunday to Monday belongs to Sunday, on the page too."""
    client = world.signed_in("operator")
    night = FORM | {"name": "Buổi đêm", "how": "weekly", "weekdays": ["7"], "starts": "23:45", "minutes": "30"}
    world.publish(client, PATH, night)

    before = client.get("/lich/2026-W48?dai=LONGHIEP&ngay=2026-11-29").text
    after = client.get("/lich/2026-W49?dai=LONGHIEP&ngay=2026-11-30").text

    assert before.count("23:45–00:15") == 1
    assert after.count("23:45–00:15") == 1
    assert "T2 30/11" not in after.split("23:45–00:15")[1].split("</a>")[0]


def test_a_large_session_loses_nothing_in_the_form(world):
    """What was made by other means (a live place, many items, many weekdays of the month) survives an edit by form."""
    client = world.signed_in("operator")
    items = tuple(SessionItem(id=f"a{n}", kind=ItemKind.SEGMENT, programme="CDS") for n in range(40))
    live = SessionItem(id="live", kind=ItemKind.LIVE, relay="HOITRUONG", length_s=600)
    nth = tuple(NthWeekday(nth=nth, weekday=day) for nth in (1, 3, -1) for day in (2, 4))
    rule = SessionRule(
        id="lon",
        station="LONGHIEP",
        name="Buổi lớn",
        starts=(time(19),),
        length_s=7200,
        items=(live, *items),
        nth_weekdays=nth,
        since=world.clock.now(),
    )
    with world.database.writing() as session:
        sessions.publish(session, rule, world.clock.now())
    page = client.get(f"{PATH}?dai=LONGHIEP&buoi=lon").text
    form = {"dai": "LONGHIEP", "buoi": "lon"}
    for name, value in re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page):
        if not name.startswith(("csrf", "optional", "weekdays", "only", "dai", "buoi")):
            form[name] = html.unescape(value)
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        form[name] = html.unescape(chosen.group(1)) if chosen else re.search(r'value="([^"]*)"', options).group(1)

    assert world.publish(client, PATH, form).status_code == 303

    assert grid(world) == (rule,)
