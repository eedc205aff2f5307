"""Accounts as people use them: second factor, links to a password, proofs before dangerous acts, devices, deputies."""

from __future__ import annotations

import html
import re

import pyotp
import pytest
from sqlalchemy import insert, select, update

from link import certificates
from store import (
    accounts,
    audit,
    authority,
    channels,
    invitations,
    notices,
    outgoing,
    second_factors,
    segments,
    tables,
    tables_notices,
    tokens,
)
from store.accounts import Role
from store.tokens import EMERGENCY
from webui.throttle import Source, Throttle

PASSWORD = "bốn con vịt bơi chậm"
OTHER = "năm cây tre già đứng thẳng"


def write(world, act):
    """Do it in one change of the store."""
    with world.database.writing() as session:
        return act(session)


def factor(world, name):
    """Give a person a second factor that is in use; return its generator."""
    person = world.people[name]
    secret = write(world, lambda session: second_factors.begin(session, person, world.clock.now()))
    totp = pyotp.TOTP(secret)
    code = totp.at(world.clock.now())
    assert write(world, lambda session: second_factors.confirm(session, person, code, world.clock.now()))
    world.clock.advance(60)
    return totp


def enter_code(world, client, code):
    """Send a code in the second step of signing in."""
    return client.post("/dang-nhap/ma", data={"code": code, "csrf_token": world.csrf(client)})


def inside(client):
    """Return whether the browser is signed in."""
    return client.get("/api/v1/me").status_code == 200


def test_a_second_factor_is_set_up_on_the_page_and_then_asked_for(world):
    """QR, first code, ten recovery codes; from then on the password alone opens nothing."""
    client = world.signed_in("operator")
    page = world.post(client, "/tai-khoan/hai-buoc", {"do": "begin"})
    assert "<svg" in page.text
    secret = re.search(r'class="mono">([A-Z2-7 ]+)<', page.text).group(1).replace(" ", "")
    wrong = world.post(client, "/tai-khoan/hai-buoc", {"do": "confirm", "code": "000000"})
    assert wrong.status_code == 422
    page = world.post(
        client, "/tai-khoan/hai-buoc", {"do": "confirm", "code": pyotp.TOTP(secret).at(world.clock.now())}
    )
    codes = re.findall(r"<li>([a-z2-9]{5}-[a-z2-9]{5})</li>", page.text)
    assert len(codes) == 10
    assert "secret" not in client.get("/tai-khoan/hai-buoc").text
    other = world.client()
    assert world.sign_in(other, "operator").status_code == 200
    assert not inside(other)
    assert enter_code(world, other, "123").status_code == 401
    assert enter_code(world, other, codes[0].upper().replace("-", " ")).status_code == 303
    assert inside(other)
    again = world.client()
    world.sign_in(again, "operator")
    assert enter_code(world, again, codes[0]).status_code == 401, "a recovery code is good once"


def test_s17_a_code_is_good_once(world):
    """S17: the same code within its half minute, in another browser or again in this one, is refused."""
    totp = factor(world, "operator")
    code = totp.at(world.clock.now())
    first, second = world.client(), world.client()
    world.sign_in(first, "operator")
    world.sign_in(second, "operator")
    assert enter_code(world, first, code).status_code == 303
    assert enter_code(world, second, code).status_code == 401
    assert not inside(second)
    world.clock.advance(30)
    assert enter_code(world, second, totp.at(world.clock.now())).status_code == 303


def test_s17_the_code_of_somebody_else_opens_nothing(world):
    """S17: a code of another person, right as it is, is refused; so is a code without the password."""
    factor(world, "operator")
    others = factor(world, "approver")
    client = world.client()
    world.sign_in(client, "operator")
    assert enter_code(world, client, others.at(world.clock.now())).status_code == 401
    stranger = world.client()
    stranger.get("/dang-nhap")
    answer = enter_code(world, stranger, others.at(world.clock.now()))
    assert answer.headers["Location"] == "/dang-nhap"
    assert not inside(stranger)


