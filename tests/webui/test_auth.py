"""Signing in and out: sessions, forged requests, guessing, and what strangers are told."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask.sessions import SecureCookieSessionInterface

from schedules.errors import ConfigError
from store import accounts, audit, invitations
from store.accounts import Role
from webui import auth
from webui.throttle import Source

PASSWORD = "bốn con vịt bơi chậm"


def cookie(client):
    """Return the value of the session cookie that a browser holds."""
    found = client.get_cookie("loa")
    return found.value if found else None


def key(client):
    """Return the secret of the session that a browser holds."""
    with client.session_transaction() as session:
        return session.get("_user_id")


def test_s9_signing_in_begins_a_new_session(world, client):
    """S9: whatever cookie was planted before, signing in gives another session and another CSRF token."""
    client.get("/dang-nhap")
    world.csrf(client)
    with client.session_transaction() as session:
        planted = session["csrf_token"]
        session["planted"] = "by somebody else"
    assert world.sign_in(client, "operator").status_code == 303
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != planted
    first = key(client)
    world.sign_in(client, "operator")
    assert key(client) != first


def test_the_cookie_is_for_our_server_only(world, client):
    """The cookie is unreadable to scripts, not sent along from other sites, and secure where the address is https."""
    answer = world.sign_in(client, "operator")
    (line,) = (line for line in answer.headers.getlist("Set-Cookie") if line.startswith("loa="))
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Secure" not in line
    secure = world.new_app(settings={"base_url": "https://loa.example"})
    assert secure.config["SESSION_COOKIE_SECURE"]


def test_s10_a_cookie_is_worthless_after_signing_out(world):
    """S10: the cookie of before does not open anything after log-out, password change or closing the account."""
    person = world.people["operator"]
    endings = (
        lambda client: client.post("/dang-xuat", data={"csrf_token": world.csrf(client)}),
        lambda client: _write(world, lambda session: accounts.set_password(session, person, PASSWORD)),
        lambda client: _write(world, lambda session: accounts.set_role(session, person, Role.OPERATOR, "LONGHIEP")),
        lambda client: _write(world, lambda session: accounts.disable(session, person, world.clock.now())),
    )
    for ending in endings:
        client = world.signed_in("operator")
        kept = cookie(client)
        assert client.get("/api/v1/me").status_code == 200
        ending(client)
        thief = world.client()
        thief.set_cookie("loa", kept)
        assert thief.get("/api/v1/me").status_code == 401


def test_s12_an_idle_session_ends(world):
    """S12: half an hour of nothing, or twelve hours of anything, and the next request needs a sign-in."""
    client = world.signed_in("operator")
    for _ in range(3):
        world.clock.advance(29 * 60)
        assert client.get("/api/v1/me").status_code == 200
    world.clock.advance(31 * 60)
    assert client.get("/api/v1/me").status_code == 401
    client = world.signed_in("operator")
    for _ in range(35):
        world.clock.advance(20 * 60)
        assert client.get("/api/v1/me").status_code == 200
    world.clock.advance(20 * 60)
    assert client.get("/api/v1/me").status_code == 401


def test_s8_no_change_without_a_token_of_this_session(world):
    """S8: every unsafe call with a cookie needs this session's CSRF token; without it nothing changes."""
    client = world.signed_in("operator")
    stranger = world.client()
    stranger.get("/dang-nhap")
    other = world.csrf(stranger)
    for headers in ({}, {"X-CSRFToken": "x"}, {"X-CSRFToken": other}):
        answer = client.post("/api/v1/stations/LONGHIEP/stop", json={"reason": "x"}, headers=headers)
        assert answer.status_code == 400
    plain = client.post(
        "/api/v1/stations/LONGHIEP/stop", data='{"reason": "x"}', headers={"Content-Type": "text/plain"}
    )
    assert plain.status_code in {400, 403, 415}
    assert world.doors["LONGHIEP"].stops == []
    good = client.post(
        "/api/v1/stations/LONGHIEP/stop", json={"reason": "x"}, headers={"X-CSRFToken": world.csrf(client)}
    )
    assert good.status_code == 200


def test_s8_every_unsafe_route_asks_for_the_token(world):
    """S8: the whole URL map: no POST, PUT, PATCH or DELETE works with a cookie alone."""
    client = world.signed_in("admin-minhlong")
    before = world.database
    with before.reading() as session:
        accounts_before = len(accounts.every(session))
    checked = 0
    for rule in world.app.url_map.iter_rules():
        for method in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
            path = re.sub(r"<[^>]+>", "LONGHIEP", re.sub(r"<int:[^>]+>", "1", rule.rule))
            answer = client.open(path, method=method, data={"name": "x"})
            # Behind a secret link that does not work there is nothing, with or without a token.
            expected = {400, 403, 404} if path.startswith(("/g/", "/b/")) else {400, 403}
            assert answer.status_code in expected, f"{method} {path}: {answer.status_code}"
            checked += 1
    assert checked >= 20
    with before.reading() as session:
        assert len(accounts.every(session)) == accounts_before


