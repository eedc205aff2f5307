"""A sentence for people, in the two languages that Loa speaks: Vietnamese first, English second."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages, already filled in; never HTML."""

    vi: str
    en: str

    def in_language(self, language: str) -> str:
        """Return the English sentence for `en…`, the Vietnamese one for everything else."""
        return self.en if language.lower().startswith("en") else self.vi

    def __str__(self) -> str:
        return self.vi
