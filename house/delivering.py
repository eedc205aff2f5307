"""Sends what is queued: urgent messages first, several for one address together, again later where it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from house import messengers
from house.messengers import Letter, MailServer, Undelivered
from schedules.clock import Clock
from schedules.text import Text
from store import authority, channels, notices, outgoing
from store.database import Database
from store.outgoing import Delivery

SEND_S = 5
AT_ONCE = 20
"""Messages that are sent in one go."""
AN_HOUR = 30
"""Messages that one address gets in an hour; urgent ones go beyond."""
KEPT = timedelta(days=60)
_ALONE = frozenset({"code", "password"})
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The ways out, and what they need; tests put their own in the place of one."""

    mail: Callable[[Letter, str, MailServer], None] = messengers.send_mail
    telegram: Callable[[Letter, str, str], None] = messengers.send_telegram
    webhook: Callable[..., None] = messengers.send_webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """Delivers from one database. private_webhooks: addresses inside this network are allowed."""

    database: Database
    clock: Clock
    private_webhooks: bool = False
    ways: Ways = Ways()

    def run(self) -> int:
        """Send what is due; returns how many messages left."""
        now = self.clock.now()
        with self.database.reading() as session:
            waiting = outgoing.due(session, now, limit=AT_ONCE)
            server = MailServer(
                host=authority.value(session, authority.MAIL_SERVER),
                port=authority.value(session, authority.MAIL_PORT),
                security=authority.value(session, authority.MAIL_SECURITY),
                sender=authority.value(session, authority.MAIL_FROM),
                user=authority.value(session, authority.MAIL_USER),
                password=authority.value(session, authority.MAIL_PASSWORD),
            )
            token = authority.value(session, authority.TELEGRAM_TOKEN)
        sent = 0
        broken: set[str] = set()
        for group in _together(waiting):
            if group[0].kind in broken:
                continue
            try:
                sent += self._send(group, server, token)
            except Undelivered as error:
                self._failed(group, error)
                if error.server:
                    # The server itself does not answer: the others would wait for it one by one.
                    broken.add(group[0].kind)
        return sent

    def clear(self) -> None:
        """Remove what is long over."""
        now = self.clock.now()
        with self.database.writing() as session:
            outgoing.sweep(session, now - KEPT)
            notices.sweep(session, now)

    def _send(self, group: Sequence[Delivery], server: MailServer, token: str) -> int:
        first = group[0]
        now = self.clock.now()
        with self.database.reading() as session:
            files = outgoing.attachments(session, first.outgoing)
            often = (
                first.channel is not None
                and not first.urgent
                and outgoing.sent_since(session, first.channel, now - timedelta(hours=1)) >= AN_HOUR
            )
        if often:
            self._later(group, now + timedelta(minutes=20), _often(), tried=False)
            return 0
        letter = Letter(id=first.id, subject=first.subject, text=first.text, kind=first.about, attachments=files)
        if len(group) > 1:
            texts = "\n\n".join(f"{one.subject}\n{one.text}" for one in group)
            letter = replace(letter, subject=f"Loa: {len(group)} tin", text=texts)
        match first.kind:
            case "mail":
                self.ways.mail(letter, first.address, server)
            case "telegram":
                self.ways.telegram(letter, first.address, token)
            case _:
                self.ways.webhook(
                    letter, first.address, first.secret, sent_at=int(now.timestamp()), private=self.private_webhooks
                )
        with self.database.writing() as session:
            for one in group:
                outgoing.sent(session, one.id, self.clock.now())
        return len(group)

    def _failed(self, group: Sequence[Delivery], error: Undelivered) -> None:
        first, now = group[0], self.clock.now()
        address = channels.masked(first.kind, first.address)
        _log.warning("message_undelivered", kind=first.kind, address=address, why=error.why.en)
        again = None if error.for_good else outgoing.next_try(first.attempts, now)
        if again is not None:
            self._later(group, again, error.why)
            return
        with self.database.writing() as session:
            for one in group:
                outgoing.failed(session, one.id, now, error.why)

    def _later(self, group: Sequence[Delivery], until: datetime, why: Text, *, tried: bool = True) -> None:
        with self.database.writing() as session:
            for one in group:
                outgoing.postpone(session, one.id, until=until, why=why, tried=tried)


def _together(waiting: Sequence[Delivery]) -> list[list[Delivery]]:
    """Return what goes out in one message each: those for one channel together, unless they are urgent or secret."""
    groups: dict[str, list[Delivery]] = {}
    for one in waiting:
        alone = one.channel is None or one.urgent or one.about in _ALONE or one.files
        groups.setdefault(one.id if alone else f"channel {one.channel}", []).append(one)
    return list(groups.values())


def _often() -> Text:
    return Text(
        f"Địa chỉ này đã nhận {AN_HOUR} tin trong một giờ.", f"This address had {AN_HOUR} messages within an hour."
    )
