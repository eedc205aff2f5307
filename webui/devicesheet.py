"""The register of equipment as a table: written as CSV or XLSX without formulas, read back with what is wrong where."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import TypeVar
from xml.etree import ElementTree

import xlsxwriter

from schedules.findings import Finding, Severity
from schedules.text import Text
from store.equipment import Device, DeviceKind, DeviceState, Sheet
from webui.cells import plain, written

MOST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 5000
_MOST_UNPACKED = 8 * 1024 * 1024
_MOST_TOLD = 20
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_EPOCH = date(1899, 12, 30)
_LONGEST: Mapping[str, int] = {"code": 40, "cluster": 40, "serial": 80, "note": 1000}
COLUMNS = (
    "station",
    "code",
    "kind",
    "name",
    "cluster",
    "maker",
    "model",
    "serial",
    "in_service",
    "warranty_until",
    "contract",
    "contract_until",
    "place",
    "latitude",
    "longitude",
    "state",
    "note",
)
_DATES = frozenset({"in_service", "warranty_until", "contract_until"})
K = TypeVar("K", DeviceKind, DeviceState)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,39}")


class Unreadable(Exception):
    """The file is no table that can be read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The words of columns, kinds and states: one to write with, all to read by."""

    columns: Mapping[str, Text]
    kinds: Mapping[DeviceKind, Text]
    states: Mapping[DeviceState, Text]


def as_csv(devices: Sequence[Device], words: Vocabulary, language: str) -> bytes:
    """Return the table as CSV in UTF-8; every cell is quoted, none calculates."""
    table = io.StringIO()
    writer = csv.writer(table, quoting=csv.QUOTE_ALL)
    writer.writerow([words.columns[name].in_language(language) for name in COLUMNS])
    for device in devices:
        writer.writerow([plain(cell) for cell in _cells(device.sheet, words, language)])
    # The mark at the start makes a spreadsheet read the file as UTF-8.
    return ("\ufeff" + table.getvalue()).encode()


def as_xlsx(devices: Sequence[Device], words: Vocabulary, language: str) -> bytes:
    """Return the table as a workbook whose cells are strings, never formulas or links."""
    made = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(made, options) as book:
        page = book.add_worksheet("Thiết bị" if language == "vi" else "Equipment")
        head = book.add_format({"bold": True, "bottom": 1})
        text = book.add_format({"num_format": "@", "quote_prefix": True})
        for column, name in enumerate(COLUMNS):
            page.write_string(0, column, words.columns[name].in_language(language), head)
            page.set_column(column, column, 18)
        for row, device in enumerate(devices, start=1):
            for column, cell in enumerate(_cells(device.sheet, words, language)):
                page.write_string(row, column, cell, text)
        page.freeze_panes(1, 0)
    return made.getvalue()


def rows_of(content: bytes) -> list[list[str]]:
    """Return the cells of a CSV or XLSX file. Raises Unreadable for every other one."""
    if content[:2] == b"PK":
        return _xlsx_rows(content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable from error
    if "\0" in text:
        raise Unreadable
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = list(islice(csv.reader(io.StringIO(text), delimiter=delimiter), MOST_ROWS + 2))
    except csv.Error as error:
        raise Unreadable from error
    return [[written(cell) for cell in row] for row in rows]


def sheets_of(
    rows: Sequence[Sequence[str]], words: Vocabulary, stations: Mapping[str, str]
) -> tuple[tuple[Sheet, ...], tuple[Finding, ...]]:
    """Return the devices of a table and all that is wrong with it. stations: names (or codes) folded, and their codes.

    A row without anything is passed over. One problem is enough for the whole table not to be taken.
    """
    problems: list[Finding] = []
    if not rows:
        return (), (_wrong(0, "Tệp không có dòng nào.", "The file has no rows."),)
    columns = _columns(rows[0], words)
    for needed in ("station", "code", "kind"):
        if needed not in columns:
            name = words.columns[needed]
            problems.append(_wrong(1, f"Thiếu cột “{name.vi}”.", f"The column “{name.en}” is missing."))
    if len(rows) - 1 > MOST_ROWS:
        problems.append(_wrong(0, f"Nhiều nhất {MOST_ROWS} dòng một lần.", f"At most {MOST_ROWS} rows at a time."))
    if problems:
        return (), tuple(problems)
    made: dict[tuple[str, str], Sheet] = {}
    for number, row in enumerate(rows[1:], start=2):
        cells = {name: row[place].strip() for name, place in columns.items() if place < len(row)}
        if not any(cells.values()):
            continue
        sheet = _sheet(number, cells, words, stations, problems)
        if sheet is None:
            continue
        if (sheet.station, sheet.code) in made:
            problems.append(_wrong(number, f"Mã {sheet.code} có hai lần.", f"The code {sheet.code} is there twice."))
        made[sheet.station, sheet.code] = sheet
    if len(problems) > _MOST_TOLD:
        more = len(problems) - _MOST_TOLD
        problems = [*problems[:_MOST_TOLD], _wrong(0, f"Và {more} chỗ nữa.", f"And {more} more.")]
    return tuple(made.values()), tuple(problems)


def read_date(text: str) -> date | None:
    """Return the day of `27/11/2026`, `2026-11-27` or a spreadsheet's number of days. Raises ValueError."""
    if not text:
        return None
    if match := re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", text):
        read = date(int(match[3]), int(match[2]), int(match[1]))
    elif re.fullmatch(r"\d{5}(\.0*)?", text):
        read = _EPOCH + timedelta(days=int(float(text)))
    else:
        read = date.fromisoformat(text[:10])
    if not 1970 <= read.year <= 2199:
        raise ValueError(text)
    return read


