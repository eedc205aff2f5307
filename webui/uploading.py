"""Recordings that arrive in parts: each part is safe before it is acknowledged, the last makes a recording."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy.orm import Session
from werkzeug.exceptions import ClientDisconnected

from schedules.errors import Conflict, Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.segment import SegmentId
from schedules.text import Text
from store import segments, uploads
from store.accounts import Person
from store.identity import new_id
from store.segments import Card, SegmentRecord
from store.uploads import Upload, UploadState
from webui import writing
from webui.arrival import sync_folder
from webui.intake import upload_name
from webui.services import services
from webui.work import checked_card, label, no_such, trace

_BLOCK = 1 << 18
# What must stay free beside the files that are expected: the analysis writes too, and so does everything else.
_RESERVE_BYTES = 512 * 1024 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class UploadGone(Unknown):
    """It was given up, or waited too long for its next byte."""


class OffsetDiffers(Conflict):
    """What was sent does not begin where the safe bytes end."""


class UploadBusy(Conflict):
    """Another request is writing to it at this moment."""


class TooLong(Refused):
    """More bytes than were announced, or than are allowed."""


class ChecksumDiffers(Refused):
    """What arrived is not what was sent: nothing of it was kept."""


class DiskFull(Refused):
    """There is no room for it now; what was acknowledged is kept."""


class Digest(Protocol):
    """A running checksum."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes in."""
        ...

    def digest(self) -> bytes:
        """Return it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """What a sender says of the bytes of one request."""

    algorithm: str
    expected: bytes

    def begin(self) -> Digest:
        """Return the running checksum to compare with."""
        return ALGORITHMS[self.algorithm]()


def _sha1() -> Digest:
    # Against a bad line, not against people: the protocol asks every server for it.
    return hashlib.sha1(usedforsecurity=False)


ALGORITHMS: dict[str, Callable[[], Digest]] = {"sha1": _sha1, "sha256": hashlib.sha256}


def begin(*, length: int, name: str, said: str, card: Card | None, person: Person, script: str | None = None) -> Upload:
    """Expect a file of so many bytes. Raises TooLong, TooMany, DiskFull, and what its card is refused for.

    name: the sender's file name, only shown. said: the sender's own words, given back as they are.
    script: the text that is read aloud in it.
    """
    here = services()
    settings = here.settings
    if length > settings.max_upload_bytes:
        raise TooLong(too_long(settings.max_upload_bytes))
    if card is not None:
        with here.database.reading() as session:
            card = checked_card(session, card, person)
    if script is not None:
        writing.text(script, person=person, permission="segments.create")
    if shutil.disk_usage(here.intake.incoming).free < length + _RESERVE_BYTES:
        raise DiskFull(_disk_full())
    upload = new_id()
    with here.database.writing() as session:
        found = uploads.begin(
            session,
            upload=upload,
            person=person,
            length=length,
            file_name=label(name),
            said=said,
            card=card,
            script=script,
            now=here.clock.now(),
            most=settings.most_uploads,
            # One file must always find room, however large this machine lets it be.
            most_bytes=max(settings.most_uploads_bytes, settings.max_upload_bytes),
        )
        trace(session, "upload.begin", upload, person, detail=f"{length} bytes")
    if length == 0:
        return _receive(found, (), None, person)
    return found


def one(upload: str, *, person: Person) -> Upload:
    """Return one of the person's own uploads. Raises Unknown for every other one, UploadGone for what is over."""
    with services().database.reading() as session:
        return _own(session, upload, person)


def append(
    upload: str, *, offset: int, stream: IO[bytes], announced: int | None, checksum: Checksum | None, person: Person
) -> Upload:
    """Keep the bytes of one request, and make the recording where they were the last.

    announced: how many there are, None where the sender did not know. Where the line breaks before the end, what came
    is kept, unless a checksum was given. Raises OffsetDiffers, UploadBusy, TooLong, ChecksumDiffers, DiskFull, and
    what a recording can be refused for; then nothing of this request counts.
    """
    found = one(upload, person=person)
    _expect(found, offset, announced)
    return _receive(found, _blocks(stream), checksum, person)


