"""Which faults open a ticket, and when the tier above is told."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from schedules.upkeep import Trouble, UpkeepRules, escalate_on, fault_rule, opens_ticket, overdue_days

RULES = UpkeepRules()


@pytest.mark.parametrize(
    ("code", "trouble", "silent"),
    [
        ("output_main", Trouble.SILENT, True),
        ("amplifier_main", Trouble.SILENT, True),
        ("ear_foreign_main", Trouble.FOREIGN, False),
        ("clock_untrusted", Trouble.MACHINE, True),
    ],
)
def test_what_a_repairer_must_look_at_has_a_rule(code, trouble, silent):
    """Lost outputs and amplifiers silence a station; a foreign voice is a trouble of its own."""
    rule = fault_rule(code)

    assert rule is not None
    assert (rule.trouble, rule.silent) == (trouble, silent)


def test_what_the_station_mends_itself_opens_nothing():
    """A replaced player or a relay's silence is no matter for a repairer."""
    assert fault_rule("player_recycled") is None
    assert fault_rule("relay_dead_VOV1") is None


def test_a_fault_opens_a_ticket_when_it_has_lasted():
    """A loose plug for a minute opens none; a setting makes everybody more patient."""
    rule = fault_rule("output_main")
    patient = UpkeepRules(lasting_min=10)

    assert not opens_ticket(rule, RULES, lasted=timedelta(minutes=4), lasts=True)
    assert opens_ticket(rule, RULES, lasted=timedelta(minutes=5), lasts=True)
    assert not opens_ticket(rule, patient, lasted=timedelta(minutes=14), lasts=True)
    assert not opens_ticket(rule, RULES, lasted=timedelta(hours=4), lasts=False)


def test_a_foreign_voice_is_looked_into_though_it_is_over():
    """Five seconds of somebody else's programme are enough."""
    rule = fault_rule("ear_foreign_main")

    assert opens_ticket(rule, RULES, lasted=timedelta(seconds=5), lasts=False)


def test_every_tier_is_told_after_its_days():
    """Five days to the first tier above, five more to the next."""
    assert escalate_on(date(2026, 11, 20), RULES, tiers=0) == date(2026, 11, 25)
    assert escalate_on(date(2026, 11, 20), RULES, tiers=1) == date(2026, 11, 30)


def test_overdue_begins_the_day_after():
    """On the due day itself it is not overdue; without one it never is."""
    due = date(2026, 11, 20)

    assert overdue_days(due, due) == 0
    assert overdue_days(due, date(2026, 11, 23)) == 3
    assert overdue_days(None, due) == 0
