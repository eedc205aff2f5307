"""Reports by mail: a look now and then whether one is due."""

from __future__ import annotations

from webui import reportmail
from webui.services import Services

EVERY_S = 600
"""How often it is looked, seconds."""


def send_reports(services: Services | None) -> int:
    """Queue the reports whose time has come and return how many; none where this machine has no authority."""
    return 0 if services is None else reportmail.send_due(services)
