"""Proof of one airing: a file to take away, and its check on any machine, which names what a forger changed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nacl.signing import VerifyKey
from pydantic import ValidationError

from link import keys
from link.chain import head_message, row_hash
from link.codec import dump, load
from schedules.errors import SignatureInvalid
from schedules.findings import Finding, Severity, errors
from schedules.text import Text

FORMAT = "loa-proof"
VERSION = 1
COVER = "proof.json"
SEAL = "signature.json"
PAGE = "minh-chung.html"

_MAGIC = b"PK\x03\x04"
_COVER_BYTES = 64 << 20
_ALL_BYTES = 2 << 30
_MOST_FILES = 2_000
_BLOCK = 1 << 20
_NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A station's signature of one row. time: as signed, ISO 8601. signature: hex."""

    time: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRow:
    """One row of the journal as it stands there. signed: None for rows of before every row was signed."""

    seq: int
    prev: str
    time: str
    monotonic: float
    boot: str
    clock: str
    kind: str
    body: dict[str, Any]
    hash: str
    signed: Signed | None = None

    def fields(self) -> dict[str, Any]:
        """Return what the row's hash is over, and the hash."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "signed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest row when the proof was made, signed: who keeps it can show later that the journal was cut."""

    seq: int
    hash: str
    time: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFile:
    """A file inside. what: page, aircheck or heard. row, named: which row of the proof names its hash, and how."""

    name: str
    sha256: str
    what: str
    row: int | None = None
    named: str | None = None
    output: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """The pictures: 0 to 100 of full scale, each list spread evenly over `seconds` from `start` (ISO 8601)."""

    start: str
    seconds: float
    approved: tuple[int, ...] = ()
    aircheck: tuple[int, ...] = ()
    heard: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a proof says. rows: without gap from the airing's first to its last piece of evidence.

    verdict: the number of the verdict's row. planned: what was to air, as the verdict's row has it. key: hex.
    """

    station: str
    slot: str
    made_at: str
    verdict: int
    first: int
    last: int
    planned: Mapping[str, Any]
    rows: tuple[ProofRow, ...]
    head: Head | None
    files: tuple[ProofFile, ...]
    peaks: Peaks | None
    key: str
    format: str = FORMAT
    version: int = VERSION


PLANNED = ("kind", "programme", "segment", "title", "sha256", "planned_start", "planned_end", "samples_expected")
"""What a proof repeats of the verdict's row, for readers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofReport:
    """What the check of a proof found. genuine: nothing was changed since the key of `fingerprint` signed it.

    known_as: the station whose key this machine knows it to be, None where it does not know the key: then the proof
    is whole, but who made it must be compared by the fingerprint. proof: None where the file cannot be read.
    """

    proof: Proof | None
    fingerprint: str
    known_as: str | None
    findings: tuple[Finding, ...]

    @property
    def genuine(self) -> bool:
        """Whether it is whole and unchanged."""
        return self.proof is not None and not errors(self.findings)


def file_name(slot: str) -> str:
    """Return under which name a proof is taken away."""
    plain = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in slot)
    return f"loa-proof-{plain}.zip"


def pack(proof: Proof, contents: Mapping[str, bytes], sign: Callable[[bytes], str]) -> bytes:
    """Return the file. contents: the bytes of every file that the proof names. sign: gives the station's signature."""
    cover = json.dumps(dump(proof), ensure_ascii=False, sort_keys=True, indent=1).encode()
    seal = json.dumps({"signature": sign(cover)}).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        # The page first: who opens the file by hand sees it at the top.
        for name in sorted(contents, key=lambda name: (name != PAGE, name)):
            archive.writestr(zipfile.ZipInfo(name, _NO_TIME), contents[name])
        archive.writestr(zipfile.ZipInfo(COVER, _NO_TIME), cover, zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo(SEAL, _NO_TIME), seal)
    return target.getvalue()


def sha256(content: bytes) -> str:
    """Return the hash by which a proof and the rows in it name a file."""
    return hashlib.sha256(content).hexdigest()


def is_proof(path: Path) -> bool:
    """Return whether a file begins as a proof does; raises OSError where it cannot be read."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def verify(source: Path | bytes, known: Mapping[str, VerifyKey]) -> ProofReport:
    """Check a proof, whoever sent it. known: the keys that this machine knows, by station.

    Raises OSError only: whatever stands in the file is a finding, with `where` such as `row 41` or `file NAME`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            return _verify(archive, known)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        return _unreadable("tệp không phải ZIP nguyên vẹn", str(error))


