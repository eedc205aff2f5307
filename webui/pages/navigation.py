"""What stands in the rail and in the bottom bar, by role; nobody sees an entry that they may not use."""

from __future__ import annotations

from dataclasses import dataclass, replace

from schedules.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. key: what `active` names; count: which number of the layout it shows."""

    key: str
    endpoint: str
    icon: str
    label: Text
    short: Text | None = None
    count: str = ""
    main: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Entries of one kind of work; no title for the first."""

    title: Text | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """Rail of the desktop and bar of the phone. foot: at the end of the rail, away from daily work.

    rest: what is not of every day, on the page "Thêm" alone: a rail as long as the screen hides its own foot.
    """

    groups: tuple[Group, ...]
    tabs: tuple[Entry, ...]
    foot: tuple[Entry, ...]
    rest: tuple[Entry, ...] = ()


TODAY = Entry(key="today", endpoint="pages.today", icon="home", label=Text("Hôm nay", "Today"))
APPROVE = Entry(
    key="approve",
    endpoint="pages.approvals",
    icon="check",
    label=Text("Chờ duyệt", "To approve"),
    short=Text("Duyệt", "Approve"),
    count="waiting",
)
STATIONS = Entry(key="stations", endpoint="pages.stations", icon="stations", label=Text("Các đài", "Stations"))
ITEMS = Entry(key="items", endpoint="pages.items", icon="mic", label=Text("Tin, bài", "Items"))
TEXTS = Entry(key="texts", endpoint="pages.texts", icon="edit", label=Text("Văn bản, lời đọc", "Texts"))
GUIDANCE = Entry(key="guidance", endpoint="pages.guidances", icon="help", label=Text("Hướng dẫn", "Guidance"))
NEW = Entry(key="new", endpoint="pages.new_item", icon="plus", label=Text("Tạo bài", "New item"), main=True)
WEEK = Entry(key="week", endpoint="pages.this_week", icon="week", label=Text("Lịch phát", "Schedule"))
DUTIES = Entry(key="duties", endpoint="pages.duties", icon="duties", label=Text("Nhiệm vụ", "Duties"))
LOG = Entry(
    key="log",
    endpoint="pages.airlog",
    icon="log",
    label=Text("Nhật ký phát sóng", "Air log"),
    short=Text("Nhật ký", "Air log"),
)
FAULTS = Entry(key="faults", endpoint="pages.faults", icon="silence", label=Text("Sự cố", "Faults"), count="faults")
EQUIPMENT = Entry(
    key="equipment", endpoint="pages.equipment", icon="tool", label=Text("Thiết bị", "Equipment"), count="tickets"
)
INSPECTIONS = Entry(
    key="inspections", endpoint="pages.inspections", icon="shield", label=Text("Kiểm tra", "Inspections")
)
COMPLAINTS = Entry(
    key="complaints", endpoint="pages.complaints", icon="user", label=Text("Phản ánh", "Complaints"), count="complaints"
)
ASSIGNMENTS = Entry(
    key="assignments",
    endpoint="pages.assignments",
    icon="edit",
    label=Text("Giao việc", "Assignments"),
    count="assignments",
)
DISPATCHES = Entry(
    key="dispatches", endpoint="pages.dispatches", icon="upload", label=Text("Gửi xuống xã", "Sent to communes")
)
PORTAL = Entry(key="portal", endpoint="pages.portal", icon="link", label=Text("Cổng thông tin", "Portal"))
INBOX = Entry(
    key="inbox", endpoint="pages.inbox", icon="inbox", label=Text("Hộp tin thôn gửi", "Village inbox"), count="inbox"
)
PUBLISHING = Entry(
    key="publishing", endpoint="pages.publishing", icon="listen", label=Text("Trang nghe lại", "Listen again")
)
REPORTS = Entry(key="reports", endpoint="pages.reports", icon="chart", label=Text("Báo cáo", "Reports"))
PAY = Entry(key="pay", endpoint="pages.pay", icon="list", label=Text("Thù lao", "Remuneration"))
PEOPLE = Entry(key="people", endpoint="pages.people", icon="user", label=Text("Tài khoản", "Accounts"))
AUTHORITY = Entry(key="authority", endpoint="pages.authority", icon="settings", label=Text("Cài đặt", "Settings"))
PROGRAMMES = Entry(key="programmes", endpoint="pages.programmes", icon="list", label=Text("Chuyên mục", "Programmes"))
SOURCES = Entry(key="sources", endpoint="pages.sources", icon="link", label=Text("Nguồn tiếp âm", "Relay sources"))
EMERGENCY = Entry(
    key="emergency",
    endpoint="pages.emergencies",
    icon="urgent",
    label=Text("Phát khẩn cấp", "Emergency broadcast"),
    short=Text("Khẩn cấp", "Emergency"),
)
MORE = Entry(key="more", endpoint="pages.more", icon="more", label=Text("Thêm", "More"))

