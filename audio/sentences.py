"""What an officer is told about a recording: each refusal and each warning as a whole sentence."""

from __future__ import annotations

from schedules.findings import Finding, Severity
from schedules.text import Text

_AGAIN = Text(
    "Hãy chép lại từ máy ghi âm hoặc tải tệp gốc lên lần nữa.", "Copy it again, or upload the original again."
)
_TRIM = Text(
    "Có thể cắt bỏ đoạn này; bản đã cắt là một tệp mới và cần duyệt riêng.",
    "It can be trimmed away; the trimmed recording is a new file with its own approval.",
)
_LISTEN = Text("Hãy nghe lại toàn bộ trước khi duyệt.", "Listen to all of it before approving.")


def clock(seconds: float) -> str:
    """Return a length as people write it: 5:40 or 1:05:40."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _length(seconds: float) -> Text:
    """Return a length for a sentence: minutes as on a watch, hours in words."""
    if round(seconds) < 3600:
        return Text(clock(seconds), clock(seconds))
    hours, minutes = divmod(round(seconds / 60), 60)
    if minutes == 0:
        return Text(f"{hours} giờ", f"{hours} h")
    return Text(f"{hours} giờ {minutes:02} phút", f"{hours} h {minutes:02} min")


def _vi(number: float, digits: int = 1) -> str:
    return f"{number:.{digits}f}".replace(".", ",").replace("-", "−")


def _error(code: str, vi: str, en: str, hint: Text | None = None) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=Text(vi, en), hint=hint)


def _warning(code: str, vi: str, en: str, hint: Text | None = None, where: str = "") -> Finding:
    return Finding(code=code, severity=Severity.WARNING, message=Text(vi, en), hint=hint, where=where)


def empty(seconds: float) -> Finding:
    """There is no sound to air, or less than half a second of it."""
    if seconds <= 0:
        return _error("empty", "Tệp trống: không có âm thanh nào.", "The file is empty: it holds no sound.", _AGAIN)
    return _error(
        "empty",
        f"Bản ghi chỉ dài {_vi(seconds, 2)} giây, quá ngắn để phát.",
        f"The recording is only {seconds:.2f} s long, too short to air.",
        _AGAIN,
    )


def too_big(size_bytes: int, most_bytes: int) -> Finding:
    """More bytes than config.yaml allows."""
    size, most = size_bytes / 1_048_576, most_bytes / 1_048_576
    return _error(
        "too_big",
        f"Tệp nặng {size:.0f} MB, vượt mức tối đa {most:.0f} MB.",
        f"The file has {size:.0f} MB, more than the most that is taken, {most:.0f} MB.",
        Text("Hãy xuất lại ở dạng MP3, hoặc chia thành nhiều tệp.", "Export it as MP3, or split it."),
    )


def too_long(seconds: float | None, most_s: float) -> Finding:
    """More sound than config.yaml allows; None where it was not worth finding out how much."""
    hint = Text("Hãy chia bản ghi thành nhiều phần.", "Split the recording.")
    if seconds is None:
        return _error(
            "too_long",
            f"Bản ghi dài hơn mức tối đa {_length(most_s).vi}.",
            f"The recording is longer than the most that is taken, {_length(most_s).en}.",
            hint,
        )
    return _error(
        "too_long",
        f"Bản ghi dài {_length(seconds).vi}, vượt mức tối đa {_length(most_s).vi}.",
        f"The recording is {_length(seconds).en} long, more than the most that is taken, {_length(most_s).en}.",
        hint,
    )


def playlist() -> Finding:
    """Text that names other sound."""
    return _error(
        "playlist",
        "Tệp này là danh sách phát hoặc đường dẫn, không phải bản ghi âm.",
        "This file is a playlist or a link, not a recording.",
        Text("Hãy gửi chính tệp âm thanh.", "Send the sound file itself."),
    )


def outside() -> Finding:
    """A container whose sound lies in another file."""
    return _error(
        "playlist",
        "Tệp này dẫn tới một tệp khác chứ không chứa âm thanh bên trong.",
        "This file points to another file instead of holding the sound.",
        Text("Hãy gửi chính tệp âm thanh.", "Send the sound file itself."),
    )


def not_audio() -> Finding:
    """None of the formats that are taken."""
    return _error(
        "not_audio",
        "Tệp này không phải bản ghi âm ở định dạng được nhận.",
        "This file is not a recording in a format that is taken.",
        Text(
            "Các định dạng được nhận: MP3, WAV, FLAC, M4A, AAC, OGG, Opus, WebM.",
            "Taken are MP3, WAV, FLAC, M4A, AAC, OGG, Opus and WebM.",
        ),
    )


def not_a_file() -> Finding:
    """A link, a device, a pipe, or a file that also has another name."""
    return _error(
        "not_audio",
        "Đây không phải một tệp thông thường nên không được mở.",
        "This is not an ordinary file of its own, so it was not opened.",
    )


def truncated(seconds: float, declared_s: float | None) -> Finding:
    """The end is missing; says how much is there."""
    if seconds <= 0:
        vi, en = "không còn đoạn âm thanh nào", "no sound is left in it"
    elif declared_s is None:
        vi, en = (
            f"chỉ có {_length(seconds).vi}, phần cuối bị thiếu",
            f"only {_length(seconds).en} is there, the end is missing",
        )
    else:
        there, whole = _length(seconds), _length(declared_s)
        vi = f"chỉ có {there.vi} trong {whole.vi}"
        en = f"only {there.en} of {whole.en} is there"
    return _error("truncated", f"Tệp bị cắt: {vi}.", f"The file is cut off: {en}.", _AGAIN)


def silent() -> Finding:
    """Nothing can be heard from beginning to end."""
    return _error(
        "silent",
        "Bản ghi gần như không có tiếng từ đầu đến cuối.",
        "The recording is silent, or nearly so, from beginning to end.",
        Text("Hãy kiểm tra micrô và dây nối, rồi ghi lại.", "Check the microphone and its cable, then record again."),
    )


def damaged() -> Finding:
    """Too much of it cannot be decoded."""
    return _error(
        "damaged",
        "Tệp bị hỏng, nhiều đoạn không đọc được.",
        "The file is damaged: much of it cannot be read.",
        _AGAIN,
    )


def too_complex() -> Finding:
    """It hit a limit of memory, time or size."""
    return _error(
        "too_complex",
        "Tệp có cấu trúc bất thường, cần quá nhiều bộ nhớ hoặc thời gian để đọc nên không được nhận.",
        "The file is built in an unusual way and needs too much memory or time to read, so it is not taken.",
        Text("Hãy xuất lại bản ghi ở dạng MP3 hoặc WAV thông thường.", "Export it again as plain MP3 or WAV."),
    )


def head_silence(seconds: float) -> Finding:
    """Silence before the first sound."""
    return _warning(
        "head_silence",
        f"Đầu bản ghi có {_vi(seconds)} giây im lặng.",
        f"The recording begins with {seconds:.1f} s of silence.",
        _TRIM,
    )


def tail_silence(seconds: float) -> Finding:
    """Silence after the last sound."""
    return _warning(
        "tail_silence",
        f"Cuối bản ghi có {_vi(seconds)} giây im lặng.",
        f"The recording ends with {seconds:.1f} s of silence.",
        _TRIM,
    )


def long_silence(start_s: float, seconds: float) -> Finding:
    """Silence in between, behind which something may hide that nobody listens for."""
    return _warning(
        "long_silence",
        f"Giữa bản ghi, từ {clock(start_s)}, có {clock(seconds)} im lặng, sau đó lại có tiếng.",
        f"From {clock(start_s)} there is silence for {clock(seconds)}, and then sound again.",
        _LISTEN,
        where=clock(start_s),
    )


def one_channel_only() -> Finding:
    """Left is right turned over: together they would be silence."""
    return _warning(
        "channels_cancel",
        "Hai kênh trái và phải ngược pha nên triệt tiêu nhau; chỉ một kênh được dùng.",
        "The left and right channels cancel each other out; only one of them was used.",
        _LISTEN,
    )


def partly_cancelled(start_s: float, seconds: float) -> Finding:
    """The same, in some places only."""
    return _warning(
        "channels_cancel",
        f"Từ {clock(start_s)} có tổng cộng {_vi(seconds)} giây hai kênh ngược pha, gần như mất tiếng khi phát ra loa.",
        f"From {clock(start_s)}, for {seconds:.1f} s in all, the channels cancel each other out and are almost lost.",
        _LISTEN,
        where=clock(start_s),
    )


def damaged_frames(count: int) -> Finding:
    """A few places that could not be decoded."""
    return _warning(
        "damaged_frames",
        f"Có {count} đoạn ngắn bị hỏng, mất tiếng ở những chỗ đó.",
        f"{count} short stretches are damaged; their sound is lost.",
        _LISTEN,
    )


def held_back(loudness_lufs: float, target_lufs: float) -> Finding:
    """Loud peaks in a quiet recording: lifting all of it would squash them."""
    return _warning(
        "loudness_low",
        f"Bản ghi lúc rất to lúc rất nhỏ nên chỉ đạt {_vi(loudness_lufs)} LUFS thay vì {_vi(target_lufs, 0)}; "
        "sẽ nghe nhỏ hơn các bài khác.",
        f"Loud peaks in a quiet recording: it reaches {loudness_lufs:.1f} LUFS instead of {target_lufs:.0f} "
        "and will sound quieter than others.",
        Text("Nếu được, hãy ghi lại với micrô ở gần hơn.", "If possible, record again, closer to the microphone."),
    )
