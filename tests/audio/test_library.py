"""The library: a file is what its name says, or it does not air."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from audio.library import Library
from schedules.errors import SegmentUnplayable


def adopted(library: Library, folder: Path, content: bytes) -> str:
    temporary = folder / "new.flac"
    temporary.write_bytes(content)
    return library.adopt(temporary)


def problem(library: Library, sha256: str) -> str:
    with pytest.raises(SegmentUnplayable) as caught:
        library.open_verified(sha256)
    return caught.value.findings[0].code


def test_a_file_is_named_by_its_hash(tmp_path: Path) -> None:
    """An adopted file lies under its SHA-256, read-only, and the temporary one is gone."""
    library = Library(tmp_path / "media")
    sha256 = adopted(library, tmp_path, b"sound")
    path = library.path(sha256)
    assert sha256 == hashlib.sha256(b"sound").hexdigest()
    assert path == tmp_path / "media" / sha256[:2] / f"{sha256}.flac"
    assert path.read_bytes() == b"sound"
    assert path.stat().st_mode & 0o777 == 0o440
    assert library.has(sha256)
    assert not (tmp_path / "new.flac").exists()


def test_adopting_twice_keeps_one(tmp_path: Path) -> None:
    """The same content is one file."""
    library = Library(tmp_path / "media")
    assert adopted(library, tmp_path, b"sound") == adopted(library, tmp_path, b"sound")
    assert len(list((tmp_path / "media").rglob("*.flac"))) == 1


def test_a_verified_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    """The descriptor stands at the first byte."""
    library = Library(tmp_path / "media")
    descriptor = library.open_verified(adopted(library, tmp_path, b"sound"))
    try:
        assert os.read(descriptor, 99) == b"sound"
    finally:
        os.close(descriptor)


def test_s31_a_swapped_file_does_not_open(tmp_path: Path) -> None:
    """Other bytes under an approved name, one bit even, are refused."""
    library = Library(tmp_path / "media")
    sha256 = adopted(library, tmp_path, b"approved")
    library.path(sha256).chmod(0o600)
    library.path(sha256).write_bytes(b"Approved")
    assert problem(library, sha256) == "media_hash"


def test_s31_a_swap_after_the_check_changes_nothing(tmp_path: Path) -> None:
    """What was checked is what is read: another file moved over the name is not seen."""
    library = Library(tmp_path / "media")
    sha256 = adopted(library, tmp_path, b"approved")
    descriptor = library.open_verified(sha256)
    try:
        (tmp_path / "evil").write_bytes(b"evil")
        (tmp_path / "evil").replace(library.path(sha256))
        assert os.read(descriptor, 99) == b"approved"
    finally:
        os.close(descriptor)
    assert problem(library, sha256) == "media_hash"


def test_s31_links_and_pipes_in_the_library_do_not_open(tmp_path: Path) -> None:
    """A link to the very right bytes is still no file of ours, and a pipe does not make us wait."""
    library = Library(tmp_path / "media")
    sha256 = adopted(library, tmp_path, b"approved")
    (tmp_path / "copy").write_bytes(b"approved")
    library.path(sha256).unlink()
    library.path(sha256).symlink_to(tmp_path / "copy")
    assert problem(library, sha256) == "media_missing"
    library.path(sha256).unlink()
    os.mkfifo(library.path(sha256))
    assert problem(library, sha256) == "media_hash"


def test_a_missing_file_is_called_missing(tmp_path: Path) -> None:
    """The code tells a missing file from a changed one."""
    assert problem(Library(tmp_path), "0" * 64) == "media_missing"


@pytest.mark.parametrize("name", ["", "../" * 20 + "etc/passwd", "A" * 64, "0" * 63 + "\n", "0" * 65])
def test_only_hashes_are_names(tmp_path: Path, name: str) -> None:
    """No path can be made of what is not a hash."""
    with pytest.raises(ValueError, match="not a SHA-256"):
        Library(tmp_path).path(name)


def test_sweeping_removes_what_nobody_keeps(tmp_path: Path) -> None:
    """Old files go unless somebody keeps them; new ones stay in any case."""
    library = Library(tmp_path / "media")
    kept, old, new = (adopted(library, tmp_path, name) for name in (b"kept", b"old", b"new"))
    for sha256 in (kept, old):
        os.utime(library.path(sha256), (1, 1))
    assert library.sweep({kept}, older_than_s=3_600) == (old,)
    assert (library.has(kept), library.has(old), library.has(new)) == (True, False, True)
