"""Remuneration (thù lao): what is paid for items that aired, each once, by the rates that were in force that day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from schedules.segment import SegmentId, SegmentKind

PAID = (SegmentKind.TIN, SegmentKind.BAI, SegmentKind.BAN_TIN, SegmentKind.THONG_BAO, SegmentKind.TRA_LOI)
"""Kinds of items that somebody writes; a signature tune is bought once and stands on no sheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one item of a kind is worth, in đồng. valid_until: the last day; open where None. rule: the decision."""

    id: str = ""
    kind: SegmentKind
    amount: int
    rule: str
    valid_from: date
    valid_until: date | None = None

    def holds(self, day: date) -> bool:
        """Return whether it is in force on that day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """An item that aired whole for the first time on `day`; airings: how often in the period."""

    segment: SegmentId
    author: str
    title: str
    kind: SegmentKind
    day: date
    airings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PayLine:
    """One item with its rate; None where none was in force."""

    item: Contribution
    rate: Rate | None

    @property
    def amount(self) -> int:
        """What is paid for it, in đồng."""
        return 0 if self.rate is None else self.rate.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorPay:
    """What one author gets."""

    author: str
    items: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaySheet:
    """The sheet of a period. unpriced: items for which no rate was in force. rules: the decisions that it rests on."""

    lines: tuple[PayLine, ...]
    authors: tuple[AuthorPay, ...]
    total: int
    unpriced: int
    rules: tuple[str, ...]


def pay_sheet(items: Iterable[Contribution], rates: Sequence[Rate]) -> PaySheet:
    """Return the sheet. rates: where several hold on a day, the one that began last counts, then the one given last."""
    lines = tuple(
        PayLine(item=item, rate=_rate(item, rates))
        for item in sorted(items, key=lambda one: (one.author, one.day, one.title, one.segment))
        if item.kind in PAID
    )
    names = dict.fromkeys(line.item.author for line in lines)
    authors = tuple(
        AuthorPay(author=name, items=len(mine), amount=sum(line.amount for line in mine))
        for name in names
        if (mine := [line for line in lines if line.item.author == name])
    )
    return PaySheet(
        lines=lines,
        authors=authors,
        total=sum(line.amount for line in lines),
        unpriced=sum(line.rate is None for line in lines),
        rules=tuple(dict.fromkeys(line.rate.rule for line in lines if line.rate is not None and line.rate.rule)),
    )


def _rate(item: Contribution, rates: Sequence[Rate]) -> Rate | None:
    fitting = [rate for rate in rates if rate.kind is item.kind and rate.holds(item.day)]
    return max(fitting, key=lambda rate: rate.valid_from, default=None)


def in_words(amount: int) -> str:
    """Return an amount of đồng in Vietnamese words, as pay sheets end: `Một triệu hai trăm nghìn đồng`."""
    if amount == 0:
        return "Không đồng"
    groups = []
    rest = amount
    while rest:
        groups.append(rest % 1000)
        rest //= 1000
    words: list[str] = []
    for place in reversed(range(len(groups))):
        if groups[place]:
            words += _three(groups[place], leading=place == len(groups) - 1)
            words.append(_SCALES[place % 3])
        # Every third step is a billion of what stands before it.
        if place and place % 3 == 0:
            words.append("tỷ")
    said = " ".join(word for word in words if word)
    return f"{said[:1].upper()}{said[1:]} đồng"


_SCALES = ("", "nghìn", "triệu")
_DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")


def _three(value: int, *, leading: bool) -> list[str]:
    hundreds, tens, ones = value // 100, value // 10 % 10, value % 10
    words = []
    if hundreds or not leading:
        words += [_DIGITS[hundreds], "trăm"]
    if tens > 1:
        words += [_DIGITS[tens], "mươi"]
    elif tens == 1:
        words.append("mười")
    elif ones and words:
        words.append("linh")
    if ones == 1 and tens > 1:
        words.append("mốt")
    elif ones == 5 and tens:
        words.append("lăm")
    elif ones:
        words.append(_DIGITS[ones])
    return words
