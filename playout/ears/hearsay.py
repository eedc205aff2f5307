"""What ears and sensors said of an airing in all its parts, put together for its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playout.ears.earkeeper import Heard
from schedules.airing import Evidence, Run
from schedules.segment import SAMPLE_RATE_HZ
from schedules.text import Text
from schedules.verdicts import WHOLE, HeardShare

_LEAST_S = 0.1


SWITCHING_S = 1.0
"""So much without power is the amplifier's own switching; so little with it is none."""


def without_power(
    found: Mapping[str, HeardShare], unpowered: Mapping[str, float], counted: Mapping[str, int]
) -> Mapping[str, HeardShare]:
    """Return what was found, less the seconds in which an output's amplifier had no power.

    unpowered: seconds by output while the airing sounded. counted: its samples by output.
    """
    changed = dict(found)
    for output, off_s in unpowered.items():
        length_s = counted.get(output, 0) / SAMPLE_RATE_HZ
        if off_s <= SWITCHING_S or length_s <= 0:
            continue
        known = found.get(output, HeardShare(share=1.0, seconds=length_s, grade=Evidence.E1))
        left_s = length_s - off_s
        # When the power was looked at is not known to the moment: what is left of nothing is nothing.
        seconds = min(known.seconds, left_s) if left_s > SWITCHING_S else 0.0
        why = Text(
            f"Tăng âm của đầu ra “{output}” không có điện {off_s:.0f} giây trong lúc phát.",
            f"The amplifier of output “{output}” had no power for {off_s:.0f} s of it.",
        )
        changed[output] = HeardShare(share=seconds / length_s, seconds=seconds, grade=known.grade, why=why)
    return changed


def found_or_whole(found: Mapping[str, HeardShare], run: Run) -> Mapping[str, HeardShare]:
    """Return what was found without the ears that found nothing of what an output counted in part.

    For an airing whose output was lost or muted meanwhile: too little of it may have come to be known again, and the
    count is short already. It never makes an airing whole.
    """
    return {
        output: share
        for output, share in found.items()
        if share.share > 0 or run.counted.get(output, 0) >= WHOLE * run.item.samples
    }


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
