"""Names and secrets that nobody can guess: ids for things, tokens for people, and the hashes kept of tokens."""

from __future__ import annotations

import hashlib
import secrets

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def new_id() -> str:
    """Return ten letters and digits, 50 bits, safe in addresses and slots and without look-alikes."""
    return "".join(secrets.choice(_LETTERS) for _ in range(10))


def new_secret() -> str:
    """Return a token of 256 bits, safe in addresses and headers."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """Return what is kept of a token: its SHA-256. A token has too many bits to need a slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
