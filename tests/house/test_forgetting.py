"""What contributors sent is really gone when its time is over: columns, files, and the words in the database file."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from audio.picture import make_picture, pictures
from house.forgetting import Forgotten, forget
from schedules.clock import ManualClock
from schedules.errors import Conflict
from schedules.station import WHOLE_DAY, Station, Unit
from store import accounts, authority, contributions, outsidelinks, stations, tables_public, units
from store.accounts import Role
from store.contributions import ContributionState
from store.database import Database
from store.outsidelinks import LinkKind, OutsideLink
from tests.audio.drawing import photo
from webui.voices import original, voices

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
PHONE = "0905 123 789"
WORDS = "Chuyện chỉ thôn mình biết"


class Inbox:
    """An authority with one village, one photo, one voice, and a clock that can be moved."""

    def __init__(self, folder: Path) -> None:
        self.data = folder
        self.clock = ManualClock(wall=NOW)
        self.database = Database(f"sqlite:///{folder / 'loa.db'}")
        self.database.start()
        with self.database.writing() as session:
            units.save(session, Unit(code="LONGHIEP", name="Long Hiệp"))
            stations.save(session, Station(code="LONGHIEP", name="Đài", unit="LONGHIEP", permitted=WHOLE_DAY))
            self.person = accounts.create(
                session, name="hanh", role=Role.OPERATOR, unit="LONGHIEP", full_name="Hạnh", now=NOW
            )
            link, _secret = outsidelinks.issue(
                session,
                kind=LinkKind.CONTRIBUTE,
                unit="LONGHIEP",
                station="LONGHIEP",
                cluster="",
                village="Thôn 1",
                holder="Đinh Văn Nam",
                quota=20,
                days=30,
                person=self.person,
                now=NOW,
            )
            found = outsidelinks.find(session, link)
        assert found is not None
        self.link: OutsideLink = found

    def send(self, name: str, *, picture: str | None = None, voice: bytes | None = None) -> str:
        """Let something arrive, its voice already checked; return its id."""
        if voice is not None:
            original(self.data, name).parent.mkdir(parents=True, exist_ok=True)
            original(self.data, name).write_bytes(voice)
        with self.database.writing() as session:
            contributions.receive(
                session,
                name,
                self.link,
                words=WORDS,
                name="Đinh Văn Nam",
                phone=PHONE,
                credited=True,
                picture=picture,
                voice=voice is not None,
                now=self.clock.now(),
            )
            if voice is not None:
                plain = self.data / "plain.flac"
                plain.write_bytes(b"fLaC" + voice)
                contributions.voice_ready(session, name, sha256=voices(self.data).adopt(plain), samples=48_000)
        return name

    def thank(self, name: str) -> None:
        """Have an officer answer it."""
        with self.database.writing() as session:
            contributions.decide(
                session,
                name,
                ContributionState.THANKED,
                answer=f"Cảm ơn ông Nam {PHONE}",
                person=self.person,
                now=self.clock.now(),
            )

    def later(self, days: float) -> Forgotten:
        """Let days pass and what is over be forgotten."""
        self.clock.advance(days * 86_400)
        return forget(self.database, self.data, self.clock)

    def files(self) -> list[str]:
        """Return the names of all photos and voices that are there."""
        places = (self.data / "pictures", self.data / "voices")
        return sorted(file.name for place in places for file in place.rglob("*") if file.is_file())

    def photo(self, width: int = 64) -> str:
        """Return the hash of a photo that was taken in."""
        (self.data / "sent.jpg").write_bytes(photo("jpeg", width, 64))
        made = make_picture(self.data / "sent.jpg", pictures=pictures(self.data), scratch=self.data / "scratch")
        (self.data / "sent.jpg").unlink()
        return made.sha256


@pytest.fixture
def inbox(tmp_path):
    """The authority under test."""
    made = Inbox(tmp_path)
    yield made
    made.database.stop()


def test_after_ninety_days_nothing_of_the_sender_is_left(inbox: Inbox) -> None:
    """Name, telephone, words, photo, voice and answer are gone from columns, folders and the file; the count stays."""
    inbox.send("a", picture=inbox.photo(), voice=b"giong noi")
    inbox.thank("a")
    assert len(inbox.files()) == 3
    assert inbox.later(89).contributions == 0
    assert len(inbox.files()) == 3

    done = inbox.later(1.1)

    assert (done.contributions, done.files) == (1, 2)
    assert inbox.files() == []
    with inbox.database.reading() as session:
        row = session.execute(select(tables_public.contribution)).one()._asdict()
    assert row["village"] == "Thôn 1"
    assert row["state"] == "thanked"
    assert row["had_picture"]
    for column in ("text", "name", "phone", "answer", "picture", "voice_sha256"):
        assert not row[column], column
    # Stopping writes the last pages back into the file.
    inbox.database.stop()
    for file in inbox.data.glob("loa.db*"):
        content = file.read_bytes()
        assert PHONE.encode() not in content, file.name
        assert WORDS.encode() not in content, file.name
    inbox.database.start()


def test_the_setting_says_how_long(inbox: Inbox) -> None:
    """Seven days instead of ninety; what nobody dealt with stays twice as long."""
    with inbox.database.writing() as session:
        authority.decide(session, authority.INBOX_DAYS, 7, person=None, now=NOW)
    inbox.send("a")
    inbox.send("b")
    inbox.thank("a")
    assert inbox.later(7.1).contributions == 1
    assert inbox.later(6).contributions == 0
    assert inbox.later(1).contributions == 1
    assert inbox.later(500).contributions == 0


def test_a_photo_that_somebody_else_sent_too_stays(inbox: Inbox) -> None:
    """The same photo from two people goes with the second of them; nobody's photo is taken away too early."""
    shared = inbox.photo()
    inbox.send("a", picture=shared)
    inbox.thank("a")
    inbox.clock.advance(60 * 86_400)
    inbox.send("b", picture=shared)
    inbox.thank("b")
    assert inbox.later(31).contributions == 1
    assert inbox.files() == [f"{shared}.jpg"]
    assert inbox.later(60).contributions == 1
    assert inbox.files() == []


def test_files_that_no_row_names_go_too(inbox: Inbox) -> None:
    """What an interrupted sending left is removed an hour later, and what is just being written is not."""
    lost, fresh = inbox.photo(64), inbox.photo(96)
    old = datetime.now(UTC).timestamp() - 7200
    os.utime(pictures(inbox.data).path(lost), (old, old))
    assert forget(inbox.database, inbox.data, inbox.clock).files == 1
    assert inbox.files() == [f"{fresh}.jpg"]


def test_holders_of_links_are_forgotten_after_their_link(inbox: Inbox) -> None:
    """A link that ended keeps its village and forgets whose it was."""
    assert inbox.later(30).holders == 0
    assert inbox.later(91).holders == 1
    with inbox.database.reading() as session:
        found = outsidelinks.find(session, inbox.link.id)
    assert found is not None
    assert (found.village, found.holder) == ("Thôn 1", "")


def test_what_is_forgotten_cannot_be_answered(inbox: Inbox) -> None:
    """An answer to what is no longer there is refused in words."""
    inbox.send("a")
    inbox.thank("a")
    inbox.later(91)
    with pytest.raises(Conflict, match="time was over"):
        inbox.thank("a")
