"""A new station's first five steps tick themselves, and go when they are done."""

from __future__ import annotations


def test_steps_tick_themselves_from_facts(world):
    """An empty station shows what is open; what exists is ticked without anybody saying so; an inspector sees none."""
    client = world.signed_in("operator")

    empty = client.get("/?dai=LONGHIEP").text
    world.analysed(client)
    recorded = client.get("/?dai=LONGHIEP").text

    assert "Năm bước đầu của đài mới" in empty
    assert ">Ghi bài đầu tiên</a>" in empty
    assert "Chưa làm" in empty, "a step that is open is not called planned"
    assert "Ghi bài đầu tiên" in recorded
    assert ">Ghi bài đầu tiên</a>" not in recorded
    assert "Năm bước đầu" not in world.signed_in("inspector").get("/?dai=LONGHIEP").text


def test_what_waits_for_the_readers_hand_comes_first(world):
    """An item that waits and one that came back stand in the answer of who has to do something, and of nobody else."""
    officer, leader = world.signed_in("operator"), world.signed_in("approver")
    segment = world.analysed(officer)["id"]
    world.post(officer, f"/bai/{segment}/trinh")

    assert "1 bài chờ duyệt." in leader.get("/?dai=LONGHIEP").text
    assert "1 bài chờ duyệt." not in officer.get("/?dai=LONGHIEP").text
    world.post(leader, f"/bai/{segment}/tra-lai", {"reason": "Đọc lại cho rõ."})
    assert "1 bài bị trả lại cần sửa." in officer.get("/?dai=LONGHIEP").text