def end(upload: str, *, person: Person) -> None:
    """Give an upload up and free its bytes; a recording that was made of it stays. Raises UploadBusy."""
    here = services()
    found = one(upload, person=person)
    path = here.intake.incoming / upload_name(upload)
    with _locked(path), here.database.writing() as session:
        uploads.end(session, found.id, here.clock.now())
        trace(session, "upload.end", found.id, person)
    path.unlink(missing_ok=True)


def claim(upload: str, *, card: Card, person: Person) -> SegmentRecord:
    """Make a recording of a whole upload that came without a card. Raises Conflict while it is not whole."""
    here = services()
    found = one(upload, person=person)
    if found.state is not UploadState.WHOLE:
        raise Conflict(
            no_such(
                "upload_not_whole",
                "Tệp này chưa gửi xong, hoặc đã thành bài. Chưa có gì thay đổi.",
                "This file has not arrived whole, or is a recording already. Nothing was changed.",
            )
        )
    path = here.intake.incoming / upload_name(upload)
    with _locked(path):
        record = _make(found, card, person, path)
    path.unlink(missing_ok=True)
    here.intake.notify()
    return record


def _receive(found: Upload, blocks: Iterable[bytes], checksum: Checksum | None, person: Person) -> Upload:
    here = services()
    if found.state is not UploadState.ARRIVING:
        # Everything is there: a request that adds nothing is answered as the last one was.
        if any(blocks):
            raise TooLong(too_long(found.length))
        return found
    path = here.intake.incoming / upload_name(found.id)
    with _locked(path) as descriptor:
        with here.database.reading() as session:
            found = _own(session, found.id, person, found.offset)
        if os.fstat(descriptor).st_size < found.offset:
            _give_up(found)
            raise UploadGone(_gone())
        size = _write(descriptor, found, blocks, checksum)
        if found.offset == 0:
            sync_folder(path.parent)
        if size == found.length and found.card is not None:
            _make(found, found.card, person, path)
        else:
            with here.database.writing() as session:
                if not uploads.advance(
                    session,
                    found.id,
                    before=found.offset,
                    offset=size,
                    whole=size == found.length,
                    now=here.clock.now(),
                ):
                    raise OffsetDiffers(_offset_differs())
    found = one(found.id, person=person)
    if found.state is UploadState.TAKEN:
        path.unlink(missing_ok=True)
        here.intake.notify()
    return found


def _write(descriptor: int, found: Upload, blocks: Iterable[bytes], checksum: Checksum | None) -> int:
    """Write behind the safe bytes, put them on the disk, and return how long the file is now."""
    digest = None if checksum is None else checksum.begin()
    size = found.offset
    try:
        for block in blocks:
            if size + len(block) > found.length:
                raise TooLong(too_long(found.length))
            _write_whole(descriptor, block, size)
            size += len(block)
            if digest is not None:
                digest.update(block)
        if digest is not None and checksum is not None and digest.digest() != checksum.expected:
            raise ChecksumDiffers(_checksum_differs())
        # What a request that was never acknowledged left behind must not hang on to the end.
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
    except OSError as error:
        os.ftruncate(descriptor, found.offset)
        if error.errno in _FULL:
            raise DiskFull(_disk_full()) from error
        raise
    except Refused:
        os.ftruncate(descriptor, found.offset)
        raise
    return size


def _write_whole(descriptor: int, block: bytes, at: int) -> None:
    rest = memoryview(block)
    while rest:
        written = os.pwrite(descriptor, rest, at)
        rest = rest[written:]
        at += written


