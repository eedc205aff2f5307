"""The brake on guessing passwords: counts failures for each name and address, and never locks anybody out for good."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque

from schedules.clock import Clock

_HOUR_S = 3600.0
_PAIR_S = 900.0
# ASVS 2.2.1 allows 100 failures an hour for one account.
_PER_PAIR = 10
_PER_NAME = 60
_PER_ADDRESS = 100
_REMEMBERED = 20_000


class Throttle:
    """Failures of the last hour, in memory: a restart forgets them, which costs a guesser more than it gives."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._proven: OrderedDict[tuple[str, str], None] = OrderedDict()

    def wait_s(self, name: str, address: str) -> float:
        """Return how many seconds this name has to wait at this address; 0 where it may try now.

        An address from which the person has signed in before only answers for its own failures, so that a flood
        of guesses from elsewhere does not keep the true person out.
        """
        with self._lock:
            waits = [self._left("pair", f"{name}\n{address}", _PER_PAIR, _PAIR_S)]
            if (name, address) not in self._proven:
                waits.append(self._left("name", name, _PER_NAME, _HOUR_S))
                waits.append(self._left("address", address, _PER_ADDRESS, _HOUR_S))
            return max(waits)

    def failed(self, name: str, address: str) -> bool:
        """Count a failure; True where it used up what was allowed (that is worth an alarm)."""
        with self._lock:
            counts = (
                (self._add("pair", f"{name}\n{address}"), _PER_PAIR),
                (self._add("name", name), _PER_NAME),
                (self._add("address", address), _PER_ADDRESS),
            )
            return any(count == most for count, most in counts)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of this name at this address, and trust the pair from now on."""
        with self._lock:
            self._failures.pop(("pair", f"{name}\n{address}"), None)
            self._proven[name, address] = None
            self._proven.move_to_end((name, address))
            while len(self._proven) > _REMEMBERED:
                self._proven.popitem(last=False)

    def _left(self, kind: str, key: str, most: int, span_s: float) -> float:
        moments = self._failures.get((kind, key))
        if moments is None:
            return 0.0
        now = self._clock.monotonic()
        recent = [moment for moment in moments if now - moment < span_s]
        if len(recent) < most:
            return 0.0
        return recent[-most] + span_s - now

    def _add(self, kind: str, key: str) -> int:
        moments = self._failures.setdefault((kind, key), deque(maxlen=_PER_ADDRESS))
        self._failures.move_to_end((kind, key))
        now = self._clock.monotonic()
        while moments and now - moments[0] >= _HOUR_S:
            moments.popleft()
        moments.append(now)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)
        return len(moments)
