"""What the help says: how each task is done, in steps; the operator's guide in docs/ is written from the same words."""

from __future__ import annotations

from dataclasses import dataclass

from schedules.text import Text

OFFICER, LEADER, CENTRE, INSPECTOR, ADMIN = "operator", "approver", "centre", "inspector", "admin"
EVERYBODY = (OFFICER, LEADER, CENTRE, INSPECTOR, ADMIN)
STATION_PEOPLE = (OFFICER, LEADER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing that people do. endpoint: the page where it begins. picture: of the browser tests, without its ending.

    roles: whose task it is; they see it first.
    """

    key: str
    title: Text
    roles: tuple[str, ...]
    endpoint: str
    steps: tuple[Text, ...]
    good_to_know: Text | None = None
    picture: str = ""


TASKS = (
    Task(
        key="hom-nay",
        title=Text("Xem hôm nay và tuần này có ổn không", "See whether today and this week are all right"),
        roles=STATION_PEOPLE,
        endpoint="pages.today",
        steps=(
            Text(
                "Mở Hôm nay. Câu đầu trang trả lời: có việc gì phải làm ngay không.",
                "Open Today. Its first sentence answers whether there is anything to do now.",
            ),
            Text(
                "Thẻ nhiệm vụ: tuần này đã phát chưa, hạn lúc nào, và máy làm gì nếu không có bài mới.",
                "The duty's card: whether it aired this week, until when it may, and what happens without a new item.",
            ),
            Text(
                "Dải “Cả ngày”: trên là kế hoạch, dưới là thực tế. Ngoài buổi phát, im lặng là đúng.",
                "The strip of the day: plan above, what really aired below. Outside the sessions silence is right.",
            ),
        ),
        picture="08-now.desktop",
    ),
    Task(
        key="lam-bai",
        title=Text("Làm một bài và trình duyệt", "Make an item and submit it"),
        roles=(OFFICER,),
        endpoint="pages.new_item",
        steps=(
            Text(
                "Bấm Tạo bài. Chọn tệp có sẵn, ghi âm ngay trên trang, hoặc gõ văn bản cho máy đọc.",
                "Press New item. Choose a file, record on the page, or type a text for the machine to read.",
            ),
            Text(
                "Mạng yếu cũng được: phần đã gửi được giữ lại, có mạng thì máy tự gửi tiếp.",
                "A weak link is no trouble: what was sent is kept, and the rest follows when the link is back.",
            ),
            Text(
                "Chọn chuyên mục, chủ đề, loại tin; đặt tên bài.", "Choose programme, topics and kind; give it a title."
            ),
            Text(
                "Nghe lại, cắt đầu cuối nếu cần, rồi bấm Trình duyệt.",
                "Listen to it, trim it if needed, and submit it.",
            ),
        ),
        good_to_know=Text(
            "Bài nào cũng được máy chỉnh về cùng một mức âm, nên không cần chỉnh to nhỏ trước.",
            "Every item is brought to the same loudness, so there is nothing to adjust beforehand.",
        ),
        picture="03-new-item.phone",
    ),
    Task(
        key="duyet",
        title=Text("Nghe và duyệt", "Listen and approve"),
        roles=(LEADER,),
        endpoint="pages.approvals",
        steps=(
            Text("Mở Chờ duyệt, bấm ▶ để nghe.", "Open To approve and press ▶."),
            Text(
                "Bấm Duyệt, hoặc Trả lại kèm lý do. Lỡ tay thì bấm Hoàn tác trong 10 giây.",
                "Press Approve, or return it with a reason. Undo is offered for 10 seconds.",
            ),
            Text(
                "Duyệt là duyệt đúng bản vừa nghe. Ai sửa bài sau đó thì phải duyệt lại.",
                "An approval is of exactly what was heard. Whoever changes it later needs a new one.",
            ),
        ),
        good_to_know=Text(
            "Người làm bài không tự duyệt bài của mình, trừ khi đài được phép tự duyệt; khi đó nhật ký ghi “tự duyệt”.",
            "Whoever made an item does not approve it, unless the station may; the air log then says so.",
        ),
        picture="05-approve.phone",
    ),
    Task(
        key="lich",
        title=Text("Xếp lịch phát", "Plan the schedule"),
        roles=(OFFICER, CENTRE),
        endpoint="pages.this_week",
        steps=(
            Text("Mở Lịch phát, chọn tuần và đài.", "Open the schedule, choose week and station."),
            Text(
                "Thêm, dời hay bỏ buổi phát; trang cho thấy trước điều gì đổi và có gì vướng.",
                "Add, move or drop sessions; the page shows beforehand what changes and what is in the way.",
            ),
            Text(
                "Chỉ bỏ hay dời một ngày: mở buổi của ngày đó. Nghỉ lễ, Tết, mưa bão: dùng mẫu tuần.",
                "To cancel or move one date only, open the session of that date. Holidays and storms have templates.",
            ),
            Text(
                "Xem Kế hoạch thật: mỗi mục đều ghi vì sao nó ở đó.",
                "Look at the real plan: every item says why it is there.",
            ),
        ),
        picture="centre-lich.desktop",
    ),
    Task(
        key="nhiem-vu",
        title=Text("Biết đài nào đạt, đài nào chưa", "Know who met the duty and who did not"),
        roles=(CENTRE, INSPECTOR, LEADER),
        endpoint="pages.duties",
        steps=(
            Text("Mở Nhiệm vụ: mỗi hàng một đài, mỗi cột một tuần.", "Open Duties: a row a station, a column a week."),
            Text(
                "Bấm vào một ô để thấy lý do, các lượt phát của tuần đó và nghe lại.",
                "Press a cell for the reason, that week's airings and their recordings.",
            ),
            Text(
                "Tuần đã lỡ không bao giờ tự thành xanh; phát bù được ghi riêng.",
                "A missed week never turns green; what was made up is shown as such.",
            ),
        ),
        picture="centre-nhiem-vu.desktop",
    ),
    Task(
        key="nhat-ky",
        title=Text("Xem và nghe những gì thật sự đã phát", "See and hear what really aired"),
        roles=EVERYBODY,
        endpoint="pages.airlog",
        steps=(
            Text(
                "Mở Nhật ký phát sóng, lọc theo đài, ngày, kết quả.",
                "Open the air log; filter by station, day or result.",
            ),
            Text(
                "Bấm ▶ nghe bản thu, bấm tên bài xem minh chứng: kế hoạch, thực tế, dạng sóng, vị trí trong nhật ký.",
                "Press ▶ for the recording, the title for its proof: plan, reality, waveforms, place in the journal.",
            ),
            Text(
                "Tải minh chứng về: máy khác kiểm tra được bằng lệnh “loa journal verify”.",
                "Take the proof away: another machine checks it with `loa journal verify`.",
            ),
            Text(
                "Có mặt ở thôn lúc phát? Bấm “Tôi đã nghe” để xác nhận cùng tên và giờ.",
                "Were you there? Press “I heard it” to confirm it with name and time.",
            ),
        ),
        picture="09-air-log.desktop",
    ),
    Task(
        key="khan-cap",
        title=Text("Phát khẩn cấp", "Broadcast an emergency"),
        roles=(OFFICER, LEADER, CENTRE),
        endpoint="pages.emergencies",
        steps=(
            Text(
                "Mở Phát khẩn cấp, chọn mẫu đã duyệt sẵn hoặc một bài.",
                "Open Emergency broadcast; choose a template or an item.",
            ),
            Text("Chọn đài và số lần nhắc lại, rồi bấm Phát.", "Choose stations and repeats, then order it."),
            Text(
                "Không dùng mẫu thì cần người thứ hai xác nhận. Dừng được ngay, ở thanh đỏ trên mọi trang.",
                "Without a template a second person confirms. Stop it at any time in the bar on every page.",
            ),
        ),
        good_to_know=Text(
            "Tập cho quen bằng Diễn tập: khóa, màn hình và tiếng báo đều khác, không lẫn với thật.",
            "Practise with a drill: its key, screen and sound differ from the real thing.",
        ),
    ),
    Task(
        key="su-co",
        title=Text("Khi đài hỏng hoặc im tiếng", "When a station is broken or silent"),
        roles=EVERYBODY,
        endpoint="pages.faults",
        steps=(
            Text(
                "Mở Sự cố: mỗi dòng ghi từ lúc nào, vì sao và phải làm gì.",
                "Open Faults: each line says since when, why and what to do.",
            ),
            Text(
                "Máy tự nối lại khi có thể; dòng đóng lại khi đã hết.",
                "The machine tries again by itself; a line closes when it is over.",
            ),
            Text(
                "Mất mạng không làm đài im: máy phát theo lịch và bài đã tải về.",
                "A lost link silences no station: it airs by the schedule and the items it already has.",
            ),
        ),
    ),
    Task(
        key="tai-khoan",
        title=Text("Thêm người, đổi mật khẩu", "Add people, change a password"),
        roles=(ADMIN,),
        endpoint="pages.account",
        steps=(
            Text(
                "Quản trị viên tạo tài khoản và đưa cho người dùng liên kết một lần để tự đặt mật khẩu.",
                "An administrator makes the account and hands over a one-time link for choosing a password.",
            ),
            Text(
                "Mỗi người một tài khoản: nhật ký ghi tên người duyệt.",
                "One account a person: the log names who approved.",
            ),
        ),
    ),
)
