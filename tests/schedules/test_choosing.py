"""Which recording fills a place, in which order, and what is said about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from schedules.airing import Facts
from schedules.choosing import Choices, Stock, Used, choices, choose, usable
from schedules.intent import Intent
from schedules.programme import Order, Otherwise, Programme
from schedules.segment import Priority, Segment
from schedules.station import Station, Unit
from tests.schedules.builders import intent, local, segment

NOW = local(23, 6)


def programme(*otherwise: Otherwise, code: str = "CDS", **more: object) -> Programme:
    return Programme(code=code, name=code, otherwise=otherwise, **more)  # type: ignore[arg-type]


def could(decided: Intent, used: Used = (), facts: Facts | None = None, key: str = "") -> Choices:
    return choices(decided, decided.stations[0], facts or Facts(station="XA"), "CDS", NOW, used, key=key)


def ids(found: Choices) -> list[str]:
    return [choice.segment.id for choice in found.found if choice.segment is not None]


def stocked(*segments: Segment, rule: Programme | None = None, **more: object) -> Intent:
    return intent(segments=segments, programmes=(rule or programme(*Otherwise),), **more)


def aired(**days: int) -> Facts:
    return Facts(station="XA", aired={name: local(day, 6) for name, day in days.items()})


def test_own_new_items_come_newest_first_and_say_when_they_were_approved() -> None:
    """The newest own item goes first; each names itself and its approval, in both languages."""
    decided = stocked(segment("a", approved_at=local(20, 8)), segment("b", approved_at=local(21, 8, 5)))

    found = could(decided).found

    assert ["b", "a"] == ids(could(decided))
    assert all(choice.fresh and not choice.contested for choice in found)
    assert "“b”: bài mới, duyệt lúc 08:05 21/11/2026, chưa phát." == found[0].why.vi
    assert "“b”: new item, approved at 08:05 21/11/2026, not aired yet." == found[0].why.en


def test_two_approved_at_once_come_by_name() -> None:
    """Of two recordings approved at the same moment the later name goes first, in whatever order they are given."""
    decided = stocked(segment("a"), segment("b"))

    assert ["b", "a"] == ids(could(decided)) == ids(could(stocked(segment("b"), segment("a"))))


@pytest.mark.parametrize(
    "order",
    [
        (Otherwise.CENTRE, Otherwise.REPEAT, Otherwise.ROTATION, Otherwise.EVERGREEN),
        (Otherwise.EVERGREEN, Otherwise.ROTATION, Otherwise.REPEAT, Otherwise.CENTRE),
        (Otherwise.REPEAT, Otherwise.EVERGREEN),
        (Otherwise.EVERGREEN,),
        (),
    ],
)
def test_what_is_taken_otherwise_follows_the_order_of_the_programme(order: tuple[Otherwise, ...]) -> None:
    """After what is new and own comes exactly what the programme lists, in its order."""
    by_way = {
        Otherwise.CENTRE: segment("above", owner="HUYEN"),
        Otherwise.REPEAT: segment("aired"),
        Otherwise.EVERGREEN: segment("lasting", evergreen=True),
    }
    decided = stocked(segment("own"), *by_way.values(), rule=programme(*order))

    found = ids(could(decided, facts=aired(aired=20)))

    # Nothing rotates that a way before it has taken already; the rotation takes all but the reserve.
    expected = ["own"]
    for way in order:
        if way is Otherwise.ROTATION:
            expected += [s for s in ("above", "aired") if s not in expected]
        elif by_way[way].id not in expected:
            expected.append(by_way[way].id)
    assert expected == found


def test_only_what_is_new_is_fresh() -> None:
    """A new item of the unit above is fresh; a repeat and a reserve item are not."""
    decided = stocked(segment("above", owner="HUYEN"), segment("old"), segment("lasting", evergreen=True))

    found = could(decided, facts=aired(old=20)).found

    assert [("above", True), ("old", False), ("lasting", False)] == [
        (c.segment.id, c.fresh) for c in found if c.segment is not None
    ]
    assert "“above”: bài mới của cấp trên, duyệt lúc" in found[0].why.vi
    assert "“above”: new item of the unit above, approved at" in found[0].why.en


def test_the_repeat_is_the_one_that_aired_last() -> None:
    """Of aired recordings the last one goes first, and says when it aired; what never aired is no repeat."""
    decided = stocked(segment("a"), segment("b"), segment("never", owner="HUYEN"), rule=programme(Otherwise.REPEAT))

    found = could(decided, facts=aired(a=19, b=20))

    assert ["b", "a"] == ids(found)
    assert "Không có bài mới: phát lại “b”, phát lần trước lúc 06:00 20/11/2026." == found.found[0].why.vi
    assert "No new item: again “b”, aired last at 06:00 20/11/2026." == found.found[0].why.en


def test_what_the_plan_takes_counts_as_just_aired() -> None:
    """A recording that an earlier place of the plan takes is not new any more, and the first to be repeated."""
    decided = stocked(segment("a"), segment("b"), rule=programme(Otherwise.REPEAT))
    before = aired(a=20)

    assert ["b", "a"] == ids(could(decided, facts=before))
    assert ["b", "a"] == ids(could(decided, {"b"}, facts=before))
    assert not could(decided, {"b"}, facts=before).found[0].fresh
    assert "“b”, đã có trong lịch này." in could(decided, {"b"}, facts=before).found[0].why.vi
    assert "“b”, is in this plan already." in could(decided, {"b"}, facts=before).found[0].why.en


def test_the_moment_of_a_planned_place_is_told_and_counts() -> None:
    """With the moments of the places known, the nearest is repeated, and its reason tells when it is planned."""
    decided = stocked(segment("a"), segment("b"), rule=programme(Otherwise.REPEAT))

    found = could(decided, {"a": local(22, 6), "b": local(21, 6)})

    assert ["a", "b"] == ids(found)
    assert "“a”, cũng có trong lịch lúc 06:00 22/11/2026." in found.found[0].why.vi
    assert "“a”, planned at 06:00 22/11/2026 too." in found.found[0].why.en


def test_a_rotation_takes_what_rested_longest() -> None:
    """What never aired goes first, then the one whose last start is longest ago."""
    decided = stocked(segment("a"), segment("b"), segment("c", owner="HUYEN"), rule=programme(Otherwise.ROTATION))

    found = could(decided, facts=aired(a=20, b=19))

    assert ["c", "b", "a"] == ids(found)
    assert "Không có bài mới: luân phiên đến “c”, chưa phát lần nào." == found.found[0].why.vi
    assert "No new item: the rotation has come to “c”, never aired here." == found.found[0].why.en
    assert "luân phiên đến “b”, phát lần trước lúc 06:00 19/11/2026." in found.found[1].why.vi


@pytest.mark.parametrize(("rest_s", "rests"), [(3599, False), (3600, True)])
def test_a_rotation_keeps_its_separation(rest_s: int, rests: bool) -> None:
    """A recording comes again exactly when its last start is the separation ago, not a second earlier."""
    rule = programme(Otherwise.ROTATION, separation_s=3600)
    facts = Facts(station="XA", aired={"a": NOW - timedelta(seconds=rest_s)})

    found = could(stocked(segment("a"), rule=rule), facts=facts)

    assert rests is bool(found.found)
    if not rests:
        assert "sớm nhất là “a” lúc 06:00 23/11/2026" in found.why_nothing.vi
        assert "the first is “a” at 06:00 23/11/2026" in found.why_nothing.en


def test_the_separation_holds_within_a_plan_before_and_after_a_place() -> None:
    """A place that the plan holds for later, or for earlier, keeps the recording away; so does its last airing."""
    decided = stocked(segment("a"), rule=programme(Otherwise.ROTATION, separation_s=3600))
    near, far = timedelta(minutes=59), timedelta(minutes=60)

    assert [] == ids(could(decided, {"a": NOW + near})) == ids(could(decided, {"a": NOW - near}))
    assert ["a"] == ids(could(decided, {"a": NOW + far})) == ids(could(decided, {"a": NOW - far}))
    assert [] == ids(could(decided, {"a"}))
    assert [] == ids(could(decided, {"a": NOW + far}, facts=Facts(station="XA", aired={"a": NOW - near})))
    assert [] == ids(could(decided, {"a": NOW + near}, facts=Facts(station="XA", aired={"a": NOW - far})))


def test_ties_of_a_rotation_are_broken_by_seed_and_place() -> None:
    """Equally rested recordings come in an order of their own for each seed and place, the same every time."""
    names = [f"s{n}" for n in range(8)]
    decided = stocked(*[segment(name, evergreen=True) for name in names], rule=programme(Otherwise.EVERGREEN))

    orders = [ids(could(replace(decided, seed=seed), key=key)) for seed in (0, 1) for key in ("", "x")]

    assert all(sorted(order) == names for order in orders)
    assert 4 == len({tuple(order) for order in orders})
    assert orders[3] == ids(could(replace(decided, seed=1), key="x"))
    facts = Facts(station="XA")
    assert orders[0] == ids(choices(decided, decided.stations[0], facts, "CDS", NOW, ()))
    first = choose(decided, decided.stations[0], facts, "CDS", NOW, ()).segment
    assert first is not None and orders[0][0] == first.id
    # Known answer: SHA-256 of "0//s0" to "0//s7".
    assert ["s1", "s7", "s4", "s5", "s3", "s0", "s6", "s2"] == orders[0]


def test_what_rested_unequally_needs_no_dice() -> None:
    """The seed changes nothing where rests differ."""
    decided = stocked(segment("a"), segment("b"), rule=programme(Otherwise.ROTATION))
    facts = aired(a=20, b=19)

    assert {("b", "a")} == {tuple(ids(could(replace(decided, seed=seed), facts=facts))) for seed in range(16)}


def test_a_reserve_item_serves_again_and_again() -> None:
    """An evergreen is never new and never used up: the one that rested longest goes first, what is planned last."""
    decided = stocked(segment("a", evergreen=True), segment("b", evergreen=True), rule=programme(Otherwise.EVERGREEN))

    assert ["b", "a"] == ids(could(decided, facts=aired(a=20, b=19)))
    assert ["a", "b"] == ids(could(decided, {"b"}, facts=aired(a=20, b=19)))
    assert "phát bài dự phòng “b”, phát lần trước" in could(decided, facts=aired(a=20, b=19)).found[0].why.vi


def test_a_series_goes_by_its_episodes() -> None:
    """The lowest unaired episode goes first whenever it was approved; what has no number comes after all."""
    rule = programme(Otherwise.CENTRE, Otherwise.REPEAT, order=Order.SERIES)
    decided = stocked(
        segment("x"),
        segment("e10", episode=10, approved_at=local(1, 8)),
        segment("e2", episode=2, approved_at=local(20, 8)),
        segment("e2bis", episode=2, approved_at=local(21, 8)),
        segment("e0", episode=0, approved_at=local(22, 8)),
        rule=rule,
    )

    found = could(decided, facts=aired(e0=20))

    assert ["e2", "e2bis", "e10", "x", "e0"] == ids(found)
    assert "“e2”: tập 2, bài mới theo thứ tự của loạt bài, chưa phát." == found.found[0].why.vi
    assert "“e2”: episode 2, a new item in its order, not aired yet." == found.found[0].why.en
    assert "“x”: bài mới, duyệt lúc" in found.found[3].why.vi


def test_a_series_may_begin_with_zero() -> None:
    """Episode 0 goes before episode 1, also if it was approved after it."""
    decided = stocked(
        segment("e1", episode=1), segment("e0", episode=0, approved_at=local(20, 8)), rule=programme(order=Order.SERIES)
    )

    assert ["e0", "e1"] == ids(could(decided))


def test_an_episode_outside_of_a_series_is_only_a_number() -> None:
    """A programme that takes the newest does not go by episodes, nor speak of them."""
    decided = stocked(segment("e1", episode=1), segment("e2", episode=2, approved_at=local(20, 8)))

    assert ["e2", "e1"] == ids(could(decided))
    assert "tập" not in could(decided).found[0].why.vi


def test_any_programme_takes_all_but_each_by_its_own_rule() -> None:
    """Where any programme will do, a series keeps its order, and what its programme does not repeat is not repeated."""
    decided = intent(
        segments=(
            segment("s1", programme="A", episode=1, approved_at=local(20, 8)),
            segment("s2", programme="A", episode=2, approved_at=local(10, 8)),
            segment("n", programme="B", approved_at=local(15, 8)),
            segment("old", programme="B"),
            segment("again", programme="C"),
        ),
        programmes=(
            programme(code="A", order=Order.SERIES),
            programme(code="B"),
            programme(Otherwise.REPEAT, code="C"),
        ),
    )

    found = choices(decided, decided.stations[0], aired(old=20, again=19), None, NOW, ())

    assert ["s1", "n", "s2", "again"] == ids(found)


def test_any_programme_rotates_where_a_programme_does() -> None:
    """A recording whose programme only rotates is found where any will do, in the order of every way there is."""
    decided = intent(
        segments=(segment("r", programme="A"), segment("again", programme="B")),
        programmes=(programme(Otherwise.ROTATION, code="A"), programme(Otherwise.REPEAT, code="B")),
    )

    assert ["again", "r"] == ids(choices(decided, decided.stations[0], aired(r=19, again=20), None, NOW, ()))


def test_an_unknown_programme_has_the_usual_rules() -> None:
    """A programme that the intent does not name is filled by the defaults of a programme."""
    decided = intent(segments=(segment("a"), segment("b", owner="HUYEN")), programmes=())

    assert ["b", "a"] == ids(could(decided, facts=aired(a=20)))


def test_priority_goes_before_what_is_newer() -> None:
    """An unaired priority item goes before newer ones, also one from above, and also where its programme takes none."""
    decided = stocked(
        segment("new", approved_at=local(22, 8)),
        segment("urgent", owner="HUYEN", priority=Priority.PRIORITY),
        rule=programme(),
    )

    found = could(decided)

    assert ["urgent", "new"] == ids(found)
    assert found.found[0].fresh and not found.found[0].contested
    assert "“urgent”: bài ưu tiên của cấp trên gửi, chưa phát, phát trước các bài khác." == found.found[0].why.vi
    assert "a priority item from the unit above" in found.found[0].why.en
    assert ["new"] == ids(could(decided, facts=aired(urgent=20)))


def test_an_own_priority_item_alone_is_not_contested() -> None:
    """Without one from above there is nothing to decide."""
    found = could(stocked(segment("urgent", priority=Priority.PRIORITY), segment("new", approved_at=local(22, 8))))

    assert ["urgent", "new"] == ids(found)
    assert not found.found[0].contested and found.found[0].fresh
    assert "“urgent”: bài ưu tiên, chưa phát, phát trước các bài khác." == found.found[0].why.vi
    assert "a priority item, not aired yet" in found.found[0].why.en


def test_of_two_priority_items_the_own_goes_first_and_says_that_the_commune_decides() -> None:
    """Where the unit above sent one of the same priority, the own comes first and is marked as contested."""
    decided = stocked(
        segment("own", priority=Priority.PRIORITY),
        segment("above", owner="HUYEN", priority=Priority.PRIORITY, approved_at=local(22, 8)),
    )

    found = could(decided)

    assert ["own", "above"] == ids(found)
    assert [True, False] == [choice.contested for choice in found.found]
    assert "thứ tự phát do xã quyết định" in found.found[0].why.vi
    assert "the commune decides the order" in found.found[0].why.en


def test_an_emergency_is_taken_by_no_place() -> None:
    """Fresh, aired or evergreen: a place of the grid never takes it, only an order airs it."""
    decided = stocked(
        segment("own", priority=Priority.PRIORITY),
        segment("above", owner="HUYEN", priority=Priority.EMERGENCY),
        segment("old", priority=Priority.EMERGENCY),
        segment("ever", priority=Priority.EMERGENCY, evergreen=True),
    )
    only = stocked(segment("above", owner="HUYEN", priority=Priority.EMERGENCY))

    assert ["own"] == ids(could(decided))
    assert () == could(only).found
    assert "Không có bài" in could(only).why_nothing.vi


def test_only_what_is_valid_approved_and_wanted_is_there() -> None:
    """Validity is `[from, until)` at the moment of the place, an approval counts from its moment on."""
    decided = stocked(
        segment("from", valid_from=NOW),
        segment("later", valid_from=NOW + timedelta(seconds=1)),
        segment("over", valid_until=NOW),
        segment("lasts", valid_until=NOW + timedelta(seconds=1)),
        segment("approved", approved_at=NOW),
        segment("not yet", approved_at=NOW + timedelta(seconds=1)),
        segment("other", programme="TIN"),
        segment("neighbour", owner="KHAC"),
        segment("child", owner="THON"),
        units=(
            Unit(code="HUYEN", name=""),
            Unit(code="XA", name="", parent="HUYEN"),
            Unit(code="THON", name="", parent="XA"),
        ),
    )

    assert {"from", "lasts", "approved"} == set(ids(could(decided)))


def test_what_is_not_on_the_station_cannot_be_taken() -> None:
    """Only recordings whose audio is there are found; where nobody looked, all are."""
    here, there = segment("here"), segment("there", approved_at=local(22, 8))
    facts = Facts(station="XA", media=frozenset({here.sha256}))

    assert ["here"] == ids(could(stocked(here, there), facts=facts))
    assert ["there", "here"] == ids(could(stocked(here, there)))


def test_a_place_may_want_more() -> None:
    """`wanted` and a topic's beginning both narrow what `choose` returns."""
    decided = stocked(
        segment("dx", topics=("AN", "DX-DGOV")),
        segment("f", topics=("F-1",), approved_at=local(22, 8)),
        segment("no", topics=()),
    )
    station, facts = decided.stations[0], Facts(station="XA")

    def chosen(prefix: str = "", unwanted: str = "") -> str | None:
        wanted = (lambda s: s.id != unwanted) if unwanted else None
        found = choose(decided, station, facts, "CDS", NOW, (), prefix, wanted=wanted).segment
        return None if found is None else found.id

    assert "f" == chosen()
    assert "dx" == chosen("DX-")
    assert "no" == chosen(unwanted="f")
    assert "dx" == chosen("DX-", unwanted="f")
    assert chosen("DX-", unwanted="dx") is None


