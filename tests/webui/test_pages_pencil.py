"""The week under the pencil: gestures, drafts of two people, publishing, carrying over, copies, single airings."""

from __future__ import annotations

import html
import re
from datetime import date, time
from threading import Thread

import pytest

from schedules.grid import Change
from schedules.station import ClusterGroup
from store import audit, drafts, exceptions, one_offs, sessions, stations, templates
from webui import pencil

FORM = {
    "dai": "LONGHIEP",
    "name": "Buổi sáng",
    "how": "daily",
    "starts": "05:30",
    "minutes": "30",
    "kind-0": "segment",
    "what-0": "p:BANTIN",
}
WEEK = "/lich/2026-W48"
MOVE = {"dai": "LONGHIEP", "what": "move", "day": "2026-11-25", "from_day": "2026-11-25", "reach": "every"}
FRAGMENT = {"HX-Request": "true"}


def grid(world, code="LONGHIEP"):
    """Return the sessions in force."""
    with world.database.reading() as session:
        return sessions.in_force(session, code)


def decided(world, code="LONGHIEP"):
    """Return the exceptions in force."""
    with world.database.reading() as session:
        return exceptions.in_force(session, code)


def draft(world, name="operator", code="LONGHIEP"):
    """Return the draft of a person, or None."""
    with world.database.reading() as session:
        return drafts.find(session, world.people[name].id, code)


def traces(world):
    """Return what was done, oldest first."""
    with world.database.reading() as session:
        return [entry.what for entry in reversed(audit.newest(session))]


@pytest.fixture
def officer(world):
    """The browser of the officer, with one daily session in force."""
    client = world.signed_in("operator")
    assert world.publish(client, f"{WEEK}/buoi", FORM).status_code == 303
    return client


@pytest.fixture
def rule(world, officer):
    """The daily session."""
    (only,) = grid(world)
    return only


def edit(world, client, fields, path=WEEK, **options):
    """Send one gesture as the page does and return the answer."""
    return world.post(client, f"{path}/sua", MOVE | fields, **options)


def publish(world, client, code="LONGHIEP", **fields):
    """Look at the draft, agree to what it shows, publish it, and return the answer."""
    shown = client.get(f"/lich/nhap/xem?dai={code}").text
    found = re.search(r'name="confirm" value="([^"]*)"', shown)
    confirm = found.group(1) if found else ""
    return world.post(client, "/lich/nhap/cong-bo", {"dai": code, "confirm": confirm} | fields)


def test_a_moved_session_is_on_air_only_when_published(world, officer, rule):
    """The draft shows it at once; the grid in force is as before until somebody looked at it and published."""
    answer = edit(world, officer, {"session": rule.id, "to_start": "06:10", "minutes": "40"}, headers=FRAGMENT)

    assert answer.status_code == 200
    assert "1 thay đổi" in answer.text
    assert 'data-start="06:10"' in answer.text
    assert "<html" not in answer.text
    assert grid(world) == (rule,)
    other = world.signed_in("approver").get(f"{WEEK}?dai=LONGHIEP").text
    assert 'data-start="05:30"' in other
    assert "cũng đang có bản nháp" in other
    shown = officer.get("/lich/nhap/xem?dai=LONGHIEP").text
    assert "Đổi giờ" in shown
    assert publish(world, officer).status_code == 303
    (now,) = grid(world)
    assert (now.starts, now.length_s) == ((time(6, 10),), 2400)
    assert draft(world) is None
    assert traces(world)[-1] == "grid.pencil_publish"
    assert world.doors["LONGHIEP"].woken >= 1


