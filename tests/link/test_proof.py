"""The proof of one airing: it stands on another machine, and whatever is forged in it is named at the right place."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from link import proof as proofs
from link.chain import head_message, row_hash
from link.codec import dump, load
from link.keys import fingerprint, sign
from link.proof import Head, Peaks, Proof, ProofFile, ProofReport, ProofRow, Signed, pack, sha256, verify
from schedules.findings import Severity

KEY = SigningKey(b"k" * 32)
FORGER = SigningKey(b"f" * 32)
SLOT = "LONGHIEP/sang/2026-11-23/cds"
SOUND = b"\0\0\0 ftyp sound of the airing"
PAGE = "<!doctype html><html lang='vi'><p>Phát thành công</p></html>".encode()
FIRST = 40


def row(seq: int, prev: str, kind: str, body: dict[str, Any], key: SigningKey | None = KEY) -> ProofRow:
    """Return a row as a station writes it: hashed, and signed where there is a key."""
    fields: dict[str, Any] = {
        "seq": seq,
        "prev": prev,
        "time": f"2026-11-23T10:00:{seq % 60:02}+00:00",
        "monotonic": 1000.25 + seq,
        "boot": "boot-1",
        "clock": "trusted",
        "kind": kind,
        "body": body,
    }
    digest = row_hash(fields)
    signed = None
    if key is not None:
        signed = Signed(time=fields["time"], signature=sign(key, head_message(seq, digest, fields["time"])))
    return ProofRow(**fields, hash=digest, signed=signed)


def verdict(slot: str = SLOT) -> dict[str, Any]:
    return {
        "slot": slot,
        "station": "LONGHIEP",
        "kind": "segment",
        "programme": "CDS",
        "segment": "seg1",
        "title": "Tin thôn 1",
        "sha256": "a" * 64,
        "planned_start": "2026-11-23T10:00:40+00:00",
        "planned_end": "2026-11-23T10:00:44+00:00",
        "samples_expected": 192_000,
        "verdict": "aired",
    }


def bodies() -> list[tuple[str, dict[str, Any]]]:
    return [
        ("start", {"slot": SLOT}),
        ("fault", {"code": "output_thon", "state": "open", "message": "Mất đầu ra."}),
        ("verdict", verdict("LONGHIEP/sang/2026-11-23/chao")),
        ("verdict", verdict()),
        ("evidence", {"slot": SLOT, "source": "aircheck", "files": [{"name": "RUN.m4a", "sha256": sha256(SOUND)}]}),
        ("evidence", {"slot": SLOT, "source": "monitor", "grade": "E2", "share": 0.99}),
    ]


def proof_of(key: SigningKey = KEY, *, row_key: SigningKey | None = KEY) -> Proof:
    """Return a proof of six rows, of which the fourth is the verdict."""
    rows: list[ProofRow] = []
    prev = "9" * 64
    for seq, (kind, body) in enumerate(bodies(), start=FIRST):
        rows.append(row(seq, prev, kind, body, row_key))
        prev = rows[-1].hash
    time = "2026-11-23T11:00:00+00:00"
    return Proof(
        station="LONGHIEP",
        slot=SLOT,
        made_at=time,
        verdict=FIRST + 3,
        first=FIRST,
        last=FIRST + 5,
        planned={name: verdict().get(name) for name in proofs.PLANNED},
        rows=tuple(rows),
        head=Head(seq=90, hash="8" * 64, time=time, signature=sign(key, head_message(90, "8" * 64, time))),
        files=(
            ProofFile(name=proofs.PAGE, sha256=sha256(PAGE), what="page"),
            ProofFile(name="aircheck/RUN.m4a", sha256=sha256(SOUND), what="aircheck", row=FIRST + 4, named="RUN.m4a"),
        ),
        peaks=Peaks(start=time, seconds=4.0, approved=(1, 50, 100), aircheck=(1, 49, 99)),
        key=bytes(key.verify_key).hex(),
    )


def packed(proof: Proof, key: SigningKey = KEY) -> bytes:
    return pack(proof, {proofs.PAGE: PAGE, "aircheck/RUN.m4a": SOUND}, lambda message: sign(key, message))


def repacked(original: bytes, **changed: bytes | None) -> bytes:
    """Return the file with members exchanged, added, or taken out (None); names with `_` for `/`."""
    with zipfile.ZipFile(io.BytesIO(original)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, content in changed.items():
        if content is None:
            del members[name]
        else:
            members[name] = content
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def with_cover(original: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Return the file with its cover edited by hand, the seal left as it was."""
    with zipfile.ZipFile(io.BytesIO(original)) as archive:
        cover = json.loads(archive.read(proofs.COVER))
    change(cover)
    return repacked(original, **{proofs.COVER: json.dumps(cover).encode()})


