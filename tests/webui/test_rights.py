"""The table of rights: complete, closed by default, and the same in every route."""

from __future__ import annotations

import pytest
from flask import Flask

from schedules.station import Station, Unit
from store.accounts import Person, Role
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


@pytest.mark.parametrize("name", PEOPLE)
def test_s1_the_matrix_holds_in_every_route(world, name):
    """S1: every route with every method: who lacks the permission is refused, before anything else is looked at."""
    client = world.client()
    headers = world.token(name) if name else {}
    role = world.people[name].role if name else None
    for rule in world.app.url_map.iter_rules():
        if not rule.rule.startswith("/api/") or rule.endpoint.startswith("openapi"):
            continue
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<{argument}>", "LONGHIEP" if argument == "code" else "khongco")
        needed = auth.access(world.app, rule.endpoint)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            body = None if method in {"GET", "DELETE"} else {}
            status = client.open(path, method=method, headers=headers, json=body).status_code
            if needed == "public":
                assert status == 200
            elif role is None:
                assert status == 401, (method, path)
            elif needed != "signed in" and not rights.permits(role, needed):
                assert status == 403, (method, path)
            else:
                assert status not in {401, 403, 405, 500}, (method, path, status)


@pytest.mark.parametrize("name", PEOPLE[1:])
def test_s1_pages_keep_to_the_matrix(world, name):
    """S1: pages that a role may not see are refused in words, the others open or are not found."""
    client = world.signed_in(name)
    role = world.people[name].role
    for rule in world.app.url_map.iter_rules():
        if not rule.endpoint.startswith("pages.") or "GET" not in (rule.methods or set()):
            continue
        needed = auth.access(world.app, rule.endpoint)
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<{argument}>", "LONGHIEP" if argument == "code" else "khongco")
        status = client.get(path).status_code
        if needed in rights.MATRIX and not rights.permits(role, needed):
            assert status == 403, path
        else:
            assert status in {200, 302, 303, 404}, (path, status)


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
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<{argument}>", "LONGHIEP")
        # Behind a link its secret is looked at first: nothing is read for a link that is not known.
        expected = 404 if rule.endpoint in {"pages.contribute", "pages.report_broken"} else 400
        assert client.post(path, data={"dai": "LONGHIEP"}).status_code == expected, path
        checked += 1
    assert checked >= 25
