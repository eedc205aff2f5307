"""The table of rights: complete, closed by default, and the same in every route."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from schedules.station import Station, Unit
from store import accounts, segments
from store.accounts import Person, Role
from store.segments import Card
from webui import auth, rights
from webui.visitor import visitor

PEOPLE = ("", "operator", "approver", "centre-minhlong", "inspector", "admin-minhlong")


def test_every_route_says_for_whom_it_is(world):
    """S1: no route of API or pages is without an entry, and every entry is a permission of the table."""
    for rule in world.app.url_map.iter_rules():
        needed = auth.access(world.app, rule.endpoint)
        assert needed is not None, rule.endpoint
        assert needed in {"public", "signed in", *rights.MATRIX}, rule.endpoint


def test_a_view_that_does_not_say_stops_the_start():
    """S1: an app with a forgotten mark is not started."""
    app = Flask("x")
    app.add_url_rule("/forgotten", "forgotten", lambda: "x")
    with pytest.raises(RuntimeError, match="forgotten"):
        auth.check_routes(app)


def test_a_permission_that_does_not_exist_cannot_be_asked_for():
    """A typing error in a mark is found when the module is read, not when somebody gets in."""
    with pytest.raises(KeyError):
        auth.allowed("segments.aprove")


PUBLIC = {
    "pages.log_in",
    "pages.log_in_code",
    "pages.forgotten",
    "pages.trust",
    "pages.root_certificate",
    "pages.log_out",
    "pages.invitation",
    # Behind a secret link, or public on purpose: limits of number and size are tested in test_pages_public.py.
    "pages.contribute",
    "pages.report_broken",
    "pages.listen_again",
    "pages.listen_framed",
    "pages.podcast",
    "pages.programme_calendar",
    "pages.public_item",
    "pages.public_waveform",
    "pages.public_file",
    "health.health",
    "openapi.spec",
    "uploads.abilities",
    "uploads.abilities_of_one",
    "static",
    "assets.asset",
}


def test_only_these_routes_are_open_to_strangers(world):
    """S50: what needs no sign-in is a short list that somebody has to change on purpose."""
    found = {
        rule.endpoint for rule in world.app.url_map.iter_rules() if auth.access(world.app, rule.endpoint) == "public"
    }
    assert found == PUBLIC & found


# What stands for each argument of a path, by commune; an argument that is not here has only names that nothing has.
# A route with a new argument fails until somebody says here what its foreign commune is, or that its own tests try it.
KNOWN = ("code", "dai", "segment", "person_id")
TRIED_ELSEWHERE = frozenset(
    {
        "assignment",
        "channel",
        "complaint",
        "contribution",
        "day",
        "deputy",
        "device",
        "dispatch",
        "feed",
        "filename",
        "form",
        "guide",
        "inspection",
        "item",
        "key",
        "khoa",
        "link",
        "mailing",
        "name",
        "notice",
        "one_off",
        "order",
        "order_id",
        "output",
        "publication",
        "rate",
        "report",
        "round",
        "run",
        "scan",
        "script",
        "sha256",
        "slot",
        "step",
        "talk",
        "template",
        "ticket",
        "token",
        "upload",
        "week",
    }
)
# Reached by a bearer token, for which there is nothing to sign in to or to keep.
OVER = frozenset({"pages.log_in", "pages.log_out", "pages.log_in_code", "pages.end_sign_ins"})
# Whatever it names, the reader is led back with a sentence: what is elsewhere looks like what is not.
LEADS_BACK = frozenset({"pages.undo_decision"})
OWN, FOREIGN, SISTER = "LONGHIEP", "BADINH", "LONGMAI"
REACHES = {"LONGHIEP": {"LONGHIEP"}, "MINHLONG": {"LONGHIEP", "LONGMAI"}}
SECRET = "Chuyện riêng của Ba Dinh"


@pytest.fixture
def communes(world):
    """In every commune a recording that is ready, with a title that nobody elsewhere may read."""
    found = {}
    with world.database.writing() as session:
        for unit, person in ((OWN, "operator2"), (SISTER, "operator-longmai"), (FOREIGN, "operator-badinh")):
            who = world.people.get(person) or accounts.create(
                session, name=person, role=Role.OPERATOR, unit=unit, full_name=SECRET, now=world.clock.now()
            )
            card = Card(owner=unit, station=unit, programme="CDS", title=SECRET if unit == FOREIGN else "Tin của xã")
            made = segments.receive(
                session,
                segment=f"seg-{unit.lower()}",
                card=card,
                uploader=who,
                file_name="a.mp3",
                now=world.clock.now(),
                most_drafts=50,
            )
            found[unit] = {"code": unit, "dai": unit, "segment": made.id, "person_id": who.id}
    return found


def paths(rule, communes):
    """Return the paths of a route: one in each commune, or one where it names nothing of a commune."""
    named = [argument for argument in rule.arguments if argument in KNOWN]
    found = {}
    for unit, values in communes.items() if named else ((OWN, communes[OWN]),):
        path = rule.rule
        for argument in rule.arguments:
            value = values.get(argument, "1" if argument in {"notice", "step"} else "khongco")
            path = re.sub(rf"<(?:[a-z]+:)?{argument}>", value, path)
        found[unit] = path
    return found


def routes(world):
    """Return every route of pages and API that is for people."""
    return [
        rule
        for rule in world.app.url_map.iter_rules()
        if auth.access(world.app, rule.endpoint) != "public" and rule.endpoint not in OVER
    ]


def test_s1_every_argument_of_a_path_is_thought_of(world):
    """S1: a route that names something new fails here until somebody says whose it is."""
    asked = {argument for rule in routes(world) for argument in rule.arguments}
    assert asked <= TRIED_ELSEWHERE | set(KNOWN), sorted(asked - TRIED_ELSEWHERE - set(KNOWN))


@pytest.mark.parametrize("name", PEOPLE)
def test_s1_the_matrix_holds_in_every_route(world, communes, name):
    """S1, S2: every route and method, for each role, in one's own, a sister's and a foreign commune.

    Who lacks the permission is refused before anything is looked at; what is elsewhere does not exist.
    """
    browser = world.signed_in(name) if name else world.client()
    program = world.client()
    headers = world.token(name) if name else {}
    if not name:
        browser.get("/dang-nhap")
    csrf = world.csrf(browser)
    role = world.people[name].role if name else None
    mine = REACHES[world.people[name].unit] if name else set()
    seen = 0
    wrong = []
    for rule in routes(world):
        needed = auth.access(world.app, rule.endpoint)
        api = rule.rule.startswith("/api/")
        may = role is not None and (needed == "signed in" or rights.permits(role, needed))
        where = paths(rule, communes)
        for unit, path in where.items() if may else [(OWN, where[OWN])]:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                if api:
                    body = None if method in {"GET", "DELETE"} else {}
                    answer = program.open(path, method=method, headers=headers, json=body)
                else:
                    form = {"csrf_token": csrf} if method == "POST" else None
                    answer = browser.open(path, method=method, data=form)
                seen += 1
                about = {
                    "role": role,
                    "api": api,
                    "may": may,
                    "here": unit in mine,
                    "one": len(where) == 1 or rule.endpoint in LEADS_BACK,
                }
                if not _right(answer.status_code, method, **about):
                    wrong.append(f"{method} {path}: {answer.status_code}")
                shown = method == "GET" and answer.mimetype in {"text/html", "application/json"}
                if shown and FOREIGN not in mine and SECRET in answer.text:
                    wrong.append(f"{path} tells what is elsewhere")
    assert wrong == []
    assert seen > 200


def _right(status, method, *, role, api, may, here, one):
    """Return whether an answer is one that the matrix allows. one: the path names nothing of a commune."""
    if status >= 500 or status == 405:
        return False
    if role is None:
        return status == (401 if api else 302)
    if not may:
        return status == 403
    if not one and not here:
        # A form that is looked at before what it is about may say 400 or 422: it changes nothing either.
        return status in ({404, 403} if method == "GET" else {404, 403, 400, 415, 422})
    return status != 401 and (method != "GET" or status != 403)


def test_s7_an_inspector_changes_nothing(world):
    """S7: no permission of an inspector changes anything but the own account."""
    held = {name for name, roles in rights.MATRIX.items() if Role.INSPECTOR in roles}
    assert all(name.split(".")[1] in {"read", "listen", "own"} for name in held)


def test_an_administrator_does_not_approve(world):
    """Whoever hands out accounts does not decide what goes on air; whoever approves hands out none."""
    assert not rights.permits(Role.ADMIN, "segments.approve")
    for role in (Role.OPERATOR, Role.APPROVER, Role.CENTRE, Role.INSPECTOR):
        assert not rights.permits(role, "accounts.manage")


def test_reach_goes_down_and_never_sideways():
    """A person acts for their unit and all below it, not for the unit above or beside."""
    units = (
        Unit(code="TOP", name="t"),
        Unit(code="MID", name="m", parent="TOP"),
        Unit(code="LOW", name="l", parent="MID"),
        Unit(code="SIDE", name="s", parent="TOP"),
    )
    person = Person(id="p", name="p", full_name="P", role=Role.CENTRE, unit="MID")
    here = visitor(person, units, key="k")
    low = Station(code="S", name="s", unit="LOW")
    assert rights.can(here, "stations.stop", low)
    assert rights.can(here, "stations.stop", units[1])
    assert not rights.can(here, "stations.stop", "TOP")
    assert not rights.can(here, "stations.stop", "SIDE")
    assert not rights.can(person, "stations.stop", low), "without the tree, only the own unit"
    assert not rights.can(here, "accounts.manage", low)


def test_refusals_are_noted(world, client):
    """Whoever tries what they may not leaves a row in the security log."""
    from store import audit

    client.post("/api/v1/stations/LONGHIEP/stop", json={"reason": "x"}, headers=world.token("inspector"))
    with world.database.reading() as session:
        entry = audit.newest(session)[0]
    assert (entry.what, entry.name, entry.outcome) == ("refused", "inspector", "refused")
    assert entry.subject == "POST /api/v1/stations/LONGHIEP/stop"


def test_no_form_is_taken_without_its_token(world):
    """S20: whatever a page posts, a foreign page cannot: without the session's own token nothing is done."""
    client = world.signed_in("admin-minhlong")
    checked = 0
    for rule in world.app.url_map.iter_rules():
        if not rule.endpoint.startswith("pages.") or "POST" not in (rule.methods or set()):
            continue
        needed = auth.access(world.app, rule.endpoint)
        if needed in rights.MATRIX and not rights.permits(Role.ADMIN, needed):
            continue
        path = re.sub(r"<[^>]+>", "LONGHIEP", re.sub(r"<int:[^>]+>", "1", rule.rule))
        # Behind a link its secret is looked at first: nothing is read for a link that is not known.
        expected = 404 if rule.endpoint in {"pages.contribute", "pages.report_broken"} else 400
        assert client.post(path, data={"dai": "LONGHIEP"}).status_code == expected, path
        checked += 1
    assert checked >= 25