def test_choosing_nothing_gives_the_reason() -> None:
    """Where nothing is found, the one choice is empty and carries the reason."""
    decided = stocked()

    choice = choose(decided, decided.stations[0], Facts(station="XA"), "CDS", NOW, ())
    taken = stocked(segment("a", topics=()))
    assert choose(taken, taken.stations[0], Facts(station="XA"), "CDS", NOW, ()).segment is taken.segments[0]

    assert choice.segment is None
    assert not choice.fresh
    assert "Không có bài đã duyệt cho mục này." == choice.why.vi


@pytest.mark.parametrize(
    ("segments", "vi", "en"),
    [
        ((), "Không có bài đã duyệt", "No approved item for this place"),
        ((segment("a", owner="KHAC"),), "Không có bài đã duyệt", "No approved item for this place"),
        ((segment("a", programme="TIN", topics=()),), "Không có bài đã duyệt", "No approved item for this place"),
        ((segment("a", topics=("X",)),), "không bài nào thuộc chủ đề", "none carries the wanted topic"),
        (
            (
                segment("a", valid_from=local(24, 5)),
                segment("b", valid_from=local(25, 5)),
                segment("c", valid_until=NOW),
            ),
            "chỉ có hiệu lực từ 05:00 24/11/2026",
            "valid from 05:00 24/11/2026 only",
        ),
        (
            (segment("a", valid_until=local(21, 5)), segment("b", valid_until=local(22, 5), valid_from=local(1, 5))),
            "hết hiệu lực từ 05:00 22/11/2026",
            "expired at 05:00 22/11/2026",
        ),
        (
            (segment("a", sha256="0" * 64), segment("b", valid_until=NOW)),
            "chưa có trên máy phát",
            "not on the station yet",
        ),
        (
            (segment("a", approved_at=local(25, 5)), segment("b", approved_at=local(24, 5))),
            "bài dùng được từ 05:00 24/11/2026",
            "can be used from 05:00 24/11/2026",
        ),
        ((segment("old"),), "đều đã phát; chuyên mục này không phát lại", "does not repeat"),
    ],
)
def test_every_empty_place_says_why(segments: tuple[Segment, ...], vi: str, en: str) -> None:
    """The reason is that of the recording nearest to being usable: topic, dates, audio, approval, repeats."""
    decided = stocked(*segments, rule=programme())
    facts = replace(aired(old=20), media=frozenset(s.sha256 for s in segments if s.sha256 != "0" * 64))

    found = choices(
        decided, decided.stations[0], facts, "CDS", NOW, (), wanted=lambda s: any(t.startswith("DX") for t in s.topics)
    )

    assert () == found.found
    assert vi in found.why_nothing.vi
    assert en in found.why_nothing.en


