"""Notices that arise from what people do on the pages, with the link to the page that solves each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from schedules.noticing import Happening, NoticeKind
from schedules.text import Text
from store import notices
from store.accounts import Person

DEVICES = "/tai-khoan/thiet-bi"
# In this order: most of them call themselves by the names of the others as well.
_PROGRAMS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("coc_coc", "Cốc Cốc"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_DEVICES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def new_device(session: Session, person: Person, *, agent: str, address: str, now: datetime) -> None:
    """Tell a person that somebody signed in as them in a browser that is new."""
    program = browser(agent)
    happening = Happening(
        kind=NoticeKind.NEW_DEVICE,
        key=f"new_device:{now.isoformat()}",
        text=Text(
            f"Tài khoản {person.name} vừa đăng nhập trên thiết bị mới: {program.vi}, địa chỉ {address}.",
            f"The account {person.name} was signed in on a new device: {program.en}, address {address}.",
        ),
        path=DEVICES,
        people=(person.id,),
    )
    notices.tell(session, happening, now)


def guessing(session: Session, person: Person, *, address: str, now: datetime) -> None:
    """Tell a person that somebody tries passwords or codes for their account."""
    happening = Happening(
        kind=NoticeKind.GUESSING,
        key=f"guessing:{person.id}",
        text=Text(
            f"Có người nhập sai nhiều lần cho tài khoản {person.name}, lần cuối từ địa chỉ {address}. "
            "Mật khẩu vẫn an toàn.",
            f"Somebody tried many passwords for {person.name}, last from {address}. The password is still safe.",
        ),
        path=DEVICES,
        people=(person.id,),
    )
    notices.tell(session, happening, now)


def browser(agent: str) -> Text:
    """Return in words what a browser calls itself: its maker and the kind of device."""
    name = next((word for mark, word in _PROGRAMS if mark in agent), "")
    device = next((word for mark, word in _DEVICES if mark in agent), "")
    if not name and not device:
        return Text("chương trình không rõ", "an unknown program")
    words = " · ".join(word for word in (name, device) if word)
    return Text(words, words)
