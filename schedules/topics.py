"""The topics of the digital transformation duty, as letter 485/UBND-VX of 23 May 2023 names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from schedules.text import Text

TopicCode = str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicGroup:
    """One of the letter's six groups. weekly: it is expected every week; the others rotate."""

    letter: str
    label: Text
    weekly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What a recording may be about; a recording may carry several. `group` is the letter of its group."""

    code: TopicCode
    group: str
    label: Text


GROUPS: tuple[TopicGroup, ...] = (
    TopicGroup(letter="A", label=Text("Chủ trương, chương trình", "Policy and programmes")),
    TopicGroup(letter="B", label=Text("Trách nhiệm, nhận thức", "Responsibility and awareness")),
    TopicGroup(letter="C", label=Text("An toàn", "Safety")),
    TopicGroup(letter="D", label=Text("Điển hình", "Good examples")),
    TopicGroup(letter="E", label=Text("Địa phương", "Our locality")),
    TopicGroup(letter="F", label=Text("Tin hằng tuần", "Weekly news"), weekly=True),
)


def _topic(code: TopicCode, group: str, vi: str, en: str) -> Topic:
    return Topic(code=code, group=group, label=Text(vi, en))


TOPICS: tuple[Topic, ...] = (
    _topic("DX-NAT", "A", "Chương trình chuyển đổi số quốc gia", "National digital transformation programme"),
    _topic(
        "DX-PLATFORM",
        "A",
        "Chương trình phát triển nền tảng số quốc gia",
        "Programme to develop national digital platforms",
    ),
    _topic("DX-EGOV", "A", "Chiến lược phát triển Chính phủ điện tử", "E-government strategy"),
    _topic(
        "DX-DGOV",
        "A",
        "Chính phủ số, chính quyền số: nhiệm vụ, giải pháp",
        "Digital government: tasks and solutions",
    ),
    _topic("DX-DECON", "A", "Kinh tế số", "Digital economy"),
    _topic("DX-DSOC", "A", "Xã hội số", "Digital society"),
    _topic("DX-PRIORITY", "A", "Lĩnh vực ưu tiên chuyển đổi số", "Priority fields of digital transformation"),
    _topic("DX-DTI", "A", "Bộ chỉ số đánh giá chuyển đổi số", "Digital transformation index"),
    _topic(
        "DX-DIRECTIVE",
        "A",
        "Văn bản chỉ đạo của Trung ương, tỉnh, huyện",
        "Directives of the central, provincial and district levels",
    ),
    _topic(
        "DX-POLICY",
        "A",
        "Cơ chế, chính sách cho doanh nghiệp, người dân",
        "Mechanisms and policies for businesses and people",
    ),
    _topic(
        "DX-LEADER",
        "B",
        "Vai trò, trách nhiệm của cấp ủy, người đứng đầu",
        "Role and responsibility of party committees and heads",
    ),
    _topic(
        "DX-DATASAFE",
        "C",
        "Tự bảo vệ thông tin, dữ liệu trên môi trường số",
        "Protecting one's own information and data online",
    ),
    _topic(
        "DX-CONDUCT",
        "C",
        "Quy tắc sử dụng dịch vụ số, ứng xử trên mạng xã hội",
        "Rules for digital services, conduct on social networks",
    ),
    _topic(
        "DX-INFOSEC",
        "C",
        "Kỹ năng cơ bản bảo đảm an toàn, an ninh thông tin",
        "Basic skills of information security",
    ),
    _topic(
        "DX-CYBER",
        "C",
        "Tham gia an toàn, an ninh mạng; phòng, chống phá hoại, thâm nhập trái phép",
        "Taking part in network security against sabotage and intrusion",
    ),
    _topic("DX-STORY", "D", "Câu chuyện thành công, gương điển hình", "Success stories and role models"),
    _topic(
        "DX-MODEL",
        "D",
        "Cách làm hay, sáng tạo, mô hình điển hình",
        "Good and creative ways of working, model cases",
    ),
    _topic(
        "DX-RESULT",
        "D",
        "Thành tựu, hiệu quả và vấn đề liên quan của huyện",
        "Achievements, effects and related matters of the district",
    ),
    _topic(
        "DX-LOCALPLAN",
        "E",
        "Quan điểm, mục tiêu, nguyên tắc, lộ trình, nhiệm vụ, giải pháp, kết quả của địa phương",
        "The locality's views, goals, principles, road map, tasks, solutions and results",
    ),
    _topic(
        "DX-SWOT",
        "E",
        "Thuận lợi, khó khăn, cơ hội, thách thức",
        "Advantages, difficulties, opportunities, challenges",
    ),
    _topic(
        "DX-CITIZEN",
        "E",
        "Người dân và doanh nghiệp là trung tâm",
        "People and businesses are at the centre",
    ),
    _topic("DX-AWARE", "E", "Nhận thức đóng vai trò quyết định", "Awareness decides"),
    _topic("DX-CULTURE", "E", "Văn hóa số", "Digital culture"),
    _topic("DX-INSTITUTION", "E", "Thể chế đóng vai trò then chốt", "Institutions are the key"),
    _topic(
        "DX-ONESTOP",
        "F",
        "Giải quyết thủ tục hành chính tại bộ phận một cửa trong tuần",
        "Administrative procedures settled at the one-stop shop this week",
    ),
    _topic(
        "DX-MEETING",
        "F",
        "Hội nghị về chuyển đổi số tại địa phương",
        "Local meetings on digital transformation",
    ),
)

BY_CODE: Mapping[TopicCode, Topic] = MappingProxyType({topic.code: topic for topic in TOPICS})


def in_group(letter: str) -> tuple[Topic, ...]:
    """Return the topics of one group, in the letter's order; none for an unknown letter."""
    return tuple(topic for topic in TOPICS if topic.group == letter)