def test_where_any_programme_would_do_the_reason_looks_at_all() -> None:
    """Asked for no programme, recordings of every programme may be what is nearest to being usable."""
    decided = stocked(segment("a", programme="TIN", valid_until=local(21, 5)))

    found = choices(decided, decided.stations[0], Facts(station="XA"), None, NOW, ())

    assert "hết hiệu lực" in found.why_nothing.vi


def test_an_empty_place_names_the_first_of_the_rotation_that_will_have_rested() -> None:
    """Of several that rest, the one that is free soonest is named; the reserve is none of them."""
    rule = programme(Otherwise.ROTATION, separation_s=7200)
    facts = Facts(station="XA", aired={"a": local(23, 5), "b": local(23, 4, 30), "r": local(23, 4, 1)})
    decided = stocked(segment("a"), segment("b"), segment("r", evergreen=True), rule=rule)

    assert "“b” lúc 06:30 23/11/2026" in could(decided, facts=facts).why_nothing.vi


def test_what_does_not_fit_is_said_so() -> None:
    """With recordings found, the reason for taking none of them is their length."""
    assert "vừa giờ phát" in could(stocked(segment("a"))).why_nothing.vi


MERGED = (
    Unit(code="TINH", name=""),
    Unit(code="HUYEN", name="", parent="TINH"),
    Unit(code="CU", name="", successor="HUYEN"),
    Unit(code="XA", name="", parent="HUYEN"),
    Unit(code="A", name="", successor="XA", valid_until=date(2026, 11, 22)),
    Unit(code="B", name="", successor="A", valid_until=date(2026, 11, 10)),
    Unit(code="C", name="", successor="XA", valid_until=date(2026, 11, 23)),
)


