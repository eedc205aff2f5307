"""Bring `en.po` up to date with the sentences of the pages: `python -m webui.translations`; then fill in English."""

from __future__ import annotations

import sys
from typing import cast

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from webui.translations import HERE, read_english, sentences


def main() -> int:
    """Add new sentences, drop those no longer used, and name what still lacks English; 1 while something does."""
    known = read_english() if (HERE / "en.po").exists() else Catalog(locale="en")
    fresh = Catalog(
        locale="en",
        project="Loa",
        version="1",
        header_comment="# English for the pages of Loa.",
        msgid_bugs_address="-",
        last_translator="Loa",
        language_team="Loa",
        fuzzy=False,
    )
    fresh.creation_date = known.creation_date
    fresh.revision_date = known.creation_date
    missing = 0
    for _name, _line, sentence in sorted(sentences(), key=lambda found: str(found[2])):
        key = sentence if isinstance(sentence, str) else (sentence[0], sentence[1])
        old = known.get(sentence if isinstance(sentence, str) else sentence[0])
        fresh.add(cast("str", key), old.string if old else None)
    for message in fresh:
        if message.id and not all(message.string if isinstance(message.string, tuple) else (message.string,)):
            missing += 1
            sys.stdout.write(f"no English yet: {message.id}\n")
    with (HERE / "en.po").open("wb") as target:
        write_po(target, fresh, width=110, omit_header=False, sort_output=True)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
