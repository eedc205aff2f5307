"""YAML files of people: read with their lines, refused where they are hostile or ambiguous."""

from __future__ import annotations

from pathlib import Path

import pytest

from link.document import MAX_BYTES, MAX_VALUES, parse_document, read_document
from schedules.errors import Refused

BOMB = b"a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n".encode() for n in range(1, 12)
)


def codes(content: bytes) -> list[str]:
    with pytest.raises(Refused) as refused:
        parse_document(content)
    assert all(one.message.vi and one.message.en for one in refused.value.findings)
    return [one.code for one in refused.value.findings]


def test_words_mean_what_they_say() -> None:
    """A time stays a time, a Norwegian stays a Norwegian, a date stays text; only true, false and numbers are more."""
    data = parse_document(b"a: 17:00\nb: no\nc: 2026-11-23\nd: true\ne: 012\nf: 1.5\ng:\nh: '1'\ni: -3\n").data

    expected = {
        "a": "17:00",
        "b": "no",
        "c": "2026-11-23",
        "d": True,
        "e": "012",
        "f": 1.5,
        "g": None,
        "h": "1",
        "i": -3,
    }
    assert expected == data


def test_every_value_has_its_line() -> None:
    """A mistake can be shown where it was made, also inside lists that stand on one line."""
    lines = parse_document(b"a:\n  - x: 1\n    y: [2,\n      3]\nb: &k 4\nc: *k\n").lines

    assert {"a": 2, "a[0].x": 2, "a[0].y": 3, "a[0].y[1]": 4, "b": 5, "c": 6}.items() <= lines.items()


def test_aliases_and_merging_save_typing() -> None:
    """An entry can be written from another one; what it says itself holds, and of several the first."""
    data = parse_document(b"a: &a {x: 1, y: 2}\nb: &b {y: 5, z: 6}\nc: {<<: [*a, *b], x: 9}\nd: *b\n").data

    assert {"x": 9, "y": 2, "z": 6} == data["c"]
    assert data["b"] == data["d"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"- a", "not_a_mapping"),
        (b"12", "not_a_mapping"),
        (b"", "not_a_mapping"),
        (b"a: [", "not_yaml"),
        (b"a: b: c", "not_yaml"),
        (b"a:\n\tb: 1", "not_yaml"),
        (b'a: "x', "not_yaml"),
        (b"a: \x00", "not_yaml"),
        (b"a: \x07", "not_yaml"),
        (b"a: \xff", "not_utf8"),
        (b"a: !!python/object/apply:os.system [ls]", "yaml_tag"),
        (b"a: !secret b", "yaml_tag"),
        (b"a: !!map {}", "yaml_tag"),
        (b"1: a", "bad_key"),
        (b"true: a", "bad_key"),
        (b"[a, b]: c", "bad_key"),
        (b"? {a: b}\n: c", "bad_key"),
        (b"a: &a x\n*a : y", "bad_key"),
        (b"---\na: 1\n---\nb: 2", "several_documents"),
        (b"a: *b", "unknown_anchor"),
        (b"a: &a [*a]", "unknown_anchor"),
        (b"a: {<<: 1}", "bad_merge"),
        (b"[" * 100_000, "too_deep"),
        (b"{a: " * 100_000, "too_deep"),
        (BOMB, "too_many_values"),
        (b"a: [" + b"1," * (MAX_VALUES + 1) + b"]", "too_many_values"),
        (b"a: " + b"x" * MAX_BYTES, "too_big"),
    ],
)
def test_a_file_that_is_none_is_refused(content: bytes, code: str) -> None:
    """Whatever it is, it is refused in words, at once, before it takes memory."""
    assert [code] == codes(content)


def test_keys_that_stand_twice_are_all_told() -> None:
    """YAML would silently keep the last; a second duty of the same key must not vanish."""
    with pytest.raises(Refused) as refused:
        parse_document(b"a: 1\nb: {c: 1, c: 2}\na: 3\n")

    assert [("duplicate_key", "b.c"), ("duplicate_key", "a")] == [(f.code, f.where) for f in refused.value.findings]
    assert "dòng 1" in refused.value.findings[1].message.vi


def test_a_syntax_error_names_line_and_column() -> None:
    """The writer finds the place, with a hint for the commonest reasons."""
    with pytest.raises(Refused) as refused:
        parse_document(b"a: 1\nb:\n\tc: 1\n")

    found = refused.value.findings[0]
    assert "line 3, column 1" == found.where
    assert found.hint is not None
    assert "Tab" in found.hint.vi


def test_a_byte_order_mark_is_no_mistake() -> None:
    """Editors on Windows put one in front."""
    assert {"a": 1} == parse_document(b"\xef\xbb\xbfa: 1").data


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    """A wrong path or a folder is a finding, not a traceback."""
    with pytest.raises(Refused) as refused:
        read_document(tmp_path / name)

    assert ["unreadable"] == [finding.code for finding in refused.value.findings]