def test_the_successor_uses_the_library_of_what_was_merged_into_it() -> None:
    """Recordings of merged units are own ones, those merged into one above are from above."""
    decided = stocked(
        *[segment(name, owner=name) for name in ("XA", "A", "B", "TINH", "HUYEN", "CU", "KHAC")], units=MERGED
    )
    station = decided.stations[0]

    found = could(decided)

    assert {"XA", "A", "B"} == set(ids(found)[:3])
    assert {"TINH", "HUYEN", "CU"} == set(ids(found)[3:])
    assert "của cấp trên" not in found.found[0].why.vi
    assert all("của cấp trên" in choice.why.vi for choice in found.found[3:])
    assert ["KHAC"] == [s.id for s in decided.segments if not usable(decided, station, s)]


def test_a_merger_that_was_published_ahead_opens_no_library_before_its_day() -> None:
    """The library of a unit that still exists today is its own, and the successor's from the next midnight on."""
    decided = stocked(segment("c", owner="C"), units=MERGED)
    stock = Stock(intent=decided, station=decided.stations[0], facts=Facts(station="XA"))
    midnight = local(24, 0)

    assert () == stock.choices("CDS", midnight - timedelta(seconds=1), ()).found
    assert "00:00 24/11/2026" in stock.choices("CDS", midnight - timedelta(seconds=1), ()).why_nothing.vi
    assert ["c"] == ids(stock.choices("CDS", midnight, ()))