def test_s17_a_thousand_guesses_are_not_tried(world):
    """S17: of 1,000 codes within an hour at most 30 are looked at; the person is told."""
    factor(world, "operator")
    keeper = world.app.extensions["loa.doorkeeper"]
    person = world.people["operator"]
    tried = guessed = 0
    with world.app.test_request_context():
        while guessed < 1000:
            source = Source(address=f"10.0.{guessed % 250}.1")
            wait_s = keeper.throttle.wait_for_code_s(person, source)
            # As fast as an hour allows; what comes while it has to wait is not looked at.
            guessed += max(1, int(wait_s / 3.6))
            world.clock.advance(max(3.6, wait_s))
            if wait_s == 0:
                tried += 1
                assert not keeper.throttle.failed_code(person, source) or tried % 5 == 0
    assert 20 < tried <= 31


def test_half_a_sign_in_ends_with_time_or_another_password(world):
    """The right password counts for five minutes, and not any longer than it is the password."""
    totp = factor(world, "operator")
    client = world.client()
    world.sign_in(client, "operator")
    world.clock.advance(301)
    assert enter_code(world, client, totp.at(world.clock.now())).headers["Location"] == "/dang-nhap"
    world.sign_in(client, "operator")
    write(world, lambda session: accounts.set_password(session, world.people["operator"], OTHER))
    assert enter_code(world, client, totp.at(world.clock.now())).headers["Location"] == "/dang-nhap"


def test_a_role_can_be_made_to_use_a_second_factor(world):
    """Whoever lacks it does nothing but set it up; then everything opens."""
    write(
        world,
        lambda session: authority.decide(
            session, authority.SECOND_FACTOR_ROLES, ("operator",), person=None, now=world.clock.now()
        ),
    )
    client = world.signed_in("operator")
    assert client.get("/bai").headers["Location"] == "/tai-khoan/hai-buoc"
    assert client.get("/api/v1/stations").status_code == 403
    assert "phải dùng mã hai bước" in client.get("/tai-khoan/hai-buoc").text
    world.post(client, "/tai-khoan/hai-buoc", {"do": "begin"})
    with world.database.reading() as session:
        secret = second_factors.find(session, world.people["operator"]).secret
    world.post(client, "/tai-khoan/hai-buoc", {"do": "confirm", "code": pyotp.TOTP(secret).at(world.clock.now())})
    assert client.get("/bai").status_code == 200
    assert world.signed_in("approver").get("/bai").status_code == 200


def mail_channel(world, name, address="hanh@longhiep.vn"):
    """Give a person a confirmed mail address."""
    write(
        world,
        lambda session: session.execute(
            insert(tables_notices.channel).values(
                id=f"ch{name}",
                person=world.people[name].id,
                kind="mail",
                address=address,
                secret="",
                created_at=world.clock.now(),
                code_tries=0,
                confirmed_at=world.clock.now(),
            )
        ),
    )


def mails(world):
    """Return what is queued, newest first."""
    with world.database.reading() as session:
        return outgoing.newest(session)


def ask_for_link(world, client, name, **headers):
    """Say on the page that the password was forgotten."""
    client.get("/quen-mat-khau")
    return client.post("/quen-mat-khau", data={"name": name, "csrf_token": world.csrf(client)}, **headers)


def test_s18_a_link_to_a_new_password_leads_where_it_was_configured(world):
    """S18: a host that the request names does not come into the link; without a configured address there is none."""
    mail_channel(world, "operator")
    client = world.client()
    ask_for_link(world, client, "operator")
    assert mails(world) == ()
    write(
        world,
        lambda session: authority.decide(
            session, authority.BASE_URL, "https://loa.longhiep.vn", person=None, now=world.clock.now()
        ),
    )
    assert ask_for_link(world, client, "operator", headers={"X-Forwarded-Host": "evil.example"}).status_code == 200
    assert client.get("/quen-mat-khau", headers={"Host": "evil.example"}).status_code == 400
    (mail,) = mails(world)
    assert mail.address == "hanh@longhiep.vn"
    (link,) = re.findall(r"https?://\S+", mail.text)
    assert link.startswith("https://loa.longhiep.vn/thiet-lap/")


def choose(world, client, path, password=OTHER):
    """Choose a password behind a link."""
    client.get(path)
    return client.post(path, data={"password": password, "again": password, "csrf_token": world.csrf(client)})


