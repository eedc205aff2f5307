"""A thin hold on ALSA's library: one playback stream, mono 48 kHz s16, that never blocks, and its card's mixer."""

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
# "Speaker" or "Headphone" alone may be off while the other plays.
_RULING_CONTROLS = ("Master", "PCM")


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

    def control(self) -> str:
        """Return the name under which the mixer of this device is found: its card's, else the device's own."""
        info = ctypes.c_void_p()
        self._lib.snd_pcm_info_malloc(ctypes.byref(info))
        try:
            known = self._lib.snd_pcm_info(self._pcm, info) >= 0
            card = self._lib.snd_pcm_info_get_card(info) if known else -1
        finally:
            self._lib.snd_pcm_info_free(info)
        return f"hw:{card}" if card >= 0 else self._device

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


class AlsaMixer:
    """The volume controls of a card that rule over all of its sound. Used by one thread; nothing here waits or raises.

    A card without such controls, or whose mixer cannot be opened, is never muted as far as is known here.
    """

    def __init__(self, control: str) -> None:
        self._control = control
        self._lib = _library()
        self._mixer = ctypes.c_void_p()
        self._elements: list[tuple[str, int]] = []

    def open(self) -> None:
        """Find the controls."""
        lib = self._lib
        if lib.snd_mixer_open(ctypes.byref(self._mixer), 0) < 0:
            self._mixer = ctypes.c_void_p()
            return
        if (
            lib.snd_mixer_attach(self._mixer, self._control.encode()) < 0
            or lib.snd_mixer_selem_register(self._mixer, None, None) < 0
            or lib.snd_mixer_load(self._mixer) < 0
        ):
            self.close()
            return
        element = lib.snd_mixer_first_elem(self._mixer)
        while element:
            name = bytes(lib.snd_mixer_selem_get_name(element) or b"").decode(errors="replace")
            if name in _RULING_CONTROLS:
                self._elements.append((name, element))
            element = lib.snd_mixer_elem_next(element)

    def muted(self) -> str | None:
        """Return the control that is switched off or at its lowest, None where sound gets through."""
        if self._mixer:
            self._lib.snd_mixer_handle_events(self._mixer)
        return next((name for name, element in self._elements if self._is_off(element)), None)

    def close(self) -> None:
        """Let the mixer go; harmless twice."""
        self._elements = []
        if self._mixer:
            self._lib.snd_mixer_close(self._mixer)
            self._mixer = ctypes.c_void_p()

    def _is_off(self, element: int) -> bool:
        lib = self._lib
        channels = [channel for channel in (0, 1) if lib.snd_mixer_selem_has_playback_channel(element, channel)]
        switch, volume, low, high = ctypes.c_int(1), ctypes.c_long(), ctypes.c_long(), ctypes.c_long()
        silent: list[bool] = []
        for channel in channels:
            off = False
            if lib.snd_mixer_selem_has_playback_switch(element):
                lib.snd_mixer_selem_get_playback_switch(element, channel, ctypes.byref(switch))
                off = not switch.value
            if lib.snd_mixer_selem_has_playback_volume(element):
                lib.snd_mixer_selem_get_playback_volume_range(element, ctypes.byref(low), ctypes.byref(high))
                lib.snd_mixer_selem_get_playback_volume(element, channel, ctypes.byref(volume))
                off = off or (high.value > low.value and volume.value == low.value)
            silent.append(off)
        return bool(silent) and all(silent)


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
        "snd_pcm_info_malloc": (number, (ctypes.POINTER(pointer),)),
        "snd_pcm_info": (number, (pointer, pointer)),
        "snd_pcm_info_get_card": (number, (pointer,)),
        "snd_pcm_info_free": (None, (pointer,)),
        "snd_mixer_open": (number, (ctypes.POINTER(pointer), number)),
        "snd_mixer_attach": (number, (pointer, ctypes.c_char_p)),
        "snd_mixer_selem_register": (number, (pointer, pointer, pointer)),
        "snd_mixer_load": (number, (pointer,)),
        "snd_mixer_close": (number, (pointer,)),
        "snd_mixer_handle_events": (number, (pointer,)),
        "snd_mixer_first_elem": (pointer, (pointer,)),
        "snd_mixer_elem_next": (pointer, (pointer,)),
        "snd_mixer_selem_get_name": (ctypes.c_char_p, (pointer,)),
        "snd_mixer_selem_has_playback_channel": (number, (pointer, number)),
        "snd_mixer_selem_has_playback_switch": (number, (pointer,)),
        "snd_mixer_selem_get_playback_switch": (number, (pointer, number, ctypes.POINTER(number))),
        "snd_mixer_selem_has_playback_volume": (number, (pointer,)),
        "snd_mixer_selem_get_playback_volume_range": (
            number,
            (pointer, ctypes.POINTER(long), ctypes.POINTER(long)),
        ),
        "snd_mixer_selem_get_playback_volume": (number, (pointer, number, ctypes.POINTER(long))),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    lib.snd_lib_error_set_handler(_quiet())
    return lib
