"""A continuous multicast of RTP packets for IP loudspeakers: L16 (RFC 3551) or Opus (RFC 7587)."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import time
from dataclasses import dataclass

import numpy as np

from playout.outputs.encoding import OpusPackets
from playout.source import NS_PER_S, RATE_HZ, SAMPLE_BYTES

PAYLOAD_TYPES = {"l16": 96, "opus": 97}
L16_FRAMES = 480
"""Frames of a packet of plain samples: 10 ms, which fit into any network's packets."""

_RETRY_NS = NS_PER_S
_LOOK_NS = NS_PER_S // 2
_SIOCGIFFLAGS, _SIOCGIFADDR = 0x8913, 0x8915
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_EXPEDITED = 0xB8


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where packets go: a multicast (or single) address, a port, and the network interface, None for the usual way."""

    address: str
    port: int
    interface: str | None

    @classmethod
    def parse(cls, device: str) -> Target:
        """Return the target of `ADDRESS:PORT` or `ADDRESS:PORT@INTERFACE`; raises ValueError for anything else."""
        where, _, interface = device.partition("@")
        address, colon, port = where.rpartition(":")
        if not colon or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(device)
        socket.inet_aton(address)
        return cls(address=address, port=int(port), interface=interface or None)


class Rtp:
    """One stream of packets. Used by one thread; nothing here waits.

    serial: names the stream among others (SSRC). A packet has left when the kernel took it and the interface runs.
    """

    def __init__(self, target: Target, *, form: str, kbps: int, ttl: int, serial: int) -> None:
        self._target = target
        self._form = form
        self._kbps = kbps
        self._ttl = ttl
        self._serial = serial
        self._socket: socket.socket | None = None
        self._encoder: OpusPackets | None = None
        self._number = serial & 0xFFFF
        self._given = 0
        self._left = 0
        self._retry_at_ns = 0
        self._look_at_ns = 0
        self.state, self.detail = "opening", ""
        self.generation = 0

    def step(self, now_ns: int) -> None:
        """Open the socket where that is due, and look whether the network is there."""
        try:
            if self._socket is None:
                if now_ns < self._retry_at_ns:
                    return
                self._open()
            if now_ns >= self._look_at_ns and self._socket is not None:
                self._look_at_ns = now_ns + _LOOK_NS
                self._look(self._socket)
        except OSError as error:
            self._lose(error, now_ns)

    def carry(self, pcm: bytes, *, at_frame: int) -> None:
        """Send the next samples; `at_frame` is their time on the stream's own clock."""
        if self._socket is None:
            return
        try:
            for payload, frame in self._payloads(pcm, at_frame):
                self._socket.send(self._header(frame) + payload)
        except ConnectionRefusedError:
            # Nobody listens at a single receiver's address; that is said of an earlier packet and holds up none.
            pass
        except OSError as error:
            self._lose(error, time.monotonic_ns())
            return
        self._given += len(pcm) // SAMPLE_BYTES
        self._left = self._given

    def left(self) -> int:
        """Return how many frames of those given since the socket was opened were sent."""
        return self._left

    def _payloads(self, pcm: bytes, at_frame: int) -> list[tuple[bytes, int]]:
        if self._form == "opus":
            if self._encoder is None:
                self._encoder = OpusPackets(kbps=self._kbps)
            return [(packet.data, at_frame) for packet in self._encoder.encode(pcm)]
        network = np.frombuffer(pcm, dtype="<i2").astype(">i2").tobytes()
        size = L16_FRAMES * SAMPLE_BYTES
        return [
            (network[begin : begin + size], at_frame + begin // SAMPLE_BYTES) for begin in range(0, len(network), size)
        ]

    def _header(self, frame: int) -> bytes:
        self._number = (self._number + 1) & 0xFFFF
        stamp = (frame + self._serial) & 0xFFFFFFFF
        return struct.pack(">BBHII", 0x80, PAYLOAD_TYPES[self._form], self._number, stamp, self._serial)

    def _open(self) -> None:
        target = self._target
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sender.setblocking(False)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, self._ttl)
            with contextlib.suppress(OSError):
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED)
            if target.interface is not None:
                index = socket.if_nametoindex(target.interface)
                any_address = socket.inet_aton("0.0.0.0")
                request = struct.pack("4s4si", any_address, any_address, index)
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
            sender.connect((target.address, target.port))
            self._look(sender)
        except OSError:
            sender.close()
            raise
        self._socket = sender
        self._encoder = None
        self._given = self._left = 0
        self.generation += 1
        self.state, self.detail = "ok", f"{target.address}:{target.port}"

    def _look(self, sender: socket.socket) -> None:
        """Raise OSError where the interface is down or its cable out: the kernel would take packets all the same."""
        for _, interface in socket.if_nameindex():
            if self._target.interface not in (None, interface):
                continue
            flags, address = _interface(sender, interface)
            concerns = self._target.interface is not None or address == sender.getsockname()[0]
            if concerns and flags & (_IFF_UP | _IFF_RUNNING) != _IFF_UP | _IFF_RUNNING:
                raise OSError(0, f"the network {interface} is not connected")

    def _lose(self, error: OSError, now_ns: int) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self.state, self.detail = "lost", error.strerror or str(error)
        self._retry_at_ns = now_ns + _RETRY_NS


def session_description(target: Target, *, name: str, form: str, ttl: int) -> str:
    """Return the SDP text (RFC 8866) that a receiver may be given."""
    kind = PAYLOAD_TYPES[form]
    coding = f"L16/{RATE_HZ}/1" if form == "l16" else f"opus/{RATE_HZ}/2"
    lines = [
        "v=0",
        f"o=- 0 0 IN IP4 {target.address}",
        f"s=Loa {name}",
        f"c=IN IP4 {target.address}/{ttl}",
        "t=0 0",
        f"m=audio {target.port} RTP/AVP {kind}",
        f"a=rtpmap:{kind} {coding}",
        *(["a=ptime:10"] if form == "l16" else ["a=ptime:20", f"a=fmtp:{kind} stereo=0;sprop-stereo=0"]),
        "a=recvonly",
    ]
    return "\r\n".join([*lines, ""])


def _interface(sender: socket.socket, name: str) -> tuple[int, str | None]:
    """Return flags and IPv4 address of an interface."""
    request = struct.pack("16sH14s", name.encode(), 0, b"")
    (flags,) = struct.unpack_from("H", fcntl.ioctl(sender, _SIOCGIFFLAGS, request), 16)
    try:
        answer = fcntl.ioctl(sender, _SIOCGIFADDR, struct.pack("16s16s", name.encode(), b""))
    except OSError:
        return flags, None
    return flags, socket.inet_ntoa(answer[20:24])
