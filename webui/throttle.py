"""The brake on guessing names, passwords and codes: counts failures over restarts, and locks nobody out for good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from schedules.clock import Clock
from store import failures
from store.accounts import Person
from store.database import Database

_HOUR = timedelta(hours=1)
_QUARTER = timedelta(minutes=15)
_SWEPT_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many failures in so long a time. kind, key: what they are counted by."""

    kind: str
    key: str
    most: int
    span: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a try comes from. device: the secret of a browser's own cookie; empty for a browser that has none."""

    address: str
    device: str = ""


class Throttle:
    """Counts failed tries in the database.

    For one account 100 an hour are tried at most (ASVS 2.2.1): 40 from anywhere, 30 from addresses and 30 from browsers
    at which its person is known, each counted apart, so that a flood from elsewhere keeps nobody out.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._swept_at: datetime | None = None

    def wait_s(self, name: str, source: Source) -> float:
        """Return how many seconds this name has to wait there; 0 where it may try now."""
        return self._left(self._limits(name, source))

    def failed(self, name: str, source: Source) -> bool:
        """Count a failure; True where it used up what was allowed (that is worth an alarm)."""
        return self._count(self._limits(name, source))

    def succeeded(self, name: str, source: Source, person: Person) -> bool:
        """Forget the failures of this name there, and know it from now on.

        Returns whether the browser is new to somebody who has signed in before.
        """
        now = self._clock.now()
        with self._database.writing() as session:
            before = failures.anywhere(session, person)
            failures.forgive(session, "pair", _pair(name, source.address))
            failures.know(session, _pair(name, source.address), person, now)
            new = failures.know(session, _device(name, source.device), person, now) if source.device else True
            if self._swept_at is None or now - self._swept_at > _SWEPT_EVERY:
                self._swept_at = now
                failures.sweep(session, now)
        return new and before

    def wait_for_code_s(self, person: Person, source: Source) -> float:
        """Return how long a code of the person's second factor has to wait there."""
        return self._left(self._code_limits(person, source))

    def failed_code(self, person: Person, source: Source) -> bool:
        """Count a wrong code of a second factor; True where it used up what was allowed."""
        return self._count(self._code_limits(person, source))

    def wait_to_ask_s(self, name: str, address: str) -> float:
        """Return how long a link to choose a new password cannot be asked for."""
        return self._left(_ask_limits(name, address))

    def asked(self, name: str, address: str) -> None:
        """Count that a link to choose a new password was asked for."""
        self._count(_ask_limits(name, address))

    def _limits(self, name: str, source: Source) -> tuple[Limit, ...]:
        pair = Limit(kind="pair", key=_pair(name, source.address), most=10, span=_QUARTER)
        now = self._clock.now()
        with self._database.reading() as session:
            if source.device and failures.known(session, _device(name, source.device), now):
                # Not even the address counts: a whole office is behind one.
                return (Limit(kind="device", key=_device(name, source.device), most=30, span=_HOUR),)
            if failures.known(session, _pair(name, source.address), now):
                return (pair, Limit(kind="known", key=name, most=30, span=_HOUR))
        return (
            pair,
            Limit(kind="name", key=name, most=40, span=_HOUR),
            Limit(kind="address", key=source.address, most=100, span=_HOUR),
        )

    def _code_limits(self, person: Person, source: Source) -> tuple[Limit, ...]:
        now = self._clock.now()
        with self._database.reading() as session:
            mine = bool(source.device) and failures.known(session, _device(person.name, source.device), now)
        where = f"code {person.id} {source.device if mine else ''}"
        # A million codes, three of them right at a time: 30 tries an hour find one in about a year.
        return (
            Limit(kind="code", key=where, most=5, span=timedelta(minutes=5)),
            Limit(kind="code", key=where, most=30, span=_HOUR),
        )

    def _left(self, limits: tuple[Limit, ...]) -> float:
        now = self._clock.now()
        return max((left for left in self._waits(limits, now)), default=0.0)

    def _waits(self, limits: tuple[Limit, ...], now: datetime) -> Iterator[float]:
        with self._database.reading() as session:
            for limit in limits:
                oldest = failures.nth_newest(
                    session, limit.kind, limit.key, limit.most, since=now - limit.span, now=now
                )
                yield 0.0 if oldest is None else max(0.0, (oldest + limit.span - now).total_seconds())

    def _count(self, limits: tuple[Limit, ...]) -> bool:
        now = self._clock.now()
        used_up = False
        with self._database.writing() as session:
            for kind, key in dict.fromkeys((limit.kind, limit.key) for limit in limits):
                failures.note(session, kind, key, now)
            for limit in limits:
                since = now - limit.span
                at_most = failures.nth_newest(session, limit.kind, limit.key, limit.most, since=since, now=now)
                over = failures.nth_newest(session, limit.kind, limit.key, limit.most + 1, since=since, now=now)
                used_up = used_up or (at_most is not None and over is None)
        return used_up


def _ask_limits(name: str, address: str) -> tuple[Limit, ...]:
    return (
        Limit(kind="ask", key=f"name {name}", most=3, span=_HOUR),
        Limit(kind="ask", key=f"address {address}", most=20, span=_HOUR),
    )


def _pair(name: str, address: str) -> str:
    return f"pair {name}\n{address}"


def _device(name: str, device: str) -> str:
    return f"device {name}\n{device}"
