"""A thin hold on PulseAudio's asynchronous client library: one playback stream that stays on the sink it opened."""

from __future__ import annotations

import ctypes
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from playout.source import NS_PER_S, RATE_HZ, SAMPLE_BYTES
from schedules.errors import OutputError

_CONTEXT_NOAUTOSPAWN = 1
_CONTEXT_READY, _CONTEXT_FAILED = 4, 5
_STREAM_READY, _STREAM_FAILED = 2, 3
_SAMPLE_S16LE = 3
_SEEK_ABSOLUTE = 1
_ANY = 0xFFFFFFFF

_DONT_MOVE = 0x0200
_ADJUST_LATENCY = 0x2000
_FLAGS = _DONT_MOVE | _ADJUST_LATENCY

_OPEN_S = 2.0
_POLL_S = 0.005


class _SampleSpec(ctypes.Structure):
    _fields_ = (("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8))


class _BufferAttr(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in ("maxlength", "tlength", "prebuf", "minreq", "fragsize"))


class _TimingInfo(ctypes.Structure):
    _fields_ = (
        ("seconds", ctypes.c_long),
        ("microseconds", ctypes.c_long),
        ("synchronized_clocks", ctypes.c_int),
        ("sink_usec", ctypes.c_uint64),
        ("source_usec", ctypes.c_uint64),
        ("transport_usec", ctypes.c_uint64),
        ("playing", ctypes.c_int),
        ("write_index_corrupt", ctypes.c_int),
        ("write_index", ctypes.c_int64),
        ("read_index_corrupt", ctypes.c_int),
        ("read_index", ctypes.c_int64),
        ("configured_sink_usec", ctypes.c_uint64),
        ("configured_source_usec", ctypes.c_uint64),
        ("since_underrun", ctypes.c_int64),
    )


_CHANNELS = 32
_SUSPENDED = 2


class _ChannelMap(ctypes.Structure):
    _fields_ = (("channels", ctypes.c_uint8), ("map", ctypes.c_int * _CHANNELS))


class _Volume(ctypes.Structure):
    _fields_ = (("channels", ctypes.c_uint8), ("values", ctypes.c_uint32 * _CHANNELS))

    @property
    def loudest(self) -> int:
        """The volume of the loudest channel; 0 is silence."""
        return max(self.values[: self.channels], default=0)


class _SinkInfo(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("index", ctypes.c_uint32),
        ("description", ctypes.c_char_p),
        ("sample_spec", _SampleSpec),
        ("channel_map", _ChannelMap),
        ("owner_module", ctypes.c_uint32),
        ("volume", _Volume),
        ("mute", ctypes.c_int),
        ("monitor_source", ctypes.c_uint32),
        ("monitor_source_name", ctypes.c_char_p),
        ("latency", ctypes.c_uint64),
        ("driver", ctypes.c_char_p),
        ("flags", ctypes.c_int),
        ("proplist", ctypes.c_void_p),
        ("configured_latency", ctypes.c_uint64),
        ("base_volume", ctypes.c_uint32),
        ("state", ctypes.c_int),
    )


class _SinkInputInfo(ctypes.Structure):
    _fields_ = (
        ("index", ctypes.c_uint32),
        ("name", ctypes.c_char_p),
        ("owner_module", ctypes.c_uint32),
        ("client", ctypes.c_uint32),
        ("sink", ctypes.c_uint32),
        ("sample_spec", _SampleSpec),
        ("channel_map", _ChannelMap),
        ("volume", _Volume),
        ("buffer_usec", ctypes.c_uint64),
        ("sink_usec", ctypes.c_uint64),
        ("resample_method", ctypes.c_char_p),
        ("driver", ctypes.c_char_p),
        ("mute", ctypes.c_int),
    )


_DRY_KEPT = 100
_Underflow = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
_Told = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The server's own account of a stream and its sink."""

    sink: str
    same_sink: bool
    suspended: bool
    sink_silent: bool
    stream_silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a stream was: at `instant_ns` (CLOCK_MONOTONIC) its frame `heard_frame` was heard.

    On a busy machine the server dates it too late, never too early: the frame was passed by then.
    ahead_frames: how far beyond it the sink has taken what was written; what comes before that comes too late.
    read_frame: the first frame that the server has not taken yet. playing: it has something to take from there on.
    """

    instant_ns: int
    heard_frame: float
    ahead_frames: float
    read_frame: int = 0
    playing: bool = True


@dataclass(frozen=True, slots=True)
class _SinkInput:
    """Where the server has the stream, and whether it is mute there."""

    sink: int
    silent: bool


class PulseStream:
    """One playback stream, mono 48 kHz s16. Its frame count runs with the device whether or not anything is written.

    That is what `prebuf = 0` gives: a frame that is not there in time is silence, and the next ones keep their time.
    All methods may be called from any thread; each raises OutputError once the stream is gone.
    """

    def __init__(self, *, description: str) -> None:
        self._description = description.encode()
        self._lib = _library()
        self._lock = threading.RLock()
        self._mainloop: int | None = None
        self._context: int | None = None
        self._stream: int | None = None
        self._answers: dict[int, queue.SimpleQueue[Account | _SinkInput | None]] = {}
        self._question = 0
        self._ran_dry: deque[int] = deque(maxlen=_DRY_KEPT)
        # Kept here: libpulse holds only the bare pointers.
        self._on_underflow = _Underflow(self._underflow_told)
        self._on_sink = _Told(self._sink_told)
        self._on_stream = _Told(self._stream_told)

    def open(self, *, server: str | None, sink: str | None, latency_ms: int) -> None:
        """Connect to `sink` (None: the server's default) and wait until it runs; at most 2 s a step."""
        lib = self._lib
        self._mainloop = lib.pa_threaded_mainloop_new()
        if lib.pa_threaded_mainloop_start(self._mainloop) < 0:
            raise OutputError("no thread for PulseAudio")
        try:
            self._connect(server)
            self._play(sink, latency_ms=latency_ms)
        except OutputError:
            self.close()
            raise

    def close(self) -> None:
        """Leave the server; what was written and not heard is dropped. Harmless twice."""
        lib = self._lib
        with self._lock:
            mainloop, self._mainloop = self._mainloop, None
            if mainloop is None:
                return
            lib.pa_threaded_mainloop_lock(mainloop)
            if self._stream is not None:
                lib.pa_stream_disconnect(self._stream)
                lib.pa_stream_unref(self._stream)
                self._stream = None
            if self._context is not None:
                lib.pa_context_disconnect(self._context)
                lib.pa_context_unref(self._context)
                self._context = None
            lib.pa_threaded_mainloop_unlock(mainloop)
            lib.pa_threaded_mainloop_stop(mainloop)
            lib.pa_threaded_mainloop_free(mainloop)

    def ask(self) -> None:
        """Ask the server where the stream is; `position` has the answer a moment later."""
        with _Locked(self):
            operation = self._lib.pa_stream_update_timing_info(self._stream, None, None)
            if operation:
                self._lib.pa_operation_unref(operation)

    def account(self, *, timeout_s: float) -> Account | None:
        """Return what the server says of stream and sink; None where it no longer knows one of them.

        Raises OutputError where it does not answer in time. Over the stream's own connection: a server takes 64.
        """
        entry = self._asked("pa_context_get_sink_input_info", self.index, self._on_stream, timeout_s)
        if not isinstance(entry, _SinkInput):
            return None
        sink = self._asked("pa_context_get_sink_info_by_index", entry.sink, self._on_sink, timeout_s)
        if not isinstance(sink, Account):
            return None
        return replace(sink, same_sink=entry.sink == self.sink_index, stream_silent=entry.silent)

    def _asked(self, function: str, index: int, told: object, timeout_s: float) -> Account | _SinkInput | None:
        answers: queue.SimpleQueue[Account | _SinkInput | None] = queue.SimpleQueue()
        with _Locked(self):
            self._question += 1
            question = self._question
            self._answers[question] = answers
            operation = getattr(self._lib, function)(self._context, index, told, question)
            if operation:
                self._lib.pa_operation_unref(operation)
        try:
            return answers.get(timeout=timeout_s)
        except queue.Empty:
            raise OutputError("the sound server answers slowly") from None
        finally:
            self._answers.pop(question, None)

    def _sink_told(self, context: int, info: int | None, end: int, question: int) -> None:
        found = ctypes.cast(info, ctypes.POINTER(_SinkInfo)).contents if info else None
        answer = None
        if found is not None:
            answer = Account(
                sink=(found.name or b"").decode(errors="replace"),
                same_sink=True,
                suspended=found.state == _SUSPENDED,
                sink_silent=bool(found.mute) or not found.volume.loudest,
                stream_silent=False,
            )
        self._answer(question, answer)

    def _stream_told(self, context: int, info: int | None, end: int, question: int) -> None:
        found = ctypes.cast(info, ctypes.POINTER(_SinkInputInfo)).contents if info else None
        answer = None
        if found is not None:
            answer = _SinkInput(sink=found.sink, silent=bool(found.mute) or not found.volume.loudest)
        self._answer(question, answer)

    def _answer(self, question: int, answer: Account | _SinkInput | None) -> None:
        """Pass on the first thing that is told; what ends the list comes too late then. In libpulse's thread."""
        answers = self._answers.pop(question, None)
        if answers is not None:
            answers.put(answer)

    def ran_dry(self) -> int | None:
        """Return the frame at which the server first found nothing to take since this was last asked, None: never."""
        first = None
        while self._ran_dry:
            frame = self._ran_dry.popleft()
            first = frame if first is None else min(first, frame)
        return first

    def _underflow_told(self, stream: int, data: int | None) -> None:
        """Keep where it was. In libpulse's thread, which holds its lock."""
        frame = self._lib.pa_stream_get_underflow_index(stream) // SAMPLE_BYTES
        if frame >= 0:
            self._ran_dry.append(frame)

    def position(self) -> Position | None:
        """Return the server's last answer, None where there is none that can be dated."""
        with _Locked(self):
            info = self._lib.pa_stream_get_timing_info(self._stream)
            if not info or not info.contents.synchronized_clocks or info.contents.read_index_corrupt:
                return None
            answer = info.contents
            wall_ns = answer.seconds * NS_PER_S + answer.microseconds * 1000
            read_frame = answer.read_index / SAMPLE_BYTES
            ahead_us = max(answer.sink_usec, answer.configured_sink_usec)
            sink_us = answer.sink_usec
            playing = bool(answer.playing)
        return Position(
            instant_ns=time.monotonic_ns() - (time.time_ns() - wall_ns),
            heard_frame=read_frame - sink_us * RATE_HZ / 1e6,
            ahead_frames=ahead_us * RATE_HZ / 1e6,
            read_frame=int(read_frame),
            playing=playing,
        )

    def write(self, pcm: bytes, *, at_frame: int) -> None:
        """Put `pcm` at the stream's frame `at_frame`."""
        with _Locked(self):
            offset = at_frame * SAMPLE_BYTES
            if self._lib.pa_stream_write(self._stream, pcm, len(pcm), None, offset, _SEEK_ABSOLUTE) < 0:
                raise self._error("writing failed")

    @property
    def sink_index(self) -> int:
        """The index of the sink that the stream plays on."""
        with _Locked(self):
            return int(self._lib.pa_stream_get_device_index(self._stream))

    @property
    def sink_name(self) -> str:
        """The name of the sink that the stream plays on."""
        with _Locked(self):
            return bytes(self._lib.pa_stream_get_device_name(self._stream) or b"").decode(errors="replace")

    @property
    def index(self) -> int:
        """The server's index of the stream (its sink input)."""
        with _Locked(self):
            return int(self._lib.pa_stream_get_index(self._stream))

    def _connect(self, server: str | None) -> None:
        lib = self._lib
        lib.pa_threaded_mainloop_lock(self._mainloop)
        self._context = lib.pa_context_new(lib.pa_threaded_mainloop_get_api(self._mainloop), b"Loa")
        name = server.encode() if server else None
        failed = lib.pa_context_connect(self._context, name, _CONTEXT_NOAUTOSPAWN, None) < 0
        lib.pa_threaded_mainloop_unlock(self._mainloop)
        if failed:
            raise self._error("no sound server")
        self._wait_for(
            lambda: lib.pa_context_get_state(self._context) == _CONTEXT_READY, "the sound server does not answer"
        )

    def _play(self, sink: str | None, *, latency_ms: int) -> None:
        lib = self._lib
        spec = _SampleSpec(_SAMPLE_S16LE, RATE_HZ, 1)
        frames_ms = RATE_HZ // 1000 * SAMPLE_BYTES
        wanted = _BufferAttr(2000 * frames_ms, latency_ms * frames_ms, 0, 20 * frames_ms, _ANY)
        lib.pa_threaded_mainloop_lock(self._mainloop)
        self._stream = lib.pa_stream_new(self._context, self._description, ctypes.byref(spec), None)
        lib.pa_stream_set_underflow_callback(self._stream, self._on_underflow, None)
        name = sink.encode() if sink else None
        failed = lib.pa_stream_connect_playback(self._stream, name, ctypes.byref(wanted), _FLAGS, None, None) < 0
        lib.pa_threaded_mainloop_unlock(self._mainloop)
        if failed:
            raise self._error("the sink cannot be opened")
        self._wait_for(lambda: lib.pa_stream_get_state(self._stream) == _STREAM_READY, "the sink does not answer")

    def _wait_for(self, there: Callable[[], bool], complaint: str) -> None:
        deadline_ns = time.monotonic_ns() + round(_OPEN_S * NS_PER_S)
        while True:
            with _Locked(self):
                if there():
                    return
            if time.monotonic_ns() > deadline_ns:
                raise OutputError(complaint)
            time.sleep(_POLL_S)

    def _error(self, what: str) -> OutputError:
        code = self._lib.pa_context_errno(self._context) if self._context is not None else 0
        reason = bytes(self._lib.pa_strerror(code) or b"").decode(errors="replace")
        return OutputError(f"{what}: {reason}")

    def _check(self) -> None:
        """Raise where the server or the sink has gone; the mainloop is locked."""
        lib = self._lib
        if self._context is None or lib.pa_context_get_state(self._context) >= _CONTEXT_FAILED:
            raise self._error("the sound server is not there")
        if self._stream is not None and lib.pa_stream_get_state(self._stream) >= _STREAM_FAILED:
            raise self._error("the sink is not there")


class _Locked:
    """Holds a stream and its mainloop, after a look at whether both are still there."""

    def __init__(self, stream: PulseStream) -> None:
        self._owner = stream

    def __enter__(self) -> None:
        owner = self._owner
        owner._lock.acquire()
        if owner._mainloop is None:
            owner._lock.release()
            raise OutputError("the stream is closed")
        owner._lib.pa_threaded_mainloop_lock(owner._mainloop)
        try:
            owner._check()
        except OutputError:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        owner = self._owner
        owner._lib.pa_threaded_mainloop_unlock(owner._mainloop)
        owner._lock.release()


def _library() -> ctypes.CDLL:
    """Return libpulse with the types of what is used here; raises OutputError where it is not installed."""
    try:
        lib = ctypes.CDLL("libpulse.so.0")
    except OSError as error:
        raise OutputError(f"PulseAudio's library is missing: {error}") from error
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures: dict[str, tuple[object, tuple[object, ...]]] = {
        "pa_threaded_mainloop_new": (pointer, ()),
        "pa_threaded_mainloop_start": (number, (pointer,)),
        "pa_threaded_mainloop_stop": (None, (pointer,)),
        "pa_threaded_mainloop_free": (None, (pointer,)),
        "pa_threaded_mainloop_lock": (None, (pointer,)),
        "pa_threaded_mainloop_unlock": (None, (pointer,)),
        "pa_threaded_mainloop_get_api": (pointer, (pointer,)),
        "pa_context_new": (pointer, (pointer, text)),
        "pa_context_connect": (number, (pointer, text, number, pointer)),
        "pa_context_get_state": (number, (pointer,)),
        "pa_context_disconnect": (None, (pointer,)),
        "pa_context_unref": (None, (pointer,)),
        "pa_context_errno": (number, (pointer,)),
        "pa_strerror": (text, (number,)),
        "pa_stream_new": (pointer, (pointer, text, pointer, pointer)),
        "pa_stream_connect_playback": (number, (pointer, text, pointer, number, pointer, pointer)),
        "pa_stream_get_state": (number, (pointer,)),
        "pa_stream_set_underflow_callback": (None, (pointer, _Underflow, pointer)),
        "pa_stream_get_underflow_index": (ctypes.c_int64, (pointer,)),
        "pa_stream_disconnect": (number, (pointer,)),
        "pa_stream_unref": (None, (pointer,)),
        "pa_stream_update_timing_info": (pointer, (pointer, pointer, pointer)),
        "pa_operation_unref": (None, (pointer,)),
        "pa_stream_get_timing_info": (ctypes.POINTER(_TimingInfo), (pointer,)),
        "pa_stream_write": (number, (pointer, text, ctypes.c_size_t, pointer, ctypes.c_int64, number)),
        "pa_stream_get_device_index": (ctypes.c_uint32, (pointer,)),
        "pa_stream_get_device_name": (text, (pointer,)),
        "pa_stream_get_index": (ctypes.c_uint32, (pointer,)),
        "pa_context_get_sink_input_info": (pointer, (pointer, ctypes.c_uint32, _Told, pointer)),
        "pa_context_get_sink_info_by_index": (pointer, (pointer, ctypes.c_uint32, _Told, pointer)),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib
