"""The letter's topics are complete and in its groups."""

from __future__ import annotations

from collections import Counter

from schedules.topics import BY_CODE, GROUPS, TOPICS, in_group


def test_all_topics_of_the_letter_are_there():
    """The letter names 26 topics in 6 groups; each has a code of its own and both languages."""
    groups = Counter(topic.group for topic in TOPICS)

    assert groups == {"A": 10, "B": 1, "C": 4, "D": 3, "E": 6, "F": 2}
    assert len(BY_CODE) == 26
    assert all(topic.label.vi and topic.label.en and topic.code.startswith("DX-") for topic in TOPICS)


def test_only_the_last_group_is_weekly():
    """The one-stop results and the meetings are expected every week, the rest rotates."""
    assert [group.letter for group in GROUPS if group.weekly] == ["F"]
    assert [topic.code for topic in in_group("F")] == ["DX-ONESTOP", "DX-MEETING"]
    assert in_group("Z") == ()
