"""Errors as pages: what happened, what is safe, what to do; never a number in front, never blame."""

from __future__ import annotations

from flask import Response
from flask_babel import gettext as _

from schedules.findings import Finding
from webui.pages.language import say
from webui.pages.layout import page


def error_page(status: int, findings: tuple[Finding, ...]) -> Response:
    """Return the page for an error that no view could show in its own place."""
    happened, safe, todo = _words(status)
    if findings:
        happened = say(findings[0].message)
        if findings[0].message.vi.endswith("Chưa có gì thay đổi."):
            safe = _("Các đài vẫn phát theo lịch.")
        todo = say(findings[0].hint) or todo
    return page("error.html", active="", code=status, happened=happened, safe=safe, todo=todo, findings=findings[1:])


def _words(status: int) -> tuple[str, str, str]:
    unchanged = _("Chưa có gì thay đổi. Các đài vẫn phát theo lịch.")
    if status in (401, 403):
        return (
            _("Anh/chị không có quyền xem trang này."),
            unchanged,
            _("Nếu cần, hãy nhờ quản trị viên giao quyền."),
        )
    if status == 404:
        return (
            _("Không có trang này, hoặc nó không thuộc đơn vị của anh/chị."),
            unchanged,
            _("Hãy kiểm tra lại liên kết, hoặc đi từ trang Hôm nay."),
        )
    if status == 409:
        return (_("Nội dung đã thay đổi từ khi mở trang."), unchanged, _("Hãy tải lại trang rồi làm lại."))
    if status == 413:
        return (_("Nội dung gửi lên lớn quá mức cho phép."), unchanged, _("Hãy xuất lại bản ghi dạng MP3 rồi gửi lại."))
    if status == 429:
        return (_("Đã thử quá nhiều lần."), unchanged, _("Hãy đợi ít phút rồi thử lại."))
    if status >= 500:
        return (
            _("Máy chủ không làm được việc này."),
            _("Các đài vẫn phát theo lịch."),
            _("Hãy thử lại; nếu vẫn vậy, hãy báo quản trị viên."),
        )
    return (_("Máy không hiểu yêu cầu này."), unchanged, _("Hãy tải lại trang rồi làm lại."))
