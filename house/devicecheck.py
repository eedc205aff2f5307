"""Before going on air: whether what hangs on this machine would do its work, device by device, without a sound."""

from __future__ import annotations

import ipaddress
import os
import queue
import shlex
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from config import Config
from house.equipment import inputs_of, outputs_of
from playout.outputs.outputprobe import Trouble, Wrong, ask_input, ask_output
from playout.specs import AmplifierSpec, OutputSpec
from schedules.findings import Finding, Severity
from schedules.intent import Intent
from schedules.sources import SourceKind
from schedules.text import Text

PATIENCE_S = 8.0
"""How long a device may take to answer; a sound server that hangs never does."""

_HINTS = {
    "pulse": Text("Xem tên bằng: pactl list short sinks", "See the names with: pactl list short sinks"),
    "alsa": Text(
        "Xem tên bằng: aplay -L, ví dụ plughw:CARD=Device", "See the names with: aplay -L, plughw:CARD=Device"
    ),
    "icecast": Text(
        "Kiểm tra máy chủ Icecast, mạng và địa chỉ, ví dụ http://127.0.0.1:8000/xa.mp3",
        "Check the Icecast server, the network and the address, such as http://127.0.0.1:8000/xa.mp3",
    ),
    "rtp": Text(
        "Kiểm tra mạng và địa chỉ, ví dụ 239.255.1.2:5004",
        "Check the network and the address, such as 239.255.1.2:5004",
    ),
}
_INPUT_HINT = Text("Xem tên bằng: pactl list short sources", "See the names with: pactl list short sources")


def devices(config: Config, intent: Intent) -> Iterator[Finding]:
    """Yield what is wrong with outputs, amplifiers, ears, sensors, password files and inputs of config.yaml."""
    for index, station in enumerate(config.stations):
        for number, output in enumerate(outputs_of(station)):
            where = f"stations[{index}].outputs[{number}]"
            yield from _output(output, where)
            yield from _password(output, where)
            if output.amplifier is not None:
                yield from _amplifier(output.amplifier, output.name, f"{where}.amplifier")
            yield from _ear(output, where)
        for number, entry in enumerate(inputs_of(station)):
            trouble = _within(partial(ask_input, entry.kind, entry.device))
            if trouble is not None:
                yield _deaf(trouble, entry.device, f"stations[{index}].inputs[{number}].device")
        yield from _lines(intent, station.code, {entry.name for entry in station.inputs}, f"stations[{index}].inputs")


def _output(output: OutputSpec, where: str) -> Iterator[Finding]:
    trouble = _within(partial(ask_output, output))
    if trouble is None:
        if output.kind == "rtp" and not _is_multicast(output.device or ""):
            yield _not_multicast(output.device or "", where)
        return
    device, hint = output.device or "", _HINTS.get(output.kind)
    match trouble.wrong:
        case Wrong.NO_SERVER:
            server = {"pulse": "PulseAudio", "icecast": "máy chủ Icecast"}.get(output.kind, device)
            vi, en = f"Không kết nối được {server}.", f"Output “{output.name}” cannot be reached: {trouble.detail}."
            yield _error("no_sound_server", f"{where}.device", vi, en, hint)
        case Wrong.NO_DEVICE:
            names = ", ".join(trouble.others) or "—"
            vi = f"Không có thiết bị “{device}”. Có: {names}."
            en = f"There is no device “{device}” ({trouble.detail}). There are: {names}."
            yield _error("no_device", f"{where}.device", vi, en, hint)
        case Wrong.MUTED:
            vi, en = f"Thiết bị “{device}” đang tắt tiếng.", f"Sink “{device}” is muted."
            turn_up = Text("Bật tiếng và chỉnh âm lượng của thiết bị.", "Unmute the device and turn it up.")
            yield _error("muted", f"{where}.device", vi, en, turn_up)
        case Wrong.BAD_ADDRESS:
            vi, en = f"Địa chỉ “{device}” không dùng được.", f"The address cannot be used: {trouble.detail}."
            yield _error("bad_address", f"{where}.device", vi, en, hint)


def _is_multicast(device: str) -> bool:
    return ipaddress.ip_address(device.partition("@")[0].rpartition(":")[0]).is_multicast


def _not_multicast(device: str, where: str) -> Finding:
    vi = f"“{device}” không phải địa chỉ nhóm (multicast): chỉ một loa nghe được."
    en = f"“{device}” is no multicast address: a single loudspeaker hears it."
    return Finding(code="not_multicast", severity=Severity.WARNING, where=f"{where}.device", message=Text(vi, en))


def _password(output: OutputSpec, where: str) -> Iterator[Finding]:
    if output.password_file is None:
        return
    path, where = output.password_file, f"{where}.password_file"
    try:
        mode = path.stat().st_mode
        empty = not path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        vi, en = f"Không đọc được tệp mật khẩu {path}.", f"The password file {path} cannot be read."
        hint = Text("Kiểm tra đường dẫn và chủ của tệp.", "Check the path and who owns the file.")
        yield _error("no_password", where, vi, en, hint)
        return
    if empty:
        vi, en = f"Tệp mật khẩu {path} còn trống.", f"The password file {path} is empty."
        yield _error("no_password", where, vi, en, Text("Ghi mật khẩu vào tệp.", "Write the password into it."))
    if stat.S_IMODE(mode) & 0o077:
        vi = f"Người khác trên máy đọc được tệp mật khẩu {path}."
        en = f"Others on this machine can read the password file {path}."
        yield _error("open_password", where, vi, en, Text(f"Chạy: chmod 600 {path}", f"Run: chmod 600 {path}"))


