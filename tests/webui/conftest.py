"""A whole authority in a temporary folder: real database and library, fake doors and ingest, five people and more."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from itsdangerous import URLSafeTimedSerializer
from nacl.signing import SigningKey
from sqlalchemy import select, update

from audio.ingest import IngestLimits
from audio.library import Library
from link.orders import OrderKeys
from schedules.clock import ManualClock
from schedules.duty import Duty
from schedules.programme import Programme
from schedules.sources import RelaySource, SourceKind
from schedules.station import WHOLE_DAY, Station, Unit
from store import accounts, duties, programmes, revision, sources, stations, tables, tokens, units
from store.accounts import Role
from store.database import Database
from webui.app import create_app
from webui.intake import Intake
from webui.services import OrderSigners, Services, WebSettings

_spec = importlib.util.spec_from_file_location("webui_fakes", Path(__file__).with_name("fakes.py"))
fakes = importlib.util.module_from_spec(_spec)
sys.modules["webui_fakes"] = fakes
_spec.loader.exec_module(fakes)

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PASSWORD = "bốn con vịt bơi chậm"
_LINE = "loa-loa-loa-loa"
_MULTIPART = f"multipart/form-data; boundary={_LINE}"
SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF"


class World:
    """The authority under test, and hands to move it."""

    def __init__(self, tmp_path, template=None) -> None:
        self.data = tmp_path
        if template is not None:
            shutil.copy(template, tmp_path / "loa.db")
        self.clock = ManualClock(wall=NOW)
        self.database = Database(f"sqlite:///{tmp_path / 'loa.db'}")
        self.database.start()
        self.library = Library(tmp_path / "media")
        self.ingest = fakes.FakeIngest()
        self.intake = self.new_intake()
        if template is None:
            self._fill()
        with self.database.reading() as session:
            self.people = {account.person.name: account.person for account in accounts.every(session)}
        self.doors = {
            code: fakes.FakeDoor(code, self.database, self.clock, tmp_path / "aircheck" / code)
            for code in ("LONGHIEP", "LONGMAI")
        }
        self.order_keys = OrderSigners(real=SigningKey.generate(), drill=SigningKey.generate())
        for door in self.doors.values():
            door.order_keys = OrderKeys(real=self.order_keys.real.verify_key, drill=self.order_keys.drill.verify_key)
        self.app = self.new_app()

    def new_intake(self, **changes):
        """Return an intake over this world, not started."""
        return Intake(
            database=self.database,
            clock=self.clock,
            library=self.library,
            data=self.data,
            limits=IngestLimits(),
            ingest=changes.get("ingest", self.ingest),
        )

    def services(self, **changes):
        """Return the services, with settings or fields changed."""
        settings = {"secret_key": SECRET, **changes.pop("settings", {})}
        values = {
            "database": self.database,
            "clock": self.clock,
            "doors": self.doors,
            "library": self.library,
            "intake": self.intake,
            "settings": WebSettings(**settings),
            "data": self.data,
            "demo": True,
            "version": "0.1.0",
            "order_keys": self.order_keys,
        }
        return Services(**(values | changes))

    def new_app(self, **changes):
        """Return an app over this world."""
        app = create_app(self.services(**changes))
        app.testing = True
        # Errors are answered as in service, not raised into the test.
        app.config["PROPAGATE_EXCEPTIONS"] = False
        return app

    def client(self):
        """Return a browser that nobody has signed in with."""
        return self.app.test_client()

    def token(self, name: str, scopes=tokens.SCOPES) -> dict[str, str]:
        """Return the headers of a program that speaks for the person of that name, by default with every scope."""
        with self.database.writing() as session:
            secret = tokens.issue(session, self.people[name], self.clock.now(), scopes=scopes)
        return {"Authorization": f"Bearer {secret}"}

    def signed_in(self, name: str):
        """Return a browser in which the person of that name is signed in."""
        client = self.client()
        self.sign_in(client, name)
        return client

    def sign_in(self, client, name: str, password: str = PASSWORD):
        """Sign in through the form of the page and return the answer."""
        return client.post("/dang-nhap", data={"name": name, "password": password, "csrf_token": self.csrf(client)})

    def csrf(self, client) -> str:
        """Return the CSRF token of the present session, as a page gives it."""
        for path in ("/dang-nhap", "/tai-khoan"):
            with client.session_transaction() as session:
                raw = session.get("csrf_token")
            if raw is not None:
                break
            client.get(path)
        with client.session_transaction() as session:
            raw = session["csrf_token"]
        return URLSafeTimedSerializer(SECRET, salt="wtf-csrf-token").dumps(raw)

    def post(self, client, path: str, data=None, **options):
        """Send a form with the CSRF token of the client's session and return the answer."""
        return client.post(path, data={"csrf_token": self.csrf(client)} | (data or {}), **options)

    def publish(self, client, path: str, data):
        """Send a form that is looked at before it is published, agree to what it shows, and return the last answer."""
        shown = self.post(client, path, data)
        found = re.search(r'name="confirm" value="([^"]+)"', shown.text)
        return self.post(client, path, data | {"confirm": found.group(1)}) if found else shown

    def upload(self, client, name: str, content: bytes = b"SOUND 1", **fields):
        """Send a recording in the name of that person and return the answer."""
        headers = fields.pop("headers", None) or self.token(name)
        file_name = fields.pop("file_name", "tin.mp3")
        form = {"title": "Tin thôn 1", "programme": "CDS", "station": "LONGHIEP", "topics": "DX-A1"} | fields
        body = multipart(form, file_name, content)
        return client.post("/api/v1/segments", data=body, content_type=_MULTIPART, headers=headers)

    def analysed(self, client, name: str = "operator", **fields) -> dict:
        """Send a recording and wait for its analysis; return its document."""
        self.intake.start()
        try:
            answer = self.upload(client, name, **fields)
            assert answer.status_code == 202, answer.text
            return self.wait(client, answer.json["id"], name)
        finally:
            self.intake.stop()

    def wait(self, client, segment: str, name: str = "operator") -> dict:
        """Return the document of a recording when it is no longer being analysed."""
        headers = self.token(name)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            document = client.get(f"/api/v1/segments/{segment}", headers=headers).json
            if document["state"] not in {"received", "analysing"}:
                return document
            time.sleep(0.01)
        raise AssertionError(f"still {document['state']}")

    def approved(self, client, **fields) -> dict:
        """Bring a recording through analysis, submission and approval; return its document."""
        document = self.analysed(client, **fields)
        segment = document["id"]
        assert client.post(f"/api/v1/segments/{segment}/submit", headers=self.token("operator")).status_code == 200
        answer = client.post(
            f"/api/v1/segments/{segment}/approve",
            json={"sha256": document["sha256"], "revision": document["revision"]},
            headers=self.token("approver"),
        )
        assert answer.status_code == 200, answer.text
        return answer.json

    def stop(self) -> None:
        """Stop what runs."""
        self.intake.stop()
        self.database.stop()

    def _fill(self) -> None:
        with self.database.writing() as session:
            units.save(session, Unit(code="QUANGNGAI", name="Quảng Ngãi"))
            units.save(session, Unit(code="MINHLONG", name="Minh Long", parent="QUANGNGAI"))
            units.save(session, Unit(code="BATO", name="Ba Tơ", parent="QUANGNGAI"))
            for code, name, parent in (
                ("LONGHIEP", "Long Hiệp", "MINHLONG"),
                ("LONGMAI", "Long Mai", "MINHLONG"),
                ("BADINH", "Ba Dinh", "BATO"),
            ):
                units.save(session, Unit(code=code, name=name, parent=parent))
                stations.save(session, Station(code=code, name=f"Đài {name}", unit=code, permitted=WHOLE_DAY))
            programmes.save(session, Programme(code="CDS", name="Chuyển đổi số"))
            programmes.save(session, Programme(code="BANTIN", name="Bản tin xã"))
            vov = RelaySource(code="VOV1", name="VOV1", kind=SourceKind.HLS, address="https://vov1.example/a.m3u8")
            sources.save(session, vov)
            hall = RelaySource(code="HOITRUONG", name="Hội trường", kind=SourceKind.LINE, address="mic")
            sources.save(session, hall)
            duties.save(
                session,
                Duty(
                    code="CDS",
                    name="Chuyển đổi số hằng tuần",
                    owner="MINHLONG",
                    stations=("LONGHIEP", "LONGMAI"),
                    programme="CDS",
                    since=NOW - timedelta(days=30),
                ),
                NOW,
            )
            revision.bump(session)
            for role in Role:
                for name, unit in (
                    (role.value, "LONGHIEP"),
                    (f"{role.value}2", "LONGHIEP"),
                    (f"{role.value}-minhlong", "MINHLONG"),
                    (f"{role.value}-longmai", "LONGMAI"),
                    (f"{role.value}-bato", "BATO"),
                ):
                    accounts.create(session, name=name, role=role, unit=unit, full_name=f"Người {name}", now=NOW)
        # One hash for all: hashing 25 passwords would take longer than the tests.
        with self.database.writing() as session:
            accounts.set_password(session, accounts.named(session, "operator"), PASSWORD)
            kept = session.scalar(select(tables.person.c.password_hash).where(tables.person.c.name == "operator"))
            session.execute(update(tables.person).values(password_hash=kept))


