"""Drawing a week: sessions with what is in them, placed by row classes, only where something is on the air."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from flask_babel import gettext as _

from schedules.airing import Airing, Verdict
from schedules.calendar import Occurrence
from schedules.grid import ItemKind
from schedules.rundown import RundownItem
from schedules.segment import Segment
from schedules.station import Station
from webui.pages import states
from webui.pages.formats import local
from webui.pages.language import say

ROW_MIN = 5
_FOLD_MIN = 60
_DAY_ROWS = 24 * 60 // ROW_MIN
_LONGEST_ROWS = 72
_ORDER = (Verdict.MISSED, Verdict.PARTIAL, Verdict.CANCELLED, Verdict.REPLACED, Verdict.AIRED)
_FRAME = frozenset({ItemKind.IDENT, ItemKind.GREETING, ItemKind.CLOSING})
RELAY, OWN, DUTY, RESERVED, BAD = "e-relay", "e-own", "e-duty", "e-resv", "e-bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What fills a stretch: planned, or on record. mark: of what aired."""

    start: datetime
    end: datetime
    title: str
    look: str
    mark: states.Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A piece in the drawing of its session; classes: rows from the session's top."""

    title: str
    about: str
    classes: str
    mark: states.Mark | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One session or single airing in the week.

    day: ISO weekday on which it is drawn. name, rule_day: what the draft calls it and the date its rule names; empty
    and None for what is no session. look: its colours; classes: its place in the drawing.
    """

    day: int
    start: datetime
    end: datetime
    title: str
    about: str
    url: str
    look: str
    classes: str = ""
    mark: states.Mark | None = None
    name: str = ""
    rule_day: date | None = None
    movable: bool = False
    pencilled: bool = False
    strips: tuple[Strip, ...] = ()

    @property
    def minutes(self) -> float:
        """How long it lasts."""
        return (self.end - self.start).total_seconds() / 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of the day in which something is on. fold: words for the silence before it, empty for none.

    first_min: minutes from midnight of its first row.
    """

    fold: str
    rows: int
    first_min: int
    ticks: tuple[tuple[int, str], ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Two sessions at one time. both minutes: how long; later may move to the end of the earlier."""

    earlier: Block
    later: Block
    minutes: int


def worst(rows: Iterable[Airing]) -> Mapping[str, Verdict]:
    """Return the worst verdict of every session and single airing."""
    found: dict[str, Verdict] = {}
    for row in rows:
        key = session_of(row.slot)
        if key not in found or _ORDER.index(row.verdict) < _ORDER.index(found[key]):
            found[key] = row.verdict
    return found


def session_of(slot: str) -> str:
    """Return `STATION/session/2026-11-27` of a slot of a session, the slot itself of any other."""
    return slot.rpartition("/")[0] if slot.count("/") >= 3 else slot


def pieces(
    items: Iterable[RundownItem], rows: Iterable[Airing], segments: Mapping[str, Segment], owed: frozenset[str]
) -> dict[str, list[Piece]]:
    """Return what fills the sessions, by their names in slots: rows where there are any, else the plan."""
    found: dict[str, list[Piece]] = {}
    done: set[str] = set()
    for row in rows:
        done.add(row.slot)
        relay = row.kind == ItemKind.RELAY.value
        found.setdefault(session_of(row.slot), []).append(
            Piece(
                start=row.planned_start,
                end=max(row.planned_end, row.planned_start),
                title=row.title,
                look=RELAY if relay else DUTY if row.programme in owed else OWN,
                mark=states.VERDICTS[row.verdict],
            )
        )
    for item in items:
        if item.session is None or item.slot in done or item.replaced_by is not None:
            continue
        relay = item.relay is not None or item.kind is ItemKind.RELAY
        title = item.title or say(states.ITEMS[item.kind])
        found.setdefault(item.session, []).append(
            Piece(
                start=item.start,
                end=item.end,
                title=title,
                look=RELAY if relay else DUTY if item.programme in owed else OWN,
                mark=states.EMPTY if item.sha256 is None and not relay and item.kind not in _FRAME else None,
            )
        )
    for known in found.values():
        known.sort(key=lambda piece: piece.start)
    return found


def strips(block: Block, inside: Sequence[Piece]) -> tuple[Strip, ...]:
    """Return the pieces of a session as strips of whole rows; what begins in one row shares it."""
    rows = _rows(block)
    at: dict[int, list[Piece]] = {}
    for piece in inside:
        row = int((piece.start - block.start).total_seconds()) // (ROW_MIN * 60)
        if 0 <= row < rows:
            at.setdefault(row, []).append(piece)
    starts = sorted(at)
    found = []
    for number, row in enumerate(starts):
        here = at[row]
        until = starts[number + 1] if number + 1 < len(starts) else rows
        longest = max(here, key=lambda piece: piece.end - piece.start)
        ends = max(piece.end for piece in here) - block.start
        until = min(until, max(row + 1, -(-int(ends / timedelta(seconds=1)) // (ROW_MIN * 60))))
        length_min = round((longest.end - longest.start).total_seconds() / 60)
        what = _("tiếp âm %(n)s phút", n=length_min) if longest.look == RELAY else _("%(n)s phút", n=length_min)
        bad = next((p.mark for p in here if p.mark is not None and p.mark.sign != "aired"), longest.mark)
        found.append(
            Strip(
                title=" · ".join(dict.fromkeys(piece.title for piece in here)),
                about=what if length_min else "",
                classes=f"{longest.look} q{row + 1} n{min(_LONGEST_ROWS, until - row)}",
                mark=bad,
            )
        )
    return tuple(found)


def look_of(one: Occurrence, owed: frozenset[str], inside: Sequence[Piece]) -> str:
    """Return the colours of a session: of a duty, mostly a relay, or its own."""
    if any(item.programme in owed for item in one.rule.items if item.programme):
        return DUTY
    relayed_s = sum((p.end - p.start).total_seconds() for p in inside if p.look == RELAY)
    if not inside:
        relayed_s = sum(item.length_s or 0 for item in one.rule.items if item.relay is not None)
    return RELAY if relayed_s * 2 > one.rule.length_s else OWN


def placed(raw: Iterable[Block]) -> tuple[list[Block], list[Clash]]:
    """Return the blocks in order, those that meet side by side and marked, and which meet."""
    found: list[Block] = []
    clashes = []
    for block in sorted(raw, key=lambda one: (one.day, one.start, one.title)):
        near = [n for n, other in enumerate(found) if other.day == block.day and other.end > block.start]
        firm = [n for n in near if found[n].name] if block.name else []
        if firm:
            last = firm[-1]
            clashes.append(_clash(found[last], block))
            found[last] = replace(found[last], look=BAD, classes=found[last].classes or "half-l")
            side = "half-l" if found[last].classes == "half-r" else "half-r"
            block = replace(block, look=BAD, classes=side)
        elif near:
            block = replace(block, classes="half-r")
        found.append(block)
    return found, clashes


def _clash(earlier: Block, later: Block) -> Clash:
    both = min(earlier.end, later.end) - later.start
    return Clash(earlier=earlier, later=later, minutes=max(1, round(both.total_seconds() / 60)))


def bands(blocks: Sequence[Block], station: Station, *, often: bool) -> tuple[tuple[Band, ...], str]:
    """Return the stretches of the day to draw, and words for the silence after the last of them."""
    spans = sorted({(_row(block.start, station), _end_row(block, station)) for block in blocks})
    merged: list[list[int]] = []
    for first, last in spans:
        if merged and first - merged[-1][1] < _FOLD_MIN // ROW_MIN:
            merged[-1][1] = max(merged[-1][1], last)
        else:
            merged.append([first, last])
    found = []
    silent_from = 0
    for begun, last in merged:
        # A little air around, so that something can be moved there; in whole half hours.
        first = max(silent_from, begun - begun % 6)
        last = min(_DAY_ROWS, last + (-last % 6))
        fold = _fold(silent_from, first, often=often) if first > silent_from else ""
        ticks = tuple((row - first + 1, _row_text(row)) for row in range(first, last) if row % (30 // ROW_MIN) == 0)
        inside = tuple(
            replace(
                block,
                classes=f"{block.look} d{block.day} q{_row(block.start, station) - first + 1} n{_rows(block)} "
                f"{block.classes}".strip(),
            )
            for block in blocks
            if first <= _row(block.start, station) < last
        )
        found.append(Band(fold=fold, rows=last - first, first_min=first * ROW_MIN, ticks=ticks, blocks=inside))
        silent_from = last
    return tuple(found), _fold(silent_from, _DAY_ROWS, often=often) if silent_from < _DAY_ROWS else ""


def _rows(block: Block) -> int:
    whole = max(1, -(-int((block.end - block.start) / timedelta(seconds=1)) // (ROW_MIN * 60)))
    return min(_LONGEST_ROWS, whole)


def _row(moment: datetime, station: Station) -> int:
    there = local(moment, station.zone)
    return (there.hour * 60 + there.minute) // ROW_MIN


def _end_row(block: Block, station: Station) -> int:
    return min(_DAY_ROWS, _row(block.start, station) + _rows(block))


def _row_text(row: int) -> str:
    return f"{row * ROW_MIN // 60:02d}:{row * ROW_MIN % 60:02d}"


def _fold(first: int, last: int, *, often: bool) -> str:
    if often:
        return _("%(a)s đến %(b)s: chỉ có buổi lặp lại ở trên", a=_row_text(first), b=_row_text(last))
    return _("%(a)s đến %(b)s: im lặng", a=_row_text(first), b=_row_text(last))
