"""Thêm: everything that has no place in the bar."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from webui.auth import allowed
from webui.pages.layout import page
from webui.pages.navigation import menu
from webui.pages.scope import scope
from webui.rights import can
from webui.services import services


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/them", "more", more)


@allowed("account.own")
def more() -> AnyResponse:
    """List every page of the reader's role."""
    mine = scope()
    its = menu(mine.person.role.value, deputy=can(mine.person, "segments.approve"))
    entries = [*its.rest, *(entry for group in its.groups for entry in group.entries), *its.foot]
    return page(
        "more.html",
        active="more",
        entries=entries,
        scope=mine,
        version=services().version,
        may_name=can(mine.person, "deputies.edit"),
        may_log=can(mine.person, "audit.read"),
    )
