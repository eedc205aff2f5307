"""Ed25519 keys of authority and stations: made at first start, kept in DATA/keys with mode 0600."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from schedules.errors import SignatureInvalid


def load_or_make(path: Path) -> SigningKey:
    """Return the key in `path`, made there if absent: temporary name, fsync, link into place, so it is never torn."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(bytes(SigningKey.generate()))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    return SigningKey(path.read_bytes())


def sign(key: SigningKey, message: bytes) -> str:
    """Return the detached signature as hex."""
    return bytes(key.sign(message).signature).hex()


def verify(key: VerifyKey, message: bytes, signature: str) -> None:
    """Raise SignatureInvalid unless `signature` (hex) is by `key` over exactly `message`."""
    try:
        key.verify(message, bytes.fromhex(signature))
    except (BadSignatureError, TypeError, ValueError) as error:
        raise SignatureInvalid("the signature does not fit the document") from error


def fingerprint(key: VerifyKey) -> str:
    """Return the first 16 hex digits of a key's SHA-256, in fours: what people compare by eye."""
    digits = hashlib.sha256(bytes(key)).hexdigest()[:16]
    return " ".join(digits[n : n + 4] for n in range(0, 16, 4))


def station_keys(folder: Path) -> dict[str, VerifyKey]:
    """Return the public keys of the stations that this machine knows, by station code. folder: DATA/keys."""
    return {
        path.stem.removeprefix("station-"): SigningKey(path.read_bytes()).verify_key
        for path in sorted(folder.glob("station-*.ed25519"))
    }
