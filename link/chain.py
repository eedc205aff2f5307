"""The chain of a station's journal: what a row's hash and its signature are over, for journals and for proofs alike."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from link.codec import canonical

GENESIS = "0" * 64


def row_hash(row: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON of a row without its own hash.

    Raises TypeError or ValueError for values that no JSON text holds.
    """
    return hashlib.sha256(canonical({key: value for key, value in row.items() if key != "hash"})).hexdigest()


def head_message(seq: int, row: str, time: str) -> bytes:
    """Return the bytes that a row's signature is over. row: its hash."""
    return canonical({"seq": seq, "hash": row, "time": time})