def test_s18_a_link_works_once_and_for_a_day(world):
    """S18: used again, or 25 hours old, it opens nothing and changes nothing; every session of before has ended."""
    person = world.people["operator"]
    browser = world.signed_in("operator")
    secret = write(world, lambda session: invitations.issue(session, person, world.clock.now()))
    client = world.client()
    assert choose(world, client, f"/thiet-lap/{secret}").status_code == 303
    assert inside(client)
    assert not inside(browser)
    assert choose(world, world.client(), f"/thiet-lap/{secret}", PASSWORD).status_code == 404
    late = write(world, lambda session: invitations.issue(session, person, world.clock.now()))
    world.clock.advance(25 * 3600)
    assert choose(world, world.client(), f"/thiet-lap/{late}", PASSWORD).status_code == 404
    assert world.sign_in(world.client(), "operator", OTHER).status_code == 303


def test_s18_a_link_does_not_get_around_the_second_factor(world):
    """S18: who reads the mail and has not the phone chooses a password and still is not in."""
    totp = factor(world, "operator")
    secret = write(world, lambda session: invitations.issue(session, world.people["operator"], world.clock.now()))
    client = world.client()
    assert choose(world, client, f"/thiet-lap/{secret}").status_code == 200
    assert not inside(client)
    assert enter_code(world, client, totp.at(world.clock.now())).status_code == 303
    assert inside(client)


def test_s14_asking_for_a_link_tells_nobody_who_exists(world):
    """S14: known with mail, known without, unknown: one answer; asked too often, one refusal."""
    mail_channel(world, "operator")
    texts = set()
    for name in ("operator", "approver", "nobody"):
        client = world.client()
        answer = ask_for_link(world, client, name)
        with client.session_transaction() as session:
            token = session["csrf_token"]
        texts.add((answer.status_code, len(answer.text.replace(token, ""))))
    assert len(texts) == 1
    client = world.client()
    codes = [ask_for_link(world, client, "operator").status_code for _ in range(4)]
    assert codes[-1] == 429


def test_s12_dangerous_acts_ask_again_after_five_minutes(world):
    """S12: accounts, tokens, deputies and settings; what was typed comes back and is sent with the proof."""
    client = world.signed_in("admin-minhlong")
    form = {"full_name": "Đinh Văn Mới", "name": "moi", "role": "operator", "unit": "LONGHIEP"}
    world.clock.advance(301)
    asked = world.post(client, "/nguoi-dung", form)
    assert asked.status_code == 403
    assert 'value="Đinh Văn Mới"' in asked.text
    assert 'name="prove_password"' in asked.text
    with world.database.reading() as session:
        assert accounts.named(session, "moi") is None
    wrong = world.post(client, "/nguoi-dung", form | {"prove_password": "sai"})
    assert (wrong.status_code, "không đúng" in wrong.text) == (403, True)
    done = world.post(client, "/nguoi-dung", form | {"prove_password": PASSWORD})
    assert "/thiet-lap/" in done.text
    world.clock.advance(60)
    assert world.post(client, "/nguoi-dung", form | {"name": "moi2"}).status_code == 200, "five minutes of peace"
    for path, data in (
        ("/tai-khoan/ma-truy-cap", {"label": "x"}),
        ("/tai-khoan/hai-buoc", {"do": "begin"}),
        ("/cai-dat", {"approval.hear_all": "1"}),
        ("/duyet-thay", {"person": "x", "since": "2026-11-23", "until": "2026-11-24"}),
        ("/thong-bao/dia-chi", {"kind": "mail", "address": "a@x.vn"}),
        (f"/nguoi-dung/{world.people['operator'].id}/khoa", {}),
        (f"/nguoi-dung/{world.people['operator'].id}/lien-ket", {}),
    ):
        world.clock.advance(301)
        assert world.post(client, path, data).status_code == 403, path


def test_s12_approving_asks_only_where_the_setting_says_so(world):
    """S12: an approval is light; an authority that wants a proof gets one asked for."""
    maker = world.client()
    document = world.analysed(maker)
    maker.post(f"/api/v1/segments/{document['id']}/submit", headers=world.token("operator"))
    write(
        world,
        lambda session: authority.decide(session, authority.ASK_FOR_APPROVAL, True, person=None, now=world.clock.now()),
    )
    client = world.signed_in("approver")
    world.clock.advance(301)
    form = {"sha256": document["sha256"], "revision": document["revision"]}
    path = f"/bai/{document['id']}/duyet"
    assert world.post(client, path, form).status_code == 403
    assert world.post(client, path, form | {"prove_password": PASSWORD}).status_code == 303
    with world.database.reading() as session:
        assert segments.find(session, document["id"]).state.value == "approved"


