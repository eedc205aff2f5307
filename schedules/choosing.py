"""Which recording fills a place, and why: the newest unaired one, else by the rules of its programme."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from math import inf
from zoneinfo import ZoneInfo

from schedules.airing import Facts
from schedules.intent import Intent
from schedules.programme import Order, Otherwise, Programme, ProgrammeCode
from schedules.segment import Priority, Segment, SegmentId
from schedules.station import Station, Unit, UnitCode, merged_into, units_above
from schedules.text import Text

Used = Collection[SegmentId] | Mapping[SegmentId, datetime]
"""Recordings that other places of the same plan take; as a mapping, with the moment at which they are to start."""

_RANK = {Priority.NORMAL: 0, Priority.PRIORITY: 1, Priority.EMERGENCY: 2}
_ANY = (Otherwise.CENTRE, Otherwise.REPEAT, Otherwise.ROTATION, Otherwise.EVERGREEN)
_EVER = datetime.min.replace(tzinfo=UTC)
_NONE_FITS = Text("Không bài nào của mục này vừa giờ phát.", "No recording of this place fits into its time.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A recording for a place, or None with the reason why the place stays empty.

    fresh: neither aired whole here nor taken by another place of the plan, and no reserve item.
    contested: a unit above has an unaired item of the same priority too; the commune decides which goes first.
    """

    segment: Segment | None
    why: Text
    fresh: bool = False
    contested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a place could take, best first. why_nothing: what to say where none of it can be taken."""

    found: tuple[Choice, ...]
    why_nothing: Text


@dataclass(frozen=True, slots=True)
class _Copy:
    """A recording on the shelf. since: from when on it is there, approved and in a library of the station."""

    segment: Segment
    rule: Programme
    own: bool
    since: datetime


@dataclass(slots=True, kw_only=True)
class Stock:
    """What a station has to choose from while one plan is made; looks through the recordings once a programme."""

    intent: Intent
    station: Station
    facts: Facts
    _shelves: dict[ProgrammeCode | None, tuple[_Copy, ...]] = field(default_factory=dict, init=False)
    _new: dict[SegmentId, Choice] = field(default_factory=dict, init=False)
    _known: dict[tuple[Otherwise, SegmentId, bool, datetime | None], Choice] = field(default_factory=dict, init=False)

    def choices(
        self,
        programme: ProgrammeCode | None,
        moment: datetime,
        used: Used,
        *,
        wanted: Callable[[Segment], bool] | None = None,
        key: str = "",
    ) -> Choices:
        """Return what a place of `programme` (None: of any) could take at `moment`, best first.

        Unaired items of priority, then the own new ones, then by the programme's `otherwise`, in its order.
        wanted: what else must hold. key: names the place; with the intent's seed it breaks ties of what rested equally.
        """
        there = [
            copy
            for copy in self._shelf(programme)
            if copy.since <= moment and copy.segment.valid_at(moment) and (wanted is None or wanted(copy.segment))
        ]
        aired = self.facts.aired
        fresh = [
            copy
            for copy in there
            if copy.segment.id not in aired and copy.segment.id not in used and not copy.segment.evergreen
        ]
        found = self._urgent(fresh)
        for copy in fresh:
            if copy.own and copy.segment.id not in found:
                found[copy.segment.id] = self._fresh(copy)
        for way in _ANY if programme is None else _rule(self.intent, programme).otherwise:
            if way is Otherwise.CENTRE:
                for copy in fresh:
                    if way in copy.rule.otherwise and copy.segment.id not in found:
                        found[copy.segment.id] = self._fresh(copy)
                continue
            able = [copy for copy in there if way in copy.rule.otherwise and copy.segment.id not in found]
            for copy in self._again(way, able, moment, used, key):
                found[copy.segment.id] = self._once_more(way, copy.segment, moment, used)
        why_nothing = _NONE_FITS if found else self._why_nothing(programme, moment, wanted, there, used)
        return Choices(found=tuple(found.values()), why_nothing=why_nothing)

    def _shelf(self, programme: ProgrammeCode | None) -> tuple[_Copy, ...]:
        """Return what the station may use of `programme` and has, in the order in which new ones are taken."""
        if (known := self._shelves.get(programme)) is None:
            libraries = libraries_of(self.intent.units, self.station)
            media = self.facts.media
            copies = [
                _Copy(
                    segment,
                    _rule(self.intent, segment.programme),
                    libraries[segment.owner][0],
                    max(segment.approved_at, libraries[segment.owner][1]),
                )
                for segment in self.intent.segments
                if _of_grid(segment, programme)
                and segment.owner in libraries
                and (media is None or segment.sha256 in media)
            ]
            known = self._shelves[programme] = _in_order(copies)
        return known

    def _urgent(self, fresh: list[_Copy]) -> dict[SegmentId, Choice]:
        """Return the unaired items of priority: the higher one first, at the same priority the own before others."""
        urgent = [copy for copy in fresh if copy.segment.priority is not Priority.NORMAL]
        owners = {(copy.segment.priority, copy.own) for copy in urgent}
        found = {}
        for copy in sorted(urgent, key=lambda c: (-_RANK[c.segment.priority], not c.own)):
            contested = copy.own and (copy.segment.priority, False) in owners
            found[copy.segment.id] = Choice(
                segment=copy.segment, why=self._first(copy, contested=contested), fresh=True, contested=contested
            )
        return found

    def _again(self, way: Otherwise, able: list[_Copy], moment: datetime, used: Used, key: str) -> list[_Copy]:
        """Return what may air again by `way`, best first."""
        copies = [copy for copy in able if copy.segment.evergreen is (way is Otherwise.EVERGREEN)]
        rests = {copy.segment.id: self._rest(copy.segment.id, moment, used) for copy in copies}
        if way is Otherwise.REPEAT:
            # Stable: of two that rested equally the one that is newer comes first, as on the shelf.
            aired = [copy for copy in copies if rests[copy.segment.id] is not None]
            return sorted(aired, key=lambda copy: rests[copy.segment.id] or 0.0)
        if way is Otherwise.ROTATION:
            copies = [c for c in copies if (rest := rests[c.segment.id]) is None or rest >= c.rule.separation_s]
        tied = len({rests[copy.segment.id] for copy in copies}) < len(copies)
        prefix = f"{self.intent.seed}/{key}/"

        def order(copy: _Copy) -> tuple[float, bytes]:
            rest = rests[copy.segment.id]
            tie = sha256(f"{prefix}{copy.segment.id}".encode()).digest() if tied else b""
            return -inf if rest is None else -rest, tie

        return sorted(copies, key=order)

    def _rest(self, segment: SegmentId, moment: datetime, used: Used) -> float | None:
        """Return the seconds between `moment` and the nearest start of the recording, None if it has none."""
        last = self.facts.aired.get(segment)
        rest_s = None if last is None else abs((moment - last).total_seconds())
        if segment in used:
            planned_s = abs((moment - used[segment]).total_seconds()) if isinstance(used, Mapping) else 0.0
            return planned_s if rest_s is None else min(rest_s, planned_s)
        return rest_s

    def _local(self, moment: datetime) -> str:
        return f"{moment.astimezone(ZoneInfo(self.station.zone)):%H:%M %d/%m/%Y}"

    def _fresh(self, copy: _Copy) -> Choice:
        segment = copy.segment
        if (known := self._new.get(segment.id)) is None:
            of_vi, of_en = ("mới", "new item") if copy.own else ("mới của cấp trên", "new item of the unit above")
            if copy.rule.order is Order.SERIES and segment.episode is not None:
                why = Text(
                    f"“{segment.title}”: tập {segment.episode}, bài {of_vi} theo thứ tự của loạt bài, chưa phát.",
                    f"“{segment.title}”: episode {segment.episode}, a {of_en} in its order, not aired yet.",
                )
            else:
                when = self._local(segment.approved_at)
                why = Text(
                    f"“{segment.title}”: bài {of_vi}, duyệt lúc {when}, chưa phát.",
                    f"“{segment.title}”: {of_en}, approved at {when}, not aired yet.",
                )
            known = self._new[segment.id] = Choice(segment=segment, why=why, fresh=True)
        return known

    def _first(self, copy: _Copy, *, contested: bool) -> Text:
        title = copy.segment.title
        if contested:
            return Text(
                f"“{title}”: bài ưu tiên của xã. Cấp trên cũng gửi bài ưu tiên; thứ tự phát do xã quyết định.",
                f"“{title}”: own priority item. The unit above sent one too; the commune decides the order.",
            )
        if copy.own:
            return Text(
                f"“{title}”: bài ưu tiên, chưa phát, phát trước các bài khác.",
                f"“{title}”: a priority item, not aired yet, goes before others.",
            )
        return Text(
            f"“{title}”: bài ưu tiên của cấp trên gửi, chưa phát, phát trước các bài khác.",
            f"“{title}”: a priority item from the unit above, not aired yet, goes before others.",
        )

    def _once_more(self, way: Otherwise, segment: Segment, moment: datetime, used: Used) -> Choice:
        planned = segment.id in used
        last = self.facts.aired.get(segment.id)
        if planned:
            then = used[segment.id] if isinstance(used, Mapping) else None
            if last is None and then is not None and then > moment:
                return self._before_its_place(segment, then)
            last = then
        if (known := self._known.get((way, segment.id, planned, last))) is None:
            since_vi, since_en = "đã có trong lịch này", "is in this plan already"
            if not planned and last is None:
                since_vi, since_en = "chưa phát lần nào", "never aired here"
            elif last is not None:
                when = self._local(last)
                since_vi, since_en = f"phát lần trước lúc {when}", f"aired last at {when}"
                if planned:
                    since_vi, since_en = f"cũng có trong lịch lúc {when}", f"planned at {when} too"
            why = Text(
                f"{_AGAIN[way].vi} “{segment.title}”, {since_vi}.", f"{_AGAIN[way].en} “{segment.title}”, {since_en}."
            )
            known = self._known[way, segment.id, planned, last] = Choice(segment=segment, why=why)
        return known

    def _before_its_place(self, segment: Segment, then: datetime) -> Choice:
        """Return a recording that has not aired and is to air before the place that the plan has for it."""
        when = self._local(then)
        why = Text(
            f"“{segment.title}”: chưa phát lần nào; theo lịch còn phát lại lúc {when}.",
            f"“{segment.title}”: not aired yet; planned once more at {when}.",
        )
        return Choice(segment=segment, why=why)

    def _why_nothing(
        self,
        programme: ProgrammeCode | None,
        moment: datetime,
        wanted: Callable[[Segment], bool] | None,
        there: list[_Copy],
        used: Used,
    ) -> Text:
        """Return why nothing can be taken: the reason of that recording which is nearest to being usable."""
        if there:
            return self._why_not_again(there, moment, used)
        libraries = libraries_of(self.intent.units, self.station)
        of_it = [
            segment for segment in self.intent.segments if _of_grid(segment, programme) and segment.owner in libraries
        ]
        if not of_it:
            return Text("Không có bài đã duyệt cho mục này.", "No approved item for this place.")
        fitting = [segment for segment in of_it if wanted is None or wanted(segment)]
        if not fitting:
            return Text(
                "Có bài đã duyệt nhưng không bài nào thuộc chủ đề cần phát.",
                "There are approved items, but none carries the wanted topic.",
            )
        valid = [segment for segment in fitting if segment.valid_at(moment)]
        if not valid:
            coming = min((s.valid_from for s in fitting if s.valid_from and s.valid_from > moment), default=None)
            if coming is not None:
                when = self._local(coming)
                return Text(f"Bài đã duyệt chỉ có hiệu lực từ {when}.", f"The approved item is valid from {when} only.")
            when = self._local(max(s.valid_until for s in fitting if s.valid_until))
            return Text(f"Bài đã duyệt hết hiệu lực từ {when}.", f"The approved item has expired at {when}.")
        media = self.facts.media
        present = [segment for segment in valid if media is None or segment.sha256 in media]
        if not present:
            return Text("Bài đã duyệt chưa có trên máy phát.", "The approved item is not on the station yet.")
        when = self._local(min(max(s.approved_at, libraries[s.owner][1]) for s in present))
        return Text(f"Chỉ có bài dùng được từ {when}.", f"There is an item that can be used from {when} only.")

    def _why_not_again(self, there: list[_Copy], moment: datetime, used: Used) -> Text:
        resting = [
            (copy.rule.separation_s - rest, copy.segment.title)
            for copy in there
            if Otherwise.ROTATION in copy.rule.otherwise
            and not copy.segment.evergreen
            and (rest := self._rest(copy.segment.id, moment, used)) is not None
        ]
        if resting:
            missing_s, title = min(resting)
            when = self._local(moment + timedelta(seconds=missing_s))
            return Text(
                f"Các bài luân phiên chưa nghỉ đủ lâu; sớm nhất là “{title}” lúc {when}.",
                f"No item of the rotation has rested long enough; the first is “{title}” at {when}.",
            )
        return Text(
            "Các bài đã duyệt đều đã phát; chuyên mục này không phát lại.",
            "All approved items have aired; this programme does not repeat them.",
        )


_AGAIN = {
    Otherwise.REPEAT: Text("Không có bài mới: phát lại", "No new item: again"),
    Otherwise.ROTATION: Text("Không có bài mới: luân phiên đến", "No new item: the rotation has come to"),
    Otherwise.EVERGREEN: Text("Không có bài mới: phát bài dự phòng", "No new item: the reserve item"),
}


def usable(intent: Intent, station: Station, segment: Segment) -> bool:
    """Return whether `station` may ever air `segment`: of its unit, of one above it, or of one merged into these."""
    return segment.owner in libraries_of(intent.units, station)


def choices(
    intent: Intent,
    station: Station,
    facts: Facts,
    programme: ProgrammeCode | None,
    moment: datetime,
    used: Used,
    *,
    wanted: Callable[[Segment], bool] | None = None,
    key: str = "",
) -> Choices:
    """Return what a place could take, best first, as `Stock.choices`; who asks often keeps a `Stock`."""
    stock = Stock(intent=intent, station=station, facts=facts)
    return stock.choices(programme, moment, used, wanted=wanted, key=key)


def choose(
    intent: Intent,
    station: Station,
    facts: Facts,
    programme: ProgrammeCode | None,
    moment: datetime,
    used: Used,
    topic_prefix: str = "",
    *,
    wanted: Callable[[Segment], bool] | None = None,
    key: str = "",
) -> Choice:
    """Return the first of `choices`, or an empty one with the reason. topic_prefix: it carries one that starts so."""

    def also(segment: Segment) -> bool:
        return (wanted is None or wanted(segment)) and any(t.startswith(topic_prefix) for t in segment.topics)

    fit = also if topic_prefix else wanted
    could = choices(intent, station, facts, programme, moment, used, wanted=fit, key=key)
    return could.found[0] if could.found else Choice(segment=None, why=could.why_nothing)


def _of_grid(segment: Segment, programme: ProgrammeCode | None) -> bool:
    """Return whether a place of `programme` (None: any) may take the recording: an emergency airs by order only."""
    return (programme is None or segment.programme == programme) and segment.priority is not Priority.EMERGENCY


def _rule(intent: Intent, programme: ProgrammeCode) -> Programme:
    known = (rule for rule in intent.programmes if rule.code == programme)
    return next(known, None) or Programme(code=programme, name=programme)


def libraries_of(units: tuple[Unit, ...], station: Station) -> dict[UnitCode, tuple[bool, datetime]]:
    """Return whose recordings the station may use: whether they count as its own, and since when it may."""
    found: dict[UnitCode, tuple[bool, datetime]] = {}
    ends = {unit.code: unit.valid_until for unit in units}
    zone = ZoneInfo(station.zone)
    for top in (station.unit, *units_above(units, station.unit)):
        found.setdefault(top, (top == station.unit, _EVER))
        for merged in merged_into(units, top):
            last = ends[merged]
            # What is published ahead of a merger opens no library before it.
            since = _EVER if last is None else datetime.combine(last + timedelta(days=1), time(0), zone).astimezone(UTC)
            found.setdefault(merged, (top == station.unit, since))
    return found


def _in_order(copies: list[_Copy]) -> tuple[_Copy, ...]:
    """Return the copies newest first; those of a series stand in the places of its own in order of their episodes."""
    newest = sorted(copies, key=lambda c: (c.segment.approved_at, c.segment.id), reverse=True)
    episodes: dict[ProgrammeCode, Iterator[_Copy]] = {}
    for code in {c.rule.code for c in copies if c.rule.order is Order.SERIES}:
        of_it = [c for c in copies if c.rule.code == code]
        episodes[code] = iter(sorted(of_it, key=_episode))
    return tuple(next(episodes[c.rule.code]) if c.rule.code in episodes else c for c in newest)


def _episode(copy: _Copy) -> tuple[bool, int, datetime, SegmentId]:
    segment = copy.segment
    return segment.episode is None, segment.episode or 0, segment.approved_at, segment.id
