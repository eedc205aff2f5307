"""Photos in forms: taken through the locked room, and shown to those who may see them."""

from __future__ import annotations

from flask import Response, send_file
from werkzeug.datastructures import FileStorage

from audio.picture import Picture, make_picture, pictures
from store.identity import new_id
from webui.arrival import keep
from webui.services import services

PHOTO_BYTES = 20 * 1024 * 1024


def photo_bytes() -> int:
    """Return how many bytes one photo in a form may have, for `bodies.takes`."""
    return PHOTO_BYTES


def taken(upload: FileStorage | None) -> Picture | None:
    """Return the photo of a form's field, drawn anew and kept; None where the field is empty.

    Raises IngestRefused with a sentence for the sender, SandboxUnavailable.
    """
    if upload is None or not upload.filename:
        return None
    here = services()
    scratch = here.data / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    arrived = scratch / f"photo-{new_id()}"
    keep(upload.stream, arrived)
    try:
        return make_picture(arrived, pictures=pictures(here.data), scratch=scratch)
    finally:
        arrived.unlink(missing_ok=True)


def shown(sha256: str) -> Response:
    """Return a kept photo; the caller has checked that this person may see it. Raises FileNotFoundError."""
    response = send_file(pictures(services().data).path(sha256), mimetype="image/jpeg", etag=sha256, max_age=0)
    response.headers["Cache-Control"] = "private, no-cache"
    return response
