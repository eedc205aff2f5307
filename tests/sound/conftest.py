"""Fixtures of the tests that measure real output: a PulseAudio server of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playout.benches.soundlab import PulseServer, pulse_server
from tests.playout.stage import Stage


@pytest.fixture
def pulse() -> Iterator[PulseServer]:
    """A running PulseAudio server with one null sink named `horn`."""
    with pulse_server() as server:
        server.add_sink("horn")
        yield server


@pytest.fixture
def stage(tmp_path: Path, pulse: PulseServer) -> Iterator[Stage]:
    """A player that sees that server, not yet started."""
    stage = Stage(tmp_path, environment=pulse.environment)
    yield stage
    stage.close()
