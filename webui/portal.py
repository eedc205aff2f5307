"""What people do with items of the portal: enter, count, dismiss, look into feeds; one text for portal and air."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from link.outward import OutwardRefused, is_outward
from schedules.errors import Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.station import UnitCode
from schedules.text import Text
from store import portal, scripts, segments
from store.accounts import Person
from store.portal import Feed, Item, ItemState, NewItem
from webui import newsfeed
from webui.rights import reach
from webui.services import Services, services
from webui.work import no_such, require, trace, visible_segment

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MOST_TARGET = 10_000
_LONGEST_TITLE = 300
_LONGEST_TEXT = 20_000
_LONGEST_NAME = 200
_MOST_WORDS = 20
_MOST_FEEDS = 20
_TROUBLES = {
    "refused": Text(
        "Địa chỉ không được phép lấy tin: chỉ lấy từ trang web công khai.",
        "News may not be fetched from this address: only from public web sites.",
    ),
    "no_answer": Text("Trang không trả lời.", "The site does not answer."),
    "too_large": Text("Nguồn tin quá lớn.", "The feed is too large."),
    "too_slow": Text("Trang trả lời quá chậm.", "The site answers too slowly."),
    "not_a_feed": Text("Địa chỉ này không phải nguồn tin RSS.", "There is no RSS feed at this address."),
}


def add(item: NewItem, *, person: Person) -> str:
    """Keep an item that a person entered; it counts at once, in that person's name. Raises Refused, NotAllowed."""
    here = services()
    require(person, "portal.edit", item.owner)
    wrong = _wrong(item, here.clock.now().astimezone(_ZONE).date())
    if wrong:
        raise Refused(*wrong)
    if item.segment is not None:
        visible_segment(item.segment, person=person)
    with here.database.writing() as session:
        made = portal.add(session, item, state=ItemState.COUNTED, person=person, now=here.clock.now())
        trace(session, "portal.add", made or "", person, detail=item.url)
    return made or ""


def visible(item: str, *, person: Person) -> Item:
    """Return an item of a unit that the person reaches. Raises Unknown for all others."""
    with services().database.reading() as session:
        found = portal.find(session, item)
    if found is None or found.content.owner not in reach(person):
        raise Unknown(no_such("portal_unknown", "Không có tin, bài này.", "There is no such item."))
    return found


def decide(item: str, state: ItemState, *, topics: tuple[str, ...] | None, person: Person) -> Item:
    """Count an item or not, in a person's name."""
    here = services()
    known = visible(item, person=person)
    require(person, "portal.edit", known.content.owner)
    with here.database.writing() as session:
        portal.decide(session, item, state, topics=topics, person=person, now=here.clock.now())
        trace(session, f"portal.{state.value}", item, person)
    return known


def set_target(owner: UnitCode, year: int, count: int, document: str, *, person: Person) -> None:
    """Set how many items a unit has to publish from a year on."""
    here = services()
    require(person, "settings.edit", owner)
    if not 1 <= count <= MOST_TARGET:
        raise Refused(_problem("count", "Chỉ tiêu phải từ 1 đến 10.000.", "The target must be 1 to 10,000."))
    with here.database.writing() as session:
        portal.set_target(session, owner, year, count, " ".join(document.split())[:_LONGEST_NAME])
        trace(session, "portal.target", owner, person, detail=f"{year} {count}")


def add_feed(owner: UnitCode, *, name: str, url: str, words: tuple[str, ...], counts: bool, person: Person) -> str:
    """Look into a feed from now on. counts: what fits the words counts without a person's look."""
    here = services()
    require(person, "portal.edit", owner)
    name, url = " ".join(name.split()), url.strip()
    wrong = []
    if not name or len(name) > _LONGEST_NAME:
        wrong.append(_problem("name", "Hãy đặt tên nguồn tin.", "Give the feed a name."))
    if not is_outward(url):
        wrong.append(_problem("url", "Địa chỉ phải bắt đầu bằng http:// hoặc https://.", "Not an address of the web."))
    if counts and not words:
        wrong.append(
            _problem(
                "words",
                "Muốn tự tính thì phải có từ khóa, nếu không mọi tin của trang đều được tính.",
                "To count by itself it needs words; otherwise every item of the page would count.",
            )
        )
    with here.database.writing() as session:
        if len(portal.feeds(session, [owner])) >= _MOST_FEEDS:
            wrong.append(_problem("url", "Đã có 20 nguồn tin. Hãy bỏ bớt.", "There are 20 feeds. Remove some."))
        if wrong:
            raise Refused(*wrong)
        feed = portal.add_feed(
            session,
            owner=owner,
            name=name,
            url=url,
            words=words[:_MOST_WORDS],
            counts=counts,
            person=person,
            now=here.clock.now(),
        )
        trace(session, "portal.feed", feed, person, detail=url)
    return feed


