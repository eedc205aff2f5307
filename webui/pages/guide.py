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
        picture="leader-today.phone",
    ),
    Task(
        key="van-ban",
        title=Text("Cho máy đọc một văn bản", "Have a text spoken"),
        roles=(OFFICER,),
        endpoint="pages.new_text",
        steps=(
            Text(
                "Mở Văn bản, lời đọc, bấm Viết lời mới, hoặc lấy một mẫu lời và điền chỗ trong ngoặc vuông.",
                "Open Texts, press Write a new text, or take a sample and fill the square brackets.",
            ),
            Text(
                "Bấm Xem máy sẽ đọc. Chỗ tô màu được đọc khác chữ viết; từ nào sai, bấm Sửa cách đọc.",
                "Press Show how it is said. Marked words are said otherwise; correct a word once and it is kept.",
            ),
            Text(
                "Bấm Tạo giọng nói, nghe hết, rồi trình duyệt. Chưa nghe hết thì máy không cho trình.",
                "Press Have it spoken, listen to the end, then submit. Unheard, it cannot be submitted.",
            ),
        ),
        good_to_know=Text(
            "Thông báo gấp: ghi giờ ở ô Phát lúc; duyệt xong, máy tự xếp phát đúng lúc đó.",
            "Urgent notices: give a time under Airs at; the approval puts it on air then.",
        ),
    ),
    Task(
        key="mot-cua",
        title=Text("Đưa kết quả một cửa trong tuần lên loa", "Air the week's one-stop results"),
        roles=(OFFICER,),
        endpoint="pages.onestop",
        steps=(
            Text(
                "Mở Phiếu một cửa tuần, nhập số hồ sơ tiếp nhận, trực tuyến, đúng hạn, quá hạn.",
                "Open the weekly form and enter files received, online, in time and late.",
            ),
            Text(
                "Bấm Lưu và viết lời đọc: lời có sẵn số liệu và so với tuần trước.",
                "Press Save and write the text: it holds the figures and the change since last week.",
            ),
            Text("Tạo giọng nói, hoặc để người đọc và ghi âm.", "Have it spoken, or read it aloud and record it."),
        ),
    ),
    Task(
        key="huong-dan",
        title=Text("Viết hướng dẫn cho các xã", "Write guidance for the communes"),
        roles=(CENTRE,),
        endpoint="pages.guidances",
        steps=(
            Text("Mở Hướng dẫn, bấm Viết hướng dẫn.", "Open Guidance, press Write guidance."),
            Text(
                "Viết từng bước; kèm tệp PDF hoặc một bài đã duyệt làm mẫu.",
                "Write it step by step; add a PDF or an approved item as a sample.",
            ),
            Text("Bấm Đăng. Các xã bên dưới đọc được ngay.", "Press Publish. The communes below can read it at once."),
        ),
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
        key="bao-hong",
        title=Text("Báo hỏng, sửa, nghiệm thu", "Report, repair, accept"),
        roles=(OFFICER, LEADER, CENTRE),
        endpoint="pages.equipment",
        steps=(
            Text(
                "Mở Thiết bị, chọn Báo hỏng mới; máy cũng tự mở phiếu khi mất tiếng, người dân báo qua đường dẫn.",
                "Open Equipment, Report a fault; the system opens tickets too, and residents report through a link.",
            ),
            Text(
                "Giao cho người trong cơ quan hoặc ghi tên thợ, kèm hạn sửa.",
                "Give it to somebody with an account or name a repairer, with a due day.",
            ),
            Text(
                "Sửa xong thì báo đã làm gì, vật tư, chi phí, ảnh.",
                "When it is repaired, say what was done, parts, cost, with a photo.",
            ),
            Text(
                "Người khác phát thử, nghe tại loa rồi Nghiệm thu; chưa đạt thì trả lại.",
                "Somebody else tries it, listens at the loudspeaker and accepts, or returns it.",
            ),
        ),
        good_to_know=Text(
            "Quá hạn, phiếu tự báo lên cấp trên; hỏng lại trong hai tuần thì phiếu cũ mở lại.",
            "After its days the tier above is told; a fault that comes back within two weeks opens its ticket again.",
        ),
        picture="101-ticket-assigned.phone",
    ),
    Task(
        key="kiem-tra",
        title=Text("Kiểm tra một đợt, lập biên bản", "Inspect in a round, with minutes"),
        roles=(CENTRE,),
        endpoint="pages.inspections",
        steps=(
            Text("Mở đợt kiểm tra: tên, căn cứ, nội dung, các đài.", "Begin a round: name, basis, items, stations."),
            Text(
                "Ở từng đài ghi Đạt hoặc Chưa đạt cho từng mục, kèm nhận xét và ảnh; lưu lúc nào cũng được.",
                "At each station mark every item, with remarks and photos; save at any time.",
            ),
            Text(
                "Chốt biên bản rồi in, ký. Thiết bị chưa đạt tự thành phiếu báo hỏng.",
                "Close the minutes, print and sign. Broken equipment becomes a fault ticket.",
            ),
        ),
        picture="107-inspection.phone",
    ),
    Task(
        key="phan-anh",
        title=Text("Ghi và trả lời phản ánh", "Enter and answer complaints"),
        roles=(OFFICER, LEADER),
        endpoint="pages.complaints",
        steps=(
            Text("Mở Phản ánh, Ghi phản ánh: ai, về việc gì, qua đâu.", "Open Complaints and enter who, what, how."),
            Text("Ghi câu trả lời trước hạn.", "Enter the answer before it is due."),
            Text(
                "Nhiều người cùng hỏi: Làm bài trả lời phản ánh rồi trình duyệt.",
                "Where many ask the same: make an answering item and submit it.",
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
