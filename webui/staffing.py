"""Acts on accounts: inviting, changing, closing, and who approves for whom; each by right and with its trace."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from schedules.errors import Conflict, NotAllowed, Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.station import UnitCode, units_above
from schedules.text import Text
from store import accounts, deputies, invitations, second_factors, tokens, units
from store.accounts import Account, Person, Role
from webui.rights import can, reach
from webui.services import services
from webui.work import no_such, require, trace

LONGEST_DEPUTY = timedelta(days=92)
_MOST_DAYS = 366


def invite(*, name: str, full_name: str, role: Role, unit: UnitCode, person: Person) -> tuple[Person, str]:
    """Make an account and return it with the secret of its one-time link. Raises Refused, Conflict, Unknown."""
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        _unit(unit, person)
        require(person, "accounts.manage", unit)
        made = accounts.create(session, name=name, role=role, unit=unit, full_name=full_name, now=now)
        secret = invitations.issue(session, made, now)
        trace(session, "account.create", made.id, person, detail=f"{made.name} {role.value} {unit}")
    return made, secret


def new_link(whom: str, *, person: Person) -> tuple[Person, str]:
    """Return the person with the secret of a new one-time link to choose a password; earlier links are void."""
    here = services()
    with here.database.writing() as session:
        target = _managed(session, whom, person).person
        secret = invitations.issue(session, target, here.clock.now())
        trace(session, "account.invite", target.id, person, detail=target.name)
    return target, secret


def change(whom: str, *, full_name: str, role: Role, unit: UnitCode, person: Person) -> Person:
    """Give another name, role or unit; with another role or unit every session of the person ends at once."""
    here = services()
    with here.database.writing() as session:
        target = _managed(session, whom, person).person
        _unit(unit, person)
        require(person, "accounts.manage", unit)
        if target.id == person.id and (role is not target.role or unit != target.unit):
            raise Conflict(_not_oneself())
        accounts.rename(session, target, full_name)
        if role is not target.role or unit != target.unit:
            accounts.set_role(session, target, role, unit)
        trace(session, "account.change", target.id, person, detail=f"{target.name} {role.value} {unit}")
        return accounts.find(session, whom) or target


def close(whom: str, *, person: Person) -> Person:
    """Close an account: it is signed out everywhere, its tokens and links are void."""
    here = services()
    with here.database.writing() as session:
        target = _managed(session, whom, person).person
        if target.id == person.id:
            raise Conflict(_not_oneself())
        accounts.disable(session, target, here.clock.now())
        trace(session, "account.close", target.id, person, detail=target.name)
    return target


def reopen(whom: str, *, person: Person) -> Person:
    """Open a closed account again; its tokens stay void."""
    here = services()
    with here.database.writing() as session:
        target = _managed(session, whom, person).person
        accounts.enable(session, target.id)
        trace(session, "account.reopen", target.id, person, detail=target.name)
    return target


def drop_second_factor(whom: str, *, person: Person) -> Person:
    """Take off the second factor of somebody who lost their phone; their sessions end."""
    here = services()
    with here.database.writing() as session:
        target = _managed(session, whom, person).person
        second_factors.remove(session, target)
        accounts.end_sessions(session, target)
        trace(session, "account.second_factor_off", target.id, person, detail=target.name)
    return target


def begin_second_factor(*, person: Person) -> str:
    """Return a new secret for the person's own phone; it counts once a code of it came back. Raises Conflict."""
    here = services()
    with here.database.writing() as session:
        return second_factors.begin(session, person, here.clock.now())


def confirm_second_factor(*, code: str, person: Person) -> tuple[str, ...] | None:
    """Put the begun factor in use and return the recovery codes; None where the code is wrong."""
    here = services()
    with here.database.writing() as session:
        codes = second_factors.confirm(session, person, code, here.clock.now())
        if codes is not None:
            trace(session, "account.second_factor_on", person.id, person)
    return codes


def end_second_factor(*, person: Person) -> None:
    """Take off the own second factor."""
    here = services()
    with here.database.writing() as session:
        if second_factors.remove(session, person):
            trace(session, "account.second_factor_off", person.id, person)


def new_recovery_codes(*, person: Person) -> tuple[str, ...]:
    """Return new recovery codes of the own second factor; the earlier ones are void."""
    here = services()
    with here.database.writing() as session:
        if not second_factors.in_use(session, person):
            raise Conflict(no_such("second_factor_none", "Chưa bật mã hai bước.", "There is no second factor."))
        trace(session, "account.recovery_codes", person.id, person)
        return second_factors.new_recovery_codes(session, person)


