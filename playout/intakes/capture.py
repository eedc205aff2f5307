"""Sound from an input of this machine: a source of PulseAudio or a capture device of ALSA, mono 48 kHz s16."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Protocol

from playout.source import RATE_HZ, SAMPLE_BYTES
from schedules.errors import OutputError

_BLOCK = RATE_HZ // 50

_NOAUTOSPAWN = 1
_CONTEXT_READY, _CONTEXT_FAILED = 4, 5
_STREAM_READY, _STREAM_FAILED = 2, 3
_S16LE = 3
# Nobody else's source instead, when this one goes; and small pieces.
_DONT_MOVE, _ADJUST_LATENCY = 0x0200, 0x2000
_UNSET = 0xFFFFFFFF

_ALSA_CAPTURE = 1
_ALSA_S16_LE = 2
_ALSA_INTERLEAVED = 3
_ALSA_LATENCY_US = 100_000

Signatures = Mapping[str, tuple[object, tuple[object, ...]]]
_POINTER, _TEXT, _NUMBER = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int


class Capture(Protocol):
    """An input that is open."""

    def read(self) -> bytes:
        """Return what has come, waiting for some; raises OutputError when the input is gone."""
        ...

    def close(self) -> None:
        """Leave the input."""
        ...


def open_capture(kind: str, device: str) -> Capture:
    """Return the input `device` of `pulse` or `alsa`, open; raises OutputError."""
    return PulseCapture(device) if kind == "pulse" else AlsaCapture(device)


class _SampleSpec(ctypes.Structure):
    _fields_ = (("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8))


class _BufferAttr(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in ("maxlength", "tlength", "prebuf", "minreq", "fragsize"))


class PulseCapture:
    """A recording stream that ends when its source does. For one thread."""

    def __init__(self, source: str) -> None:
        self._lib = _library("libpulse.so.0", _PULSE)
        self._loop = self._lib.pa_mainloop_new()
        self._context: int | None = None
        self._stream: int | None = None
        try:
            self._connect()
            self._record(source)
        except OutputError:
            self.close()
            raise

    def read(self) -> bytes:
        """Return what has come, waiting for some; raises OutputError when the source is gone."""
        lib = self._lib
        while (count := lib.pa_stream_readable_size(self._stream)) == 0:
            self._turn()
        if count == ctypes.c_size_t(-1).value:
            raise OutputError("the input cannot be read")
        data, length = _POINTER(), ctypes.c_size_t()
        if lib.pa_stream_peek(self._stream, ctypes.byref(data), ctypes.byref(length)) < 0:
            raise OutputError("the input cannot be read")
        # No data with a length: a hole.
        pcm = ctypes.string_at(data.value, length.value) if data.value else bytes(length.value)
        lib.pa_stream_drop(self._stream)
        return pcm

    def close(self) -> None:
        """Leave the server; harmless twice."""
        lib = self._lib
        if self._stream is not None:
            lib.pa_stream_disconnect(self._stream)
            lib.pa_stream_unref(self._stream)
            self._stream = None
        if self._context is not None:
            lib.pa_context_disconnect(self._context)
            lib.pa_context_unref(self._context)
            self._context = None
        if self._loop is not None:
            lib.pa_mainloop_free(self._loop)
            self._loop = None

    def _connect(self) -> None:
        lib = self._lib
        self._context = lib.pa_context_new(lib.pa_mainloop_get_api(self._loop), b"Loa")
        if lib.pa_context_connect(self._context, None, _NOAUTOSPAWN, None) < 0:
            raise OutputError("the sound server is not there")
        while lib.pa_context_get_state(self._context) != _CONTEXT_READY:
            self._turn()

    def _record(self, source: str) -> None:
        lib = self._lib
        spec = _SampleSpec(_S16LE, RATE_HZ, 1)
        self._stream = lib.pa_stream_new(self._context, b"input", ctypes.byref(spec), None)
        attributes = _BufferAttr(_UNSET, _UNSET, _UNSET, _UNSET, _BLOCK * SAMPLE_BYTES)
        flags = _DONT_MOVE | _ADJUST_LATENCY
        if lib.pa_stream_connect_record(self._stream, source.encode(), ctypes.byref(attributes), flags) < 0:
            raise OutputError(f"there is no input {source}")
        while lib.pa_stream_get_state(self._stream) != _STREAM_READY:
            self._turn()

    def _turn(self) -> None:
        lib = self._lib
        if lib.pa_mainloop_iterate(self._loop, 1, None) < 0:
            raise OutputError("the sound server cannot be asked")
        if lib.pa_context_get_state(self._context) >= _CONTEXT_FAILED:
            raise OutputError("the sound server is not there")
        if self._stream is not None and lib.pa_stream_get_state(self._stream) >= _STREAM_FAILED:
            raise OutputError("the input is not there")


class AlsaCapture:
    """A capture device by its name of ALSA."""

    def __init__(self, device: str) -> None:
        self._lib = _library("libasound.so.2", _ALSA)
        self._pcm = _POINTER()
        self._checked(self._lib.snd_pcm_open(ctypes.byref(self._pcm), device.encode(), _ALSA_CAPTURE, 0))
        try:
            form = (_ALSA_S16_LE, _ALSA_INTERLEAVED, 1, RATE_HZ, 1, _ALSA_LATENCY_US)
            self._checked(self._lib.snd_pcm_set_params(self._pcm, *form))
        except OutputError:
            self.close()
            raise
        self._buffer = ctypes.create_string_buffer(_BLOCK * SAMPLE_BYTES)

    def read(self) -> bytes:
        """Return what has come, waiting for some; raises OutputError when the device is gone."""
        frames: int = self._lib.snd_pcm_readi(self._pcm, self._buffer, _BLOCK)
        if frames < 0:
            self._checked(self._lib.snd_pcm_recover(self._pcm, frames, 1))
            return b""
        return self._buffer.raw[: frames * SAMPLE_BYTES]

    def close(self) -> None:
        """Leave the device; harmless twice."""
        if self._pcm:
            self._lib.snd_pcm_close(self._pcm)
            self._pcm = _POINTER()

    def _checked(self, result: int) -> None:
        if result < 0:
            raise OutputError(f"ALSA: {self._lib.snd_strerror(result).decode(errors='replace')}")


def _library(name: str, signatures: Signatures) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise OutputError(f"{name} is missing: {error}") from error
    for function_name, (result, arguments) in signatures.items():
        function = getattr(library, function_name)
        function.restype, function.argtypes = result, arguments
    return library


_SIZE = ctypes.c_size_t
_PULSE: Signatures = {
    "pa_mainloop_new": (_POINTER, ()),
    "pa_mainloop_free": (None, (_POINTER,)),
    "pa_mainloop_get_api": (_POINTER, (_POINTER,)),
    "pa_mainloop_iterate": (_NUMBER, (_POINTER, _NUMBER, _POINTER)),
    "pa_context_new": (_POINTER, (_POINTER, _TEXT)),
    "pa_context_connect": (_NUMBER, (_POINTER, _TEXT, _NUMBER, _POINTER)),
    "pa_context_get_state": (_NUMBER, (_POINTER,)),
    "pa_context_disconnect": (None, (_POINTER,)),
    "pa_context_unref": (None, (_POINTER,)),
    "pa_stream_new": (_POINTER, (_POINTER, _TEXT, _POINTER, _POINTER)),
    "pa_stream_connect_record": (_NUMBER, (_POINTER, _TEXT, _POINTER, _NUMBER)),
    "pa_stream_get_state": (_NUMBER, (_POINTER,)),
    "pa_stream_readable_size": (_SIZE, (_POINTER,)),
    "pa_stream_peek": (_NUMBER, (_POINTER, _POINTER, _POINTER)),
    "pa_stream_drop": (_NUMBER, (_POINTER,)),
    "pa_stream_disconnect": (_NUMBER, (_POINTER,)),
    "pa_stream_unref": (None, (_POINTER,)),
}
_ALSA: Signatures = {
    "snd_pcm_open": (_NUMBER, (_POINTER, _TEXT, _NUMBER, _NUMBER)),
    "snd_pcm_set_params": (
        _NUMBER,
        (_POINTER, _NUMBER, _NUMBER, ctypes.c_uint, ctypes.c_uint, _NUMBER, ctypes.c_uint),
    ),
    "snd_pcm_readi": (ctypes.c_long, (_POINTER, _POINTER, ctypes.c_ulong)),
    "snd_pcm_recover": (_NUMBER, (_POINTER, _NUMBER, _NUMBER)),
    "snd_pcm_close": (_NUMBER, (_POINTER,)),
    "snd_strerror": (_TEXT, (_NUMBER,)),
}
