"""How duties stand: what fulfils each, what happens if that fails, and the seal on periods that are over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from schedules.airing import Airing, Facts, Verdict
from schedules.calendar import period_interval, period_of
from schedules.clock import Interval
from schedules.duty import Chance, Counting, Duty, DutyOutcome, DutyStanding, DutyState, Period
from schedules.findings import Finding, Severity
from schedules.intent import Intent
from schedules.owing import Need, Owed, need, owing, when
from schedules.rundown import Rundown, RundownItem
from schedules.station import Station
from schedules.text import Text

PATIENCE = timedelta(days=14)
"""How long before its deadline a duty of a year, or of a month's topics, is made up; until then the grid serves it."""

SEALED_AFTER = timedelta(minutes=10)
"""How long after its deadline a period is sealed, so that what began before it has its row."""

LOOKED_BACK = timedelta(days=40)
"""How far back periods are sealed that ended while the station was off."""

_AT_ONCE = timedelta(microseconds=1)


def pressing(owed: Owed, now: datetime) -> bool:
    """Return whether what is missing must find a place now, by itself where the grid has none."""
    if owed.during.end <= now:
        return False
    if owed.duty.period is Period.WEEK:
        return True
    if owed.duty.period is Period.MONTH and owed.duty.counting is Counting.AIRINGS:
        return True
    return owed.during.end - now <= PATIENCE


def coming(owed: Owed, items: Iterable[RundownItem]) -> tuple[tuple[RundownItem, ...], Need]:
    """Return those of `items` (which can all still air whole) that will count, in time order, and what they leave."""
    left = need(owed)
    found = []
    for item in sorted(items, key=lambda i: (i.due, i.slot)):
        if left.counts(item.programme, item.topics, item.due):
            found.append(item)
            left = left.after(item.programme, item.topics, item.due)
    return tuple(found), left


def standing(
    station: Station,
    owed: Owed,
    now: datetime,
    planned: Sequence[RundownItem] = (),
    chances: tuple[Chance, ...] = (),
    why_not: Text | None = None,
) -> DutyStanding:
    """Return how a duty stands.

    planned: what is coming that counts. chances: the places that are left. why_not: why what is missing has no place.
    """
    duty = owed.duty
    left = need(owed)
    for item in planned:
        left = left.after(item.programme, item.topics, item.due)
    failed = [row for row in owed.rows if row.verdict in (Verdict.MISSED, Verdict.PARTIAL) and row not in owed.good]
    done = need(replace(owed, excuse=None, outcome=None, handed_over=False)).missing == 0
    slots = tuple(row.slot for row in owed.good)
    fallback: Text | None = None
    if owed.outcome is not None:
        state, reason, slots = owed.outcome.state, owed.outcome.reason, owed.outcome.slots
        if state is DutyState.MISSED and owed.excuse is not None:
            state, reason = DutyState.EXCUSED, _excused(owed.excuse.document, owed.excuse.reason)
    elif done:
        state, reason = _done(station, owed, failed)
    elif owed.excuse is not None:
        state, reason = DutyState.EXCUSED, _excused(owed.excuse.document, owed.excuse.reason)
    elif owed.closed is not None and station.ended_by and (owed.handed_over or now >= owed.closed):
        state, reason = DutyState.EXCUSED, _excused(station.ended_by, _handed_over(station, owed.closed))
    elif now >= owed.during.end:
        state, reason = DutyState.MISSED, _missed(failed)
    else:
        slots += tuple(item.slot for item in planned)
        state, reason = _open(station, owed, left, planned, failed, now, why_not)
        fallback = _fallback(station, owed, planned, chances, now)
    return DutyStanding(
        duty=duty.code,
        name=duty.name,
        owner=duty.owner,
        station=station.code,
        period=owed.period,
        state=state,
        deadline=owed.during.end,
        slots=slots,
        reason=reason,
        fallback=fallback,
        chances=chances,
    )


def _done(station: Station, owed: Owed, failed: Sequence[Airing]) -> tuple[DutyState, Text]:
    last = owed.good[-1]
    after_failure = any(when(row) < when(last) for row in failed)
    at = local(station, when(last))
    if after_failure or any("/makeup." in row.slot for row in owed.good):
        return DutyState.MADE_UP, Text(f"Đã phát bù lúc {at}.", f"Made up at {at}.")
    return DutyState.MET, Text(f"Đã phát đủ lúc {at}.", f"Aired whole at {at}.")