@pytest.mark.parametrize(
    ("fields", "check"),
    [
        (
            {"reach": "once", "to_day": "2026-11-26", "to_start": "07:00"},
            lambda rules, said: (
                (said[0].change, said[0].day, said[0].to_day, said[0].to_start)
                == (Change.MOVE, date(2026, 11, 25), date(2026, 11, 26), time(7))
            ),
        ),
        (
            {"reach": "once", "minutes": "45"},
            lambda rules, said: (
                said[0].change is Change.CANCEL
                and any(r.valid_from == r.valid_until == date(2026, 11, 25) and r.length_s == 2700 for r in rules)
            ),
        ),
        (
            {"reach": "following", "to_start": "06:00"},
            lambda rules, said: (
                {(r.starts[0], r.valid_from, r.valid_until) for r in rules}
                == {(time(5, 30), None, date(2026, 11, 24)), (time(6), date(2026, 11, 25), None)}
            ),
        ),
        (
            {"what": "copy", "to_day": "2026-11-27", "to_start": "18:00"},
            lambda rules, said: any(r.weekdays == (5,) and r.starts == (time(18),) for r in rules) and len(rules) == 2,
        ),
        (
            {"what": "copy", "reach": "once", "to_day": "2026-11-27", "to_start": "18:00"},
            lambda rules, said: any(r.valid_from == r.valid_until == date(2026, 11, 27) for r in rules),
        ),
        ({"what": "cancel", "reach": "once"}, lambda rules, said: said[0].change is Change.CANCEL),
        (
            {"what": "cancel", "reach": "following"},
            lambda rules, said: [r.valid_until for r in rules] == [date(2026, 11, 24)],
        ),
        ({"what": "end"}, lambda rules, said: rules == ()),
    ],
)
def test_every_gesture_comes_out_as_meant(world, officer, rule, fields, check):
    """One date, it and all following, or every week: what is published is what the gesture said."""
    answer = edit(world, officer, {"session": rule.id} | fields)
    assert answer.status_code == 303, answer.text
    assert "Đã ghi vào bản nháp" in officer.get(f"{WEEK}?dai=LONGHIEP").text

    answer = publish(world, officer)

    assert answer.status_code == 303, answer.text
    assert check(grid(world), decided(world)), (grid(world), decided(world))


@pytest.mark.parametrize(
    "fields",
    [
        {"session": "khong-co"},
        {"to_start": "25:00"},
        {"minutes": "0"},
        {"day": "hôm nay"},
        {"reach": "sometimes"},
        {"what": "explode"},
        {"to_day": "2026-11-27", "from_day": "2026-11-25"},
        {"reach": "once", "day": "2026-11-20", "from_day": "2026-11-20", "to_start": "07:00"},
    ],
)
def test_what_cannot_be_leaves_the_draft_as_it_was(world, officer, rule, fields):
    """Nonsense, the past, and a day that is taken already are refused in words, and nothing is noted."""
    answer = edit(world, officer, {"session": rule.id} | fields, headers=FRAGMENT)

    assert answer.status_code == 422
    assert 'class="flash bad' in answer.text
    assert draft(world) is None


def test_undo_discard_and_have_back(world, officer, rule):
    """The last step is taken back alone; what is thrown away waits until something else is pencilled."""
    for start in ("06:00", "07:00"):
        edit(world, officer, {"session": rule.id, "to_start": start})
    assert len(draft(world).steps) == 2

    undone = world.post(officer, "/lich/nhap/hoan-tac", {"dai": "LONGHIEP", "tuan": "2026-W48"}, headers=FRAGMENT)
    assert 'data-start="06:00"' in undone.text
    world.post(officer, "/lich/nhap/bo", {"dai": "LONGHIEP", "tuan": "2026-W48"})
    assert draft(world).steps == ()
    page = officer.get(f"{WEEK}?dai=LONGHIEP").text
    assert "Lấy lại bản nháp đã bỏ" in page
    assert 'data-start="05:30"' in page
    world.post(officer, "/lich/nhap/lay-lai", {"dai": "LONGHIEP"})

    assert len(draft(world).steps) == 1
    for path in ("hoan-tac", "lay-lai", "bo", "hoan-tac", "cong-bo", "mang-sang"):
        assert world.post(officer, f"/lich/nhap/{path}", {"dai": "LONGHIEP"}).status_code in (303, 422)
    assert grid(world) == (rule,)


def test_a_draft_never_lost_and_never_shared(world, officer, rule):
    """It is there after signing out and in again; a colleague's pencil at the same station is another one."""
    edit(world, officer, {"session": rule.id, "to_start": "06:00"})
    colleague = world.signed_in("approver")
    edit(world, colleague, {"session": rule.id, "to_start": "08:00"})

    again = world.signed_in("operator").get(f"{WEEK}?dai=LONGHIEP").text

    assert 'data-start="06:00"' in again
    assert 'data-start="08:00"' in colleague.get(f"{WEEK}?dai=LONGHIEP").text
    assert "Người approver" in officer.get("/lich/nhap").text


def test_conflicts_show_while_editing_and_cannot_be_published(world, officer, rule):
    """Two sessions at one time: drawn side by side, told with two ways out, refused when somebody publishes."""
    edit(world, officer, {"session": rule.id, "what": "copy", "to_day": "2026-11-27", "to_start": "05:45"})

    page = officer.get(f"{WEEK}?dai=LONGHIEP").text

    assert "chỗ trùng giờ" in page
    assert "trùng giờ 15 phút" in page
    assert "Dời “Buổi sáng” sang 06:00" in page
    assert "x5" in page
    check = officer.get("/lich/nhap/kiem?dai=LONGHIEP").text
    assert "Chưa công bố được" in check
    answer = publish(world, officer)
    assert answer.status_code == 422
    assert grid(world) == (rule,)
    assert draft(world) is not None