def issue_token(*, label: str, scopes: tuple[str, ...], days: int | None, person: Person) -> str:
    """Return a new bearer token of the person, shown this once. days: how long it works; None without end."""
    here = services()
    now = here.clock.now()
    if not tokens.SCOPES.issuperset(scopes) or (days is not None and not 1 <= days <= _MOST_DAYS):
        raise Refused(
            _finding(
                "token_wrong",
                f"Hãy chọn quyền có trong danh sách và số ngày từ 1 tới {_MOST_DAYS}. Chưa tạo mã.",
                f"Choose scopes of the list and 1 to {_MOST_DAYS} days. No token was made.",
                where="days",
            )
        )
    if tokens.EMERGENCY in scopes and not can(person, "emergencies.order"):
        raise NotAllowed(
            _finding(
                "not_allowed",
                "Vai trò này không ra lệnh khẩn cấp, nên mã cũng không có quyền đó. Chưa tạo mã.",
                "This role orders no emergencies, so neither may its token. No token was made.",
            )
        )
    expires_at = None if days is None else now + timedelta(days=days)
    with here.database.writing() as session:
        secret = tokens.issue(session, person, now, label=label, expires_at=expires_at, scopes=scopes)
        trace(session, "token.issue", person.id, person, detail=f"{label} {' '.join(scopes)}")
    return secret


def name_deputy(
    *, whom: str, unit: UnitCode, since: datetime, until: datetime, reason: str, person: Person, leader: str = ""
) -> str:
    """Let somebody approve in a leader's place in `[since, until)`; the leader is `person` unless another is named.

    Whoever made a recording does not approve it, deputy or not, and an approval stays bound to its hash.
    Raises Refused, Unknown, NotAllowed.
    """
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        _unit(unit, person)
        require(person, "deputies.edit", unit)
        tree = units.every(session)
        above = {unit, *units_above(tree, unit)}
        whose = accounts.find(session, leader) if leader else person
        chosen = accounts.find(session, whom)
        if whose is None or whose.role not in (Role.APPROVER, Role.CENTRE) or whose.unit not in above:
            raise Refused(
                _finding(
                    "leader_wrong",
                    "Hãy chọn người có quyền duyệt ở đơn vị này. Chưa có gì thay đổi.",
                    "Choose somebody who approves in this unit. Nothing was changed.",
                    where="leader",
                )
            )
        if chosen is None or chosen.id == whose.id or chosen.unit not in above or chosen.role not in _MAY_STAND_IN:
            raise Refused(
                _finding(
                    "deputy_wrong",
                    "Hãy chọn cán bộ của đơn vị này hoặc cấp trên làm người duyệt thay. Chưa có gì thay đổi.",
                    "Choose somebody of this unit or of one above as deputy. Nothing was changed.",
                    where="person",
                )
            )
        if until <= max(since, now) or until - since > LONGEST_DEPUTY:
            raise Refused(
                _finding(
                    "deputy_dates",
                    f"Ngày cuối phải từ hôm nay trở đi và không quá {LONGEST_DEPUTY.days} ngày sau ngày đầu. "
                    "Chưa có gì thay đổi.",
                    f"The last day must not be past, nor {LONGEST_DEPUTY.days} days after the first. "
                    "Nothing was changed.",
                    where="until",
                )
            )
        made = deputies.name(
            session,
            unit=unit,
            leader=whose,
            person=chosen,
            since=since,
            until=until,
            reason=" ".join(reason.split()),
            named_by=person,
            now=now,
        )
        trace(session, "deputy.name", made, person, detail=f"{unit} {whose.name} {chosen.name} {until.isoformat()}")
    return made


def revoke_deputy(deputy: str, *, person: Person) -> None:
    """Take a naming back; the deputy approves nothing from the next request on. Raises Unknown."""
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        mine = next((one for one in deputies.listing(session, reach(person), since=now) if one.id == deputy), None)
        if mine is None:
            raise Unknown(no_such("deputy_unknown", "Không có người duyệt thay này.", "There is no such deputy."))
        require(person, "deputies.edit", mine.unit)
        if not deputies.revoke(session, deputy, person=person, now=now):
            raise Conflict(no_such("deputy_over", "Việc duyệt thay này đã hết.", "This naming is over already."))
        trace(session, "deputy.revoke", deputy, person, detail=f"{mine.unit} {mine.person_name}")


_MAY_STAND_IN = (Role.OPERATOR, Role.APPROVER, Role.CENTRE)


def _managed(session: Session, whom: str, person: Person) -> Account:
    found = accounts.account(session, whom)
    if found is None or found.person.unit not in reach(person):
        raise Unknown(no_such("person_unknown", "Không có tài khoản này.", "There is no such account."))
    require(person, "accounts.manage", found.person.unit)
    return found


def _unit(unit: UnitCode, person: Person) -> None:
    if unit not in reach(person):
        raise Unknown(_finding("unit_unknown", "Không có đơn vị này.", "There is no such unit.", where="unit"))


def _not_oneself() -> Finding:
    return _finding(
        "not_oneself",
        "Không tự khóa hay tự đổi vai trò của mình được. Hãy nhờ quản trị viên khác.",
        "Nobody closes or changes their own account. Ask another administrator.",
    )


def _finding(code: str, vi: str, en: str, *, where: str = "") -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=Text(vi, en), where=where)