def remove_feed(feed: str, *, person: Person) -> None:
    """Look into it no more; what it brought stays."""
    here = services()
    known = _feed(feed, person)
    require(person, "portal.edit", known.owner)
    with here.database.writing() as session:
        portal.remove_feed(session, feed, here.clock.now())
        trace(session, "portal.unfeed", feed, person)


def look_now(feed: str, *, person: Person) -> tuple[int, str]:
    """Look into a feed at once; return how many items are new, and what was wrong."""
    known = _feed(feed, person)
    require(person, "portal.edit", known.owner)
    return fetch(services(), known)


def trouble_words(kept: str) -> Text:
    """Return what was wrong with a feed, as the store keeps it, in both languages."""
    return next((words for words in _TROUBLES.values() if words.vi == kept), Text(kept, kept))


def fetch(here: Services, feed: Feed) -> tuple[int, str]:
    """Look into a feed: what is new and holds one of its words is kept, to be confirmed or counted by its rule."""
    now = here.clock.now()
    trouble = ""
    found: tuple[newsfeed.Entry, ...] = ()
    try:
        found = newsfeed.entries(here.outward.get(feed.url), now.astimezone(_ZONE).date(), _ZONE)
    except OutwardRefused as error:
        trouble = _TROUBLES[error.cause].vi
    except ValueError:
        trouble = _TROUBLES["not_a_feed"].vi
    state = ItemState.COUNTED if feed.counts and feed.words else ItemState.WAITING
    new = 0
    with here.database.writing() as session:
        for entry in found:
            if not newsfeed.fits(entry, feed.words):
                continue
            item = NewItem(
                owner=feed.owner,
                title=entry.title,
                url=entry.url,
                published=entry.published,
                text=entry.text,
                feed=feed.id,
                guid=entry.guid,
            )
            new += portal.add(session, item, state=state, person=None, now=now) is not None
        portal.note_fetch(session, feed.id, trouble=trouble, now=now)
    return new, trouble


def fetch_all(here: Services) -> int:
    """Look into every feed, one after the other; return how many items are new."""
    with here.database.reading() as session:
        known = portal.feeds(session)
    return sum(fetch(here, feed)[0] for feed in known)


def text_of(segment: str, *, person: Person) -> tuple[str, str, tuple[str, ...]]:
    """Return title, words and topics of a recording for a portal item; no words where none were written."""
    record = visible_segment(segment, person=person)
    with services().database.reading() as session:
        body = scripts.body_of_segment(session, segment) or ""
        card = segments.find(session, segment)
    topics = card.card.topics if card is not None else ()
    return record.card.title, body, topics


def _feed(feed: str, person: Person) -> Feed:
    with services().database.reading() as session:
        known = next((one for one in portal.feeds(session, reach(person)) if one.id == feed), None)
    if known is None:
        raise Unknown(no_such("feed_unknown", "Không có nguồn tin này.", "There is no such feed."))
    return known


def _wrong(item: NewItem, today: date) -> list[Finding]:
    found = []
    if not item.title.strip() or len(item.title) > _LONGEST_TITLE:
        found.append(
            _problem("title", "Hãy ghi tên tin, bài, tối đa 300 ký tự.", "Give a title of up to 300 characters.")
        )
    if not is_outward(item.url):
        found.append(
            _problem("url", "Hãy dán đường dẫn bắt đầu bằng http:// hoặc https://.", "Paste an address of the web.")
        )
    if item.published > today or item.published.year < 2000:
        found.append(_problem("published", "Ngày đăng chưa đúng.", "The date is not right."))
    if len(item.text) > _LONGEST_TEXT:
        found.append(_problem("text", "Nội dung dài quá 20.000 ký tự.", "The text is over 20,000 characters."))
    return found


def _problem(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"portal_{where}", severity=Severity.ERROR, where=where, message=Text(vi, en))
