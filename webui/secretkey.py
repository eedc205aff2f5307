"""The secret that signs cookies: made at first start, kept in DATA/secret, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from schedules.errors import ConfigError
from schedules.findings import Finding, Severity
from schedules.text import Text

SHORTEST = 32
_LEAST_DIFFERENT = 10


def secret_key(data: Path, override: str | None = None) -> str:
    """Return the secret: `override` (LOA_SECRET_KEY), or that of DATA/secret, which is made where it is missing.

    Raises ConfigError for one that can be guessed.
    """
    if override is not None:
        return check(override, where="LOA_SECRET_KEY")
    path = data / "secret"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return check(path.read_text(encoding="ascii").strip(), where=str(path))
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        made = secrets.token_urlsafe(48)
        file.write(made + "\n")
        file.flush()
        os.fsync(file.fileno())
    return made


def check(secret: str, *, where: str) -> str:
    """Return the secret; raises ConfigError where it is short or made of few different characters."""
    if len(secret) >= SHORTEST and len(set(secret)) >= _LEAST_DIFFERENT:
        return secret
    raise ConfigError(
        Finding(
            code="secret_weak",
            severity=Severity.ERROR,
            where=where,
            message=Text(
                f"Khóa bí mật phải có ít nhất {SHORTEST} ký tự ngẫu nhiên.",
                f"The secret key must have at least {SHORTEST} random characters.",
            ),
            hint=Text(
                "Bỏ LOA_SECRET_KEY để máy tự tạo khóa.",
                "Leave LOA_SECRET_KEY out and Loa makes its own.",
            ),
        )
    )
