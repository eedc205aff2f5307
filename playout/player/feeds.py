"""Which source airs a cue: a libvlc deck, or the file reader for what starts inside a file or when libvlc fails."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from playout.player.deck import Decks, DeckSource
from playout.player.filesource import AheadSource
from playout.player.piecesource import SequenceSource
from playout.source import Cue, Source


class Feeds:
    """Holds the verified, open files of the cues and opens their sources."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._descriptors: dict[str, list[int]] = {}
        self._stood_in: set[str] = set()
        self.decks = Decks()

    def start(self) -> None:
        """Load libvlc, in its thread."""
        self.decks.start()

    def stop(self) -> None:
        """Let the libvlc thread end, and close what is still held."""
        self.decks.close()
        for airing in list(self._descriptors):
            self.release(airing)

    def hold(self, airing: str, descriptors: Sequence[int]) -> None:
        """Keep `descriptors` until `airing` is released; those of a second order for it are not needed."""
        with self._lock:
            if airing not in self._descriptors:
                self._descriptors[airing] = list(descriptors)
                return
        for descriptor in descriptors:
            os.close(descriptor)

    def open(self, cue: Cue) -> Source:
        """Return a source for `cue` that is decoding already."""
        if cue.pieces:
            self._stood_in.add(cue.airing)
            sequence = SequenceSource(cue.pieces, self._descriptors[cue.airing], from_sample=cue.from_sample)
            sequence.start()
            return sequence
        if cue.from_sample > 0:
            # libvlc's seeking lands 100 to 170 ms off without telling.
            self._stood_in.add(cue.airing)
            return self._read_ahead(cue.airing, from_sample=cue.from_sample)
        if self.decks.hung():
            self.decks = Decks()
            self.decks.start()
        deck = DeckSource(self.decks, self._descriptors[cue.airing][0])
        deck.start()
        return deck

    def stand_in(self, cue: Cue, *, from_sample: int) -> Source | None:
        """Return a file reader in place of a failed deck, once."""
        if cue.airing in self._stood_in:
            return None
        self._stood_in.add(cue.airing)
        return self._read_ahead(cue.airing, from_sample=from_sample)

    def release(self, airing: str) -> None:
        """Close the files of `airing`."""
        self._stood_in.discard(airing)
        with self._lock:
            descriptors = self._descriptors.pop(airing, [])
        for descriptor in descriptors:
            os.close(descriptor)

    def _read_ahead(self, airing: str, *, from_sample: int) -> Source:
        source = AheadSource(self._descriptors[airing][0], from_sample=from_sample)
        source.start()
        return source