def rechained(cover: dict[str, Any]) -> None:
    """Recompute every hash and link, as a forger would who has no key."""
    before = None
    for one in cover["rows"]:
        one["prev"] = one["prev"] if before is None else before
        before = one["hash"] = row_hash({name: value for name, value in one.items() if name != "signed"})


def check(file: bytes, known: dict[str, Any] | None = None) -> ProofReport:
    return verify(file, {"LONGHIEP": KEY.verify_key} if known is None else known)


def named(report: ProofReport) -> set[tuple[str, str]]:
    return {(one.code, one.where) for one in report.findings if one.severity is Severity.ERROR}


def test_a_proof_stands_on_another_machine(tmp_path: Path) -> None:
    """It is genuine, by a known key; the same bytes from a file; what it says comes back."""
    path = tmp_path / "p.zip"
    path.write_bytes(packed(proof_of()))

    assert proofs.is_proof(path)
    report = verify(path, {"LONGHIEP": KEY.verify_key, "LONGMAI": FORGER.verify_key})
    assert (report.genuine, report.known_as, report.findings) == (True, "LONGHIEP", ())
    assert report.proof is not None
    assert (report.proof.slot, report.proof.rows) == (SLOT, proof_of().rows)
    assert load(Proof, dump(proof_of())) == proof_of()


def test_the_same_proof_is_the_same_bytes() -> None:
    """Nothing of when or where it was packed is in it: two copies can be compared."""
    assert packed(proof_of()) == packed(proof_of())


def test_a_key_that_nobody_knows_here_is_told_by_its_fingerprint() -> None:
    """It is whole; whose it is must be compared by people."""
    report = check(packed(proof_of()), {})

    assert (report.genuine, report.known_as) == (True, None)
    assert fingerprint(KEY.verify_key) == report.fingerprint
    (finding,) = report.findings
    assert ("proof_key_unknown", Severity.WARNING) == (finding.code, finding.severity)
    assert report.fingerprint in finding.message.vi


def test_another_stations_key_proves_nothing() -> None:
    """A proof made wholly anew by somebody else's key is named, where the station's own key is known, and by whose."""
    forged = packed(proof_of(FORGER, row_key=FORGER), FORGER)

    assert {("proof_key_foreign", "")} == named(check(forged))
    report = check(forged, {"LONGMAI": FORGER.verify_key})
    assert (report.genuine, report.known_as) == (False, "LONGMAI")
    assert not check(forged, {"LONGHIEP": KEY.verify_key, "LONGMAI": FORGER.verify_key}).genuine


def edit(index: int, **fields: Any) -> Callable[[dict[str, Any]], None]:
    """Return a forgery that changes fields of one row."""
    return lambda cover: cover["rows"][index].update(fields)


def say(index: int, **values: Any) -> Callable[[dict[str, Any]], None]:
    """Return a forgery that changes what one row says."""
    return lambda cover: cover["rows"][index]["body"].update(values)


def drop(*indexes: int) -> Callable[[dict[str, Any]], None]:
    """Return a forgery that leaves rows out."""

    def act(cover: dict[str, Any]) -> None:
        cover["rows"] = [one for n, one in enumerate(cover["rows"]) if n not in indexes]

    return act


def swap(one: int, other: int) -> Callable[[dict[str, Any]], None]:
    """Return a forgery that exchanges two rows."""

    def act(cover: dict[str, Any]) -> None:
        rows = cover["rows"]
        rows[one], rows[other] = rows[other], rows[one]

    return act


def swap_numbers(cover: dict[str, Any]) -> None:
    """Exchange two rows and give them each other's number."""
    swap(1, 2)(cover)
    cover["rows"][1]["seq"], cover["rows"][2]["seq"] = 41, 42


def invent(cover: dict[str, Any]) -> None:
    """Put a row in behind the last one."""
    fresh = row(46, cover["rows"][-1]["hash"], "evidence", {"slot": SLOT, "grade": "E3", "share": 1.0}, FORGER)
    cover["rows"].append(dump(fresh))
    cover["last"] = 46


def shorten(cover: dict[str, Any]) -> None:
    """Leave the last row out, and say that there never was one."""
    drop(5)(cover)
    cover["last"] = 44


def other_slot(cover: dict[str, Any]) -> None:
    """Call the verdict of another airing the verdict of this one."""
    cover["verdict"] = 42


