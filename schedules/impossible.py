"""Why a duty cannot be fulfilled: of all facts that stand in its way, a smallest set that suffices to make it so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations

from schedules.calendar import duty_windows, period_words
from schedules.choosing import Choice
from schedules.clock import Interval
from schedules.findings import Finding, Severity
from schedules.owing import Need
from schedules.placing import Offer, Offered, Problem, Used, solve
from schedules.segment import SAMPLE_RATE_HZ, Segment, SegmentKind
from schedules.station import WHOLE_DAY, Station
from schedules.text import Text

_ANY_LENGTH_S = 60
"""Length of the recording that is imagined when the lack of audio is set aside, seconds."""

_STRUCTURAL = frozenset({"windows", "hours", "limit"})
"""Facts that no recording and no later day can mend: with these alone the grid itself is wrong."""

_NEVER = 10_000

_EFFORT = 300
"""Steps of each search: very many are made, and what real weeks need is far less."""


def why_impossible(station: Station, problem: Problem, wanting: Need, nothing: Text, now: datetime) -> Finding:
    """Return the finding that a duty has no place, with a smallest set of facts that makes it impossible.

    problem: all duties of the station with everything that may give way. wanting: what this one lacks.
    nothing: why there is no recording for it, for the case that this is among the facts.
    """
    case = _Case(station=station, problem=problem, wanting=wanting, now=now)
    blamed = case.smallest()
    said = [nothing if name == "audio" else _SAID[name] for name in blamed]
    hints = [_HINTS[name] for name in blamed]
    owed = wanting.owed
    when = period_words(owed.period)
    return Finding(
        code="duty_impossible",
        severity=Severity.ERROR if set(blamed) <= _STRUCTURAL else Severity.WARNING,
        where=owed.duty.code,
        message=Text(
            f"{owed.duty.name}, {when.vi}, không thể phát đủ: {_listed(text.vi for text in said)}.",
            f"{owed.duty.name}, {when.en}, cannot be fulfilled: {_listed(text.en for text in said)}.",
        ),
        hint=Text(" ".join(hint.vi for hint in hints), " ".join(hint.en for hint in hints)),
    )


def _listed(sentences: Iterable[str]) -> str:
    return "; ".join(sentence[:1].lower() + sentence[1:].rstrip(".") for sentence in sentences)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One duty without a place."""

    station: Station
    problem: Problem
    wanting: Need
    now: datetime

    def smallest(self) -> tuple[str, ...]:
        """Return the names of a smallest set of facts with which the duty has no place, all others set aside."""
        for size in range(1, len(_SAID) + 2):
            for chosen in combinations(("audio", *_SAID), size):
                if not self._possible(frozenset(chosen)):
                    return chosen
        return ("audio", *_SAID)

    def _possible(self, active: frozenset[str]) -> bool:
        posed = self._posed(active)
        others = tuple(n for n, need in enumerate(posed.needs) if need.owed != self.wanting.owed)
        lacking = solve(_only(posed, others), _EFFORT).missing if others else 0
        return solve(posed, _EFFORT).missing <= lacking

    def _posed(self, active: frozenset[str]) -> Problem:
        """Return the problem in which only the facts in `active` hold for this duty."""
        problem = self.problem
        mine = tuple(n for n, need in enumerate(problem.needs) if need.owed == self.wanting.owed)
        if not mine:
            problem = replace(
                problem,
                needs=(*problem.needs, self.wanting),
                windows=(*problem.windows, ()),
                tries=(*problem.tries, _NEVER),
            )
            mine = (len(problem.needs) - 1,)
        windows = tuple(self._windows(active) if n in mine else known for n, known in enumerate(problem.windows))
        problem = replace(problem, windows=windows)
        if "audio" not in active:
            problem = replace(problem, offered=self._offered)
        if "limit" not in active:
            problem = replace(problem, day_left_s=lambda day: None, longest_s=None)
        if "time" not in active:
            begins = min(problem.earliest, self.wanting.owed.during.start)
            problem = replace(problem, earliest=begins, offered=_from_the_start(problem.offered))
        if "orders" not in active:
            problem = replace(problem, blocked=())
        if "tries" not in active:
            problem = replace(problem, tries=tuple(_NEVER for _ in problem.tries))
        return problem if "others" in active else _only(problem, mine)

    def _windows(self, active: frozenset[str]) -> tuple[Interval, ...]:
        during = self.wanting.owed.during
        station = self.station if "hours" in active else replace(self.station, permitted=WHOLE_DAY, quiet=(), groups=())
        duty = self.wanting.owed.duty if "windows" in active else replace(self.wanting.owed.duty, windows=())
        return tuple(duty_windows(station, duty, during))

    def _offered(self, need: Need, used: Used) -> tuple[Offer, ...]:
        known = self.problem.offered(need, used)
        if need.owed != self.wanting.owed:
            return known
        taken = {segment for segment, _ in used}
        return (*known, *(offer for offer in _imagined(need, self.now) if offer.segment.id not in taken))


