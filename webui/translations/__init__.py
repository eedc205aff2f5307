"""The English catalogue of the pages, compiled in memory: its keys are the Vietnamese sentences, no build step."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask_babel import Domain, get_locale

HERE = Path(__file__).parent
WEBUI = HERE.parent

_METHODS = [("pages/**.py", "python"), ("templates/**.html", "jinja2")]
_OPTIONS = {"templates/**.html": {"extensions": "jinja2.ext.i18n", "silent": "false"}}
_KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "ngettext": (1, 2)}


class Catalogues(Domain):
    """Flask-Babel's message domain, fed from `en.po` instead of compiled files on disk."""

    def get_translations(self) -> NullTranslations:
        """Return the English catalogue for English pages; Vietnamese needs none, the keys are Vietnamese."""
        locale = get_locale()
        if locale is not None and locale.language == "en":
            return english()
        return NullTranslations()


@cache
def english() -> Translations:
    """Return the compiled English catalogue."""
    compiled = BytesIO()
    write_mo(compiled, read_english())
    compiled.seek(0)
    return Translations(compiled)


def read_english() -> Catalog:
    """Return the English catalogue as it stands in `en.po`."""
    with (HERE / "en.po").open("rb") as source:
        return read_po(source, locale="en")


def sentences() -> Iterator[tuple[str, int, str | tuple[str, ...]]]:
    """Yield every translatable sentence of pages and templates: file, line, sentence (or singular and plural)."""
    for name, line, sentence, _comments, _context in extract_from_dir(
        WEBUI, _METHODS, _OPTIONS, keywords=_KEYWORDS, comment_tags=()
    ):
        yield name, line, sentence
