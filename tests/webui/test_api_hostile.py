"""What strangers and the signed-in may send: injected text, nested documents, wrong kinds, wrong methods."""

from __future__ import annotations

import time

import pytest

from store import accounts

INJECTIONS = [
    "' OR '1'='1", "'; DROP TABLE segment; --", '" OR ""="', "1; SELECT 1", "%' OR '%'='", "_", "%", "\\", "\x00",
    "{{7*7}}", "${jndi:ldap://127.0.0.1/a}", "%n%s%x", "../../../etc/passwd", "<script>alert(1)</script>", "NaN", "-1",
    "' UNION SELECT password_hash FROM person --", "0x31", "1e309", "9" * 400, "a" * 5000, "\r\nX-Injected: 1", "😀",
]  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS)
def test_s36_s37_text_in_parameters_stays_text(world, client, text):
    """S36, S37: injected SQL, templates and formats in any parameter give an ordinary answer and change nothing."""
    headers = world.token("operator")
    with world.database.reading() as session:
        before = len(accounts.every(session))
    for path, names in (
        ("/api/v1/segments", ("state", "station", "programme", "before", "limit")),
        ("/api/v1/stations/LONGHIEP/airlog", ("verdict", "programme", "from", "to", "after", "limit")),
        ("/api/v1/stations/LONGHIEP/plan", ("from", "to")),
        ("/api/v1/duties", ("period",)),
    ):
        for name in names:
            answer = client.get(path, query_string={name: text}, headers=headers)
            assert answer.status_code in {200, 400, 404, 422}, (path, name, answer.status_code)
            assert "X-Injected" not in answer.headers
            if answer.status_code == 200:
                assert answer.json == [] or name == "limit", (path, name)
    order = {"segment": text, "start": "2026-11-23T10:01:00Z"}
    assert client.post("/api/v1/stations/LONGHIEP/airings", json=order, headers=headers).status_code in {400, 404}
    with world.database.reading() as session:
        assert len(accounts.every(session)) == before


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "{{7*7}}", "=1+1", "a\u202eb", "Tiếng Việt có dấu"])
def test_s34_text_comes_back_as_it_was_sent(world, client, text):
    """S34: titles are kept as text and answered as JSON, which no browser reads as a page."""
    answer = world.upload(client, "operator", title=text)
    document = client.get(f"/api/v1/segments/{answer.json['id']}", headers=world.token("operator"))
    assert document.json["title"] == text
    assert document.mimetype == "application/json"
    assert document.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "body",
    [
        "[" * 10_000,
        '{"reason":' * 10_000,
        "",
        "null",
        "[]",
        '"x"',
        "{",
        '{"reason": {"a": 1}}',
        "\x00",
        '{"reason": "\\ud83d"}',
    ],
)
def test_s48_broken_and_nested_documents_are_refused_at_once(world, client, body):
    """S48: ten thousand nested brackets and broken JSON are 400 within a moment."""
    begun = time.perf_counter()
    answer = client.post(
        "/api/v1/stations/LONGHIEP/stop",
        data=body,
        headers=world.token("operator") | {"Content-Type": "application/json"},
    )
    assert answer.status_code == 400
    assert time.perf_counter() - begun < 2
    assert world.doors["LONGHIEP"].stops == []


def test_s46_methods_cannot_be_overridden(world, client):
    """S46: a header or field that names another method does not make one."""
    headers = world.token("operator") | {"X-HTTP-Method-Override": "POST"}
    assert client.get("/api/v1/stations/LONGHIEP/stop", headers=headers).status_code == 405
    assert client.get("/api/v1/stations/LONGHIEP/stop?_method=POST", headers=headers).status_code == 405
    assert world.doors["LONGHIEP"].stops == []


def test_s50_nothing_of_the_machinery_is_served(world, client):
    """S50: no backup, repository, database, console or metrics lies in the open."""
    for path in (
        "/.git/config", "/loa.db", "/data/loa.db", "/secret", "/metrics", "/console", "/debug", "/api/v1/metrics",
        "/static/../app.py", "/static/%2e%2e/app.py", "/config.yaml", "/docs", "/redoc", "/swagger",
    ):  # fmt: skip
        assert client.get(path).status_code in {302, 404}, path


def test_control_characters_do_not_reach_titles_and_reasons(world, client):
    """S39: line breaks and NUL in a title or reason become spaces before anything keeps them."""
    answer = world.upload(client, "operator", title="Tin\x00 thôn\x1b[31m 1")
    document = client.get(f"/api/v1/segments/{answer.json['id']}", headers=world.token("operator")).json
    assert document["title"] == "Tin thôn [31m 1"
    client.post("/api/v1/stations/LONGHIEP/stop", json={"reason": "a\r\nb\x00c"}, headers=world.token("operator"))
    assert world.doors["LONGHIEP"].stops == [("Người operator", "a b c")]


def test_half_a_letter_is_refused(world, client):
    """S48: a lone surrogate, which no database takes, is 400 or becomes a space."""
    headers = world.token("operator") | {"Content-Type": "application/json"}
    order = '{"segment": "\\ud83d", "start": "2026-11-23T10:01:00Z"}'
    assert client.post("/api/v1/stations/LONGHIEP/airings", data=order, headers=headers).status_code == 400
    stop = client.post("/api/v1/stations/LONGHIEP/stop", data='{"reason": "\\ud83d"}', headers=headers)
    assert stop.status_code == 400


@pytest.mark.parametrize(
    "moment",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z", "1795458395", 1795458395],
)
def test_moments_that_cannot_be_reckoned_are_refused(world, client, moment):
    """The ends of the calendar, and numbers that only look like a time, are not understood; nothing breaks."""
    headers = world.token("operator")
    order = {"segment": "x", "start": moment}
    answers = [client.post("/api/v1/stations/LONGHIEP/airings", json=order, headers=headers)]
    for name in ("from", "to"):
        for path in ("plan", "plan/findings", "airlog", "airlog.csv"):
            question = {name: moment}
            answers.append(client.get(f"/api/v1/stations/LONGHIEP/{path}", query_string=question, headers=headers))
    assert {400} == {answer.status_code for answer in answers}


@pytest.mark.parametrize("period", ["0001", "0001-W01", "0001-01", "9999", "9999-W52", "9999-12"])
def test_periods_that_cannot_be_reckoned_are_refused(world, client, period):
    """A year at the end of the calendar is no period of anybody's duty."""
    answer = client.get("/api/v1/duties", query_string={"period": period}, headers=world.token("operator"))
    assert 422 == answer.status_code


def test_numbers_no_database_holds_are_refused(world, client):
    """A revision of thirty digits is not understood."""
    segment = world.upload(client, "operator").json["id"]
    change = {"revision": 10**30, "title": "x"}
    assert 400 == client.patch(f"/api/v1/segments/{segment}", json=change, headers=world.token("operator")).status_code