def _amplifier(amplifier: AmplifierSpec, name: str, where: str) -> Iterator[Finding]:
    judge = {"command": _command, "http": _address, "gpio": _pin}[amplifier.kind]
    for key, order in (("on", amplifier.on), ("off", amplifier.off)):
        complaint = judge(order)
        if complaint is not None:
            vi = f"Không điều khiển được tăng âm của đầu ra “{name}”: {complaint.vi}"
            en = f"The amplifier of output “{name}” could not be switched: {complaint.en}"
            hint = Text("Sửa trong config.yaml, hoặc cấp quyền cho Loa.", "Mend it in config.yaml, or grant the right.")
            yield _error("amplifier", f"{where}.{key}", vi, en, hint)
    if amplifier.feedback is not None and not os.access(amplifier.feedback, os.R_OK):
        yield _unreadable(amplifier.feedback, f"{where}.feedback")


def _command(order: str) -> Text | None:
    try:
        words = shlex.split(order)
    except ValueError:
        words = []
    if words and shutil.which(words[0]) is not None:
        return None
    program = words[0] if words else order
    return Text(f"không có chương trình “{program}”.", f"there is no program “{program}”.")


def _address(order: str) -> Text | None:
    try:
        url = urlsplit(order)
        fits = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        fits = False
    return None if fits else Text(f"“{order}” không phải địa chỉ http.", f"“{order}” is no address of http.")


def _pin(order: str) -> Text | None:
    name, equals, value = order.rpartition("=")
    if not equals or not value:
        return Text(f"“{order}” không có dạng TỆP=GIÁ TRỊ.", f"“{order}” is not FILE=VALUE.")
    if os.access(name, os.W_OK):
        return None
    return Text(f"không ghi được vào {name}.", f"{name} cannot be written.")


def _ear(output: OutputSpec, where: str) -> Iterator[Finding]:
    ear = output.ear
    # The monitor of a sink that is missing is missing with it; that was said.
    monitor = ear is not None and output.kind == "pulse" and ear.device == f"{output.device}.monitor"
    if ear is not None and ear.kind != "none" and not monitor:
        trouble = _within(partial(ask_input, ear.kind, ear.device))
        if trouble is not None:
            yield _deaf(trouble, ear.device, f"{where}.ear.device")
    if output.sensor is not None and not os.access(output.sensor, os.R_OK):
        yield _unreadable(output.sensor, f"{where}.sensor")


def _lines(intent: Intent, code: str, inputs: set[str], where: str) -> Iterator[Finding]:
    """Find relays of a line that this station's machine does not have; other sources are fetched, nothing is asked."""
    used = {item.relay for rule in intent.sessions if rule.station == code for item in rule.items}
    for source in intent.sources:
        if source.kind is SourceKind.LINE and source.code in used and source.address not in inputs:
            names = ", ".join(sorted(inputs)) or "—"
            vi = f"Đài {code} tiếp âm từ ngõ vào “{source.address}” nhưng máy này không khai ngõ vào đó. Có: {names}."
            en = f"Station {code} relays input “{source.address}”, which this machine does not have: {names}."
            hint = Text("Khai ngõ vào trong config.yaml, mục inputs.", "Name it in config.yaml, under inputs.")
            yield _error("unknown_input", where, vi, en, hint)


def _deaf(trouble: Trouble, device: str, where: str) -> Finding:
    names = ", ".join(trouble.others) or "—"
    match trouble.wrong:
        case Wrong.MUTED:
            vi, en = f"Ngõ thu “{device}” đang tắt tiếng.", f"The source “{device}” is muted."
        case Wrong.NO_DEVICE:
            vi, en = f"Không có ngõ thu “{device}”. Có: {names}.", f"There is no source “{device}”: {names}."
        case _:
            vi, en = f"Ngõ thu “{device}” không trả lời.", f"The source “{device}” does not answer: {trouble.detail}."
    return _error("deaf", where, vi, en, _INPUT_HINT)


def _unreadable(path: Path, where: str) -> Finding:
    vi, en = f"Không đọc được {path}.", f"{path} cannot be read."
    hint = Text("Kiểm tra đường dẫn và quyền đọc.", "Check the path and the right to read it.")
    return _error("no_sensor", where, vi, en, hint)


def _within(ask: Callable[[], Trouble | None]) -> Trouble | None:
    """Return the answer, or that there is none after PATIENCE_S."""
    answers: queue.SimpleQueue[Trouble | None] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(ask()), name="probe", daemon=True).start()
    try:
        return answers.get(timeout=PATIENCE_S)
    except queue.Empty:
        return Trouble(wrong=Wrong.NO_SERVER, detail=f"no answer within {PATIENCE_S:.0f} s")


def _error(code: str, where: str, vi: str, en: str, hint: Text | None) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=where, message=Text(vi, en), hint=hint)
