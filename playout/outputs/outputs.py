"""From an output's configuration to the output: which class plays which kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from playout.outputs.alsaoutput import AlsaOutput
from playout.outputs.networkoutput import NetworkOutput
from playout.outputs.output import Output, StateReport, Timeline
from playout.outputs.pulseoutput import PulseOutput
from playout.outputs.virtualoutput import VirtualOutput


def open_output(
    given: Mapping[str, object], *, timeline: Timeline, report: StateReport, environment: Mapping[str, str]
) -> Output:
    """Return the output that `given` describes (OutputSpec.for_player), not yet started.

    A network output also needs `socket`, the path at which its sender listens. Raises KeyError for an unknown kind.
    """
    name = str(given["name"])
    device = cast(str | None, given.get("device"))
    volume_db = float(cast(float, given.get("volume_db", 0.0)))
    match given["kind"]:
        case "virtual":
            return VirtualOutput(name, timeline=timeline, report=report)
        case "pulse":
            return PulseOutput(
                name,
                sink=device,
                server=environment.get("PULSE_SERVER"),
                volume_db=volume_db,
                timeline=timeline,
                report=report,
            )
        case "alsa":
            return AlsaOutput(name, device=device or "default", volume_db=volume_db, timeline=timeline, report=report)
        case "icecast" | "rtp":
            path = Path(str(given["socket"]))
            return NetworkOutput(name, path=path, volume_db=volume_db, timeline=timeline, report=report)
        case unknown:
            raise KeyError(unknown)
