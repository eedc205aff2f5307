"""Every state as sign, word and fill: colour alone never carries it."""

from __future__ import annotations

from dataclasses import dataclass

from schedules.airing import Evidence, Verdict
from schedules.duty import Counting, DutyState, Period
from schedules.emergency import AlertState, Urgency
from schedules.grid import DayKind, ItemKind, Timing
from schedules.programme import Order, Otherwise
from schedules.segment import Priority, SegmentKind, SegmentState
from schedules.sources import SourceKind, StreamFormat
from schedules.text import Text
from store.contributions import ContributionState
from store.emergencies import OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How a state shows. sign: its symbol in the sprite and its colour class; word: what stands beside it."""

    sign: str
    word: Text


def _mark(sign: str, vi: str, en: str) -> Mark:
    return Mark(sign=sign, word=Text(vi, en))


VERDICTS = {
    Verdict.AIRED: _mark("aired", "Phát thành công", "Aired"),
    Verdict.PARTIAL: _mark("partial", "Phát không đầy đủ", "Partly aired"),
    Verdict.MISSED: _mark("missed", "Không phát", "Missed"),
    Verdict.REPLACED: _mark("replaced", "Đã thay bằng mục khác", "Replaced"),
    Verdict.CANCELLED: _mark("cancelled", "Đã hủy", "Cancelled"),
}
STEP_DONE = _mark("aired", "Xong", "Done")
STEP_OPEN = _mark("planned", "Chưa làm", "Not done yet")
DUTIES = {
    DutyState.PLANNED: _mark("planned", "Đã xếp lịch", "Planned"),
    DutyState.AT_RISK: _mark("at_risk", "Có nguy cơ", "At risk"),
    DutyState.MET: _mark("aired", "Đạt", "Met"),
    DutyState.MADE_UP: _mark("made_up", "Đạt nhờ phát bù", "Made up"),
    DutyState.MISSED: _mark("missed", "Không đạt", "Missed"),
    DutyState.EXCUSED: _mark("excused", "Được miễn", "Excused"),
}
SEGMENTS = {
    SegmentState.RECEIVED: _mark("planned", "Đã nhận, đang chờ kiểm tra", "Received, waiting for its check"),
    SegmentState.ANALYSING: _mark("planned", "Đang kiểm tra", "Being checked"),
    SegmentState.READY: _mark("planned", "Sẵn sàng trình duyệt", "Ready to submit"),
    SegmentState.REFUSED: _mark("missed", "Không dùng được", "Cannot be used"),
    SegmentState.SUBMITTED: _mark("planned", "Chờ duyệt", "Submitted"),
    SegmentState.APPROVED: _mark("approved", "Đã duyệt", "Approved"),
    SegmentState.RETURNED: _mark("at_risk", "Bị trả lại", "Returned"),
    SegmentState.WITHDRAWN: _mark("cancelled", "Đã thu hồi", "Withdrawn"),
}
STATIONS = {
    "off": _mark("off", "Chưa hoạt động", "Off"),
    "idle": _mark("planned", "Chờ buổi phát", "Waiting for airtime"),
    "armed": _mark("planned", "Sắp phát", "About to air"),
    "on_air": _mark("on_air", "Đang phát", "On air"),
    "live": _mark("on_air", "Phát trực tiếp", "Live"),
    "emergency": _mark("emergency", "Khẩn cấp", "Emergency"),
    "fault": _mark("fault", "Hư hỏng", "Faulty"),
    "untrusted_clock": _mark("at_risk", "Đồng hồ chưa tin được", "Clock not trusted"),
    "silent": _mark("silent", "Mất liên lạc", "No contact"),
}
OUTPUTS = {
    "ok": _mark("aired", "Có tiếng", "Has sound"),
    "opening": _mark("planned", "Đang mở", "Opening"),
    "idle": _mark("planned", "Nghỉ ngoài buổi phát", "Resting outside sessions"),
    "lost": _mark("fault", "Mất đầu ra", "Output lost"),
    "muted": _mark("fault", "Bị tắt tiếng", "Muted"),
    "suspended": _mark("fault", "Bị tạm dừng", "Suspended"),
    "moved": _mark("fault", "Bị chuyển sang thiết bị khác", "Moved to another device"),
}
AMPLIFIERS = {
    "on": _mark("aired", "Tăng âm đang bật", "Amplifier on"),
    "off": _mark("planned", "Tăng âm đang tắt", "Amplifier off"),
    "fault": _mark("fault", "Tăng âm không bật, tắt được", "Amplifier does not switch"),
}
EARS = {
    "hearing": _mark("aired", "Đang nghe đầu ra", "The output is being heard"),
    "matching": _mark("aired", "Đang nghe và đối chiếu với bài đang phát", "Heard and compared with what is on air"),
    "lost": _mark("at_risk", "Không nghe được đầu ra để kiểm tra", "The output cannot be heard for checking"),
    "foreign": _mark("fault", "Đầu ra có tiếng khác với bài đang phát", "Something else is heard than what is on air"),
    "silent": _mark("fault", "Đầu ra im tiếng", "Nothing is heard"),
    "unscheduled": _mark("fault", "Đầu ra có tiếng ngoài buổi phát", "Sound is heard outside sessions"),
}
ALERTS = {
    AlertState.SENT: _mark("planned", "Chờ máy nhận", "Waiting for the station"),
    AlertState.RECEIVED: _mark("planned", "Máy đã nhận", "Received"),
    AlertState.ON_AIR: _mark("emergency", "Đang phát", "On air"),
    AlertState.DONE: _mark("aired", "Đã phát xong", "Done"),
    AlertState.STOPPED: _mark("cancelled", "Đã dừng", "Stopped"),
    AlertState.REFUSED: _mark("missed", "Máy từ chối", "Refused"),
    AlertState.EXPIRED: _mark("missed", "Hết hạn, không phát", "Expired, not aired"),
    AlertState.CANCELLED: _mark("cancelled", "Đã hủy, không phát", "Cancelled, not aired"),
}
EMERGENCIES = {
    OrderState.AWAITING_SECOND: _mark("at_risk", "Chờ người thứ hai xác nhận", "Waiting for a second person"),
    OrderState.ISSUED: _mark("emergency", "Đã ra lệnh", "Ordered"),
    OrderState.OVER: _mark("planned", "Đã kết thúc", "Over"),
    OrderState.CANCELLED: _mark("cancelled", "Đã hủy, không phát", "Cancelled, not aired"),
    OrderState.EXPIRED: _mark("cancelled", "Hết hạn, không phát", "Expired, not aired"),
}
DRILL = _mark("drill", "DIỄN TẬP", "DRILL")
WAITING_FOR_LINK = _mark("silent", "Chờ liên lạc", "Waiting for contact")
NORMAL = _mark("aired", "Bình thường", "Normal")
PLANNED = _mark("planned", "Đã xếp lịch", "Planned")
ON_AIR = STATIONS["on_air"]
CLASH = _mark("missed", "Trùng giờ", "Overlap")
EMPTY = _mark("at_risk", "Chưa có bài", "No item yet")

EVIDENCE = {
    Evidence.E0: Text("Không có minh chứng", "No evidence"),
    Evidence.E1: Text("Đã đếm mẫu", "Samples counted"),
    Evidence.E2: Text("Đã đo đầu ra", "Output measured"),
    Evidence.E3: Text("Đã nghe tại loa", "Heard at the loudspeaker"),
    Evidence.H: Text("Người xác nhận", "Confirmed by a person"),
}
KINDS = {
    SegmentKind.TIN: Text("Tin", "News item"),
    SegmentKind.BAI: Text("Bài", "Feature"),
    SegmentKind.BAN_TIN: Text("Bản tin", "Bulletin"),
    SegmentKind.THONG_BAO: Text("Thông báo", "Notice"),
    SegmentKind.TRA_LOI: Text("Trả lời phản ánh", "Answer to feedback"),
    SegmentKind.NHAC_HIEU: Text("Nhạc hiệu", "Signature tune"),
}
# Codes of ISO 639: the tongues of the province's stations.
LANGUAGES = {
    "vi": Text("Tiếng Việt", "Vietnamese"),
    "hre": Text("Tiếng Hrê", "Hrê"),
    "cua": Text("Tiếng Co (Cor)", "Co (Cor)"),
    "sed": Text("Tiếng Ca Dong, Xơ Đăng", "Ca Dong, Sedang"),
}
ITEMS = {
    ItemKind.IDENT: Text("Nhạc hiệu", "Signature tune"),
    ItemKind.GREETING: Text("Lời chào mở đầu", "Opening announcement"),
    ItemKind.SEGMENT: Text("Tin, bài", "Item"),
    ItemKind.RELAY: Text("Tiếp âm", "Relay"),
    ItemKind.NOTICE: Text("Thông báo", "Notice"),
    ItemKind.FILLER: Text("Nhạc đệm", "Filler"),
    ItemKind.CLOSING: Text("Lời chào kết thúc", "Closing announcement"),
    ItemKind.LIVE: Text("Phát trực tiếp", "Live"),
    ItemKind.EMERGENCY: Text("Khẩn cấp", "Emergency"),
}
TIMINGS = {
    Timing.HARD: Text("Đúng giờ, cắt mục đang phát", "On the second, cutting what is on air"),
    Timing.SOFT: Text("Chờ mục đang phát xong", "After the item on air has ended"),
    Timing.RELATIVE: Text("Nối tiếp mục trước", "When the item before ends"),
}
ITEM_TIMINGS = {
    Timing.HARD: Text("Đúng giờ, cắt mục trước", "On the second, cutting the item before"),
    Timing.SOFT: Text("Tới giờ, chờ mục trước phát xong", "At its time, after the item before"),
    Timing.RELATIVE: Text("Nối tiếp mục trước", "When the item before ends"),
}
DAYS = {
    DayKind.ORDINARY: Text("Ngày thường", "Ordinary day"),
    DayKind.DAY_OFF: Text("Ngày nghỉ bù, nghỉ hoán đổi", "Day off by decree"),
    DayKind.HOLIDAY: Text("Ngày lễ", "Public holiday"),
    DayKind.TET: Text("Tết", "Lunar New Year"),
    DayKind.WORKING: Text("Ngày làm bù", "Working day by decree"),
    DayKind.MOURNING: Text("Quốc tang", "Mourning"),
}
SESSION_FIELDS = {
    "name": Text("tên buổi", "its name"),
    "weekdays": Text("thứ trong tuần", "its weekdays"),
    "starts": Text("giờ bắt đầu", "its starts"),
    "length_s": Text("độ dài", "its length"),
    "items": Text("các mục", "its items"),
    "valid_from": Text("ngày đầu", "its first date"),
    "valid_until": Text("ngày cuối", "its last date"),
    "every_weeks": Text("số tuần lặp lại", "its cycle of weeks"),
    "anchor": Text("tuần bắt đầu", "its first week"),
    "month_days": Text("ngày trong tháng", "its days of the month"),
    "nth_weekdays": Text("thứ của tháng", "its weekdays of the month"),
    "only": Text("loại ngày", "its kinds of days"),
    "owner": Text("đơn vị đặt lịch", "its owner"),
    "targets": Text("cụm loa", "its cluster groups"),
}
GRID_ACTS = {
    "grid": Text("sửa lịch", "changed the schedule"),
    "grid.publish": Text("công bố một buổi", "published a session"),
    "grid.remove": Text("bỏ một buổi", "removed a session"),
    "grid.template": Text("công bố tuần mẫu", "published a week template"),
    "grid.template_end": Text("kết thúc tuần mẫu", "ended a week template"),
    "grid.except": Text("hủy hoặc dời một ngày", "cancelled or moved one date"),
    "grid.except_end": Text("bỏ một quyết định", "took back a decision"),
    "grid.pencil_publish": Text("công bố bản nháp", "published a draft"),
}
COUNTINGS = {
    Counting.AIRINGS: Text("số lần phát", "airings"),
    Counting.TOPICS: Text("số chủ đề khác nhau", "different topics"),
}
PERIODS = {
    Period.WEEK: Text("tuần", "week"),
    Period.MONTH: Text("tháng", "month"),
    Period.YEAR: Text("năm", "year"),
}
PRIORITIES = {
    Priority.NORMAL: Text("Thông thường", "Normal"),
    Priority.PRIORITY: Text("Ưu tiên", "Priority"),
    Priority.EMERGENCY: Text("Khẩn cấp", "Emergency"),
}
URGENCIES = {
    Urgency.MODERATE: Text("Cần chú ý: nhường lệnh nghiêm trọng hơn", "Moderate: gives way to what is more urgent"),
    Urgency.SEVERE: Text(
        "Nghiêm trọng: chờ bản tin khẩn cấp khác nói hết", "Severe: waits for an emergency message to end"
    ),
    Urgency.EXTREME: Text(
        "Đặc biệt nghiêm trọng: cắt ngay lệnh thấp hơn", "Extreme: cuts an order of lower urgency at once"
    ),
}
SOURCES = {
    SourceKind.HTTP: Text("Luồng liên tục (HTTP, Icecast)", "Endless stream (HTTP, Icecast)"),
    SourceKind.HLS: Text("HLS (tệp .m3u8)", "HLS (.m3u8)"),
    SourceKind.LINE: Text("Đường vào của máy phát ở đài", "Input of the station's own machine"),
}
FORMATS = {
    StreamFormat.MP3: Text("MP3", "MP3"),
    StreamFormat.AAC: Text("AAC", "AAC"),
    StreamFormat.OGG: Text("Ogg (Opus, Vorbis)", "Ogg (Opus, Vorbis)"),
}
ORDERS = {
    Order.NEWEST: Text("Bài mới nhất trước", "Newest first"),
    Order.SERIES: Text("Lần lượt từng kỳ", "A series, episode by episode"),
}
OTHERWISE = {
    Otherwise.CENTRE: Text("bài mới của cấp trên", "a new item of a unit above"),
    Otherwise.REPEAT: Text("phát lại bài gần nhất", "the last one again"),
    Otherwise.ROTATION: Text("xoay vòng bài cũ", "earlier items in rotation"),
    Otherwise.EVERGREEN: Text("bài dự phòng", "a reserve item"),
}
ROLES = {
    "operator": Text("Cán bộ phụ trách đài", "Station officer"),
    "approver": Text("Lãnh đạo duyệt bài", "Approver"),
    "centre": Text("Trung tâm", "Centre"),
    "inspector": Text("Cán bộ kiểm tra", "Inspector"),
    "admin": Text("Quản trị hệ thống", "Administrator"),
}
TROUBLE = frozenset({"fault", "untrusted_clock", "silent", "off"})
ITEMS_BY_VALUE = {kind.value: word for kind, word in ITEMS.items()}
CONTRIBUTIONS = {
    ContributionState.NEW: _mark("planned", "Mới", "New"),
    ContributionState.USED: _mark("aired", "Đã làm thành bài", "Made into an item"),
    ContributionState.THANKED: _mark("approved", "Đã trả lời", "Answered"),
    ContributionState.REJECTED: _mark("cancelled", "Không dùng", "Not used"),
}
