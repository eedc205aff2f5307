"""Keeps one player process: there when it is wanted, replaced when it dies or hangs, its news told by generation."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from playout.faults import FaultBook, fault
from playout.health import resident_bytes, tired
from schedules.airing import Run
from schedules.clock import Clock
from schedules.errors import OutputError
from schedules.grid import SlotId

HANG_S = 1.6
"""Silence of the player's own heartbeat (every 0.25 s) after which it is killed."""

START_S = 15.0
"""The same for one that has not said `ready` yet: on a slow card its libraries take seconds to load."""

REST_S = 3.0
"""How long a player stays after it was last wanted."""

TAKE_BACK_MS = 20
"""Fade of what is taken back: no crack, should it be heard."""

DOWN_DEATHS = 3
"""Deaths within a minute that are a fault of the station, until a minute has passed without any."""

SPARE_S = 2.0
"""How long after one spare process the next is started at the earliest."""

MANY_DEATHS = 8
"""Deaths within a minute after which the next start waits, longer each time."""


class Player(Protocol):
    """The player process as the station sees it: commands down, events up through the callbacks it was made with."""

    @property
    def pid(self) -> int | None:
        """Process id, for the log."""
        ...

    def start(self) -> None:
        """Start the process."""
        ...

    def send(self, command: Mapping[str, Any]) -> None:
        """Hand down one command; raises OutputError where the player is gone."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class PlayerMaker(Protocol):
    """Makes a player that reports to the two callbacks, from threads of its own."""

    def __call__(self, *, on_event: Callable[[dict[str, Any]], None], on_exit: Callable[[int], None]) -> Player:
        """Return a player that is not started yet."""
        ...


@dataclass(frozen=True, slots=True)
class PlayerEvent:
    """An event of the player of one generation."""

    generation: int
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlayerExit:
    """The end of the player of one generation."""

    generation: int
    code: int


@dataclass(slots=True, kw_only=True)
class _Spare:
    """A process that was started and not opened yet."""

    player: Player
    generation: int
    ready: bool = False


class PlayerKeeper:
    """One player at a time. Used by the station's thread only; `deliver` is called from the player's threads.

    spare: a second process waits, loaded and not opened, for the moment at which the first one dies or is wanted.
    opening: gives the command with which a new player begins. recycled: the player was ended for being unwell.
    rms_dbfs, peak_dbfs: of its last quarter of a second.
    """

    def __init__(
        self,
        *,
        make_player: PlayerMaker,
        opening: Callable[[], Mapping[str, Any]],
        deliver: Callable[[object], None],
        clock: Clock,
        faults: FaultBook,
        spare: bool = False,
    ) -> None:
        self._make_player = make_player
        self._opening = opening
        self._deliver = deliver
        self._clock = clock
        self._faults = faults
        self._keeps_spare = spare
        self._spare: _Spare | None = None
        self._spare_at = float("-inf")
        self._generations = 0
        self._generation = 0
        self._player: Player | None = None
        self._heard_at = self._born_at = 0.0
        self._wanted_at = 0.0
        self._deaths: list[float] = []
        self._airings: dict[str, SlotId] = {}
        self._number = 0
        self._last_airings: dict[SlotId, str] = {}
        self.recycled = False
        self.ready = False
        self.outputs: dict[str, tuple[str, str]] = {}
        self.rms_dbfs: float | None = None
        self.peak_dbfs: float | None = None

    @property
    def present(self) -> bool:
        """Whether there is a player, ready or not."""
        return self._player is not None

    def concerns(self, message: PlayerEvent | PlayerExit) -> bool:
        """Return whether the message is of the player of the moment, and not of one that is gone."""
        return message.generation == self._generation and self._player is not None

    def of_spare(self, message: PlayerEvent | PlayerExit) -> None:
        """Take news of the process that waits."""
        if self._spare is None or message.generation != self._spare.generation:
            return
        if isinstance(message, PlayerExit):
            self._spare = None
        elif message.event["event"] == "ready":
            self._spare.ready = True

    def heard(self) -> None:
        """Note a sign of life."""
        self._heard_at = self._clock.monotonic()

    def keep(self, *, wanted: bool) -> bool:
        """Start, leave, rest or replace the player; True where the one that was there is gone now."""
        now = self._clock.monotonic()
        self._judge_deaths(now)
        if wanted:
            self._wanted_at = now
        if self._keeps_spare and self._spare is None and now - self._spare_at > SPARE_S:
            self._spare_at = now
            self._spare = self._make()
        if self._player is None:
            if wanted:
                self._start(now)
            return False
        if not wanted and now - self._wanted_at > REST_S:
            self.drop()
            return True
        if now - self._heard_at > (HANG_S if self.ready else START_S):
            self._faults.note("player_hang")
            self._player.kill()
            self._deaths.append(now)
            self._forget()
            return True
        return False

    def close(self) -> None:
        """End the player and the one that waits."""
        self.drop()
        if self._spare is not None:
            self._spare.player.kill()
            self._spare = None

    def drop(self) -> None:
        """End the player: its sound stops at once."""
        if self._player is not None:
            self.send({"do": "quit"})
            self._player.kill()
            self._forget()

    def died(self, code: int) -> None:
        """Note that the player of the moment ended; by itself, unless it was `recycled`."""
        if not self.recycled:
            self._deaths.append(self._clock.monotonic())
            self._faults.note("player_lost", exit=code)
        self._forget()

    def send(self, command: Mapping[str, Any]) -> None:
        """Hand down a command, if there is a player."""
        if self._player is not None:
            # A player that is gone tells so by its exit, which is already on its way here.
            with contextlib.suppress(OutputError):
                self._player.send(command)

    def new_airing(self, slot: SlotId) -> str:
        """Return a name for one more try at a slot, known to this player only."""
        self._number += 1
        airing = f"{slot}#{self._number}"
        self._airings[airing] = slot
        self._last_airings[slot] = airing
        return airing

    def take_back(self, slot: SlotId) -> None:
        """Let the newest try at a slot be silent, begun or not; what the player still tells of it is not heeded."""
        airing = self.airing_of(slot)
        if airing is not None:
            # Not `disarm`: what the bus has begun to take goes on in spite of that.
            self.send({"do": "stop", "airing": airing, "fade_ms": TAKE_BACK_MS})
            del self._airings[airing]

    def airing_of(self, slot: SlotId) -> str | None:
        """Return the newest name given out for a slot, None where this player never had it."""
        return next((airing for airing in reversed(self._airings) if self._airings[airing] == slot), None)

    def lost_airing_of(self, slot: SlotId) -> str | None:
        """Return the newest name given out for a slot, also where its player is gone since."""
        return self.airing_of(slot) or self._last_airings.get(slot)

    def rest_if_tired(self, runs: Iterable[Run]) -> None:
        """Replace a player that grew old or large, in a silent moment."""
        pid = self._player.pid if self._player is not None else None
        if pid is None:
            return
        why = tired(resident=resident_bytes(pid), age_s=self._clock.monotonic() - self._born_at, runs=runs)
        if why is not None:
            self.recycle(why)

    def recycle(self, why: str) -> None:
        """End the player for a new one: this one is not well."""
        if self._player is not None and not self.recycled:
            self.recycled = True
            self._faults.note("player_replaced" if why == "underruns" else "player_recycled", why=why)
            self._player.kill()

    def slot_of(self, airing: str) -> SlotId | None:
        """Return the slot of an airing, if it is the newest try at it."""
        slot = self._airings.get(airing)
        return slot if slot is not None and self.airing_of(slot) == airing else None

    def _judge_deaths(self, now: float) -> None:
        self._deaths = [at for at in self._deaths if now - at < 60.0]
        if len(self._deaths) >= DOWN_DEATHS:
            self._faults.begin("player_down", fault("player_down"), f"{DOWN_DEATHS} deaths within a minute")
        elif not self._deaths:
            self._faults.end("player_down")

    def _start(self, now: float) -> None:
        over = len(self._deaths) - MANY_DEATHS
        pause_s = 0.0 if over < 0 else min(5.0, 0.5 * 2**over)
        if self._deaths and now - self._deaths[-1] < pause_s:
            return
        self._forget()
        made, self._spare = self._spare or self._make(), None
        self._player, self._generation, self.ready = made.player, made.generation, made.ready
        self._heard_at = self._born_at = now
        self.send(self._opening())

    def _make(self) -> _Spare:
        """Start a process that waits for its opening."""
        self._generations += 1
        generation = self._generations
        player = self._make_player(
            on_event=lambda event: self._deliver(PlayerEvent(generation, event)),
            on_exit=lambda code: self._deliver(PlayerExit(generation, code)),
        )
        player.start()
        return _Spare(player=player, generation=generation)

    def _forget(self) -> None:
        self._player = None
        self._last_airings = {slot: airing for airing, slot in self._airings.items()}
        self._airings = {}
        self.ready = self.recycled = False
        self.outputs = {}
        self.rms_dbfs = self.peak_dbfs = None