def test_the_local_midnight_of_a_merger_is_that_of_the_station() -> None:
    """Dates of units are local to the station."""
    decided = stocked(
        segment("c", owner="C"), units=MERGED, stations=(Station(code="XA", name="", unit="XA", zone="UTC"),)
    )
    stock = Stock(intent=decided, station=decided.stations[0], facts=Facts(station="XA"))

    assert () == stock.choices("CDS", local(24, 6, 59), ()).found
    assert ["c"] == ids(stock.choices("CDS", local(24, 7), ()))


def test_a_stock_answers_as_often_as_it_is_asked_and_never_differently() -> None:
    """One stock asked again, for other places and with other uses, says what a new one would say."""
    decided = stocked(
        segment("a"), segment("b", evergreen=True), segment("c", owner="HUYEN"), segment("d", programme="TIN")
    )
    facts = aired(a=20)
    stock = Stock(intent=decided, station=decided.stations[0], facts=facts)
    uses: Iterable[Used] = ((), {"c"}, {"c": local(22, 6)}, {"a": local(22, 6), "b": local(22, 7)}, {"c": local(22, 5)})
    asked = [(code, used) for used in uses for code in ("CDS", "TIN", None, "CDS")]

    assert [choices(decided, stock.station, facts, code, NOW, used) for code, used in asked] == [
        stock.choices(code, NOW, used) for code, used in asked
    ]
