"""A thin hold on ALSA's library: one playback stream, mono 48 kHz s16, that never blocks."""

from __future__ import annotations

import ctypes
import errno
import functools

from playout.source import RATE_HZ, SAMPLE_BYTES
from schedules.errors import OutputError

_PLAYBACK = 0
_NONBLOCK = 1
_FORMAT_S16LE = 2
_ACCESS_RW_INTERLEAVED = 3
_TYPE_NULL = 4


class UnderrunError(OutputError):
    """The device had nothing to play and stopped; it can go on."""


class AlsaStream:
    """One playback stream on a device such as `plughw:CARD=Device`. Used by one thread, `close` included.

    Every method raises OutputError where the device is gone or does not take sound, and UnderrunError (`write`, `look`)
    where it ran dry: then `prepare` comes before the next `write`.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._lib = _library()
        self._pcm = ctypes.c_void_p()
        self.buffer_frames = 0

    def open(self, *, latency_ms: int) -> None:
        """Open the device with about so much buffer; rate and format are converted where its plug-ins can."""
        lib = self._lib
        self._check(
            lib.snd_pcm_open(ctypes.byref(self._pcm), self._device.encode(), _PLAYBACK, _NONBLOCK),
            "the device cannot be opened",
        )
        try:
            if lib.snd_pcm_type(self._pcm) == _TYPE_NULL:
                raise OutputError("this device plays nothing")
            self._check(
                lib.snd_pcm_set_params(
                    self._pcm, _FORMAT_S16LE, _ACCESS_RW_INTERLEAVED, 1, RATE_HZ, 1, latency_ms * 1000
                ),
                "the device does not take mono at 48 kHz (plughw: converts)",
            )
            buffer, period = ctypes.c_ulong(), ctypes.c_ulong()
            self._check(lib.snd_pcm_get_params(self._pcm, ctypes.byref(buffer), ctypes.byref(period)), "no buffer")
            self.buffer_frames = buffer.value
        except OutputError:
            self.close()
            raise

    def prepare(self) -> None:
        """Make ready for a new beginning: its frames count from 0 again."""
        self._lib.snd_pcm_drop(self._pcm)
        self._check(self._lib.snd_pcm_prepare(self._pcm), "the device does not get ready")

    def start(self) -> None:
        """Let it run with what was written."""
        self._check(self._lib.snd_pcm_start(self._pcm), "the device does not start")

    def write(self, pcm: bytes) -> int:
        """Return how many frames of `pcm` the device took; 0 where it is full."""
        taken = self._lib.snd_pcm_writei(self._pcm, pcm, len(pcm) // SAMPLE_BYTES)
        return 0 if taken == -errno.EAGAIN else self._check(taken, "writing failed")

    def delay(self) -> int:
        """Return how many of the frames written are not heard yet."""
        available, delay = ctypes.c_long(), ctypes.c_long()
        self._check(
            self._lib.snd_pcm_avail_delay(self._pcm, ctypes.byref(available), ctypes.byref(delay)),
            "the device does not answer",
        )
        return delay.value

    def close(self) -> None:
        """Fall silent and let the device go; harmless twice."""
        if self._pcm:
            self._lib.snd_pcm_drop(self._pcm)
            self._lib.snd_pcm_close(self._pcm)
            self._pcm = ctypes.c_void_p()

    def _check(self, code: int, what: str) -> int:
        if code >= 0:
            return code
        reason = bytes(self._lib.snd_strerror(code) or b"").decode(errors="replace")
        kind = UnderrunError if code == -errno.EPIPE else OutputError
        raise kind(f"{what}: {reason}")


_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)


@functools.cache
def _quiet() -> object:
    """Return a handler that swallows what the library would print; it must live as long as the process."""
    return _Handler(lambda *_: None)


def _library() -> ctypes.CDLL:
    """Return libasound with the types of what is used here; raises OutputError where it is not installed."""
    try:
        lib = ctypes.CDLL("libasound.so.2")
    except OSError as error:
        raise OutputError(f"ALSA's library is missing: {error}") from error
    pointer, number, long, unsigned = ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_ulong
    signatures: dict[str, tuple[object, tuple[object, ...]]] = {
        "snd_lib_error_set_handler": (number, (_Handler,)),
        "snd_strerror": (ctypes.c_char_p, (number,)),
        "snd_pcm_open": (number, (ctypes.POINTER(pointer), ctypes.c_char_p, number, number)),
        "snd_pcm_close": (number, (pointer,)),
        "snd_pcm_type": (number, (pointer,)),
        "snd_pcm_set_params": (
            number,
            (pointer, number, number, ctypes.c_uint, ctypes.c_uint, number, ctypes.c_uint),
        ),
        "snd_pcm_get_params": (number, (pointer, ctypes.POINTER(unsigned), ctypes.POINTER(unsigned))),
        "snd_pcm_prepare": (number, (pointer,)),
        "snd_pcm_start": (number, (pointer,)),
        "snd_pcm_drop": (number, (pointer,)),
        "snd_pcm_writei": (long, (pointer, ctypes.c_char_p, unsigned)),
        "snd_pcm_avail_delay": (number, (pointer, ctypes.POINTER(long), ctypes.POINTER(long))),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    lib.snd_lib_error_set_handler(_quiet())
    return lib
