"""Benchmarks of whole stations on a real sound server: how long it stays silent when a player is killed or hangs."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import soundfile
from nacl.signing import SigningKey

from audio.aircheck import AircheckShelf
from audio.library import Library
from link.orders import OrderKeys, seal_order
from playout.benches.bench import Figures, spread
from playout.benches.soundbench import longest_silence
from playout.benches.soundlab import PulseServer, Recording, Samples, pulse_server, wait_until
from playout.daemon import StationDaemon
from playout.journal.journal import Journal
from playout.player.pieces import Tone
from playout.player.playerkeeper import Player
from playout.player.playerprocess import PlayerProcess
from playout.player.tones import tone
from playout.source import NS_PER_S
from playout.specs import OutputSpec
from playout.supervisor import Supervisor, Work
from playout.systemclock import SystemClock, boot_id
from schedules.emergency import EmergencyOrder, EmergencyStop, Urgency
from schedules.grid import OneOff, Timing
from schedules.intent import Intent
from schedules.programme import Programme
from schedules.segment import SAMPLE_RATE_HZ, Segment, SegmentKind
from schedules.station import WHOLE_DAY, Station, Unit

LENGTH_S = 8.0
_FIRST_S = 8.0
_RECORDINGS = 4
_ORDERED = 4
_ORDER_EVERY_S = 18.0
_TONE_LIKENESS = 0.6
_EXPIRES = timedelta(minutes=10)


def crash(count: int) -> Figures:
    """Seconds of silence at the sink when a player is killed with -9 in mid item, on ten stations in turn."""
    return _trouble(count, signal.SIGKILL, stations=10, turn_s=2.0) | {"target": "p99 of the silence <= 1"}


def hang(count: int) -> Figures:
    """Seconds of silence at the sink when a player is stopped with SIGSTOP in mid item, on six stations in turn."""
    return _trouble(count, signal.SIGSTOP, stations=6, turn_s=4.0) | {"target": "the silence <= 3"}


def emergency(count: int) -> Figures:
    """Milliseconds from an order at the station's door to the first sample of its tone at the sink.

    In turn on four stations that are in mid item, and on four that have nothing to air, so that no player runs.
    """
    dice = random.Random(8)
    late_ms: dict[bool, list[float]] = {False: [], True: []}
    not_heard = refused = 0
    numbers = range(_ORDERED)
    with pulse_server() as server, tempfile.TemporaryDirectory(prefix="loa-bench-") as name:
        folder, rounds = Path(name), -(-count // (2 * _ORDERED))
        with (
            village(folder, server, [f"A{n}" for n in numbers], every_s=_ORDER_EVERY_S, rounds=rounds) as airing,
            village(folder, server, [f"B{n}" for n in numbers], every_s=_ORDER_EVERY_S, rounds=0) as idle,
        ):
            trials = [(start + timedelta(seconds=2.0), True, one) for one in airing for start in one.starts]
            half = timedelta(seconds=_ORDER_EVERY_S / _ORDERED / 2)
            trials += [(at + half, False, idle[airing.index(one)]) for at, _, one in trials]
            for number, (at, on_air, station) in enumerate(sorted(trials, key=lambda trial: trial[0])[:count]):
                at_ns = station.monotonic_ns(at) + round(dice.uniform(0.0, 0.5) * NS_PER_S)
                _sleep_until(at_ns - NS_PER_S)
                with server.recording(station.code) as recording:
                    _sleep_until(at_ns)
                    sent_ns = time.monotonic_ns()
                    refused += not station.order(str(number))
                    recording.wait_for(sent_ns + NS_PER_S)
                    heard_ns = (_heard_tone_ns if on_air else _heard_ns)(recording, sent_ns)
                station.end_order(str(number))
                if heard_ns is None:
                    not_heard += 1
                else:
                    late_ms[on_air].append((heard_ns - sent_ns) / 1e6)
    return {
        "command_to_first_sample_ms": spread([*late_ms[False], *late_ms[True]]),
        "where_no_player_ran": spread(late_ms[False]),
        "in_mid_item": spread(late_ms[True]),
        "not_heard_in_a_second": not_heard,
        "refused": refused,
        "target": "p95 <= 500",
    }


def _heard_ns(recording: Recording, sent_ns: int) -> int | None:
    """Return when the first sound came out of a sink that was silent."""
    first = max(0, recording.position_at(sent_ns))
    sounding = np.flatnonzero(recording.piece(first, recording.end))
    return int(recording.instants_ns([first + int(sounding[0])])[0]) if len(sounding) else None


def _heard_tone_ns(recording: Recording, sent_ns: int) -> int | None:
    """Return when the attention tone began; it repeats twice a second, so that the earliest place counts."""
    attention = np.frombuffer(tone(Tone.ALERT, SAMPLE_RATE_HZ // 5), dtype="<i2")
    first = max(0, recording.position_at(sent_ns))
    for tenths in range(1, 11):
        end = min(recording.end, first + tenths * SAMPLE_RATE_HZ // 10 + len(attention))
        match = recording.find(attention, start=first, end=end)
        if match.likeness > _TONE_LIKENESS:
            return int(recording.instants_ns([match.position])[0])
    return None


def _trouble(count: int, sent: signal.Signals, *, stations: int, turn_s: float) -> Figures:
    """Send a signal to the player of one station after the other, each a second or two into an item."""
    dice = random.Random(7)
    silences_s, errors_ms, no_sound = [], [], 0
    with pulse_server() as server, tempfile.TemporaryDirectory(prefix="loa-bench-") as folder:
        codes = [f"X{number:02d}" for number in range(min(stations, count))]
        every_s = max(turn_s * len(codes), LENGTH_S + 4.0)
        rounds = -(-count // len(codes))
        with village(Path(folder), server, codes, every_s=every_s, rounds=rounds) as people:
            due = sorted((at, station) for station in people for at in station.starts)[:count]
            for start, station in due:
                begin_ns = station.monotonic_ns(start)
                trouble_ns = begin_ns + round(dice.uniform(1.0, 2.0) * NS_PER_S)
                _sleep_until(trouble_ns - NS_PER_S)
                with server.recording(station.code) as recording:
                    _sleep_until(trouble_ns - NS_PER_S // 4)
                    pid = station.player_pid
                    _sleep_until(trouble_ns)
                    os.kill(pid, sent)
                    silence_s, error_ms = _heard_again(recording, station.sound_at(start), begin_ns, trouble_ns, turn_s)
                if silence_s is None or error_ms is None:
                    no_sound += 1
                else:
                    silences_s.append(silence_s)
                    errors_ms.append(error_ms)
    return {
        "silence_s": spread(silences_s),
        "position_error_ms": spread(errors_ms),
        "no_sound_again": no_sound,
        "stations": len(codes),
    }


def _heard_again(
    recording: Recording,
    sound: Samples,
    begin_ns: int,
    trouble_ns: int,
    most_s: float,
) -> tuple[float | None, float | None]:
    """Return the seconds of silence after trouble, and how far off its place the sound went on, in ms.

    None where none came in time. The recording ends as soon as half a second of it was heard.
    """
    while time.monotonic_ns() < trouble_ns + (most_s + 1.5) * NS_PER_S:
        time.sleep(0.05)
        before = max(0, recording.position_at(trouble_ns) - SAMPLE_RATE_HZ // 2)
        heard = recording.piece(before, recording.end)
        gap = longest_silence(heard)
        sounding = np.flatnonzero(heard)
        if gap < SAMPLE_RATE_HZ // 20 or not len(sounding):
            continue
        again = int(np.flatnonzero(np.diff(sounding) > gap)[0]) + 1
        first = before + int(sounding[again])
        if recording.end < first + SAMPLE_RATE_HZ // 2:
            continue
        match_ns = int(recording.instants_ns([first])[0])
        piece = recording.piece(first, first + SAMPLE_RATE_HZ // 4)
        return gap / SAMPLE_RATE_HZ, _place_error_ms(sound, piece, (match_ns - begin_ns) / 1e6)
    return None, None


def _place_error_ms(
    sound: Samples,
    piece: Samples,
    expected_ms: float,
) -> float:
    """Return how much later a piece of `sound` was heard than its place in it says."""
    wave, template = sound.astype(np.float64), piece.astype(np.float64)
    size = 1 << (len(wave) + len(template)).bit_length()
    spectrum = np.fft.rfft(wave, size) * np.conj(np.fft.rfft(template, size))
    place = int(np.argmax(np.fft.irfft(spectrum, size)[: len(wave)]))
    return expected_ms - 1000 * place / SAMPLE_RATE_HZ


class BenchStation:
    """A station daemon of its own on the sink of its name, with a few recordings ordered one after the other.

    starts: when, by the wall clock. A recording that is there at three deaths in a minute would be left out as their
    cause, so there are several.
    """

    def __init__(self, folder: Path, server: PulseServer, code: str, starts: tuple[datetime, ...]) -> None:
        self.code = code
        self.starts = starts
        dice = np.random.default_rng(5)
        count = round(LENGTH_S * SAMPLE_RATE_HZ)
        self._sounds: list[Samples] = [dice.normal(0, 4000, count).astype(np.int16) for _ in range(_RECORDINGS)]
        self._server = server
        self._clock = SystemClock(host=True)
        self._supervisor = Supervisor()
        folder.mkdir(parents=True)
        key = SigningKey.generate()
        self._order_key = SigningKey.generate()
        self._journal = Journal(folder / "journal.db", clock=self._clock, boot=boot_id(), key=key)
        self._library = Library(folder / "media")
        now = self._clock.now()
        self._segments = [self._recorded(folder, number, now) for number in range(_RECORDINGS)]
        self._segment = self._segments[0]
        intent = self._decided(now)
        self.daemon = StationDaemon(
            code=code,
            outputs=(OutputSpec(name="main", kind="pulse", device=code),),
            clock=self._clock,
            journal=self._journal,
            library=self._library,
            shelf=AircheckShelf(folder / "aircheck"),
            aircheck=folder / "aircheck",
            intent=lambda: intent,
            make_player=self._player,
            keys=OrderKeys(real=self._order_key.verify_key, drill=SigningKey.generate().verify_key),
            folder=folder / "run",
            spare=True,
        )

    def sound_at(self, start: datetime) -> Samples:
        """Return what is ordered for one of its starts."""
        return self._sounds[self.starts.index(start) % _RECORDINGS]

    @property
    def player_pid(self) -> int:
        """The process id of the player that has the sink open; a spare one may wait beside it."""
        # A stream is opened anew after any trouble; between two there is none for a moment.
        wait_until(lambda: bool(self._server.playing_on(self.code)), timeout_s=5.0, what=f"a player on {self.code}")
        return self._server.playing_on(self.code)[0]

    def monotonic_ns(self, moment: datetime) -> int:
        """Return when `moment` is on CLOCK_MONOTONIC."""
        return time.monotonic_ns() + round((moment - self._clock.now()).total_seconds() * 1e9)

    def order(self, name: str) -> bool:
        """Hand an emergency order to the door; return whether it was taken."""
        now = self._clock.now()
        order = EmergencyOrder(
            id=name,
            stations=(self.code,),
            segment=self._segment.id,
            title=self._segment.title,
            sha256=self._segment.sha256,
            pcm_sha256=self._segment.pcm_sha256,
            samples=self._segment.samples,
            urgency=Urgency.EXTREME,
            issued_at=now,
            expires_at=now + _EXPIRES,
            drill=False,
            ordered_by="bench",
            confirmed_by="bench",
        )
        return self.daemon.emergency(seal_order(order, self._order_key)).taken

    def end_order(self, name: str) -> None:
        """Take an emergency order back."""
        now = self._clock.now()
        stop = EmergencyStop(
            order=name,
            stations=(self.code,),
            by="bench",
            reason="measured",
            issued_at=now,
            expires_at=now + _EXPIRES,
            drill=False,
        )
        self.daemon.emergency(seal_order(stop, self._order_key))

    def start(self) -> None:
        """Let it live."""
        self._journal.start()
        self._supervisor.start(Work(name=self.code, run=self.daemon.run, broken=self.daemon.broken))

    def stop(self) -> None:
        """End it."""
        self._supervisor.stop(3.0)
        self._journal.stop()

    def _player(self, *, on_event: Callable[..., None], on_exit: Callable[[int], None]) -> Player:
        environment = self._server.environment
        return PlayerProcess(station=self.code, on_event=on_event, on_exit=on_exit, environment=environment)

    def _recorded(self, folder: Path, number: int, now: datetime) -> Segment:
        path = folder / "sound.flac"
        sound = self._sounds[number]
        soundfile.write(path, sound, SAMPLE_RATE_HZ, subtype="PCM_16")
        return Segment(
            id=f"noise-{number}",
            owner=self.code,
            programme="CDS",
            title="noise",
            kind=SegmentKind.BAI,
            sha256=self._library.adopt(path),
            pcm_sha256=hashlib.sha256(sound.astype("<i2").tobytes()).hexdigest(),
            samples=len(sound),
            approved_at=now,
            approved_by="bench",
        )

    def _decided(self, now: datetime) -> Intent:
        order = OneOff(
            id="0",
            station=self.code,
            segment=self._segment.id,
            start=now,
            timing=Timing.HARD,
            ordered_by="bench",
            ordered_at=now,
        )
        return Intent(
            revision=1,
            issued_at=now,
            valid_until=now + timedelta(days=1),
            units=(Unit(code=self.code, name=self.code),),
            stations=(Station(code=self.code, name=self.code, unit=self.code, permitted=WHOLE_DAY),),
            programmes=(Programme(code="CDS", name="CDS"),),
            segments=tuple(self._segments),
            one_offs=tuple(
                replace(order, id=str(n), start=start, segment=self._segments[n % _RECORDINGS].id)
                for n, start in enumerate(self.starts)
            ),
        )


@contextmanager
def village(
    folder: Path, server: PulseServer, codes: list[str], *, every_s: float, rounds: int
) -> Iterator[list[BenchStation]]:
    """Run stations that air `rounds` items each, every so many seconds, one station after the other."""
    first = SystemClock(host=True).now() + timedelta(seconds=_FIRST_S + len(codes) / 2)
    stations = []
    for number, code in enumerate(codes):
        server.add_sink(code)
        offset_s = every_s * number / len(codes)
        starts = tuple(first + timedelta(seconds=offset_s + every_s * turn) for turn in range(rounds))
        stations.append(BenchStation(folder / code, server, code, starts))
    try:
        for station in stations:
            station.start()
        yield stations
    finally:
        stopping = [threading.Thread(target=station.stop) for station in stations]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()


def _sleep_until(instant_ns: int) -> None:
    time.sleep(max(0.0, (instant_ns - time.monotonic_ns()) / NS_PER_S))


BENCHMARKS: Mapping[str, Callable[[int], Figures]] = {"crash": crash, "hang": hang, "emergency": emergency}
