"""Voices of this machine: a text in words becomes a WAV file, made by another program in a locked room."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from audio import seccomp
from audio.compose import SpeechUnavailable
from audio.numerals import NORTHERN, SOUTHERN, Habit
from audio.sandbox import Confinement, command_of_program
from schedules.text import Text

_OUT = "/spoken.wav"
_PATH = "/usr/bin:/usr/sbin:/bin:/sbin"
_WAV_HEAD_BYTES = 44
# Half an hour of sound at 24 kHz and 16 bits is 86 MB.
_ESPEAK = Confinement(memory_bytes=600_000_000, cpu_s=120, output_bytes=200_000_000, threads=16)
_PIPER = Confinement(memory_bytes=6_000_000_000, cpu_s=1800, output_bytes=200_000_000, threads=64)


class Pace(StrEnum):
    """How fast is spoken; a loudspeaker out of doors wants it slow."""

    SLOW = "slow"
    USUAL = "usual"
    FAST = "fast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One voice of an engine. habit: the region's words for numbers."""

    name: str
    label: Text
    habit: Habit = NORTHERN


class SpeechEngine(Protocol):
    """What can speak. name: one word, kept with every item that it spoke; paced: whether a pace can be chosen."""

    @property
    def name(self) -> str: ...

    @property
    def paced(self) -> bool: ...

    def voices(self) -> Sequence[Voice]:
        """Return its voices that this machine has now; none where it cannot speak."""
        ...

    def speak(self, text: str, *, voice: str, pace: Pace, out: Path) -> None:
        """Write `text` as a WAV file to `out`.

        Raises ValueError for a text without words, SpeechUnavailable where it cannot or fails,
        SandboxUnavailable where this machine gives no confinement.
        """
        ...


class Espeak:
    """espeak-ng, which every installation has: robotic, clear, in an instant."""

    name = "espeak"
    paced = True

    _VOICES = (
        Voice(name="vi", label=Text("Máy, giọng Bắc", "Machine, northern")),
        Voice(name="vi-vn-x-central", label=Text("Máy, giọng Trung", "Machine, central"), habit=SOUTHERN),
        Voice(name="vi-vn-x-south", label=Text("Máy, giọng Nam", "Machine, southern"), habit=SOUTHERN),
    )
    _WORDS_PER_MINUTE: Mapping[Pace, int] = {Pace.SLOW: 130, Pace.USUAL: 150, Pace.FAST: 175}

    def voices(self) -> Sequence[Voice]:
        """Return the three regions' voices, none where the program is missing."""
        return () if shutil.which("espeak-ng", path=_PATH) is None else self._VOICES

    def speak(self, text: str, *, voice: str, pace: Pace, out: Path) -> None:
        """Write `text` as a WAV file."""
        program = shutil.which("espeak-ng", path=_PATH)
        if program is None or voice not in {one.name for one in self._VOICES}:
            raise SpeechUnavailable("espeak-ng is missing; install the system package espeak-ng")
        speed = str(self._WORDS_PER_MINUTE[pace])
        command = (program, "-v", voice, "-s", speed, "-b", "1", "-w", _OUT, "--stdin")
        _run(command, text, out=out, confinement=_ESPEAK, reading=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Piper:
    """A neural voice by the program `piper` and a model, both supplied by whoever runs this machine.

    It is never imported: it runs as a program of its own, without network. label: what officers call the voice.
    """

    program: Path
    model: Path
    label: str

    @property
    def name(self) -> str:
        """The word that items keep."""
        return "piper"

    @property
    def paced(self) -> bool:
        """The model has one pace."""
        return False

    def voices(self) -> Sequence[Voice]:
        """Return the model's voice, none where program or model are not there."""
        if not (self.program.is_file() and os.access(self.program, os.X_OK) and self.model.is_file()):
            return ()
        return (Voice(name=self.model.stem[:40], label=Text(self.label, self.label)),)

    def speak(self, text: str, *, voice: str, pace: Pace, out: Path) -> None:
        """Write `text` as a WAV file; the voice and the pace are the model's."""
        if voice not in {one.name for one in self.voices()}:
            raise SpeechUnavailable("piper or its model is missing")
        command = (str(self.program), "--model", str(self.model), "--output_file", _OUT)
        # The program's neighbours are its libraries; of an environment, that is the folder above `bin`.
        home = self.program.parent.parent if self.program.parent.name == "bin" else self.program.parent
        sheet = self.model.with_name(f"{self.model.name}.json")
        _run(command, " ".join(text.split()), out=out, confinement=_PIPER, reading=(home, self.model, sheet))


def _run(program: Sequence[str], text: str, *, out: Path, confinement: Confinement, reading: Sequence[Path]) -> None:
    if not any(letter.isalnum() for letter in text):
        raise ValueError("nothing to speak")
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(dir=out.parent)))
        # Inside, somebody else writes: the folder around it is closed to everybody but us.
        spoken = folder / "spoken.wav"
        spoken.touch()
        spoken.chmod(0o666)
        passed: list[int] = []
        rules = seccomp.program()
        if rules is not None:
            descriptor = os.memfd_create("seccomp")
            opened.callback(os.close, descriptor)
            os.write(descriptor, rules)
            os.lseek(descriptor, 0, os.SEEK_SET)
            passed.append(descriptor)
        command = command_of_program(
            program,
            confinement,
            reading=reading,
            writing={_OUT: spoken},
            filter_fd=passed[0] if passed else None,
        )
        try:
            done = subprocess.run(
                command,
                # On standard input a text that begins with a dash is no option.
                input=text.encode(),
                capture_output=True,
                timeout=confinement.cpu_s,
                check=False,
                pass_fds=passed,
                cwd="/",
                env={"PATH": _PATH},
            )
        except subprocess.TimeoutExpired as error:
            raise SpeechUnavailable(f"{Path(program[0]).name} took too long") from error
        if done.returncode != 0 or spoken.stat().st_size <= _WAV_HEAD_BYTES:
            said = done.stderr.decode(errors="replace").strip()[-500:]
            how = signal.Signals(-done.returncode).name if done.returncode < 0 else str(done.returncode)
            raise SpeechUnavailable(f"{Path(program[0]).name} failed ({how}): {said}")
        spoken.chmod(0o600)
        spoken.replace(out)
