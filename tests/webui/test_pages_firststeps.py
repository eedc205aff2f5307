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
