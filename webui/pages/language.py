"""Which language a page speaks: the reader's choice in the address or a cookie, else Vietnamese."""

from __future__ import annotations

from flask import Flask, Response, after_this_request, request
from flask_babel import Babel
from werkzeug.utils import cached_property

from schedules.text import Text
from webui.pages.formats import language
from webui.translations import Catalogues

COOKIE = "lang"
LANGUAGES = ("vi", "en")
_YEAR_S = 365 * 24 * 3600


class _Speech(Babel):
    """Flask-Babel with our catalogue in the place of compiled files."""

    @cached_property
    def domain_instance(self) -> Catalogues:
        """The message domain of the pages."""
        return Catalogues(domain="pages")  # type: ignore[no-untyped-call]


def chosen() -> str:
    """Return the language that this reader asked for; a language in the address is remembered in a cookie."""
    asked = request.args.get("lang", "")
    if asked in LANGUAGES:

        @after_this_request
        def remember(response: Response) -> Response:
            response.set_cookie(COOKIE, asked, max_age=_YEAR_S, samesite="Lax", httponly=True, secure=request.is_secure)
            return response

        return asked
    kept = request.cookies.get(COOKIE, "")
    return kept if kept in LANGUAGES else "vi"


def say(text: Text | None) -> str:
    """Return a bilingual sentence in the language of this page; nothing for None."""
    return "" if text is None else text.in_language(language())


def register(app: Flask) -> None:
    """Teach the app's templates to speak."""
    _Speech(app, default_locale="vi", locale_selector=chosen)  # type: ignore[no-untyped-call]
    app.jinja_env.filters["say"] = say
