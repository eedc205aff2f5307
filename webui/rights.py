"""Who may do what: one table of permissions and roles, each for a unit and what lies below it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from schedules.station import Station, Unit, UnitCode
from store.accounts import Person, Role
from webui.visitor import Visitor

_O, _A, _C, _I, _R = Role.OPERATOR, Role.APPROVER, Role.CENTRE, Role.INSPECTOR, Role.ADMIN
_EVERYBODY = frozenset(Role)
_EDITORS = frozenset({_O, _A, _C})

# Nobody may change the air log: there is no such permission because there is no such act.
MATRIX: Mapping[str, frozenset[Role]] = MappingProxyType(
    {
        "stations.read": _EVERYBODY,
        "plan.read": _EVERYBODY,
        "airlog.read": _EVERYBODY,
        "aircheck.listen": _EVERYBODY,
        "faults.read": _EVERYBODY,
        # An inspector's word would be worth a lot, but inspectors change nothing here: they write their own minutes.
        "airings.confirm": _EDITORS | {_R},
        "duties.read": _EVERYBODY,
        "segments.read": _EVERYBODY,
        "grid.read": _EVERYBODY,
        # An inspector only looks. An administrator looks after accounts and machines and does not judge content.
        "segments.create": _EDITORS | {_R},
        "segments.submit": _EDITORS | {_R},
        "segments.withdraw": _EDITORS | {_R},
        "segments.approve": frozenset({_A, _C}),
        "airings.order": _EDITORS | {_R},
        # Silence is always the safe side: everybody who acts at all may order it.
        "stations.stop": _EDITORS | {_R},
        # A voice without approval: people of the station and their leaders, nobody who only keeps machines.
        "stations.talk": _EDITORS,
        "stations.test": _EDITORS | {_R},
        "stations.clock": _EDITORS | {_R},
        "emergencies.read": _EVERYBODY,
        "emergencies.order": _EDITORS,
        "emergencies.confirm": frozenset({_A, _C}),
        "emergencies.stop": _EDITORS | {_R},
        "emergencies.prepare": _EDITORS,
        "emergencies.approve": frozenset({_A, _C}),
        "grid.edit": _EDITORS | {_R},
        # These hold for every station, or for what others are measured by: not for the communes themselves.
        "calendar.edit": frozenset({_C, _R}),
        "programmes.edit": frozenset({_C, _R}),
        "sources.read": _EVERYBODY,
        "sources.edit": frozenset({_C, _R}),
        "duties.excuse": frozenset({_C, _R}),
        "duties.edit": frozenset({_C, _R}),
        "stations.edit": frozenset({_C, _R}),
        "guidance.read": _EVERYBODY,
        "guidance.edit": frozenset({_C, _R}),
        "inbox.read": _EDITORS,
        "inbox.manage": _EDITORS,
        "public.publish": _EDITORS,
        "dispatch.read": _EVERYBODY,
        "dispatch.send": frozenset({_C}),
        "dispatch.receive": _EDITORS,
        "portal.read": _EVERYBODY,
        "portal.edit": _EDITORS | {_R},
        "equipment.read": _EVERYBODY,
        "equipment.edit": _EDITORS | {_R},
        # Who repaired does not accept: the leader does, or the tier above.
        "tickets.accept": frozenset({_A, _C}),
        "inspections.read": _EVERYBODY,
        "inspections.write": frozenset({_C}),
        "complaints.read": _EDITORS | {_I},
        "complaints.edit": _EDITORS,
        "assignments.read": _EVERYBODY,
        "assignments.edit": _EDITORS,
        "reports.read": _EVERYBODY,
        "reports.issue": frozenset({_A, _C}),
        "reports.schedule": _EDITORS | {_R},
        "pay.read": _EDITORS | {_I},
        "pay.edit": frozenset({_O, _A}),
        "deputies.edit": frozenset({_A, _C, _R}),
        "notices.manage": frozenset({_C, _R}),
        "settings.edit": frozenset({_C, _R}),
        "accounts.manage": frozenset({_R}),
        "audit.read": frozenset({_I, _R}),
        "account.own": _EVERYBODY,
    }
)


def permits(role: Role, permission: str) -> bool:
    """Return whether the role has the permission at all. Raises KeyError for a permission that is not in the table."""
    return role in MATRIX[permission]


def reach(person: Person) -> frozenset[UnitCode]:
    """Return the units that the person acts for; only the own one where the units below were not looked up."""
    return person.reach if isinstance(person, Visitor) else frozenset({person.unit})


DEPUTISED = frozenset({"segments.approve"})
"""What a leader's deputy may do in the leader's unit, whatever the own role is; nobody approves their own recording."""


def can(person: Person, permission: str, of: Station | Unit | UnitCode | None = None) -> bool:
    """Return whether the person may do it, there. of: a station, or a unit or its code; None asks about the role."""
    where: frozenset[UnitCode] = reach(person) if permits(person.role, permission) else frozenset()
    if permission in DEPUTISED and isinstance(person, Visitor):
        where |= person.deputy
    if of is None:
        return bool(where)
    unit = of.unit if isinstance(of, Station) else of.code if isinstance(of, Unit) else of
    return unit in where
