"""PDF: the same paper as a page of HTML, printed without network and without any file but the system's fonts."""

from __future__ import annotations

import io
from html import escape
from typing import NoReturn

from weasyprint import HTML

from webui.papers import layout
from webui.papers.paper import Cell, Kind, Paper, Table, numbered, place_and_day, roman, written

_NUMBERS = frozenset({Kind.COUNT, Kind.DECIMAL, Kind.PERCENT, Kind.DAY, Kind.MOMENT})


class NothingIsFetched(Exception):
    """A paper asked for a file or an address; it gets none."""


def refuse(url: str, *_more: object, **_named: object) -> NoReturn:
    """Fetch nothing: whatever a title or a name holds, no server and no file is asked for it."""
    raise NothingIsFetched(url[:100])


def printed(paper: Paper) -> bytes:
    """Return the paper as PDF."""
    target = io.BytesIO()
    HTML(string=page(paper), base_url=None, url_fetcher=refuse).write_pdf(target)
    return target.getvalue()


def page(paper: Paper) -> str:
    """Return the paper as HTML, everything in it escaped."""
    many = len(paper.appendices) > 1
    appendices = "".join(
        f'<section class="across"><p class="ap">{"Phụ lục " + roman(count) if many else "Phụ lục"}</p>'
        f'<p class="at">{escape(table.title.upper())}</p><p class="ar">{escape(paper.reference)}</p>'
        f"{_table(table, wide=True)}</section>"
        for count, table in enumerate(paper.appendices, start=1)
    )
    body = _table(paper.body, wide=False) if paper.body is not None else ""
    return (
        f'<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>{escape(" ".join(paper.about))}</title>'
        f"<style>{_STYLE}</style></head><body>{_head(paper)}<h1>{escape(paper.name)}</h1>"
        f'<div class="about">{"<br>".join(map(escape, paper.about))}</div><div class="rule r3"></div>'
        f"{_text(paper, first=True)}{body}{_text(paper, first=False)}{_foot(paper)}{appendices}</body></html>"
    )


def _head(paper: Paper) -> str:
    head = paper.letterhead
    above = f"<div>{escape(head.above.upper())}</div>" if head.above else ""
    agency = "<br>".join(map(escape, head.agency.upper().splitlines()))
    return (
        f'<table class="two"><tr><td class="l">{above}<b>{agency}</b><div class="rule r1"></div>'
        f'<div class="no">{escape(numbered(head))}</div></td><td class="r"><b>{layout.NATION}</b><br>'
        f'<b class="motto">{layout.MOTTO}</b><div class="rule r2"></div>'
        f"<i>{escape(place_and_day(head))}</i></td></tr></table>"
    )


def _text(paper: Paper, *, first: bool) -> str:
    return "".join(
        f'<p class="{"h" if one.heading else "t"}">{escape(one.text)}</p>'
        for one in (paper.text if first else paper.rest)
    )


def _foot(paper: Paper) -> str:
    head = paper.letterhead
    listed = "".join(f"<div>- {escape(one)}</div>" for one in head.recipients)
    return (
        f'<table class="two sign"><tr><td class="to"><b><i>Nơi nhận:</i></b>{listed}</td><td class="who">'
        f'<b>{"<br>".join(map(escape, head.signer_title.splitlines()))}</b><div class="room"></div>'
        f"<b>{escape(head.signer)}</b></td></tr></table>"
    )


def _table(table: Table, *, wide: bool) -> str:
    whole = sum(column.width for column in table.columns)
    widths = "".join(f'<col style="width:{column.width / whole * 100:.2f}%">' for column in table.columns)
    rows = "".join(_row(table, row, "") for row in table.rows)
    total = _row(table, table.total, ' class="sum"') if table.total is not None else ""
    return (
        f'<table class="data{" wide" if wide else ""}"><colgroup>{widths}</colgroup><thead>{_heads(table)}</thead>'
        f"<tbody>{rows}{total}</tbody></table>"
    )


