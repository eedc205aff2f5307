"""What programs of listeners read: the podcast of a station (RSS 2.0) and the calendar of its programme (RFC 5545)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from lxml import etree

from webui.broadcasts import Broadcast, Line

_ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
_ATOM = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """The podcast of a station. link: its page; feed: the feed's own address."""

    title: str
    about: str
    author: str
    link: str
    feed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One item of the podcast. guid: the same for ever; address: of its file of `size_bytes`."""

    guid: str
    title: str
    about: str
    link: str
    address: str
    size_bytes: int
    length_s: float
    aired_at: datetime
    topics: tuple[str, ...]


def podcast(channel: Channel, episodes: Iterable[Episode]) -> bytes:
    """Return the feed; the same for the same episodes, byte for byte."""
    root = etree.Element("rss", {"version": "2.0"}, nsmap={"itunes": _ITUNES, "atom": _ATOM})
    head = etree.SubElement(root, "channel")
    _add(head, "title", channel.title)
    _add(head, "link", channel.link)
    _add(head, "description", channel.about)
    _add(head, "language", "vi")
    etree.SubElement(head, f"{{{_ATOM}}}link", {"href": channel.feed, "rel": "self", "type": "application/rss+xml"})
    _add(head, f"{{{_ITUNES}}}author", channel.author)
    _add(head, f"{{{_ITUNES}}}explicit", "false")
    _add(head, f"{{{_ITUNES}}}type", "episodic")
    etree.SubElement(head, f"{{{_ITUNES}}}category", {"text": "Government"})
    for one in episodes:
        item = etree.SubElement(head, "item")
        _add(item, "title", one.title)
        _add(item, "link", one.link)
        _add(item, "description", one.about)
        etree.SubElement(item, "guid", {"isPermaLink": "false"}).text = _clean(one.guid)
        _add(item, "pubDate", format_datetime(one.aired_at.astimezone(UTC), usegmt=True))
        etree.SubElement(item, "enclosure", {"url": one.address, "length": str(one.size_bytes), "type": "audio/mpeg"})
        for topic in one.topics:
            _add(item, "category", topic)
        _add(item, f"{{{_ITUNES}}}duration", str(round(one.length_s)))
        _add(item, f"{{{_ITUNES}}}explicit", "false")
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written


def calendar(
    name: str,
    broadcasts: Iterable[Broadcast],
    *,
    zone: str,
    host: str,
    link: str,
    day: datetime,
    words: Callable[[Line], str],
    unnamed: str,
) -> bytes:
    """Return the calendar. host: stands in the events' ids; day: when it was made; words: one line of a description."""
    made = Calendar()
    made.add("prodid", "-//Loa//lich phat//VI")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", _clean(name))
    made.add("x-wr-timezone", zone)
    there = ZoneInfo(zone)
    for one in broadcasts:
        event = Event()
        event.add("uid", f"{one.uid.replace('/', '-').lower()}@{host}")
        event.add("dtstamp", day)
        event.add("dtstart", one.start.astimezone(there))
        event.add("dtend", one.end.astimezone(there))
        title = one.name or (words(one.lines[0]) if len(one.lines) == 1 else unnamed)
        event.add("summary", _clean(f"{name}: {title}"))
        lines = [f"{line.start.astimezone(there):%H:%M} {words(line)}" for line in one.lines]
        event.add("description", "\n".join(map(_clean, lines)))
        event.add("url", link)
        made.add_component(event)
    made.add_missing_timezones()
    return bytes(made.to_ical())


def _add(parent: etree._Element, tag: str, words: str) -> None:
    etree.SubElement(parent, tag).text = _clean(words)


def _clean(words: str) -> str:
    """Return the words without what XML and calendars cannot hold; nobody sees it anyway."""
    return "".join(letter for letter in words if letter.isprintable())
