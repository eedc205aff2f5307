"""Faults of a station in an officer's words: each opens once, is journaled, and closes when it is over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from link.door import FaultStatus
from schedules.clock import Clock
from schedules.text import Text

_OUTPUT = {
    "lost": Text(
        "Đầu ra “{name}” không có hoặc đã bị rút: không có tiếng ra loa.",
        "Output “{name}” is missing or was unplugged: no sound goes out.",
    ),
    "muted": Text(
        "Đầu ra “{name}” đang bị tắt tiếng: không có tiếng ra loa.", "Output “{name}” is muted: no sound goes out."
    ),
    "suspended": Text(
        "Đầu ra “{name}” đang bị tạm dừng: không có tiếng ra loa.", "Output “{name}” is suspended: no sound goes out."
    ),
    "moved": Text(
        "Tiếng của đầu ra “{name}” bị chuyển sang thiết bị khác.",
        "The sound of output “{name}” was moved to another device.",
    ),
}

_OTHER = {
    "player_lost": Text(
        "Trình phát bị dừng đột ngột, đang chạy lại.", "The player ended unexpectedly; it is restarted."
    ),
    "player_hang": Text("Trình phát không trả lời, đã khởi động lại.", "The player did not answer and was restarted."),
    "player_down": Text("Trình phát không chạy được.", "The player cannot be started."),
    "clock_untrusted": Text(
        "Đồng hồ chưa tin cậy: máy không phát theo lịch.", "The clock cannot be trusted: nothing scheduled airs."
    ),
    "clock_step": Text("Đồng hồ máy vừa nhảy giờ; lịch được xếp lại.", "The clock jumped; the plan was made anew."),
    "media_refused": Text(
        "Tệp trên máy không đúng bản đã duyệt, không phát.", "A file is not the approved one and was not aired."
    ),
    "intent_refused": Text(
        "Lịch nhận được không có chữ ký đúng; dùng lịch cũ.", "The intent has no valid signature; the last one stays."
    ),
    "intent_missing": Text(
        "Hệ thống chưa quyết định gì cho đài này: chưa có lịch.", "Nothing is decided for this station: it has no plan."
    ),
    "daemon_broken": Text("Bộ phát gặp lỗi và đã chạy lại.", "The station's worker failed and was restarted."),
    "ear_silent": Text(
        "Không nghe thấy tiếng ở đầu ra “{name}” trong khi đang phát: người dân không nghe được chương trình.",
        "Nothing is heard from output “{name}” while it is on air: people do not hear the programme.",
    ),
    "ear_foreign": Text(
        "Tiếng nghe được ở đầu ra “{name}” không phải chương trình đang phát: có thể có người phát chen vào.",
        "What is heard from output “{name}” is not the programme on air: somebody may be playing something else.",
    ),
    "ear_unscheduled": Text(
        "Đầu ra “{name}” có tiếng trong khi không có gì được phát.",
        "Output “{name}” sounds although nothing is on air.",
    ),
    "ear_lost": Text(
        "Không thu lại được tiếng của đầu ra “{name}”: chương trình vẫn phát nhưng không có minh chứng nghe được.",
        "The sound of output “{name}” cannot be recorded: programmes air, but nothing proves that they were heard.",
    ),
    "ear_down": Text(
        "Bộ nghe lại của máy bị dừng, đang chạy lại: chương trình vẫn phát nhưng chưa được nghe kiểm tra.",
        "The listener ended and is restarted: programmes air, but nobody listens to them meanwhile.",
    ),
    "amplifier_on": Text(
        "Tăng âm của đầu ra “{name}” vẫn có điện dù đã được lệnh tắt.",
        "The amplifier of output “{name}” still has power although it was switched off.",
    ),
    "amplifier_off": Text(
        "Tăng âm của đầu ra “{name}” không lên điện: không có tiếng ra loa.",
        "The amplifier of output “{name}” has no power: no sound goes out.",
    ),
    "amplifier_command": Text(
        "Không điều khiển được tăng âm của đầu ra “{name}”.",
        "The amplifier of output “{name}” cannot be switched.",
    ),
    "power_flapping": Text(
        "Điện chập chờn: máy đã khởi động nhiều lần trong 10 phút, tăng âm được giữ tắt một phút.",
        "The power flaps: the machine started many times within 10 minutes, so amplifiers stay off for a minute.",
    ),
    "zone_mismatch": Text(
        "Múi giờ của máy khác múi giờ của đài; lịch vẫn theo giờ của đài.",
        "The machine's time zone is not the station's; the plan goes by the station's.",
    ),
    "disk_low": Text("Đĩa của máy sắp đầy.", "The disk of this machine is nearly full."),
    "disk_full": Text(
        "Đĩa của máy đã đầy: không nhận được tệp mới, nhật ký có thể không ghi được.",
        "The disk of this machine is full: no new file can be taken, and the log may not be written.",
    ),
    "disk_slow": Text("Đĩa của máy không trả lời.", "The disk of this machine does not answer."),
    "media_evicted": Text(
        "Đã xóa tệp âm thanh cũ không còn trong lịch để lấy chỗ trống.",
        "Old sound files that nothing plans any more were removed to make room.",
    ),
    "hot": Text(
        "Bộ xử lý của máy quá nóng: máy có thể chạy chậm và tiếng bị ngắt.",
        "The processor is too hot: the machine may slow down and the sound may break.",
    ),
    "memory_killed": Text(
        "Máy hết bộ nhớ, hệ điều hành đã buộc dừng một chương trình.",
        "The machine ran out of memory, and the system killed a program.",
    ),
    "item_poison": Text(
        "Một bài làm trình phát dừng liên tiếp nên không phát nữa; bài khác được phát thay.",
        "A recording brought the player down again and again; it is left out and another one airs.",
    ),
    "order_refused": Text(
        "Nhận một lệnh khẩn cấp không có chữ ký đúng, không phát.",
        "An emergency order without a valid signature came; it did not air.",
    ),
    "player_recycled": Text(
        "Trình phát được thay mới trong lúc không phát.", "The player was replaced while nothing was on air."
    ),
    "player_replaced": Text(
        "Trình phát được thay mới ngay trong lúc phát vì tiếng bị ngắt quãng quá nhiều.",
        "The player was replaced on air because its sound had too many holes.",
    ),
    "preroll": Text(
        "Một mục sắp đến giờ mà trình phát chưa sẵn sàng.", "An item is due within seconds and the player is not ready."
    ),
    "underruns": Text("Tiếng bị ngắt quãng: máy không kịp xử lý.", "The sound has holes: the machine cannot keep up."),
    "ahead_media_missing": Text(
        "Chưa có tệp âm thanh của mục “{title}” sắp phát.", "The sound file of “{title}”, due soon, is not here."
    ),
    "ahead_media_hash": Text(
        "Tệp âm thanh của mục “{title}” sắp phát không đúng bản đã duyệt nên sẽ không được phát.",
        "The sound file of “{title}”, due soon, is not the approved one and will not air.",
    ),
    "ahead_output": Text(
        "Đầu ra “{name}” không trả lời, mà sắp đến giờ phát.", "Output “{name}” does not answer, and airtime is near."
    ),
    "ahead_output_muted": Text(
        "Đầu ra “{name}” đang bị tắt tiếng, mà sắp đến giờ phát.", "Output “{name}” is muted, and airtime is near."
    ),
    "relay_dead": Text(
        "Nguồn tiếp âm “{name}” mất tín hiệu: máy phát bài tại chỗ thay thế.",
        "Nothing comes from the relay “{name}”: local recordings air instead.",
    ),
    "relay_refused": Text(
        "Nguồn tiếp âm “{name}” dẫn sang địa chỉ không được phép nên bị từ chối: máy phát bài tại chỗ thay thế.",
        "The relay “{name}” leads to an address that is not allowed and is refused: local recordings air instead.",
    ),
    "relay_not_audio": Text(
        "Nguồn tiếp âm “{name}” không gửi âm thanh đúng dạng đã khai báo: máy phát bài tại chỗ thay thế.",
        "The relay “{name}” does not send the kind of sound that was decided: local recordings air instead.",
    ),
    "relay_no_input": Text(
        "Ngõ vào “{name}” của máy không có hoặc đã bị rút: không có tiếng từ đó.",
        "The input “{name}” of this machine is missing or was unplugged: no sound comes from it.",
    ),
    "relay_no_room": Text(
        "Máy này không cách ly được phần tiếp âm nên không tiếp âm nguồn “{name}”.",
        "This machine cannot confine what relays, so the relay “{name}” is not opened.",
    ),
    "relay_silent": Text(
        "Nguồn tiếp âm “{name}” im tiếng quá 20 giây: máy phát bài tại chỗ thay thế.",
        "The relay “{name}” has been silent for more than 20 seconds: local recordings air instead.",
    ),
    "input_silent": Text(
        "Ngõ vào “{name}” im tiếng quá 20 giây.", "The input “{name}” has been silent for more than 20 seconds."
    ),
    "journal_slow": Text(
        "Ổ đĩa ghi nhật ký rất chậm: vẫn phát bình thường, các dòng mới tạm giữ trong bộ nhớ; mất điện lúc này là mất.",
        "The disk is very slow to take the journal: broadcasts go on, new rows wait in memory; a power cut loses them.",
    ),
    "journal_full": Text(
        "Ổ đĩa đã đầy: vẫn phát bình thường, nhật ký đang dùng phần dự trữ; hết phần đó thì chỉ còn giữ trong bộ nhớ.",
        "The disk is full: broadcasts go on, the journal uses its reserve; after that, rows are only kept in memory.",
    ),
    "journal_busy": Text(
        "Chương trình khác đang khóa tệp nhật ký: vẫn phát bình thường, sau 5 giây nhật ký ghi tiếp sang tệp mới.",
        "Another program holds the journal's file: broadcasts go on; after 5 seconds a new file takes its place.",
    ),
    "journal_read_only": Text(
        "Không ghi được vào ổ đĩa: vẫn phát bình thường, nhật ký chỉ còn giữ trong bộ nhớ; mất điện lúc này là mất.",
        "The disk cannot be written: broadcasts go on, rows are only kept in memory; a power cut loses them.",
    ),
    "journal_suspect": Text(
        "Ổ đĩa báo lỗi khi ghi nhật ký: tệp cũ được giữ nguyên, nhật ký ghi tiếp sang tệp mới.",
        "The disk failed while the journal was written: the old file stays as it is, the journal goes on in a new one.",
    ),
    "journal_rebuilt": Text(
        "Tệp nhật ký bị hỏng khi khởi động: đã giữ lại tệp hỏng và dựng lại từ các dòng còn đọc được.",
        "The journal's file was damaged at the start: it is kept aside, and what could be read was carried over.",
    ),
    "journal_held": Text(
        "Một số dòng nhật ký đã phải chờ trong bộ nhớ trước khi ghi được vào ổ đĩa.",
        "Some rows of the journal had to wait in memory before the disk took them.",
    ),
}

_STREAM = Text(
    "Luồng phát “{name}” không tới được nơi nhận: người nghe qua mạng không có tiếng.",
    "Stream “{name}” does not reach its server or network: those who listen there hear nothing.",
)

_HINTS = {
    "output": Text(
        "Kiểm tra dây, card âm thanh và âm lượng; máy tự thử lại mỗi giây.",
        "Check cable, sound card and volume; the station tries again every second.",
    ),
    "stream": Text(
        "Kiểm tra mạng, máy chủ phát luồng, tên và mật khẩu trong config.yaml; máy tự kết nối lại.",
        "Check the network, the server, and name and password in config.yaml; the station connects again by itself.",
    ),
    "relay": Text(
        "Kiểm tra mạng, địa chỉ của nguồn hoặc dây tín hiệu, và hỏi đài gửi; máy tự thử lại.",
        "Check the network, the source's address or its cable, and ask who sends it; the station tries again.",
    ),
    "input": Text(
        "Kiểm tra micro, dây và mức thu; máy tự thử lại mỗi giây.",
        "Check microphone, cable and recording level; the station tries again every second.",
    ),
    "clock_untrusted": Text(
        "Nối mạng để lấy giờ, hoặc người có trách nhiệm xác nhận giờ.",
        "Connect to a network for the time, or let a responsible person confirm it.",
    ),
    "ear_silent": Text(
        "Kiểm tra tăng âm, âm lượng và dây ra loa.", "Check amplifier, volume and the cables to the loudspeakers."
    ),
    "ear_foreign": Text(
        "Cắt điện tăng âm, rồi tìm xem thiết bị hoặc chương trình nào khác đang dùng đường tiếng này.",
        "Cut the power of the amplifier, then look for the device or program that uses this line as well.",
    ),
    "ear_unscheduled": Text(
        "Cắt điện tăng âm, rồi tìm xem tiếng phát ra từ đâu.",
        "Cut the power of the amplifier, then look for where the sound comes from.",
    ),
    "ear_lost": Text(
        "Kiểm tra dây thu, máy thu FM và tên thiết bị trong config.yaml; máy tự thử lại mỗi giây.",
        "Check the line, the FM receiver and the device's name in config.yaml; the station tries again every second.",
    ),
    "amplifier": Text(
        "Kiểm tra rơ-le, dây điều khiển và nguồn của tăng âm; máy tự thử lại mỗi 5 giây.",
        "Check the relay, its cable and the amplifier's mains; the station tries again every 5 seconds.",
    ),
    "power_flapping": Text(
        "Kiểm tra nguồn điện, ổ cắm và bộ lưu điện.", "Check the mains, the socket and the battery supply."
    ),
    "zone_mismatch": Text(
        "Đặt múi giờ của máy cho đúng để người xem đồng hồ máy không bị nhầm.",
        "Set the machine's time zone, so that nobody who reads its clock is misled.",
    ),
    "disk_low": Text(
        "Xóa bớt tệp không cần trên máy, hoặc thay đĩa lớn hơn.",
        "Remove files that are not needed, or fit a larger disk.",
    ),
    "disk_full": Text(
        "Xóa ngay tệp không cần trên máy; lịch đang có vẫn được phát.",
        "Remove files at once; what is planned and here still airs.",
    ),
    "disk_slow": Text(
        "Thẻ nhớ hoặc đĩa có thể sắp hỏng: sao lưu và chuẩn bị thay.",
        "The card or disk may be failing: make a backup and prepare another.",
    ),
    "hot": Text(
        "Kiểm tra quạt, bụi và chỗ đặt máy; tránh nắng chiếu vào.",
        "Check fan, dust and where the machine stands; keep the sun off it.",
    ),
    "memory_killed": Text("Tắt bớt chương trình khác trên máy.", "End other programs on this machine."),
    "underruns": Text(
        "Tắt bớt chương trình khác trên máy; kiểm tra nhiệt độ và thẻ nhớ.",
        "End other programs on this machine; check temperature and memory card.",
    ),
    "ahead_media": Text(
        "Nối mạng để máy tải lại tệp, hoặc chọn bản ghi khác trước giờ phát.",
        "Connect the network so that the file is fetched, or choose another recording before it is due.",
    ),
    "ahead_output": Text(
        "Kiểm tra dây, card âm thanh, âm lượng hoặc máy chủ phát trước giờ phát.",
        "Check cable, sound card, volume or stream server before it is due.",
    ),
    "journal_slow": Text("Thay thẻ nhớ hoặc ổ đĩa nếu lặp lại.", "Replace the memory card or disk if this comes back."),
    "journal_full": Text(
        "Xóa bớt tệp không cần trên ổ đĩa hoặc thay ổ lớn hơn.", "Free room on the disk, or put in a larger one."
    ),
    "journal_busy": Text(
        "Dừng chương trình đang mở tệp nhật ký; sao lưu bằng “loa backup”.",
        "End the program that has the file open; make copies with “loa backup”.",
    ),
    "journal_read_only": Text(
        "Kiểm tra ổ đĩa và quyền của thư mục dữ liệu; ổ tự chuyển sang chỉ đọc thường là ổ sắp hỏng.",
        "Check the disk and the rights of the data folder; a disk that turned read-only is often about to fail.",
    ),
    "journal_suspect": Text("Sao lưu ngay và thay ổ đĩa.", "Make a backup at once and replace the disk."),
    "journal_rebuilt": Text(
        "Báo người quản trị; so nhật ký với trung tâm: loa journal verify.",
        "Tell the administrator; compare the journal with the centre's copy: loa journal verify.",
    ),
}


def output_fault(state: str, name: str) -> Text:
    """Return the sentence for an output that is `lost`, `muted`, `suspended` or `moved`."""
    text = _OUTPUT[state]
    return Text(text.vi.format(name=name), text.en.format(name=name))


def stream_fault(name: str) -> Text:
    """Return the sentence for a network output whose stream does not go out."""
    return Text(_STREAM.vi.format(name=name), _STREAM.en.format(name=name))


def fault(code: str, **names: str) -> Text:
    """Return the sentence for any other fault, with its `names` put in; raises KeyError for an unknown code."""
    text = _OTHER[code]
    return Text(text.vi.format(**names), text.en.format(**names)) if names else text


def hint(code: str) -> Text | None:
    """Return what to do about a fault, None where nothing helps but waiting."""
    words = code.split("_")
    # `output_main` and all others that end in a name share the sentence of their kind.
    known = (_HINTS.get("_".join(words[:count])) for count in range(len(words), 0, -1))
    return next((found for found in known if found is not None), None)


def _words(message: Text, what_to_do: Text | None) -> dict[str, str]:
    """Return a row's sentences: whoever reads the row later, elsewhere, has no table of codes."""
    words = {"message": message.vi, "message_en": message.en}
    return words if what_to_do is None else words | {"hint": what_to_do.vi, "hint_en": what_to_do.en}