_MAKING = Text("Làm chương trình", "Making programmes")
_WATCHING = Text("Theo dõi", "Watching")
_SYSTEM = Text("Hệ thống", "System")

_OFFICER = Menu(
    groups=(
        Group(title=None, entries=(TODAY,)),
        Group(title=_MAKING, entries=(ITEMS, TEXTS, INBOX, ASSIGNMENTS, WEEK)),
        Group(title=_WATCHING, entries=(DUTIES, LOG, EQUIPMENT, FAULTS, REPORTS)),
    ),
    tabs=(TODAY, DUTIES, NEW, WEEK, MORE),
    foot=(EMERGENCY,),
    rest=(STATIONS, PUBLISHING, COMPLAINTS, PORTAL, PAY, INSPECTIONS, GUIDANCE),
)
_LEADER = Menu(
    groups=(
        Group(title=None, entries=(APPROVE, TODAY)),
        Group(title=_WATCHING, entries=(DUTIES, LOG, EQUIPMENT, COMPLAINTS, REPORTS)),
        Group(title=_MAKING, entries=(ITEMS, ASSIGNMENTS, WEEK, PAY)),
    ),
    tabs=(APPROVE, TODAY, DUTIES, EMERGENCY, MORE),
    foot=(EMERGENCY,),
    rest=(STATIONS, FAULTS, INSPECTIONS, TEXTS, GUIDANCE),
)
_CENTRE = Menu(
    groups=(
        Group(title=None, entries=(STATIONS,)),
        Group(title=_WATCHING, entries=(DUTIES, LOG, EQUIPMENT, INSPECTIONS, REPORTS)),
        Group(title=_MAKING, entries=(DISPATCHES, ITEMS, APPROVE, WEEK, ASSIGNMENTS, PORTAL)),
    ),
    tabs=(STATIONS, DUTIES, LOG, EQUIPMENT, MORE),
    foot=(EMERGENCY,),
    rest=(FAULTS, COMPLAINTS, TEXTS, GUIDANCE, PAY, PROGRAMMES, SOURCES, AUTHORITY),
)
_INSPECTOR = Menu(
    groups=(
        Group(title=None, entries=(STATIONS,)),
        Group(title=_WATCHING, entries=(DUTIES, LOG, EQUIPMENT, FAULTS, INSPECTIONS, REPORTS)),
        Group(title=Text("Chương trình", "Programmes"), entries=(ITEMS, DISPATCHES, WEEK)),
    ),
    tabs=(STATIONS, DUTIES, LOG, EQUIPMENT, MORE),
    foot=(EMERGENCY,),
    rest=(COMPLAINTS, PORTAL, PAY, GUIDANCE),
)
_ADMIN = Menu(
    groups=(
        Group(title=None, entries=(STATIONS,)),
        Group(title=_WATCHING, entries=(DUTIES, LOG, EQUIPMENT, FAULTS, REPORTS)),
        Group(title=_MAKING, entries=(ITEMS, WEEK, PROGRAMMES, SOURCES)),
        Group(title=_SYSTEM, entries=(PEOPLE, AUTHORITY)),
    ),
    tabs=(STATIONS, DUTIES, LOG, WEEK, MORE),
    foot=(EMERGENCY,),
    rest=(INSPECTIONS, TEXTS, GUIDANCE),
)
MENUS = {
    "operator": _OFFICER,
    "approver": _LEADER,
    "centre": _CENTRE,
    "inspector": _INSPECTOR,
    "admin": _ADMIN,
}


def menu(role: str, *, deputy: bool = False) -> Menu:
    """Return the menu of a role, for a leader's deputy with what waits; raises KeyError for an unknown role."""
    its = MENUS[role]
    if not deputy or any(APPROVE in group.entries for group in its.groups):
        return its
    first, *rest = its.groups
    return replace(its, groups=(replace(first, entries=(*first.entries, APPROVE)), *rest))
