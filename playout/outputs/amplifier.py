"""Amplifiers behind the outputs: on before sound and off after it, watched, and cut when nothing should sound."""

from __future__ import annotations

import base64
import http.client
import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from playout.aside import Aside, Starter, in_thread
from playout.faults import FaultBook, fault
from playout.journal.journal import Row
from playout.specs import AmplifierSpec, OutputSpec
from schedules.airing import Run, RunState
from schedules.clock import Clock
from schedules.grid import SlotId
from schedules.rundown import RundownItem

TIMEOUT_S = 5.0
"""How long switching may take."""

HANGS_S = 12.0
"""After so long a job that does not even keep its time-out is told as one that failed."""

RETRY_S = 5.0
DISAGREES_S = 20.0
"""How long the feedback may differ from what was ordered before it is a fault."""

LOOK_S = 1.0

MANY_BOOTS = 5
WITHIN = timedelta(minutes=10)
HELD_S = 60.0
"""After so many boots within that time amplifiers stay off for so long: each switching-on strains them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What a job beside the loop gave. switched: what was ordered, None for a mere look; error: empty where done."""

    switched: bool | None
    error: str
    feedback: bool | None


@dataclass(slots=True, kw_only=True)
class _Amplifier:
    """One amplifier and what is known of it. All times are monotonic seconds.

    told: what it was last ordered with success, None before the first time. differs_at: since when its feedback has
    said something else.
    """

    name: str
    spec: AmplifierSpec
    aside: Aside[_Outcome]
    told: bool | None = None
    aim: bool = False
    wanted_at: float | None = None
    tried_at: float = float("-inf")
    looked_at: float = float("-inf")
    differs_at: float | None = None
    error: str = ""
    cut: bool = False
    faulty: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def switch(self, *, on: bool) -> Callable[[], _Outcome]:
        """Return the job that switches it."""
        order = self.spec.on if on else self.spec.off
        act = {"command": _run, "http": _get, "gpio": _write}[self.spec.kind]

        def job() -> _Outcome:
            with self.lock:
                return _Outcome(switched=on, error=act(order), feedback=_feedback(self.spec))

        return job

    def look(self) -> _Outcome:
        """Read its feedback."""
        return _Outcome(switched=None, error="", feedback=_feedback(self.spec))


