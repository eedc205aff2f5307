"""The check list of inspections: what becomes a ticket, how far one is, and when the next one is due."""

from __future__ import annotations

from datetime import date

from schedules.checklist import EVERY, OWN, ROUND, Result, check_due, is_equipment, progress


def test_what_a_district_team_looks_at_is_on_the_list():
    """Texts of law, emulation targets, log book, archive and equipment; and the commune's own list is a part of it."""
    assert {"law", "targets", "log_book", "archive", "machine"} <= {item.code for item in ROUND}
    assert set(OWN) <= set(ROUND)
    assert set(EVERY) == {item.code for item in ROUND}


def test_only_equipment_becomes_a_ticket():
    """A missing log book is a remark; a cluster that is silent is repaired."""
    assert is_equipment("machine")
    assert is_equipment("cluster:GOTRANH")
    assert not is_equipment("log_book")
    assert not is_equipment("unknown")


def test_progress_counts_what_was_looked_at():
    """What is not right was looked at as well."""
    assert progress(["a", "b", "c"], [Result.OK, Result.NOT, Result.UNSEEN]) == (2, 3)


def test_the_next_own_check_is_owed_from_the_last_one():
    """A station that never checked owes it from its first day on."""
    assert check_due(date(2026, 11, 1), date(2026, 1, 1), 30) == date(2026, 12, 1)
    assert check_due(None, date(2026, 11, 1), 7) == date(2026, 11, 8)