def _excused(document: str, reason: Text) -> Text:
    return Text(f"Được miễn theo {document}: {reason.vi}", f"Excused by {document}: {reason.en}")


def _handed_over(station: Station, closed: datetime) -> Text:
    day = f"{closed.astimezone(ZoneInfo(station.zone)):%d/%m/%Y}"
    vi, en = f"đài ngừng hoạt động từ {day}.", f"the station went out of service on {day}."
    if station.successor:
        vi += f" Nhiệm vụ chuyển sang đài {station.successor}."
        en += f" The duty went over to station {station.successor}."
    return Text(vi, en)


def _missed(failed: Sequence[Airing]) -> Text:
    last = max(failed, key=when, default=None)
    if last is not None and last.reason is not None:
        return last.reason
    return Text("Hết kỳ mà chưa phát đủ.", "The period ended without a whole airing.")


def _open(
    station: Station,
    owed: Owed,
    left: Need,
    planned: Sequence[RundownItem],
    failed: Sequence[Airing],
    now: datetime,
    why_not: Text | None,
) -> tuple[DutyState, Text]:
    if left.missing == 0:
        item = min(planned, key=lambda i: i.due)
        at, what = local(station, item.due), f"“{item.title}”"
        reason = Text(f"Sẽ phát {what} lúc {at}.", f"{what} airs at {at}.")
        if failed:
            reason = Text(f"Lần trước chưa đạt; {_lower(reason.vi)}", f"An earlier airing failed; {reason.en}")
            return DutyState.AT_RISK, reason
        return DutyState.PLANNED, reason
    if not pressing(owed, now):
        days = (owed.during.end - now).days
        reason = Text(
            f"Còn thiếu {_amount(owed.duty, left.missing).vi}; còn {days} ngày.",
            f"{_amount(owed.duty, left.missing).en} still missing, {days} days left.",
        )
        return (DutyState.PLANNED if left.missing <= days else DutyState.AT_RISK), reason
    if why_not is not None:
        return DutyState.AT_RISK, why_not
    if not planned:
        reason = Text("Chưa có bài đã duyệt hoặc không còn khung giờ.", "No approved item, or no window left.")
        return DutyState.AT_RISK, reason
    amount = _amount(owed.duty, left.missing)
    return DutyState.AT_RISK, Text(f"Chưa đủ: còn thiếu {amount.vi} trong kỳ.", f"{amount.en} missing in the period.")


def _amount(duty: Duty, count: int) -> Text:
    if duty.counting is Counting.TOPICS:
        return Text(f"{count} chủ đề", f"{count} topics" if count > 1 else "1 topic")
    return Text(f"{count} lượt phát", f"{count} airings" if count > 1 else "1 airing")


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _fallback(
    station: Station, owed: Owed, planned: Sequence[RundownItem], chances: tuple[Chance, ...], now: datetime
) -> Text | None:
    if not planned:
        return None
    first = min(planned, key=lambda i: i.due)
    after = [chance for chance in chances if chance.start > first.due and chance.slot not in {i.slot for i in planned}]
    if after:
        at, what = local(station, after[0].start), f"“{after[0].title}”"
        return Text(
            f"Nếu lượt đó không đạt, máy tự phát bù {what} lúc {at}.",
            f"If that fails, the station makes it up with {what} at {at}.",
        )
    if not chances:
        at = local(station, first.due)
        return Text(f"{at} máy tự phát “{first.title}”.", f"At {at} the station airs “{first.title}”.")
    return Text(
        "Nếu lượt đó không đạt, trong kỳ không còn khung giờ nào để phát bù.",
        "If that fails, the period has no window left to make it up.",
    )


