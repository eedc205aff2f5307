"""What the sender of a photo is told when it cannot be taken."""

from __future__ import annotations

from schedules.findings import Finding, Severity
from schedules.text import Text

_OTHER = Text("Hãy chụp lại hoặc chọn ảnh khác.", "Take the photo again, or choose another.")


def _refusal(code: str, vi: str, en: str, hint: Text = _OTHER) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=Text(vi, en), hint=hint)


def not_a_picture() -> Finding:
    """Neither JPEG nor PNG nor WebP, whatever its name says."""
    return _refusal(
        "not_a_picture",
        "Tệp này không phải ảnh JPEG, PNG hay WebP nên không nhận được.",
        "This file is not a JPEG, PNG or WebP picture, so it cannot be taken.",
    )


def apple() -> Finding:
    """HEIC: a picture in many tiles that nothing here puts together."""
    return _refusal(
        "heic",
        "Ảnh dạng HEIC của điện thoại chưa đọc được.",
        "Photos in the telephone's HEIC format cannot be read.",
        Text(
            "Trong cài đặt máy ảnh hãy chọn “Tương thích nhất” (JPEG) rồi chụp lại, hoặc gửi ảnh chụp màn hình.",
            "Choose “Most compatible” (JPEG) in the camera's settings and take it again, or send a screenshot of it.",
        ),
    )


def too_heavy(size_bytes: int, most_bytes: int) -> Finding:
    """More bytes than a photo needs."""
    size, most = size_bytes / 1_048_576, most_bytes / 1_048_576
    return _refusal(
        "too_heavy",
        f"Ảnh nặng {size:.0f} MB, vượt mức tối đa {most:.0f} MB.",
        f"The photo has {size:.0f} MB, more than the most that is taken, {most:.0f} MB.",
    )


def too_large(width_px: int, height_px: int) -> Finding:
    """More pixels than a telephone's camera makes."""
    return _refusal(
        "too_large",
        f"Ảnh quá lớn: {width_px} × {height_px} điểm ảnh.",
        f"The photo is too large: {width_px} × {height_px} pixels.",
        Text("Hãy chụp ở cỡ ảnh thường rồi gửi lại.", "Take it at the camera's ordinary size and send it again."),
    )


def damaged() -> Finding:
    """It begins as a picture and does not go on as one."""
    return _refusal("damaged", "Ảnh bị hỏng hoặc thiếu dữ liệu.", "The photo is damaged or not whole.")


def too_complex() -> Finding:
    """The limits of memory or time stopped it."""
    return _refusal(
        "too_complex",
        "Ảnh cần quá nhiều bộ nhớ hoặc thời gian để đọc nên bị từ chối.",
        "The photo needs too much memory or time to be read, so it is refused.",
    )
