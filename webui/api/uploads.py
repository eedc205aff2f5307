"""Recordings over a bad link: the tus protocol 1.0, so that what has arrived never has to be sent again."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, cast

from apiflask import APIBlueprint
from flask import Flask, Response, request
from pydantic import ValidationError
from werkzeug.datastructures import Headers
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.http import http_date

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.text import Text
from store.segments import Card
from store.uploads import Upload, UploadState
from webui import uploading
from webui.api.documents import Claim, Received
from webui.api.documents import Upload as CardFields
from webui.api.recordings import card_of
from webui.auth import allowed, current_person, public
from webui.problems import problem
from webui.services import services
from webui.uploading import ALGORITHMS, Checksum

PATH = "/api/v1/uploads"
VERSION = "1.0.0"
EXTENSIONS = ("creation", "creation-with-upload", "expiration", "checksum", "termination")
PARTS = "application/offset+octet-stream"

_LONGEST_SAID = 8000
_NUMBER = re.compile(r"\d{1,15}")
_KEY = re.compile(r"[!-+\--~]+")

bp = APIBlueprint("uploads", __name__, tag="uploads")


class Wrong(Refused):
    """The request is not what the protocol knows."""


_STATUS: tuple[tuple[type[Refused], int], ...] = (
    (Wrong, 400),
    (uploading.UploadGone, 410),
    (uploading.TooLong, 413),
    (uploading.UploadBusy, 423),
    (uploading.ChecksumDiffers, 460),
    (uploading.DiskFull, 507),
)


@bp.record_once
def _register(state: Any) -> None:  # noqa: ANN401 - Flask's own setup state
    app = cast(Flask, state.app)
    state.app.after_request(_sign)
    for kind, status in _STATUS:
        app.register_error_handler(kind, _answer(status))


@bp.before_request
def _speak_the_same() -> Response | None:
    if "X-HTTP-Method-Override" in request.headers:
        # A proxy would let one method through and this server would do another.
        raise Wrong(_wrong("method_override", "Máy không nhận đổi cách gọi.", "Methods are not overridden here."))
    if request.method == "OPTIONS" or request.endpoint == "uploads.claim":
        return None
    if request.headers.get("Tus-Resumable") != VERSION:
        finding = _wrong(
            "tus_version", f"Máy chỉ dùng tus {VERSION}. Chưa nhận gì.", f"Only tus {VERSION} is spoken here."
        )
        return problem(412, (finding,), {"Tus-Version": VERSION})
    return None


@bp.route("/uploads", methods=["OPTIONS"], provide_automatic_options=False, endpoint="abilities")
@bp.route("/uploads/<upload>", methods=["OPTIONS"], provide_automatic_options=False, endpoint="abilities_of_one")
@bp.doc(hide=True)
@public
def abilities(upload: str = "") -> Response:
    """Say what is spoken here; there is nothing secret in it."""
    response = Response(status=204)
    response.headers["Tus-Version"] = VERSION
    response.headers["Tus-Extension"] = ",".join(EXTENSIONS)
    response.headers["Tus-Max-Size"] = str(services().settings.max_upload_bytes)
    response.headers["Tus-Checksum-Algorithm"] = ",".join(ALGORITHMS)
    return response


@bp.route("/uploads", methods=["POST"], provide_automatic_options=False)
@bp.doc(summary="Announce a recording that is sent in parts (tus 1.0)", responses={201: "Location leads to it"})
@allowed("segments.create")
def create() -> Response:
    """Expect a file, and take the first part where it came along."""
    if "Upload-Defer-Length" in request.headers:
        raise Wrong(
            _wrong(
                "length_deferred",
                "Cần biết trước độ dài tệp (Upload-Length). Chưa nhận gì.",
                "The length has to be known before (Upload-Length); it cannot be deferred.",
            )
        )
    if "Upload-Concat" in request.headers:
        raise Wrong(_wrong("concatenation", "Máy không ghép nhiều lần gửi.", "Uploads are not joined here."))
    length = _number("Upload-Length")
    said = request.headers.get("Upload-Metadata", "")
    told = _told(said)
    parts = bool(request.content_length) or "Transfer-Encoding" in request.headers
    checksum = _checksum()
    if parts:
        _parts_only()
        if (request.content_length or 0) > length:
            raise uploading.TooLong(uploading.too_long(length))
    person = current_person()
    found = uploading.begin(
        length=length,
        name=told.get("filename") or told.get("name") or "",
        said=said,
        card=_card(told),
        person=person,
    )
    location = {"Location": f"{PATH}/{found.id}"}
    if not parts or length == 0:
        return _state(found, 201, location)
    try:
        found = uploading.append(
            found.id,
            offset=0,
            stream=request.stream,
            announced=request.content_length,
            checksum=checksum,
            person=person,
        )
    except Refused:
        # The sender never learned its address.
        uploading.end(found.id, person=person)
        raise
    return _state(found, 201, location)


@bp.route("/uploads/<upload>", methods=["HEAD"], provide_automatic_options=False)
@bp.doc(hide=True)
@allowed("segments.create")
def state(upload: str) -> Response:
    """Say how much is safe."""
    found = uploading.one(upload, person=current_person())
    response = _state(found, 200, {"Upload-Length": str(found.length)})
    if found.said:
        response.headers["Upload-Metadata"] = found.said
    return response


@bp.route("/uploads/<upload>", methods=["PATCH"], provide_automatic_options=False)
@bp.doc(summary="Send the next part (tus 1.0)", responses={204: "Upload-Offset says how much is safe"})
@allowed("segments.create")
def send(upload: str) -> Response:
    """Take the next part; the last one makes the recording."""
    person = current_person()
    uploading.one(upload, person=person)
    _parts_only()
    found = uploading.append(
        upload,
        offset=_number("Upload-Offset"),
        stream=request.stream,
        announced=request.content_length,
        checksum=_checksum(),
        person=person,
    )
    return _state(found, 204)


@bp.route("/uploads/<upload>", methods=["DELETE"], provide_automatic_options=False)
@bp.doc(summary="Give an upload up (tus 1.0)", responses={204: "Its bytes are gone"})
@allowed("segments.create")
def end(upload: str) -> Response:
    """Give it up; a recording that was made of it stays."""
    uploading.end(upload, person=current_person())
    return Response(status=204)


@bp.post("/uploads/<upload>/segment")
@bp.input(Claim, arg_name="card")
@bp.output(Received, status_code=202)
@bp.doc(summary="Make a recording of a whole upload that was sent without a card")
@allowed("segments.create")
def claim(upload: str, card: Claim) -> Any:  # noqa: ANN401 - APIFlask's pairs of document and headers
    """Make it a recording."""
    fields = CardFields.model_validate(card.model_dump(exclude={"topics"}))
    record = uploading.claim(upload, card=card_of(fields, card.topics), person=current_person())
    return Received(id=record.id, state=record.state), 202, {"Location": f"/api/v1/segments/{record.id}"}


def _state(found: Upload, status: int, more: dict[str, str] | None = None) -> Response:
    response = Response(status=status)
    headers: Headers = response.headers
    headers["Upload-Offset"] = str(found.offset)
    headers["Cache-Control"] = "no-store"
    if found.state in (UploadState.ARRIVING, UploadState.WHOLE):
        headers["Upload-Expires"] = http_date(found.expires_at)
    if found.segment is not None:
        headers["Loa-Segment"] = found.segment
    headers.update(more or {})
    return response


def _sign(response: Response) -> Response:
    if request.path == PATH or request.path.startswith(f"{PATH}/"):
        response.headers["Tus-Resumable"] = VERSION
        if request.method == "HEAD":
            response.headers["Cache-Control"] = "no-store"
        if response.status_code == 460:
            response.status = "460 Checksum Mismatch"
    return response


def _answer(status: int) -> Any:  # noqa: ANN401 - Flask's type of handlers
    def answer(error: Refused) -> Response:
        return problem(status, error.findings)

    return answer


def _number(name: str) -> int:
    text = request.headers.get(name, "")
    if not _NUMBER.fullmatch(text):
        raise Wrong(_wrong("header_wrong", f"Thiếu hoặc sai {name}. Chưa nhận gì.", f"{name} is missing or no number."))
    return int(text)


def _parts_only() -> None:
    if request.mimetype != PARTS:
        raise UnsupportedMediaType


def _checksum() -> Checksum | None:
    text = request.headers.get("Upload-Checksum")
    if text is None:
        return None
    algorithm, _, encoded = text.partition(" ")
    try:
        expected = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        expected = b""
    if algorithm not in ALGORITHMS or len(expected) != len(ALGORITHMS[algorithm]().digest()):
        raise Wrong(
            _wrong(
                "checksum_wrong",
                "Upload-Checksum không đúng hoặc cách tính không được nhận. Chưa nhận gì.",
                f"Upload-Checksum is not right, or not one of {', '.join(ALGORITHMS)}.",
            )
        )
    return Checksum(algorithm=algorithm, expected=expected)


def _told(said: str) -> dict[str, str]:
    """Return the sender's words by their names. Raises Wrong for what is not pairs of names and base64."""
    told: dict[str, str] = {}
    wrong = _wrong("metadata_wrong", "Upload-Metadata không đúng. Chưa nhận gì.", "Upload-Metadata cannot be read.")
    if len(said) > _LONGEST_SAID:
        raise Wrong(wrong)
    for pair in said.split(",") if said.strip() else ():
        name, _, encoded = pair.strip().partition(" ")
        try:
            value = base64.b64decode(encoded, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Wrong(wrong) from error
        if not _KEY.fullmatch(name) or name in told:
            raise Wrong(wrong)
        told[name] = value
    return told


def _card(told: dict[str, str]) -> Card | None:
    """Return what it is to become; None where the sender says that later. Raises Refused for a card that is wrong."""
    if "programme" not in told:
        return None
    try:
        fields = CardFields.model_validate({name: value for name, value in told.items() if name != "topics"})
    except ValidationError as error:
        names = sorted({str(one["loc"][0]) for one in error.errors() if one["loc"]})
        raise Refused(
            *(
                Finding(
                    code="invalid",
                    severity=Severity.ERROR,
                    where=name,
                    message=Text(f"Giá trị của “{name}” không hợp lệ.", f"{name} is not valid."),
                )
                for name in names
            )
        ) from error
    return card_of(fields, [told.get("topics", "")])


def _wrong(code: str, vi: str, en: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=Text(vi, en))
