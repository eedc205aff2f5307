"""What others are measured by: station settings, programmes, duties and excuses, by form, by those who may."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from schedules.duty import Counting, DutyWindow, Period
from schedules.programme import Order, Otherwise
from schedules.station import DaySpan, Limits
from store import accounts, audit, duties, excuses, programmes, stations
from store.accounts import Role
from webui.pages.hours import parse_spans, spans_text

SETTINGS = {
    "name": "Đài Long Hiệp",
    "permitted": "05:00–21:00",
    "quiet": "11:30–13:30",
    "session_min": "45",
    "day_min": "120",
    "sessions": "4",
}
DUTY = {
    "name": "Chuyên mục chuyển đổi số của xã",
    "code": "cds-longhiep",
    "owner": "LONGHIEP",
    "stations": ["LONGHIEP"],
    "programme": "CDS",
    "counting": "airings",
    "count": "1",
    "period": "week",
    "topics": "",
    "topic_prefix": "dx-",
    "windows": "05:30–07:00 T7 CN\n17:00–20:00 CN",
    "deadline_days": "0",
    "deadline_at": "24:00",
    "warn_days": "2",
    "share": "100",
    "document": "485/UBND-VX ngày 23/5/2023",
}


def last(world):
    """Return what was done last and about what."""
    with world.database.reading() as session:
        entry = audit.newest(session)[0]
    return entry.what, entry.outcome


@pytest.fixture
def top(world):
    """A browser in which somebody of the unit above all stations is signed in."""
    with world.database.writing() as session:
        person = accounts.create(
            session, name="tinh", role=Role.CENTRE, unit="QUANGNGAI", full_name="Người tinh", now=world.clock.now()
        )
        accounts.set_password(session, person, "ao cá rau muống gió nồm")
    client = world.client()
    world.sign_in(client, "tinh", "ao cá rau muống gió nồm")
    return client


@pytest.mark.parametrize(
    ("typed", "spans"),
    [
        ("05:00-21:00", [DaySpan(start=time(5), end=time(21))]),
        ("5h00 đến 7h00 T2 T3", [DaySpan(start=time(5), end=time(7), weekdays=(1, 2))]),
        ("T7, CN 06:00-07:00", [DaySpan(start=time(6), end=time(7), weekdays=(6, 7))]),
        ("T9 06:00-07:00", None),
        ("05:00–24:00 Sat, Sun", [DaySpan(start=time(5), end=time(0), weekdays=(6, 7))]),
        ("22:00–02:00; 05:00–06:00", [DaySpan(start=time(22), end=time(2)), DaySpan(start=time(5), end=time(6))]),
        ("\n \n", []),
        ("25:00–26:00", None),
        ("05:00–06:60", None),
        ("05:00–06:00 T8", None),
        ("sáng", None),
    ],
)
def test_hours_are_read_as_people_write_them(typed, spans):
    """Both ways of writing a time, midnight as 24:00, days by their short names; nothing is guessed."""
    read = parse_spans(typed)

    assert read == (None if spans is None else tuple(spans))


def test_hours_that_are_shown_can_be_read_again(world):
    """The form shows what it would take."""
    spans = (
        DaySpan(start=time(5), end=time(11, 30)),
        DaySpan(start=time(13, 30), end=time(0), weekdays=(1, 7)),
        DaySpan(start=time(0), end=time(0)),
    )
    with world.app.test_request_context():
        assert parse_spans(spans_text(spans)) == spans
        assert parse_spans(spans_text(spans, "; ")) == spans


def test_station_settings_are_looked_at_and_saved(world):
    """Hours, quiet stretches, limits and groups are kept as typed; the station is woken; the security log knows."""
    client = world.signed_in("centre-minhlong")
    path = "/dai/LONGHIEP/cai-dat"
    assert "00:00–24:00" in client.get(path).text
    form = SETTINGS | {"code-0": "thon-1", "group-0": "Thôn 1", "hours-0": "05:00–20:00"}

    shown = world.post(client, path, form)
    saved = world.publish(client, path, form)

    assert "Trong 14 ngày tới" in shown.text
    assert saved.status_code == 303, saved.text
    with world.database.reading() as session:
        station = stations.find(session, "LONGHIEP")
    assert station.permitted == (DaySpan(start=time(5), end=time(21)),)
    assert station.quiet == (DaySpan(start=time(11, 30), end=time(13, 30)),)
    assert station.limits == Limits(session_s=2700, day_s=7200, sessions=4)
    assert [(group.code, group.name) for group in station.groups] == [("thon-1", "Thôn 1")]
    assert world.doors["LONGHIEP"].woken == 1
    assert last(world) == ("station.edit", "done")
    assert "Thôn 1" in client.get(path).text


def test_settings_that_cannot_be_are_told_all_at_once(world):
    """Each mistake beside its field, nothing kept; and only who may change the station sees the form."""
    client = world.signed_in("centre-minhlong")
    path = "/dai/LONGHIEP/cai-dat"
    bad = world.post(
        client,
        path,
        {
            "name": "",
            "permitted": "sáng",
            "quiet": "trưa",
            "session_min": "0",
            "valid_until": "2026-12-31",
            "successor": "LONGHIEP",
            "code-0": "Thôn 1",
            "group-0": "Thôn 1",
            "code-1": "t2",
            "group-1": "Thôn 2",
            "hours-1": "chiều",
        },
    )

    assert bad.status_code == 422
    for name in ("name", "permitted", "quiet", "session_min", "ended_by", "successor", "group-0", "group-1"):
        assert f'href="#f-{name}"' in bad.text, name
    assert world.signed_in("operator").get(path).status_code == 403
    assert world.signed_in("centre-longmai").get(path).status_code == 404


def test_a_programme_is_added_and_changed_by_the_unit_above_all(world, top):
    """Order, ways and rest are kept in the order that was chosen; a commune cannot change what holds for all."""
    form = {
        "name": "Đọc truyện",
        "code": "truyen",
        "order": "series",
        "otherwise-0": "rotation",
        "otherwise-1": "evergreen",
        "hours": "48",
    }
    path = "/chuyen-muc/sua"

    refused = world.post(world.signed_in("centre"), path, form)
    saved = world.post(top, path, form)

    assert refused.status_code == 422
    assert "mọi đài" in refused.text
    assert saved.status_code == 303
    with world.database.reading() as session:
        made = programmes.find(session, "TRUYEN")
    assert (made.order, made.otherwise) == (Order.SERIES, (Otherwise.ROTATION, Otherwise.EVERGREEN))
    assert made.separation_s == 48 * 3600
    assert last(world) == ("programme.edit", "done")
    listed = top.get("/chuyen-muc").text
    assert "Lần lượt từng kỳ" in listed
    assert "bài cũ nghỉ ít nhất 48 giờ" in listed
    changed = world.post(top, path, {"ma": "TRUYEN", "name": "Đọc truyện", "order": "newest", "hours": "0"})
    assert changed.status_code == 303
    assert "không phát lại" in top.get("/chuyen-muc").text
    bad = world.post(
        top,
        path,
        {"name": "", "code": "CDS", "order": "x", "otherwise-0": "centre", "otherwise-1": "centre", "hours": "-1"},
    )
    assert bad.status_code == 422
    for name in ("name", "code", "order", "otherwise-0", "hours"):
        assert f'href="#f-{name}"' in bad.text, name
    assert top.get(f"{path}?ma=KHONGCO").status_code == 404


def test_a_duty_is_made_changed_in_versions_and_ended(world):
    """A change begins a new version and leaves the old one to the past; the list says it all in words."""
    client = world.signed_in("centre-minhlong")
    path = "/nhiem-vu/sua"

    made = world.publish(client, path, DUTY)
    assert made.status_code == 303, made.text
    with world.database.reading() as session:
        duty = duties.find(session, "CDS-LONGHIEP")
    assert duty.windows == (
        DutyWindow(weekday=6, start=time(5, 30), end=time(7)),
        DutyWindow(weekday=7, start=time(5, 30), end=time(7)),
        DutyWindow(weekday=7, start=time(17), end=time(20)),
    )
    assert (duty.topic_prefix, duty.deadline_at, duty.period) == ("DX-", time(0), Period.WEEK)
    listed = client.get("/nhiem-vu/danh-sach").text
    assert "485/UBND-VX ngày 23/5/2023" in listed
    assert "1 lần mỗi tuần" in listed
    world.clock.advance(timedelta(days=8).total_seconds())
    world.sign_in(client, "centre-minhlong")

    changed = world.publish(
        client,
        path,
        DUTY
        | {
            "ma": "CDS-LONGHIEP",
            "counting": "topics",
            "count": "2",
            "period": "month",
            "topics": "DX-ONESTOP, DX-MEETING",
            "topic_prefix": "",
            "programme": "",
            "deadline_days": "1",
            "deadline_at": "17:00",
        },
    )
    assert changed.status_code == 303, changed.text
    with world.database.reading() as session:
        versions = [duty for duty in duties.every(session) if duty.code == "CDS-LONGHIEP"]
    assert [version.until for version in versions] == [world.clock.now(), None]
    assert versions[1].counting is Counting.TOPICS
    assert (versions[1].programme, versions[1].topics) == (None, ("DX-ONESTOP", "DX-MEETING"))
    assert "2 chủ đề mỗi tháng" in client.get("/nhiem-vu/danh-sach").text
    assert "Nhiệm vụ theo tháng, theo năm" in client.get("/nhiem-vu").text
    assert 'value="17:00"' in client.get(f"{path}?ma=CDS-LONGHIEP").text
    ended = world.post(client, "/nhiem-vu/ket-thuc", {"ma": "CDS-LONGHIEP"})
    again = world.post(client, "/nhiem-vu/ket-thuc", {"ma": "CDS-LONGHIEP"}, follow_redirects=True)
    assert ended.status_code == 303
    assert "Không có nhiệm vụ này." in again.text
    assert last(world) == ("duty.end", "done")


def test_a_duty_that_cannot_be_is_told_all_at_once(world):
    """Unknown topics, units, stations and numbers are named beside their fields; who does not own it cannot see it."""
    client = world.signed_in("centre-minhlong")
    bad = world.post(
        client,
        "/nhiem-vu/sua",
        DUTY
        | {
            "code": "CDS",
            "name": "",
            "owner": "BATO",
            "stations": ["BADINH"],
            "programme": "X",
            "period": "day",
            "topics": "DX-KHONG",
            "windows": "tối",
            "count": "0",
            "deadline_at": "25:00",
            "document": "",
            "share": "0",
        },
    )

    assert bad.status_code == 422
    for name in (
        *("code", "name", "owner", "stations", "programme", "period"),
        *("topics", "windows", "count", "deadline_at", "document", "share"),
    ):
        assert f'href="#f-{name}"' in bad.text, name
    assert world.signed_in("centre-longmai").get("/nhiem-vu/sua?ma=CDS").status_code == 404
    assert world.signed_in("operator").get("/nhiem-vu/sua").status_code == 403
    assert "Chuyển đổi số hằng tuần" in world.signed_in("operator").get("/nhiem-vu/danh-sach").text


def test_a_station_is_excused_only_from_what_it_owes(world):
    """An excuse of another station's duty would be kept and do nothing; duties of one name tell whose they are."""
    client = world.signed_in("centre-minhlong")
    world.publish(client, "/nhiem-vu/sua", DUTY)
    form = {
        "station": "LONGMAI",
        "duty": "CDS-LONGHIEP",
        "first": "2026-11-23",
        "last": "2026-11-29",
        "document": "Công văn 12/UBND",
        "reason": "Máy phát hỏng",
    }

    refused = world.post(client, "/nhiem-vu/mien", form)

    assert refused.status_code == 422
    assert "Đài này không có nhiệm vụ đó" in refused.text
    assert "Chuyên mục chuyển đổi số của xã (Đài Long Hiệp)" in refused.text
    assert world.post(client, "/nhiem-vu/mien", form | {"station": "LONGHIEP"}).status_code == 303


