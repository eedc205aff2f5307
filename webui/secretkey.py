"""The secret that signs cookies: whoever built the app, one that can be guessed is not accepted."""

from __future__ import annotations

from schedules.errors import ConfigError
from schedules.findings import Finding, Severity
from schedules.text import Text

SHORTEST = 32
_LEAST_DIFFERENT = 10


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
