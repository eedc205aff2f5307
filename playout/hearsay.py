"""What ears and sensors said of an airing in all its parts, put together for its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playout.earkeeper import Heard
from schedules.airing import Evidence
from schedules.verdicts import HeardShare

_LEAST_S = 0.1


def shares(heard: Mapping[str, Sequence[Heard]]) -> Mapping[str, HeardShare]:
    """Return by output what was found again of it; outputs of which nothing can be said are left out.

    Of ear and sensor the ear decides, as a sensor only knows that something sounds; the better grade is told.
    """
    found: dict[str, HeardShare] = {}
    for output, parts in heard.items():
        by_grade: dict[Evidence, list[Heard]] = {}
        for part in parts:
            if part.share is not None:
                by_grade.setdefault(Evidence(part.grade), []).append(part)
        if not by_grade:
            continue
        of_ear = by_grade.get(Evidence.E2) or by_grade[max(by_grade)]
        lengths = [max(_LEAST_S, (part.end - part.begin).total_seconds()) for part in of_ear]
        seconds = sum(length * (part.share or 0.0) for length, part in zip(lengths, of_ear, strict=True))
        found[output] = HeardShare(share=seconds / sum(lengths), seconds=seconds, grade=max(by_grade))
    return found
