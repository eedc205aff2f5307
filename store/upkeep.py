"""What the authority decided about its equipment, and whom it concerns: rules of tickets, checks and complaints."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from schedules.station import UnitCode
from schedules.upkeep import UpkeepRules
from store import authority, tables
from store.accounts import Person, Role


def rules(session: Session) -> UpkeepRules:
    """Return the rules that hold now."""
    return UpkeepRules(
        repair_days=authority.value(session, authority.UPKEEP_REPAIR_DAYS),
        escalate_days=authority.value(session, authority.UPKEEP_ESCALATE_DAYS),
        returns_days=authority.value(session, authority.UPKEEP_RETURNS_DAYS),
        check_days=authority.value(session, authority.UPKEEP_CHECK_DAYS),
        answer_days=authority.value(session, authority.UPKEEP_ANSWER_DAYS),
        no_contact_min=authority.value(session, authority.UPKEEP_NO_CONTACT_MIN),
        lasting_min=authority.value(session, authority.UPKEEP_LASTING_MIN),
        phone_days=authority.value(session, authority.UPKEEP_PHONE_DAYS),
    )


def people_of(session: Session, units: Collection[UnitCode], roles: Collection[Role]) -> tuple[Person, ...]:
    """Return those who have accounts of these roles in exactly these units, in order of name."""
    table = tables.person
    rows = session.execute(
        select(table)
        .where(table.c.unit.in_(units), table.c.role.in_([role.value for role in roles]), table.c.disabled_at.is_(None))
        .order_by(table.c.full_name, table.c.id)
    )
    return tuple(
        Person(id=row.id, name=row.name, full_name=row.full_name, role=Role(row.role), unit=row.unit, demo=row.demo)
        for row in rows
    )


def names_of(session: Session, people: Collection[str]) -> Mapping[str, str]:
    """Return the full names of these people."""
    table = tables.person
    rows = session.execute(select(table.c.id, table.c.full_name).where(table.c.id.in_(people)))
    return {row.id: row.full_name for row in rows}
