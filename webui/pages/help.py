"""Trợ giúp: how each task is done, those of the reader's role first."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from webui.auth import allowed
from webui.pages.guide import TASKS
from webui.pages.layout import page
from webui.pages.scope import scope


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/tro-giup", "help", show)


@allowed("account.own")
def show() -> AnyResponse:
    """Show the help."""
    role = scope().person.role.value
    mine = [task for task in TASKS if role in task.roles]
    return page("help.html", active="help", mine=mine, others=[task for task in TASKS if task not in mine])
