"""Whether what was decided holds together: every mistake in the shapes themselves, before anything is planned."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from itertools import combinations
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schedules.calendar import FIRST_YEAR, LAST_YEAR, instant, shift
from schedules.duty import Counting, Duty, Period
from schedules.findings import Finding, Severity
from schedules.grid import (
    EVERY_DAY,
    CalendarDay,
    Change,
    ItemKind,
    SessionException,
    SessionItem,
    SessionRule,
    Timing,
    WeekTemplate,
)
from schedules.intent import Intent
from schedules.recurrence import monthly
from schedules.segment import SegmentId
from schedules.sources import RelaySource, SourceKind, is_host
from schedules.station import DaySpan, Station, StationCode
from schedules.text import Text

_DAYS_OF = {Period.WEEK: 7, Period.MONTH: 28, Period.YEAR: 365}


def check_intent(
    intent: Intent,
    *,
    recordings: Collection[SegmentId] | None = None,
    station: StationCode | None = None,
    named: bool = False,
    now: datetime | None = None,
) -> tuple[Finding, ...]:
    """Return every mistake in the structure of `intent`, all of them errors; with one, nothing is planned from it.

    recordings: what a fixed place or a single airing may name besides the approved segments; None asks nothing of
    these names, since approval comes and goes. station: look only at what concerns it. named: paths name things by
    their id (`sessions[sang].items[2]`) instead of their place (`sessions[0].items[2]`). now: what has ended by then is
    only a name that others may use.
    """
    look = _Look(intent=intent, recordings=recordings, only=station, named=named, now=now)
    return tuple(look.everything())


def check_source(source: RelaySource, where: str) -> Iterator[Finding]:
    """Yield every mistake in one source by itself; `where` is its path."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", source.code) is None:
        yield _error(
            "bad_id",
            f"{where}.code",
            f"Mã nguồn “{source.code}” không dùng được.",
            f"The code “{source.code}” cannot be used for a source.",
            "Dùng chữ không dấu, chữ số và dấu gạch nối, nhiều nhất 40 ký tự.",
            "Use letters, digits and dashes, at most 40.",
        )
    if source.kind is SourceKind.LINE:
        if not source.address.strip():
            yield _error(
                "bad_address",
                f"{where}.address",
                f"Nguồn “{source.name}” chưa có tên ngõ vào của máy phát.",
                f"Source “{source.name}” names no input of the station's machine.",
                "Ghi tên ngõ vào như trong config.yaml của máy phát.",
                "Give the name of an input as in the station's config.yaml.",
            )
        return
    if source.host is None:
        yield _error(
            "bad_address",
            f"{where}.address",
            f"Địa chỉ “{source.address}” của nguồn “{source.name}” không dùng được.",
            f"The address “{source.address}” of source “{source.name}” cannot be used.",
            "Ghi địa chỉ bắt đầu bằng http:// hoặc https://, không kèm tên đăng nhập và mật khẩu.",
            "Give an address that begins with http:// or https://, without user name and password.",
        )
    for number, host in enumerate(source.hosts):
        if not is_host(host):
            yield _error(
                "bad_address",
                f"{where}.hosts[{number}]",
                f"“{host}” không phải tên máy chủ.",
                f"“{host}” is not the name of a host.",
                "Chỉ ghi tên máy chủ, ví dụ radio.example.vn, không kèm http:// và đường dẫn.",
                "Give the name alone, such as radio.example.vn, without http:// and path.",
            )
    if source.kind is SourceKind.HTTP and source.format is None:
        yield _error(
            "format_missing",
            f"{where}.format",
            f"Nguồn “{source.name}” chưa ghi dạng âm thanh: máy phát không đoán.",
            f"Source “{source.name}” does not say what comes: a station does not guess.",
            "Chọn mp3, aac hoặc ogg.",
            "Choose mp3, aac or ogg.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    intent: Intent
    recordings: Collection[SegmentId] | None
    only: StationCode | None
    named: bool
    now: datetime | None

    def everything(self) -> Iterator[Finding]:
        intent = self.intent
        yield from self._units()
        yield from self._stations()
        yield from _twice("programmes", enumerate(p.code for p in intent.programmes), self._name)
        for place, programme in enumerate(intent.programmes):
            if programme.separation_s < 0:
                yield _number(f"{self._name('programmes', place, programme.code)}.separation_s")
        if self.only is None:
            yield from self._segments()
            yield from self._sources()
        yield from self._templates()
        yield from self._sessions()
        yield from self._exceptions()
        yield from self._one_offs()
        yield from self._calendar()
        yield from self._duties()
        yield from self._excuses()

    def _name(self, section: str, place: int, name: str) -> str:
        return f"{section}[{name if self.named else place}]"

    def _mine(self, station: StationCode) -> bool:
        return self.only is None or station == self.only

    def _lasts(self, until: datetime | None) -> bool:
        return self.now is None or until is None or until > self.now

    def _of_mine(self, some: Iterable[SessionRule | WeekTemplate | SessionException]) -> Iterator[tuple[int, str]]:
        return ((place, f"{one.station}/{one.id}") for place, one in enumerate(some) if self._mine(one.station))

    def _units(self) -> Iterator[Finding]:
        units = self.intent.units
        yield from _twice("units", enumerate(unit.code for unit in units), self._name)
        known = {unit.code for unit in units}
        parents = {unit.code: unit.parent for unit in units}
        for place, unit in enumerate(units):
            where = self._name("units", place, unit.code)
            yield from _unknown(unit.parent, known, f"{where}.parent", "đơn vị", "unit")
            yield from _unknown(unit.successor, known, f"{where}.successor", "đơn vị", "unit")
            yield from _dates(unit.valid_from, unit.valid_until, where)
            if _returns(unit.code, parents):
                yield _error(
                    "circle",
                    f"{where}.parent",
                    f"Đơn vị “{unit.code}” nằm dưới chính nó.",
                    f"Unit “{unit.code}” lies below itself.",
                    "Chọn lại đơn vị quản lý cấp trên.",
                    "Choose another unit above it.",
                )
            if _returns(unit.code, {known.code: known.successor for known in units}):
                yield _circle_of_successors(f"{where}.successor", unit.code)

    def _stations(self) -> Iterator[Finding]:
        stations = self.intent.stations
        yield from _twice("stations", enumerate(station.code for station in stations), self._name)
        codes = {station.code for station in stations}
        units = {unit.code for unit in self.intent.units}
        for place, station in enumerate(stations):
            if not self._mine(station.code):
                continue
            where = self._name("stations", place, station.code)
            yield from _unknown(station.unit, units, f"{where}.unit", "đơn vị", "unit")
            yield from _unknown(station.successor, codes, f"{where}.successor", "đài", "station")
            if _returns(station.code, {known.code: known.successor for known in stations}):
                yield _circle_of_successors(f"{where}.successor", station.code)
            yield from _dates(station.valid_from, station.valid_until, where)
            if not _zone_known(station.zone):
                yield _error(
                    "unknown_zone",
                    f"{where}.zone",
                    f"Không có múi giờ “{station.zone}”.",
                    f"There is no time zone “{station.zone}”.",
                    "Dùng tên của IANA, ví dụ Asia/Ho_Chi_Minh.",
                    "Use a name of IANA, such as Asia/Ho_Chi_Minh.",
                )
            yield from _spans(station.permitted, f"{where}.permitted")
            yield from _spans(station.quiet, f"{where}.quiet")
            yield from _twice(f"{where}.groups", enumerate(group.code for group in station.groups), self._name)
            for number, group in enumerate(station.groups):
                yield from _spans(group.permitted, f"{self._name(f'{where}.groups', number, group.code)}.permitted")
            limits = station.limits
            for field, limit in (
                ("session_s", limits.session_s),
                ("day_s", limits.day_s),
                ("sessions", limits.sessions),
            ):
                if limit is not None and limit < 1:
                    yield _number(f"{where}.limits.{field}")

    def _segments(self) -> Iterator[Finding]:
        segments = self.intent.segments
        yield from _twice("segments", enumerate(segment.id for segment in segments), self._name)
        units = {unit.code for unit in self.intent.units}
        programmes = {programme.code for programme in self.intent.programmes}
        for place, segment in enumerate(segments):
            where = self._name("segments", place, segment.id)
            yield from _unknown(segment.owner, units, f"{where}.owner", "đơn vị", "unit")
            yield from _unknown(segment.programme, programmes, f"{where}.programme", "chuyên mục", "programme")
            if segment.samples < 1:
                yield _number(f"{where}.samples")
            if segment.valid_from and segment.valid_until and segment.valid_from >= segment.valid_until:
                yield _reversed(f"{where}.valid_until")

    def _sources(self) -> Iterator[Finding]:
        sources = self.intent.sources
        yield from _twice("sources", enumerate(source.code for source in sources), self._name)
        for place, source in enumerate(sources):
            yield from check_source(source, self._name("sources", place, source.code))

    def _templates(self) -> Iterator[Finding]:
        templates = self.intent.templates
        yield from _twice("templates", self._of_mine(templates), self._name)
        stations = {station.code for station in self.intent.stations}
        zones = {one.code: ZoneInfo(one.zone) for one in self.intent.stations if _zone_known(one.zone)}
        mine = [
            (place, one) for place, one in enumerate(templates) if self._mine(one.station) and self._lasts(one.until)
        ]
        for place, template in mine:
            where = self._name("templates", place, template.id)
            yield from _unknown(template.station, stations, f"{where}.station", "đài", "station")
            yield from _dates(template.valid_from, template.valid_until, where)
        for (_place, one), (place, other) in combinations(mine, 2):
            alike = (one.station, one.priority) == (other.station, other.priority)
            if alike and one.id != other.id and _tie(one, other, zones.get(one.station, UTC)):
                yield _error(
                    "templates_tie",
                    f"{self._name('templates', place, other.id)}.priority",
                    f"Lịch tuần “{one.name}” và “{other.name}” có cùng mức ưu tiên {other.priority} và có thể rơi vào "
                    "cùng một ngày: không rõ ngày đó theo lịch nào.",
                    f"The weeks “{one.name}” and “{other.name}” have one priority ({other.priority}) and can hold on "
                    "one date: nobody can say which one does.",
                    "Đặt mức ưu tiên khác nhau, hoặc sửa ngày áp dụng.",
                    "Give them different priorities or dates.",
                )

    def _sessions(self) -> Iterator[Finding]:
        sessions = self.intent.sessions
        yield from _twice("sessions", self._of_mine(sessions), self._name)
        for place, rule in enumerate(sessions):
            if self._mine(rule.station) and self._lasts(rule.until):
                yield from self._session(rule, self._name("sessions", place, rule.id))

    def _session(self, rule: SessionRule, where: str) -> Iterator[Finding]:
        station = next((one for one in self.intent.stations if one.code == rule.station), None)
        if station is None:
            yield from _unknown(
                rule.station, {one.code for one in self.intent.stations}, f"{where}.station", "đài", "station"
            )
        units = {unit.code for unit in self.intent.units}
        yield from _unknown(rule.owner, units, f"{where}.owner", "đơn vị", "unit")
        templates = {template.id for template in self.intent.templates if template.station == rule.station}
        yield from _unknown(rule.template, templates, f"{where}.template", "lịch tuần", "week template")
        groups = {group.code for group in station.groups} if station else set()
        for number, target in enumerate(rule.targets):
            yield from _unknown(target, groups, f"{where}.targets[{number}]", "cụm loa", "cluster group")
        yield from _dates(rule.valid_from, rule.valid_until, where)
        yield from _slot_part(rule.id, f"{where}.id")
        if rule.length_s < 1:
            yield _number(f"{where}.length_s")
        if not rule.starts:
            yield _error(
                "no_start",
                f"{where}.starts",
                f"Buổi “{rule.name}” không có giờ bắt đầu.",
                f"Session “{rule.name}” has no start.",
                "Ghi ít nhất một giờ, ví dụ 05:30.",
                "Give at least one time, such as 05:30.",
            )
        for number in _repeated(rule.starts):
            yield _error(
                "duplicate_id",
                f"{where}.starts[{number}]",
                f"Giờ {rule.starts[number]:%H:%M} được ghi hai lần.",
                f"The start {rule.starts[number]:%H:%M} stands twice.",
                "Bỏ một trong hai.",
                "Remove one of them.",
            )
        yield from _recurrence(rule, where)
        yield from _twice(f"{where}.items", enumerate(item.id for item in rule.items), _by_place)
        fixed = 0
        for number, item in enumerate(rule.items):
            at = f"{where}.items[{number}]"
            yield from self._item(item, rule, at)
            if item.timing is not Timing.RELATIVE and item.offset_s is not None:
                if (
                    number
                    and item.offset_s <= fixed
                    and any(
                        one.timing is not Timing.RELATIVE and one.offset_s is not None for one in rule.items[:number]
                    )
                ):
                    yield _error(
                        "out_of_order",
                        f"{at}.offset_s",
                        f"Mục {number + 1} có giờ riêng không muộn hơn mục có giờ riêng đứng trước nó.",
                        f"Item {number + 1} has a time of its own that is not after that of an item before it.",
                        "Xếp các mục có giờ riêng theo thứ tự thời gian.",
                        "Put the items that have times of their own in the order of these times.",
                    )
                fixed = max(fixed, item.offset_s)

    def _item(self, item: SessionItem, rule: SessionRule, where: str) -> Iterator[Finding]:
        yield from _slot_part(item.id, f"{where}.id")
        names = [name for name in (item.programme, item.segment, item.relay) if name is not None]
        if not names and item.kind is not ItemKind.LIVE:
            yield _error(
                "item_names_nothing",
                where,
                "Mục này không có bài cố định, chuyên mục hay nguồn tiếp âm nào.",
                "This item names no recording, no programme and no relay.",
                "Chọn một trong ba.",
                "Choose one of the three.",
            )
        if len(names) > 1:
            yield _error(
                "item_names_several",
                where,
                "Mục này có nhiều hơn một nội dung: chỉ được là một bài, một chuyên mục hoặc một nguồn tiếp âm.",
                "This item names more than one thing: it is one recording, one programme or one relay.",
                "Giữ một, bỏ các phần còn lại; hoặc tách thành nhiều mục.",
                "Keep one of them, or make several items.",
            )
        programmes = {programme.code for programme in self.intent.programmes}
        yield from _unknown(item.programme, programmes, f"{where}.programme", "chuyên mục", "programme")
        yield from self._recording(item.segment, f"{where}.segment")
        yield from self._source(item.relay, f"{where}.relay")
        lasting = item.relay is not None or (item.kind is ItemKind.LIVE and not names)
        if lasting and item.length_s is None:
            yield _error(
                "length_missing",
                f"{where}.length_s",
                "Mục tiếp âm hoặc phát trực tiếp không có thời lượng: không biết khi nào kết thúc.",
                "A relay or live item has no length: nobody knows when it ends.",
                "Ghi thời lượng của mục.",
                "Say how long it lasts.",
            )
        if (item.length_s is not None and item.length_s < 1) or item.bound_s < 0:
            yield _number(f"{where}.length_s" if item.bound_s >= 0 else f"{where}.bound_s")
        if item.timing is Timing.RELATIVE:
            if item.offset_s is not None:
                yield _error(
                    "offset_unused",
                    f"{where}.offset_s",
                    "Mục nối tiếp mục trước, nhưng lại có giờ riêng: giờ đó sẽ không được dùng.",
                    "The item follows the one before it, yet has a time of its own, which would not be used.",
                    "Bỏ giờ riêng, hoặc chọn “đúng giờ” hay “xê dịch”.",
                    "Remove the time, or make the item hard or soft.",
                )
        elif item.offset_s is None:
            yield _error(
                "offset_missing",
                f"{where}.offset_s",
                "Mục phát đúng giờ hoặc xê dịch phải có giờ tính từ đầu buổi.",
                "A hard or soft item needs a time after the start of its session.",
                "Ghi số giây sau giờ bắt đầu buổi, hoặc chọn “nối tiếp”.",
                "Give the seconds after the session's start, or let it follow the item before.",
            )
        elif not 0 <= item.offset_s < max(rule.length_s, 1):
            yield _error(
                "offset_outside",
                f"{where}.offset_s",
                "Giờ riêng của mục nằm ngoài buổi phát thanh.",
                "The item's own time lies outside the session.",
                f"Chọn từ 0 đến {rule.length_s - 1} giây, hoặc kéo dài buổi.",
                f"Choose 0 to {rule.length_s - 1} seconds, or make the session longer.",
            )

    def _recording(self, segment: SegmentId | None, where: str) -> Iterator[Finding]:
        if self.recordings is not None:
            known = {*self.recordings, *(approved.id for approved in self.intent.segments)}
            yield from _unknown(segment, known, where, "bài", "recording")

    def _source(self, relay: str | None, where: str) -> Iterator[Finding]:
        if relay is None or self.intent.source(relay) is not None:
            return
        offered = ", ".join(sorted(source.code for source in self.intent.sources)[:8]) or "–"
        yield _error(
            "unknown_source",
            where,
            f"Không có nguồn tiếp âm “{relay}” trong danh sách được phép: mục này sẽ không có tiếng.",
            f"There is no relay source “{relay}” in the list of what is allowed: nothing would be heard.",
            f"Chọn một nguồn trong danh sách (đang có: {offered}), hoặc thêm nguồn này vào danh sách.",
            f"Choose a source of the list (there are: {offered}), or add this one to it.",
        )

    def _exceptions(self) -> Iterator[Finding]:
        exceptions = self.intent.exceptions
        yield from _twice("exceptions", self._of_mine(exceptions), self._name)
        stations = {station.code: station for station in self.intent.stations}
        rules = {(rule.station, rule.id): rule for rule in self.intent.sessions}
        for place, exception in enumerate(exceptions):
            if not (self._mine(exception.station) and self._lasts(exception.until)):
                continue
            where = self._name("exceptions", place, exception.id)
            station = stations.get(exception.station)
            rule = rules.get((exception.station, exception.session))
            if station is None:
                yield from _unknown(exception.station, stations, f"{where}.station", "đài", "station")
            elif rule is None:
                known = {code for owner, code in rules if owner == exception.station}
                yield from _unknown(exception.session, known, f"{where}.session", "buổi phát thanh", "session")
            elif _zone_known(station.zone):
                yield from _exception(exception, rule, station, where)

    def _one_offs(self) -> Iterator[Finding]:
        one_offs = self.intent.one_offs
        yield from _twice("one_offs", enumerate(one.id for one in one_offs), self._name)
        stations = {station.code for station in self.intent.stations}
        for place, one in enumerate(one_offs):
            if self._mine(one.station):
                where = self._name("one_offs", place, one.id)
                yield from _unknown(one.station, stations, f"{where}.station", "đài", "station")
                yield from self._recording(one.segment, f"{where}.segment")
                yield from _slot_part(one.id, f"{where}.id")

    def _calendar(self) -> Iterator[Finding]:
        said: dict[tuple[date, Hashable], CalendarDay] = {}
        for place, one in enumerate(self.intent.calendar):
            where = self._name("calendar", place, one.day.isoformat())
            if one.works_as is not None and one.works_as not in EVERY_DAY:
                yield _weekday(f"{where}.works_as")
            other = said.setdefault((one.day, one.kind), one)
            if other.works_as != one.works_as:
                yield _error(
                    "calendar_contradiction",
                    f"{where}.works_as",
                    f"Ngày {one.day:%d/%m/%Y} được ghi hai lần, mỗi lần làm việc thay cho một thứ khác nhau.",
                    f"{one.day:%d/%m/%Y} stands twice and follows two different weekdays.",
                    "Giữ quyết định đúng, bỏ dòng kia.",
                    "Keep the decision that is right, remove the other.",
                )

    def _duties(self) -> Iterator[Finding]:
        stations = {station.code for station in self.intent.stations}
        units = {unit.code for unit in self.intent.units}
        programmes = {programme.code for programme in self.intent.programmes}
        duties = [
            (place, duty)
            for place, duty in enumerate(self.intent.duties)
            if (self.only is None or self.only in duty.stations) and self._lasts(duty.until)
        ]
        for place, duty in duties:
            where = self._name("duties", place, duty.code)
            yield from _unknown(duty.owner, units, f"{where}.owner", "đơn vị", "unit")
            for number, code in enumerate(duty.stations):
                yield from _unknown(code, stations, f"{where}.stations[{number}]", "đài", "station")
            yield from _unknown(duty.programme, programmes, f"{where}.programme", "chuyên mục", "programme")
            yield from _duty(duty, where)
        for (_place, one), (place, other) in combinations(duties, 2):
            if one.code == other.code and _in_force_together(one, other):
                yield _error(
                    "versions_overlap",
                    f"{self._name('duties', place, other.code)}.since",
                    f"Nhiệm vụ “{other.code}” có hai bản cùng có hiệu lực một lúc.",
                    f"Duty “{other.code}” has two versions in force at one time.",
                    "Kết thúc bản cũ trước khi bản mới bắt đầu, hoặc dùng mã khác.",
                    "End the former version before the new one begins, or use another code.",
                )

    def _excuses(self) -> Iterator[Finding]:
        stations = {station.code for station in self.intent.stations}
        duties = {duty.code for duty in self.intent.duties}
        for place, excuse in enumerate(self.intent.excuses):
            if not self._mine(excuse.station):
                continue
            where = self._name("excuses", place, f"{excuse.station}/{excuse.first}")
            yield from _unknown(excuse.station, stations, f"{where}.station", "đài", "station")
            yield from _unknown(excuse.duty, duties, f"{where}.duty", "nhiệm vụ", "duty")
            yield from _dates(excuse.first, excuse.last, where, "last")
            if not excuse.document.strip():
                yield _error(
                    "document_missing",
                    f"{where}.document",
                    "Miễn nhiệm vụ mà không có văn bản: không được tính.",
                    "A duty is excused without a document, which does not count.",
                    "Ghi số và ngày của văn bản.",
                    "Name the document by number and date.",
                )


def _recurrence(rule: SessionRule, where: str) -> Iterator[Finding]:
    if monthly(rule):
        if tuple(sorted(rule.weekdays)) != EVERY_DAY or rule.every_weeks != 1:
            yield _bad_recurrence(
                f"{where}.weekdays",
                "Buổi lặp lại theo tuần và theo tháng cùng một lúc.",
                "The session recurs by the week and by the month at once.",
                "Chọn một trong hai cách lặp lại.",
                "Choose one of the two.",
            )
        for number, day in enumerate(rule.month_days):
            if day != -1 and not 1 <= day <= 31:
                yield _bad_recurrence(
                    f"{where}.month_days[{number}]",
                    f"Không có ngày {day} trong tháng.",
                    f"No month has a day {day}.",
                    "Dùng 1 đến 31, hoặc -1 cho ngày cuối tháng.",
                    "Use 1 to 31, or -1 for the last day of the month.",
                )
        for number, nth in enumerate(rule.nth_weekdays):
            if nth.nth != -1 and not 1 <= nth.nth <= 5:
                yield _bad_recurrence(
                    f"{where}.nth_weekdays[{number}].nth",
                    f"Không có tuần thứ {nth.nth} trong tháng.",
                    f"No weekday comes {nth.nth} times in a month.",
                    "Dùng 1 đến 5, hoặc -1 cho lần cuối trong tháng.",
                    "Use 1 to 5, or -1 for the last one of the month.",
                )
            if nth.weekday not in EVERY_DAY:
                yield _weekday(f"{where}.nth_weekdays[{number}].weekday")
    elif not rule.weekdays:
        yield _bad_recurrence(
            f"{where}.weekdays",
            f"Buổi “{rule.name}” không có ngày nào trong tuần.",
            f"Session “{rule.name}” has no weekday.",
            "Chọn ít nhất một thứ.",
            "Choose at least one.",
        )
    for number, weekday in enumerate(rule.weekdays):
        if weekday not in EVERY_DAY:
            yield _weekday(f"{where}.weekdays[{number}]")
    if rule.every_weeks < 1:
        yield _bad_recurrence(
            f"{where}.every_weeks",
            f"Không thể lặp lại {rule.every_weeks} tuần một lần.",
            f"Nothing recurs every {rule.every_weeks} weeks.",
            "Dùng 1 cho mọi tuần, 2 cho hai tuần một lần.",
            "Use 1 for every week, 2 for every other week.",
        )
    elif rule.every_weeks > 1 and rule.anchor is None and rule.valid_from is None:
        yield _bad_recurrence(
            f"{where}.anchor",
            f"Buổi lặp lại {rule.every_weeks} tuần một lần, nhưng không rõ tính từ tuần nào.",
            f"The session recurs every {rule.every_weeks} weeks, but nobody says from which week on.",
            "Ghi một ngày của tuần đầu tiên.",
            "Give a date in the first week.",
        )


def _exception(exception: SessionException, rule: SessionRule, station: Station, where: str) -> Iterator[Finding]:
    if exception.number is not None and not 1 <= exception.number <= len(rule.starts):
        yield _error(
            "unknown_name",
            f"{where}.number",
            f"Buổi “{rule.name}” không có giờ bắt đầu thứ {exception.number}.",
            f"Session “{rule.name}” has no start number {exception.number}.",
            f"Chọn từ 1 đến {len(rule.starts)}.",
            f"Choose 1 to {len(rule.starts)}.",
        )
        return
    if exception.change is Change.CANCEL:
        if exception.to_day is not None or exception.to_start is not None:
            yield _error(
                "cancel_with_target",
                where,
                "Vừa hủy vừa dời: không rõ buổi này còn phát hay không.",
                "Cancelled and moved at once: nobody can say whether the session airs.",
                "Chọn hủy, hoặc dời.",
                "Either cancel or move it.",
            )
        return
    if exception.to_day is None and exception.to_start is None:
        yield _error(
            "move_without_target",
            where,
            "Dời buổi mà không ghi ngày hay giờ mới.",
            "The session is moved, but to no date and no time.",
            "Ghi ngày mới, giờ mới, hoặc cả hai.",
            "Give a new date, a new time, or both.",
        )
        return
    if exception.to_start is not None and exception.number is None and len(rule.starts) > 1:
        yield _error(
            "moved_together",
            f"{where}.to_start",
            f"Buổi “{rule.name}” có {len(rule.starts)} giờ bắt đầu; dời như vậy thì tất cả vào cùng một giờ.",
            f"Session “{rule.name}” has {len(rule.starts)} starts, and all of them would be moved to one time.",
            "Ghi rõ dời giờ bắt đầu thứ mấy.",
            "Say which of the starts is moved.",
        )
        return
    target = exception.day + shift(exception)
    if not FIRST_YEAR <= target.year <= LAST_YEAR:
        yield _reversed(f"{where}.to_day")
        return
    zone = ZoneInfo(station.zone)
    starts = [at for number, at in enumerate(rule.starts, start=1) if exception.number in (None, number)]
    decided = exception.since
    if any(
        instant(zone, exception.day, at) >= decided > instant(zone, target, exception.to_start or at) for at in starts
    ):
        yield _error(
            "move_into_past",
            f"{where}.to_day",
            "Buổi được dời vào một lúc đã qua khi quyết định.",
            "The session is moved to a time that was over when that was decided.",
            "Chọn ngày giờ còn ở phía trước.",
            "Choose a time that is still to come.",
        )


def _duty(duty: Duty, where: str) -> Iterator[Finding]:
    if not duty.stations:
        yield _error(
            "duty_without_station",
            f"{where}.stations",
            f"Nhiệm vụ “{duty.name}” không giao cho đài nào.",
            f"Duty “{duty.name}” is owed at no station.",
            "Chọn ít nhất một đài.",
            "Name at least one station.",
        )
    if duty.count < 1:
        yield _number(f"{where}.count")
    if duty.warn_days < 0:
        yield _number(f"{where}.warn_days")
    if not 0 < duty.least_share <= 1:
        yield _number(f"{where}.least_share")
    if not 0 <= duty.deadline_days < _DAYS_OF[duty.period]:
        yield _error(
            "deadline_outside",
            f"{where}.deadline_days",
            "Thời hạn nằm ngoài kỳ của nhiệm vụ.",
            "The deadline lies outside the duty's period.",
            f"Chọn từ 0 đến {_DAYS_OF[duty.period] - 1} ngày trước ngày cuối kỳ.",
            f"Choose 0 to {_DAYS_OF[duty.period] - 1} days before the last day of the period.",
        )
    if duty.counting is Counting.TOPICS and duty.topics and duty.count > len(set(duty.topics)):
        yield _error(
            "too_few_topics",
            f"{where}.count",
            f"Nhiệm vụ đòi {duty.count} chủ đề, nhưng chỉ nêu {len(set(duty.topics))}.",
            f"The duty wants {duty.count} topics, but names only {len(set(duty.topics))}.",
            "Thêm chủ đề, hoặc giảm số lượng.",
            "Name more topics, or want fewer.",
        )
    for number, window in enumerate(duty.windows):
        if window.weekday not in EVERY_DAY:
            yield _weekday(f"{where}.windows[{number}].weekday")


def _tie(one: WeekTemplate, other: WeekTemplate, zone: tzinfo) -> bool:
    """Return whether both, of one station and priority, can hold on one date."""
    if one.day_kinds and other.day_kinds and not set(one.day_kinds) & set(other.day_kinds):
        return False
    first = max(one.valid_from or date.min, other.valid_from or date.min)
    last = min(one.valid_until or date.max, other.valid_until or date.max)
    since = max(one.since, other.since)
    ends = [template.until for template in (one, other) if template.until is not None]
    return (
        first <= last
        and since.astimezone(zone).date() <= last
        and all(since < end and first <= end.astimezone(zone).date() for end in ends)
    )


def _in_force_together(one: Duty, other: Duty) -> bool:
    return (one.until is None or other.since < one.until) and (other.until is None or one.since < other.until)


def _spans(spans: Iterable[DaySpan], where: str) -> Iterator[Finding]:
    for number, span in enumerate(spans):
        if not span.weekdays or any(weekday not in EVERY_DAY for weekday in span.weekdays):
            yield _weekday(f"{where}[{number}].weekdays")


def _zone_known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _returns(code: str, above: dict[str, str | None]) -> bool:
    """Return whether the way up from `code` comes back to it."""
    seen: set[str] = set()
    at = above.get(code)
    while at is not None and at not in seen:
        if at == code:
            return True
        seen.add(at)
        at = above.get(at)
    return False


def _repeated(names: Iterable[Hashable]) -> list[int]:
    seen: Counter[Hashable] = Counter()
    found = []
    for place, name in enumerate(names):
        if seen[name]:
            found.append(place)
        seen[name] += 1
    return found


def _twice(section: str, names: Iterable[tuple[int, str]], name: Callable[[str, int, str], str]) -> Iterator[Finding]:
    """Yield what is named twice. names: place in its section, and name (after a `/` where it is unique within more)."""
    known = list(names)
    for number in _repeated(text for _place, text in known):
        place, text = known[number]
        code = text.rsplit("/", maxsplit=1)[-1]
        yield _error(
            "duplicate_id",
            name(section, place, code),
            f"Mã “{code}” được dùng hai lần.",
            f"The id “{code}” is used twice.",
            "Đổi một trong hai mã.",
            "Change one of them.",
        )


def _by_place(section: str, place: int, _name: str) -> str:
    return f"{section}[{place}]"


def _unknown(name: str | None, known: Collection[str], where: str, vi: str, en: str) -> Iterator[Finding]:
    if name is not None and name not in known:
        offered = ", ".join(sorted(known)[:8]) or "–"
        yield _error(
            "unknown_name",
            where,
            f"Không có {vi} “{name}”.",
            f"There is no {en} “{name}”.",
            f"Đang có: {offered}.",
            f"There are: {offered}.",
        )


def _slot_part(name: str, where: str) -> Iterator[Finding]:
    if not name or any(letter in name for letter in "/ \n\t"):
        yield _error(
            "bad_id",
            where,
            f"Mã “{name}” không dùng được: phải có ít nhất một ký tự, không có dấu “/” và khoảng trắng.",
            f"The id “{name}” cannot be used: it needs at least one character, no “/” and no blank.",
            "Dùng chữ thường không dấu, chữ số và dấu gạch nối.",
            "Use a-z, digits and dashes.",
        )


def _dates(first: date | None, last: date | None, where: str, field: str = "valid_until") -> Iterator[Finding]:
    if first is not None and last is not None and last < first:
        yield _reversed(f"{where}.{field}")


def _reversed(where: str) -> Finding:
    return _error(
        "dates_reversed",
        where,
        "Ngày kết thúc trước ngày bắt đầu, hoặc ngoài khoảng tính được.",
        "The last date lies before the first, or outside of what can be reckoned.",
        "Sửa một trong hai ngày.",
        "Change one of the two dates.",
    )


def _circle_of_successors(where: str, code: str) -> Finding:
    return _error(
        "circle",
        where,
        f"“{code}” được sáp nhập vào chính nó, qua các bước kế tiếp.",
        f"“{code}” is merged into itself, step by step.",
        "Chọn lại nơi kế thừa.",
        "Choose another successor.",
    )


def _number(where: str) -> Finding:
    return _error(
        "bad_number",
        where,
        "Số này nằm ngoài khoảng cho phép.",
        "This number is out of range.",
        "Dùng số dương; tỷ lệ thì lớn hơn 0 và không quá 1.",
        "Use a positive number; a share lies above 0 and up to 1.",
    )


def _weekday(where: str) -> Finding:
    return _bad_recurrence(
        where,
        "Thứ trong tuần phải là số từ 1 (Thứ Hai) đến 7 (Chủ Nhật).",
        "A weekday is a number from 1 (Monday) to 7 (Sunday).",
        "Sửa lại thứ.",
        "Correct the weekday.",
    )


def _bad_recurrence(where: str, vi: str, en: str, hint_vi: str, hint_en: str) -> Finding:
    return _error("bad_recurrence", where, vi, en, hint_vi, hint_en)


def _error(code: str, where: str, vi: str, en: str, hint_vi: str, hint_en: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=where, message=Text(vi, en), hint=Text(hint_vi, hint_en))