def test_the_look_before_publishing_tells_what_it_costs(world, officer):
    """A recording that loses its place, a duty that loses its slot: told with names before anybody says yes."""
    world.approved(world.client(), title="Tin chuyển đổi số", programme="CDS")
    world.publish(officer, f"{WEEK}/buoi", FORM | {"name": "Buổi chiều", "starts": "18:30", "what-0": "p:CDS"})
    evening = next(one for one in grid(world) if one.name == "Buổi chiều")
    edit(world, officer, {"session": evening.id, "what": "end"})

    shown = html.unescape(officer.get("/lich/nhap/xem?dai=LONGHIEP").text)

    assert "Bỏ" in shown
    assert "Hôm nay: “Tin chuyển đổi số” 18:30 không phát nữa." in shown or "Hôm nay: “Tin chuyển đổi số”" in shown
    plan = officer.get("/lich/nhap/ke-hoach?dai=LONGHIEP&ngay=2026-11-24").text
    assert "Kế hoạch thật của bản nháp" in plan
    assert "Đây là kế hoạch nếu công bố bản nháp." in plan


def test_a_moved_base_is_told_and_edits_are_carried_over(world, officer, rule):
    """Somebody else published meanwhile: refused with their name and act; carried over, both changes stand."""
    edit(world, officer, {"session": rule.id, "to_start": "06:00"})
    colleague = world.signed_in("approver")
    world.publish(
        colleague,
        f"{WEEK}/buoi",
        FORM | {"buoi": rule.id, "item-0": rule.items[0].id, "name": "Buổi sáng mới", "minutes": "20"},
    )

    refused = world.post(officer, "/lich/nhap/cong-bo", {"dai": "LONGHIEP"})
    shown = officer.get("/lich/nhap/xem?dai=LONGHIEP").text

    assert refused.status_code == 409
    assert "approver công bố một buổi" in shown
    assert "Mang thay đổi sang bản mới" in shown
    assert world.post(officer, "/lich/nhap/mang-sang", {"dai": "LONGHIEP"}).status_code == 303
    assert publish(world, officer).status_code == 303
    (now,) = grid(world)
    assert (now.name, now.length_s, now.starts) == ("Buổi sáng mới", 1200, (time(6),))


