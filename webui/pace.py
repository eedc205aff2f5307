"""How often strangers may ask: counted for each purpose and key, so that nobody's flood is somebody else's silence."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass

from schedules.errors import TooMany
from schedules.findings import Finding, Severity
from schedules.text import Text

_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many within so many seconds. purpose: what is counted; other purposes have counts of their own."""

    purpose: str
    most: int
    span_s: float


class Pace:
    """What was asked lately, in memory; a restart forgets it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def spend(self, limit: Limit, key: str, now_s: float) -> None:
        """Count one for the key. Raises TooMany where it has none left; what is refused is not counted.

        now_s: the monotonic clock, seconds.
        """
        with self._lock:
            moments = self._recent(limit, key, now_s)
            if len(moments) >= limit.most:
                wait_s = moments[0] + limit.span_s - now_s
                raise TooMany(_slower(wait_s), retry_after_s=wait_s)
            moments.append(now_s)
            while len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)

    def _recent(self, limit: Limit, key: str, now_s: float) -> deque[float]:
        known = (limit.purpose, key)
        moments = self._asked.setdefault(known, deque())
        self._asked.move_to_end(known)
        while moments and now_s - moments[0] >= limit.span_s:
            moments.popleft()
        return moments


def _slower(wait_s: float) -> Finding:
    minutes = max(1, round(wait_s / 60 + 0.5))
    return Finding(
        code="too_often",
        severity=Severity.ERROR,
        message=Text(
            f"Gửi nhiều quá trong thời gian ngắn. Lần này chưa nhận, hãy thử lại sau {minutes} phút.",
            f"Too much within a short time. Nothing was taken now; try again in {minutes} min.",
        ),
    )
