"""Trợ giúp: how each task is done, those of the reader's role first."""

from __future__ import annotations

from flask import Blueprint, current_app
from werkzeug.wrappers import Response as AnyResponse

from webui.auth import access, allowed
from webui.pages.guide import TASKS
from webui.pages.layout import page
from webui.pages.scope import scope
from webui.rights import MATRIX, can


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/tro-giup", "help", show)


@allowed("account.own")
def show() -> AnyResponse:
    """Show the help."""
    person = scope().person
    mine = [task for task in TASKS if person.role.value in task.roles]
    others = [task for task in TASKS if task not in mine]
    # A way that ends at "you may not" is no help.
    asked = {task.endpoint: access(current_app, task.endpoint) for task in TASKS}
    opens = {
        endpoint for endpoint, right in asked.items() if right is None or right not in MATRIX or can(person, right)
    }
    return page("help.html", active="help", mine=mine, others=others, opens=opens)
