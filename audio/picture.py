"""A photo that somebody sent becomes one of ours: sniffed here, decoded and drawn anew in a locked room."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from audio import picturesentences
from audio.child import Refusal
from audio.library import Library
from audio.pictureheaders import Drawing, own_size, sniff_picture
from audio.sandbox import Confinement, Sandbox
from schedules.errors import IngestRefused
from schedules.findings import Finding

SUFFIX = ".jpg"
_LEAST_PX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    """What one photo may cost. side_px: the longest side of ours; the kernel enforces memory and processor time."""

    max_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 64_000_000
    side_px: int = 1600
    memory_mb: int = 800
    cpu_s: int = 15
    wall_s: float = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A JPEG of ours, without a word about where, when or by which telephone it was taken."""

    sha256: str
    width_px: int
    height_px: int
    size_bytes: int


def pictures(data: Path) -> Library:
    """Return the place of all pictures under the folder DATA: `pictures/ab/<sha256>.jpg`."""
    return Library(data / "pictures", suffix=SUFFIX)


def make_picture(source: Path, *, pictures: Library, scratch: Path, limits: PictureLimits = PictureLimits()) -> Picture:
    """Draw one photo (JPEG, PNG, WebP) anew, at most `side_px` wide and high, and keep it in `pictures`.

    source: never followed if it is a link; its name means nothing; it stays where it is. Raises IngestRefused with a
    finding for the sender, SandboxUnavailable where nothing can be decoded safely, OSError where the disk fails.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    descriptor = _open(source)
    try:
        drawing = _look(descriptor, limits)
        handle, name = tempfile.mkstemp(dir=scratch, prefix="picture-", suffix=SUFFIX)
        try:
            with os.fdopen(handle, "r+b") as out:
                _draw(descriptor, out.fileno(), drawing, limits)
                out.seek(0)
                content = out.read()
                size = own_size(content)
                if size is None or max(size) > limits.side_px:
                    raise IngestRefused(picturesentences.damaged())
            sha256 = pictures.adopt(Path(name))
        finally:
            Path(name).unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    if sha256 != hashlib.sha256(content).hexdigest():
        raise OSError(errno.EIO, "a picture changed while it was kept")
    return Picture(sha256=sha256, width_px=size[0], height_px=size[1], size_bytes=len(content))


def _open(source: Path) -> int:
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise IngestRefused(picturesentences.not_a_picture()) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IngestRefused(picturesentences.not_a_picture())
    return descriptor


def _look(descriptor: int, limits: PictureLimits) -> Drawing:
    """Return what the file is, or refuse it for what can be seen without decoding."""
    size = os.fstat(descriptor).st_size
    if size > limits.max_bytes:
        raise IngestRefused(picturesentences.too_heavy(size, limits.max_bytes))
    found = sniff_picture(os.pread(descriptor, size, 0))
    if found is None:
        raise IngestRefused(picturesentences.not_a_picture())
    if found.codec is None:
        raise IngestRefused(picturesentences.apple())
    if found.width_px * found.height_px > limits.max_pixels:
        raise IngestRefused(picturesentences.too_large(found.width_px, found.height_px))
    if min(found.width_px, found.height_px) < _LEAST_PX:
        raise IngestRefused(picturesentences.damaged())
    return found


def _draw(descriptor: int, out: int, drawing: Drawing, limits: PictureLimits) -> None:
    confinement = Confinement(
        memory_bytes=limits.memory_mb * 1_000_000, cpu_s=limits.cpu_s, output_bytes=8 * 1024 * 1024
    )
    job = {
        "codec": drawing.codec,
        "size_bytes": os.fstat(descriptor).st_size,
        "side_px": limits.side_px,
        "max_pixels": limits.max_pixels,
    }
    try:
        with Sandbox("audio.redraw", confinement) as sandbox:
            sandbox.do(job, [descriptor, out], wall_s=limits.wall_s, stall_s=limits.wall_s)
    except Refusal as refusal:
        raise _refused(refusal) from refusal


def _refused(refusal: Refusal) -> IngestRefused | OSError:
    number = refusal.details.get("errno")
    if refusal.code == "os_error" and number in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS):
        return OSError(number, str(refusal.details.get("said", "")))
    finding: Finding = picturesentences.too_complex() if refusal.code == "too_complex" else picturesentences.damaged()
    return IngestRefused(finding)
