"""The two rates of sound inside the house: what airs, and what is worked on."""

from __future__ import annotations

RATE_HZ = 48_000
# Half of it: the way down to it and up again is the 12 kHz low-pass, and half of the work.
PLAIN_RATE_HZ = 24_000
PLAIN_SAMPLE_BYTES = 4
