"""Cutting silence off a recording: never a cue point on air, always a new file with its own hash and approval."""

from __future__ import annotations

from dataclasses import dataclass

_KEPT_S = 0.3
_WORTH_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trim:
    """What is kept of a recording: `[start_s, end_s)` of the source; end None keeps all to the end."""

    start_s: float = 0.0
    end_s: float | None = None

    def __post_init__(self) -> None:
        if self.start_s < 0 or (self.end_s is not None and self.end_s <= self.start_s):
            raise ValueError("a trim keeps a stretch of the recording")


def suggest(*, head_silence_s: float, tail_silence_s: float, seconds: float) -> Trim | None:
    """Return the trim worth offering: 0.3 s of quiet stay at each end; None where there is little to gain."""
    cuts_head, cuts_tail = head_silence_s > _WORTH_S, tail_silence_s > _WORTH_S
    if not (cuts_head or cuts_tail) or head_silence_s + tail_silence_s >= seconds:
        return None
    return Trim(
        start_s=head_silence_s - _KEPT_S if cuts_head else 0.0,
        end_s=seconds - tail_silence_s + _KEPT_S if cuts_tail else None,
    )