def test_s8_signing_in_needs_a_token_too(world, client):
    """S8: nobody can be signed in as somebody else by a foreign page."""
    answer = client.post("/dang-nhap", data={"name": "operator", "password": PASSWORD})
    assert answer.status_code == 400
    assert key(client) is None


def test_a_token_speaks_for_itself_alone(world):
    """A bearer token needs no CSRF token and borrows nothing from a cookie that comes along; pages ignore it."""
    client = world.signed_in("operator")
    token = world.token("inspector")
    assert client.get("/api/v1/me", headers=token).json["name"] == "inspector"
    wrong = client.get("/api/v1/me", headers={"Authorization": "Bearer loa_guess"})
    assert wrong.status_code == 401
    assert wrong.headers["WWW-Authenticate"] == "Bearer"
    assert world.client().get("/", headers=token).status_code == 302


def test_s14_wrong_name_and_wrong_password_are_told_alike(world):
    """S14: status, text and length of the answer do not tell whether a name exists."""
    answers = []
    for name in ("operator", "operatox"):
        client = world.client()
        client.get("/dang-nhap")
        answer = client.post("/dang-nhap", data={"name": name, "password": "sai", "csrf_token": world.csrf(client)})
        with client.session_transaction() as session:
            token = session.get("csrf_token", "")
        text = answer.text.replace(name, "NAME").replace(token, "")
        answers.append((answer.status_code, len(text)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


def test_s13_guessing_at_one_account_is_slowed_down(world):
    """S13: of 200 guesses within an hour from changing addresses fewer than 100 are tried, and an alarm is noted."""
    keeper = world.app.extensions["loa.doorkeeper"]
    tried = 0
    with world.app.test_request_context():
        for number in range(200):
            world.clock.advance(10)
            try:
                keeper.check("operator", "wrong password", Source(address=f"10.0.0.{number % 250}"))
            except auth.NotAllowed:
                tried += 1
            except auth.TooMany as error:
                assert error.retry_after_s > 0
    assert tried <= 100
    with world.database.reading() as session:
        assert any(entry.what == "sign_in.flood" for entry in audit.newest(session, limit=500))


def test_s13_the_true_person_is_not_locked_out(world):
    """S13: somebody who has signed in from an address before gets in there during a flood from elsewhere."""
    keeper = world.app.extensions["loa.doorkeeper"]
    with world.app.test_request_context():
        keeper.welcome(keeper.check("operator", PASSWORD, Source(address="192.168.1.5")), Source(address="192.168.1.5"))
        for number in range(80):
            with pytest.raises((auth.NotAllowed, auth.TooMany)):
                keeper.check("operator", "wrong password", Source(address=f"10.0.0.{number}"))
        with pytest.raises(auth.TooMany):
            keeper.check("operator", PASSWORD, Source(address="10.1.1.1"))
        assert keeper.check("operator", PASSWORD, Source(address="192.168.1.5")).name == "operator"
        world.clock.advance(3601)
        assert keeper.check("operator", PASSWORD, Source(address="10.1.1.1")).name == "operator"


def test_s13_one_password_at_many_accounts_is_slowed_down(world):
    """S13: one address that tries many names is stopped as well; X-Forwarded-For does not make a new address."""
    client = world.client()
    client.get("/dang-nhap")
    codes = []
    keeper = world.app.extensions["loa.doorkeeper"]
    with world.app.test_request_context():
        for number in range(99):
            with pytest.raises(auth.NotAllowed):
                keeper.check(f"name{number}", "x", Source(address="127.0.0.1"))
    for number in range(3):
        answer = client.post(
            "/dang-nhap",
            data={"name": f"other{number}", "password": "x", "csrf_token": world.csrf(client)},
            headers={"X-Forwarded-For": f"10.9.8.{number}"},
        )
        codes.append(answer.status_code)
    assert "phút" in answer.text
    with world.app.test_request_context(), pytest.raises(auth.TooMany):
        keeper.check("operator", PASSWORD, Source(address="127.0.0.1"))


@pytest.mark.parametrize(
    "target",
    ["//evil", "\\\\evil", "https:evil", "https://evil", "/\\evil", "/%09/evil\t", "/\tx", "javascript:x", "", None],
)
def test_s40_after_signing_in_one_stays_here(world, target):
    """S40: a target that could lead elsewhere becomes the first page."""
    assert auth.safe_next(target) == "/"
    client = world.client()
    client.get("/dang-nhap")
    data = {"name": "operator", "password": PASSWORD, "csrf_token": world.csrf(client), "next": target or ""}
    answer = client.post("/dang-nhap", data=data)
    assert answer.status_code == 303
    assert answer.headers["Location"] in {"/", "/?"}


def test_a_page_asks_for_a_sign_in_and_leads_back(world, client):
    """Strangers are led to the form and from there to where they wanted to go; polls tell htmx to leave."""
    answer = client.get("/nhat-ky?dai=LONGHIEP")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/dang-nhap?next=%2Fnhat-ky%3Fdai%3DLONGHIEP"
    assert auth.safe_next("/nhat-ky?dai=LONGHIEP") == "/nhat-ky?dai=LONGHIEP"
    poll = client.get("/dai", headers={"HX-Request": "true"})
    assert poll.status_code == 401
    assert poll.headers["HX-Redirect"].startswith("/dang-nhap")


def test_s15_nobody_can_sign_in_on_a_fresh_install(world, client):
    """S15: names and passwords that people try first open nothing; the set-up link opens once."""
    for name in ("admin", "root", "loa", "demo"):
        assert world.sign_in(client, name, "admin").status_code == 401
    secret = _write(world, lambda session: invitations.issue(session, None, world.clock.now()))
    page = client.get(f"/thiet-lap/{secret}")
    assert page.status_code == 200
    form = {
        "name": "chu-nhiem",
        "full_name": "Nguyễn Văn Chủ",
        "password": PASSWORD,
        "again": PASSWORD,
        "csrf_token": world.csrf(client),
    }
    assert client.post(f"/thiet-lap/{secret}", data=form).status_code == 303
    assert client.get("/api/v1/me").json["role"] == "admin"
    other = world.client()
    assert other.get(f"/thiet-lap/{secret}").status_code == 404
    world.clock.advance(1)
    old = _write(world, lambda session: invitations.issue(session, None, world.clock.now()))
    world.clock.advance(timedelta(hours=25).total_seconds())
    assert other.get(f"/thiet-lap/{old}").status_code == 404


def test_accounts_of_the_demonstration_end_with_it(world):
    """Where no demonstration runs, its accounts sign in neither by password nor by cookie."""

    def make(session):
        person = accounts.create(
            session, name="thu", role=Role.CENTRE, unit="MINHLONG", full_name="Thử", now=world.clock.now(), demo=True
        )
        accounts.set_password(session, person, PASSWORD)

    _write(world, make)
    client = world.signed_in("thu")
    kept = cookie(client)
    assert client.get("/api/v1/me").status_code == 200
    world.app = world.new_app(demo=False)
    thief = world.client()
    thief.set_cookie("loa", kept)
    assert thief.get("/api/v1/me").status_code == 401
    assert world.sign_in(world.client(), "thu").status_code == 401


@pytest.mark.parametrize("secret", ["", "dev", "secret", "changeme", "a" * 64, "0123456789" * 3, "ab" * 40])
def test_s11_weak_secrets_are_refused(world, secret):
    """S11: the app does not start with a secret that can be guessed."""
    with pytest.raises(ConfigError):
        world.new_app(settings={"secret_key": secret})


def test_s11_a_forged_cookie_opens_nothing(world):
    """S11: a cookie signed with another secret is no sign-in."""
    app = world.new_app(settings={"secret_key": "another secret of more than 32 letters"})
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    client = world.signed_in("operator")
    forged = serializer.dumps({"_user_id": key(client)})
    thief = world.client()
    thief.set_cookie("loa", forged)
    assert thief.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("host", ["evil", "evil.example", "localhost.evil", "127.0.0.1.evil", '"><script>'])
def test_s41_s42_foreign_host_names_are_refused(world, client, host):
    """S41, S42: a request for another name is 400, does not echo it, and changes no link."""
    answer = client.get("/dang-nhap", headers={"Host": host})
    assert answer.status_code == 400
    assert host not in answer.text
    good = client.get("/nhat-ky", headers={"X-Forwarded-Host": host})
    assert host not in good.headers["Location"]


def test_s43_every_answer_guards_the_browser(world, client):
    """S43, S45: pages, API and errors carry the policy, cannot be framed, and are kept by no cache."""
    browser = world.signed_in("operator")
    for path in ("/dang-nhap", "/api/v1/health", "/api/v1/khong-co", "/khong-co", "/"):
        answer = browser.get(path, headers={"Origin": "https://evil.example"})
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "style-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "no-store" in answer.headers["Cache-Control"] or "no-cache" in answer.headers["Cache-Control"]
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_s47_errors_tell_nothing_of_the_machinery(world, monkeypatch):
    """S47: an unexpected error is a sentence and a number; no trace, no debugger."""
    client = world.client()
    headers = world.token("operator")

    def broken():
        raise RuntimeError("secret of the machinery")

    monkeypatch.setattr(world.doors["LONGHIEP"], "status", broken)
    answer = client.get("/api/v1/stations/LONGHIEP", headers=headers)
    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert "machinery" not in answer.text
    assert "Traceback" not in answer.text
    assert client.get("/console").status_code in {302, 404}
    assert not world.app.debug


def test_problems_speak_the_reader_language(world, client):
    """Problem documents are Vietnamese, or English where that is preferred; both carry the same codes."""
    vi = client.get("/api/v1/stations").json
    en = client.get("/api/v1/stations", headers={"Accept-Language": "en-GB,en;q=0.9"}).json
    assert vi["detail"] == "Cần đăng nhập để xem trang này."
    assert en["detail"] == "You have to sign in to see this."
    assert vi["findings"][0]["code"] == en["findings"][0]["code"] == "sign_in_needed"
    assert set(vi) == {"type", "title", "status", "detail", "findings"}
    nothing = client.get("/api/v1/khong-co")
    assert (nothing.status_code, nothing.json["status"]) == (404, 404)


def _write(world, act):
    with world.database.writing() as session:
        return act(session)
