"""How a message leaves this machine: by mail, by Telegram, or to a webhook that is signed and never leads inside."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import urllib3

from schedules.errors import LoaError
from schedules.text import Text
from store.outgoing import Attachment

TIMEOUT_S = 10.0
_MOST_ANSWERED = 65_536


class Undelivered(LoaError):
    """It did not arrive. for_good: trying again would not help. server: the sending side itself is not reachable."""

    def __init__(self, why: Text, *, for_good: bool = False, server: bool = False) -> None:
        self.why = why
        self.for_good = for_good
        self.server = server
        super().__init__(why.en)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is to be sent. id: of the delivery; a receiver that has it already may drop it."""

    id: str
    subject: str
    text: str
    kind: str
    attachments: Sequence[Attachment] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """The authority's own mail server. security: starttls, tls or none."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)


def send_mail(letter: Letter, address: str, server: MailServer) -> None:
    """Hand a mail to the server. Raises Undelivered."""
    if not server.host or not server.sender:
        raise Undelivered(
            Text("Chưa đặt máy chủ thư ở trang Cài đặt.", "No mail server is set on the page Settings."), server=True
        )
    # Loaded at the first message, and only what is needed: apprise knows a hundred services and takes its time.
    from apprise.plugins.email import NotifyEmail

    try:
        plugin = NotifyEmail(  # type: ignore[no-untyped-call]
            smtp_host=server.host,
            from_addr=server.sender,
            secure_mode={"starttls": "starttls", "tls": "ssl", "none": "insecure"}[server.security],
            targets=[address],
            host=server.host,
            port=server.port,
            user=server.user or None,
            password=server.password or None,
            secure=server.security != "none",
            format="text",
        )
    except TypeError as error:
        raise Undelivered(_not_valid(), for_good=True) from error
    _notify(plugin, letter, _attached(letter.attachments), server=True)


def send_telegram(letter: Letter, chat: str, token: str) -> None:
    """Send a message to a chat by the authority's bot. Raises Undelivered."""
    if not token:
        raise Undelivered(
            Text("Chưa đặt bot Telegram ở trang Cài đặt.", "No Telegram bot is set on the page Settings."), server=True
        )
    from apprise.plugins.telegram import NotifyTelegram

    try:
        plugin = NotifyTelegram(  # type: ignore[no-untyped-call]
            bot_token=token, targets=[chat], detect_owner=False, include_image=False, secure=True, format="text"
        )
    except TypeError as error:
        raise Undelivered(_not_valid(), for_good=True) from error
    _notify(plugin, letter, None, server=False)


def send_webhook(letter: Letter, address: str, secret: str, *, sent_at: int, private: bool) -> None:
    """Post a message as JSON, signed with HMAC-SHA-256 over `sent_at.body`. Raises Undelivered.

    private: whether addresses inside this network are allowed; else only what the whole world can reach. The address
    is looked up once and that one is used: a name that answers differently the second time leads nowhere else.
    """
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    target = _looked_up(host, port, private=private)
    body = json.dumps(
        {"id": letter.id, "kind": letter.kind, "subject": letter.subject, "text": letter.text}, ensure_ascii=False
    ).encode()
    headers = {
        "Host": parts.netloc,
        "Content-Type": "application/json",
        "User-Agent": "Loa",
        "X-Loa-Time": str(sent_at),
        "X-Loa-Signature": f"sha256={signature(secret, sent_at, body)}",
    }
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    status = _post(parts.scheme, target, port, host, path, body, headers)
    if 200 <= status < 300:
        return
    # What the receiver calls our mistake stays one; being busy or broken passes.
    for_good = 400 <= status < 500 and status not in {408, 425, 429}
    raise Undelivered(Text(f"Nơi nhận trả lời mã {status}.", f"The receiver answered {status}."), for_good=for_good)


def signature(secret: str, sent_at: int, body: bytes) -> str:
    """Return what the receiver of a webhook checks, as hexadecimal digits."""
    return hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()


def _post(scheme: str, target: str, port: int, host: str, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    timeout = urllib3.Timeout(connect=TIMEOUT_S, read=TIMEOUT_S)
    pool: urllib3.HTTPConnectionPool
    if scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            target, port, timeout=timeout, server_hostname=host, assert_hostname=host, cert_reqs="CERT_REQUIRED"
        )
    else:
        pool = urllib3.HTTPConnectionPool(target, port, timeout=timeout)
    try:
        answer = pool.request(
            "POST", path, body=body, headers=headers, redirect=False, retries=False, preload_content=False
        )
        answer.read(_MOST_ANSWERED)
        answer.release_conn()
        return int(answer.status)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        name = type(error).__name__
        raise Undelivered(Text(f"Không nối được tới {host}: {name}.", f"{host} cannot be reached: {name}.")) from error
    finally:
        pool.close()


def _looked_up(host: str, port: int, *, private: bool) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Undelivered(Text(f"Không tìm thấy máy {host}.", f"There is no host {host}.")) from error
    addresses = [str(entry[4][0]) for entry in found]
    inside = [one for one in addresses if not _of_the_world(one)]
    if inside and not private:
        raise Undelivered(
            Text(
                f"{host} là địa chỉ trong mạng nội bộ. Quản trị viên cho phép bằng notices.private_webhooks.",
                f"{host} is an address inside this network. notices.private_webhooks would allow it.",
            ),
            for_good=True,
        )
    return addresses[0]


def _of_the_world(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is not None:
            return inner.is_global and not inner.is_multicast
        if ip.teredo is not None or ip in ipaddress.ip_network("64:ff9b::/96"):
            return False
    return ip.is_global and not ip.is_multicast


def _notify(plugin: Any, letter: Letter, attached: Any, *, server: bool) -> None:  # noqa: ANN401 - apprise is untyped
    import apprise

    plugin.socket_connect_timeout = plugin.socket_read_timeout = TIMEOUT_S
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as said:  # type: ignore[no-untyped-call]
        done = plugin.notify(body=letter.text, title=letter.subject, attach=attached, body_format="text")
        why = _last_line(said.getvalue())
    if not done:
        raise Undelivered(Text(f"Không gửi được: {why}", f"It could not be sent: {why}"), server=server)


def _not_valid() -> Text:
    return Text("Địa chỉ hoặc máy chủ không hợp lệ.", "The address or the server is not valid.")


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "—"


def _attached(attachments: Sequence[Attachment]) -> Any:  # noqa: ANN401 - apprise is untyped
    if not attachments:
        return None
    import apprise
    from apprise.attachment.memory import AttachMemory

    found = apprise.AppriseAttachment()
    for one in attachments:
        file = AttachMemory(content=one.content, name=one.name, mimetype=one.media_type)  # type: ignore[no-untyped-call]
        found.add(file)
    return found
