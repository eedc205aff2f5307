"""Every table of the authority's database: what migrations are compared with."""

from __future__ import annotations

from store import (
    tables,
    tables_dispatches,
    tables_equipment,
    tables_notices,
    tables_plans,
    tables_public,
    tables_reports,
    tables_texts,
    tables_uploads,
)

metadata = tables.metadata

__all__ = [
    "metadata",
    "tables",
    "tables_dispatches",
    "tables_equipment",
    "tables_notices",
    "tables_plans",
    "tables_public",
    "tables_reports",
    "tables_texts",
    "tables_uploads",
]
