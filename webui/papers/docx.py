"""DOCX: the template that Loa brings (made here, tags and all, for an office to change), and what is filled in."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from docx import Document
from docx.document import Document as Doc
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Mm, Pt
from docx.table import Table as DocTable
from docx.table import _Cell
from docx.text.paragraph import Paragraph as DocParagraph
from docxtpl import DocxTemplate
from jinja2.sandbox import ImmutableSandboxedEnvironment

from webui.papers import layout
from webui.papers.paper import Column, Kind, Paper, Table, numbered, place_and_day, roman, written

_CENTRE = WD_ALIGN_PARAGRAPH.CENTER


def filled(template: bytes, context: dict[str, Any]) -> bytes:
    """Return the template with its tags filled in. Whoever wrote the template gets no further than these values.

    Raises jinja2.TemplateError, and many other things for a file that is no template.
    """
    made = DocxTemplate(io.BytesIO(template))
    made.render(context, ImmutableSandboxedEnvironment(autoescape=True), autoescape=True)
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def context(paper: Paper) -> dict[str, Any]:
    """Return the values by the names of their tags; everything is written out already."""
    head = paper.letterhead
    tables = {table.key: _rows(table) for table in _tables(paper)}
    return {
        "co_quan_tren": head.above.upper(),
        "co_quan": head.agency.upper(),
        "so": numbered(head),
        "dia_danh_ngay": place_and_day(head),
        "ten_loai": paper.name,
        "trich_yeu": list(paper.about),
        "doan": [{"chu": one.text, "muc": one.heading} for one in paper.text],
        "doan_cuoi": [{"chu": one.text, "muc": one.heading} for one in paper.rest],
        "chuc_vu": head.signer_title.splitlines(),
        "nguoi_ky": head.signer,
        "noi_nhan": list(head.recipients),
        "kem_theo": paper.reference,
        **tables,
    }


def _tables(paper: Paper) -> tuple[Table, ...]:
    return ((paper.body,) if paper.body else ()) + paper.appendices


def _rows(table: Table) -> list[dict[str, object]]:
    rows = [(row, False) for row in table.rows] + ([(table.total, True)] if table.total else [])
    return [
        {"cong": last}
        | {column.key: written(value, column.kind) for column, value in zip(table.columns, row, strict=True)}
        for row, last in rows
    ]


def shipped(paper: Paper) -> bytes:
    """Return the template that Loa brings for papers of this sort: laid out, with tags where values go."""
    document = Document()
    _styles(document)
    first = document.sections[0]
    _upright(first)
    _letterhead(document)
    _line(document, "{{ ten_loai }}", bold=True, size=14, before=12)
    _loop(document, "dong", "trich_yeu", lambda: _line(document, "{{ dong }}", bold=True, size=14))
    _rule(document, 45)
    _text(document, "doan")
    if paper.body is not None:
        _table(document, paper.body, layout.TABLE_PT, _width_mm(first))
    _text(document, "doan_cuoi")
    _signature(document)
    for count, table in enumerate(paper.appendices, start=1):
        section = document.add_section(WD_SECTION.NEW_PAGE)
        _across(section)
        many = len(paper.appendices) > 1
        _line(document, f"Phụ lục {roman(count)}" if many else "Phụ lục", bold=True, size=14)
        _line(document, table.title.upper(), bold=True, size=13)
        _line(document, "{{ kem_theo }}", italic=True, size=13, after=8)
        _table(document, table, layout.WIDE_PT, _width_mm(section))
    _page_numbers(document)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def _styles(document: Doc) -> None:
    style = document.styles["Normal"]
    style.font.name = layout.FONT
    style.font.size = Pt(layout.BODY_PT)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(name), layout.FONT)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "vi-VN")
    style.element.get_or_add_rPr().append(language)
    style.paragraph_format.space_after = Pt(0)
    style.paragraph_format.space_before = Pt(0)


def _upright(section: Section) -> None:
    section.page_width, section.page_height = Mm(layout.PAGE_MM[0]), Mm(layout.PAGE_MM[1])
    section.top_margin, section.bottom_margin = Mm(layout.TOP_MM), Mm(layout.BOTTOM_MM)
    section.left_margin, section.right_margin = Mm(layout.LEFT_MM), Mm(layout.RIGHT_MM)
    section.header_distance = Mm(10)


def _across(section: Section) -> None:
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(layout.PAGE_MM[1]), Mm(layout.PAGE_MM[0])
    section.left_margin, section.right_margin = Mm(layout.LEFT_MM), Mm(layout.RIGHT_MM)
    section.different_first_page_header_footer = False


def _width_mm(section: Section) -> float:
    width, left, right = section.page_width, section.left_margin, section.right_margin
    assert width is not None
    assert left is not None
    assert right is not None
    return (width - left - right) / 36_000


def _letterhead(document: Doc) -> None:
    table = document.add_table(rows=1, cols=2)
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    _widths(table, (65, 100))
    left, right = table.rows[0].cells
    _put(left, "{%p if co_quan_tren %}", first=True)
    _put(left, "{{ co_quan_tren }}", size=layout.SMALL_HEAD_PT)
    _put(left, "{%p endif %}")
    _put(left, "{{ co_quan }}", bold=True, size=layout.SMALL_HEAD_PT)
    _rule(left, 22)
    _put(left, "{{ so }}", size=13)
    _put(right, layout.NATION, bold=True, size=layout.SMALL_HEAD_PT, first=True)
    _put(right, layout.MOTTO, bold=True, size=layout.MOTTO_PT)
    _rule(right, 54)
    _put(right, "{{ dia_danh_ngay }}", italic=True, size=13)


def _text(document: Doc, name: str) -> None:
    document.add_paragraph(f"{{%p for d in {name} %}}")
    document.add_paragraph("{%p if d.muc %}")
    heading = document.add_paragraph()
    heading.add_run("{{ d.chu }}").bold = True
    _running(heading)
    document.add_paragraph("{%p else %}")
    _running(document.add_paragraph("{{ d.chu }}"))
    document.add_paragraph("{%p endif %}")
    document.add_paragraph("{%p endfor %}")


def _running(paragraph: DocParagraph) -> None:
    form = paragraph.paragraph_format
    form.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    form.first_line_indent = Mm(layout.INDENT_MM)
    form.space_before = form.space_after = Pt(layout.AFTER_PT / 2)


def _signature(document: Doc) -> None:
    document.add_paragraph()
    table = document.add_table(rows=1, cols=2)
    _widths(table, (80, 85))
    _keep_together(table)
    left, right = table.rows[0].cells
    _put(
        left, "Nơi nhận:", bold=True, italic=True, size=layout.RECIPIENTS_PT, align=WD_ALIGN_PARAGRAPH.LEFT, first=True
    )
    for text in ("{%p for n in noi_nhan %}", "- {{ n }}", "{%p endfor %}"):
        _put(left, text, size=layout.LIST_PT, align=WD_ALIGN_PARAGRAPH.LEFT)
    _put(right, "{%p for c in chuc_vu %}", first=True)
    _put(right, "{{ c }}", bold=True, size=13)
    _put(right, "{%p endfor %}")
    for _ in range(4):
        _put(right, "")
    _put(right, "{{ nguoi_ky }}", bold=True, size=13)


def _table(document: Doc, table: Table, size: float, width_mm: float) -> None:
    grouped = any(column.group for column in table.columns)
    made = document.add_table(rows=2 if grouped else 1, cols=len(table.columns))
    made.style = "Table Grid"
    made.alignment = WD_TABLE_ALIGNMENT.CENTER
    _heads(made, table.columns, size, grouped=grouped)
    for text in (f"{{%tr for d in {table.key} %}}", None, "{%tr endfor %}"):
        cells = made.add_row().cells
        if text is not None:
            cells[0].text = text
            continue
        for cell, column in zip(cells, table.columns, strict=True):
            align = WD_ALIGN_PARAGRAPH.LEFT if column.kind is Kind.TEXT and column.width > 0.6 else _CENTRE
            align = WD_ALIGN_PARAGRAPH.RIGHT if column.kind is Kind.MONEY else align
            _put(
                cell,
                f"{{% if d.cong %}}{{{{ d.{column.key} }}}}{{% endif %}}",
                bold=True,
                size=size,
                align=align,
                first=True,
            )
            run = cell.paragraphs[0].add_run(f"{{% if not d.cong %}}{{{{ d.{column.key} }}}}{{% endif %}}")
            run.font.size = Pt(size)
    _narrow_margins(made)
    whole = sum(column.width for column in table.columns)
    _widths(made, [column.width / whole * width_mm for column in table.columns])
    for row in made.rows[: 2 if grouped else 1]:
        _repeated(row._tr)
    for row in made.rows:
        _unbroken(row._tr)
        for cell in row.cells:
            form = cell.paragraphs[0].paragraph_format
            form.space_before = form.space_after = Pt(1.5)
    for row in made.rows[: 2 if grouped else 1]:
        for cell in row.cells:
            cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER


def _heads(made: DocTable, columns: tuple[Column, ...], size: float, *, grouped: bool) -> None:
    first = 0
    while first < len(columns):
        group = columns[first].group
        last = first
        while group and last + 1 < len(columns) and columns[last + 1].group == group:
            last += 1
        if group:
            joined = made.cell(0, first).merge(made.cell(0, last))
            _put(joined, group, bold=True, size=size, first=True)
            for place in range(first, last + 1):
                _put(made.cell(1, place), columns[place].head, bold=True, size=size, first=True)
        else:
            cell = made.cell(0, first).merge(made.cell(1, first)) if grouped else made.cell(0, first)
            _put(cell, columns[first].head, bold=True, size=size, first=True)
        first = last + 1


def _put(
    cell: _Cell,
    text: str,
    *,
    bold: bool = False,
    italic: bool = False,
    size: float = layout.BODY_PT,
    align: WD_ALIGN_PARAGRAPH = _CENTRE,
    first: bool = False,
) -> None:
    paragraph = cell.paragraphs[0] if first else cell.add_paragraph()
    run = paragraph.add_run(text)
    run.bold, run.italic, run.font.size = bold, italic, Pt(size)
    paragraph.alignment = align


def _line(
    document: Doc,
    text: str,
    *,
    bold: bool = False,
    italic: bool = False,
    size: float = layout.BODY_PT,
    before: float = 0,
    after: float = 0,
) -> None:
    paragraph = document.add_paragraph()
    run = paragraph.add_run(text)
    run.bold, run.italic, run.font.size = bold, italic, Pt(size)
    paragraph.alignment = _CENTRE
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(before), Pt(after)


def _loop(document: Doc, name: str, of: str, body: Any) -> None:  # noqa: ANN401 - a function without arguments
    document.add_paragraph(f"{{%p for {name} in {of} %}}")
    body()
    document.add_paragraph("{%p endfor %}")


def _rule(place: Doc | _Cell, width_mm: float) -> None:
    """Draw a thin line of that width in the middle: an empty paragraph with a border above it, indented."""
    paragraph = place.add_paragraph()
    room = 165.0 if not isinstance(place, _Cell) else (65.0 if width_mm < 40 else 100.0) - 3.8
    form = paragraph.paragraph_format
    form.left_indent = form.right_indent = Mm((room - width_mm) / 2)
    form.line_spacing = Pt(5)
    borders = OxmlElement("w:pBdr")
    top = OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
        top.set(qn(f"w:{name}"), value)
    borders.append(top)
    properties = paragraph._p.get_or_add_pPr()
    properties.insert_element_before(borders, "w:shd", "w:spacing", "w:ind", "w:jc")


def _widths(table: DocTable, widths_mm: Iterable[float]) -> None:
    table.autofit = False
    for column, width in zip(table.columns, widths_mm, strict=True):
        column.width = Mm(width)
        for cell in column.cells:
            cell.width = Mm(width)


def _narrow_margins(table: DocTable) -> None:
    """Leave 0.7 mm beside the text of each cell, so that short words fit into narrow columns."""
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        part = OxmlElement(f"w:{side}")
        part.set(qn("w:w"), "40")
        part.set(qn("w:type"), "dxa")
        margins.append(part)
    table._tbl.tblPr.append(margins)


def _repeated(row: Any) -> None:  # noqa: ANN401 - an element of XML
    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row.get_or_add_trPr().append(mark)


def _unbroken(row: Any) -> None:  # noqa: ANN401 - an element of XML
    mark = OxmlElement("w:cantSplit")
    mark.set(qn("w:val"), "true")
    row.get_or_add_trPr().insert(0, mark)


def _keep_together(table: DocTable) -> None:
    for row in table.rows:
        _unbroken(row._tr)


def _page_numbers(document: Doc) -> None:
    """Number the pages at the top in the middle, but not the first one."""
    for count, section in enumerate(document.sections):
        section.different_first_page_header_footer = count == 0
        if count:
            continue
        header = section.header
        header.is_linked_to_previous = False
        paragraph = header.paragraphs[0]
        paragraph.alignment = _CENTRE
        run = paragraph.add_run()
        run.font.size = Pt(13)
        for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
            if kind is None:
                part = OxmlElement("w:instrText")
                part.set(qn("xml:space"), "preserve")
                part.text = text
            else:
                part = OxmlElement("w:fldChar")
                part.set(qn("w:fldCharType"), kind)
            run._r.append(part)
