"""How papers look after Nghị định 30/2020/NĐ-CP: sizes in millimetres and points, one place for DOCX and PDF."""

from __future__ import annotations

PAGE_MM = (210, 297)
TOP_MM, BOTTOM_MM, LEFT_MM, RIGHT_MM = 20, 20, 30, 15
"""Phụ lục I, mục I.3: 20–25 above and below, 30–35 left, 15–20 right."""

NATION = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
FONT = "Times New Roman"
FREE_FONT = "Liberation Serif"
"""As wide as Times New Roman, letter by letter, and free to embed."""

BODY_PT, SMALL_HEAD_PT, MOTTO_PT = 13, 12, 13
RECIPIENTS_PT, LIST_PT = 12, 11
TABLE_PT, WIDE_PT = 10.5, 9
INDENT_MM = 10
AFTER_PT = 6