def test_an_excuse_names_its_document_and_can_be_taken_back(world):
    """Only centre and administrator excuse, by a document; both acts stay to be seen."""
    client = world.signed_in("centre-minhlong")
    form = {
        "station": "LONGHIEP",
        "duty": "CDS",
        "first": "2026-11-23",
        "last": "2026-11-29",
        "document": "Công văn 12/UBND",
        "reason": "Máy phát hỏng",
    }
    path = "/nhiem-vu/mien"
    bad = world.post(client, path, form | {"document": "", "reason": "", "last": "2026-11-01", "station": "BADINH"})

    granted = world.post(client, path, form)

    assert bad.status_code == 422
    for name in ("document", "reason", "last", "station"):
        assert f'href="#f-{name}"' in bad.text, name
    assert granted.status_code == 303
    with world.database.reading() as session:
        (known,) = excuses.in_force(session)
        (listed,) = excuses.listing(session, stations=("LONGHIEP",))
    assert (known.first, known.last, known.document) == (date(2026, 11, 23), date(2026, 11, 29), "Công văn 12/UBND")
    page = client.get("/nhiem-vu/danh-sach").text
    assert "Máy phát hỏng" in page
    assert "Người centre-minhlong" in page
    assert "Được miễn" in client.get("/nhiem-vu").text
    assert world.signed_in("operator").get(path).status_code == 403
    back = world.post(client, f"{path}/bo", {"ma": listed.id})
    twice = world.post(client, f"{path}/bo", {"ma": listed.id}, follow_redirects=True)
    nothing = world.post(client, f"{path}/bo", {"ma": "khong"}, follow_redirects=True)
    assert back.status_code == 303
    assert "Không có quyết định miễn này." in twice.text
    assert "Không có quyết định miễn này." in nothing.text
    with world.database.reading() as session:
        assert excuses.in_force(session) == ()
    assert last(world) == ("duty.excuse_end", "done")
    assert "đã bỏ" in client.get("/nhiem-vu/danh-sach").text