def _verify(archive: zipfile.ZipFile, known: Mapping[str, VerifyKey]) -> ProofReport:
    names = archive.namelist()
    if len(names) > _MOST_FILES or sum(entry.file_size for entry in archive.infolist()) > _ALL_BYTES:
        return _unreadable("tệp quá lớn", "too large")
    cover, seal = _small(archive, COVER), _small(archive, SEAL)
    if cover is None or seal is None:
        missing = COVER if cover is None else SEAL
        return _unreadable(f"thiếu {missing}", f"no {missing}")
    try:
        proof = load(Proof, json.loads(cover))
        signature = str(json.loads(seal)["signature"])
        key = VerifyKey(bytes.fromhex(proof.key))
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        return _unreadable(f"{COVER} sai ở “{place}”", f"{COVER}: {place}")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return _unreadable(f"{COVER} hoặc {SEAL} không đúng dạng", f"{COVER} or {SEAL}: {type(error).__name__}")
    if proof.format != FORMAT or proof.version != VERSION:
        kind = f"{proof.format} {proof.version}"
        return _unreadable(f"dạng “{kind}”, phiên bản này chưa biết", kind)
    sealed = _fits(key, cover, signature)
    findings = [
        *_numbers(proof),
        *_contents(proof, key, sealed=sealed),
        *_about_the_slot(proof),
        *_head(proof, key),
        *_files(archive, proof, names),
    ]
    if not sealed and not findings:
        findings.append(_cover_changed())
    owner, about_key = _whose(proof, key, known)
    return ProofReport(proof=proof, fingerprint=keys.fingerprint(key), known_as=owner, findings=(*findings, *about_key))


# Rows


def _numbers(proof: Proof) -> Iterator[Finding]:
    """Find rows that are missing, doubled, foreign or out of order."""
    found = [row.seq for row in proof.rows]
    wanted = range(proof.first, proof.last + 1)
    if len(wanted) > len(found) + _MOST_FILES or proof.first > proof.last:
        yield _row("proof_rows_missing", proof.first, "không có trong tệp", "is not in the file")
        return
    missing = sorted(set(wanted) - set(found))
    for seq in missing:
        after = seq > max(found, default=0)
        yield _row(
            "proof_shortened" if after else "proof_rows_missing",
            seq,
            "đã bị cắt khỏi cuối tệp" if after else "đã bị bỏ khỏi tệp",
            "was cut off the end" if after else "was taken out",
        )
    for seq in sorted({seq for seq in found if found.count(seq) > 1 or seq not in wanted}):
        yield _row("proof_rows_added", seq, "đã bị thêm vào", "was put in")
    if not missing and sorted(found) == list(wanted) and found != list(wanted):
        belongs, stands = next(pair for pair in zip(wanted, found, strict=True) if pair[0] != pair[1])
        yield _row(
            "proof_reordered",
            belongs,
            f"đã bị đổi chỗ: dòng {stands} đứng vào đó",
            f"was moved: row {stands} stands in its place",
        )


def _contents(proof: Proof, key: VerifyKey, *, sealed: bool) -> Iterator[Finding]:
    """Find rows whose content, time, signature or place in the chain does not fit; each is named once."""
    before: ProofRow | None = None
    suspect = False
    for row in sorted(proof.rows, key=lambda row: row.seq):
        found = _content(row, key, sealed=sealed)
        # A wrong link is the fault of the row that it leads to, where that one was changed.
        linked = before is None or before.seq + 1 != row.seq or row.prev == before.hash
        if found is None and not linked and not suspect:
            found = _row(
                "proof_chain_broken", row.seq, "không nối tiếp dòng trước nó", "does not continue the row before it"
            )
        if found is not None:
            yield found
        suspect = found is not None and found.severity is Severity.ERROR
        before = row


