"""Which output plays which kind of configuration, and the level that each has of its own."""

from __future__ import annotations

import numpy as np
import pytest

from playout.outputs.alsaoutput import AlsaOutput
from playout.outputs.level import Gain
from playout.outputs.networkoutput import NetworkOutput
from playout.outputs.output import Output, Timeline
from playout.outputs.outputs import open_output
from playout.outputs.pulseoutput import PulseOutput
from playout.outputs.virtualoutput import VirtualOutput
from playout.specs import OutputSpec


def _open(spec: OutputSpec) -> Output:
    return open_output(
        {**spec.for_player(), "socket": f"/run/loa/{spec.name}.sock"},
        timeline=Timeline(origin_ns=0),
        report=lambda name, state, detail: None,
        environment={},
    )


@pytest.mark.parametrize(
    ("kind", "device", "expected"),
    [
        ("virtual", None, VirtualOutput),
        ("pulse", "horn", PulseOutput),
        ("alsa", "plughw:CARD=Device", AlsaOutput),
        ("icecast", "http://127.0.0.1:8000/xa.mp3", NetworkOutput),
        ("rtp", "239.1.2.3:5004", NetworkOutput),
    ],
)
def test_every_kind_of_the_configuration_opens(kind: str, device: str | None, expected: type) -> None:
    """Each kind that config.yaml allows has its output, under its name; nothing of it runs before it is started."""
    output = _open(OutputSpec(name="main", kind=kind, device=device))
    assert type(output) is expected
    assert output.name == "main"
    assert output.lead_ns == 300_000_000
    assert output.tally("a").samples == 0


def test_an_unknown_kind_is_an_error() -> None:
    """What config.yaml would not let through is not played somewhere else instead."""
    with pytest.raises(KeyError, match="tape"):
        _open(OutputSpec(name="main", kind="tape"))


def test_a_level_is_exact_and_never_overflows() -> None:
    """At 0 dB the very same bytes, at -6 dB half, rounded; too much gain stops at full scale."""
    pcm = np.array([-32768, -3, 0, 1000, 32767], dtype="<i2").tobytes()
    assert Gain(0.0).of(pcm) is pcm
    assert np.frombuffer(Gain(-6.0206).of(pcm), dtype="<i2").tolist() == [-16384, -2, 0, 500, 16384]
    assert np.frombuffer(Gain(6.0206).of(pcm), dtype="<i2").tolist() == [-32768, -6, 0, 2000, 32767]
