"""The aircheck: what went to the output, for listening live, for listening to an airing, and as evidence (HLS)."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from audio.run import HEAD, Piece, Run, is_run_name, runs

_LIVE_PIECES = 6


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

    def playlist(self, start: datetime, end: datetime) -> str | None:
        """Return the pieces that overlap `[start, end)`, aware, over all runs; None when there are none."""
        lines: list[str] = []
        for run in runs(self._root):
            if run.start < end:
                pieces = [piece for piece in run.pieces() if piece.start < end and start < piece.end]
                if pieces:
                    lines += ["#EXT-X-DISCONTINUITY\n"] if lines else []
                    lines += _run_lines(run, pieces)
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
