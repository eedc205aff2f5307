"""Built assets by their logical name: hashed files, immutable, compressed once at build time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from flask import Blueprint, Response, abort, request, send_from_directory, url_for

DIST = Path(__file__).parent.parent / "static" / "dist"
_YEAR_S = 365 * 24 * 3600
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """What the build made. `names` maps a logical name such as `app.js` to its file."""

    folder: Path
    names: dict[str, str]

    @classmethod
    def load(cls, folder: Path = DIST) -> Self:
        """Read the manifest; without one the pages come plain, and `missing` says so."""
        manifest = folder / "manifest.json"
        names = json.loads(manifest.read_text("utf-8")) if manifest.is_file() else {}
        return cls(folder=folder, names=names)

    @property
    def missing(self) -> bool:
        """Whether the assets were not built."""
        return not self.names

    def url(self, name: str) -> str:
        """Return the address of a built file, or an empty string where the build did not make it."""
        file = self.names.get(name)
        return url_for("assets.asset", name=file) if file else ""


def blueprint(assets: Assets) -> Blueprint:
    """Return the route that serves built files to anyone: they hold nothing private."""
    routes = Blueprint("assets", __name__)

    @routes.get("/static/dist/<name>")
    def asset(name: str) -> Response:
        kind = _TYPES.get(Path(name).suffix)
        if kind is None:
            abort(404)
        packed = request.accept_encodings.quality("gzip") > 0 and (assets.folder / f"{name}.gz").is_file()
        response = send_from_directory(assets.folder, f"{name}.gz" if packed else name, mimetype=kind, max_age=_YEAR_S)
        response.content_type = kind
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
        return response

    return routes