def test_validity_episode_and_priority_stay_when_a_card_is_edited(world):
    """The card's dates, its number in a series and its priority are typed, kept, and not lost by the next edit."""
    client = world.client()
    document = world.analysed(client)
    operator = world.signed_in("operator")
    path = f"/bai/{document['id']}/sua"
    form = {
        "title": "Kỳ 3",
        "station": "LONGHIEP",
        "programme": "CDS",
        "kind": "bai",
        "topics": "DX-ONESTOP",
        "revision": str(document["revision"]),
        "valid_from": "2026-11-24T05:00",
        "valid_until": "2026-12-24T21:00",
        "episode": "3",
        "priority": "priority",
    }

    bad = world.post(
        operator, path, form | {"episode": "0", "valid_until": "2026-11-01T00:00", "priority": "emergency"}
    )
    saved = world.post(operator, path, form)

    assert bad.status_code == 422
    for name in ("episode", "valid_until", "priority"):
        assert f'href="#f-{name}"' in bad.text, name
    assert saved.status_code == 303, saved.text
    kept = client.get(f"/api/v1/segments/{document['id']}", headers=world.token("operator")).json
    assert (kept["episode"], kept["priority"]) == (3, "priority")
    assert kept["valid_from"] == "2026-11-23T22:00:00+00:00"
    page = operator.get(path).text
    assert 'value="2026-12-24T21:00"' in page
    assert 'value="3"' in page
    changed = client.patch(
        f"/api/v1/segments/{document['id']}",
        json={"revision": kept["revision"], "episode": None, "priority": "normal"},
        headers=world.token("operator"),
    )
    assert (changed.json["episode"], changed.json["priority"]) == (None, "normal")
    assert changed.json["valid_from"] == kept["valid_from"]


def test_hours_that_would_leave_a_session_outside_are_refused(world):
    """The form says which session would no longer be permitted; nothing is saved, and no link leads nowhere."""
    client = world.signed_in("centre-minhlong")
    grid = {
        "dai": "LONGHIEP",
        "name": "Buổi khuya",
        "how": "daily",
        "starts": "22:30",
        "minutes": "30",
        "kind-0": "segment",
        "what-0": "p:CDS",
    }
    assert world.publish(client, "/lich/2026-W48/buoi", grid).status_code == 303

    refused = world.post(client, "/dai/LONGHIEP/cai-dat", SETTINGS)

    assert refused.status_code == 422
    assert "Buổi khuya" in refused.text
    assert 'href="#f-"' not in refused.text
    assert 'href="#f-sessions' not in refused.text
    with world.database.reading() as session:
        assert stations.find(session, "LONGHIEP").permitted == (DaySpan(start=time(0), end=time(0)),)