def _from_the_start(offered: Offered) -> Offered:
    """Return the same offers as they would have been from the period's beginning on."""

    def earlier(need: Need, used: Used) -> tuple[Offer, ...]:
        return tuple(replace(one, since=min(one.since, need.owed.during.start)) for one in offered(need, used))

    return earlier


def _only(problem: Problem, indices: tuple[int, ...]) -> Problem:
    """Return the problem with some of its needs only."""
    return replace(
        problem,
        needs=tuple(problem.needs[n] for n in indices),
        windows=tuple(problem.windows[n] for n in indices),
        tries=tuple(problem.tries[n] for n in indices),
    )


def _imagined(wanting: Need, now: datetime) -> tuple[Offer, ...]:
    """Return short recordings of the duty's sort that nobody made, enough of each topic."""
    duty = wanting.owed.duty
    topics = duty.topics or ((duty.topic_prefix,) if duty.topic_prefix else ("",))
    why = Text("", "")
    segments = (
        Segment(
            id=f"?{number}.{topic}",
            owner=duty.owner,
            programme=duty.programme or "",
            title="",
            kind=SegmentKind.BAI,
            sha256="",
            pcm_sha256="",
            samples=_ANY_LENGTH_S * SAMPLE_RATE_HZ,
            approved_at=now,
            approved_by="",
            topics=(topic,),
        )
        for topic in topics
        for number in range(max(1, wanting.missing))
    )
    since = wanting.owed.during.start
    return tuple(Offer(Choice(segment=segment, why=why, fresh=True), segment, since) for segment in segments)


_SAID: Mapping[str, Text] = {
    "windows": Text(
        "khung giờ phát bù của nhiệm vụ không đủ chỗ.", "the duty's windows for a make-up hold no room for it."
    ),
    "hours": Text(
        "khung giờ được phép phát của đài không đủ chỗ.", "the station's permitted hours hold no room for it."
    ),
    "limit": Text("giới hạn số phút phát trong ngày hoặc trong buổi.", "the limit of minutes a day or a session."),
    "time": Text("thời gian còn lại của kỳ không đủ.", "what is left of the period is too short."),
    "orders": Text("các lượt phát đã xếp riêng chiếm hết giờ.", "airings ordered by people take the time."),
    "tries": Text("đã phát bù hết số lần cho phép.", "every permitted try was used."),
    "others": Text("các nhiệm vụ khác cần cùng khung giờ.", "other duties need the same time."),
}

_HINTS: Mapping[str, Text] = {
    "audio": Text("Tải bài lên và trình duyệt.", "Bring a recording and have it approved."),
    "windows": Text("Thêm khung giờ phát bù cho nhiệm vụ.", "Add windows to the duty."),
    "hours": Text("Nới khung giờ được phép phát của đài.", "Widen the station's permitted hours."),
    "limit": Text("Nâng giới hạn số phút phát.", "Raise the limit of minutes."),
    "time": Text(
        "Không kịp trong kỳ này; nếu có lý do chính đáng, xin văn bản miễn.",
        "It is too late in this period; where there is good cause, ask for a document that excuses it.",
    ),
    "orders": Text("Hủy hoặc dời bớt lượt phát riêng.", "Cancel or move some of the ordered airings."),
    "tries": Text("Tìm nguyên nhân các lần phát hỏng.", "Find out why the tries failed."),
    "others": Text("Thêm khung giờ, hoặc dùng bài ngắn hơn.", "Add windows, or use shorter recordings."),
}
