"""The aircheck: what went to the output, for listening live, for listening to an airing, and as evidence (HLS)."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from audio.run import HEAD, Piece, Run, is_run_name, runs

_LIVE_PIECES = 6
_STRETCH = re.compile(r"(?P<run>[^.]+)\.(?P<first>\d{6,9})-(?P<last>\d{6,9})\.m4a")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Pieces of one run that follow each other: one sound, which any player plays as a file of its own."""

    run: Run
    pieces: tuple[Piece, ...]

    @property
    def name(self) -> str:
        """Which pieces of which run: `20261123T170500Z.000012-000071.m4a`."""
        return f"{self.run.name}.{self.pieces[0].number:06}-{self.pieces[-1].number:06}.m4a"

    @property
    def start(self) -> datetime:
        """When its first sample went out."""
        return self.pieces[0].start

    @property
    def end(self) -> datetime:
        """When the sample after its last one would go out."""
        return self.pieces[-1].end

    def content(self) -> bytes:
        """Return the head of the run and the pieces, one after the other; raises OSError where one is gone."""
        names = (HEAD, *(piece.name for piece in self.pieces))
        return b"".join((self.run.folder / name).read_bytes() for name in names)


class AircheckShelf:
    """The runs of one station below `root`; read only, apart from `purge`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def live_playlist(self) -> str | None:
        """Return the last six seconds of the run that is being written; None when there is none.

        Numbers grow from run to run, so that a player that stayed on goes over into the next one.
        """
        known = runs(self._root)
        if not known or not known[-1].is_active():
            return None
        run = known[-1]
        pieces = run.last_pieces(_LIVE_PIECES)
        if not pieces:
            return None
        epoch = int(run.start.timestamp())
        return "".join(
            [
                "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n",
                f"#EXT-X-MEDIA-SEQUENCE:{epoch + pieces[0].number}\n",
                # Small: hls.js walks an array of this length at every reload, and a date there froze pages for 20 s.
                f"#EXT-X-DISCONTINUITY-SEQUENCE:{len(known) - 1}\n#EXT-X-INDEPENDENT-SEGMENTS\n",
                *_run_lines(run, pieces),
            ]
        )

    def stretches(self, start: datetime, end: datetime) -> tuple[Stretch, ...]:
        """Return the pieces that overlap `[start, end)`, aware, run by run."""
        found = []
        for run in runs(self._root):
            if run.start < end:
                pieces = tuple(piece for piece in run.pieces() if piece.start < end and start < piece.end)
                found += [Stretch(run=run, pieces=pieces)] if pieces else []
        return tuple(found)

    def stretch(self, name: str) -> Stretch | None:
        """Return the stretch of that name; None where its run is gone, and for every name that is none."""
        match = _STRETCH.fullmatch(name)
        if match is None or not is_run_name(match["run"]):
            return None
        run = Run(self._root / match["run"])
        first, last = int(match["first"]), int(match["last"])
        pieces = tuple(piece for piece in run.pieces() if first <= piece.number <= last)
        return Stretch(run=run, pieces=pieces) if pieces else None

    def playlist(self, start: datetime, end: datetime) -> str | None:
        """Return the pieces that overlap `[start, end)`, aware, over all runs; None when there are none."""
        lines: list[str] = []
        for stretch in self.stretches(start, end):
            lines += ["#EXT-X-DISCONTINUITY\n"] if lines else []
            lines += _run_lines(stretch.run, stretch.pieces)
        if not lines:
            return None
        head = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        return "".join([head, "#EXT-X-INDEPENDENT-SEGMENTS\n", *lines, "#EXT-X-ENDLIST\n"])

    def file(self, run: str, name: str) -> Path | None:
        """Return one file of a run; None for every name that is not one."""
        return Run(self._root / run).file(name) if is_run_name(run) else None

    def purge(self, before: datetime) -> tuple[str, ...]:
        """Remove whole runs that ended before a moment; return their names. A run being written stays."""
        removed = []
        for run in runs(self._root):
            if run.is_active():
                continue
            last = run.last_pieces(1)
            if (last[0].end if last else run.start) < before:
                shutil.rmtree(run.folder, ignore_errors=True)
                removed.append(run.name)
        return tuple(removed)


def _run_lines(run: Run, pieces: Iterable[Piece]) -> list[str]:
    return [f'#EXT-X-MAP:URI="{run.name}/{HEAD}"\n', *(piece.entry(f"{run.name}/") for piece in pieces)]


if __name__ == "__main__":
    # Only the writer needs FFmpeg; whoever reads the shelf does not pay for it.
    from audio.recorder import main

    sys.exit(main(sys.argv[1:]))
