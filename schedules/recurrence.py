"""On which dates a session falls: recurrences, kinds of days and week templates, as dates, before any instant."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from schedules.grid import DayKind, SessionRule, WeekTemplate
from schedules.intent import Intent
from schedules.station import StationCode

_RANK = {kind: rank for rank, kind in enumerate(DayKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """What is known of dates at one station. templates: those of the station, the one that goes first in front."""

    kinds: Mapping[date, DayKind]
    works_as: Mapping[date, int]
    templates: tuple[WeekTemplate, ...]

    def kind(self, day: date) -> DayKind:
        """Return what sort of day a date is."""
        return self.kinds.get(day, DayKind.ORDINARY)

    def weekday(self, day: date) -> int:
        """Return the ISO weekday whose sessions the date follows."""
        return self.works_as.get(day) or day.isoweekday()

    def template(self, day: date, start: datetime) -> str | None:
        """Return the template that decides what starts on `day` at `start`; None for the standing week."""
        for template in self.templates:
            if _holds(template, day, self.kind(day)) and _decides(template, start):
                return template.id
        return None

    def due(self, rule: SessionRule, day: date) -> bool:
        """Return whether the rule names `day`; which week holds then is not asked."""
        return recurs(rule, day, self.weekday(day)) and self.allow(rule, day)

    def allow(self, rule: SessionRule, day: date) -> bool:
        """Return whether `day` lies in the rule's dates and is of a kind it wants."""
        return (
            (rule.valid_from is None or rule.valid_from <= day)
            and (rule.valid_until is None or day <= rule.valid_until)
            and (not rule.only or self.kind(day) in rule.only)
        )


def days_of(intent: Intent, station: StationCode) -> Days:
    """Return the days as `station` sees them, in whatever order they were decided."""
    kinds: dict[date, DayKind] = {}
    swapped: dict[date, tuple[int, int]] = {}
    for entry in intent.calendar:
        kinds[entry.day] = max(entry.kind, kinds.get(entry.day, entry.kind), key=_RANK.__getitem__)
        if entry.works_as is not None:
            # Two decisions of one kind that contradict each other are refused before; here always the same one holds.
            swap = (_RANK[entry.kind], -entry.works_as)
            swapped[entry.day] = max(swap, swapped.get(entry.day, swap))
    templates = [template for template in intent.templates if template.station == station]
    # Python sorts stably: by id first, so that it decides between what else is equal.
    templates.sort(key=lambda template: template.id)
    templates.sort(key=lambda template: (template.priority, template.valid_from or date.min), reverse=True)
    return Days(
        kinds=kinds,
        works_as={day: -weekday for day, (_rank, weekday) in swapped.items()},
        templates=tuple(templates),
    )


def recurs(rule: SessionRule, day: date, weekday: int) -> bool:
    """Return whether the recurrence names `day`, which follows the sessions of ISO `weekday`."""
    if monthly(rule):
        return day in dates_in_month(rule, day)
    if weekday not in rule.weekdays:
        return False
    if rule.every_weeks == 1:
        return True
    return (week_number(day) - anchor_week(rule)) % rule.every_weeks == 0


def monthly(rule: SessionRule) -> bool:
    """Return whether the rule names dates of the month instead of weekdays."""
    return bool(rule.month_days or rule.nth_weekdays)


def anchor_week(rule: SessionRule) -> int:
    """Return the number of the week from which every n-th is counted: the anchor's, else that of the first date."""
    return week_number(rule.anchor or rule.valid_from or date.min)


def week_number(day: date) -> int:
    """Return how many ISO weeks lie before that of `day`; counted on over the ends of years."""
    return (day.toordinal() - 1) // 7


def dates_in_month(rule: SessionRule, month: date) -> list[date]:
    """Return the dates that a monthly rule names in the month of `month`, in order."""
    length = monthrange(month.year, month.month)[1]
    named = {number if number > 0 else length + 1 + number for number in rule.month_days}
    first_weekday = month.replace(day=1).isoweekday()
    for nth in rule.nth_weekdays:
        first = (nth.weekday - first_weekday) % 7 + 1
        last = first + (length - first) // 7 * 7
        named.add(first + (nth.nth - 1) * 7 if nth.nth > 0 else last + (nth.nth + 1) * 7)
    return [month.replace(day=number) for number in sorted(named) if 1 <= number <= length]


def _holds(template: WeekTemplate, day: date, kind: DayKind) -> bool:
    return (
        (template.valid_from is None or template.valid_from <= day)
        and (template.valid_until is None or day <= template.valid_until)
        and (not template.day_kinds or kind in template.day_kinds)
    )


def _decides(template: WeekTemplate, start: datetime) -> bool:
    return template.since <= start and (template.until is None or start < template.until)
