"""Why a place of the plan stays empty, and what to do about it."""

from __future__ import annotations

from schedules.text import Text

NOT_ON_STATION = Text("Bài đã duyệt chưa có trên máy phát.", "The approved item is not on the station yet.")
RELAY_GONE = Text(
    "Nguồn tiếp âm không còn trong danh sách được phép.", "The relay is not in the list of what is allowed any more."
)
OUTSIDE_HOURS = Text("Ngoài khung giờ được phép phát.", "Outside the permitted hours.")
TOO_MANY = Text("Quá số buổi được phát trong ngày.", "More sessions than a day may have.")
TOO_LATE = Text("Lượt trước kéo dài quá lâu.", "What came before it took too long.")
OVER_LIMIT = Text("Quá số phút được phát trong ngày hoặc trong buổi.", "More minutes than a day or a session may have.")
NO_ROOM = Text("Không đủ giờ trong buổi phát.", "Not enough time left in the session.")

HINT_AUDIO = Text(
    "Tải bài lên và trình duyệt trước giờ phát.", "Upload a recording and have it approved before it is due."
)
HINT_ABSENT = Text(
    "Không phải tải lại: kiểm tra đường truyền của máy phát để bài về kịp.",
    "Nothing to upload: check the station's link, so that it arrives in time.",
)
HINT_HOURS = Text(
    "Dời buổi phát vào khung giờ được phép, hoặc sửa khung giờ của đài.",
    "Move the session into the permitted hours, or change the station's hours.",
)
HINT_SESSIONS = Text(
    "Gộp hoặc bỏ bớt một buổi, hoặc sửa giới hạn của đài.", "Join or drop a session, or change the station's limits."
)
HINT_LIMIT = Text(
    "Rút ngắn hoặc bỏ bớt mục trong ngày đó, hoặc nâng giới hạn số phút phát của đài.",
    "Shorten or drop something that day, or raise the station's limit of minutes.",
)
HINT_ROOM = Text(
    "Rút ngắn bài, bớt mục, hoặc kéo dài buổi phát.", "Shorten the item, take a place out, or lengthen the session."
)
