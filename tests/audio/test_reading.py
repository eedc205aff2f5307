"""What a voice says for what is written: a table looked through by people, and what holds for every text."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.numerals import SOUTHERN, roman, whole
from audio.reading import LONGEST, read

TABLE = Path(__file__).with_name("readings.tsv")
BITS = (
    *("UBND", "5", "24/11", "/", "-", " ", "TP.", "X.", "II", "IV", "17:45", "%", "đ", "0912 345 678", "a", "Hrê", "."),
    *(",", "TT", "\n", "+", "m2", "km", "1.500", "(", ")", "T6", "CN", "số", "tháng", "thứ", "@", "gov.vn", "NĐ-CP"),
    *("°C", "x", "k", "h", "g", "&", "485/UBND-VX", "VI", "B", "Q.", "ngày", "'", "²", "½", "XYZ", "sao", "CA", "٣"),
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(BITS), max_size=9).map("".join),
    st.lists(st.sampled_from(BITS), max_size=9).map(" ".join),
)


def _table() -> list[tuple[str, str]]:
    """Return the rows of the table."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]


def test_the_table_is_read_as_it_stands() -> None:
    """Every row of the table of readings is said exactly so."""
    rows = _table()
    wrong = [
        (written, said, read(written).spoken.strip()) for written, said in rows if read(written).spoken.strip() != said
    ]

    assert len(rows) >= 300
    assert wrong == []


@given(TEXTS)
def test_no_digit_is_left_and_reading_again_changes_nothing(text: str) -> None:
    """Whatever is written: it is read without failing, without digits, and a text that was read is read as it is."""
    spoken = read(text).spoken

    assert not any(letter.isdigit() for letter in spoken)
    assert read(spoken).spoken == spoken


@given(st.integers(min_value=0, max_value=10**18 - 1))
def test_different_numbers_sound_different(number: int) -> None:
    """No two neighbours are said the same, and no number has a digit in it."""
    assert whole(number) != whole(number + 1)
    assert not any(letter.isdigit() for letter in whole(number))


@given(TEXTS)
def test_changes_are_shown(text: str) -> None:
    """Where something is said that does not stand there, a piece says so."""
    reading = read(text)

    for piece in reading.pieces:
        assert piece.changed or piece.said.strip().casefold() == piece.written.strip().casefold()


def test_a_region_has_its_own_words() -> None:
    """In the south 1,005 has lẻ and ngàn in it."""
    assert read("1.005 hộ, 20k", habit=SOUTHERN).spoken == "một ngàn không trăm lẻ năm hộ, hai mươi ngàn đồng"


def test_what_is_not_sure_carries_a_note() -> None:
    """A short form with two meanings, an unknown one, an address and a doubtful date are marked for a look."""
    for text in ("TT xã", "XYZ", "minhlong.gov.vn", "2/9", "1/2 dân số", "3.5", "1,234", "485/UBND-VX"):
        assert read(text).notes, text
    assert read("Tuần 48 có 126 hồ sơ, đạt 98,4%.").notes == ()


def test_words_of_the_place_go_first() -> None:
    """A pronunciation of one's own beats every rule, in whole words only; small letters match capitals too."""
    own = {"XYZ": "ích xì", "Hà Liệt 2": "Hà Liệt hai", "hrê": "hơ-rê", "VOV1": "vê ô vê 1"}

    assert read("Thôn Hà Liệt 2, XYZ, XYZA, Hrê, VOV1", own=own).spoken == (
        "Thôn Hà Liệt hai, ích xì, ích xì i dài dét a, hơ-rê, vê ô vê một"
    )
    assert read("a", own={"": "b", " ": "c"}).spoken == "a"


def test_titles_in_capitals_are_words() -> None:
    """In a line of capitals only what cannot be a word is a short form."""
    assert read("UBND XÃ THÔNG BÁO VỀ CA NHẠC").spoken == "Ủy ban nhân dân xã thông báo về ca nhạc"


def test_a_letter_that_no_font_shows_is_not_said() -> None:
    """S39: marks that turn the direction of writing, and control characters, do not reach the voice."""
    assert read("xin\u202e chào\u0000\u200b bà\u0007 con").spoken == "xin chào bà con"


@pytest.mark.parametrize(
    "text",
    ["1." * 9_000, "a." * 9_000, "a@" * 9_000, "-" * 18_000, "1/" * 9_000, "X" * 18_000, "0 " * 9_000, "1-" * 9_000],
)
def test_s48_no_text_takes_long(text: str) -> None:
    """S48: what was written to hurt is read within seconds; nothing is tried over and over."""
    begun = time.process_time()
    read(text)

    assert time.process_time() - begun < 5


def test_a_very_long_text_is_cut() -> None:
    """Nothing beyond the limit is read."""
    assert len(read("a " * LONGEST).spoken) <= LONGEST


@pytest.mark.parametrize(
    ("text", "value"), [("XIV", 14), ("IX", 9), ("XL", 40), ("MCMXCIX", 1999), ("IIII", None), ("", None)]
)
def test_roman_numerals(text: str, value: int | None) -> None:
    """Only well-formed ones are numbers."""
    assert roman(text) == value
