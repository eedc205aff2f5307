"""The readable page inside a proof: Vietnamese, without a script, drawn from nothing but what the proof holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from link.proof import Proof, ProofFile, ProofRow

_VERDICTS = {
    "aired": "Phát thành công",
    "partial": "Phát không đầy đủ",
    "missed": "Không phát",
    "replaced": "Đã thay bằng mục khác",
    "cancelled": "Đã hủy",
}
_GRADES = {
    "E0": "Không có minh chứng",
    "E1": "Đã đếm mẫu",
    "E2": "Đã đo đầu ra",
    "E3": "Đã nghe tại loa",
    "H": "Người xác nhận",
}
_KINDS = {
    "start": "bắt đầu phát",
    "verdict": "kết quả",
    "evidence": "minh chứng",
    "fault": "sự cố",
    "boot": "máy khởi động",
    "intent": "nhận lịch mới",
    "duty": "kết quả nhiệm vụ",
    "stop": "lệnh dừng phát",
    "alert": "lệnh khẩn cấp",
    "live": "phát trực tiếp",
    "test": "thử loa",
    "clock": "đồng hồ",
    "amplifier": "tăng âm",
    "segment": "sang tệp nhật ký mới",
}
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#12242b;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;
border-bottom:1px solid #dce3e7}th{font-weight:600}code{font-size:.85em;overflow-wrap:anywhere}
svg{width:100%;height:64px;display:block}.a{fill:#0b5560}.b{fill:#1f6b3a}.c{fill:#7a4b00}.mut{color:#4a5b63}
audio{width:100%}@media (max-width:40rem){th,td{overflow-wrap:anywhere}}@media print{audio{display:none}}
"""
_HEIGHT = 64


def page(proof: Proof, *, name: str, zone: str, fingerprint: str) -> str:
    """Return the page. name: the station's. zone: in whose local time it speaks. fingerprint: of the station's key."""
    here = ZoneInfo(zone)
    verdict = next(row for row in proof.rows if row.seq == proof.verdict)
    parts = [
        f'<!doctype html>\n<html lang="vi"><head><meta charset="utf-8"><title>Minh chứng: {_t(_title(proof))}</title>',
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>',
        "<body><main>",
        f"<h1>Minh chứng lượt phát: {_t(_title(proof))}, {_t(name)}</h1>",
        *_answer(verdict.body, here),
        *_measured(proof, verdict, here),
        *_pictures(proof, here),
        *_sounds(proof),
        *_chain(proof, here, fingerprint),
        *_files(proof),
        "<h2>Cách kiểm tra</h2><p>Trên máy có Loa, chạy <code>loa journal verify TỆP.zip</code>. Máy sẽ nói tệp còn "
        "nguyên hay không, và nếu bị sửa thì sửa ở dòng nào, tệp nào.</p>",
        "</main></body></html>\n",
    ]
    return "\n".join(parts)


def _title(proof: Proof) -> str:
    return str(proof.planned.get("title") or proof.planned.get("kind") or proof.slot)


def _answer(body: dict[str, Any], here: ZoneInfo) -> Iterator[str]:
    word = _VERDICTS.get(str(body.get("verdict")), str(body.get("verdict")))
    reason = body.get("reason")
    why = f" {_t(reason.get('vi', ''))}" if isinstance(reason, dict) else ""
    yield f"<p><strong>{_t(word)}.</strong>{why}</p>"
    if body.get("rehearsal"):
        yield "<p><strong>Phát thử, không ra loa.</strong></p>"
    samples = f"{_n(body.get('samples_aired'))} trên {_n(body.get('samples_expected'))} mẫu"
    same = ", giống từng bit bản đã duyệt" if body.get("bit_exact") else ", không giống hoàn toàn bản đã duyệt"
    # A talk or a relay has no approved recording that it could be like.
    same = same if body.get("sha256") else ""
    rows = [
        ("Kế hoạch", f"{_when(body.get('planned_start'), here)} đến {_when(body.get('planned_end'), here)}"),
        ("Thực tế", f"{_when(body.get('started_at'), here, ms=True)} đến {_when(body.get('ended_at'), here, ms=True)}"),
        ("Đã ra đầu ra", f"{_n(body.get('seconds_aired'), 3)} giây, {samples}{same}"),
        ("Im lặng ở giữa", f"{_n(body.get('holes_s'), 3)} giây"),
        ("Chuyên mục", str(body.get("programme") or "không có")),
        ("Mã bản đã duyệt", str(body.get("sha256") or "không có")),
        ("Lượt phát", str(body.get("slot"))),
    ]
    yield _table((), rows)


