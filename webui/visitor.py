"""The person behind a request, as Flask-Login carries them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from schedules.station import Unit, UnitCode, units_below
from store.accounts import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor(Person):
    """A signed-in person. reach: their unit and all below it. key: the session's secret; empty for a bearer token.

    deputy: units in which they approve in a leader's place now. lacking: their role asks for a second factor that they
    have not set up; until then they do nothing else.
    """

    reach: frozenset[UnitCode]
    key: str
    deputy: frozenset[UnitCode] = frozenset()
    lacking: bool = False

    @property
    def is_authenticated(self) -> bool:
        """Always: nobody else becomes a visitor."""
        return True

    @property
    def is_active(self) -> bool:
        """Always: closed accounts are not loaded."""
        return True

    @property
    def is_anonymous(self) -> bool:
        """Never."""
        return False

    def get_id(self) -> str:
        """Return what the cookie carries: the secret of this one session, never the person's id."""
        return self.key


def visitor(
    person: Person,
    units: Iterable[Unit],
    *,
    key: str,
    deputy: frozenset[UnitCode] = frozenset(),
    lacking: bool = False,
) -> Visitor:
    """Return the person with what they reach."""
    known = {field.name: getattr(person, field.name) for field in fields(Person)}
    return Visitor(**known, reach=units_below(tuple(units), person.unit), key=key, deputy=deputy, lacking=lacking)