def _make(found: Upload, card: Card, person: Person, path: Path) -> SegmentRecord:
    """Make the recording. Its bytes keep both names until the rows are written: a crash in between loses nothing."""
    here = services()
    segment: SegmentId = new_id()
    original = here.intake.original(segment)
    now = here.clock.now()
    with contextlib.ExitStack() as unless_kept:
        os.link(path, original)
        unless_kept.callback(original.unlink, missing_ok=True)
        sync_folder(original.parent)
        with here.database.writing() as session:
            if not uploads.take(session, found.id, segment=segment, now=now):
                raise OffsetDiffers(_offset_differs())
            record = segments.receive(
                session,
                segment=segment,
                card=checked_card(session, card, person),
                uploader=person,
                file_name=found.file_name,
                now=now,
                most_drafts=here.settings.most_drafts,
            )
            trace(session, "segment.create", segment, person, detail=f"upload {found.id}")
        unless_kept.pop_all()
    if found.script is not None:
        # Where it has another recording meanwhile, this one stands by itself.
        with contextlib.suppress(Refused):
            writing.attach(found.script, segment, person=person)
    return record


def _own(session: Session, upload: str, person: Person, offset: int | None = None) -> Upload:
    found = uploads.find(session, upload)
    if found is None or found.person != person.id:
        raise Unknown(no_such("upload_unknown", "Không có lần gửi này.", "There is no such upload."))
    if found.state is UploadState.ENDED or services().clock.now() >= found.expires_at:
        raise UploadGone(_gone())
    if offset is not None and (found.offset != offset or found.state is not UploadState.ARRIVING):
        raise OffsetDiffers(_offset_differs())
    return found


def _expect(found: Upload, offset: int, announced: int | None) -> None:
    if offset != found.offset:
        raise OffsetDiffers(_offset_differs())
    if announced is not None and offset + announced > found.length:
        raise TooLong(too_long(found.length))


def _give_up(found: Upload) -> None:
    here = services()
    with here.database.writing() as session:
        uploads.end(session, found.id, here.clock.now())


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Hold the file of an upload open for this request alone, in whichever process. Raises UploadBusy."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UploadBusy(
                no_such(
                    "upload_busy",
                    "Tệp này đang được gửi ở một nơi khác. Phần đã gửi vẫn giữ.",
                    "This file is being sent by another request. What was sent is kept.",
                )
            ) from error
        yield descriptor
    finally:
        os.close(descriptor)


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    while True:
        try:
            block = stream.read(_BLOCK)
        except ClientDisconnected:
            # The line broke: what came before counts.
            return
        if not block:
            return
        yield block


def _gone() -> Finding:
    return no_such(
        "upload_gone",
        "Lần gửi này đã hủy hoặc để quá hạn, phần đã gửi không còn. Hãy gửi lại từ đầu.",
        "This upload was cancelled or has expired, and what was sent is gone. Send the file again.",
    )


def _offset_differs() -> Finding:
    return no_such(
        "offset_differs",
        "Phần gửi tiếp không khớp với phần đã nhận. Phần đã nhận vẫn giữ.",
        "This part does not begin where the received part ends. What was received is kept.",
    )


def _checksum_differs() -> Finding:
    return no_such(
        "checksum_differs",
        "Phần vừa gửi bị sai trên đường truyền nên không nhận. Phần trước vẫn giữ.",
        "This part was damaged on its way and was not taken. What came before is kept.",
    )


def too_long(most_bytes: int) -> Finding:
    """Return the sentence for more bytes than may come."""
    return Finding(
        code="too_big",
        severity=Severity.ERROR,
        where="audio",
        message=Text(
            f"Nội dung gửi lên dài hơn {most_bytes} byte cho phép. Chưa nhận gì thêm.",
            f"What was sent is longer than the {most_bytes} bytes allowed here. Nothing more was taken.",
        ),
    )


def _disk_full() -> Finding:
    return Finding(
        code="disk_full",
        severity=Severity.ERROR,
        message=Text(
            "Máy chủ không đủ chỗ cho tệp này. Phần đã nhận vẫn giữ.",
            "The server has no room for this file. What was received is kept.",
        ),
        hint=Text("Hãy báo quản trị viên, rồi gửi tiếp.", "Tell the administrator, then go on sending."),
    )
