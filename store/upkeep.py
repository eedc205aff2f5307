"""What the authority decided about its equipment, as the rules that tickets, checks and complaints go by."""

from __future__ import annotations

from sqlalchemy.orm import Session

from schedules.upkeep import UpkeepRules
from store import authority


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