def _content(row: ProofRow, key: VerifyKey, *, sealed: bool) -> Finding | None:
    digest = _hash(row.fields())
    if row.signed is None:
        if digest != row.hash:
            return _changed(row)
        if sealed:
            return _row(
                "proof_row_unsigned",
                row.seq,
                "chưa có chữ ký riêng; chữ ký của cả tệp bảo đảm cho nó",
                "has no signature of its own; that of the whole file vouches for it",
                severity=Severity.NOTE,
            )
        return _row("proof_row_unsigned", row.seq, "không có chữ ký", "has no signature")
    signed = _fits(key, head_message(row.seq, row.hash, row.signed.time), row.signed.signature)
    if signed and digest == row.hash and row.time == row.signed.time:
        return None
    as_signed = _hash(row.fields() | {"time": row.signed.time})
    if row.time != row.signed.time and as_signed is not None:
        original = head_message(row.seq, as_signed, row.signed.time)
        if _fits(key, original, row.signed.signature):
            return _row(
                "proof_redated",
                row.seq,
                f"đã bị đổi giờ: đài ghi {row.signed.time}, trong tệp là {row.time}",
                f"was re-dated: the station wrote {row.signed.time}, the file says {row.time}",
            )
    if signed and digest == row.hash:
        return None  # signed a little after it was written
    return _changed(row)


def _about_the_slot(proof: Proof) -> Iterator[Finding]:
    verdict = next((row for row in proof.rows if row.seq == proof.verdict), None)
    if verdict is None:
        if proof.first <= proof.verdict <= proof.last:
            return  # named as missing already
        yield _row("proof_rows_missing", proof.verdict, "không có trong tệp", "is not in the file")
    elif verdict.kind != "verdict" or verdict.body.get("slot") != proof.slot:
        of = str(verdict.body.get("slot", "?"))
        yield _row(
            "proof_other_slot",
            verdict.seq,
            f"là kết quả của lượt {of}, không phải của {proof.slot}",
            f"is the verdict of {of}, not of {proof.slot}",
        )
    elif verdict.body.get("station") != proof.station or any(
        proof.planned.get(name) != verdict.body.get(name) for name in PLANNED
    ):
        yield _file("proof_cover_wrong", COVER, "không khớp với dòng kết quả", "does not fit the verdict's row")


def _head(proof: Proof, key: VerifyKey) -> Iterator[Finding]:
    head = proof.head
    if head is None:
        return
    own = next((row.hash for row in proof.rows if row.seq == head.seq), head.hash)
    fits = _fits(key, head_message(head.seq, head.hash, head.time), head.signature)
    if not fits or own != head.hash or head.seq < proof.last:
        yield _file(
            "proof_head_wrong", COVER, "có đầu chuỗi đã ký không đúng", "has a signed head that does not fit the rows"
        )


# Files


def _files(archive: zipfile.ZipFile, proof: Proof, names: list[str]) -> Iterator[Finding]:
    told = {file.name for file in proof.files} | {COVER, SEAL}
    for name in sorted({name for name in names if name not in told or names.count(name) > 1}):
        yield _file("proof_file_added", name, "đã bị thêm vào", "was put in")
    rows = {row.seq: row for row in proof.rows}
    for file in proof.files:
        if file.name not in names:
            yield _file("proof_file_missing", file.name, "đã bị bỏ khỏi tệp minh chứng", "was taken out")
            continue
        digest = _digest(archive, file.name)
        if file.row is not None and file.row in rows:
            named = _named(rows[file.row].body, file.named or file.name)
            if named != file.sha256 or named != digest:
                yield _file(
                    "proof_audio_changed",
                    file.name,
                    f"không phải bản thu mà dòng {file.row} đã ghi",
                    f"is not the recording that row {file.row} names",
                )
                continue
        if digest != file.sha256:
            page = file.what == "page"
            yield _file(
                "proof_page_changed" if page else "proof_audio_changed",
                file.name,
                "đã bị sửa sau khi lập minh chứng",
                "was changed after the proof was made",
            )
    yield from _gone(proof)
    if any(file.row is None and file.what != "page" for file in proof.files):
        # Sound whose hash no row holds could have been exchanged before the proof was made.
        loose = next(file.name for file in proof.files if file.row is None and file.what != "page")
        yield _file(
            "proof_audio_unnamed",
            loose,
            "không có dòng nhật ký nào ghi mã; chỉ chữ ký của tệp bảo đảm cho nó",
            "has its hash in no row; only the signature of the file vouches for it",
            severity=Severity.NOTE,
        )