def read_degrees(text: str, most: float) -> float | None:
    """Return a coordinate; a comma is a point. Raises ValueError."""
    if not text:
        return None
    if not re.fullmatch(r"[-+]?\d{1,3}([.,]\d{1,12})?", text):
        raise ValueError(text)
    read = float(text.replace(",", "."))
    if abs(read) > most:
        raise ValueError(text)
    return read


def readable_code(text: str) -> bool:
    """Return whether it may be a device's code."""
    return _CODE.fullmatch(text) is not None


def _cells(sheet: Sheet, words: Vocabulary, language: str) -> Iterator[str]:
    for name in COLUMNS:
        value = getattr(sheet, name)
        if isinstance(value, DeviceKind):
            yield words.kinds[value].in_language(language)
        elif isinstance(value, DeviceState):
            yield words.states[value].in_language(language)
        elif isinstance(value, date):
            yield f"{value:%d/%m/%Y}"
        elif isinstance(value, float):
            yield f"{value:.6f}"
        else:
            yield str(value or "")


def _columns(head: Sequence[str], words: Vocabulary) -> dict[str, int]:
    named = {_folded(one): name for name, text in words.columns.items() for one in (name, text.vi, text.en)}
    found: dict[str, int] = {}
    for place, cell in enumerate(head):
        name = named.get(_folded(cell))
        if name is not None:
            found.setdefault(name, place)
    return found


