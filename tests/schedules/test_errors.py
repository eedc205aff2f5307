"""Errors say all that was found, and what can be done about it."""

from __future__ import annotations

from schedules.errors import ConfigError, JournalBroken, LoaError, Refused, TooMany
from schedules.findings import Finding, Severity, errors
from schedules.text import Text


def found(code: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(code=code, severity=severity, message=Text(f"vi {code}", f"en {code}"))


def test_a_refusal_tells_every_finding_at_once() -> None:
    """The findings are kept, and the message holds each of them."""
    error = ConfigError(found("a"), found("b"))

    assert isinstance(error, Refused) and isinstance(error, LoaError)
    assert ("a", "b") == tuple(finding.code for finding in error.findings)
    assert "en a; en b" == str(error)


def test_a_limit_tells_when_it_may_go_on() -> None:
    """Seconds to wait, or None where something must be cleared first."""
    assert 30.0 == TooMany(found("busy"), retry_after_s=30.0).retry_after_s
    assert TooMany(found("full")).retry_after_s is None
    assert "en full" == str(TooMany(found("full")))


def test_a_broken_journal_names_its_first_bad_row() -> None:
    """The row and the reason stand in the error and in its message."""
    error = JournalBroken(7, "hash")

    assert (7, "hash", "row 7: hash") == (error.seq, error.reason, str(error))


def test_only_errors_refuse() -> None:
    """Warnings and notes are shown; errors alone stop a thing."""
    every = tuple(found(severity.value, severity) for severity in Severity)

    assert (every[0],) == errors(every)
