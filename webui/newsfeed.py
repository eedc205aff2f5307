"""What an RSS or Atom feed tells, as plain entries: read from bytes, never fetched here, nothing in it believed."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from html import unescape
from zoneinfo import ZoneInfo

import feedparser  # type: ignore[import-untyped]

from link.outward import is_outward

MOST_ENTRIES = 200
_LONGEST_TITLE = 300
_LONGEST_TEXT = 20_000
_TAG = re.compile(r"<[^<>]{0,2000}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. guid: hash of the mark that the feed gives it, else of its address."""

    guid: str
    title: str
    url: str
    published: date
    text: str


def entries(content: bytes, today: date, zone: ZoneInfo) -> tuple[Entry, ...]:
    """Return the entries that have a title and an address of the web, in the feed's order; raises ValueError for none.

    today: for entries without a date, and for those that claim to come from the future. zone: whose days are meant.
    """
    # Bytes in a file, not a name: given a string, the library would look whether it is an address to fetch.
    parsed = feedparser.parse(io.BytesIO(content), sanitize_html=True, resolve_relative_uris=False)
    if not parsed.entries and not parsed.get("version"):
        raise ValueError("not a feed")
    found: dict[str, Entry] = {}
    for raw in parsed.entries[:MOST_ENTRIES]:
        title = _plain(str(raw.get("title", "")))[:_LONGEST_TITLE]
        url = str(raw.get("link", "")).strip()
        if not title or not is_outward(url):
            continue
        guid = sha256(str(raw.get("id") or url).encode()).hexdigest()
        moment = raw.get("published_parsed") or raw.get("updated_parsed")
        found.setdefault(
            guid,
            Entry(
                guid=guid,
                title=title,
                url=url,
                published=min(_day(moment, zone) or today, today),
                text=_plain(str(raw.get("summary", "")))[:_LONGEST_TEXT],
            ),
        )
    return tuple(found.values())


def fits(entry: Entry, words: Iterable[str]) -> bool:
    """Return whether an entry holds one of the words, whatever their case; without words everything does."""
    wanted = [word.casefold() for word in words]
    text = f"{entry.title} {entry.text}".casefold()
    return not wanted or any(word in text for word in wanted)


def _day(moment: object, zone: ZoneInfo) -> date | None:
    # The library gives UTC: what was published before seven in the morning would be of the day before.
    try:
        return datetime(*moment[:6]).replace(tzinfo=UTC).astimezone(zone).date()  # type: ignore[index]
    except (TypeError, ValueError, OverflowError):
        return None


def _plain(text: str) -> str:
    """Return text without tags and without anything invisible."""
    bare = unicodedata.normalize("NFC", unescape(_TAG.sub(" ", text)))
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in bare).split())
