"""The aircheck: a browser can play it live and afterwards, and its times are true."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from audio.aircheck import AircheckShelf
from audio.boxes import sample_count, whole_boxes
from audio.run import Piece, new_run, runs
from tests.audio.recordings import RATE, silence, tone

PROJECT = Path(__file__).resolve().parents[2]
START = datetime(2026, 11, 23, 17, 5, 0, 250_000, tzinfo=UTC)
RUN = "20261123T170500Z"


def pcm(sound: np.ndarray) -> bytes:
    return (sound * 32_767).astype("<i2").tobytes()


@contextmanager
def writer(root: Path, start: datetime = START) -> Iterator[subprocess.Popen[bytes]]:
    """Give a running writer; it is killed if the test leaves it alive."""
    process = subprocess.Popen(
        [sys.executable, "-m", "audio.aircheck", str(root), start.isoformat()],
        stdin=subprocess.PIPE,
        cwd=PROJECT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


def written(root: Path, sound: np.ndarray, start: datetime = START) -> AircheckShelf:
    with writer(root, start) as process:
        process.stdin.write(pcm(sound))
        process.stdin.close()
        assert process.wait(30) == 0
    return AircheckShelf(root)


def wait_for(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def played(root: Path, playlist: str) -> np.ndarray:
    """Return the samples that a player gets from a playlist."""
    path = root / "playlist.m3u8"
    path.write_text(playlist, encoding="ascii")
    options = {"allowed_extensions": "ALL", "extension_picky": "0"}
    with av.open(str(path), format="hls", options=options) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def test_what_went_out_can_be_played_afterwards(tmp_path: Path) -> None:
    """Eight seconds in are eight seconds out: the same tone, in pieces of a second, each with its time."""
    shelf = written(tmp_path, tone(8.0, 440))
    playlist = shelf.playlist(START, START + timedelta(seconds=8))
    assert playlist is not None
    sound = played(tmp_path, playlist)
    spectrum = np.abs(np.fft.rfft(sound))

    assert len(sound) / RATE == pytest.approx(8.0, abs=0.1)
    assert np.argmax(spectrum) * RATE / len(sound) == pytest.approx(440, abs=1)
    assert playlist.count("#EXT-X-PROGRAM-DATE-TIME:2026-11-23T17:05:0") == playlist.count("#EXTINF") == 8
    assert f'#EXT-X-MAP:URI="{RUN}/head.mp4"' in playlist
    assert playlist.endswith("#EXT-X-ENDLIST\n")


def test_a_piece_bears_the_time_of_its_sound(tmp_path: Path) -> None:
    """A tone that begins 3.5 s after the start is found there by the pieces' own times, within 5 ms."""
    shelf = written(tmp_path, np.concatenate((silence(3.5), tone(3.0, 1_000))))
    playlist = shelf.playlist(START, START + timedelta(seconds=9))
    assert playlist is not None
    first = runs(tmp_path)[0].pieces()[0]
    onset = int(np.argmax(np.abs(played(tmp_path, playlist)) > 0.05))
    heard = first.start + timedelta(seconds=onset / RATE)
    assert abs((heard - START).total_seconds() - 3.5) < 0.005


def test_the_live_playlist_follows_the_writer(tmp_path: Path) -> None:
    """While the writer is at work the last six pieces are offered, numbered without gaps, and no end."""
    shelf = AircheckShelf(tmp_path)
    assert shelf.live_playlist() is None
    with writer(tmp_path) as process:
        process.stdin.write(pcm(tone(9.5, 440)))
        process.stdin.flush()
        wait_for(lambda: (shelf.live_playlist() or "").find("000008.m4s") > 0)
        playlist = shelf.live_playlist()
        assert playlist is not None
        first = int(START.timestamp()) + 3
        assert f"#EXT-X-MEDIA-SEQUENCE:{first}\n" in playlist
        assert "#EXT-X-DISCONTINUITY-SEQUENCE:0\n" in playlist
        assert [line for line in playlist.splitlines() if line.endswith(".m4s")] == [
            f"{RUN}/{number:06}.m4s" for number in range(3, 9)
        ]
        assert "#EXT-X-ENDLIST" not in playlist
        process.stdin.close()
        assert process.wait(20) == 0
    assert shelf.live_playlist() is None


def test_a_killed_writer_leaves_what_was_written(tmp_path: Path) -> None:
    """After kill -9 everything that was listed plays; the run counts as over once it is stale."""
    shelf = AircheckShelf(tmp_path)
    with writer(tmp_path) as process:
        process.stdin.write(pcm(tone(5.5, 440)))
        process.stdin.flush()
        wait_for(lambda: (shelf.live_playlist() or "").find("000004.m4s") > 0)
        process.kill()
        process.wait()
    (run,) = runs(tmp_path)
    with (run.folder / "list.m3u8").open("a", encoding="ascii") as file:
        file.write("#EXT-X-PROGRAM-DATE-TIME:2026-11-23T17:05:09")
    playlist = shelf.playlist(START, START + timedelta(seconds=60))
    assert playlist is not None
    assert len(played(tmp_path, playlist)) / RATE == pytest.approx(5.0, abs=0.1)
    os.utime(run.folder / "list.m3u8", (time.time() - 10, time.time() - 10))
    assert shelf.live_playlist() is None


