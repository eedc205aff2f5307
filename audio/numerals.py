"""Numbers as Vietnamese words, the way an announcer says them."""

from __future__ import annotations

import re
from dataclasses import dataclass

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_VALID_ROMAN = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_BILLION = 10**9
# Beyond a billion billions nobody follows: such a row of digits is a number of an account, a card, a contract.
_MOST = 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a region says numbers. link: the word for the missing tens in 105; thousand: the word for 1,000."""

    link: str = "linh"
    thousand: str = "nghìn"


NORTHERN = Habit()
SOUTHERN = Habit(link="lẻ", thousand="ngàn")


def whole(number: int, habit: Habit = NORTHERN) -> str:
    """Return a whole number in words; digit by digit where it is too long to be a count."""
    if number < 0:
        return f"âm {whole(-number, habit)}"
    if number >= _MOST:
        return digits(str(number))
    return " ".join(_words(number, habit, after=False)) or DIGITS[0]


def digits(text: str) -> str:
    """Return every digit of `text` by its name."""
    return " ".join(DIGITS[int(letter)] for letter in text if letter in "0123456789")


def decimals(text: str, habit: Habit = NORTHERN) -> str:
    """Return what stands behind a decimal comma: two digits as a number, more of them one by one."""
    if len(text) > 2 or text.startswith("0"):
        return digits(text)
    return whole(int(text), habit)


def ordinal(number: int, habit: Habit = NORTHERN) -> str:
    """Return the word behind `thứ`: nhất and tư differ from the count."""
    return {1: "nhất", 4: "tư"}.get(number) or whole(number, habit)


def month(number: int) -> str:
    """Return the word behind `tháng`: the fourth is tháng tư."""
    return "tư" if number == 4 else whole(number)


def roman(text: str) -> int | None:
    """Return the value of a Roman numeral in capitals, None where it is none."""
    if not text or not _VALID_ROMAN.fullmatch(text):
        return None
    values = [_ROMAN[letter] for letter in text]
    return sum(-one if one < after else one for one, after in zip(values, [*values[1:], 0], strict=True))


def _words(number: int, habit: Habit, *, after: bool) -> list[str]:
    """Return the words of a number; after: something larger was said before it, so that its hundreds are said too."""
    if number >= _BILLION:
        high, rest = divmod(number, _BILLION)
        return [*_words(high, habit, after=after), "tỷ", *_words(rest, habit, after=True)]
    found: list[str] = []
    for size, name in ((10**6, "triệu"), (1000, habit.thousand), (1, "")):
        group = number // size % 1000
        if group:
            found += _group(group, habit, full=after or bool(found))
            found += [name] if name else []
    return found


def _group(number: int, habit: Habit, *, full: bool) -> list[str]:
    """Return the words of 1 to 999; full: its hundreds are said although there are none."""
    hundreds, rest = divmod(number, 100)
    tens, unit = divmod(rest, 10)
    found = [DIGITS[hundreds], "trăm"] if hundreds or full else []
    if tens == 0:
        if unit:
            found += [habit.link, DIGITS[unit]] if found else [DIGITS[unit]]
        return found
    found += ["mười"] if tens == 1 else [DIGITS[tens], "mươi"]
    if unit:
        special = {5: "lăm"} if tens == 1 else {1: "mốt", 4: "tư", 5: "lăm"}
        found.append(special.get(unit, DIGITS[unit]))
    return found