def _sheet(
    number: int,
    cells: Mapping[str, str],
    words: Vocabulary,
    stations: Mapping[str, str],
    problems: list[Finding],
) -> Sheet | None:
    before = len(problems)

    def wrong(vi: str, en: str) -> None:
        problems.append(_wrong(number, vi, en))

    station = stations.get(_folded(cells.get("station", "")))
    if station is None:
        wrong("không có đài này, hoặc anh/chị không phụ trách.", "there is no such station, or it is not yours.")
    code = cells.get("code", "")
    if not readable_code(code):
        wrong("mã thiết bị gồm chữ không dấu, số, . _ / -, tới 40 ký tự.", "a code is letters, digits, . _ / -.")
    kind = _chosen(cells.get("kind", ""), words.kinds)
    if kind is None:
        wrong("loại thiết bị không có trong danh sách.", "there is no such kind of device.")
    state = _chosen(cells.get("state", ""), words.states) if cells.get("state") else DeviceState.WORKING
    if state is None:
        wrong("tình trạng không có trong danh sách.", "there is no such condition.")
    days: dict[str, date | None] = {}
    for name in sorted(_DATES):
        try:
            days[name] = read_date(cells.get(name, ""))
        except ValueError:
            text = words.columns[name]
            wrong(f"{text.vi}: ngày không đúng (dd/mm/yyyy).", f"{text.en}: not a date (dd/mm/yyyy).")
    places: dict[str, float | None] = {}
    for name, most in (("latitude", 90.0), ("longitude", 180.0)):
        try:
            places[name] = read_degrees(cells.get(name, ""), most)
        except ValueError:
            text = words.columns[name]
            wrong(f"{text.vi} không đúng.", f"{text.en} is wrong.")
    if (places.get("latitude") is None) != (places.get("longitude") is None):
        wrong("tọa độ cần cả vĩ độ và kinh độ.", "coordinates are latitude and longitude, both.")
    for name, cell in cells.items():
        if len(cell) > _LONGEST.get(name, 200):
            text = words.columns[name]
            wrong(f"{text.vi} dài quá.", f"{text.en} is too long.")
    if len(problems) > before or station is None or kind is None or state is None:
        return None
    return Sheet(
        station=station,
        code=code,
        kind=kind,
        name=cells.get("name", ""),
        cluster=cells.get("cluster", ""),
        maker=cells.get("maker", ""),
        model=cells.get("model", ""),
        serial=cells.get("serial", ""),
        contract=cells.get("contract", ""),
        place=cells.get("place", ""),
        state=state,
        note=cells.get("note", ""),
        in_service=days["in_service"],
        warranty_until=days["warranty_until"],
        contract_until=days["contract_until"],
        latitude=places["latitude"],
        longitude=places["longitude"],
    )


def _chosen(text: str, words: Mapping[K, Text]) -> K | None:
    return next(
        (one for one, word in words.items() if _folded(text) in {_folded(x) for x in (one.value, word.vi, word.en)}),
        None,
    )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _xlsx_rows(content: bytes) -> list[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            names = set(book.namelist())
            pages = sorted(name for name in names if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name))
            if not pages:
                raise Unreadable
            strings: list[str] = []
            if "xl/sharedStrings.xml" in names:
                found = _parsed(book, "xl/sharedStrings.xml").iterfind(f"{_MAIN}si")
                strings = ["".join(part.text or "" for part in one.iter(f"{_MAIN}t")) for one in found]
            return _page_rows(_parsed(book, pages[0]), strings)
    except (zipfile.BadZipFile, ElementTree.ParseError, NotImplementedError, RuntimeError, EOFError) as error:
        raise Unreadable from error


def _parsed(book: zipfile.ZipFile, name: str) -> ElementTree.Element:
    with book.open(name) as member:
        content = member.read(_MOST_UNPACKED + 1)
    # Neither a bomb, nor anything that could make the parser read or repeat something.
    if len(content) > _MOST_UNPACKED or b"<!" in content:
        raise Unreadable
    return ElementTree.fromstring(content)


def _page_rows(page: ElementTree.Element, strings: Sequence[str]) -> list[list[str]]:
    rows: list[list[str]] = []
    for row in page.iter(f"{_MAIN}row"):
        if len(rows) > MOST_ROWS + 1:
            break
        cells: list[str] = []
        for cell in row.iterfind(f"{_MAIN}c"):
            place = _place(cell.get("r", ""), len(cells))
            if place >= 100:
                break
            cells.extend("" for _missing in range(place - len(cells)))
            cells.append(_value(cell, strings))
        rows.append(cells)
    return rows


def _place(name: str, following: int) -> int:
    letters = re.match(r"[A-Z]{1,3}", name)
    if letters is None:
        return following
    place = 0
    for letter in letters[0]:
        place = place * 26 + ord(letter) - ord("A") + 1
    return max(place - 1, following)


def _value(cell: ElementTree.Element, strings: Sequence[str]) -> str:
    if cell.get("t") == "inlineStr":
        return "".join(part.text or "" for part in cell.iter(f"{_MAIN}t"))
    value = cell.findtext(f"{_MAIN}v") or ""
    if cell.get("t") == "s":
        return strings[int(value)] if value.isdigit() and int(value) < len(strings) else ""
    return value


def _wrong(row: int, vi: str, en: str) -> Finding:
    message = Text(f"Dòng {row}: {vi}", f"Row {row}: {en}") if row else Text(vi, en)
    return Finding(code="table_wrong", severity=Severity.ERROR, where="table", message=message)