def warnings(
    station: Station, owed: Owed, stood: DutyStanding, now: datetime, *, fresh: bool, thorough: bool
) -> tuple[Finding, ...]:
    """Return the early warnings of a duty that is not done yet.

    fresh: something new is coming for it, not only a repeat. thorough: `stood.chances` was worked out.
    """
    found: list[Finding] = []

    def warn(code: str, message: Text, hint: Text) -> None:
        found.append(Finding(code=code, severity=Severity.WARNING, where=owed.duty.code, message=message, hint=hint))

    if stood.state is DutyState.AT_RISK:
        hint = Text(
            "Tải bài lên và duyệt, hoặc thêm khung giờ phát bù.",
            "Bring an approved item, or add a window to make it up.",
        )
        if stood.fallback is not None:
            hint = Text(
                "Máy sẽ tự phát; xem lại sau giờ đó.", "The station airs it by itself; look again after that time."
            )
        warn(
            "duty_at_risk",
            Text(f"“{owed.duty.name}”: {stood.reason.vi}", f"“{owed.duty.name}”: {stood.reason.en}"),
            hint,
        )
    near = owed.during.end - now <= timedelta(days=owed.duty.warn_days)
    if stood.state in (DutyState.AT_RISK, DutyState.PLANNED) and near and not fresh:
        days = max(0, (owed.during.end - now).days)
        warn(
            "duty_no_new_audio",
            Text(
                f"“{owed.duty.name}”: còn {days} ngày là hết hạn mà chưa có bài mới được duyệt.",
                f"“{owed.duty.name}”: {days} days before the deadline no new item is approved.",
            ),
            Text("Làm bài mới và trình duyệt ngay.", "Make a new item and have it approved now."),
        )
    if thorough and stood.state is DutyState.PLANNED and pressing(owed, now) and len(stood.chances) == 1:
        warn(
            "duty_one_chance",
            Text(
                f"“{owed.duty.name}”: chỉ còn một lần phát trong kỳ; nếu hỏng thì không kịp phát bù.",
                f"“{owed.duty.name}”: only one chance is left in the period; a failure could not be made up.",
            ),
            Text("Thêm khung giờ phát bù sau lượt đó.", "Add a window for a make-up after it."),
        )
    return tuple(found)


def duty_standings(
    intent: Intent,
    station: Station,
    airings: Iterable[Airing],
    now: datetime,
    period: str,
    outcomes: Iterable[DutyOutcome] = (),
) -> tuple[DutyStanding, ...]:
    """Return how each duty of the station stood in a named period from its rows alone; no plan, no make-ups."""
    kind = period_of(period)
    whole = period_interval(kind, period, ZoneInfo(station.zone))
    facts = Facts(station=station.code, airings=tuple(airings), duties=tuple(outcomes))
    owed = owing(intent, station, facts, Interval(whole.start, whole.start + _AT_ONCE))
    mine = sorted((one for one in owed if one.duty.period is kind), key=lambda one: one.duty.code)
    return tuple(standing(station, one, now) for one in mine)


def settle_duties(intent: Intent, facts: Facts, rundown: Rundown, now: datetime) -> tuple[DutyOutcome, ...]:
    """Return the outcomes of periods that are over and not sealed yet, to be written once each and never changed.

    A period waits until every slot of its duty in `rundown` has its row. Periods that were over before the station
    knew the time for the first time (`facts.since`) are not its own to judge.
    """
    if facts.since is None:
        return ()
    station = intent.station(facts.station)
    settled = {row.slot for row in facts.airings}
    waiting = [i for i in rundown.items if i.slot not in settled] + [run.item for run in facts.runs]
    found = []
    for owed in owing(intent, station, facts, Interval(max(facts.since, now - LOOKED_BACK), max(now, facts.since))):
        if owed.outcome is not None or owed.during.end + SEALED_AFTER > now or owed.during.end <= facts.since:
            continue
        if any(owed.during.contains(i.due) and owed.duty.programme in (None, i.programme) for i in waiting):
            continue
        stood = standing(station, owed, now)
        found.append(
            DutyOutcome(
                duty=stood.duty,
                station=station.code,
                period=stood.period,
                state=stood.state,
                deadline=stood.deadline,
                slots=stood.slots,
                reason=stood.reason,
            )
        )
    return tuple(found)


def local(station: Station, moment: datetime) -> str:
    """Return a moment as people at the station write it: `05:30 27/11`."""
    return f"{moment.astimezone(ZoneInfo(station.zone)):%H:%M %d/%m}"


def chance(item: RundownItem) -> Chance:
    """Return a planned item as a chance."""
    return Chance(slot=item.slot, start=item.due, title=item.title)


def totals(standings: Iterable[DutyStanding]) -> Mapping[DutyState, int]:
    """Return how many duties stand in each state."""
    counted = dict.fromkeys(DutyState, 0)
    for one in standings:
        counted[one.state] += 1
    return counted