class FaultBook:
    """The faults that are open now. `write` puts a row of kind `fault` into the journal."""

    def __init__(self, *, clock: Clock, write: Callable[[Mapping[str, Any]], None]) -> None:
        self._clock = clock
        self._write = write
        self._lock = threading.Lock()
        self._open: dict[str, FaultStatus] = {}

    @property
    def open(self) -> tuple[FaultStatus, ...]:
        """Every open fault, oldest first; from any thread."""
        with self._lock:
            return tuple(self._open.values())

    def begin(self, code: str, message: Text, detail: str) -> None:
        """Open a fault, or say it anew where its sentence changed; nothing where it is open so already."""
        known = self._open.get(code)
        if known is not None and known.message == message:
            return
        since = self._clock.now()
        self._write({"code": code, "state": "open", **_words(message, hint(code)), "detail": detail})
        with self._lock:
            self._open[code] = FaultStatus(code=code, since=since, message=message, hint=hint(code))

    def end(self, code: str) -> None:
        """Close a fault; nothing where it is not open."""
        with self._lock:
            known = self._open.pop(code, None)
        if known is not None:
            self._write({"code": code, "state": "closed", "since": known.since.isoformat()})

    def note(self, code: str, **more: str | float) -> None:
        """Write down something that happened once and is over."""
        known = _OTHER.get(code)
        self._write({"code": code, "state": "once", **({} if known is None else _words(known, hint(code))), **more})

    def forget(self) -> None:
        """Begin with none open, as after a start."""
        with self._lock:
            self._open.clear()
