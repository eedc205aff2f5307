"""Printing a paper in a locked room: WeasyPrint and foreign templates get no network, no files and little time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack

from pydantic import TypeAdapter

from audio.child import Refusal
from audio.sandbox import Confinement, Sandbox
from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.text import Text
from webui.papers.paper import Paper, in_writing

_LIMITS = Confinement(memory_bytes=2 * 1024**3, cpu_s=120, output_bytes=64 * 1024**2, threads=64)
_WALL_S = 300.0
_FONTS = ("/etc/fonts", "/var/cache/fontconfig")
_PAPER = TypeAdapter(Paper)


def printed(paper: Paper, formats: Sequence[str], *, template: bytes = b"") -> dict[str, bytes]:
    """Return the paper in the formats `docx` and `pdf` that are asked for.

    template: of the office, empty for the one that Loa brings. Raises Refused where it cannot be filled in, and where
    printing takes more than a machine may spend on it; SandboxUnavailable where nothing can be confined.
    """
    found = {}
    with Sandbox("webui.papers.press", _LIMITS, project=("audio", "schedules", "webui"), files=_FONTS) as room:
        for name in formats:
            try:
                found[name] = _one(room, paper, name, template)
            except Refusal as refusal:
                raise Refused(_not_printed(refusal, foreign=bool(template) and name == "docx")) from refusal
    return found


def _one(room: Sandbox, paper: Paper, name: str, template: bytes) -> bytes:
    with ExitStack() as opened:
        descriptors = [os.memfd_create(part) for part in ("paper", "template", "target")]
        for descriptor in descriptors:
            opened.callback(os.close, descriptor)
        os.write(descriptors[0], _PAPER.dump_json(in_writing(paper)))
        os.write(descriptors[1], template)
        room.do({"format": name}, descriptors, wall_s=_WALL_S, stall_s=_WALL_S)
        return os.pread(descriptors[2], os.fstat(descriptors[2]).st_size, 0)


def _not_printed(refusal: Refusal, *, foreign: bool) -> Finding:
    said = str(refusal.details.get("said", ""))[-200:]
    if foreign:
        return Finding(
            code="template_wrong",
            severity=Severity.ERROR,
            where="template",
            message=Text(
                f"Mẫu DOCX này không điền được. {said}".strip(),
                f"This DOCX template cannot be filled in. {said}".strip(),
            ),
            hint=Text(
                "Hãy tải mẫu gốc về, sửa trên đó và giữ nguyên các thẻ {{ … }}.",
                "Download the original template, change that one and keep its {{ … }} tags.",
            ),
        )
    return Finding(
        code="not_printed",
        severity=Severity.ERROR,
        message=Text(
            "Báo cáo quá dài để in một lần. Số liệu vẫn còn nguyên.",
            "The report is too long to be printed at once. Its figures are unharmed.",
        ),
        hint=Text("Hãy chọn kỳ ngắn hơn, hoặc tải XLSX.", "Choose a shorter period, or take XLSX."),
    )
