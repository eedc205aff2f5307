"""The help: every task leads to a page that is there, in both languages, and "?" has something to say."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from webui.pages.guide import EVERYBODY, TASKS
from webui.pages.hints import HINTS


@pytest.mark.parametrize("name", ["operator", "approver", "centre-minhlong", "inspector", "admin-minhlong"])
def test_the_help_begins_with_the_readers_own_tasks(world, name):
    """Whoever opens it finds their own tasks first, each with a way to where it is done."""
    client = world.signed_in(name)
    role = world.people[name].role.value
    text = client.get("/tro-giup").text
    mine = [task for task in TASKS if role in task.roles]
    others = [task for task in TASKS if role not in task.roles]

    assert mine
    assert all(f'id="{task.key}"' in text for task in TASKS)
    for first, second in zip(mine, others, strict=False):
        assert text.index(f'<section class="card" id="{first.key}"') < text.index(
            f'<section class="card" id="{second.key}"'
        )


@pytest.mark.parametrize("name", ["operator", "inspector", "admin-minhlong"])
def test_no_way_of_the_help_ends_at_a_refusal(world, name):
    """Tasks of others are told too, but only what the reader may open is a link."""
    client = world.signed_in(name)

    ways = re.findall(r'<a class="btn sml" href="([^"]+)"', client.get("/tro-giup").text)

    assert ways
    assert {way: client.get(way).status_code for way in ways if client.get(way).status_code >= 400} == {}


def test_a_refusal_says_once_that_nothing_was_changed(world):
    """What happened, what is safe and what to do: three sentences, none of them twice."""
    refused = world.signed_in("inspector").get("/bai/moi")

    assert refused.status_code == 403
    assert refused.text.partition("<main")[2].count("Chưa có gì thay đổi.") == 1
    assert "Các đài vẫn phát theo lịch." in refused.text


def test_tasks_and_hints_name_pages_that_exist(world):
    """A page that is renamed takes its help along: otherwise this fails."""
    known = set(world.app.view_functions)

    assert {task.endpoint for task in TASKS} <= known
    assert set(HINTS) <= known
    assert all(set(task.roles) <= set(EVERYBODY) for task in TASKS)
    assert len({task.key for task in TASKS}) == len(TASKS)


def test_a_page_with_hints_offers_them_and_without_a_script_leads_to_the_help(world):
    """The same "?" is a link where no script runs."""
    text = world.signed_in("operator").get("/?dai=LONGHIEP").text

    assert 'href="/tro-giup" data-hints' in text
    assert text.count("data-at=") == len(HINTS["pages.today"])


def test_the_guide_in_the_docs_says_what_the_help_says():
    """docs/huong-dan.md is written from the same words: after a change, `make guide` brings it up to date."""
    given = importlib.util.spec_from_file_location("guide", Path(__file__).parents[2] / "tools" / "guide.py")
    tool = importlib.util.module_from_spec(given)
    given.loader.exec_module(tool)

    assert tool.GUIDE.read_text("utf-8") == tool.text()