def multipart(fields, file_name: str, content: bytes) -> bytes:
    """Return the body of a form with a file; a field with a list comes several times, one with None not at all."""
    values = [
        (name, one)
        for name, value in fields.items()
        for one in (value if isinstance(value, list) else [] if value is None else [value])
    ]
    parts = [
        f'--{_LINE}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{one}\r\n'.encode() for name, one in values
    ]
    head = f'--{_LINE}\r\nContent-Disposition: form-data; name="audio"; filename="{file_name}"\r\n\r\n'
    return b"".join([*parts, head.encode(), content, f"\r\n--{_LINE}--\r\n".encode()])


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """Make the database of the small authority once; every test gets a copy."""
    folder = tmp_path_factory.mktemp("template")
    world = World(folder)
    world.database.copy(folder / "copy.db")
    world.stop()
    return folder / "copy.db"


@pytest.fixture
def world(tmp_path, template):
    """The authority under test."""
    world = World(tmp_path, template)
    for folder in ("incoming", "originals", "scratch"):
        (tmp_path / folder).mkdir()
    yield world
    world.stop()


@pytest.fixture
def client(world):
    """A program or browser that nobody has signed in with."""
    return world.client()


def hidden_token(page: str) -> str:
    """Return the CSRF token in a page's form."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, page[:500]
    return found.group(1)
