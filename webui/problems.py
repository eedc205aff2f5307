"""What goes wrong, told: problem documents for programs, pages in words for people, never a trace of the machinery."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import structlog
from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, current_app, json, redirect, request
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Conflict, NotAllowed, Refused, TooMany, Unknown
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import audit
from webui.auth import API, SignInNeeded, safe_next
from webui.services import services

PAGE_FOR_SIGNING_IN = "/dang-nhap"
ErrorPage = Callable[[int, tuple[Finding, ...]], AnyResponse]

_log = structlog.get_logger()

_TITLES: Mapping[int, Text] = {
    400: Text("Yêu cầu không hợp lệ", "Bad request"),
    401: Text("Cần đăng nhập", "Sign-in needed"),
    403: Text("Không có quyền", "Not allowed"),
    404: Text("Không tìm thấy", "Not found"),
    405: Text("Cách gọi không dùng được ở đây", "Method not allowed"),
    409: Text("Không khớp với tình trạng hiện tại", "Conflict"),
    410: Text("Không còn nữa", "Gone"),
    412: Text("Phiên bản giao thức không dùng được", "Protocol version not taken"),
    413: Text("Quá lớn", "Too large"),
    415: Text("Loại nội dung không dùng được", "Unsupported content"),
    416: Text("Đoạn yêu cầu không có", "Range not available"),
    422: Text("Không dùng được", "Not usable"),
    423: Text("Đang có nơi khác ghi", "Locked"),
    429: Text("Quá nhiều lần", "Too many"),
    460: Text("Sai trên đường truyền", "Checksum mismatch"),
    500: Text("Lỗi của máy chủ", "Server error"),
    503: Text("Tạm thời không phục vụ được", "Not available now"),
    507: Text("Hết chỗ lưu", "Insufficient storage"),
}
_SENTENCES: Mapping[int, Text] = {
    400: Text("Yêu cầu này máy không hiểu. Chưa có gì thay đổi.", "This request was not understood."),
    404: Text("Địa chỉ này không có gì.", "There is nothing at this address."),
    405: Text("Địa chỉ này không nhận cách gọi đó.", "This address does not take that method."),
    413: Text(
        "Nội dung gửi lên lớn hơn mức cho phép. Chưa nhận gì.",
        "What was sent is larger than allowed. Nothing was taken.",
    ),
    415: Text("Máy không nhận loại nội dung này.", "This kind of content is not taken."),
}


def language() -> str:
    """Return the language that a program asks for: `vi` unless it prefers English."""
    return request.accept_languages.best_match(["vi", "en"], default="vi") or "vi"


def finding_document(finding: Finding, language: str) -> dict[str, Any]:
    """Return a finding as the API shows it."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "where": finding.where,
        "message": finding.message.in_language(language),
        "hint": None if finding.hint is None else finding.hint.in_language(language),
    }


def problem(status: int, findings: tuple[Finding, ...] = (), headers: Mapping[str, str] | None = None) -> Response:
    """Return an `application/problem+json` answer in the language that the program asks for."""
    speaks = language()
    title = _TITLES.get(status, _TITLES[500 if status >= 500 else 400])
    sentence = _SENTENCES.get(status, title)
    document = {
        "type": "about:blank",
        "title": title.in_language(speaks),
        "status": status,
        "detail": " ".join(f.message.in_language(speaks) for f in findings) or sentence.in_language(speaks),
        "findings": [finding_document(finding, speaks) for finding in findings],
    }
    return Response(json.dumps(document), status, headers=dict(headers or {}), content_type="application/problem+json")


def sign_in_needed(error: SignInNeeded) -> AnyResponse:
    """Lead somebody who is not signed in to the form, and from there back; a program is told 401."""
    if request.path.startswith(API):
        return problem(401, error.findings, {"WWW-Authenticate": "Bearer"})
    back = safe_next(request.full_path.rstrip("?")) if request.method == "GET" else "/"
    target = f"{PAGE_FOR_SIGNING_IN}?{_query(back)}"
    if request.headers.get("HX-Request") == "true":
        # A poll on an open page: the whole page has to leave, not the part that was asked for.
        return Response(status=401, headers={"HX-Redirect": target})
    return redirect(target)


def refused(error: Refused) -> AnyResponse:
    """Answer what was refused on purpose, as the app was told to."""
    answer: Callable[[Refused], AnyResponse] = current_app.extensions["loa.refused"]
    return answer(error)