def _measured(proof: Proof, verdict: ProofRow, here: ZoneInfo) -> Iterator[str]:
    yield "<h2>Đã đo được</h2>"
    rows: list[Sequence[str]] = []
    for output in verdict.body.get("outputs") or ():
        grade = _GRADES.get(str(output.get("grade")), "")
        rows.append((f"đầu ra {output.get('name')}", grade, f"{_n(output.get('samples'))} mẫu đã ra thiết bị"))
    for row in proof.rows:
        body = row.body
        if row.kind != "evidence" or body.get("slot") != proof.slot or body.get("source") == "aircheck":
            continue
        share = body.get("share")
        said = [] if share is None else [f"khớp {_n(float(share) * 100, 1)}% nội dung"]
        said += [f"im {_n(body['silent_s'], 1)} giây"] if body.get("silent_s") else []
        said += [f"tiếng lạ {_n(body['foreign_s'], 1)} giây"] if body.get("foreign_s") else []
        said += [f"lệch {_n(body['offset_ms'], 0)} ms"] if body.get("offset_ms") is not None else []
        said += [f"mức {_n(body['level_dbfs'], 1)} dBFS"] if body.get("level_dbfs") is not None else []
        where = f"nghe tại {body.get('source')}, đầu ra {body.get('output')}"
        rows.append((where, _GRADES.get(str(body.get("grade")), ""), ", ".join(said)))
    yield _table(("Ở đâu", "Cách biết", "Kết quả"), rows) if rows else "<p>Không có gì được đo.</p>"


def _pictures(proof: Proof, here: ZoneInfo) -> Iterator[str]:
    peaks = proof.peaks
    if peaks is None:
        return
    yield "<h2>Dạng sóng</h2>"
    if peaks.approved:
        yield f"<h3>Bản đã duyệt</h3>{_wave(peaks.approved, 'a', 'Dạng sóng bản đã duyệt')}"
    if peaks.aircheck:
        yield f"<h3>Bản thu tiếng đưa ra đầu ra</h3>{_wave(peaks.aircheck, 'b', 'Dạng sóng bản thu tại đầu ra')}"
    for output, bars in peaks.heard.items():
        yield f"<h3>Tiếng nghe được ở đầu ra {_t(output)}</h3>{_wave(bars, 'c', f'Dạng sóng nghe ở {output}')}"
    yield f'<p class="mut">Từ {_when(peaks.start, here)}, dài {_n(peaks.seconds, 1)} giây, cùng một trục thời gian.</p>'


def _sounds(proof: Proof) -> Iterator[str]:
    for file in proof.files:
        if file.what != "page":
            yield f'<p>{_t(_what(file))}</p><audio controls preload="none" src="{_t(file.name)}"></audio>'


def _chain(proof: Proof, here: ZoneInfo, fingerprint: str) -> Iterator[str]:
    yield "<h2>Vị trí trong nhật ký</h2>"
    yield f"<p>Dòng {proof.first} đến {proof.last} của đài {_t(proof.station)}; kết quả ở dòng {proof.verdict}. "
    if proof.head is not None:
        yield (
            f"Đầu chuỗi đã ký khi lập tệp: dòng {proof.head.seq}, <code>{_t(proof.head.hash)}</code>, "
            f"{_when(proof.head.time, here)}. "
        )
    yield f"Khóa của đài: <code>{_t(fingerprint)}</code>. Tệp lập lúc {_when(proof.made_at, here)}.</p>"
    yield _table(
        ("Dòng", "Lúc", "Loại", "Mã của dòng"),
        [
            (str(row.seq), _when(row.time, here, ms=True), _KINDS.get(row.kind, row.kind), row.hash)
            for row in proof.rows
        ],
    )


def _files(proof: Proof) -> Iterator[str]:
    rows = [
        (_what(file), file.name, "" if file.row is None else f"dòng {file.row}", file.sha256)
        for file in proof.files
        if file.what != "page"
    ]
    if rows:
        yield "<h2>Tệp kèm theo</h2>"
        yield _table(("Là gì", "Tên", "Ghi ở", "SHA-256"), rows)


def _what(file: ProofFile) -> str:
    return "Bản thu tiếng đưa ra đầu ra" if file.what == "aircheck" else f"Tiếng nghe được ở đầu ra {file.output or ''}"


def _wave(bars: Sequence[int], kind: str, label: str) -> str:
    highest = max(bars, default=0)
    # Each picture fills its height, so that shapes can be compared; what is all but silent stays flat.
    scale = 1.0 if highest < 4 else 100 / highest
    drawn = "".join(
        f'<rect x="{n * 4}" y="{(_HEIGHT - size) / 2:.1f}" width="2.6" height="{size:.1f}"/>'
        for n, bar in enumerate(bars)
        for size in (max(1.0, bar * scale * _HEIGHT / 100),)
    )
    return (
        f'<svg class="{kind}" viewBox="0 0 {len(bars) * 4} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{_t(label)}">{drawn}</svg>'
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{_t(cell)}</th>' for cell in head)
    lines = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{_t(cell)}</th>' if not head and n == 0 else f"<td>{_cell(cell)}</td>"
            for n, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table>{f'<thead><tr>{top}</tr></thead>' if head else ''}<tbody>{lines}</tbody></table>"


def _cell(text: str) -> str:
    return f"<code>{_t(text)}</code>" if len(text) == 64 else _t(text)


def _when(text: object, here: ZoneInfo, *, ms: bool = False) -> str:
    if not isinstance(text, str):
        return "không có"
    moment = datetime.fromisoformat(text).astimezone(here)
    tail = f",{moment.microsecond // 1000:03}" if ms else ""
    return f"{moment:%H:%M:%S}{tail} {moment:%d/%m/%Y}"


def _n(value: object, digits: int = 0) -> str:
    if not isinstance(value, int | float):
        return "không có"
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def _t(text: object) -> str:
    return escape(str(text), quote=True)