def test_s6_two_publishes_at_once_give_one_result(world, officer, rule):
    """S6: the same draft published twice at the same moment holds once, and the other one is told so."""
    edit(world, officer, {"session": rule.id, "to_start": "06:00"})
    person = world.people["operator"]
    outcomes = []

    def go():
        with world.app.test_request_context():
            try:
                agreed = pencil.key(pencil.outlook(("LONGHIEP",), person=person))
                pencil.publish(("LONGHIEP",), person=person, accepted=agreed)
                outcomes.append("done")
            except pencil.Unknown:
                outcomes.append("gone")

    threads = [Thread(target=go) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(outcomes) == ["done", "gone"]
    assert [one.starts for one in grid(world)] == [(time(6),)]
    assert traces(world).count("grid.pencil_publish") == 1


def test_s2_foreign_stations_are_not_found(world, officer, rule):
    """S2: another commune's station in a field, an address or a list of targets is answered as if it were not there."""
    for path in ("/lich/nhap/xem", "/lich/nhap/kiem", "/lich/nhap/ke-hoach", "/lich/phat-rieng", "/lich/chep/buoi"):
        assert officer.get(f"{path}?dai=BADINH&session={rule.id}").status_code == 404, path
    assert edit(world, officer, {"session": rule.id, "dai": "BADINH"}).status_code == 404
    for path in ("cong-bo", "hoan-tac", "bo", "lay-lai", "mang-sang"):
        assert world.post(officer, f"/lich/nhap/{path}", {"dai": "BADINH"}).status_code == 404, path
    centre = world.signed_in("centre-minhlong")
    for target in ("BADINH", "khongco"):
        data = {"dai": "LONGHIEP", "session": rule.id, "stations": ["LONGMAI", target]}
        assert world.post(centre, "/lich/chep/buoi", data).status_code == 404
        assert world.post(centre, f"{WEEK}/chep", data).status_code == 404
    assert draft(world, "centre-minhlong", "LONGMAI") is None


def test_s7_an_inspector_sees_the_week_and_changes_nothing(world, officer, rule):
    """S7: no handle on the week, and every act refused."""
    inspector = world.signed_in("inspector")

    page = inspector.get(f"{WEEK}?dai=LONGHIEP").text

    assert "data-block" not in page
    assert "Thêm buổi phát" not in page
    assert edit(world, inspector, {"session": rule.id, "to_start": "06:00"}).status_code == 403
    for path in ("/lich/nhap", "/lich/nhap/xem?dai=LONGHIEP", "/lich/phat-rieng"):
        assert inspector.get(path).status_code == 403
    assert inspector.get("/lich/cac-dai").status_code == 200


@pytest.mark.parametrize("bad", ["' OR 1=1 --", "LONGHIEP') UNION SELECT 1 --", "%", "2026-W48'; DROP TABLE person"])
def test_s36_sql_in_any_field_finds_nothing(world, officer, rule, bad):
    """S36: what looks like SQL in stations, sessions, dates and searches is text that names nothing."""
    assert edit(world, officer, {"session": bad}).status_code in (303, 422)
    assert edit(world, officer, {"session": rule.id, "dai": bad}).status_code == 404
    assert officer.get("/lich/cac-dai", query_string={"tim": bad, "sau": bad, "ngay": bad}).status_code == 200
    assert officer.get("/lich/nhap/xem", query_string={"dai": bad}).status_code == 404
    assert world.post(officer, "/lich/nhap/cong-bo", {"dai": bad}).status_code == 404
    assert grid(world) == (rule,)
    assert draft(world) is None


def test_s34_names_in_the_calendar_are_text(world, officer):
    """S34: a session named like a script is shown as it was typed, in blocks, lists, steps and the resource view."""
    name = "<img src=x onerror=alert(1)>\"'{{7*7}}"
    world.publish(officer, f"{WEEK}/buoi", FORM | {"name": name, "starts": "07:00"})
    bad = next(one for one in grid(world) if one.name == name)
    edit(world, officer, {"session": bad.id, "to_start": "08:00"})

    for path in (f"{WEEK}?dai=LONGHIEP", "/lich/nhap/xem?dai=LONGHIEP", "/lich/nhap", "/lich/cac-dai?ngay=2026-11-25"):
        page = officer.get(path).text
        assert "<img src=x" not in page, path
        assert "&lt;img src=x" in page, path
        assert "{{7*7}}" in html.unescape(page), path


def test_forms_go_into_the_draft_too(world, officer, rule):
    """The form of a session and the page of one date offer the pencil; a session only pencilled opens as any other."""
    made = world.post(officer, f"{WEEK}/buoi", FORM | {"name": "Buổi tối", "starts": "19:00", "nhap": "1"})
    assert made.status_code == 303
    assert grid(world) == (rule,)
    (step,) = draft(world).steps
    fresh = step.edits[0].rule
    page = officer.get(f"/lich/buoi/{fresh.id}/2026-11-26?dai=LONGHIEP").text
    assert "Sửa trong bản nháp" in page
    assert "công bố ngay" not in page
    form = officer.get(f"{WEEK}/buoi?dai=LONGHIEP&buoi={fresh.id}").text
    assert "Buổi tối" in form
    changed = FORM | {"buoi": fresh.id, "name": "Buổi đêm", "starts": "20:00", "item-0": fresh.items[0].id, "nhap": "1"}
    world.post(officer, f"{WEEK}/buoi", changed)
    edit(world, officer, {"session": rule.id, "reach": "once", "to_start": "07:00"})
    page = officer.get(f"/lich/buoi/{rule.id}/2026-11-25?dai=LONGHIEP").text
    made_id = draft(world).steps[-1].edits[0].exception.id
    assert made_id in page
    world.post(
        officer, f"/lich/buoi/{rule.id}/2026-11-25/bo-quyet-dinh", {"dai": "LONGHIEP", "ma": made_id, "nhap": "1"}
    )

    assert publish(world, officer).status_code == 303
    assert {one.name for one in grid(world)} == {"Buổi sáng", "Buổi đêm"}
    assert decided(world) == ()


def test_a_session_is_copied_to_other_stations_in_drafts(world, officer, rule):
    """The centre chooses stations; each gets a draft, all are looked at and published together."""
    with world.database.writing() as session:
        here = stations.find(session, "LONGHIEP")
        from dataclasses import replace

        stations.save(session, replace(here, groups=(ClusterGroup(code="thon-1", name="Thôn 1"),)))
    centre = world.signed_in("centre-minhlong")
    form = centre.get(f"/lich/chep/buoi?dai=LONGHIEP&session={rule.id}").text
    assert "Đài Long Mai" in form
    none = world.post(centre, "/lich/chep/buoi", {"dai": "LONGHIEP", "session": rule.id})
    assert none.status_code == 422

    made = world.post(centre, "/lich/chep/buoi", {"dai": "LONGHIEP", "session": rule.id, "stations": ["LONGMAI"]})

    assert made.status_code == 303
    assert "Đài Long Mai" in centre.get("/lich/nhap").text
    assert publish(world, centre, "LONGMAI").status_code == 303
    (copy,) = grid(world, "LONGMAI")
    assert (copy.name, copy.starts, copy.weekdays) == (rule.name, rule.starts, rule.weekdays)
    assert [item.programme for item in copy.items] == ["BANTIN"]


def test_a_week_is_copied_to_other_weeks_and_stations(world, officer, rule):
    """Chosen weeks become week templates; without weeks it becomes the standing week of the chosen stations."""
    centre = world.signed_in("centre-minhlong")
    assert "tuần 49" in centre.get(f"{WEEK}/chep?dai=LONGHIEP").text
    world.post(centre, f"{WEEK}/chep", {"dai": "LONGHIEP", "weeks": ["2026-W50", "2026-W51"]})
    assert publish(world, centre).status_code == 303
    with world.database.reading() as session:
        made = templates.in_force(session, "LONGHIEP")
    assert sorted(one.valid_from for one in made) == [date(2026, 12, 7), date(2026, 12, 14)]
    assert sum(1 for one in grid(world) if one.template is not None) == 2

    world.post(centre, f"{WEEK}/chep", {"dai": "LONGHIEP", "stations": ["LONGMAI"]})
    world.post(centre, f"{WEEK}/chep", {"dai": "LONGHIEP", "stations": ["LONGMAI"]})
    assert publish(world, centre, "LONGMAI").status_code == 303

    assert [one.name for one in grid(world, "LONGMAI")] == ["Buổi sáng"]
    empty = world.post(centre, "/lich/2026-W48/chep", {"dai": "BADINH", "stations": ["LONGMAI"]})
    assert empty.status_code == 404


def test_all_stations_of_a_day_stand_in_rows(world, officer, rule):
    """The centre sees each station's day, clashes and pencils; a search narrows it."""
    edit(world, officer, {"session": rule.id, "to_start": "06:00"})
    centre = world.signed_in("centre-minhlong")

    page = centre.get("/lich/cac-dai?ngay=2026-11-25").text

    assert "05:30–06:00 Buổi sáng" in page
    assert "Im lặng cả ngày" in page
    assert "bản nháp: Người operator" in page
    assert "Đài Long Mai" not in centre.get("/lich/cac-dai?tim=hiệp").text


def test_a_single_airing_shows_what_gives_way_before_it_is_ordered(world, officer, rule):
    """Now or later, waiting or cutting: what gives way is listed first, and only what was shown is ordered."""
    item = world.approved(world.client(), title="Thông báo mưa lũ", programme="BANTIN")
    path = "/lich/phat-rieng"
    later = {"dai": "LONGHIEP", "segment": item["id"], "when": "later", "at": "2026-11-25T05:30", "timing": "hard"}
    assert "Thông báo mưa lũ" in officer.get(f"{path}?dai=LONGHIEP&bai={item['id']}").text

    shown = world.post(officer, path, later)
    assert shown.status_code == 409
    assert "Buổi sáng" in shown.text
    with world.database.reading() as session:
        assert one_offs.of_segment(session, item["id"]) == ()
    confirm = html.unescape(re.search(r'name="confirm" value="([^"]+)"', shown.text).group(1))
    other = world.post(officer, path, later | {"at": "2026-11-25T09:00", "confirm": confirm})
    assert other.status_code == 409
    assert world.post(officer, path, later | {"confirm": confirm}).status_code == 303
    assert world.post(officer, path, later | {"at": "2026-11-20T09:00"}).status_code == 422
    assert world.post(officer, path, later | {"at": "x"}).status_code == 422

    shown = world.post(officer, path, later | {"when": "now", "at": "", "timing": "soft"})
    confirm = html.unescape(re.search(r'name="confirm" value="([^"]+)"', shown.text).group(1))
    answer = world.post(officer, path, later | {"when": "now", "at": "", "timing": "soft", "confirm": confirm})
    assert answer.status_code == 303
    with world.database.reading() as session:
        assert len(one_offs.of_segment(session, item["id"])) == 2