def register(app: APIFlask, error_page: ErrorPage) -> None:
    """Answer every error of the app. error_page: makes the page for people from a status and findings."""

    def answer(
        status: int, findings: tuple[Finding, ...] = (), headers: Mapping[str, str] | None = None
    ) -> AnyResponse:
        if request.path.startswith(API):
            return problem(status, findings, headers)
        response = error_page(status, findings or _explained(status))
        response.headers.update(dict(headers or {}))
        return response

    def told(error: Refused) -> AnyResponse:
        if isinstance(error, NotAllowed):
            _trace_refusal(error.findings)
        headers = {}
        if isinstance(error, TooMany) and error.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
        return answer(_status(error), error.findings, headers)

    def forged(error: CSRFError) -> AnyResponse:
        finding = Finding(
            code="form_expired",
            severity=Severity.ERROR,
            message=Text(
                "Trang này đã mở quá lâu hoặc không do hệ thống tạo ra. Chưa có gì thay đổi.",
                "This page was open too long or was not made by Loa. Nothing was changed.",
            ),
            hint=Text("Hãy tải lại trang rồi làm lại.", "Reload the page and try again."),
        )
        _trace_refusal((finding,))
        return answer(400, (finding,))

    def http(error: HTTPException) -> AnyResponse:
        if isinstance(error, SecurityError):
            # A name that is not ours: nothing is built on it, least of all links.
            return Response("400\n", 400, content_type="text/plain; charset=utf-8")
        status = error.code or 500
        if status < 400:
            response: AnyResponse = error.get_response()
            return response
        headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Content-Range"}}
        if status == 413:
            return answer(413, (_too_large(),))
        return answer(status, (), headers)

    def unreadable(error: RecursionError | UnicodeEncodeError) -> AnyResponse:
        return answer(400)

    def crashed(error: InternalServerError) -> AnyResponse:
        number = secrets.token_hex(4)
        _log.error(
            "request failed",
            number=number,
            method=request.method,
            endpoint=request.endpoint,
            exc_info=error.original_exception or error,
        )
        finding = Finding(
            code="server_error",
            severity=Severity.ERROR,
            message=Text(
                f"Máy chủ gặp lỗi và đã ghi lại với số {number}. Đài vẫn phát theo lịch.",
                f"The server met an error and noted it as {number}. Stations go on airing.",
            ),
            hint=Text(
                "Hãy thử lại; nếu vẫn vậy, báo quản trị viên kèm số đó.",
                "Try again; if it stays, tell the administrator that number.",
            ),
        )
        return answer(500, (finding,))

    app.register_error_handler(SignInNeeded, sign_in_needed)
    app.register_error_handler(Refused, told)
    app.extensions["loa.refused"] = told
    app.register_error_handler(CSRFError, forged)
    app.register_error_handler(InternalServerError, crashed)
    app.register_error_handler(HTTPException, http)
    # A document nested ten thousand times, or half a letter as `\ud83d`, is the sender's mistake, not ours.
    app.register_error_handler(RecursionError, unreadable)
    app.register_error_handler(UnicodeEncodeError, unreadable)
    # Not `app.error_processor`: it would take every HTTP error away from the handlers above.
    app.error_callback = _invalid


def _status(error: Refused) -> int:
    if isinstance(error, Unknown):
        return 404
    if isinstance(error, NotAllowed):
        return 403
    if isinstance(error, Conflict):
        return 409
    if isinstance(error, TooMany):
        return 429
    return 422


def _invalid(error: HTTPError) -> Any:  # noqa: ANN401 - APIFlask's own type for answers
    findings = []
    if isinstance(error.detail, Mapping):
        for fields in error.detail.values():
            for field, messages in fields.items() if isinstance(fields, Mapping) else ():
                where = "" if field == "_schema" else str(field)
                said = "; ".join(str(message) for message in messages)
                findings.append(
                    Finding(
                        code="invalid",
                        severity=Severity.ERROR,
                        where=where,
                        message=Text(f"Giá trị của “{where}” không hợp lệ.", f"{where}: {said}"),
                    )
                )
    return problem(error.status_code, tuple(findings))


def _explained(status: int) -> tuple[Finding, ...]:
    sentence = _SENTENCES.get(status)
    if sentence is None:
        return ()
    return (Finding(code=f"http_{status}", severity=Severity.ERROR, message=sentence),)


def _too_large() -> Finding:
    most = services().settings.max_upload_bytes // (1024 * 1024)
    return Finding(
        code="too_big",
        severity=Severity.ERROR,
        message=Text(
            f"Tệp hoặc biểu mẫu lớn hơn mức cho phép (tệp âm thanh: {most} MB). Chưa nhận gì.",
            f"The file or form is larger than allowed (recordings: {most} MB). Nothing was taken.",
        ),
        hint=Text("Hãy lưu bài thành MP3 rồi gửi lại.", "Save the recording as MP3 and send it again."),
    )


def _query(back: str) -> str:
    return urlencode({"next": back})


def _trace_refusal(findings: tuple[Finding, ...]) -> None:
    if not current_user.is_authenticated:
        return
    here = services()
    with here.database.writing() as session:
        audit.note(
            session,
            at=here.clock.now(),
            what="refused",
            person=current_user._get_current_object(),
            address=request.remote_addr or "",
            subject=f"{request.method} {request.path}",
            outcome="refused",
            detail=", ".join(finding.code for finding in findings),
        )


__all__ = ["ErrorPage", "finding_document", "language", "problem", "refused", "register", "sign_in_needed"]
