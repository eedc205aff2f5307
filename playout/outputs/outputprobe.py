"""Whether outputs and inputs would answer if sound were due now: asked ahead of time and by `loa check`, no sound."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import pulsectl

from playout.outputs.libasound import AlsaStream
from playout.specs import OutputSpec
from schedules.errors import OutputError

ANSWER_S = 3.0
_LATENCY_MS = 200


class Wrong(StrEnum):
    """What is wrong with a device. `loa check` and the fifteen minutes ahead have their own words for each."""

    NO_SERVER = "no_server"
    NO_DEVICE = "no_device"
    MUTED = "muted"
    BAD_ADDRESS = "bad_address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a device would not sound. detail: for technicians; others: the devices of its kind that there are."""

    wrong: Wrong
    detail: str
    others: tuple[str, ...] = ()


def ask_output(output: OutputSpec) -> Trouble | None:
    """Return what keeps an output from sounding, None where nothing is known.

    May take seconds, or hang with its sound server: it is asked beside the loop.
    """
    device = output.device or ""
    match output.kind:
        case "pulse":
            return _ask_pulse(device, sources=False)
        case "alsa":
            return _ask_alsa(device)
        case "icecast":
            return _ask_server(device)
        case "rtp":
            return _ask_multicast(device)
    return None


def ask_input(kind: str, device: str) -> Trouble | None:
    """Return what keeps a microphone, a line or an ear from hearing; a card of ALSA is not opened for it."""
    return _ask_pulse(device, sources=True) if kind == "pulse" else None


def _ask_pulse(device: str, *, sources: bool) -> Trouble | None:
    try:
        with pulsectl.Pulse("loa-probe", connect=False) as pulse:
            # Its own time-out is always waited for to its end; a server that hangs is left to whoever asked for this.
            pulse.connect()
            listed: list[Any] = pulse.source_list() if sources else pulse.sink_list()
    except (pulsectl.PulseError, OSError) as error:
        return Trouble(wrong=Wrong.NO_SERVER, detail=f"PulseAudio: {error}")
    known = {one.name: one for one in listed}
    found = known.get(device)
    if found is None:
        return Trouble(wrong=Wrong.NO_DEVICE, detail=f"PulseAudio has no {device!r}", others=tuple(sorted(known)))
    if found.mute or found.volume.value_flat == 0:
        return Trouble(wrong=Wrong.MUTED, detail=f"{device!r} is muted")
    return None


def _ask_alsa(device: str) -> Trouble | None:
    stream = AlsaStream(device)
    try:
        stream.open(latency_ms=_LATENCY_MS)
    except OutputError as error:
        # Somebody plays on it: most likely our own player.
        busy = str(error).endswith(os.strerror(errno.EBUSY))
        return None if busy else Trouble(wrong=Wrong.NO_DEVICE, detail=str(error))
    stream.close()
    return None


def _ask_server(address: str) -> Trouble | None:
    try:
        url = urlsplit(address)
        where = (url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
    except ValueError as error:
        return Trouble(wrong=Wrong.BAD_ADDRESS, detail=str(error))
    if url.scheme not in ("http", "https") or not url.hostname or url.path in ("", "/"):
        return Trouble(wrong=Wrong.BAD_ADDRESS, detail=f"{address!r} is not http://HOST:PORT/MOUNT")
    try:
        socket.create_connection(where, timeout=ANSWER_S).close()
    except OSError as error:
        return Trouble(wrong=Wrong.NO_SERVER, detail=f"{where[0]}:{where[1]}: {error}")
    return None


def _ask_multicast(device: str) -> Trouble | None:
    where = device.partition("@")[0]
    host, _, port = where.rpartition(":")
    try:
        ipaddress.ip_address(host)
        number = int(port)
    except ValueError:
        return Trouble(wrong=Wrong.BAD_ADDRESS, detail=f"{device!r} is not ADDRESS:PORT")
    if not 0 < number < 65536:
        return Trouble(wrong=Wrong.BAD_ADDRESS, detail=f"{number} is no port")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing; it asks the routing table.
            probe.connect((host, number))
        except OSError as error:
            return Trouble(wrong=Wrong.NO_SERVER, detail=f"{host}: {error}")
    return None
