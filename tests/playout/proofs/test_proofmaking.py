"""The proof as the station makes it: its rows, its recordings, its page, checked as on another machine."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from nacl.signing import SigningKey

from audio.aircheck import AircheckShelf
from audio.library import Library
from audio.recorder import record
from link.keys import sign
from link.proof import PAGE, sha256, verify
from playout.journal.journal import Journal
from playout.proofs.proofmaking import ProofMaker
from playout.proofs.witness import AircheckWitness, aircheck_files
from schedules.clock import ManualClock
from tests.running import wait_for

KEY = SigningKey(b"k" * 32)
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SLOT = "XA/sang/2026-11-23/cds"
RATE = 48_000
SECONDS = 4


def sound() -> np.ndarray[Any, np.dtype[np.int16]]:
    """Return four seconds: a tone, of which the second half is loud."""
    time = np.arange(SECONDS * RATE) / RATE
    return (np.sin(2 * np.pi * 440 * time) * np.where(time < SECONDS / 2, 3_000, 24_000)).astype(np.int16)


def flac(path: Path, samples: np.ndarray[Any, np.dtype[np.int16]]) -> Path:
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class Station:
    """A station with a journal, an approved recording and the aircheck of four seconds."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(START)
        self.journal = Journal(folder / "XA.db", clock=self.clock, boot="boot-1", key=KEY)
        self.journal.start()
        self.library = Library(folder / "media")
        self.sha256 = self.library.adopt(flac(folder / "cds.flac", sound()))
        self.heard = folder / "heard"
        self.heard.mkdir()
        self.shelf = AircheckShelf(folder / "aircheck")
        raw = folder / "raw"
        raw.write_bytes(sound().astype("<i2").tobytes())
        with raw.open("rb") as file:
            record(file.fileno(), folder / "aircheck", START)
        self.maker = ProofMaker(
            station="XA",
            journal=self.journal,
            shelf=self.shelf,
            heard=self.heard,
            library=self.library,
            clock=self.clock,
            sign=lambda message: sign(KEY, message),
        )

    def verdict(self, **changes: Any) -> dict[str, Any]:
        end = START + timedelta(seconds=SECONDS)
        return {
            "slot": SLOT,
            "station": "XA",
            "kind": "segment",
            "programme": "CDS",
            "segment": "seg1",
            "title": "Tin <b>thôn</b> 1",
            "sha256": self.sha256,
            "planned_start": START.isoformat(),
            "planned_end": end.isoformat(),
            "started_at": START.isoformat(),
            "ended_at": end.isoformat(),
            "seconds_aired": 4.0,
            "samples_aired": SECONDS * RATE,
            "samples_expected": SECONDS * RATE,
            "bit_exact": True,
            "holes_s": 0.0,
            "outputs": [{"name": "main", "kind": "pulse", "samples": SECONDS * RATE, "grade": "E1"}],
            "verdict": "aired",
            "reason": None,
            "rehearsal": False,
        } | changes

    def aired(self) -> None:
        """Write the rows of an airing between others."""
        write = self.journal.append
        write("boot", {})
        write("start", {"slot": "XA/sang/2026-11-23/chao"})
        write("start", {"slot": SLOT})
        write("fault", {"code": "output_thon", "state": "open", "message": "Mất đầu ra."})
        write("verdict", self.verdict())
        write("verdict", self.verdict(slot="XA/sang/2026-11-23/ket"))
        self.witness()

    def witness(self) -> None:
        """Write which recording the aircheck holds, as the station does some seconds after the verdict."""
        witness = AircheckWitness(self.shelf, clock=self.clock, settled_s=5.0)
        witness.expect(SLOT, START, START + timedelta(seconds=SECONDS))
        assert witness.step() == []
        self.clock.advance(5.0)
        bodies: list[dict[str, Any]] = []
        wait_for("the row", lambda: bodies.extend(witness.step()) or bodies)
        for body in bodies:
            self.journal.append("evidence", body)

    def proof(self) -> bytes:
        made = self.maker.make(SLOT, name="Đài Xã", zone="Asia/Ho_Chi_Minh")
        assert made is not None
        return made


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """A station that aired one item."""
    station = Station(tmp_path)
    station.aired()
    yield station
    station.journal.stop()


