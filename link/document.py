"""A YAML file that people wrote, as plain data with the line of every value; what is hostile or ambiguous is refused.

Not `yaml.safe_load`: that keeps the last of two equal keys, reads 17:00 as the number 1020 and `no` as false, forgets
the lines, and unfolds ten lines of aliases into gigabytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import yaml

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.text import Text

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]

MAX_BYTES = 5_000_000
MAX_VALUES = 200_000
"""Values in a file, each use of an alias counted whole."""
MAX_DEPTH = 30

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{0,18}")
_MERGE = "<<"

_SYNTAX_HINTS = (
    (
        "cannot start any token",
        "Thụt đầu dòng bằng dấu cách, không dùng phím Tab.",
        "Indent with spaces, not with Tab.",
    ),
    (
        "mapping values are not allowed",
        "Đặt chữ có dấu hai chấm trong ngoặc kép, và xem lại thụt đầu dòng.",
        "Put text that has a colon in quotes, and look at the indentation.",
    ),
    ("expected ',' or ']'", "Thiếu dấu phẩy hoặc dấu ].", "A comma or a ] is missing."),
    ("expected ',' or '}'", "Thiếu dấu phẩy hoặc dấu }.", "A comma or a } is missing."),
    ("unexpected end of stream", "Thiếu dấu ngoặc kép đóng.", "A closing quote is missing."),
    ("escape character", "Trong ngoặc kép, viết \\\\ thay cho \\.", "Inside double quotes, write \\\\ for \\."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a file holds. lines: of the values, counted from 1, by path such as `sessions[2].starts`."""

    data: dict[str, Plain]
    lines: Mapping[str, int]


def read_document(path: Path) -> Document:
    """Return what the file holds; raises Refused with everything that is wrong with it as a file."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        message = Text(f"Không đọc được tệp {path}.", f"{path} cannot be read.")
        hint = Text("Kiểm tra đường dẫn và quyền đọc tệp.", "Check the path and whether you may read it.")
        raise Refused(_finding("unreadable", "", message, hint)) from error
    return parse_document(content)


def parse_document(content: bytes) -> Document:
    """Return what YAML text holds; raises Refused with everything that is wrong with it as YAML."""
    if len(content) > MAX_BYTES:
        message = Text(f"Tệp lớn hơn {MAX_BYTES // 1_000_000} MB.", f"More than {MAX_BYTES // 1_000_000} MB.")
        raise Refused(_finding("too_big", "", message, Text("Chia thành nhiều tệp.", "Divide it into several files.")))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = Text(f"Dòng {line}: không phải chữ UTF-8.", f"Line {line}: not UTF-8 text.")
        hint = Text("Lưu lại tệp với bảng mã UTF-8.", "Save the file as UTF-8.")
        raise Refused(_finding("not_utf8", f"line {line}", message, hint)) from error
    builder = _Builder()
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.YAMLError as error:
        raise Refused(*builder.findings, _syntax(error)) from error
    if builder.findings:
        raise Refused(*builder.findings)
    if not isinstance(builder.root, dict):
        message = Text("Tệp phải gồm các mục “tên: giá trị”.", "The file must consist of `name: value`.")
        hint = Text("Xem ví dụ trong docs/scenario.md.", "See the examples in docs/scenario.md.")
        raise Refused(_finding("not_a_mapping", "", message, hint))
    return Document(data=builder.root, lines=builder.lines)


def _events(text: str) -> Iterator[yaml.Event]:
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    return yaml.parse(text, Loader=loader)


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is being read. key: whose value comes next; None where a key does."""

    value: list[Plain] | dict[str, Plain]
    where: str
    anchor: str | None
    size_before: int
    key: str | None = None
    merged: list[Plain] = field(default_factory=list)


