"""The benchmark of our player beside mpv and liquidsoap, where they are installed: same sink, same sounds."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from playout.benches.bench import Figures, program_version, spread
from playout.benches.soundlab import PulseServer, Recording, Samples, pulse_server, wait_until
from playout.benches.studio import AHEAD_S, SINK, STEADY_S, Studio, noise
from playout.source import NS_PER_S, RATE_HZ

_SAME = 0.8
_TRIAL_S = 2.0
_ANSWER_S = 5.0
_NEVER = 1e12
_JOINED_S = 0.8

_SCRIPT = """
settings.init.allow_root.set(true)
settings.log.level.set(1)
settings.frame.audio.samplerate.set({rate})
settings.frame.audio.channels.set(1)
settings.server.socket.set(true)
settings.server.socket.path.set("{folder}/liquidsoap.sock")
queue = request.queue(id="queue")
at = interactive.float("at", {never})
timed = switch(track_sensitive=false, [
  ({{ time() >= at() }}, single("{folder}/endless.wav")),
  ({{ true }}, fallback(track_sensitive=false, [queue, blank()]))
])
output.pulseaudio(device="{sink}", mksafe(timed))
"""

Start = Callable[[Path, Samples, int], None]
"""Lets a file of a sound begin at an instant, as well as the program can; returns when it should have begun."""


def peers(n: int) -> Figures:
    """Start errors (ms) of `n` starts and gaps (samples) of `n` joins for each program, one after the other."""
    figures: Figures = {
        "program_versions": {
            "mpv": program_version("mpv", "--version"),
            "liquidsoap": program_version("liquidsoap", "--version"),
        }
    }
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as name, pulse_server() as server:
        folder = Path(name)
        server.add_sink(SINK)
        with server.recording(SINK) as recording:
            with _ours(server, folder) as stage:
                figures["ours"] = _tell(_starts(recording, folder, n, _arm(stage)))
                figures["ours_joined"] = _gaps(recording, folder, n, lambda files, sounds: _arm_joined(stage, sounds))
            if shutil.which("mpv"):
                with _mpv(server, folder) as ask:
                    figures["mpv_paused_then_unpaused"] = _tell(_starts(recording, folder, n, _unpause(ask)))
                figures["mpv_gapless"] = _gaps(
                    recording, folder, n, lambda files, sounds: _play_with_mpv(server, folder, files)
                )
            if shutil.which("liquidsoap"):
                with _liquidsoap(server, folder) as tell:
                    figures["liquidsoap_queue_push"] = _tell(_starts(recording, folder, n, _push(tell)))
                    figures["liquidsoap_switch_by_time"] = _tell(_switches(recording, n, tell))
                    figures["liquidsoap_queue_joined"] = _gaps(
                        recording, folder, n, lambda files, sounds: _push_all(tell, files)
                    )
    return figures


def _tell(errors_ms: list[float | None]) -> Figures:
    found = [error for error in errors_ms if error is not None]
    return {"start_error_ms": spread(found), "not_found": len(errors_ms) - len(found)}


def _starts(recording: Recording, folder: Path, n: int, start: Start) -> list[float | None]:
    rng = np.random.default_rng(1)
    errors: list[float | None] = []
    for number in range(n):
        sound = noise(rng, 0.4)
        path = folder / f"start-{number}.wav"
        soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
        due_ns = time.monotonic_ns() + round((AHEAD_S + rng.uniform(0, 0.3)) * NS_PER_S)
        start(path, sound, due_ns)
        recording.wait_for(due_ns + round(_TRIAL_S * NS_PER_S))
        around = recording.position_at(due_ns)
        match = recording.find(sound, start=max(0, around - RATE_HZ), end=recording.end)
        heard_ns = int(recording.instants_ns([match.position])[0])
        errors.append((heard_ns - due_ns) / 1e6 if match.likeness > _SAME else None)
        recording.drop(around - 2 * RATE_HZ)
        path.unlink()
    return errors


def _switches(recording: Recording, n: int, tell: Callable[[str], str]) -> list[float | None]:
    """A switch by a predicate of the time, onto a source that is open: only its first sample tells."""
    errors: list[float | None] = []
    for _ in range(n):
        due_ns = time.monotonic_ns() + round(1.5 * NS_PER_S)
        tell(f"var.set at={(time.time_ns() + due_ns - time.monotonic_ns()) / NS_PER_S:.4f}")
        recording.wait_for(due_ns + NS_PER_S)
        tell(f"var.set at={_NEVER}")
        first = recording.position_at(due_ns) - RATE_HZ // 5
        sounding = np.flatnonzero(recording.piece(first, recording.end))
        errors.append(
            (int(recording.instants_ns([first + int(sounding[0])])[0]) - due_ns) / 1e6 if len(sounding) else None
        )
        time.sleep(1.0)
        recording.drop(recording.end - RATE_HZ // 2)
    return errors


def _gaps(recording: Recording, folder: Path, n: int, play: Callable[[list[Path], list[Samples]], None]) -> Figures:
    """Samples between `n` pairs of items that should follow each other; negative where the end or start was cut."""
    rng = np.random.default_rng(2)
    sounds = [noise(rng, _JOINED_S + number % 7 / 50) for number in range(n + 1)]
    files = []
    for number, sound in enumerate(sounds):
        files.append(folder / f"join-{number}.wav")
        soundfile.write(files[-1], sound, RATE_HZ, subtype="PCM_16")
    begun = recording.end
    play(files, sounds)
    recording.wait_for(time.monotonic_ns() + round(_TRIAL_S * NS_PER_S))
    piece = recording.piece(begun, recording.end)
    positions: list[int | None] = []
    at = 0
    for sound in sounds:
        middle = len(sound) // 4
        match = _find(piece, sound[middle:-middle], at)
        positions.append(None if match is None else match - middle)
        at = at if match is None else match + len(sound) // 2
    pairs = zip(positions, positions[1:], sounds, strict=False)
    gaps = [
        float(after - before - len(sound)) for before, after, sound in pairs if before is not None and after is not None
    ]
    recording.drop(recording.end - RATE_HZ // 2)
    return {"gap_samples": spread(gaps), "not_found": n - len(gaps)}


def _find(piece: Samples, sound: Samples, at: int) -> int | None:
    window = piece[max(0, at - RATE_HZ) : at + 8 * RATE_HZ]
    wave, template = window.astype(np.float64), sound.astype(np.float64)
    if len(wave) < len(template):
        return None
    size = 1 << (len(wave) + len(template)).bit_length()
    agreement = np.fft.irfft(np.fft.rfft(wave, size) * np.conj(np.fft.rfft(template, size)), size)
    best = int(np.argmax(agreement[: len(wave) - len(template) + 1]))
    heard = wave[best : best + len(template)]
    likeness = agreement[best] / max(float(np.linalg.norm(heard) * np.linalg.norm(template)), 1.0)
    return max(0, at - RATE_HZ) + best if likeness > _SAME else None


# Ours


@contextmanager
def _ours(server: PulseServer, folder: Path) -> Iterator[Studio]:
    stage = Studio(server, folder, aircheck=False)
    try:
        stage.open()
        stage.wait_for_sink()
        time.sleep(STEADY_S)
        yield stage
    finally:
        stage.close()


def _arm(stage: Studio) -> Start:
    def start(path: Path, sound: Samples, due_ns: int) -> None:
        stage.arm(path.stem, sound, start_ns=due_ns)
        _sleep_until(due_ns)

    return start


def _arm_joined(stage: Studio, sounds: list[Samples]) -> None:
    first_ns, ends = stage.after(AHEAD_S), stage.ends
    for number, sound in enumerate(sounds):
        stage.arm(f"join-{number}", sound, start_ns=first_ns, after=f"join-{number - 1}" if number else None)
    stage.wait_for_ends(ends + len(sounds), timeout_s=60.0 + 2 * len(sounds))


# mpv


def _mpv_command(folder: Path) -> list[str]:
    return [
        "mpv",
        "--no-config",
        "--no-video",
        "--really-quiet",
        "--no-input-terminal",
        "--ao=pulse",
        f"--audio-device=pulse/{SINK}",
        "--gapless-audio=yes",
        f"--input-ipc-server={folder}/mpv.sock",
    ]


@contextmanager
def _mpv(server: PulseServer, folder: Path) -> Iterator[Callable[..., None]]:
    process = subprocess.Popen(
        [*_mpv_command(folder), "--idle=yes", "--pause"], env=server.environment, stdout=subprocess.DEVNULL
    )
    path = folder / "mpv.sock"
    try:
        wait_until(path.exists, timeout_s=10, what="mpv")
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as line:
            line.connect(str(path))
            yield lambda *words: line.sendall(json.dumps({"command": words}).encode() + b"\n")
    finally:
        process.kill()
        process.wait()
        path.unlink(missing_ok=True)


def _unpause(ask: Callable[..., None]) -> Start:
    def start(path: Path, sound: Samples, due_ns: int) -> None:
        ask("set_property", "pause", True)
        ask("loadfile", str(path))
        _sleep_until(due_ns)
        ask("set_property", "pause", False)

    return start


def _play_with_mpv(server: PulseServer, folder: Path, files: list[Path]) -> None:
    command = [*_mpv_command(folder), *map(str, files)]
    subprocess.run(command, env=server.environment, stdout=subprocess.DEVNULL, check=True, timeout=60 + 2 * len(files))


# Liquidsoap


@contextmanager
def _liquidsoap(server: PulseServer, folder: Path) -> Iterator[Callable[[str], str]]:
    soundfile.write(folder / "endless.wav", noise(np.random.default_rng(3), 60.0), RATE_HZ, subtype="PCM_16")
    script = folder / "peers.liq"
    script.write_text(_SCRIPT.format(rate=RATE_HZ, folder=folder, sink=SINK, never=_NEVER), encoding="utf-8")
    process = subprocess.Popen(
        ["liquidsoap", str(script)], env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    path = folder / "liquidsoap.sock"
    try:
        wait_until(path.exists, timeout_s=30, what="liquidsoap")
        time.sleep(STEADY_S)
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as line:
            line.settimeout(_ANSWER_S)
            line.connect(str(path))
            yield lambda words: _asked(line, words)
    finally:
        process.kill()
        process.wait()


def _asked(line: socket.socket, words: str) -> str:
    line.sendall(words.encode() + b"\n")
    answer = b""
    while not answer.rstrip().endswith(b"END"):
        answer += line.recv(4096)
    return answer.decode()


def _push(tell: Callable[[str], str]) -> Start:
    def start(path: Path, sound: Samples, due_ns: int) -> None:
        _sleep_until(due_ns)
        tell(f"queue.push {path}")

    return start


def _push_all(tell: Callable[[str], str], files: list[Path]) -> None:
    for path in files:
        tell(f"queue.push {path}")
    time.sleep(len(files) * (_JOINED_S + 0.1))


def _sleep_until(instant_ns: int) -> None:
    time.sleep(max(0.0, (instant_ns - time.monotonic_ns()) / NS_PER_S))
