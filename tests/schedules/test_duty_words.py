"""What is said of a duty in every state it can have, and when it is pressing or warned of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from schedules.airing import Airing, Facts, Verdict
from schedules.clock import Interval
from schedules.duty import Chance, Counting, Duty, DutyOutcome, DutyStanding, DutyState, Excuse, Period
from schedules.findings import Severity
from schedules.grid import ItemKind, Timing
from schedules.intent import Intent
from schedules.owing import Owed, need, owing
from schedules.rundown import RundownItem
from schedules.standing import PATIENCE, coming, duty_standings, pressing, standing, warnings
from schedules.text import Text
from tests.schedules.builders import duty, intent, local, row

MONDAY = local(23, 0)
END = local(30, 0)
WHY = Text("Mất điện.", "Power cut.")


def item(slot: str, start: datetime, **more: object) -> RundownItem:
    values: dict[str, object] = {
        "slot": slot,
        "station": "XA",
        "session": None,
        "session_end": None,
        "start": start,
        "end": start + timedelta(minutes=10),
        "due": start,
        "kind": ItemKind.SEGMENT,
        "programme": "CDS",
        "segment": "a",
        "title": f"Bài {slot}",
        "sha256": "a" * 64,
        "pcm_sha256": "b" * 64,
        "samples": 28_800_000,
        "topics": ("DX-DGOV",),
        "timing": Timing.SOFT,
        "late_limit_s": 300.0,
        "why": WHY,
    }
    return RundownItem(**{**values, **more})  # type: ignore[arg-type]


FRIDAY, SATURDAY = item("t6", local(27, 5, 30)), item("t7", local(28, 5, 30))


def owed_by(decided: Intent, rows: tuple[Airing, ...] = (), at: datetime = MONDAY, **more: object) -> Owed:
    facts = Facts(station="XA", airings=rows, **more)  # type: ignore[arg-type]
    (one,) = owing(decided, decided.station("XA"), facts, Interval(at, at + timedelta(microseconds=1)))
    return one


def stood(
    owed: Owed,
    now: datetime = MONDAY,
    *planned: RundownItem,
    chances: tuple[Chance, ...] = (),
    why_not: Text | None = None,
) -> DutyStanding:
    return standing(intent().station("XA"), owed, now, planned, chances, why_not)


def weekly(**more: object) -> Intent:
    return intent(duties=(duty(**more),))


def said(standing: DutyStanding) -> tuple[DutyState, str, str]:
    return standing.state, standing.reason.vi, standing.reason.en


def test_what_is_planned_says_what_airs_when() -> None:
    """The first of what is planned is named, with its local time; its slots follow in order."""
    found = stood(owed_by(weekly(count=2)), MONDAY, FRIDAY, SATURDAY)

    assert (DutyState.PLANNED, "Sẽ phát “Bài t6” lúc 05:30 27/11.", "“Bài t6” airs at 05:30 27/11.") == said(found)
    assert ("t6", "t7") == found.slots
    assert (END, "2026-W48", "CDS-XA", "XA") == (found.deadline, found.period, found.duty, found.owner)


def test_after_a_failure_what_is_planned_is_at_risk() -> None:
    """An earlier airing failed: the reason says so before it names the next."""
    failed = row(FRIDAY, Verdict.MISSED, reason=WHY)

    assert (
        DutyState.AT_RISK,
        "Lần trước chưa đạt; sẽ phát “Bài t7” lúc 05:30 28/11.",
        "An earlier airing failed; “Bài t7” airs at 05:30 28/11.",
    ) == said(stood(owed_by(weekly(), (failed,)), local(27, 6), SATURDAY))


@pytest.mark.parametrize(
    ("more", "planned", "why_not", "vi", "en"),
    [
        ({}, (), WHY, "Mất điện.", "Power cut."),
        ({}, (), None, "Chưa có bài đã duyệt hoặc không còn khung giờ.", "No approved item, or no window left."),
        ({"count": 2}, (FRIDAY,), None, "Chưa đủ: còn thiếu 1 lượt phát trong kỳ.", "1 airing missing in the period."),
        ({"count": 3}, (FRIDAY,), None, "Chưa đủ: còn thiếu 2 lượt phát trong kỳ.", "2 airings missing in the period."),
        (
            {"count": 3, "counting": Counting.TOPICS},
            (FRIDAY,),
            None,
            "Chưa đủ: còn thiếu 2 chủ đề trong kỳ.",
            "2 topics missing in the period.",
        ),
        (
            {"count": 2, "counting": Counting.TOPICS},
            (FRIDAY,),
            None,
            "Chưa đủ: còn thiếu 1 chủ đề trong kỳ.",
            "1 topic missing in the period.",
        ),
        ({"count": 2}, (FRIDAY,), WHY, "Mất điện.", "Power cut."),
    ],
)
def test_what_has_no_place_says_what_is_missing(
    more: dict[str, object], planned: tuple[RundownItem, ...], why_not: Text | None, vi: str, en: str
) -> None:
    """The reason that was found, else how much is missing, in the unit that the duty counts."""
    assert (DutyState.AT_RISK, vi, en) == said(stood(owed_by(weekly(**more)), MONDAY, *planned, why_not=why_not))


@pytest.mark.parametrize(
    ("now", "missing", "state"),
    [
        (local(23, 7), 38, DutyState.PLANNED),
        (local(23, 7), 39, DutyState.AT_RISK),
    ],
)
def test_a_year_s_duty_is_planned_while_there_are_days_enough(now: datetime, missing: int, state: DutyState) -> None:
    """One a day would still do it: 38 whole days are left of 2026."""
    found = stood(owed_by(weekly(period=Period.YEAR, count=missing)), now)

    assert state is found.state
    assert f"Còn thiếu {missing} lượt phát; còn 38 ngày." == found.reason.vi
    assert f"{missing} airings still missing, 38 days left." == found.reason.en


@pytest.mark.parametrize(
    ("period", "counting", "left", "presses"),
    [
        (Period.WEEK, Counting.TOPICS, timedelta(days=6), True),
        (Period.MONTH, Counting.AIRINGS, timedelta(days=20), True),
        (Period.MONTH, Counting.TOPICS, PATIENCE, True),
        (Period.MONTH, Counting.TOPICS, PATIENCE + timedelta(seconds=1), False),
        (Period.YEAR, Counting.AIRINGS, PATIENCE, True),
        (Period.YEAR, Counting.AIRINGS, PATIENCE + timedelta(seconds=1), False),
        (Period.WEEK, Counting.AIRINGS, timedelta(0), False),
        (Period.WEEK, Counting.AIRINGS, timedelta(microseconds=1), True),
    ],
)
def test_when_a_duty_must_find_a_place_by_itself(
    period: Period, counting: Counting, left: timedelta, presses: bool
) -> None:
    """A week's and a month's airings always, a month's topics and a year's duties in the last fortnight."""
    owed = owed_by(weekly(period=period, counting=counting))

    assert presses is pressing(owed, owed.during.end - left)


def test_what_is_coming_is_taken_in_time_order_until_it_is_enough() -> None:
    """Of three items the first two count for two airings; what is of another programme or too late does not."""
    owed = owed_by(weekly(count=2))
    other, late = item("x", local(24, 6), programme="TIN"), item("y", END)

    found, left = coming(owed, (late, SATURDAY, other, item("z", local(29, 6)), FRIDAY))

    assert ["t6", "t7"] == [i.slot for i in found]
    assert 0 == left.missing
    assert 1 == coming(owed, (other, FRIDAY, late))[1].missing


def test_two_items_at_once_are_taken_by_slot() -> None:
    """The order of what begins at the same moment does not depend on the order of the input."""
    twin = replace(FRIDAY, slot="t5")

    assert ["t5"] == [i.slot for i in coming(owed_by(weekly()), (FRIDAY, twin))[0]]
    assert ["t5"] == [i.slot for i in coming(owed_by(weekly()), (twin, FRIDAY))[0]]


def aired(one: RundownItem, **more: object) -> Airing:
    return row(one, Verdict.AIRED, **more)


@pytest.mark.parametrize(
    ("rows", "state", "vi", "en"),
    [
        ((aired(FRIDAY),), DutyState.MET, "Đã phát đủ lúc 05:30 27/11.", "Aired whole at 05:30 27/11."),
        (
            (row(FRIDAY, Verdict.MISSED), aired(SATURDAY)),
            DutyState.MADE_UP,
            "Đã phát bù lúc 05:30 28/11.",
            "Made up at 05:30 28/11.",
        ),
        ((aired(FRIDAY), row(SATURDAY, Verdict.MISSED)), DutyState.MET, "Đã phát đủ lúc 05:30 27/11.", "Aired whole"),
        ((aired(FRIDAY, slot="XA/makeup.N/1"),), DutyState.MADE_UP, "Đã phát bù lúc 05:30 27/11.", "Made up at"),
    ],
)
def test_what_is_done_says_when(rows: tuple[Airing, ...], state: DutyState, vi: str, en: str) -> None:
    """Met, or made up: by a make-up, or after a failure; a failure afterwards changes nothing."""
    found = stood(owed_by(weekly(), rows), local(29, 6))

    assert (state, vi) == said(found)[:2]
    assert en in found.reason.en
    assert 1 == len(found.slots)
    assert found.fallback is None


@pytest.mark.parametrize(
    ("rows", "vi"),
    [
        ((), "Hết kỳ mà chưa phát đủ."),
        ((row(FRIDAY, Verdict.MISSED, reason=None),), "Hết kỳ mà chưa phát đủ."),
        (
            (row(FRIDAY, Verdict.MISSED, reason=Text("trước", "x")), row(SATURDAY, Verdict.PARTIAL, reason=WHY)),
            "Mất điện.",
        ),
        (
            (row(SATURDAY, Verdict.PARTIAL, reason=WHY), row(FRIDAY, Verdict.MISSED, reason=Text("trước", "x"))),
            "Mất điện.",
        ),
    ],
)
def test_what_was_missed_says_what_failed_last(rows: tuple[Airing, ...], vi: str) -> None:
    """The reason of the last failure, in whatever order the rows come; without one, that the period ended."""
    assert (DutyState.MISSED, vi) == said(stood(owed_by(weekly(), rows), END))[:2]
    assert DutyState.AT_RISK is stood(owed_by(weekly(), rows), END - timedelta(microseconds=1)).state


EXCUSE = Excuse(
    station="XA", first=date(2026, 11, 23), last=date(2026, 11, 29), document="12/QĐ", reason=Text("Bão lụt.", "Storm.")
)


def test_an_excuse_names_its_document_and_goes_behind_what_aired() -> None:
    """Excused while nothing whole aired; met where it did."""
    decided = replace(weekly(), excuses=(EXCUSE,))

    assert (DutyState.EXCUSED, "Được miễn theo 12/QĐ: Bão lụt.", "Excused by 12/QĐ: Storm.") == said(
        stood(owed_by(decided), END)
    )
    assert DutyState.EXCUSED is stood(owed_by(decided), MONDAY).state
    assert DutyState.MET is stood(owed_by(decided, (aired(FRIDAY),)), END).state


def test_a_seal_is_broken_by_nothing_but_a_document() -> None:
    """Rows that come later turn no missed week green; a document excuses it; what was met stays met."""
    sealed = DutyOutcome(
        duty="CDS-XA", station="XA", period="2026-W48", state=DutyState.MISSED, deadline=END, slots=(), reason=WHY
    )
    met = replace(sealed, state=DutyState.MET, slots=("t6",))
    excused = replace(weekly(), excuses=(EXCUSE,))

    assert (DutyState.MISSED, "Mất điện.") == said(stood(owed_by(weekly(), (aired(FRIDAY),), duties=(sealed,)), END))[
        :2
    ]
    assert DutyState.EXCUSED is stood(owed_by(excused, duties=(sealed,)), END).state
    assert (DutyState.MET, ("t6",)) == (
        stood(owed_by(excused, duties=(met,)), END).state,
        stood(owed_by(excused, duties=(met,)), END).slots,
    )
    assert 0 == need(owed_by(weekly(), duties=(sealed,))).missing


def chance(one: RundownItem, slot: str | None = None) -> Chance:
    return Chance(slot=slot, start=one.due, title=one.title)


@pytest.mark.parametrize(
    ("chances", "vi", "en"),
    [
        (
            (chance(FRIDAY, "t6"), chance(SATURDAY)),
            "Nếu lượt đó không đạt, máy tự phát bù “Bài t7” lúc 05:30 28/11.",
            "If that fails, the station makes it up with “Bài t7” at 05:30 28/11.",
        ),
        (
            (chance(FRIDAY, "t6"), chance(item("n", local(27, 5, 30), title="cùng lúc"))),
            "Nếu lượt đó không đạt, trong kỳ không còn khung giờ nào để phát bù.",
            "If that fails, the period has no window left to make it up.",
        ),
        ((), "05:30 27/11 máy tự phát “Bài t6”.", "At 05:30 27/11 the station airs “Bài t6”."),
    ],
)
def test_what_happens_if_it_fails_is_told(chances: tuple[Chance, ...], vi: str, en: str) -> None:
    """The next chance after the first item, or that there is none; where chances were not looked at, what airs."""
    fallback = stood(owed_by(weekly()), MONDAY, FRIDAY, chances=chances).fallback

    assert Text(vi, en) == fallback


def test_what_counts_already_is_no_chance_to_make_it_up() -> None:
    """Of two airings that are owed the second is planned, too, and does not save the first."""
    both = (chance(FRIDAY, "t6"), chance(SATURDAY, "t7"))

    fallback = stood(owed_by(weekly(count=2)), MONDAY, FRIDAY, SATURDAY, chances=both).fallback

    assert fallback is not None and "không còn khung giờ nào" in fallback.vi
    alone = stood(owed_by(weekly(count=2)), MONDAY, SATURDAY, FRIDAY).fallback
    assert alone is not None and "05:30 27/11 máy tự phát “Bài t6”." == alone.vi
    assert stood(owed_by(weekly()), MONDAY, chances=both).fallback is None


def codes(
    owed: Owed, now: datetime, *planned: RundownItem, fresh: bool = True, thorough: bool = True, chances: int = 2
) -> list[str]:
    given = tuple(chance(one) for one in (FRIDAY, SATURDAY)[:chances])
    found = stood(owed, now, *planned, chances=given)
    made = warnings(intent().station("XA"), owed, found, now, fresh=fresh, thorough=thorough)
    assert all(f.severity is Severity.WARNING and f.where == "CDS-XA" and f.hint is not None for f in made)
    assert all("“Chuyển đổi số”" in f.message.vi and "“Chuyển đổi số”" in f.message.en for f in made)
    return [finding.code for finding in made]


def test_early_warnings() -> None:
    """Nothing coming, nothing new two days before the deadline, one chance only: each by itself and in time."""
    owed = owed_by(weekly())
    near = END - timedelta(days=2)

    assert [] == codes(owed, MONDAY, FRIDAY)
    assert ["duty_at_risk"] == codes(owed, MONDAY)
    assert [] == codes(owed, near - timedelta(seconds=1), SATURDAY, fresh=False)
    assert ["duty_no_new_audio"] == codes(owed, near, SATURDAY, fresh=False)
    assert ["duty_at_risk", "duty_no_new_audio"] == codes(owed, near, fresh=False)
    assert ["duty_one_chance"] == codes(owed, MONDAY, FRIDAY, chances=1)
    assert [] == codes(owed, MONDAY, FRIDAY, chances=1, thorough=False)
    assert ["duty_at_risk"] == codes(owed, MONDAY, chances=1)
    assert [] == codes(owed_by(weekly(), (aired(FRIDAY),)), local(29, 6), fresh=False, chances=1)


def test_a_warning_counts_the_whole_days_that_are_left() -> None:
    """One day and some hours are one day; after the deadline there are none."""
    owed = owed_by(weekly())
    found = stood(owed, END - timedelta(days=1, hours=3), SATURDAY)

    for now, days in (
        (END - timedelta(days=1, hours=3), 1),
        (END - timedelta(hours=1), 0),
        (END + timedelta(days=3), 0),
    ):
        made = warnings(intent().station("XA"), owed, found, now, fresh=False, thorough=False)
        assert [f"“Chuyển đổi số”: còn {days} ngày là hết hạn mà chưa có bài mới được duyệt."] == [
            f.message.vi for f in made
        ]


def test_the_board_of_a_past_or_open_period_is_made_of_rows_alone() -> None:
    """By code, of that kind of period only; an open one shows what is missing now."""
    decided = intent(
        duties=(duty(code="B"), duty(code="A"), duty(code="T", period=Period.MONTH), duty(code="N", period=Period.YEAR))
    )
    station = decided.station("XA")

    def board(period: str, now: datetime) -> list[tuple[str, DutyState]]:
        return [(s.duty, s.state) for s in duty_standings(decided, station, (aired(FRIDAY),), now, period)]

    assert [("A", DutyState.MET), ("B", DutyState.MET)] == board("2026-W48", END)
    assert [("A", DutyState.MISSED), ("B", DutyState.MISSED)] == board("2026-W47", END)
    assert [("A", DutyState.AT_RISK), ("B", DutyState.AT_RISK)] == board("2026-W49", END)
    assert [("T", DutyState.MET)] == board("2026-11", END)
    assert [("N", DutyState.MET)] == board("2026", END)


def test_rows_of_topics_count_each_topic_once() -> None:
    """A second row of a topic that is covered adds nothing; what is over the count is not named either."""
    topical: Duty = duty(count=2, counting=Counting.TOPICS, topics=("DX-A", "DX-B", "DX-C"))
    rows = tuple(
        aired(item(f"s{n}", local(24 + n, 6), topics=topics))
        for n, topics in enumerate((("DX-A",), ("DX-A", "F-1"), ("F-1",), ("DX-B",), ("DX-C",)))
    )
    owed = owed_by(intent(duties=(topical,)), rows)

    assert ["s0", "s3"] == [r.slot for r in owed.good]
    assert 0 == need(owed).missing
    assert 1 == need(owed_by(intent(duties=(topical,)), rows[:3])).missing
    assert frozenset({"DX-A"}) == need(owed_by(intent(duties=(topical,)), rows[:3])).covered


def test_the_deadline_is_the_end_of_what_counts() -> None:
    """Friday at eight in the evening: what begins then does not count any more."""
    owed = owed_by(weekly(deadline_days=2, deadline_at=time(20)))

    assert local(27, 20) == owed.during.end
    assert 1 == coming(owed, (item("x", local(27, 20)),))[1].missing
    assert 0 == coming(owed, (item("x", local(27, 19, 59, 59)),))[1].missing
