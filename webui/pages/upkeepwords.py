"""Words and signs of equipment, tickets, inspections, complaints and assignments."""

from __future__ import annotations

from schedules.checklist import Result
from schedules.text import Text
from schedules.upkeep import TicketState, Trouble
from store.assignments import AssignmentState
from store.complaints import About, Channel
from store.equipment import DeviceKind, DeviceState
from store.tickets import Origin
from webui.pages.states import Mark

TICKETS = {
    TicketState.OPEN: Mark(sign="fault", word=Text("Chưa giao", "Not assigned")),
    TicketState.ASSIGNED: Mark(sign="at_risk", word=Text("Đang sửa", "Being repaired")),
    TicketState.REPAIRED: Mark(sign="planned", word=Text("Chờ nghiệm thu", "Waiting for acceptance")),
    TicketState.ACCEPTED: Mark(sign="aired", word=Text("Đã nghiệm thu", "Accepted")),
}
OVERDUE = Mark(sign="missed", word=Text("Quá hạn", "Overdue"))
SILENT = Mark(sign="fault", word=Text("Im tiếng", "Silent"))
IN_REPAIR = Mark(sign="at_risk", word=Text("Đang sửa", "Being repaired"))
GOOD = Mark(sign="aired", word=Text("Tốt", "Good"))
WAITING = Mark(sign="planned", word=Text("Đang chờ", "Waiting"))
TROUBLES = {
    Trouble.SILENT: Text("Không có tiếng", "No sound"),
    Trouble.WEAK: Text("Nhỏ, rè, lúc có lúc không", "Weak, distorted, comes and goes"),
    Trouble.HOWLING: Text("Hú, rít, ồn", "Howling, noisy"),
    Trouble.FOREIGN: Text("Có tiếng lạ chen vào", "Foreign voices"),
    Trouble.DAMAGED: Text("Rơi, nghiêng, đứt dây", "Fallen, hanging, wire cut"),
    Trouble.MACHINE: Text("Máy phát, máy chủ của đài", "The station’s own machine"),
    Trouble.OTHER: Text("Khác", "Something else"),
}
ORIGINS = {
    Origin.SYSTEM: Text("Máy tự mở", "Opened by the system"),
    Origin.STAFF: Text("Cán bộ báo", "Reported by staff"),
    Origin.LINK: Text("Người dân báo qua đường dẫn", "Reported through a link"),
    Origin.INSPECTION: Text("Phát hiện khi kiểm tra", "Found in an inspection"),
    Origin.COMPLAINT: Text("Từ phản ánh của người dân", "From a complaint"),
}
STEPS = {
    "opened": Text("Mở phiếu", "Ticket opened"),
    "reported": Text("Có thêm người báo", "Reported again"),
    "fault": Text("Máy lại ghi sự cố này", "The system found it again"),
    "recovered": Text("Máy đo lại thấy bình thường", "The system finds it well again"),
    "assigned": Text("Giao sửa", "Assigned"),
    "urged": Text("Đôn đốc", "Urged"),
    "escalated": Text("Báo lên cấp trên", "Told to the tier above"),
    "repaired": Text("Báo đã sửa xong", "Reported as repaired"),
    "returned": Text("Chưa đạt, trả lại sửa tiếp", "Not accepted, to be repaired again"),
    "accepted": Text("Nghiệm thu", "Accepted"),
    "reopened": Text("Hỏng lại, mở lại phiếu", "The fault is back, opened again"),
    "remark": Text("Ghi thêm", "Remark"),
    "added": Text("Ghi vào sổ thiết bị", "Entered in the register"),
    "changed": Text("Sửa lý lịch", "Record changed"),
    "received": Text("Nhận phản ánh", "Complaint received"),
    "answered": Text("Trả lời", "Answered"),
    "done": Text("Chốt", "Closed"),
    "given": Text("Giao việc", "Assigned"),
    "taken": Text("Đã nhận việc", "Taken"),
    "cancelled": Text("Thôi, không cần nữa", "Not needed any more"),
}
KINDS = {
    DeviceKind.AMPLIFIER: Text("Tăng âm", "Amplifier"),
    DeviceKind.RECEIVER: Text("Cụm thu phát thanh", "Receiver cluster"),
    DeviceKind.LOUDSPEAKER: Text("Loa", "Loudspeaker"),
    DeviceKind.MICROPHONE: Text("Micrô", "Microphone"),
    DeviceKind.TRANSMITTER: Text("Máy phát FM", "FM transmitter"),
    DeviceKind.MACHINE: Text("Máy phát của đài, máy tính", "Station’s machine, computer"),
    DeviceKind.POWER: Text("Nguồn điện, chống sét", "Power, lightning protection"),
    DeviceKind.OTHER: Text("Khác", "Other"),
}
CONDITIONS = {
    DeviceState.WORKING: Mark(sign="aired", word=Text("Đang dùng tốt", "Working")),
    DeviceState.WEAK: Mark(sign="at_risk", word=Text("Xuống cấp", "Worn")),
    DeviceState.BROKEN: Mark(sign="fault", word=Text("Hỏng", "Broken")),
    DeviceState.RETIRED: Mark(sign="off", word=Text("Đã thanh lý", "Retired")),
}
FIELDS = {
    "station": Text("Đài", "Station"),
    "code": Text("Mã thiết bị", "Device code"),
    "kind": Text("Loại", "Kind"),
    "name": Text("Tên", "Name"),
    "cluster": Text("Cụm loa", "Cluster"),
    "maker": Text("Hãng", "Maker"),
    "model": Text("Kiểu", "Model"),
    "serial": Text("Số máy", "Serial number"),
    "in_service": Text("Ngày đưa vào dùng", "In service since"),
    "warranty_until": Text("Bảo hành tới", "Warranty until"),
    "contract": Text("Hợp đồng bảo trì", "Maintenance contract"),
    "contract_until": Text("Hợp đồng tới", "Contract until"),
    "place": Text("Vị trí", "Place"),
    "latitude": Text("Vĩ độ", "Latitude"),
    "longitude": Text("Kinh độ", "Longitude"),
    "state": Text("Tình trạng", "Condition"),
    "note": Text("Ghi chú", "Note"),
}
RESULTS = {
    Result.OK: Mark(sign="aired", word=Text("Đạt", "Right")),
    Result.NOT: Mark(sign="missed", word=Text("Chưa đạt", "Not right")),
    Result.UNSEEN: Mark(sign="planned", word=Text("Chưa xem", "Not seen")),
}
CHANNELS = {
    Channel.IN_PERSON: Text("Gặp trực tiếp", "In person"),
    Channel.PHONE: Text("Điện thoại", "Telephone"),
    Channel.LETTER: Text("Đơn, thư, văn bản", "Letter"),
    Channel.PORTAL: Text("Cổng phản ánh của tỉnh", "Provincial portal"),
    Channel.MEETING: Text("Họp thôn, tiếp xúc cử tri", "Village meeting"),
}
ABOUTS = {
    About.NOISE: Text("Tiếng ồn, âm lượng", "Noise, volume"),
    About.HOURS: Text("Giờ phát", "Hours"),
    About.CONTENT: Text("Nội dung", "Content"),
    About.BROKEN: Text("Loa hỏng", "Broken loudspeaker"),
    About.OTHER: Text("Khác", "Something else"),
}
ASSIGNMENTS = {
    AssignmentState.GIVEN: Mark(sign="planned", word=Text("Đã giao", "Assigned")),
    AssignmentState.TAKEN: Mark(sign="on_air", word=Text("Đang làm", "Being done")),
    AssignmentState.DONE: Mark(sign="aired", word=Text("Đã xong", "Done")),
    AssignmentState.CANCELLED: Mark(sign="cancelled", word=Text("Đã hủy", "Cancelled")),
}
