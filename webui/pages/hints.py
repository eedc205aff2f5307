"""The three hints of a page, opened by "?": each is placed on what it is about, and may be opened again at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from schedules.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One hint. at: a CSS selector of what it is about; where the page has none, the hint is not shown."""

    at: str
    text: Text


def _hint(at: str, vi: str, en: str) -> Hint:
    return Hint(at=at, text=Text(vi, en))


_ANSWER = ".answer"

HINTS: Mapping[str, tuple[Hint, ...]] = MappingProxyType(
    {
        "pages.new_text": (
            _hint(
                "#f-body",
                "Viết như khi nói. Chỗ trong ngoặc vuông là chỗ phải điền.",
                "Write as you would say it. Square brackets are places to fill.",
            ),
            _hint(
                "[value=look]",
                "Xem từng chữ máy sẽ đọc, trước khi tạo giọng nói.",
                "See every word as it will be said, before it is spoken.",
            ),
            _hint(
                "#f-airs_at",
                "Thông báo gấp: ghi giờ phát ở đây, duyệt xong máy tự xếp.",
                "Urgent: give the time here, and the approval puts it on air.",
            ),
        ),
        "pages.text": (
            _hint(
                "#may-doc mark",
                "Chỗ tô màu được đọc khác chữ viết; màu cam là chỗ cần xem lại.",
                "Marked words are said otherwise than written; orange ones want a look.",
            ),
            _hint(
                "#may-doc .list .btn",
                "Sửa cách đọc một lần, từ sau máy đọc đúng.",
                "Correct a word once, and it is said right from then on.",
            ),
            _hint(
                "[value=speak]",
                "Tạo xong phải nghe hết mới trình duyệt được.",
                "What was spoken has to be heard to its end before it is submitted.",
            ),
        ),
        "pages.onestop_week": (
            _hint(_ANSWER, "Tuần này đã có số liệu chưa.", "Whether this week has its figures."),
            _hint(
                "#f-received",
                "Nhập bốn số của bộ phận một cửa; số tuần trước ở ngay dưới.",
                "Four figures of the one-stop shop; last week's stand below each.",
            ),
            _hint(
                "[value=script]",
                "Máy viết sẵn lời đọc từ số liệu, rồi đọc hoặc để người đọc.",
                "The figures become a text, to be spoken or read aloud.",
            ),
        ),
        "pages.guidances": (
            _hint(_ANSWER, "Hướng dẫn mới nhất của cấp trên.", "The newest guidance from above."),
            _hint("main .list a", "Mở để đọc, nghe bản mẫu hoặc tải tệp.", "Open it to read, listen or download."),
            _hint("main .btn.p", "Trung tâm viết hướng dẫn ở đây.", "The centre writes guidance here."),
        ),
        "pages.today": (
            _hint(
                _ANSWER,
                "Câu này trả lời: có việc gì phải làm ngay không.",
                "This says whether there is anything to do now.",
            ),
            _hint(
                "main .card .note",
                "Nếu không ai làm gì, máy sẽ làm điều này.",
                "If nobody does anything, this is what happens.",
            ),
            _hint(
                "main .ribbon",
                "Trên là kế hoạch, dưới là thực tế. Chỗ gạch chéo: im lặng là đúng.",
                "Plan above, reality below. Where it is hatched, silence is right.",
            ),
        ),
        "pages.approvals": (
            _hint("main .player", "Bấm ▶ nghe trước khi duyệt.", "Press ▶ and listen before approving."),
            _hint("main article h2", "Tên bài dẫn tới thẻ bài đầy đủ.", "The title leads to the whole card."),
            _hint(
                "main article .acts",
                "Duyệt hoặc trả lại; lỡ tay thì Hoàn tác trong 10 giây.",
                "Approve or return; undo within 10 seconds.",
            ),
        ),
        "pages.items": (
            _hint(_ANSWER, "Còn bao nhiêu bài chờ duyệt hoặc bị trả lại.", "How many items wait or came back."),
            _hint(
                "main .filters, main .filterform",
                "Lọc theo trạng thái, đài, chuyên mục.",
                "Filter by state, station, programme.",
            ),
        ),
        "pages.new_item": (
            _hint(
                "main form",
                "Chọn tệp, ghi âm ngay, hoặc gõ văn bản cho máy đọc.",
                "Choose a file, record, or type a text to be read.",
            ),
            _hint(
                "#f-title, [name=title]",
                "Tên bài hiện trong lịch, nhật ký và báo cáo.",
                "The title stands in schedule, log and reports.",
            ),
            _hint(
                "main form button.p, main form .btn.p",
                "Máy kiểm tra xong thì nghe lại rồi trình duyệt.",
                "When it is checked, listen to it and submit it.",
            ),
        ),
        "pages.trim_item": (
            _hint(
                "[data-trim-wave]",
                "Phần mờ là phần bỏ đi. Kéo hai tay nắm, hoặc dùng phím mũi tên.",
                "What is faded goes. Drag the two handles, or use the arrow keys.",
            ),
            _hint(
                "[data-trim-play=tail]",
                "Nghe 3 giây cuối để chắc không cắt mất chữ.",
                "Play the last 3 seconds to be sure that no word is lost.",
            ),
            _hint(
                "main form .btn.p",
                "Cắt xong là bản mới: nghe lại và trình duyệt lại.",
                "The result is a new version: listen to it and submit it again.",
            ),
        ),
        "pages.week": (
            _hint(_ANSWER, "Tuần này phát gì, có vướng gì không.", "What airs this week, and what is in the way."),
            _hint(
                "main .cal, main .agenda, main table",
                "Viền là kế hoạch; mục đã phát mang dấu kết quả.",
                "Outlined is planned; what aired carries its result.",
            ),
        ),
        "pages.duties": (
            _hint(_ANSWER, "Ai đạt, ai chưa đạt.", "Who met the duty, and who did not."),
            _hint(
                "main table, main .board",
                "Bấm một ô để thấy lý do và nghe lại.",
                "Press a cell for the reason and the recordings.",
            ),
        ),
        "pages.airlog": (
            _hint(
                "main .filters",
                "Chỉ xem mục có vấn đề, hoặc tải cả bảng về.",
                "Only what went wrong, or the whole table to take away.",
            ),
            _hint(
                "main .filterform",
                "Bộ lọc nằm trong địa chỉ: gửi liên kết là người khác thấy như vậy.",
                "Filters stand in the address: send it, and others see the same.",
            ),
            _hint(
                "main table .ev, main .list .ev, main .ev",
                "Vạch càng nhiều, bằng chứng càng chắc: từ đếm mẫu đến nghe tại loa.",
                "More bars, stronger evidence: from counted samples to heard at the loudspeaker.",
            ),
        ),
        "pages.airing": (
            _hint(_ANSWER, "Lượt này có thật không.", "Whether this airing was real."),
            _hint("main .pvr", "Kế hoạch và thực tế cạnh nhau.", "Plan and reality side by side."),
            _hint("#xac-nhan", "Nếu anh/chị có mặt, xác nhận ở đây.", "If you were there, confirm it here."),
        ),
        "pages.stations": (
            _hint(_ANSWER, "Đài nào cần xử lý, đài đó đứng đầu.", "Stations that need help come first."),
            _hint(
                "main .filters, main form",
                "Tìm đài theo tên hoặc lọc theo trạng thái.",
                "Find a station by name, or filter by state.",
            ),
        ),
        "pages.station": (_hint(_ANSWER, "Đài này đang thế nào.", "How this station is."),),
        "pages.faults": (
            _hint(_ANSWER, "Bao nhiêu sự cố đang kéo dài.", "How many faults last."),
            _hint(
                "main .card",
                "Mỗi dòng: từ lúc nào, vì sao, phải làm gì, ai đã được báo.",
                "Each line: since when, why, what to do, who was told.",
            ),
        ),
        "pages.equipment": (
            _hint(
                _ANSWER, "Bao nhiêu cụm loa tốt, bao nhiêu phiếu đang mở.", "Clusters that work, tickets that are open."
            ),
            _hint("main .kpis", "Tuổi phiếu, ngày im tiếng, hạn sửa.", "Age, silent days, due day."),
            _hint(
                "main .note.warn",
                "Nếu không ai làm gì, phiếu tự báo lên cấp trên vào ngày này.",
                "If nobody does anything, the tier above is told on this day.",
            ),
        ),
        "pages.ticket": (
            _hint("main .tl", "Mọi bước đều được ghi, không xóa được.", "Every step is kept for good."),
            _hint("#viec", "Việc tiếp theo của anh/chị.", "Your next step."),
            _hint(
                "main .note.warn",
                "Nếu không ai làm gì, phiếu tự báo lên cấp trên vào ngày này.",
                "If nobody does anything, the tier above is told on this day.",
            ),
        ),
        "pages.inspections": (
            _hint(
                _ANSWER, "Đợt kiểm tra tới đâu, đài nào quá hạn tự kiểm tra.", "How far rounds are, who owes a check."
            ),
        ),
        "pages.complaints": (
            _hint(_ANSWER, "Ai chưa được trả lời, ai đã quá hạn.", "Who waits for an answer, and who too long."),
        ),
        "pages.emergencies": (
            _hint(
                "main .card",
                "Lệnh đang chạy đứng đầu, dừng được ngay.",
                "Orders that run come first and can be stopped at once.",
            ),
        ),
    }
)


def of(endpoint: str | None) -> tuple[Hint, ...]:
    """Return the hints of a page, none where it has none."""
    return HINTS.get(endpoint or "", ())
