"""What an inspection looks at: the check list of the tier above, and the shorter one of a commune looking by itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from schedules.text import Text


class Result(StrEnum):
    """What was found at one item; `unseen` is not a result but a gap."""

    OK = "ok"
    NOT = "not"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckItem:
    """One line of a check list. equipment: what is wrong there is a matter for a repairer."""

    code: str
    words: Text
    equipment: bool = False


CLUSTER = "cluster:"
"""Before the code of a cluster group: each cluster is looked at on the spot."""

_MACHINE = CheckItem(
    code="machine",
    words=Text("Máy phát, tăng âm, micrô", "Player, amplifier, microphone"),
    equipment=True,
)
_POWER = CheckItem(
    code="power",
    words=Text("Nguồn điện, chống sét, an toàn điện", "Mains, lightning protection, electrical safety"),
    equipment=True,
)
_LINES = CheckItem(
    code="lines",
    words=Text("Đường truyền, SIM dữ liệu, cột và dây", "Links, data SIM, poles and wires"),
    equipment=True,
)
_LOG_BOOK = CheckItem(
    code="log_book",
    words=Text("Sổ nhật ký chương trình phát thanh hằng tuần", "Weekly log book of programmes"),
)
_NOISE = CheckItem(
    code="noise",
    words=Text("Âm lượng, giờ phát, khoảng cách tới nhà dân", "Volume, hours, distance to houses"),
)
ROUND = (
    CheckItem(code="law", words=Text("Tuyên truyền văn bản pháp luật", "Broadcasting of legal texts")),
    CheckItem(code="targets", words=Text("Thực hiện chỉ tiêu thi đua", "Emulation targets")),
    CheckItem(
        code="weekly", words=Text("Chuyên mục “Chuyển đổi số” hằng tuần", "Weekly digital transformation programme")
    ),
    _LOG_BOOK,
    CheckItem(code="archive", words=Text("Lưu trữ tài liệu tuyên truyền", "Archive of broadcast material")),
    CheckItem(
        code="statute", words=Text("Quy chế hoạt động, phân công người phụ trách", "Statute, and who is in charge")
    ),
    _MACHINE,
    CheckItem(
        code="transmitter",
        words=Text("Máy phát FM: giấy phép tần số, mã hóa chống chen sóng", "FM transmitter: licence, encoder"),
        equipment=True,
    ),
    _POWER,
    _LINES,
    _NOISE,
    CheckItem(code="complaints", words=Text("Trả lời phản ánh của người dân", "Answers to residents’ complaints")),
)
OWN = (_MACHINE, _POWER, _LINES, _LOG_BOOK, _NOISE)
EVERY = {item.code: item for item in (*ROUND, *OWN)}


def is_equipment(item: str) -> bool:
    """Return whether what is wrong at this item becomes a ticket: a cluster always does."""
    known = EVERY.get(item)
    return item.startswith(CLUSTER) or (known is not None and known.equipment)


def progress(items: Collection[str], results: Collection[Result]) -> tuple[int, int]:
    """Return how many items were looked at, and how many there are."""
    return sum(1 for result in results if result is not Result.UNSEEN), len(items)


def check_due(last: date | None, since: date, every_days: int) -> date:
    """Return when the commune's next own check is due; since: the day from which it is owed at all."""
    return (last or since) + timedelta(days=every_days)
