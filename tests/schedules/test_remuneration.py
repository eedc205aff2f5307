"""Pay sheets reckoned by hand: each item once, by the rate of its day, and the sum in words."""

from __future__ import annotations

from datetime import date

import pytest

from schedules.remuneration import AuthorPay, Contribution, Rate, in_words, pay_sheet
from schedules.segment import SegmentKind

OLD = Rate(
    kind=SegmentKind.TIN, amount=30_000, rule="01/2020", valid_from=date(2020, 1, 1), valid_until=date(2026, 11, 14)
)
NEW = Rate(kind=SegmentKind.TIN, amount=45_000, rule="09/2026", valid_from=date(2026, 11, 15))
FEATURE = Rate(kind=SegmentKind.BAI, amount=120_000, rule="01/2020", valid_from=date(2020, 1, 1))


def item(segment: str, author: str, day: int, kind: SegmentKind = SegmentKind.TIN) -> Contribution:
    return Contribution(
        segment=segment, author=author, title=f"Bài {segment}", kind=kind, day=date(2026, 11, day), airings=2
    )


def test_a_month_of_two_authors_reckoned_by_hand() -> None:
    """Hạnh: one item before and one after the new rate, and a feature; Thu: a bulletin without a rate; tunes: none."""
    sheet = pay_sheet(
        [
            item("c", "Thu", 20, SegmentKind.BAN_TIN),
            item("b", "Hạnh", 15),
            item("a", "Hạnh", 14),
            item("d", "Hạnh", 3, SegmentKind.BAI),
            item("e", "Hạnh", 3, SegmentKind.NHAC_HIEU),
        ],
        (OLD, NEW, FEATURE),
    )
    assert [(line.item.segment, line.amount) for line in sheet.lines] == [
        ("d", 120_000),
        ("a", 30_000),
        ("b", 45_000),
        ("c", 0),
    ]
    assert sheet.authors == (
        AuthorPay(author="Hạnh", items=3, amount=195_000),
        AuthorPay(author="Thu", items=1, amount=0),
    )
    assert (sheet.total, sheet.unpriced) == (195_000, 1)
    assert sheet.rules == ("01/2020", "09/2026")


def test_the_rate_that_began_last_counts() -> None:
    """A new rate that overlaps an old one replaces it; one that has not begun does nothing."""
    open_old = Rate(kind=SegmentKind.TIN, amount=30_000, rule="", valid_from=date(2020, 1, 1))
    assert pay_sheet([item("a", "X", 20)], (open_old, NEW)).total == 45_000
    assert pay_sheet([item("a", "X", 14)], (open_old, NEW)).total == 30_000
    assert pay_sheet([item("a", "X", 14)], (open_old,)).rules == ()
    assert pay_sheet([], ()).authors == ()


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "Không đồng"),
        (45_000, "Bốn mươi lăm nghìn đồng"),
        (195_000, "Một trăm chín mươi lăm nghìn đồng"),
        (1_200_000, "Một triệu hai trăm nghìn đồng"),
        (1_005_021, "Một triệu không trăm linh năm nghìn không trăm hai mươi mốt đồng"),
        (15_010_110, "Mười lăm triệu không trăm mười nghìn một trăm mười đồng"),
        (2_000_000_000, "Hai tỷ đồng"),
        (7, "Bảy đồng"),
        (3_000_104_000, "Ba tỷ một trăm linh bốn nghìn đồng"),
    ],
)
def test_amounts_in_words(amount: int, words: str) -> None:
    """As an accountant writes them under a sheet."""
    assert in_words(amount) == words