def _gone(proof: Proof) -> Iterator[Finding]:
    """Tell which recordings rows name that are not there: purged, or no longer what was recorded."""
    here = {(file.row, file.named) for file in proof.files}
    for row in proof.rows:
        if row.kind != "evidence" or row.body.get("slot") != proof.slot:
            continue
        files = row.body.get("files")
        names = [one.get("name") for one in files if isinstance(one, dict)] if isinstance(files, list) else []
        if any((row.seq, name) not in here for name in names):
            yield _row(
                "proof_audio_gone",
                row.seq,
                "nói tới bản thu mà khi lập tệp không còn, hoặc không còn đúng mã",
                "names a recording that was gone, or no longer had its hash, when the proof was made",
                severity=Severity.NOTE,
            )


def _named(body: Mapping[str, Any], name: str) -> str | None:
    files = body.get("files")
    for one in files if isinstance(files, list) else []:
        if isinstance(one, dict) and one.get("name") == name:
            return str(one.get("sha256"))
    return None


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    try:
        with archive.open(name) as file:
            # The size in the directory was looked at; what unpacks to more is refused by zipfile itself.
            while block := file.read(_BLOCK):
                digest.update(block)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError):
        return ""
    return digest.hexdigest()


def _small(archive: zipfile.ZipFile, name: str) -> bytes | None:
    try:
        with archive.open(name) as file:
            content = file.read(_COVER_BYTES + 1)
    except KeyError:
        return None
    return content if len(content) <= _COVER_BYTES else None


# Keys


def _whose(proof: Proof, key: VerifyKey, known: Mapping[str, VerifyKey]) -> tuple[str | None, tuple[Finding, ...]]:
    owner = next((name for name, one in known.items() if bytes(one) == bytes(key)), None)
    print_ = keys.fingerprint(key)
    if owner == proof.station:
        return owner, ()
    if owner is not None or proof.station in known:
        text = Text(
            f"Chữ ký không phải của đài {proof.station}: khóa {print_} {f'là của {owner}' if owner else 'lạ'}.",
            f"It is not signed by {proof.station}: key {print_} is {f'that of {owner}' if owner else 'not known'}.",
        )
        hint = Text("Không dùng tệp này làm minh chứng.", "Do not take this file as proof.")
        return owner, (_finding("proof_key_foreign", text, "", Severity.ERROR, hint),)
    text = Text(
        f"Máy này không biết khóa {print_} đã ký tệp.",
        f"This machine does not know the key {print_} that signed it.",
    )
    hint = Text(
        f"Hỏi đài {proof.station} mã khóa và so từng nhóm.", f"Ask {proof.station} for its key and compare each group."
    )
    return None, (_finding("proof_key_unknown", text, "", Severity.WARNING, hint),)


def _fits(key: VerifyKey, message: bytes, signature: str) -> bool:
    try:
        keys.verify(key, message, signature)
    except SignatureInvalid:
        return False
    return True


def _hash(fields: Mapping[str, Any]) -> str | None:
    try:
        return row_hash(fields)
    except (TypeError, ValueError, RecursionError):
        return None


# Words


def _unreadable(vi: str, en: str) -> ProofReport:
    text = Text(f"Không đọc được tệp minh chứng: {vi}.", f"The proof cannot be read: {en}.")
    hint = Text("Tải lại tệp từ trang nhật ký.", "Download it again from the air log.")
    finding = _finding("proof_unreadable", text, "", Severity.ERROR, hint)
    return ProofReport(proof=None, fingerprint="", known_as=None, findings=(finding,))


def _changed(row: ProofRow) -> Finding:
    return _row("proof_row_changed", row.seq, "đã bị sửa sau khi đài ghi", "was changed after the station wrote it")


def _cover_changed() -> Finding:
    return _file(
        "proof_cover_changed",
        COVER,
        "đã bị sửa sau khi đài ký: bỏ bớt dòng, tệp hay sửa thông tin chung",
        "was changed after the station signed it: rows or files were dropped, or what it says of itself",
    )


def _row(code: str, seq: int, vi: str, en: str, *, severity: Severity = Severity.ERROR) -> Finding:
    return _finding(code, Text(f"Dòng {seq} {vi}.", f"Row {seq} {en}."), f"row {seq}", severity)


def _file(code: str, name: str, vi: str, en: str, *, severity: Severity = Severity.ERROR) -> Finding:
    return _finding(code, Text(f"Tệp {name} {vi}.", f"File {name} {en}."), f"file {name}", severity)


def _finding(code: str, message: Text, where: str, severity: Severity, hint: Text | None = None) -> Finding:
    return Finding(code=code, severity=severity, message=message, where=where, hint=hint)
