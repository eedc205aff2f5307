"""Nguồn tiếp âm: what stations may relay, each with the only addresses that it may lead to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.findings import Finding
from schedules.sources import RelaySource, SourceKind, StreamFormat
from store import sources as kept
from webui import planning
from webui.auth import allowed
from webui.pages import states
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import scope
from webui.pages.session import Reading
from webui.rights import can
from webui.services import services

_CODE = re.compile(r"[A-Z0-9]{2,20}")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_LINE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LONGEST = 1000
_MOST_HOSTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A source as its form shows it. hosts: as typed."""

    code: str = ""
    name: str = ""
    kind: str = SourceKind.HTTP.value
    address: str = ""
    hosts: str = ""
    format: str = ""


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/nguon", "sources", sources)
    pages.add_url_rule("/nguon/sua", "source", source, methods=["GET", "POST"])
    pages.add_url_rule("/nguon/bo", "remove_source", remove_source, methods=["POST"])


@allowed("sources.read")
def sources() -> AnyResponse:
    """List the sources."""
    mine = scope()
    known = _known()
    return page(
        "sources.html",
        active="sources",
        listed=[(one, _about(one)) for one in known],
        may_edit=can(mine.person, "sources.edit"),
        answer=ngettext("%(num)d nguồn tiếp âm.", "%(num)d nguồn tiếp âm.", len(known))
        if known
        else _("Chưa có nguồn tiếp âm nào."),
    )


@allowed("sources.edit")
def source() -> AnyResponse:
    """Show the form of a source (`ma=` names it, none is a new one), or save it."""
    asked = request.values.get("ma", "")
    every = _known()
    known = next((one for one in every if one.code == asked), None)
    if asked and known is None:
        abort(404)
    if request.method == "GET":
        return _form(_shown(known) if known else Wanted(), known, ())
    form = request.form
    wanted = Wanted(
        code=known.code if known else form.get("code", "").strip().upper()[:20],
        name=" ".join(form.get("name", "").split())[:200],
        kind=form.get("kind", ""),
        address=form.get("address", "").strip(),
        hosts=form.get("hosts", "").strip()[:_LONGEST],
        format=form.get("format", ""),
    )
    made, problems = _source(wanted, known, {one.code for one in every})
    if made is None:
        return _form(wanted, known, problems)
    try:
        planning.save_source(made, person=scope().person)
    except Refused as refused:
        return _form(wanted, known, refused.findings)
    flash(_("Đã lưu nguồn “%(name)s”.", name=made.name), "done")
    return redirect(url_for("pages.sources"), 303)


@allowed("sources.edit")
def remove_source() -> AnyResponse:
    """Forget a source that nothing relays any more."""
    try:
        planning.remove_source(request.form.get("ma", ""), person=scope().person)
    except Refused as refused:
        words = [say(text) for finding in refused.findings for text in (finding.message, finding.hint) if text]
        flash(" ".join(words), "bad")
    else:
        flash(_("Đã bỏ nguồn."), "done")
    return redirect(url_for("pages.sources"), 303)


def _known() -> tuple[RelaySource, ...]:
    with services().database.reading() as session:
        return kept.every(session)


def _about(one: RelaySource) -> str:
    words = [one.code, say(states.SOURCES[one.kind])]
    if one.format is not None:
        words.append(say(states.FORMATS[one.format]))
    if one.hosts:
        words.append(_("được dẫn tới %(hosts)s", hosts=", ".join(one.hosts)))
    return " · ".join(words)


def _shown(known: RelaySource) -> Wanted:
    return Wanted(
        code=known.code,
        name=known.name,
        kind=known.kind.value,
        address=known.address,
        hosts=" ".join(known.hosts),
        format="" if known.format is None else known.format.value,
    )


def _source(
    wanted: Wanted, known: RelaySource | None, taken: Collection[str]
) -> tuple[RelaySource | None, tuple[Finding, ...]]:
    reading = Reading()
    if known is None and (not _CODE.fullmatch(wanted.code) or wanted.code in taken):
        reading.wrong(
            "code",
            "Mã gồm 2 tới 20 chữ in hoa không dấu hoặc số, và chưa dùng cho nguồn khác.",
            "A code is 2 to 20 capital letters or digits that no other source has.",
        )
    if not wanted.name:
        reading.wrong("name", "Hãy đặt tên nguồn.", "Give the source a name.")
    kind = next((one for one in SourceKind if one.value == wanted.kind), None)
    stream = next((one for one in StreamFormat if one.value == wanted.format), None)
    hosts = tuple(dict.fromkeys(host for host in re.split(r"[\s,;]+", wanted.hosts.lower()) if host))
    if kind is None:
        reading.wrong("kind", "Hãy chọn loại nguồn.", "Choose the kind of source.")
    elif kind is SourceKind.LINE:
        if not _LINE.fullmatch(wanted.address):
            reading.wrong(
                "address",
                "Với đường vào, hãy ghi tên của nó trong config.yaml của đài, như line1.",
                "For an input, write its name in the station's config.yaml, such as line1.",
            )
    else:
        _check_address(reading, wanted.address)
        if kind is SourceKind.HTTP and stream is None:
            reading.wrong("format", "Hãy chọn định dạng của luồng.", "Choose the format of the stream.")
    if len(hosts) > _MOST_HOSTS or not all(_HOST.fullmatch(host) for host in hosts):
        reading.wrong(
            "hosts",
            f"Mỗi máy chủ ghi như radio.example.vn, không có http:// và cổng; nhiều nhất {_MOST_HOSTS}.",
            f"Write each host as radio.example.vn, without http:// or a port; at most {_MOST_HOSTS}.",
        )
    if reading.problems or kind is None:
        return None, tuple(reading.problems)
    return (
        RelaySource(
            code=wanted.code,
            name=wanted.name,
            kind=kind,
            address=wanted.address,
            hosts=() if kind is SourceKind.LINE else hosts,
            format=stream if kind is SourceKind.HTTP else None,
        ),
        (),
    )


def _check_address(reading: Reading, address: str) -> None:
    parts = _split(address)
    if parts is None or not _HOST.fullmatch((parts.hostname or "").lower()):
        reading.wrong(
            "address",
            "Địa chỉ bắt đầu bằng http:// hoặc https://, có tên máy chủ, không có khoảng trắng.",
            "An address begins with http:// or https://, has a host and no spaces.",
        )
        return
    if parts.username is not None or parts.password is not None or parts.fragment:
        reading.wrong(
            "address",
            "Địa chỉ không được chứa tên đăng nhập, mật khẩu hay dấu #: mọi đài đều đọc được.",
            "An address must not hold a user, a password or a #: every station can read it.",
        )
    if not services().demo and _of_the_machine(parts.hostname or ""):
        reading.wrong(
            "address",
            "Địa chỉ này trỏ vào chính máy phát của đài, không phải một nguồn bên ngoài.",
            "This address is the station's own machine, not a source outside.",
        )


def _split(address: str) -> SplitResult | None:
    if not 0 < len(address) <= _LONGEST or not address.isprintable() or " " in address:
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in {"http", "https"} and port != 0 else None


def _of_the_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        known = ipaddress.ip_address(host)
    except ValueError:
        return False
    return known.is_loopback or known.is_link_local or known.is_unspecified or known.is_multicast


def _form(wanted: Wanted, known: RelaySource | None, problems: tuple[Finding, ...]) -> AnyResponse:
    return page(
        "source.html",
        active="sources",
        code=422 if problems else 200,
        wanted=wanted,
        known=known,
        errors=problems,
        kinds=list(SourceKind),
        formats=list(StreamFormat),
    )