@dataclass(slots=True)
class _Builder:
    """Puts the parser's events together without recursion, counting what aliases unfold to."""

    findings: list[Finding] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    root: Plain = None
    frames: list[_Frame] = field(default_factory=list)
    anchors: dict[str, tuple[Plain, int]] = field(default_factory=dict)
    size: int = 0
    documents: int = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event; raises Refused where going on would be dangerous or senseless."""
        line = 0 if event.start_mark is None else event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                message = Text(f"Dòng {line}: một tệp chỉ gồm một tài liệu.", f"Line {line}: only one document a file.")
                self._stop("several_documents", line, message, Text("Bỏ dòng “---”.", "Remove the line `---`."))
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "", line)
        elif isinstance(event, yaml.ScalarEvent):
            self._tag(event.tag, line)
            plain = event.implicit[0]
            self._scalar(_resolve(event.value) if plain else event.value, event.value, event.anchor, line, plain=plain)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open([], event, line)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open({}, event, line)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self._close(line)

    def _open(self, value: list[Plain] | dict[str, Plain], event: yaml.CollectionStartEvent, line: int) -> None:
        self._tag(event.tag, line)
        if self._expects_key():
            self._bad_key(line)
        if len(self.frames) >= MAX_DEPTH:
            message = Text(
                f"Dòng {line}: lồng quá {MAX_DEPTH} lớp.", f"Line {line}: more than {MAX_DEPTH} levels deep."
            )
            hint = Text(
                "Viết phẳng hơn: kịch bản không cần đến chừng ấy lớp.", "Write it flatter: no scenario needs that."
            )
            self._stop("too_deep", line, message, hint)
        where = self._where()
        self._grow(1, line)
        self.lines.setdefault(where, line)
        self.frames.append(_Frame(value=value, where=where, anchor=event.anchor, size_before=self.size - 1))

    def _close(self, line: int) -> None:
        frame = self.frames.pop()
        if isinstance(frame.value, dict):
            for source in frame.merged:
                self._merge(frame.value, source, line)
        if frame.anchor is not None:
            self.anchors[frame.anchor] = (frame.value, self.size - frame.size_before)
        self._put(frame.value, line)

    def _merge(self, into: dict[str, Plain], source: Plain, line: int) -> None:
        for one in source if isinstance(source, list) else [source]:
            if not isinstance(one, dict):
                message = Text(f"Dòng {line}: “<<” cần một nhóm mục.", f"Line {line}: `<<` needs a mapping.")
                hint = Text(
                    "Ghi “<<: *tên” của một nhóm mục có “&tên”.", "Write `<<: *name` of a mapping with `&name`."
                )
                self._stop("bad_merge", line, message, hint)
            for key, value in one.items():
                into.setdefault(key, value)

    def _scalar(self, value: Plain, written: str, anchor: str | None, line: int, *, plain: bool) -> None:
        self._grow(1, line)
        if self._expects_key():
            if not isinstance(value, str):
                self._bad_key(line)
            frame = self.frames[-1]
            frame.key = written
            if isinstance(frame.value, dict) and written in frame.value and not (plain and written == _MERGE):
                where = f"{frame.where}.{written}" if frame.where else written
                first = self.lines.get(where, 0)
                message = Text(
                    f"Dòng {line}: mục “{written}” đã có ở dòng {first}.",
                    f"Line {line}: “{written}” stands in line {first} already.",
                )
                hint = Text("Giữ một mục, bỏ mục kia.", "Keep one of the two.")
                self.findings.append(_finding("duplicate_key", where, message, hint))
            return
        self.lines.setdefault(self._where(), line)
        if anchor is not None:
            self.anchors[anchor] = (value, 1)
        self._put(value, line)

    def _alias(self, anchor: str, line: int) -> None:
        if self._expects_key():
            self._bad_key(line)
        if anchor not in self.anchors:
            message = Text(f"Dòng {line}: chưa có “&{anchor}”.", f"Line {line}: there is no “&{anchor}” before.")
            hint = Text(
                f"Đặt “&{anchor}” ở chỗ đứng trước, hoặc sửa tên.", f"Put “&{anchor}” before it, or correct it."
            )
            self._stop("unknown_anchor", line, message, hint)
        value, size = self.anchors[anchor]
        self._grow(size, line)
        self.lines.setdefault(self._where(), line)
        self._put(value, line)

    def _put(self, value: Plain, line: int) -> None:
        if not self.frames:
            self.root = value
            return
        frame = self.frames[-1]
        if isinstance(frame.value, list):
            frame.value.append(value)
            return
        key, frame.key = frame.key or "", None
        if key == _MERGE:
            frame.merged.append(value)
        else:
            frame.value.setdefault(key, value)

    def _expects_key(self) -> bool:
        return bool(self.frames) and isinstance(self.frames[-1].value, dict) and self.frames[-1].key is None

    def _where(self) -> str:
        if not self.frames:
            return ""
        frame = self.frames[-1]
        if isinstance(frame.value, list):
            return f"{frame.where}[{len(frame.value)}]"
        return f"{frame.where}.{frame.key}" if frame.where else frame.key or ""

    def _grow(self, values: int, line: int) -> None:
        self.size += values
        if self.size > MAX_VALUES:
            message = Text(
                f"Dòng {line}: tệp có hơn {MAX_VALUES} giá trị.", f"Line {line}: more than {MAX_VALUES} values."
            )
            hint = Text(
                "Mỗi chỗ dùng “*tên” được tính cả nội dung.", "Each `*name` counts with all that it stands for."
            )
            self._stop("too_many_values", line, message, hint)

    def _tag(self, tag: str | None, line: int) -> None:
        if tag is not None:
            message = Text(
                f"Dòng {line}: không dùng được nhãn “{tag}”.", f"Line {line}: tags such as “{tag}” mean nothing."
            )
            self._stop("yaml_tag", line, message, Text("Bỏ nhãn bắt đầu bằng dấu “!”.", "Remove what begins with `!`."))

    def _bad_key(self, line: int) -> NoReturn:
        message = Text(f"Dòng {line}: tên mục phải là chữ.", f"Line {line}: a key must be a word.")
        self._stop("bad_key", line, message, Text("Đặt tên mục trong ngoặc kép.", "Put the key in quotes."))

    def _stop(self, code: str, line: int, message: Text, hint: Text) -> NoReturn:
        raise Refused(*self.findings, _finding(code, self._where() or f"line {line}", message, hint))


def _resolve(text: str) -> Plain:
    """Return what a word without quotes means: nothing, true, false, a number, else itself."""
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FRACTION.fullmatch(text) else text


def _syntax(error: yaml.YAMLError) -> Finding:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "")
    hints = [Text(vi, en) for part, vi, en in _SYNTAX_HINTS if part in problem]
    general = Text("Xem lại thụt đầu dòng và dấu hai chấm.", "Look at the indentation and the colons.")
    hint = hints[0] if hints else general
    if mark is None:
        message = Text("Tệp có ký tự điều khiển không được phép.", "The file holds control characters.")
        return _finding("not_yaml", "", message, Text("Xóa ký tự đó.", "Remove them."))
    line, column = mark.line + 1, mark.column + 1
    message = Text(
        f"Dòng {line}, cột {column}: không đúng cú pháp YAML.", f"Line {line}, column {column}: not YAML: {problem}."
    )
    return _finding("not_yaml", f"line {line}, column {column}", message, hint)


def _finding(code: str, where: str, message: Text, hint: Text) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=where, message=message, hint=hint)