def sign_anew(cover: dict[str, Any]) -> None:
    """Change a row, and sign it and all after it with the forger's own key."""
    say(3, verdict="aired", seconds_aired=99)(cover)
    rechained(cover)
    for one in cover["rows"][3:]:
        one["signed"]["signature"] = sign(FORGER, head_message(one["seq"], one["hash"], one["time"]))


def both(*acts: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """Return several forgeries in one."""

    def act(cover: dict[str, Any]) -> None:
        for one in acts:
            one(cover)

    return act


LATER = "2026-11-24T05:00:00+00:00"
FORGERIES = {
    "a verdict turned": (say(3, verdict="missed"), "proof_row_changed", "row 43"),
    "a verdict turned, hashes recomputed": (both(say(3, verdict="x"), rechained), "proof_row_changed", "row 43"),
    "the first row changed, hashes recomputed": (both(say(0, first=7), rechained), "proof_row_changed", "row 40"),
    "the last row changed, hashes recomputed": (both(say(5, share=1.0), rechained), "proof_row_changed", "row 45"),
    "signed anew by another key": (sign_anew, "proof_row_changed", "row 43"),
    "a row re-dated": (edit(2, time=LATER), "proof_redated", "row 42"),
    "a row re-dated, hashes recomputed": (both(edit(2, time=LATER), rechained), "proof_redated", "row 42"),
    "a kind changed": (edit(1, kind="intent"), "proof_row_changed", "row 41"),
    "a boot changed": (edit(1, boot="boot-9"), "proof_row_changed", "row 41"),
    "the clock trusted afterwards": (edit(4, clock="untrusted"), "proof_row_changed", "row 44"),
    "a hash changed": (edit(1, hash="0" * 64), "proof_row_changed", "row 41"),
    "a link changed": (edit(1, prev="0" * 64), "proof_row_changed", "row 41"),
    "a signature taken off": (edit(3, signed=None), "proof_row_unsigned", "row 43"),
    "another row's signature": (
        lambda cover: cover["rows"][3].update(signed=cover["rows"][4]["signed"]),
        "proof_row_changed",
        "row 43",
    ),
    "a row missing": (drop(1), "proof_rows_missing", "row 41"),
    "a row missing, hashes recomputed": (both(drop(1), rechained), "proof_rows_missing", "row 41"),
    "the verdict missing": (drop(3), "proof_rows_missing", "row 43"),
    "the end cut off": (drop(4, 5), "proof_shortened", "row 44"),
    "the end cut off and denied": (shorten, "proof_cover_changed", "file proof.json"),
    "two rows exchanged": (swap(1, 2), "proof_reordered", "row 41"),
    "two rows exchanged with their numbers": (swap_numbers, "proof_row_changed", "row 41"),
    "a row twice": (lambda cover: cover["rows"].append(cover["rows"][1]), "proof_rows_added", "row 41"),
    "a row invented": (invent, "proof_row_changed", "row 46"),
    "the verdict of another slot": (other_slot, "proof_other_slot", "row 42"),
    "another slot claimed": (
        lambda cover: cover.update(slot="LONGHIEP/chieu/2026-11-23/cds"),
        "proof_other_slot",
        "row 43",
    ),
    "a verdict that is no row of it": (lambda cover: cover.update(verdict=99), "proof_rows_missing", "row 99"),
    "the plan told otherwise": (
        lambda cover: cover["planned"].update(title="Bài khác"),
        "proof_cover_wrong",
        "file proof.json",
    ),
    "another station": (lambda cover: cover.update(station="LONGMAI"), "proof_cover_wrong", "file proof.json"),
    "the head changed": (lambda cover: cover["head"].update(hash="7" * 64), "proof_head_wrong", "file proof.json"),
    "the head before the rows": (lambda cover: cover["head"].update(seq=3), "proof_head_wrong", "file proof.json"),
    "a picture drawn anew": (
        lambda cover: cover["peaks"].update(aircheck=[100, 100, 100]),
        "proof_cover_changed",
        "file proof.json",
    ),
    "made at another time": (lambda cover: cover.update(made_at=LATER), "proof_cover_changed", "file proof.json"),
    "rows without end": (lambda cover: cover.update(last=10**9), "proof_rows_missing", "row 40"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_was_forged_is_named_at_its_row(forgery: str) -> None:
    """Changed, missing, cut, exchanged, re-dated, invented of another airing: the right row, and no proof."""
    change, code, where = FORGERIES[forgery]
    report = check(with_cover(packed(proof_of()), change))

    assert not report.genuine
    assert (code, where) in named(report)
    rows = sorted({int(one.where[4:]) for one in report.findings if one.where.startswith("row ")})
    assert not rows or rows[0] == int(where[4:] if where.startswith("row ") else rows[0]), "the first that is named"


@pytest.mark.parametrize(
    ("changed", "code", "where"),
    [
        ({"aircheck/RUN.m4a": SOUND + b"!"}, "proof_audio_changed", "file aircheck/RUN.m4a"),
        ({"aircheck/RUN.m4a": None}, "proof_file_missing", "file aircheck/RUN.m4a"),
        ({proofs.PAGE: PAGE.replace("thành".encode(), "không".encode())}, "proof_page_changed", f"file {proofs.PAGE}"),
        ({"aircheck/extra.m4a": b"x"}, "proof_file_added", "file aircheck/extra.m4a"),
        ({proofs.SEAL: json.dumps({"signature": "00" * 64}).encode()}, "proof_cover_changed", "file proof.json"),
        ({proofs.SEAL: b"{}"}, "proof_unreadable", ""),
        ({proofs.SEAL: None}, "proof_unreadable", ""),
        ({proofs.COVER: None}, "proof_unreadable", ""),
        ({proofs.COVER: b"no json"}, "proof_unreadable", ""),
        ({proofs.COVER: b"[" * 100_000}, "proof_unreadable", ""),
        ({proofs.COVER: b'{"format": "loa-proof"}'}, "proof_unreadable", ""),
    ],
)
def test_exchanged_files_are_named(changed: dict[str, bytes | None], code: str, where: str) -> None:
    """Sound, page and seal belong to these rows and to no others."""
    report = check(repacked(packed(proof_of()), **changed))

    assert {(code, where)} == named(report)
    assert not report.genuine


def test_sound_and_its_hash_exchanged_together_are_found_by_the_row() -> None:
    """The row that the station signed knows the recording; the cover may say what it likes."""
    forged = SOUND + b" of somebody else"
    file = with_cover(packed(proof_of()), lambda cover: cover["files"][1].update(sha256=sha256(forged)))
    report = check(repacked(file, **{"aircheck/RUN.m4a": forged}))

    assert ("proof_audio_changed", "file aircheck/RUN.m4a") in named(report)


def test_rows_of_before_every_row_was_signed_are_vouched_for_by_the_whole() -> None:
    """An older journal gives a proof too; it says so, and a changed row shows all the same."""
    old = packed(proof_of(row_key=None))

    assert check(old).genuine
    assert {"proof_row_unsigned"} == {one.code for one in check(old).findings}
    assert ("proof_row_changed", "row 41") in named(check(with_cover(old, say(1, code="x"))))


def test_a_recording_that_no_row_names_is_told() -> None:
    """It goes along, but only the seal vouches for it."""
    proof = proof_of()
    loose = replace(proof, files=(proof.files[0], replace(proof.files[1], row=None, named=None)))
    report = check(packed(loose))

    assert report.genuine
    assert {"proof_audio_unnamed", "proof_audio_gone"} == {one.code for one in report.findings}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all", b"PK\x03\x04" + b"\xff" * 1000])
def test_what_is_no_proof_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    """Rubbish is a finding, never an exception."""
    path = tmp_path / "x.zip"
    path.write_bytes(content)

    assert [("proof_unreadable", "")] == [(one.code, one.where) for one in verify(path, {}).findings]


def test_a_bomb_is_not_unpacked() -> None:
    """What claims to hold gigabytes is refused by its own directory."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in range(3_000):
            archive.writestr(f"{name}", b"")

    assert ["proof_unreadable"] == [one.code for one in verify(target.getvalue(), {}).findings]


def test_every_cut_and_every_flipped_byte_shows() -> None:
    """Wherever the file is damaged, it is no longer genuine (a sample of 200 places)."""
    file = packed(proof_of())
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, content in members.items():
        for place in range(0, len(content), max(1, len(content) // 60)):
            flipped = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
            report = check(repacked(file, **{name: flipped}))
            assert not report.genuine or _means_the_same(name, content, flipped), (name, place)


def _means_the_same(name: str, content: bytes, flipped: bytes) -> bool:
    # A letter of the seal's hex in capitals, or a space more, is the same seal.
    if name != proofs.SEAL:
        return False
    try:
        one, other = json.loads(content)["signature"], json.loads(flipped)["signature"]
        return bytes.fromhex(one) == bytes.fromhex(other)
    except (ValueError, KeyError):
        return False


def test_a_file_name_holds_no_path() -> None:
    """Slots have slashes, names of files have not."""
    assert proofs.file_name("LONGHIEP/sang/2026-11-23/cds") == "loa-proof-LONGHIEP-sang-2026-11-23-cds.zip"
