"""Asking again who somebody is, without losing what they wrote: before dangerous acts, and after a session ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask, Response, request
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import NotAllowed
from schedules.findings import Finding
from store import second_factors
from webui import problems
from webui.auth import API, PROOF_FIELDS, ProofNeeded, SecondFactorNeeded, SignInNeeded, current_person, safe_next
from webui.pages.layout import page
from webui.services import services

KEPT = "kept"
_MOST_BYTES = 300_000
_MOST_FIELDS = 400
_SECRET = frozenset({"csrf_token", "password", "again", "old", "pin", "code", KEPT, *PROOF_FIELDS})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptForm:
    """A form that was sent without a session: where to, and what was in it."""

    to: str
    fields: tuple[tuple[str, str], ...]

    def text(self) -> str:
        """Return it as it travels through the sign-in."""
        return json.dumps({"to": self.to, "fields": self.fields}, ensure_ascii=False)


def register(app: Flask) -> None:
    """Answer, on pages, whoever has to prove who they are. Call after `problems.register`."""

    def sign_in_needed(error: SignInNeeded) -> AnyResponse:
        kept = _kept()
        if kept is None:
            return problems.sign_in_needed(error)
        return page("login.html", active="", code=401, errors=(), name="", next="", kept=kept)

    def proof_needed(error: ProofNeeded) -> AnyResponse:
        if request.path.startswith(API) or request.method != "POST":
            return problems.refused(NotAllowed(*error.findings))
        return _ask(error.findings)

    def second_factor_needed(error: SecondFactorNeeded) -> AnyResponse:
        if request.path.startswith(API):
            return problems.refused(error)
        return Response(status=303, headers={"Location": "/tai-khoan/hai-buoc"})

    app.register_error_handler(SignInNeeded, sign_in_needed)
    app.register_error_handler(ProofNeeded, proof_needed)
    app.register_error_handler(SecondFactorNeeded, second_factor_needed)


def kept_form(text: str) -> KeptForm | None:
    """Return the form that travelled through the sign-in; None for none, or one that leads elsewhere."""
    if not text or len(text) > 2 * _MOST_BYTES:
        return None
    try:
        found = json.loads(text)
        to = str(found["to"])
        fields = tuple((str(name), str(value)) for name, value in found["fields"])
    except (ValueError, KeyError, TypeError):
        return None
    return KeptForm(to=to, fields=fields) if safe_next(to) == to else None


def _kept() -> KeptForm | None:
    """Return the form of this request where our own page sent it and it can be kept."""
    # A form of a foreign page must not come back as one of ours once its reader has signed in.
    ours = request.headers.get("Sec-Fetch-Site", "") == "same-origin"
    if not ours or request.method != "POST" or request.path.startswith(API) or request.headers.get("HX-Request"):
        return None
    if request.mimetype not in {"application/x-www-form-urlencoded", "multipart/form-data"} or request.files:
        return None
    fields = _fields(request.form)
    if not fields or len(fields) > _MOST_FIELDS or sum(len(value) for _name, value in fields) > _MOST_BYTES:
        return None
    return KeptForm(to=request.full_path.rstrip("?"), fields=fields)


def _ask(findings: Sequence[Finding]) -> Response:
    who = current_person() if current_user.is_authenticated else None
    with services().database.reading() as session:
        second = who is not None and second_factors.in_use(session, who)
    tried = any(request.form.get(name) for name in PROOF_FIELDS)
    return page(
        "prove.html",
        active="more",
        code=403,
        to=request.full_path.rstrip("?"),
        fields=_all_fields(request.form),
        multipart=request.mimetype == "multipart/form-data",
        errors=findings if tried else (),
        second=second,
    )


def _fields(form: MultiDict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in form.items(multi=True) if name not in _SECRET)


def _all_fields(form: MultiDict[str, str]) -> tuple[tuple[str, str], ...]:
    asked = {"csrf_token", *PROOF_FIELDS}
    return tuple((name, value) for name, value in form.items(multi=True) if name not in asked)
