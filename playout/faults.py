"""Faults of a station in an officer's words: each opens once, is journaled, and closes when it is over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from link.door import FaultStatus
from schedules.clock import Clock
from schedules.text import Text

_OUTPUT = {
    "lost": Text(
        "Đầu ra “{name}” không có hoặc đã bị rút: không có tiếng ra loa.",
        "Output “{name}” is missing or was unplugged: no sound goes out.",
    ),
    "muted": Text(
        "Đầu ra “{name}” đang bị tắt tiếng: không có tiếng ra loa.", "Output “{name}” is muted: no sound goes out."
    ),
    "suspended": Text(
        "Đầu ra “{name}” đang bị tạm dừng: không có tiếng ra loa.", "Output “{name}” is suspended: no sound goes out."
    ),
    "moved": Text(
        "Tiếng của đầu ra “{name}” bị chuyển sang thiết bị khác.",
        "The sound of output “{name}” was moved to another device.",
    ),
}

_OTHER = {
    "player_lost": Text(
        "Trình phát bị dừng đột ngột, đang chạy lại.", "The player ended unexpectedly; it is restarted."
    ),
    "player_hang": Text("Trình phát không trả lời, đã khởi động lại.", "The player did not answer and was restarted."),
    "player_down": Text("Trình phát không chạy được.", "The player cannot be started."),
    "clock_untrusted": Text(
        "Đồng hồ chưa tin cậy: máy không phát theo lịch.", "The clock cannot be trusted: nothing scheduled airs."
    ),
    "clock_step": Text("Đồng hồ máy vừa nhảy giờ; lịch được xếp lại.", "The clock jumped; the plan was made anew."),
    "media_refused": Text(
        "Tệp trên máy không đúng bản đã duyệt, không phát.", "A file is not the approved one and was not aired."
    ),
    "intent_refused": Text(
        "Lịch nhận được không có chữ ký đúng; dùng lịch cũ.", "The intent has no valid signature; the last one stays."
    ),
    "intent_missing": Text(
        "Hệ thống chưa quyết định gì cho đài này: chưa có lịch.", "Nothing is decided for this station: it has no plan."
    ),
    "daemon_broken": Text("Bộ phát gặp lỗi và đã chạy lại.", "The station's worker failed and was restarted."),
}

_STREAM = Text(
    "Luồng phát “{name}” không tới được nơi nhận: người nghe qua mạng không có tiếng.",
    "Stream “{name}” does not reach its server or network: those who listen there hear nothing.",
)

_HINTS = {
    "output": Text(
        "Kiểm tra dây, card âm thanh và âm lượng; máy tự thử lại mỗi giây.",
        "Check cable, sound card and volume; the station tries again every second.",
    ),
    "stream": Text(
        "Kiểm tra mạng, máy chủ phát luồng, tên và mật khẩu trong config.yaml; máy tự kết nối lại.",
        "Check the network, the server, and name and password in config.yaml; the station connects again by itself.",
    ),
    "clock_untrusted": Text(
        "Nối mạng để lấy giờ, hoặc người có trách nhiệm xác nhận giờ.",
        "Connect to a network for the time, or let a responsible person confirm it.",
    ),
}


def output_fault(state: str, name: str) -> Text:
    """Return the sentence for an output that is `lost`, `muted`, `suspended` or `moved`."""
    text = _OUTPUT[state]
    return Text(text.vi.format(name=name), text.en.format(name=name))


def stream_fault(name: str) -> Text:
    """Return the sentence for a network output whose stream does not go out."""
    return Text(_STREAM.vi.format(name=name), _STREAM.en.format(name=name))


def fault(code: str) -> Text:
    """Return the sentence for any other fault; raises KeyError for an unknown code."""
    return _OTHER[code]


def hint(code: str) -> Text | None:
    """Return what to do about a fault, None where nothing helps but waiting."""
    words = code.split("_")
    # `output_main` and all others that end in a name share the sentence of their kind.
    known = (_HINTS.get("_".join(words[:count])) for count in range(len(words), 0, -1))
    return next((found for found in known if found is not None), None)


def _words(message: Text, what_to_do: Text | None) -> dict[str, str]:
    """Return a row's sentences: whoever reads the row later, elsewhere, has no table of codes."""
    words = {"message": message.vi, "message_en": message.en}
    return words if what_to_do is None else words | {"hint": what_to_do.vi, "hint_en": what_to_do.en}


class FaultBook:
    """The faults that are open now. `write` puts a row of kind `fault` into the journal."""

    def __init__(self, *, clock: Clock, write: Callable[[Mapping[str, Any]], None]) -> None:
        self._clock = clock
        self._write = write
        self._lock = threading.Lock()
        self._open: dict[str, FaultStatus] = {}

    @property
    def open(self) -> tuple[FaultStatus, ...]:
        """Every open fault, oldest first; from any thread."""
        with self._lock:
            return tuple(self._open.values())

    def begin(self, code: str, message: Text, detail: str) -> None:
        """Open a fault, or say it anew where its sentence changed; nothing where it is open so already."""
        known = self._open.get(code)
        if known is not None and known.message == message:
            return
        since = self._clock.now()
        self._write({"code": code, "state": "open", **_words(message, hint(code)), "detail": detail})
        with self._lock:
            self._open[code] = FaultStatus(code=code, since=since, message=message, hint=hint(code))

    def end(self, code: str) -> None:
        """Close a fault; nothing where it is not open."""
        with self._lock:
            known = self._open.pop(code, None)
        if known is not None:
            self._write({"code": code, "state": "closed", "since": known.since.isoformat()})

    def note(self, code: str, **more: str | float) -> None:
        """Write down something that happened once and is over."""
        known = _OTHER.get(code)
        self._write({"code": code, "state": "once", **({} if known is None else _words(known, hint(code))), **more})

    def forget(self) -> None:
        """Begin with none open, as after a start."""
        with self._lock:
            self._open.clear()
