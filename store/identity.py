"""Names of things, and secrets that nobody can guess: ids, their versions, tokens for people and their hashes."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def new_id() -> str:
    """Return ten letters and digits, 50 bits, safe in addresses and slots and without look-alikes."""
    return "".join(secrets.choice(_LETTERS) for _ in range(10))


def new_secret() -> str:
    """Return a token of 256 bits, safe in addresses and headers."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """Return what is kept of a token: its SHA-256. A token has too many bits to need a slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def stands_in_a_slot(name: str) -> bool:
    """Return whether `name` may be the id of a session or template: a-z, 0-9 and single dashes, at most 40."""
    return len(name) <= 40 and _NAME.fullmatch(name) is not None


def next_version(name: str, taken: Collection[str]) -> str:
    """Return the id of the next version: `name-2`, `name-3` …, the first that is not taken."""
    stem = re.sub(r"-\d+$", "", name)[:34].rstrip("-")
    number = 2
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"
