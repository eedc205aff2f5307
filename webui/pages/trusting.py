"""Chứng chỉ: the root certificate for phones and computers of officers, with a QR code and the steps to install it."""

from __future__ import annotations

import io

import segno
from flask import Blueprint, Response, abort, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from link import certificates
from webui.auth import public
from webui.pages.layout import page
from webui.services import services


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/chung-chi", "trust", trust)
    pages.add_url_rule("/chung-chi/loa.crt", "root_certificate", root_certificate)


@public
def trust() -> AnyResponse:
    """Show how to install the root, with the fingerprint to compare."""
    root = services().settings.root
    known = None if root is None or not root.exists() else certificates.read(root.parent)
    # The address as it was asked for: it is one of ours, or the request would have been refused.
    address = f"{request.host_url.rstrip('/')}/chung-chi"
    return page("trust.html", active="", known=known, address=address, qr=_qr(address))


@public
def root_certificate() -> AnyResponse:
    """Give the root's certificate; there is nothing secret in it."""
    root = services().settings.root
    if root is None or not root.exists():
        abort(404)
    headers = {"Content-Disposition": 'attachment; filename="loa.crt"', "Cache-Control": "no-cache"}
    return Response(root.read_bytes(), content_type="application/x-x509-ca-cert", headers=headers)


def _qr(text: str) -> Markup:
    drawn = io.BytesIO()
    code = segno.make(text, error="m")
    code.save(drawn, kind="svg", border=3, xmldecl=False, svgclass="qr", lineclass=None, omitsize=True)
    return Markup(drawn.getvalue().decode())
