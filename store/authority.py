"""Settings that people decide for the whole authority on the page Cài đặt; what belongs to a machine is config.yaml's.

Every setting is declared once, here, with its type, its limits and what holds where nobody decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Generic, TypeVar, cast

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import tables_notices
from store.accounts import Person

T = TypeVar("T", bool, int, str, tuple[str, ...])
_TABLE = tables_notices.setting
_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """One setting. least, most: of a number. secret: never shown again. among: the only values, where not empty."""

    key: str
    usual: T
    name: Text
    least: int = 0
    most: int = 1_000_000
    secret: bool = False
    among: tuple[str, ...] = ()
    hint: Text = field(default_factory=lambda: Text("", ""))


HEAR_ALL = Setting(
    key="approval.hear_all",
    usual=False,
    name=Text("Duyệt phải nghe hết bài", "An item must be heard to its end before it is approved"),
)
INBOX_DAYS = Setting(
    key="inbox.days",
    usual=90,
    least=1,
    most=3660,
    name=Text("Số ngày giữ tin thôn gửi và tên người gửi", "Days that contributions and their senders are kept"),
)
ASK_FOR_APPROVAL = Setting(
    key="safety.ask_for_approval",
    usual=False,
    name=Text("Hỏi lại mật khẩu khi duyệt bài", "Ask for the password again before an approval"),
)
SECOND_FACTOR_ROLES: Setting[tuple[str, ...]] = Setting(
    key="safety.second_factor_roles",
    usual=(),
    among=("operator", "approver", "centre", "inspector", "admin"),
    name=Text("Vai trò phải dùng mã xác thực hai bước", "Roles that must use a second factor"),
)
BASE_URL = Setting(
    key="web.base_url",
    usual="",
    name=Text("Địa chỉ của hệ thống trong thư và liên kết", "Address of this system in mails and links"),
    hint=Text("Ví dụ: https://loa.xalonghiep.vn", "Such as https://loa.xalonghiep.vn"),
)
MAIL_SERVER = Setting(key="mail.server", usual="", name=Text("Máy chủ thư (SMTP)", "Mail server (SMTP)"))
MAIL_PORT = Setting(key="mail.port", usual=587, least=1, most=65535, name=Text("Cổng", "Port"))
MAIL_SECURITY = Setting(
    key="mail.security",
    usual="starttls",
    among=("starttls", "tls", "none"),
    name=Text("Mã hóa", "Encryption"),
)
MAIL_USER = Setting(key="mail.user", usual="", name=Text("Tên đăng nhập thư", "Mail user"))
MAIL_PASSWORD = Setting(key="mail.password", usual="", secret=True, name=Text("Mật khẩu thư", "Mail password"))
MAIL_FROM = Setting(key="mail.from", usual="", name=Text("Địa chỉ gửi đi", "Sender's address"))
TELEGRAM_TOKEN = Setting(
    key="telegram.token",
    usual="",
    secret=True,
    name=Text("Mã của bot Telegram", "Token of the Telegram bot"),
)
UPKEEP_REPAIR_DAYS = Setting(
    key="upkeep.repair_days",
    usual=5,
    least=1,
    most=365,
    name=Text("Số ngày phải sửa xong một hư hỏng", "Days within which a fault is to be repaired"),
)
UPKEEP_ESCALATE_DAYS = Setting(
    key="upkeep.escalate_days",
    usual=5,
    least=1,
    most=365,
    name=Text(
        "Số ngày chưa nghiệm thu thì phiếu báo hỏng được báo lên cấp trên",
        "Days without acceptance after which a ticket is told to the tier above",
    ),
)
UPKEEP_RETURNS_DAYS = Setting(
    key="upkeep.returns_days",
    usual=14,
    least=0,
    most=365,
    name=Text(
        "Hỏng lại trong bao nhiêu ngày sau nghiệm thu thì mở lại phiếu cũ",
        "Days after acceptance within which the same fault opens its ticket again",
    ),
)
UPKEEP_CHECK_DAYS = Setting(
    key="upkeep.check_days",
    usual=30,
    least=1,
    most=365,
    name=Text("Xã tự kiểm tra thiết bị mỗi bao nhiêu ngày", "Days between a commune's own checks of its equipment"),
)
UPKEEP_ANSWER_DAYS = Setting(
    key="upkeep.answer_days",
    usual=10,
    least=1,
    most=365,
    name=Text("Số ngày phải trả lời phản ánh của người dân", "Days within which residents' complaints are answered"),
)
UPKEEP_NO_CONTACT_MIN = Setting(
    key="upkeep.no_contact_min",
    usual=60,
    least=5,
    most=10_080,
    name=Text(
        "Mất liên lạc với đài bao nhiêu phút thì mở phiếu báo hỏng",
        "Minutes without contact after which a station has a ticket",
    ),
)
UPKEEP_LASTING_MIN = Setting(
    key="upkeep.lasting_min",
    usual=0,
    least=0,
    most=1440,
    name=Text(
        "Thêm bao nhiêu phút trước khi máy tự mở phiếu cho một sự cố",
        "Minutes more before the system opens a ticket for a fault",
    ),
)
UPKEEP_PHONE_DAYS = Setting(
    key="upkeep.phone_days",
    usual=90,
    least=1,
    most=3660,
    name=Text("Số ngày giữ số điện thoại của người báo hỏng", "Days that telephone numbers of reporters are kept"),
)

Value = bool | int | str | tuple[str, ...]
AnySetting = Setting[bool] | Setting[int] | Setting[str] | Setting[tuple[str, ...]]

EVERY: Mapping[str, AnySetting] = MappingProxyType(
    {
        one.key: one
        for one in (
            HEAR_ALL,
            INBOX_DAYS,
            ASK_FOR_APPROVAL,
            SECOND_FACTOR_ROLES,
            BASE_URL,
            MAIL_SERVER,
            MAIL_PORT,
            MAIL_SECURITY,
            MAIL_USER,
            MAIL_PASSWORD,
            MAIL_FROM,
            TELEGRAM_TOKEN,
            UPKEEP_REPAIR_DAYS,
            UPKEEP_ESCALATE_DAYS,
            UPKEEP_RETURNS_DAYS,
            UPKEEP_CHECK_DAYS,
            UPKEEP_ANSWER_DAYS,
            UPKEEP_NO_CONTACT_MIN,
            UPKEEP_LASTING_MIN,
            UPKEEP_PHONE_DAYS,
        )
    }
)


def value(session: Session, setting: Setting[T]) -> T:
    """Return what was decided, else what usually holds."""
    return cast(T, any_value(session, cast(AnySetting, setting)))


def any_value(session: Session, setting: AnySetting) -> Value:
    """Return as `value` does, for a setting whose type is not known."""
    kept = session.scalar(select(_TABLE.c.value).where(_TABLE.c.key == setting.key))
    if isinstance(setting.usual, tuple):
        return tuple(str(one) for one in kept) if isinstance(kept, list) else setting.usual
    return cast(Value, kept) if isinstance(kept, type(setting.usual)) else setting.usual


def decide(session: Session, setting: AnySetting, wanted: Value, *, person: Person | None, now: datetime) -> bool:
    """Keep the value and return whether it changed. Raises Refused for one that is out of its limits."""
    problem = _problem(setting, wanted)
    if problem is not None:
        raise Refused(Finding(code="setting_wrong", severity=Severity.ERROR, where=setting.key, message=problem))
    if any_value(session, setting) == wanted:
        return False
    session.execute(delete(_TABLE).where(_TABLE.c.key == setting.key))
    session.execute(
        insert(_TABLE).values(
            key=setting.key,
            value=list(wanted) if isinstance(wanted, tuple) else wanted,
            changed_at=now,
            changed_by=None if person is None else person.id,
        )
    )
    return True


def _problem(setting: AnySetting, wanted: Value) -> Text | None:
    name = setting.name
    if isinstance(wanted, bool):
        return None
    if isinstance(wanted, int):
        if setting.least <= wanted <= setting.most:
            return None
        return Text(
            f"{name.vi}: hãy ghi số từ {setting.least} tới {setting.most}. Chưa có gì thay đổi.",
            f"{name.en}: a number from {setting.least} to {setting.most}. Nothing was changed.",
        )
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    if setting.among and not set(values) <= set(setting.among):
        return Text(
            f"{name.vi}: không có lựa chọn này. Chưa có gì thay đổi.",
            f"{name.en}: there is no such choice. Nothing was changed.",
        )
    if any(len(one) > _LONGEST or not one.isprintable() for one in values):
        return Text(
            f"{name.vi}: dài quá {_LONGEST} ký tự hoặc có ký tự lạ. Chưa có gì thay đổi.",
            f"{name.en}: longer than {_LONGEST} characters, or with unusual ones. Nothing was changed.",
        )
    return None
