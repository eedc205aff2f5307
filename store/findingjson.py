"""Findings as they are kept in a column: both languages, so that each reader gets theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schedules.findings import Finding, Severity
from schedules.text import Text


def dump(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """Return what is stored."""
    return [
        {
            "code": finding.code,
            "severity": finding.severity.value,
            "where": finding.where,
            "message": {"vi": finding.message.vi, "en": finding.message.en},
            "hint": None if finding.hint is None else {"vi": finding.hint.vi, "en": finding.hint.en},
        }
        for finding in findings
    ]


def load(stored: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """Return what was stored by `dump`."""
    return tuple(
        Finding(
            code=item["code"],
            severity=Severity(item["severity"]),
            where=item["where"],
            message=Text(item["message"]["vi"], item["message"]["en"]),
            hint=None if item["hint"] is None else Text(item["hint"]["vi"], item["hint"]["en"]),
        )
        for item in stored
    )
