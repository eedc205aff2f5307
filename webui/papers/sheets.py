"""XLSX and CSV: numbers as numbers, days as days, and no cell that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import io
import math
from datetime import date, datetime

import xlsxwriter

from webui.cells import plain
from webui.papers.paper import Cell, Kind, Paper, Table

_A4_COLUMNS = 12
_LINE_PT = 15
_MOST_LINES = 27
_WRAPPED = 1.15
"""Words are not cut: lines hold a little less than their width."""
_FORMATS: dict[Kind, dict[str, object]] = {
    Kind.TEXT: {"text_wrap": True},
    Kind.COUNT: {"num_format": "#,##0"},
    Kind.DECIMAL: {"num_format": "#,##0.0"},
    Kind.PERCENT: {"num_format": "0.0%"},
    Kind.MONEY: {"num_format": "#,##0"},
    Kind.DAY: {"num_format": "dd/mm/yyyy"},
    Kind.MOMENT: {"num_format": "dd/mm/yyyy hh:mm:ss"},
}


def workbook(paper: Paper) -> bytes:
    """Return the paper's sheets as XLSX; percentages are given from 0 to 100 and kept as shares."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties({"title": " ".join(paper.about), "author": paper.letterhead.agency})
        base: dict[str, object] = {"font_name": "Times New Roman", "font_size": 11, "valign": "top", "border": 1}
        head = book.add_format(base | {"bold": True, "text_wrap": True, "align": "center", "bg_color": "#E3F1F2"})
        looks = {kind: book.add_format(base | look) for kind, look in _FORMATS.items()}
        strong = {kind: book.add_format(base | look | {"bold": True}) for kind, look in _FORMATS.items()}
        for table in paper.sheets:
            sheet = book.add_worksheet(_sheet_name(table.title))
            # So many columns are legible on A3 only; a printer that has none scales it down.
            sheet.set_paper(9 if len(table.columns) <= _A4_COLUMNS else 8)
            sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.5)
            sheet.set_row(0, 48 if len(table.columns) <= _A4_COLUMNS else 78)
            sheet.set_landscape()
            sheet.fit_to_pages(1, 0)
            sheet.repeat_rows(0)
            sheet.freeze_panes(1, 0)
            widths = [max(7.5, column.width * 9) for column in table.columns]
            for place, column in enumerate(table.columns):
                sheet.set_column(place, place, widths[place])
                sheet.write_string(0, place, _head(column.group, column.head), head)
            rows = [(row, looks) for row in table.rows] + ([(table.total, strong)] if table.total else [])
            for line, (row, its) in enumerate(rows, start=1):
                # LibreOffice does not grow a row by itself: long notes would be cut off or lie over the next row.
                sheet.set_row(line, _LINE_PT * min(_MOST_LINES, max(map(_lines, row, widths))))
                for place, (value, column) in enumerate(zip(row, table.columns, strict=True)):
                    _write(sheet, (line, place), value, column.kind, its)
            if table.rows:
                sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
    return target.getvalue()


def comma_separated(table: Table) -> bytes:
    """Return one table as CSV in UTF-8, marked as such; numbers have a decimal point, days are ISO 8601."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_head(column.group, column.head) for column in table.columns])
    for row in table.rows:
        writer.writerow([_plain(value) for value in row])
    # Without the mark at its head, spreadsheets read Vietnamese letters as something else.
    return ("\ufeff" + text.getvalue()).encode()


def _plain(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, int) else f"{round(value, 3)}"
    return plain(value)


def _write(
    sheet: xlsxwriter.worksheet.Worksheet,
    place: tuple[int, int],
    value: Cell,
    kind: Kind,
    looks: dict[Kind, xlsxwriter.format.Format],
) -> None:
    line, column = place
    if value is None:
        sheet.write_blank(line, column, None, looks[kind])
    elif isinstance(value, datetime):
        sheet.write_datetime(line, column, value.replace(tzinfo=None, microsecond=0), looks[kind])
    elif isinstance(value, date):
        sheet.write_datetime(line, column, value, looks[kind])
    elif isinstance(value, str):
        # Written as a string it is never a formula; the apostrophe is for those who save it as CSV.
        sheet.write_string(line, column, plain(value), looks[Kind.TEXT])
    else:
        sheet.write_number(line, column, value / 100 if kind is Kind.PERCENT else value, looks[kind])


def _lines(value: Cell, width: float) -> int:
    """Return how many lines a cell takes in a column of so many letters."""
    return 1 if not isinstance(value, str) else max(1, math.ceil(len(value) * _WRAPPED / width))


def _head(group: str, head: str) -> str:
    return f"{group}: {head}" if group else head


def _sheet_name(title: str) -> str:
    kept = "".join(" " if letter in "[]:*?/\\" else letter for letter in title).strip("' ")
    return kept[:31] or "Bảng"