def test_an_airing_over_two_runs_is_one_playlist(tmp_path: Path) -> None:
    """The player was killed in mid item: both runs stand in one playlist, with a mark between them."""
    written(tmp_path, tone(4.0, 440))
    later = START + timedelta(seconds=6)
    shelf = written(tmp_path, tone(4.0, 880), later)
    playlist = shelf.playlist(START + timedelta(seconds=2), later + timedelta(seconds=2))
    assert playlist is not None
    assert playlist.count("#EXT-X-DISCONTINUITY\n") == 1
    assert playlist.count("#EXT-X-MAP") == 2
    assert len(played(tmp_path, playlist)) / RATE == pytest.approx(5.0, abs=1.1)


def test_a_playlist_holds_only_what_overlaps(tmp_path: Path) -> None:
    """A border belongs to one side; before and after everything there is nothing."""
    run = new_run(tmp_path, START)
    run.begin(b"head")
    for number in range(4):
        run.add(Piece(name=f"{number:06}.m4s", start=START + timedelta(seconds=number), seconds=1.0), b"sound")
    shelf = AircheckShelf(tmp_path)

    def names(begin: float, end: float) -> list[str]:
        text = shelf.playlist(START + timedelta(seconds=begin), START + timedelta(seconds=end)) or ""
        return [line[-10:-4] for line in text.splitlines() if line.endswith(".m4s")]

    assert names(1, 2) == ["000001"]
    assert names(0.5, 1.5) == ["000000", "000001"]
    assert names(4, 9) == names(-5, 0) == []


@pytest.mark.parametrize(
    ("run", "name"),
    [
        (RUN, "../loa.db"),
        (RUN, "list.m3u8"),
        (RUN, "000000.m4s/../../x"),
        (RUN, ".000000.m4s"),
        (RUN, "000001.m4s"),
        (RUN, "000000.m4s\n"),
        ("..", "head.mp4"),
        (f"{RUN}/..", "head.mp4"),
        ("20261123T170501Z", "head.mp4"),
        ("", ""),
    ],
)
def test_only_the_runs_own_files_are_given(tmp_path: Path, run: str, name: str) -> None:
    """No name leads anywhere else than to a piece or the head of a run."""
    made = new_run(tmp_path, START)
    made.begin(b"head")
    made.add(Piece(name="000000.m4s", start=START, seconds=1.0), b"sound")
    shelf = AircheckShelf(tmp_path)
    assert shelf.file(RUN, "000000.m4s") == tmp_path / RUN / "000000.m4s"
    assert shelf.file(RUN, "head.mp4") == tmp_path / RUN / "head.mp4"
    assert shelf.file(run, name) is None


def test_old_runs_are_purged(tmp_path: Path) -> None:
    """A run goes when its last piece is older than the limit; one that is being written stays."""
    for hours in (0, 1, 2):
        moment = START + timedelta(hours=hours)
        run = new_run(tmp_path, moment)
        run.begin(b"head")
        run.add(Piece(name="000000.m4s", start=moment, seconds=1.0), b"sound")
        if hours != 1:
            run.end()
    shelf = AircheckShelf(tmp_path)
    assert shelf.purge(START + timedelta(hours=1, minutes=30)) == (RUN,)
    assert [run.name for run in runs(tmp_path)] == ["20261123T180500Z", "20261123T190500Z"]


def test_two_runs_of_one_second_have_two_names(tmp_path: Path) -> None:
    """A writer that was started again at once does not write into the old run."""
    assert new_run(tmp_path, START).name == RUN
    second = new_run(tmp_path, START)
    assert second.name == f"{RUN}-2"
    assert second.start == START.replace(microsecond=0)


def test_boxes_come_out_whole() -> None:
    """Boxes are cut out of a stream however it arrives; one without an end is refused."""
    buffer = bytearray()
    found = []
    for byte in b"\0\0\0\x0cabcd1234" + b"\0\0\0\x08efgh" + b"\0\0":
        buffer.append(byte)
        found += [name for name, _ in whole_boxes(buffer)]
    assert found == [b"abcd", b"efgh"]
    assert bytes(buffer) == b"\0\0"
    with pytest.raises(ValueError, match="without an end"):
        list(whole_boxes(bytearray(b"\0\0\0\0mdat")))
    assert sample_count(b"\0\0\0\x08moof") == 0
