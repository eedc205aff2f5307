"""What is broken and how long it may last: kinds of trouble, faults that open tickets, when the tier above is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Trouble(StrEnum):
    """What somebody noticed, in the words of people below a loudspeaker."""

    SILENT = "silent"
    WEAK = "weak"
    HOWLING = "howling"
    FOREIGN = "foreign"
    DAMAGED = "damaged"
    MACHINE = "machine"
    OTHER = "other"


class TicketState(StrEnum):
    """The way of a ticket. A returned repair is assigned again, a fault that comes back is open again."""

    OPEN = "open"
    ASSIGNED = "assigned"
    REPAIRED = "repaired"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """Faults whose code begins with `code` open a ticket once they have lasted `after_s` seconds.

    momentary: also when they are over by then. silent: nobody hears the loudspeakers meanwhile.
    """

    code: str
    after_s: int
    trouble: Trouble
    silent: bool = False
    momentary: bool = False


NO_CONTACT = "no_contact"
"""The code of the authority's own observation that a station has not been heard of."""

_MINUTE = 60
_DAY = 86_400

FAULT_RULES = (
    FaultRule(code="output_", after_s=5 * _MINUTE, trouble=Trouble.SILENT, silent=True),
    FaultRule(code="amplifier_", after_s=5 * _MINUTE, trouble=Trouble.SILENT, silent=True),
    FaultRule(code="ear_silent_", after_s=5 * _MINUTE, trouble=Trouble.SILENT, silent=True),
    # Somebody speaks through our loudspeakers: a minute of it is enough, and so is one that is over.
    FaultRule(code="ear_foreign_", after_s=0, trouble=Trouble.FOREIGN, momentary=True),
    FaultRule(code="ear_unscheduled_", after_s=0, trouble=Trouble.FOREIGN, momentary=True),
    FaultRule(code="stream_", after_s=30 * _MINUTE, trouble=Trouble.MACHINE),
    FaultRule(code="ear_lost_", after_s=_DAY, trouble=Trouble.MACHINE),
    FaultRule(code="input_silent_", after_s=_DAY, trouble=Trouble.MACHINE),
    FaultRule(code="clock_untrusted", after_s=15 * _MINUTE, trouble=Trouble.MACHINE, silent=True),
    FaultRule(code="player_down", after_s=5 * _MINUTE, trouble=Trouble.MACHINE, silent=True),
    FaultRule(code="disk_full", after_s=5 * _MINUTE, trouble=Trouble.MACHINE),
    FaultRule(code="disk_low", after_s=_DAY, trouble=Trouble.MACHINE),
    FaultRule(code="disk_slow", after_s=60 * _MINUTE, trouble=Trouble.MACHINE),
    FaultRule(code="hot", after_s=60 * _MINUTE, trouble=Trouble.MACHINE),
    FaultRule(code="journal_read_only", after_s=0, trouble=Trouble.MACHINE),
    FaultRule(code="journal_suspect", after_s=0, trouble=Trouble.MACHINE, momentary=True),
    FaultRule(code="journal_full", after_s=5 * _MINUTE, trouble=Trouble.MACHINE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepRules:
    """What a unit decided about its equipment; the letter names no number, so each is a setting.

    repair_days: within which a fault is to be repaired. escalate_days: after which the tier above is told, and after
    as many more the tier above that. returns_days: a fault that comes back so soon is the same one. check_days: how
    often the station looks over its equipment. answer_days: within which a complaint is answered. no_contact_min: how
    long a station may be unheard of. lasting_min: the least that any fault lasts before it opens a ticket, on top of
    its own rule. phone_days: how long the telephone number of somebody who reported is kept.
    """

    repair_days: int = 5
    escalate_days: int = 5
    returns_days: int = 14
    check_days: int = 30
    answer_days: int = 10
    no_contact_min: int = 60
    lasting_min: int = 0
    phone_days: int = 90


def fault_rule(code: str) -> FaultRule | None:
    """Return by what rule a fault opens a ticket, None where it is not a matter for a repairer."""
    return next((rule for rule in FAULT_RULES if code.startswith(rule.code)), None)


def opens_ticket(rule: FaultRule, rules: UpkeepRules, *, lasted: timedelta, lasts: bool) -> bool:
    """Return whether a fault that has lasted so long opens a ticket."""
    if not lasts:
        return rule.momentary
    return lasted >= timedelta(seconds=rule.after_s, minutes=rules.lasting_min)


def escalate_on(opened: date, rules: UpkeepRules, *, tiers: int) -> date:
    """Return the day on which the next tier above is told of a ticket that is not accepted; tiers: told already."""
    return opened + timedelta(days=rules.escalate_days * (tiers + 1))


def overdue_days(due: date | None, today: date) -> int:
    """Return by how many days the due day is past, 0 where it is not or there is none."""
    return 0 if due is None else max(0, (today - due).days)
