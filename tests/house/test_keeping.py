"""Backup and restore: everything, consistent, verified before it replaces anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from house.keeping import MANIFEST, restore, verify_backup
from tests.running import RunningLoa, make_mp3

STATIONS = {"LONGHIEP": [{"name": "main", "kind": "virtual"}]}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunningLoa, Path]:
    """A backup made while Loa ran with one approved recording; Loa is stopped."""
    folder = tmp_path_factory.mktemp("keeping")
    loa = RunningLoa(folder, STATIONS)
    loa.start()
    make_mp3(folder / "bai.mp3", seconds=2.0)
    loa.approved(folder / "bai.mp3", station="LONGHIEP", title="Bài được giữ")
    loa.command("backup", str(folder / "backup"))
    loa.stop()
    return loa, folder / "backup"


def test_a_backup_of_a_running_loa_is_whole(kept: tuple[RunningLoa, Path]) -> None:
    """Store, journal, audio and keys are there and verify."""
    _, backup = kept

    assert () == verify_backup(backup)
    assert (backup / "journal" / "LONGHIEP.db").exists()
    assert list((backup / "media").rglob("*.flac"))
    assert (backup / "keys" / "authority.ed25519").exists()


def test_a_restored_loa_goes_on_with_everything(kept: tuple[RunningLoa, Path]) -> None:
    """After the loss of DATA: the recording is approved as before, tokens work, the journal continues its chain."""
    loa, backup = kept
    loa.data.rename(loa.folder / "lost")

    answer = json.loads(loa.command("restore", str(backup), "--json").stdout)
    loa.start()
    segments = loa.ask("GET", "/segments", "hanh", params={"station": "LONGHIEP"})
    results = loa.verify()
    loa.stop()

    assert str(loa.data) == answer["restored"]
    assert [("Bài được giữ", "approved")] == [(s["title"], s["state"]) for s in segments]
    assert all(result["ok"] for result in results)


def test_the_former_data_is_kept(kept: tuple[RunningLoa, Path]) -> None:
    """A restore over something else deletes nothing."""
    loa, backup = kept
    former = json.loads(loa.command("restore", str(backup), "--json").stdout)["former"]

    assert Path(former).is_dir()


def test_a_broken_store_can_be_restored(kept: tuple[RunningLoa, Path]) -> None:
    """What the backup is for: the store's file is garbage, and the backup takes its place all the same."""
    loa, backup = kept
    (loa.data / "loa.db").write_bytes(b"garbage" * 4096)

    loa.command("restore", str(backup))

    assert 0 == loa.command("duties", "--json").returncode


@pytest.mark.parametrize("damage", ["change", "remove", "none"])
def test_a_damaged_backup_is_refused_and_nothing_is_replaced(
    kept: tuple[RunningLoa, Path], tmp_path: Path, damage: str
) -> None:
    """One changed byte, one missing file, or a folder that is no backup: exit 1, DATA stays."""
    loa, backup = kept
    copy = tmp_path / "copy"
    copy.mkdir()
    if damage != "none":
        for path in backup.rglob("*"):
            target = copy / path.relative_to(backup)
            target.mkdir(parents=True, exist_ok=True) if path.is_dir() else target.write_bytes(path.read_bytes())
        victim = next((copy / "media").rglob("*.flac"))
        if damage == "change":
            content = bytearray(victim.read_bytes())
            content[100] ^= 1
            victim.write_bytes(content)
        else:
            victim.unlink()
    before = sorted(loa.data.rglob("*.flac"))

    refused = loa.command("restore", str(copy), check=False)

    assert 1 == refused.returncode
    assert before == sorted(loa.data.rglob("*.flac"))


def test_a_backup_does_not_overwrite(kept: tuple[RunningLoa, Path]) -> None:
    """A folder that holds something is left alone."""
    loa, backup = kept
    made = json.loads((backup / MANIFEST).read_text())["made_at"]

    refused = loa.command("backup", str(backup), check=False)

    assert 1 == refused.returncode
    assert made == json.loads((backup / MANIFEST).read_text())["made_at"]
    assert datetime.fromisoformat(made) <= datetime.now(UTC)


def test_two_restores_within_a_second_keep_both_former_folders(kept: tuple[RunningLoa, Path], tmp_path: Path) -> None:
    """The second does not fail on the name that the first one took, and neither replaces what the other kept."""
    _, backup = kept
    data, now = tmp_path / "data", datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
    data.mkdir()

    former = [restore(backup, data, now) for _ in range(2)]

    assert 2 == len(set(former))
    assert all(path is not None and path.is_dir() for path in former)