def test_s12_a_form_outlives_its_session(world):
    """S12: what was typed into a form whose session ended comes back after signing in; a foreign page's does not."""
    client = world.signed_in("operator")
    token = world.csrf(client)
    world.clock.advance(1801)
    form = {"title": "Bài đang viết dở", "csrf_token": token, "password": "lộ"}
    foreign = client.post("/bai/moi", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 302
    asked = client.post("/bai/moi", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert asked.status_code == 401
    kept = re.search(r'name="kept" value="([^"]+)"', asked.text).group(1)
    assert "lộ" not in kept
    answer = client.post(
        "/dang-nhap",
        data={
            "name": "operator",
            "password": PASSWORD,
            "kept": html.unescape(kept),
            "csrf_token": world.csrf(client),
        },
    )
    assert 'name="title" value="Bài đang viết dở"' in answer.text
    assert 'action="/bai/moi"' in answer.text
    assert inside(client)


def test_s13_a_restart_forgives_nobody(world):
    """S13: the brake is in the database: a new start goes on counting."""
    name, source = "operator", Source(address="10.0.0.1")
    for _ in range(10):
        Throttle(world.database, world.clock).failed(name, source)
    assert Throttle(world.database, world.clock).wait_s(name, source) > 0
    world.clock.advance(901)
    assert Throttle(world.database, world.clock).wait_s(name, source) == 0


def test_s13_no_more_than_a_hundred_tries_an_hour_whatever_is_mixed(world):
    """S13: from anywhere, from known addresses and from a known browser together: 100 an hour for one account."""
    throttle = Throttle(world.database, world.clock)
    person = world.people["operator"]
    for address in ("192.168.1.5", "192.168.1.6"):
        throttle.succeeded("operator", Source(address=address, device="mine"), person)
    sources = [Source(address=f"10.0.0.{n}") for n in range(45)]
    sources += [Source(address=f"192.168.1.{5 + n % 2}") for n in range(35)]
    sources += [Source(address="10.9.9.9", device="mine") for _ in range(35)]
    tried = 0
    for source in sources:
        world.clock.advance(20)
        if throttle.wait_s("operator", source) == 0:
            throttle.failed("operator", source)
            tried += 1
    assert tried <= 100


def test_s13_the_person_is_told_of_guessing_and_gets_in_with_their_own_browser(world):
    """S13: a flood is an alarm for its target; the browser in which they signed in before is let in meanwhile."""
    mine = world.client()
    world.sign_in(mine, "operator")
    world.post(mine, "/dang-xuat")
    throttle = world.app.extensions["loa.doorkeeper"].throttle
    attacker = world.client()
    attacker.get("/dang-nhap")
    for _ in range(10):
        world.sign_in(attacker, "operator2", "sai")
    for n in range(41):
        throttle.failed("operator", Source(address=f"10.0.0.{n}"))
        throttle.failed("operator", Source(address="127.0.0.1"))
    assert throttle.wait_s("operator", Source(address="127.0.0.1")) > 0
    assert world.sign_in(mine, "operator").status_code == 303
    with world.database.reading() as session:
        told = notices.listing(session, world.people["operator2"].id)
        assert [one.kind.value for one in told] == ["guessing"]
        assert any(entry.what == "sign_in.flood" for entry in audit.newest(session, limit=100))


@pytest.mark.parametrize(
    "password",
    [
        "longhieplonghiep1",
        "Long Hiệp Long Hiệp",
        "xã Ba Dinh 2026 xã Ba Dinh",
        "dailongmai dailongmai",
        "LONGHIỆP123456789",
    ],
)
def test_s16_names_of_communes_are_no_passwords(world, password):
    """S16: whoever knows the commune tries its name first, with marks or without."""
    client = world.signed_in("operator")
    answer = world.post(client, "/tai-khoan", {"old": PASSWORD, "password": password, "again": password})
    assert answer.status_code == 422


def test_s16_nothing_is_cut_off(world):
    """S16: a password of 1,024 characters is one, and with one more it is another."""
    person = world.people["operator"]
    long = ("bốn con vịt bơi chậm " * 60)[:1024]
    write(world, lambda session: accounts.set_password(session, person, long))
    with world.database.reading() as session:
        assert accounts.check_password(session, "operator", long) == person
        assert accounts.check_password(session, "operator", long + "x") is None


def test_a_new_device_is_told_and_can_be_ended(world):
    """The first browser ever is no news; the second one is, and can be ended from the first."""
    first = world.signed_in("operator")
    assert "Thông báo, " not in first.get("/them").text
    second = world.client()
    second.get("/dang-nhap", headers={"User-Agent": "x"})
    world.sign_in(second, "operator")
    page = first.get("/thong-bao").text
    assert "đăng nhập trên thiết bị mới" in page
    listed = first.get("/tai-khoan/thiet-bi").text
    assert listed.count('name="phien"') == 1
    named = re.search(r'name="phien" value="([^"]+)"', listed).group(1)
    assert world.post(first, "/tai-khoan/thiet-bi/bo", {"phien": named}).status_code == 303
    assert not inside(second)
    assert inside(first)
    third = world.signed_in("operator")
    world.post(first, "/tai-khoan/thiet-bi/bo", {})
    assert (inside(first), inside(third)) == (True, False)
    assert world.post(first, "/tai-khoan/thiet-bi/bo", {"phien": "khongco"}).status_code == 303


def test_tokens_have_scope_end_and_last_use(world):
    """A token is shown once, bears what it was given, tells when it was used, and ends."""
    client = world.signed_in("operator")
    page = world.post(client, "/tai-khoan/ma-truy-cap", {"label": "Cổng xã", "days": "30", "scope": EMERGENCY})
    secret = re.search(r"loa_[A-Za-z0-9_-]+", page.text).group(0)
    assert secret not in client.get("/tai-khoan/ma-truy-cap").text
    headers = {"Authorization": f"Bearer {secret}"}
    assert world.client().get("/api/v1/me", headers=headers).json["name"] == "operator"
    with world.database.reading() as session:
        (held,) = tokens.of_person(session, world.people["operator"])
    assert (held.used_at, held.scopes) == (world.clock.now(), frozenset({EMERGENCY}))
    assert "dùng gần nhất" in client.get("/tai-khoan/ma-truy-cap").text
    assert world.post(client, f"/tai-khoan/ma-truy-cap/{held.id}/bo").status_code == 303
    assert world.client().get("/api/v1/me", headers=headers).status_code == 401
    inspector = world.signed_in("inspector")
    assert world.post(inspector, "/tai-khoan/ma-truy-cap", {"label": "x", "scope": EMERGENCY}).status_code == 422
    assert world.post(inspector, "/tai-khoan/ma-truy-cap", {"label": "x", "days": "9999"}).status_code == 422


def test_a_deputy_approves_while_named_and_never_their_own(world):
    """Named by the leader with dates: from then to then, in that unit, by person; taken back, at once no more."""
    leader = world.signed_in("approver")
    deputy = world.people["operator2"]
    form = {"person": deputy.id, "since": "2026-11-23", "until": "2026-11-24", "reason": "Đi họp"}
    assert world.post(leader, "/duyet-thay", form).status_code == 303
    client = world.signed_in("operator2")
    assert client.get("/duyet").status_code == 200
    assert "Chờ duyệt" in client.get("/them").text
    made = world.analysed(world.client(), "operator")
    own = world.analysed(world.client(), "operator2", content=b"SOUND 2")
    for name, document in (("operator", made), ("operator2", own)):
        world.client().post(f"/api/v1/segments/{document['id']}/submit", headers=world.token(name))
    body = {"sha256": made["sha256"], "revision": made["revision"]}
    headers = world.token("operator2")
    stale = client.post(f"/api/v1/segments/{made['id']}/approve", json=body | {"sha256": "0" * 64}, headers=headers)
    assert stale.status_code == 409, "bound to the hash"
    good = client.post(f"/api/v1/segments/{made['id']}/approve", json=body, headers=headers)
    assert good.status_code == 200
    refused = client.post(
        f"/api/v1/segments/{own['id']}/approve",
        json={"sha256": own["sha256"], "revision": own["revision"]},
        headers=headers,
    )
    assert refused.status_code == 403, "four eyes by person"
    assert world.signed_in("operator").get("/duyet").status_code == 403
    world.clock.advance(40 * 3600)
    assert world.signed_in("operator2").get("/duyet").status_code == 403


def test_only_who_answers_for_a_unit_names_its_deputies(world):
    """No operator, nobody of another commune, no deputy from elsewhere, no dates without an end."""
    own = {"person": world.people["operator2"].id, "since": "2026-11-23", "until": "2026-11-30"}
    assert world.post(world.signed_in("operator"), "/duyet-thay", own).status_code == 403
    stranger = world.signed_in("approver-longmai")
    assert world.post(stranger, "/duyet-thay", own | {"unit": "LONGHIEP"}).status_code == 422
    leader = world.signed_in("approver")
    for wrong in (
        {"person": world.people["operator-longmai"].id},
        {"person": world.people["approver"].id},
        {"person": world.people["inspector"].id},
        {"until": "2027-11-30"},
        {"until": "2026-11-20"},
        {"until": ""},
        {"unit": "LONGMAI"},
        {"leader": world.people["operator"].id},
    ):
        assert world.post(leader, "/duyet-thay", own | wrong).status_code == 422, wrong
    world.post(leader, "/duyet-thay", own)
    page = leader.get("/duyet-thay").text
    path = re.search(r'action="(/duyet-thay/[^"]+/bo)"', page).group(1)
    assert world.post(stranger, path).status_code == 404
    assert world.post(leader, path).status_code == 303
    assert world.signed_in("operator2").get("/duyet").status_code == 403


def test_an_account_is_changed_in_ones_own_units_only_and_takes_effect_at_once(world):
    """Role and unit change with their sessions; accounts of elsewhere do not exist; nobody changes their own role."""
    admin = world.signed_in("admin-minhlong")
    officer = world.signed_in("operator")
    path = f"/nguoi-dung/{world.people['operator'].id}"
    assert admin.get(path).status_code == 200
    form = {"full_name": "Hạnh", "role": "inspector", "unit": "LONGMAI"}
    assert world.post(admin, path, form).status_code == 303
    assert not inside(officer)
    with world.database.reading() as session:
        changed = accounts.find(session, world.people["operator"].id)
    assert (changed.role, changed.unit, changed.full_name) == (Role.INSPECTOR, "LONGMAI", "Hạnh")
    far = f"/nguoi-dung/{world.people['operator-bato'].id}"
    assert admin.get(far).status_code == 404
    for act in ("lien-ket", "khoa", "mo-lai", "tat-hai-buoc"):
        assert world.post(admin, f"{far}/{act}").status_code == 404, act
    assert world.post(admin, path, form | {"unit": "BATO"}).status_code == 422
    own = f"/nguoi-dung/{world.people['admin-minhlong'].id}"
    assert world.post(admin, own, form | {"unit": "MINHLONG"}).status_code == 422
    assert world.post(admin, f"{path}/khoa").status_code == 303
    assert world.post(admin, f"{path}/mo-lai").status_code == 303


def test_an_address_is_used_only_after_its_code_came_back(world):
    """A code goes to the address; five wrong ones, or half an hour, and another is needed."""
    client = world.signed_in("operator")
    assert world.post(client, "/thong-bao/dia-chi", {"kind": "mail", "address": "không phải"}).status_code == 422
    assert world.post(client, "/thong-bao/dia-chi", {"kind": "mail", "address": "a@x.vn"}).status_code == 303
    code = re.search(r"\d{8}", mails(world)[0].text).group(0)
    with world.database.reading() as session:
        (channel,) = channels.of_person(session, world.people["operator"].id)
    path = f"/thong-bao/dia-chi/{channel.id}"
    assert world.post(world.signed_in("operator2"), path, {"code": code}).status_code == 404
    for _ in range(5):
        assert world.post(client, path, {"code": "00000000"}).status_code == 422
    assert world.post(client, path, {"code": code}).status_code == 422
    assert world.post(client, f"{path}/bo").status_code == 303
    world.clock.advance(1)
    world.post(client, "/thong-bao/dia-chi", {"kind": "mail", "address": "a@x.vn"})
    code = re.search(r"\d{8}", mails(world)[0].text).group(0)
    with world.database.reading() as session:
        (channel,) = channels.of_person(session, world.people["operator"].id)
    assert (
        world.post(client, f"/thong-bao/dia-chi/{channel.id}", {"code": f" {code[:4]} {code[4:]}"}).status_code == 303
    )
    assert "đã xác nhận" in client.get("/thong-bao/dia-chi").text
    others = world.signed_in("centre-minhlong").get("/thong-bao/gui-di").text
    assert "a…@x.vn" in others
    assert "a@x.vn" not in others


def test_settings_of_all_are_decided_at_the_top_and_secrets_never_shown(world):
    """The topmost unit decides; a password once set is not shown, kept when left empty, and never in the trace."""
    below = world.signed_in("centre-minhlong")
    assert world.post(below, "/cai-dat", {"mail.server": "evil"}).status_code in {403, 422}
    write(
        world,
        lambda session: session.execute(
            update(tables.person).where(tables.person.c.name == "admin-minhlong").values(unit="QUANGNGAI")
        ),
    )
    top = world.signed_in("admin-minhlong")
    form = {
        "mail.server": "mail.longhiep.vn",
        "mail.port": "587",
        "mail.security": "starttls",
        "mail.password": "bí mật 123",
        "inbox.days": "30",
        "web.base_url": "https://loa.longhiep.vn",
    }
    assert world.post(top, "/cai-dat", form).status_code == 303
    page = top.get("/cai-dat").text
    assert "mail.longhiep.vn" in page
    assert "bí mật" not in page
    assert world.post(top, "/cai-dat", form | {"mail.password": ""}).status_code == 303
    with world.database.reading() as session:
        assert authority.value(session, authority.MAIL_PASSWORD) == "bí mật 123"
        assert not any("bí mật" in entry.detail for entry in audit.newest(session, limit=100))
    for wrong in ({"mail.port": "x"}, {"web.base_url": "javascript:x"}, {"mail.security": "rot13"}):
        assert world.post(top, "/cai-dat", form | wrong).status_code == 422, wrong
    assert world.post(top, "/cai-dat", form | {"mail.password.remove": "1"}).status_code == 303
    with world.database.reading() as session:
        assert authority.value(session, authority.MAIL_PASSWORD) == ""


def test_units_are_added_and_merged_with_dates(world):
    """A commune with its station is added below one's own, ends on a day and names who goes on; circles are refused."""
    admin = world.signed_in("admin-minhlong")
    form = {"code": "LONGSON", "name": "Long Sơn", "parent": "MINHLONG", "station": "1"}
    assert world.post(admin, "/don-vi/moi", form).status_code == 303
    assert "Đài Long Sơn" in admin.get("/don-vi").text
    assert world.post(admin, "/don-vi/moi", form).status_code == 422
    assert world.post(admin, "/don-vi/moi", form | {"code": "X Y"}).status_code == 422
    assert world.post(admin, "/don-vi/moi", form | {"code": "XA2", "parent": "BATO"}).status_code == 422
    ended = {"name": "Long Sơn", "parent": "MINHLONG", "valid_until": "2026-12-31", "successor": "LONGMAI"}
    assert world.post(admin, "/don-vi/LONGSON", ended).status_code == 303
    with world.database.reading() as session:
        row = session.execute(select(tables.unit).where(tables.unit.c.code == "LONGSON")).one()
    assert (row.valid_until.isoformat(), row.successor) == ("2026-12-31", "LONGMAI")
    assert admin.get("/don-vi/BATO").status_code == 404
    assert world.post(admin, "/don-vi/MINHLONG", {"name": "Minh Long", "parent": "LONGMAI"}).status_code == 303
    with world.database.reading() as session:
        top = session.execute(select(tables.unit).where(tables.unit.c.code == "MINHLONG")).one()
    assert top.parent == "QUANGNGAI", "the own unit stays where it is"


def test_phones_get_the_root_with_its_fingerprint_and_never_its_key(world):
    """Without a root of one's own there is nothing to install; with one: certificate, steps, QR, HSTS cookie rules."""
    client = world.client()
    assert "không phải cài gì" in client.get("/chung-chi").text
    assert client.get("/chung-chi/loa.crt").status_code == 404
    folder = world.data / "tls"
    made = certificates.make_root(folder, authority="Xã Long Hiệp", domains=(), now=world.clock.now())
    app = world.new_app(settings={"root": certificates.root_file(folder), "secure": True})
    phone = app.test_client()
    page = phone.get("/chung-chi", base_url="https://localhost")
    assert made.fingerprint in page.text
    assert "viewBox" in page.text
    assert page.headers["Strict-Transport-Security"].startswith("max-age=")
    assert app.config["SESSION_COOKIE_SECURE"]
    file = phone.get("/chung-chi/loa.crt")
    assert file.data == certificates.root_file(folder).read_bytes()
    assert b"PRIVATE" not in file.data
