"""How values are written, and that every sentence has its English."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask_babel import force_locale

from schedules.grid import ItemKind
from webui.pages import formats, language, layout, states
from webui.translations import english, read_english, sentences


@pytest.fixture
def words():
    """An app that only speaks."""
    app = Flask("words")
    language.register(app)
    with app.test_request_context("/"):
        yield app


def test_every_sentence_has_english():
    """A sentence without English would show Vietnamese to English readers."""
    known = read_english()
    missing = []
    for _name, _line, sentence in sentences():
        message = known.get(sentence if isinstance(sentence, str) else sentence[0])
        strings = () if message is None else message.string if isinstance(message.string, tuple) else (message.string,)
        if not strings or not all(strings):
            missing.append(sentence)

    assert len(list(sentences())) > 300
    assert missing == []


def test_english_keeps_the_places_for_values():
    """A lost `%(title)s` would fail when the page is drawn."""
    for message in read_english():
        if not message.id:
            continue
        key = message.id if isinstance(message.id, str) else message.id[0]
        wanted = set(re.findall(r"%\((\w+)\)|\{(\w+)\}", key))
        for string in (message.string,) if isinstance(message.string, str) else message.string:
            assert set(re.findall(r"%\((\w+)\)|\{(\w+)\}", string)) == wanted, key


def test_the_catalogue_is_compiled_in_memory():
    """No build step stands between a clone and English pages."""
    assert english().gettext("Nhật ký phát sóng") == "Air log"


def test_times_are_the_stations_own(words):
    """17:45 in Minh Long, wherever server and reader are; a day and its time never break over a line."""
    moment = datetime(2026, 11, 27, 10, 45, tzinfo=UTC)

    assert formats.clock(moment) == "17:45"
    assert formats.moment_short(moment) == "T6\u00a027/11\u00a017:45"
    assert formats.day_long(date(2026, 11, 29)) == "Chủ Nhật 29/11/2026"
    assert formats.day_short(date(2026, 11, 29)) == "CN\u00a029/11"


def test_a_second_is_the_nearest_one(words):
    """A start four milliseconds early is not a second early."""
    assert formats.clock_s(datetime(2026, 11, 27, 10, 44, 59, 996_000, tzinfo=UTC)) == "17:45:00"


def test_the_midnight_that_ends_a_week_belongs_to_its_sunday(words):
    """People count a night to the day before it."""
    assert formats.deadline(datetime(2026, 11, 29, 17, 0, tzinfo=UTC)) == "24:00\u00a0CN\u00a029/11"
    assert formats.deadline(datetime(2026, 11, 29, 10, 30, tzinfo=UTC)) == "17:30\u00a0CN\u00a029/11"


def test_lengths_and_numbers_are_written_as_people_write_them(words):
    """Points and commas change places between the languages."""
    assert formats.length(340) == "5:40"
    assert formats.length(7800) == "2 giờ 10 phút"
    assert formats.minutes(12) == "12 giây"
    assert formats.minutes(3900) == "1 giờ 5 phút"
    assert formats.number(1234.5, 1) == "1.234,5"
    assert formats.number(-16, 1) == "\u221216,0"
    assert formats.megabytes(500 * 1024 * 1024) == "500\u00a0MB"
    with force_locale("en"):
        assert formats.number(1234.5, 1) == "1,234.5"
        assert formats.length(7800) == "2 h 10 min"


def test_weeks_are_iso_weeks(words):
    """What is no week is none."""
    assert formats.iso_week("2026-W48") == (2026, 48)
    assert formats.iso_week("2026-W54") is None
    assert formats.iso_week("2026-48") is None
    assert formats.week_name(2026, 48) == "tuần 48 (23/11 đến 29/11/2026)"
    assert formats.week_of(date(2027, 1, 1)) == "2026-W53"
    assert formats.period_name("2026-W48") == "tuần 48/2026"
    assert formats.period_name("2026-11") == "tháng 11/2026"


def test_a_time_from_a_form_is_station_time(words):
    """Without a zone it is the station's; nonsense is none."""
    read = formats.parse_moment("2026-11-27T17:45")

    assert read is not None
    assert read.astimezone(UTC) == datetime(2026, 11, 27, 10, 45, tzinfo=UTC)
    assert formats.parse_moment("mai") is None
    assert formats.parse_day("2026-02-30") is None


@pytest.mark.parametrize(
    ("dbfs", "lit"), [(None, 0), (-90.0, 0), (-60.0, 0), (-18.0, 25), (-9.0, 30), (-1.0, 35), (0.0, 40), (3.0, 40)]
)
def test_the_meter_is_red_only_where_it_clips(dbfs, lit):
    """Speech lights the green part, a peak just under full scale the olive one, and only clipping the red one."""
    assert layout.meter(dbfs) == lit


def test_every_state_has_a_sign_and_both_words():
    """Colour alone never carries a state; the sprite holds each sign."""
    signs = (
        language.__file__ and __import__("pathlib").Path(language.__file__).parents[1] / "frontend/src/signs.svg"
    ).read_text("utf-8")
    every = [states.VERDICTS, states.DUTIES, states.SEGMENTS, states.STATIONS, states.OUTPUTS]
    for mark in [mark for table in every for mark in table.values()]:
        assert f'id="s-{mark.sign}"' in signs
        assert mark.word.vi
        assert mark.word.en
    assert set(states.ITEMS) == set(ItemKind)