def _heads(table: Table) -> str:
    if not any(column.group for column in table.columns):
        return "<tr>" + "".join(f"<th>{escape(column.head)}</th>" for column in table.columns) + "</tr>"
    upper, lower, last = [], [], ""
    for column in table.columns:
        if not column.group:
            upper.append(f'<th rowspan="2">{escape(column.head)}</th>')
        else:
            lower.append(f"<th>{escape(column.head)}</th>")
            if column.group != last:
                span = sum(one.group == column.group for one in table.columns)
                upper.append(f'<th colspan="{span}">{escape(column.group)}</th>')
        last = column.group
    return f"<tr>{''.join(upper)}</tr><tr>{''.join(lower)}</tr>"


def _row(table: Table, row: tuple[Cell, ...], kind: str) -> str:
    cells = []
    for value, column in zip(row, table.columns, strict=True):
        side = "m" if column.kind is Kind.MONEY else "c" if column.kind in _NUMBERS or column.width <= 0.6 else "x"
        cells.append(f'<td class="{side}">{escape(written(value, column.kind))}</td>')
    return f"<tr{kind}>{''.join(cells)}</tr>"


_STYLE = f"""
@page {{ size: {layout.PAGE_MM[0]}mm {layout.PAGE_MM[1]}mm;
  margin: {layout.TOP_MM}mm {layout.RIGHT_MM}mm {layout.BOTTOM_MM}mm {layout.LEFT_MM}mm;
  @top-center {{ content: counter(page); font: 13pt "{layout.FREE_FONT}"; padding-top: 6mm; vertical-align: top }} }}
@page :first {{ @top-center {{ content: none }} }}
@page across {{ size: {layout.PAGE_MM[1]}mm {layout.PAGE_MM[0]}mm }}
body {{ font: {layout.BODY_PT}pt/1.25 "{layout.FREE_FONT}"; color: #000; margin: 0 }}
h1 {{ font-size: 14pt; text-align: center; margin: 14pt 0 0 }}
.about {{ font-weight: bold; font-size: 14pt; text-align: center }}
.two {{ width: 100%; border-collapse: collapse; table-layout: fixed }}
.two td {{ vertical-align: top; text-align: center; padding: 0; line-height: 1.3 }}
.l {{ width: 40%; font-size: {layout.SMALL_HEAD_PT}pt }} .r {{ font-size: {layout.SMALL_HEAD_PT}pt }}
.two .r {{ font-size: 12pt }} .r i, .no {{ font-size: 13pt }} .motto {{ font-size: {layout.MOTTO_PT}pt }}
.rule {{ border-top: .75pt solid #000; margin: 2pt auto 4pt }}
.r1 {{ width: 22mm }} .r2 {{ width: 54mm }} .r3 {{ width: 45mm; margin: 4pt auto 10pt }}
p {{ margin: {layout.AFTER_PT / 2}pt 0; text-align: justify; text-indent: {layout.INDENT_MM}mm; orphans: 2; widows: 2 }}
p.h {{ font-weight: bold; break-after: avoid }}
.data {{ width: 100%; border-collapse: collapse; table-layout: fixed; font-size: {layout.TABLE_PT}pt; margin: 6pt 0 8pt;
  line-height: 1.2 }}
.wide {{ font-size: {layout.WIDE_PT}pt }}
.data th, .data td {{ border: .5pt solid #000; padding: 2pt 3pt; overflow-wrap: anywhere }}
.data th {{ text-align: center; vertical-align: middle; overflow-wrap: break-word }}
.data td {{ vertical-align: top }} .c {{ text-align: center }} .m {{ text-align: right }}
.data thead {{ display: table-header-group }} .data tr {{ break-inside: avoid }} .sum td {{ font-weight: bold }}
.sign {{ margin-top: 14pt; break-inside: avoid }} .two .to {{ text-align: left; font-size: {layout.LIST_PT}pt }}
.to b {{ font-size: {layout.RECIPIENTS_PT}pt }} .who {{ width: 52% }} .room {{ height: 24mm }}
.across {{ page: across; break-before: page }}
.ap, .at, .ar {{ text-align: center; text-indent: 0; margin: 0 }} .ap {{ font-weight: bold; font-size: 14pt }}
.at {{ font-weight: bold }} .ar {{ font-style: italic; margin-bottom: 6pt }}
"""
