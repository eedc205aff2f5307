"""What a check found: expected trouble as values, collected and returned together, never raised one by one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from schedules.text import Text


class Severity(StrEnum):
    """How much a finding matters: an error refuses, a warning is shown, a note explains."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found, where, in whole sentences for the person who must act.

    code: stable, `snake_case`, the same in code, journal, API and docs.
    where: path of the thing in its document or plan, such as `stations[0].outputs[1].device` or a slot; may be empty.
    hint: what to do next; None where there is nothing to do.
    """

    code: str
    severity: Severity
    message: Text
    where: str = ""
    hint: Text | None = None


def errors(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return those findings that refuse."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)
