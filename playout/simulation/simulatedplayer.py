"""The simulated player: takes the commands of the real one, answers with its events, and plays in true time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playout.simulation.disk import SimulatedMedia
from playout.simulation.loudspeaker import Heard, Loudspeaker, micros_of, samples_in
from playout.simulation.simulatedclock import SimulatedClock
from schedules.errors import OutputError
from schedules.segment import SAMPLE_RATE_HZ

READY_US = 180_000
"""From the start of the process to `ready`: 0.1 s measured in the median, 0.25 s at the 95th percentile."""

AHEAD_US = 300_000
"""How far ahead of its time the bus makes sound: what begins sooner than that cannot be kept from it any more."""

_AT_END = SAMPLE_RATE_HZ // 10


@dataclass(slots=True, kw_only=True)
class Outlets:
    """The loudspeaker lines of a station and which of them can be heard now."""

    names: tuple[str, ...]
    lost: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class _Cue:
    airing: str
    content: str
    pcm_sha256: str
    samples: int
    first: int
    start_us: int
    earliest_us: int
    after: str | None
    outputs: tuple[str, ...]
    begun_us: int | None = None
    fade_us: int | None = None
    over_us: int | None = None
    cause: str = "complete"
    announced: bool = False
    heard: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)

    @property
    def end_us(self) -> int:
        """When it ends if nothing happens; only of one that has begun."""
        return (self.begun_us or 0) + micros_of(self.samples - self.first)


class SimulatedPlayer:
    """One player process of a station. `advance` lets it play until a true time; then `report` tells what happened."""

    pid = 4711

    def __init__(
        self,
        *,
        clock: SimulatedClock,
        media: SimulatedMedia,
        outlets: Outlets,
        loudspeaker: Loudspeaker,
        on_event: Callable[[dict[str, Any]], None],
        on_exit: Callable[[int], None],
        on_armed: Callable[[str, int, int], None],
        on_begun: Callable[[str, str, int], None],
    ) -> None:
        self._clock = clock
        self._media = media
        self._outlets = outlets
        self._loudspeaker = loudspeaker
        self._on_event = on_event
        self._on_exit = on_exit
        self._on_armed = on_armed
        self._on_begun = on_begun
        self._cues: dict[str, _Cue] = {}
        self._ends: dict[str, int] = {}
        self._names: tuple[str, ...] = ()
        self._told: dict[str, str] = {}
        self._played_us = clock.true_us
        self._ready_us: int | None = None
        self.dead = False
        self.hung = False
        self.commands = 0

    # The face of the real one

    def start(self) -> None:
        """Start the process: it is ready a moment later."""
        self._ready_us = self._clock.true_us + READY_US

    def send(self, command: Mapping[str, Any]) -> None:
        """Hand down one command; raises OutputError where the player is gone."""
        if self.dead:
            raise OutputError("the player is gone")
        self.commands += 1
        if self.hung:
            return
        match command["do"]:
            case "open":
                self._names = tuple(output["name"] for output in command["outputs"])
            case "arm":
                self._arm(command)
            case "stop":
                self._stop(command)

    def kill(self) -> None:
        """End it at once: its sound stops now."""
        self.advance(self._clock.true_us)
        self._fall_silent()
        self.dead = True

    # What happens to it

    def crash(self) -> None:
        """End by itself, as after a segmentation fault."""
        self.kill()
        self._on_exit(-11)

    def hang(self) -> None:
        """Be there, but silent and deaf, as after SIGSTOP."""
        self.advance(self._clock.true_us)
        self._fall_silent()
        self.hung = True

    def break_sources(self) -> None:
        """Let the file of what plays give nothing any more."""
        for cue in self._cues.values():
            if cue.begun_us is not None and cue.over_us is None:
                self._finish(cue, self._clock.true_us, "source_failed")

    def outlets_changed(self) -> None:
        """Take notice that an output was lost or came back."""
        now = self._clock.true_us
        self.advance(now)
        for cue in self._cues.values():
            if cue.begun_us is None or cue.over_us is not None:
                continue
            for name in cue.outputs:
                if name in self._outlets.lost:
                    self._close(cue, name, now)
                else:
                    cue.open.setdefault(name, now)

    # Time

    @property
    def on_air(self) -> bool:
        """Whether anything plays now."""
        return any(cue.begun_us is not None and cue.over_us is None for cue in self._cues.values())

    @property
    def waiting(self) -> bool:
        """Whether anything is armed or plays."""
        return bool(self._cues)

    def next_us(self) -> int | None:
        """Return when something will happen by itself, None where nothing will."""
        if self.dead or self.hung:
            return None
        moments = [self._ready_us] if self._ready_us is not None else []
        for cue in self._cues.values():
            if cue.over_us is not None:
                moments.append(cue.over_us)
            elif cue.begun_us is None:
                start = self._start_of(cue)
                moments += [start] if start is not None else []
            else:
                moments.append(min(cue.end_us, cue.fade_us or cue.end_us))
        return min(moments, default=None)

    def advance(self, until_us: int) -> None:
        """Play until a true time."""
        if self.dead or self.hung:
            return
        while (event := self._next_event()) is not None and event[0] <= until_us:
            at_us, cue, what = event
            if what == "begin":
                cue.begun_us = at_us
                self._on_begun(cue.airing, cue.content, at_us)
                for name in cue.outputs:
                    if name not in self._outlets.lost:
                        cue.open[name] = at_us
            else:
                self._finish(cue, at_us, what)
        self._played_us = until_us

    def report(self) -> None:
        """Tell what happened until now, in the order of the real player."""
        if self.dead or self.hung:
            return
        now = self._clock.true_us
        if self._ready_us is not None:
            if now < self._ready_us:
                return
            self._ready_us = None
            self._on_event({"event": "ready"})
        for name in self._names:
            state = "lost" if name in self._outlets.lost else "ok"
            if self._told.get(name) != state:
                self._told[name] = state
                self._on_event({"event": "output", "name": name, "state": state})
        self._on_event({"event": "level", "rms_dbfs": -20.0, "peak_dbfs": -6.0})
        for cue in list(self._cues.values()):
            counts = {name: self._counted(cue, name, now) for name in cue.outputs}
            starts = [begun for begun in (self._first_us(cue, name) for name in cue.outputs) if begun is not None]
            if starts and not cue.announced:
                cue.announced = True
                began_ns = self._clock.monotonic_ns_of(min(starts))
                self._on_event({"event": "started", "airing": cue.airing, "monotonic_ns": began_ns, "outputs": {}})
            if cue.over_us is not None and cue.over_us <= now:
                del self._cues[cue.airing]
                self._on_event(self._ended(cue, counts))
            elif cue.begun_us is not None:
                position = self._position(cue, now)
                self._on_event({"event": "progress", "airing": cue.airing, "position": position, "outputs": counts})

    def _next_event(self) -> tuple[int, _Cue, str] | None:
        found: list[tuple[int, int, _Cue, str]] = []
        for number, cue in enumerate(self._cues.values()):
            if cue.over_us is not None:
                continue
            if cue.begun_us is None:
                start = self._start_of(cue)
                found += [(max(start, self._played_us), number, cue, "begin")] if start is not None else []
            elif cue.fade_us is not None and cue.fade_us <= cue.end_us:
                found.append((cue.fade_us, number, cue, "stopped"))
            else:
                found.append((cue.end_us, number, cue, "complete"))
        if not found:
            return None
        at_us, _, cue, what = min(found, key=lambda entry: entry[:2])
        return at_us, cue, what

    def _start_of(self, cue: _Cue) -> int | None:
        """Return when a waiting cue begins; None while what it follows has not."""
        wanted = cue.start_us
        if cue.after is not None:
            earlier = self._cues.get(cue.after)
            if earlier is not None and earlier.fade_us is None and earlier.cause == "complete":
                if earlier.begun_us is None:
                    return None
                wanted = earlier.end_us if earlier.over_us is None else earlier.over_us
            elif cue.after in self._ends:
                wanted = self._ends[cue.after]
        return wanted if cue.first else max(wanted, cue.earliest_us)

    # Commands

    def _arm(self, command: Mapping[str, Any]) -> None:
        airing, content = str(command["airing"]), str(command["sha256"])
        if not self._media.good(content):
            code = "media_hash" if self._media.has(content) else "media_missing"
            self._on_event({"event": "refused", "airing": airing, "code": code})
            return
        start_us = self._clock.true_of(command["start_ns"])
        first, samples = int(command["from_sample"]), int(command["samples"])
        earliest_us = self._clock.true_us + AHEAD_US
        late = samples_in(max(0, earliest_us - start_us)) if first else 0
        wanted = command.get("outputs")
        self._cues[airing] = _Cue(
            airing=airing,
            content=content,
            pcm_sha256=str(command["pcm_sha256"]),
            samples=samples,
            first=min(samples, first + late),
            start_us=max(start_us, earliest_us),
            earliest_us=earliest_us,
            after=command["after"],
            outputs=tuple(name for name in self._names if wanted is None or name in wanted),
        )
        self._on_event({"event": "armed", "airing": airing})
        self._on_armed(airing, max(start_us, earliest_us), micros_of(samples - first))

    def _stop(self, command: Mapping[str, Any]) -> None:
        now = self._clock.true_us
        self.advance(now)
        fade_us = int(command.get("fade_ms", 0)) * 1000
        for cue in list(self._cues.values()):
            if command["airing"] not in (None, cue.airing) or cue.over_us is not None:
                continue
            start_us = cue.begun_us if cue.begun_us is not None else self._start_of(cue)
            if start_us is None or start_us > now + AHEAD_US:
                self._finish(cue, now, "stopped")
                continue
            silent_ns = command.get("silent_ns")
            silent_us = now + AHEAD_US + fade_us
            if silent_ns is not None:
                silent_us = max(silent_us, self._clock.true_of(silent_ns))
            cue.fade_us = silent_us if cue.fade_us is None else min(cue.fade_us, silent_us)

    # Sound

    def _finish(self, cue: _Cue, at_us: int, cause: str) -> None:
        for name in list(cue.open):
            self._close(cue, name, at_us)
        cue.over_us, cue.cause = at_us, cause
        if cause == "complete":
            self._ends[cue.airing] = at_us

    def _close(self, cue: _Cue, name: str, at_us: int) -> None:
        since = cue.open.pop(name, None)
        if since is None or cue.begun_us is None:
            return
        cue.heard.setdefault(name, []).append((since, at_us))
        fading = cue.fade_us is not None and at_us == cue.fade_us
        self._loudspeaker.note(
            Heard(
                output=name,
                airing=cue.airing,
                content=cue.content,
                first=cue.first + samples_in(since - cue.begun_us),
                start_us=since,
                end_us=at_us,
                loud_until_us=max(since, at_us - 300_000) if fading else at_us,
            )
        )

    def _fall_silent(self) -> None:
        for cue in self._cues.values():
            for name in list(cue.open):
                self._close(cue, name, self._clock.true_us)

    def _stretches(self, cue: _Cue, name: str, now: int) -> list[tuple[int, int]]:
        current = [(cue.open[name], now)] if name in cue.open else []
        return [*cue.heard.get(name, ()), *current]

    def _counted(self, cue: _Cue, name: str, now: int) -> int:
        played = sum(samples_in(end - start) for start, end in self._stretches(cue, name, now))
        return min(played, cue.samples - cue.first)

    def _first_us(self, cue: _Cue, name: str) -> int | None:
        stretches = self._stretches(cue, name, self._clock.true_us)
        return stretches[0][0] if stretches else None

    def _position(self, cue: _Cue, now: int) -> int:
        begun = cue.begun_us if cue.begun_us is not None else now
        return min(cue.samples, cue.first + samples_in(max(0, now - begun)))

    def _ended(self, cue: _Cue, counts: Mapping[str, int]) -> dict[str, Any]:
        over_us = cue.over_us if cue.over_us is not None else self._clock.true_us
        next_sample = cue.samples if cue.cause in ("complete", "output_lost") else self._position(cue, over_us)
        next_sample = cue.first if cue.begun_us is None else next_sample
        whole = cue.first == 0 and next_sample == cue.samples
        outputs = {name: self._of_output(cue, name, counts[name], next_sample) for name in cue.outputs}
        best = max(outputs.values(), key=lambda output: int(output["samples"]), default=None)
        cause = cue.cause
        if cause == "complete" and (best is None or next_sample - best["next"] >= _AT_END):
            cause = "output_lost"
        return {
            "event": "ended",
            "airing": cue.airing,
            "handed": next_sample - cue.first,
            "handed_sha256": cue.pcm_sha256 if whole else None,
            "first": cue.first,
            "next": next_sample,
            "outputs": outputs if cue.begun_us is not None else {},
            "cause": cause,
            "holes": best["holes"] if best is not None else [],
            "ended_ns": self._clock.monotonic_ns_of(over_us),
        }

    def _of_output(self, cue: _Cue, name: str, samples: int, next_sample: int) -> dict[str, Any]:
        stretches = self._stretches(cue, name, self._clock.true_us)
        begun = cue.begun_us if cue.begun_us is not None else self._clock.true_us
        holes = []
        reached = begun
        for start, end in stretches:
            if start - reached > 1000:
                holes.append({"at_sample": cue.first + samples_in(reached - begun), "seconds": (start - reached) / 1e6})
            reached = end
        return {
            "samples": samples,
            "first_ns": self._clock.monotonic_ns_of(stretches[0][0]) if stretches else None,
            "last_ns": self._clock.monotonic_ns_of(stretches[-1][1]) if stretches else None,
            "next": min(next_sample, cue.first + samples_in(reached - begun)),
            "holes": holes if samples else [],
        }
