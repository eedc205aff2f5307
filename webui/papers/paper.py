"""One paper of an office as a value: letterhead, text, tables; every file format is made of it, so all say the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

Cell = str | int | float | date | datetime | None


class Kind(StrEnum):
    """What a column holds: how it is written, and how a spreadsheet keeps it. MONEY: whole đồng."""

    TEXT = "text"
    COUNT = "count"
    DECIMAL = "decimal"
    PERCENT = "percent"
    MONEY = "money"
    DAY = "day"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. key: its tag in a template. group: a common head over neighbours. width: against the others."""

    key: str
    head: str
    kind: Kind = Kind.TEXT
    group: str = ""
    width: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table. total: a last row, of which the first text is its name; None for none."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """Who issues, and under what number. agency: in one line or two.

    above: the agency over it, empty where none is named (an UBND names none).
    number, day: empty and None until the paper is issued. signer_title: its lines, such as `KT. CHỦ TỊCH`.
    """

    above: str = ""
    agency: str
    number: str = ""
    symbol: str = ""
    place: str = ""
    day: date | None = None
    signer_title: str = ""
    signer: str = ""
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph of the text, or a heading in it."""

    text: str
    heading: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper. stem: of its file names. name: such as `BÁO CÁO`; about: what it is about, in lines.

    text: before the table `body` that stands upright on the first pages; rest: after it. appendices: tables on pages
    that lie across. sheets: tables for a spreadsheet, a number a cell; the first of them is the CSV.
    reference: how appendices name the paper that they belong to.
    """

    kind: str
    stem: str
    letterhead: Letterhead
    name: str
    about: tuple[str, ...]
    text: tuple[Paragraph, ...]
    body: Table | None = None
    rest: tuple[Paragraph, ...] = ()
    appendices: tuple[Table, ...] = ()
    sheets: tuple[Table, ...] = field(default_factory=tuple)

    @property
    def agency(self) -> str:
        """The name of the agency in one line, as it stands in a sentence."""
        return " ".join(self.letterhead.agency.split())

    @property
    def reference(self) -> str:
        """How an appendix names its paper: `(Kèm theo Báo cáo số 12/BC-UBND ngày 05 tháng 01 năm 2027 của …)`."""
        head = self.letterhead
        number = f" số {head.number}/{head.symbol}" if head.number else ""
        when = f" {day_words(head.day)}" if head.day is not None else ""
        return f"(Kèm theo {self.name.capitalize()}{number}{when} của {self.agency})"


def day_words(day: date) -> str:
    """Return `ngày 05 tháng 01 năm 2027`; days below 10 and the months 1 and 2 have a zero (Nghị định 30/2020)."""
    month = f"{day.month:02d}" if day.month < 3 else str(day.month)
    return f"ngày {day.day:02d} tháng {month} năm {day.year}"


def place_and_day(head: Letterhead) -> str:
    """Return the line under the national motto; dots where the day is still to be written by hand."""
    if head.day is None:
        return f"{head.place or '…………'}, ngày …… tháng …… năm ……"
    return f"{head.place or '…………'}, {day_words(head.day)}"


def numbered(head: Letterhead) -> str:
    """Return `Số: 12/BC-UBND`, with room for the number where it has none yet."""
    return f"Số: {head.number or '……'}/{head.symbol or '……'}"


def number(value: float, digits: int = 0) -> str:
    """Return `1.234,5`."""
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def padded(count: int) -> str:
    """Return a count as documents write it in sentences: `0`, `03`, `12`, `1.234`."""
    return f"{count:02d}" if 0 < count < 10 else number(count)


def written(value: Cell, kind: Kind) -> str:
    """Return a cell as it stands in a document; a dash for a number that there is none of."""
    if value is None:
        return "" if kind is Kind.TEXT else "–"
    if isinstance(value, datetime):
        return f"{value:%H:%M:%S %d/%m/%Y}" if kind is Kind.MOMENT else f"{value:%d/%m/%Y}"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, str):
        return value
    return number(value, 1 if kind in (Kind.DECIMAL, Kind.PERCENT) else 0)


def in_writing(paper: Paper) -> Paper:
    """Return the paper with every cell of its tables written out: on its way as JSON a day would become a text."""
    return replace(
        paper,
        body=_written_out(paper.body) if paper.body is not None else None,
        appendices=tuple(_written_out(table) for table in paper.appendices),
        sheets=(),
    )


def _written_out(table: Table) -> Table:
    def out(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
        return tuple(written(value, column.kind) for value, column in zip(row, table.columns, strict=True))

    return replace(table, rows=tuple(map(out, table.rows)), total=out(table.total) if table.total is not None else None)


def roman(count: int) -> str:
    """Return `I`, `II`, `III`… for the few appendices that a paper has."""
    return ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")[count - 1]