def members(proof: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(proof)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_proof_holds_the_airing_from_its_first_row_to_its_last(station: Station) -> None:
    """Contiguous rows, the recording that a row names, the pictures of both; genuine on another machine."""
    proof = station.proof()
    report = verify(proof, {"XA": KEY.verify_key})

    assert (report.genuine, report.known_as, report.findings) == (True, "XA", ())
    told = report.proof
    assert told is not None
    assert (told.first, told.verdict, told.last) == (3, 5, 7)
    assert [3, 4, 5, 6, 7] == [row.seq for row in told.rows]
    assert told.head is not None
    assert station.journal.head == (told.head.seq, told.head.hash)
    (recording,) = [file for file in told.files if file.what == "aircheck"]
    assert (recording.row, recording.named) == (7, recording.name.removeprefix("aircheck/"))
    with av.open(io.BytesIO(members(proof)[recording.name]), format="mp4") as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / RATE == pytest.approx(SECONDS, abs=0.2)
    assert told.peaks is not None
    for bars in (told.peaks.approved, told.peaks.aircheck):
        quiet, loud = bars[4:80], bars[110:180]
        assert 5 < sum(quiet) / len(quiet) < 25
        assert 65 < sum(loud) / len(loud) < 90


def test_the_page_tells_it_in_words_without_a_script(station: Station) -> None:
    """Planned, real, verdict, measured, both pictures, the place in the chain; nothing of a title becomes markup."""
    station.journal.append(
        "evidence",
        {"slot": SLOT, "output": "main", "grade": "E2", "source": "monitor", "share": 0.998, "silent_s": 1.5},
    )
    page = members(station.proof())[PAGE].decode()

    for said in (
        "Phát thành công",
        "17:00:00 23/11/2026 đến 17:00:04 23/11/2026",
        "17:00:00,000 23/11/2026",
        "giống từng bit bản đã duyệt",
        "khớp 99,8% nội dung, im 1,5 giây",
        "Dạng sóng bản đã duyệt",
        "Dạng sóng bản thu tại đầu ra",
        "Dòng 3 đến 8",
        "loa journal verify",
        "Đài Xã",
    ):
        assert said in page, said
    assert "<b>" not in page
    assert "<script" not in page
    assert page.count("<svg") == 2


def test_what_the_ear_recorded_goes_along(station: Station) -> None:
    """By the name and hash of its row; what was exchanged on the disk does not, and no name leads out of the folder."""
    (station.heard / "main").mkdir()
    good, exchanged = "20261123T100000Z-00000001.flac", "20261123T100000Z-00000002.flac"
    ear = flac(station.heard / "main" / good, sound())
    flac(station.heard / "main" / exchanged, sound())
    hashes = {good: sha256(ear.read_bytes()), exchanged: "0" * 64, "../../journal/x.flac": "0" * 64}
    files = [{"name": name, "sha256": digest} for name, digest in hashes.items()]
    body = {"slot": SLOT, "output": "main", "source": "monitor", "grade": "E2", "from": START.isoformat()}
    station.journal.append("evidence", body | {"files": files})
    report = verify(station.proof(), {"XA": KEY.verify_key})

    assert report.genuine
    assert [("proof_audio_gone", "row 8")] == [(finding.code, finding.where) for finding in report.findings]
    assert report.proof is not None
    heard = [file for file in report.proof.files if file.what == "heard"]
    assert [(f"heard/main/{good}", 8, "main")] == [(file.name, file.row, file.output) for file in heard]
    assert report.proof.peaks is not None
    assert max(report.proof.peaks.heard["main"]) > 60


def test_a_missed_slot_has_a_proof_too(station: Station) -> None:
    """That nothing sounded is a row as well; there is no recording of it."""
    missed = station.verdict(slot="XA/x", verdict="missed", started_at=None, ended_at=None, reason={"vi": "Mất điện."})
    station.journal.append("verdict", missed)
    made = station.maker.make("XA/x", name="Đài Xã", zone="Asia/Ho_Chi_Minh")
    assert made is not None
    report = verify(made, {"XA": KEY.verify_key})

    assert report.genuine
    assert "Mất điện." in members(made)[PAGE].decode()
    assert station.maker.make("XA/none", name="Đài Xã", zone="Asia/Ho_Chi_Minh") is None


@pytest.mark.parametrize(
    ("slot", "kind", "steps"),
    [
        (
            "XA/emergency/k7",
            "alert",
            [
                {"alert": {"order": {"id": "other"}, "state": "received"}},
                {"alert": {"order": {"id": "k7"}, "state": "received"}},
                {"alert": {"order": {"id": "k7"}, "state": "on_air"}},
                {"stop": {"order": "k7", "by": "Ông A"}},
            ],
        ),
        (
            "XA/live/k7",
            "live",
            [{"live": "other", "state": "opened"}, *({"live": "k7", "state": state} for state in ("opened", "ended"))],
        ),
    ],
)
def test_what_was_not_planned_begins_with_its_order(
    station: Station, slot: str, kind: str, steps: list[dict[str, Any]]
) -> None:
    """The proof of an emergency or a talk holds every step of it, from the order's coming."""
    begun = station.journal.head[0]
    for step in steps:
        station.journal.append(kind, step)
    station.journal.append("verdict", station.verdict(slot=slot, kind=kind))
    made = station.maker.make(slot, name="Đài Xã", zone="Asia/Ho_Chi_Minh")
    assert made is not None
    report = verify(made, {"XA": KEY.verify_key})

    assert report.genuine
    assert report.proof is not None
    assert (begun + 2, begun + len(steps) + 1) == (report.proof.first, report.proof.last)


def test_a_recording_that_was_purged_or_changed_is_left_out(station: Station) -> None:
    """The rows stay proof; of the recording only its hash is left."""
    (run,) = (station.shelf.stretches(START, START + timedelta(seconds=1))[0].run.folder,)
    (run / "000001.m4s").write_bytes(b"something else")
    report = verify(station.proof(), {"XA": KEY.verify_key})

    assert report.genuine
    assert report.proof is not None
    assert ["page"] == [file.what for file in report.proof.files]
    assert [("proof_audio_gone", "row 7")] == [(finding.code, finding.where) for finding in report.findings]


def test_the_recordings_of_an_earlier_start_are_named_later(station: Station) -> None:
    """After a restart what was left undone is done, once; what is long past is not."""
    witness = AircheckWitness(station.shelf, clock=station.clock, settled_s=0.0)
    done = [row.body for row in station.journal.rows(kind="evidence")]
    old = station.verdict(slot="XA/old", started_at="2026-11-22T00:00:00+00:00", ended_at="2026-11-22T00:01:00+00:00")
    witness.recall([station.verdict(), station.verdict(slot="XA/new"), old], done)
    bodies: list[dict[str, Any]] = []
    wait_for("the row", lambda: bodies.extend(witness.step()) or bodies)

    assert ["XA/new"] == [body["slot"] for body in bodies]
    assert bodies[0]["files"] == aircheck_files(station.shelf, START, START + timedelta(seconds=SECONDS))
    assert station.shelf.stretch("no/stretch.m4a") is None
