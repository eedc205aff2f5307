"""What `loa journal verify` says of journals and proofs: whole or not, at which row, signed by whom."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey, VerifyKey

from house.keeping import station_key
from link.codec import dump
from link.keys import fingerprint
from link.proof import is_proof
from link.proof import verify as verify_proof
from playout.journal.journalcheck import Examined, Witness, examine
from playout.journal.journalfile import journals_in
from playout.journal.journalhead import read_head
from schedules.errors import JournalBroken
from schedules.text import Text

Answer = dict[str, Any]


def verify_stations(data: Path, station: str | None = None, heads: Sequence[Witness] = ()) -> list[Answer]:
    """Verify the journals in DATA, all or one station's, against what the store and the notes beside them know."""
    answers = []
    for path in journals_in(data / "journal"):
        code = path.stem
        if station in (None, code):
            key = station_key(data, code)
            # Before the journal is read: a station may be writing it.
            witnesses = [*heads, *_noted(path, key), *_copied(data / "loa.db", code)]
            answers.append(_journal(code, path, key, witnesses, known_keys(data)))
    return answers


def verify_given(path: Path, data: Path, heads: Sequence[Witness] = ()) -> Answer:
    """Verify a journal or a proof that somebody brought, with the keys and rows that DATA knows. Raises OSError."""
    known = known_keys(data)
    if is_proof(path):
        return _proof(path, known)
    answer = _journal(path.stem, path, None, heads, known)
    if not answer["ok"] or answer["known_as"] is None:
        return answer
    code, last = answer["known_as"], answer["rows"]
    here = [*_noted(data / "journal" / f"{code}.db", known[code]), *_copied(data / "loa.db", code)]
    # An older copy is no forgery: what came after its end is told and not held against it.
    answer = _journal(path.stem, path, None, [*heads, *(one for one in here if one.seq <= last)], known)
    return answer | ({"known_to": max((one.seq for one in here), default=0)} if answer["ok"] else {})


def known_keys(data: Path) -> dict[str, VerifyKey]:
    """Return the public keys that this machine knows, by station."""
    paths = sorted((data / "keys").glob("station-*.ed25519"))
    return {path.stem.removeprefix("station-"): SigningKey(path.read_bytes()).verify_key for path in paths}


def lines(answer: Answer) -> list[Text]:
    """Return what an answer says, for people."""
    name = answer["journal"] if "journal" in answer else answer["proof"]
    if "findings" in answer:
        # Of a key that is not known the last line speaks.
        said = [_of_finding(f) for f in answer["findings"] if f["code"] != "proof_key_unknown"]
    elif not answer["ok"]:
        row, reason = answer["first_bad_row"], answer["reason"]
        said = [Text(f"HỎNG ở dòng {row}: không đúng như đài đã ghi.", f"BROKEN at row {row}: {reason}")]
    else:
        said = _of_whole_journal(answer)
    if answer["ok"] and "proof" in answer:
        said = [Text("nguyên vẹn, đúng như đài đã ký.", "whole and as the station signed it."), *said]
    return [Text(f"{name}: {text.vi}", f"{name}: {text.en}") for text in [*said, *_of_key(answer)]]


def _of_finding(finding: Answer) -> Text:
    where = f"{finding['where']}: " if finding["where"] else ""
    return Text(f"{where}{finding['message']['vi']}", f"{where}{finding['message']['en']}")


def _of_whole_journal(answer: Answer) -> list[Text]:
    rows, since = answer["rows"], answer["signed_from"]
    said = [
        Text(
            f"{rows} dòng, chuỗi nguyên vẹn, đầu chuỗi {answer['head']}",
            f"{rows} rows, chain intact, head {answer['head']}",
        )
    ]
    if since is None and rows:
        said.append(
            Text(
                "Không phải dòng nào cũng có chữ ký: sổ ghi từ trước khi Loa ký từng dòng.",
                "Not every row is signed: written before Loa signed each.",
            )
        )
    elif since is not None and since > 1:
        said.append(Text(f"Ký từng dòng kể từ dòng {since}.", f"Every row is signed from row {since} on."))
    for first, last in answer["lost"]:
        said.append(
            Text(
                f"Dòng {first} đến {last} đã mất khi đĩa hỏng; đài đã tự ghi nhận và ký.",
                f"Rows {first} to {last} were lost with a damaged disk; the station said so and signed it.",
            )
        )
    if answer.get("known_to", rows) > rows:
        said.append(
            Text(
                f"Tệp dừng ở dòng {rows}, máy này đã biết tới dòng {answer['known_to']} của đài:"
                f" là bản sao cũ hơn, hoặc đã bị cắt từ dòng {rows + 1}.",
                f"It ends at row {rows}, this machine knows row {answer['known_to']} of that station:"
                f" an older copy, or cut off from row {rows + 1} on.",
            )
        )
    return said


def _of_key(answer: Answer) -> list[Text]:
    key = answer.get("fingerprint")
    if not key:
        return []
    if answer["known_as"] is not None:
        return [
            Text(f"Chữ ký của đài {answer['known_as']} ({key}).", f"Signed by station {answer['known_as']} ({key}).")
        ]
    return [
        Text(
            f"Ký bằng khóa {key}; máy này không biết khóa đó của ai: hãy so với dấu khóa mà đài công bố.",
            f"Signed by key {key}, which this machine does not know: compare it with the one the station made public.",
        )
    ]


def _journal(
    name: str, path: Path, key: VerifyKey | None, witnesses: Sequence[Witness], known: Mapping[str, VerifyKey]
) -> Answer:
    try:
        examined = examine(path, key, witnesses=witnesses)
        if examined.signer is None and key is None and name in known:
            # From before journals named their key: it can only be the one of that name.
            key = known[name]
            examined = examine(path, key, witnesses=witnesses)
    except JournalBroken as error:
        return {"journal": name, "ok": False, "first_bad_row": error.seq, "reason": error.reason}
    return {"journal": name, "ok": True, "rows": examined.rows, "head": examined.head, **_signer(examined, key, known)}


def _signer(examined: Examined, key: VerifyKey | None, known: Mapping[str, VerifyKey]) -> Answer:
    signer = examined.signer or key
    owner = next((code for code, one in known.items() if one == signer), None)
    return {
        "fingerprint": None if signer is None else fingerprint(signer),
        "known_as": owner,
        "signed_from": examined.signed_from,
        "lost": [list(pair) for pair in examined.lost],
    }


def _proof(path: Path, known: Mapping[str, VerifyKey]) -> Answer:
    report = verify_proof(path, known)
    return {
        "proof": path.name,
        "ok": report.genuine,
        "station": None if report.proof is None else report.proof.station,
        "slot": None if report.proof is None else report.proof.slot,
        "fingerprint": report.fingerprint,
        "known_as": report.known_as,
        "findings": [dump(finding) for finding in report.findings],
    }


def _noted(path: Path, key: VerifyKey | None) -> list[Witness]:
    head = None if key is None else read_head(path.with_suffix(".head"), key)
    return [] if head is None else [Witness(head.seq, head.hash)]


def _copied(store: Path, code: str) -> list[Witness]:
    """Return the rows that the authority copied from a station, as far as the store can be read here and now."""
    found: list[Witness] = []
    if not store.exists():
        return found
    with closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        for table in ("airing", "duty_outcome"):
            try:
                rows = connection.execute(f"SELECT seq, hash FROM {table} WHERE station = ?", (code,))
                found += [Witness(seq, digest) for seq, digest in rows if digest]
            except sqlite3.DatabaseError:
                continue
    return found