class AmplifierKeeper:
    """Switches the amplifiers of one station; used by the station's thread, which it never holds up.

    append: writes a row of kind `amplifier` at each change. start: starts a job beside the loop.
    """

    def __init__(
        self,
        outputs: Iterable[OutputSpec],
        *,
        clock: Clock,
        faults: FaultBook,
        append: Callable[[str, dict[str, Any]], object],
        start: Starter = in_thread,
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._append = append
        self._held_until = float("-inf")
        self._amplifiers = {
            output.name: _Amplifier(name=output.name, spec=output.amplifier, aside=Aside(start))
            for output in outputs
            if output.amplifier is not None
        }

    def keep(self, wanted: Collection[str]) -> None:
        """Switch what should be otherwise than it is. wanted: outputs that sound now or within `before_s`."""
        now = self._clock.monotonic()
        if now >= self._held_until:
            self._faults.end("power_flapping")
        for amplifier in self._amplifiers.values():
            self._step(amplifier, now, wanted=amplifier.name in wanted)

    def cut(self, output: str) -> None:
        """Switch an amplifier off at once and hold it off until `release`: what sounds there should not."""
        amplifier = self._amplifiers.get(output)
        if amplifier is not None and not amplifier.cut:
            amplifier.cut = True
            self._step(amplifier, self._clock.monotonic(), wanted=False)

    def release(self, output: str) -> None:
        """Let an amplifier that was cut be switched on again."""
        amplifier = self._amplifiers.get(output)
        if amplifier is not None:
            amplifier.cut = False

    def hold(self, until: float | None) -> None:
        """Hold every amplifier off until a monotonic time, as `held_off_until` gives it; None holds nothing."""
        if until is not None and self._amplifiers and self._clock.monotonic() < until:
            self._held_until = until
            self._faults.begin("power_flapping", fault("power_flapping"), f"off until {until:.0f} s after the boot")

    def state(self, output: str) -> str | None:
        """Return `on`, `off` or `fault`, None where the output has no amplifier."""
        amplifier = self._amplifiers.get(output)
        if amplifier is None:
            return None
        return "fault" if amplifier.faulty else "on" if amplifier.told else "off"

    def powered(self, output: str) -> bool | None:
        """Return whether an amplifier has power as far as is known, None where the output has none."""
        amplifier = self._amplifiers.get(output)
        if amplifier is None:
            return None
        told = amplifier.told is True
        return told if amplifier.differs_at is None else not told

    def end(self) -> None:
        """Switch everything off, one after the other; waits at most twice the time-out of each."""
        for amplifier in self._amplifiers.values():
            # After what is under way, or that would switch on behind our back.
            if amplifier.lock.acquire(timeout=TIMEOUT_S):
                amplifier.lock.release()
            amplifier.switch(on=False)()

    def _step(self, amplifier: _Amplifier, now: float, *, wanted: bool) -> None:
        if wanted:
            amplifier.wanted_at = now
        since = amplifier.wanted_at
        lasting = since is not None and now < since + amplifier.spec.after_s
        aim = (wanted or lasting) and not amplifier.cut and now >= self._held_until
        outcome = amplifier.aside.take()
        if outcome is not None:
            self._learn(amplifier, outcome, now)
        elif amplifier.aside.hangs(now, HANGS_S):
            amplifier.error = f"no answer within {HANGS_S:.0f} s"
        self._judge(amplifier, now)
        changed, amplifier.aim = aim is not amplifier.aim, aim
        wrong = amplifier.told is not aim or amplifier.differs_at is not None
        if wrong and (changed or now - amplifier.tried_at >= RETRY_S):
            if amplifier.aside.offer(amplifier.switch(on=aim), now):
                amplifier.tried_at = amplifier.looked_at = now
            else:
                amplifier.tried_at = float("-inf")
        elif (
            amplifier.spec.feedback is not None
            and now - amplifier.looked_at >= LOOK_S
            and amplifier.aside.offer(amplifier.look, now)
        ):
            amplifier.looked_at = now

    def _learn(self, amplifier: _Amplifier, outcome: _Outcome, now: float) -> None:
        if outcome.switched is not None:
            amplifier.error = outcome.error
            if not outcome.error and amplifier.told is not outcome.switched:
                amplifier.told = outcome.switched
                amplifier.differs_at = None
                why = "cut" if amplifier.cut else "held" if now < self._held_until else "plan"
                state = "on" if outcome.switched else "off"
                self._append("amplifier", {"output": amplifier.name, "state": state, "why": why})
        if outcome.feedback is None or amplifier.told is None or outcome.feedback is amplifier.told:
            amplifier.differs_at = None
        elif amplifier.differs_at is None:
            amplifier.differs_at = now

    def _judge(self, amplifier: _Amplifier, now: float) -> None:
        code = f"amplifier_{amplifier.name}"
        differs = amplifier.differs_at is not None and now - amplifier.differs_at >= DISAGREES_S
        amplifier.faulty = differs or bool(amplifier.error)
        if amplifier.error:
            self._faults.begin(code, fault("amplifier_command", name=amplifier.name), amplifier.error)
        elif differs:
            stuck = "amplifier_off" if amplifier.told else "amplifier_on"
            self._faults.begin(code, fault(stuck, name=amplifier.name), "the feedback says otherwise")
        elif amplifier.differs_at is None:
            self._faults.end(code)


def amplifiers_wanted(
    items: Iterable[RundownItem],
    runs: Mapping[SlotId, Run],
    settled: Collection[SlotId],
    now: datetime,
    outputs: Iterable[OutputSpec],
) -> frozenset[str]:
    """Return the outputs whose amplifier should have power now for what is planned; `keep` adds what comes after.

    items: of the plan, as far ahead as the longest `before_s`. settled: slots that have their row.
    """
    coming = [
        item
        for item in items
        if (item.sha256 is not None or item.relay is not None)
        and item.slot not in settled
        and item.replaced_by is None
        and item.cancelled_by is None
    ]
    wanted = set()
    for output in outputs:
        if output.amplifier is None:
            continue
        before = timedelta(seconds=output.amplifier.before_s)
        # What is ordered beside the plan is armed and not in it.
        sounding = (
            run.item
            for run in runs.values()
            if run.state in (RunState.PLAYING, RunState.INTERRUPTED)
            or (run.state is RunState.ARMED and run.start_at - before <= now)
        )
        if any(output.hears(item) for item in sounding) or any(
            item.due - before <= now < item.due + (item.end - item.start) and output.hears(item) for item in coming
        ):
            wanted.add(output.name)
    return frozenset(wanted)


def held_off_until(rows: Iterable[Row]) -> float | None:
    """Return until when amplifiers stay off because the power flaps, in monotonic seconds of the present boot.

    rows: of the journal in order; the last one of kind `boot` is that of the present start. Starts within one boot of
    the machine count once. Where a clock was not known, as after every boot of a machine without a clock chip, the
    time between two boots is at least what the machine was up between them, and that is reckoned with.
    """
    firsts: list[Row] = []
    gaps: list[timedelta] = []
    up_s = 0.0
    for row in rows:
        if row.kind == "boot" and (not firsts or row.boot != firsts[-1].boot):
            if firsts:
                known = firsts[-1].clock == row.clock == "trusted"
                gaps.append(row.at - firsts[-1].at if known else timedelta(seconds=up_s))
            firsts.append(row)
        up_s = row.monotonic
    if len(firsts) < MANY_BOOTS:
        return None
    within = sum(gaps[-(MANY_BOOTS - 1) :], timedelta())
    return firsts[-1].monotonic + HELD_S if within <= WITHIN else None


def _feedback(spec: AmplifierSpec) -> bool | None:
    if spec.feedback is None:
        return None
    try:
        return spec.feedback.read_text(encoding="ascii").strip() == "1"
    except (OSError, UnicodeDecodeError):
        return None


def _run(order: str) -> str:
    try:
        child = subprocess.Popen(
            shlex.split(order),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return str(error)
    try:
        _, said = child.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        # With everything that it started: a shell's child would go on and switch when nobody expects it.
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        return f"no answer within {TIMEOUT_S:.0f} s"
    return "" if child.returncode == 0 else f"exit {child.returncode}: {said.decode(errors='replace').strip()[-200:]}"


def _get(order: str) -> str:
    address = urlsplit(order)
    try:
        connection = _connection(address)
    except ValueError as error:
        return str(error)
    try:
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        connection.request("GET", path, headers=_credentials(address))
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return "" if 200 <= status < 300 else f"HTTP {status}"


def _connection(address: SplitResult) -> http.client.HTTPConnection:
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError(f"not an address of http: {address.geturl()}")
    make = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    return make(address.hostname, address.port, timeout=TIMEOUT_S)


def _credentials(address: SplitResult) -> dict[str, str]:
    if address.username is None:
        return {}
    pair = f"{address.username}:{address.password or ''}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _write(order: str) -> str:
    name, _, value = order.rpartition("=")
    try:
        with Path(name).open("r+", encoding="ascii") as file:
            file.write(value)
    except (OSError, ValueError) as error:
        return str(error)
    return ""
