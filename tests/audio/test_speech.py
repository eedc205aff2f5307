"""Voices: one contract for espeak-ng and for a stand-in of piper, both in the locked room without a network."""

from __future__ import annotations

import socket
import wave
from pathlib import Path

import pytest

from audio.compose import SpeechUnavailable
from audio.speech import Espeak, Pace, Piper, SpeechEngine

# Behaves as `piper --model M --output_file F` with the text on its standard input. The real one was not run here.
STAND_IN = """#!/usr/bin/python3
import socket, sys, wave
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
words = sys.stdin.buffer.read().decode().split()
if open(arguments["--model"]).read() != "A MODEL" or open(arguments["--model"] + ".json").read() != "{}":
    sys.exit("no model")
for name in ("/etc/passwd", "@NEIGHBOUR@"):
    try:
        open(name).read()
        sys.exit("saw " + name)
    except OSError:
        pass
try:
    socket.create_connection(("127.0.0.1", @PORT@), 1)
    sys.exit("reached the network")
except OSError:
    pass
if "hỏng" in words:
    sys.exit("broken voice")
with wave.open(arguments["--output_file"], "wb") as out:
    out.setnchannels(1)
    out.setsampwidth(2)
    out.setframerate(22050)
    out.writeframes(bytes(2 * 2205 * len(words)))
"""


@pytest.fixture
def listening_port():
    """A port on which somebody listens, and complains at the end about every caller."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.fixture
def piper(tmp_path, listening_port) -> Piper:
    """The stand-in with its model, installed as an administrator would."""
    home, models = tmp_path / "piper", tmp_path / "models"
    for folder in (home, models):
        folder.mkdir()
        folder.chmod(0o755)
    neighbour = tmp_path / "loa.db"
    neighbour.write_text("secret")
    program = home / "piper"
    program.write_text(STAND_IN.replace("@PORT@", str(listening_port)).replace("@NEIGHBOUR@", str(neighbour)))
    program.chmod(0o755)
    (models / "vi.onnx").write_text("A MODEL")
    (models / "vi.onnx.json").write_text("{}")
    return Piper(program=program, model=models / "vi.onnx", label="Giọng Vân")


@pytest.fixture(params=["espeak", "piper"])
def engine(request) -> SpeechEngine:
    """Each engine in turn."""
    return Espeak() if request.param == "espeak" else request.getfixturevalue("piper")


def seconds(path: Path) -> float:
    """Return how long a WAV file is."""
    with wave.open(str(path)) as sound:
        return sound.getnframes() / sound.getframerate()


def test_every_engine_speaks_what_it_is_given(engine: SpeechEngine, tmp_path: Path) -> None:
    """A text becomes sound, a longer one more of it, also when it begins like an option."""
    voice = engine.voices()[0].name
    short, long = tmp_path / "short.wav", tmp_path / "long.wav"
    engine.speak("Xin chào bà con.", voice=voice, pace=Pace.USUAL, out=short)
    engine.speak("--help là một câu dài hơn hẳn,\nvới hai dòng chữ.", voice=voice, pace=Pace.USUAL, out=long)

    assert 0.3 < seconds(short) < seconds(long)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".wav") == ["long.wav", "short.wav"]


def test_every_engine_says_when_it_cannot(engine: SpeechEngine, tmp_path: Path) -> None:
    """A voice that it does not have, or nothing to say, is refused, and no file is left."""
    with pytest.raises(SpeechUnavailable):
        engine.speak("xin chào", voice="../../etc/passwd", pace=Pace.USUAL, out=tmp_path / "x.wav")
    with pytest.raises(ValueError, match="nothing"):
        engine.speak(" .\n", voice=engine.voices()[0].name, pace=Pace.USUAL, out=tmp_path / "x.wav")
    assert not (tmp_path / "x.wav").exists()


def test_a_voice_that_breaks_is_named(piper: Piper, tmp_path: Path) -> None:
    """What the program complained of is told to the administrator."""
    with pytest.raises(SpeechUnavailable, match="broken voice"):
        piper.speak("giọng hỏng", voice="vi", pace=Pace.USUAL, out=tmp_path / "x.wav")


def test_without_its_files_piper_is_not_offered(tmp_path: Path) -> None:
    """A path that leads nowhere gives no choice, instead of one that fails."""
    assert Piper(program=tmp_path / "piper", model=tmp_path / "vi.onnx", label="x").voices() == ()


def test_a_slow_pace_takes_longer(tmp_path: Path) -> None:
    """Out of doors a slower voice is understood better."""
    for pace in (Pace.SLOW, Pace.FAST):
        Espeak().speak("Kính thưa bà con trong toàn xã.", voice="vi", pace=pace, out=tmp_path / f"{pace}.wav")

    assert seconds(tmp_path / "slow.wav") > seconds(tmp_path / "fast.wav") * 1.1
