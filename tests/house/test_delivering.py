"""Messages on their way out, against a real mail server and a real webhook on this machine."""

from __future__ import annotations

import email
import json
import shutil
import socket
import socketserver
import threading
from datetime import UTC, datetime, timedelta
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import insert

from house import messengers
from house.delivering import AN_HOUR, Deliverer, Ways
from house.messengers import Letter, MailServer, Undelivered
from schedules.clock import ManualClock
from schedules.station import Unit
from store import accounts, authority, notices, outgoing, tables_notices, units
from store.accounts import Role
from store.database import Database
from store.outgoing import Attachment

# apprise looks for a module of the standard library that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


class _Smtp(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs (RFC 5321)."""

    def handle(self) -> None:
        self._say("220 mail")
        while line := self.rfile.readline().decode().strip():
            word = line.split(":")[0].split(" ")[0].upper()
            if word in {"EHLO", "HELO"}:
                self._say("250 mail")
            elif word == "RCPT" and "refused" in line:
                self._say("550 no such mailbox")
            elif word == "DATA":
                self._say("354 go on")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part[1:] if part.startswith(b"..") else part)
                self.server.mails.append(email.message_from_bytes(b"".join(lines), policy=default))
                self._say("250 taken")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def mail_server():
    """A mail server on this machine; `mails` holds what it took."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp)
    server.daemon_threads = True
    server.mails = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((self.path, dict(self.headers), body))
        status = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/secret")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook():
    """A webhook on this machine; `calls` holds what came, `answers` what it answers first."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hook)
    server.daemon_threads = True
    server.calls, server.answers = [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A store with one officer, made once: every test gets a copy."""
    folder = tmp_path_factory.mktemp("template")
    database = Database(f"sqlite:///{folder / 'loa.db'}")
    database.start()
    with database.writing() as session:
        units.save(session, Unit(code="LONGHIEP", name="Long Hiệp"))
        accounts.create(session, name="hanh", role=Role.OPERATOR, unit="LONGHIEP", full_name="Hạnh", now=NOON)
    database.copy(folder / "copy.db")
    database.stop()
    return folder / "copy.db"


@pytest.fixture
def database(tmp_path, template):
    """A store with one officer."""
    shutil.copy(template, tmp_path / "loa.db")
    database = Database(f"sqlite:///{tmp_path / 'loa.db'}")
    database.start()
    yield database
    database.stop()


def officer(database):
    """Return the officer's id."""
    with database.reading() as session:
        return accounts.named(session, "hanh").id


def channel(database, kind, address, secret=""):
    """Give the officer a confirmed channel."""
    with database.writing() as session:
        session.execute(
            insert(tables_notices.channel).values(
                id=f"ch-{kind}",
                person=accounts.named(session, "hanh").id,
                kind=kind,
                address=address,
                secret=secret,
                created_at=NOON,
                code_tries=0,
                confirmed_at=NOON,
            )
        )


def states(database, message):
    """Return state, tries and reason of each delivery of a message."""
    with database.reading() as session:
        return [(one.state, one.attempts, one.why) for one in outgoing.of_message(session, message)]


def decide_server(database, port):
    """Set the mail server on the page of settings."""
    with database.writing() as session:
        for setting, value in (
            (authority.MAIL_SERVER, "127.0.0.1"),
            (authority.MAIL_PORT, port),
            (authority.MAIL_SECURITY, "none"),
            (authority.MAIL_FROM, "loa@longhiep.vn"),
        ):
            authority.decide(session, setting, value, person=None, now=NOON)


def test_a_mail_arrives_with_its_words_and_files(database, mail_server):
    """Vietnamese subject, text and attachment come out at the mail server as they were queued."""
    decide_server(database, mail_server.server_address[1])
    clock = ManualClock(wall=NOON)
    with database.writing() as session:
        message = outgoing.queue(
            session,
            addresses=("thu@minhlong.vn",),
            subject="Báo cáo tuần 48",
            text="Kính gửi: đã đủ 5/5 đài.",
            attachments=(Attachment(name="báo cáo.pdf", media_type="application/pdf", content=b"%PDF-1.7 x"),),
            kind="report",
            now=NOON,
        )
    assert Deliverer(database=database, clock=clock).run() == 1
    (mail,) = mail_server.mails
    assert mail["Subject"] == "Báo cáo tuần 48"
    assert "thu@minhlong.vn" in mail["To"]
    assert "loa@longhiep.vn" in mail["From"]
    assert "đã đủ 5/5 đài" in mail.get_body(("plain",)).get_content()
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("báo cáo.pdf", b"%PDF-1.7 x")
    assert states(database, message) == [("sent", 1, None)]
    assert Deliverer(database=database, clock=clock).run() == 0


def test_a_mail_server_that_is_away_is_tried_again(database, mail_server):
    """Nothing is lost: it waits longer each time, and says why; with the server back it goes out."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        decide_server(database, free.getsockname()[1])
        clock = ManualClock(wall=NOON)
        deliverer = Deliverer(database=database, clock=clock)
        with database.writing() as session:
            messages = [
                outgoing.queue(session, addresses=(f"{n}@x.vn",), subject="a", text="b", kind="report", now=NOON)
                for n in range(3)
            ]
        assert deliverer.run() == 0
    tried = [states(database, one)[0] for one in messages]
    assert sorted(one[1] for one in tried) == [0, 0, 1], "the others do not wait for a server that is away"
    assert any(one[2] is not None and "Không gửi được" in one[2].vi for one in tried)
    decide_server(database, mail_server.server_address[1])
    assert deliverer.run() == 2
    clock.advance(61)
    assert deliverer.run() == 1
    assert len(mail_server.mails) == 3


def test_without_a_mail_server_the_reason_says_so(database):
    """An authority that set none learns where to set it."""
    clock = ManualClock(wall=NOON)
    with database.writing() as session:
        message = outgoing.queue(session, addresses=("a@x.vn",), subject="a", text="b", kind="report", now=NOON)
    Deliverer(database=database, clock=clock).run()
    assert "Chưa đặt máy chủ thư" in states(database, message)[0][2].vi


def test_a_webhook_can_check_who_sent_it(database, hook):
    """The body is JSON, and its signature fits the secret, the time and every byte."""
    channel(database, "webhook", f"http://127.0.0.1:{hook.server_address[1]}/loa?k=1", secret="s3cret")
    with database.writing() as session:
        outgoing.send(session, person=officer(database), subject="Sự cố", text="Mất điện", now=NOON)
    deliverer = Deliverer(database=database, clock=ManualClock(wall=NOON), private_webhooks=True)
    assert deliverer.run() == 1
    ((path, headers, body),) = hook.calls
    assert path == "/loa?k=1"
    assert json.loads(body)["subject"] == "Sự cố"
    sent_at = int(headers["X-Loa-Time"])
    assert headers["X-Loa-Signature"] == f"sha256={messengers.signature('s3cret', sent_at, body)}"
    assert messengers.signature("s3cret", sent_at, body + b" ") != messengers.signature("s3cret", sent_at, body)


def test_a_webhook_follows_no_redirect_and_gives_up_what_is_wrong_for_good(database, hook):
    """A redirect is no arrival; 500 is tried again; 410 is given up."""
    channel(database, "webhook", f"http://127.0.0.1:{hook.server_address[1]}/loa")
    hook.answers += [500, 302, 410]
    clock = ManualClock(wall=NOON)
    deliverer = Deliverer(database=database, clock=clock, private_webhooks=True)
    with database.writing() as session:
        message = outgoing.send(session, person=officer(database), subject="a", text="b", now=NOON)
    for _ in range(3):
        assert deliverer.run() == 0
        clock.advance(3600)
    ((state, attempts, why),) = states(database, message)
    assert (state, attempts) == ("failed", 3)
    assert "410" in why.vi
    assert len(hook.calls) == 3


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{port}/x",
        "http://localhost:{port}/x",
        "http://[::1]:{port}/x",
        "http://[::ffff:127.0.0.1]:{port}/x",
        "http://0.0.0.0:{port}/x",
        "http://2130706433:{port}/x",
        "http://10.0.0.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://192.168.1.1/x",
        "http://[fd00::1]/x",
        "http://[64:ff9b::7f00:1]/x",
        "http://100.64.0.1/x",
    ],
)
def test_a_webhook_leads_nowhere_inside(hook, address):
    """Addresses of this machine and network are refused before a connection is made, however they are written."""
    letter = Letter(id="1", subject="a", text="b", kind="notices")
    with pytest.raises(Undelivered) as refused:
        messengers.send_webhook(letter, address.format(port=hook.server_address[1]), "k", sent_at=1, private=False)
    assert refused.value.for_good or "Không tìm thấy" in refused.value.why.vi
    assert hook.calls == []


def test_several_messages_for_one_address_go_together_and_not_too_many(database):
    """Ten things in one round are one message; beyond the hour's limit only urgent ones go."""
    sent: list[Letter] = []
    ways = Ways(mail=lambda letter, _address, _server: sent.append(letter))
    channel(database, "mail", "hanh@longhiep.vn")
    clock = ManualClock(wall=NOON)
    deliverer = Deliverer(database=database, clock=clock, ways=ways)
    person = officer(database)
    with database.writing() as session:
        for number in range(10):
            outgoing.send(session, person=person, subject=f"Việc {number}", text="x", now=NOON)
        outgoing.send(session, person=person, subject="Khẩn", text="x", now=NOON, urgent=True)
    deliverer.run()
    assert [letter.subject for letter in sent] == ["Khẩn", "Loa: 10 tin"]
    assert "Việc 9" in sent[1].text
    for _ in range(AN_HOUR):
        with database.writing() as session:
            outgoing.send(session, person=person, subject="Nữa", text="x", now=clock.now())
        deliverer.run()
        clock.advance(1)
    assert len(sent) == 2 + AN_HOUR - 11
    with database.writing() as session:
        outgoing.send(session, person=person, subject="Khẩn", text="x", now=clock.now(), urgent=True)
    deliverer.run()
    assert sent[-1].subject == "Khẩn"


def test_telegram_needs_a_bot(database):
    """Without a token nothing is tried, and the reason says what is missing; passwords stand in no repr."""
    with pytest.raises(Undelivered, match="Telegram"):
        messengers.send_telegram(Letter(id="1", subject="a", text="b", kind="notices"), "123", "")
    assert "pw" not in repr(MailServer(host="h", port=1, security="none", sender="s", password="pw"))


def test_what_is_over_is_cleared(database):
    """Old messages and notices are removed."""
    clock = ManualClock(wall=NOON)
    with database.writing() as session:
        message = outgoing.queue(session, to=(officer(database),), subject="a", text="b", kind="dispatch", now=NOON)
    clock.advance(timedelta(days=200).total_seconds())
    Deliverer(database=database, clock=clock).clear()
    with database.reading() as session:
        assert outgoing.of_message(session, message) == ()
        assert notices.listing(session, officer(database)) == ()
