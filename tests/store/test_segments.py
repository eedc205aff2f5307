"""Recordings: every step of their way, who may take it, and what it does to the intent."""

from __future__ import annotations

import random
import threading
from dataclasses import replace

import pytest

from schedules.errors import Conflict, NotAllowed, Refused, TooMany, Unknown
from schedules.findings import Finding, Severity
from schedules.segment import SegmentState
from schedules.text import Text
from store import accounts, revision, segments
from store.accounts import Role
from store.segments import Audio, Card

CARD = Card(owner="LONGHIEP", station="LONGHIEP", programme="CDS", title="Tin thôn 1", topics=("DX-1",))
AUDIO = Audio(
    sha256="a" * 64,
    pcm_sha256="b" * 64,
    samples=48_000 * 90,
    loudness_lufs=-16.1,
    true_peak_dbtp=-1.6,
    gain_db=3.0,
    head_silence_s=0.2,
    tail_silence_s=2.5,
    source_format="mp3",
    warnings=(
        Finding(
            code="tail_silence",
            severity=Severity.WARNING,
            message=Text("Cuối bài im lặng 2,5 giây.", "2.5 s of silence at the end."),
        ),
    ),
)
TROUBLE = Finding(code="empty", severity=Severity.ERROR, message=Text("Tệp trống.", "The file is empty."))


def receive(session, person, now, name="seg1", most=50, card=CARD):
    return segments.receive(
        session, segment=name, card=card, uploader=person, file_name="tin.mp3", now=now, most_drafts=most
    )


def ready(session, person, now, name="seg1", card=CARD, audio=AUDIO):
    receive(session, person, now, name, card=card)
    assert segments.claim(session, name, now)
    assert segments.finish(session, name, audio, now)


def submitted(session, person, now, name="seg1"):
    ready(session, person, now, name)
    segments.submit(session, name, person=person, now=now)


def approve(session, person, now, name="seg1", sha256=AUDIO.sha256, number=1, self_approval=False):
    segments.approve(
        session,
        name,
        sha256=sha256,
        revision=number,
        person=person,
        now=now,
        self_approval=self_approval,
    )


@pytest.fixture
def operator(people):
    return people[Role.OPERATOR]


@pytest.fixture
def approver(people):
    return people[Role.APPROVER]


def test_the_whole_way_to_the_air(database, operator, approver, now):
    """Received, analysed, submitted, approved: only then the intent holds it, and the history names everybody."""
    with database.writing() as session:
        submitted(session, operator, now)
        assert segments.airable(session) == ()
        before = revision.current(session)
        approve(session, approver, now)
        assert revision.current(session) == before + 1
    with database.reading() as session:
        (segment,) = segments.airable(session)
        record = segments.find(session, "seg1")
        history = segments.history(session, "seg1")
    assert (segment.sha256, segment.approved_by, segment.self_approved) == ("a" * 64, "Người approver", False)
    assert segment.duration.total_seconds() == 90
    assert record.state is SegmentState.APPROVED
    assert record.audio == AUDIO
    assert record.card == CARD
    assert [event.what for event in history] == ["received", "ready", "submitted", "approved"]
    assert [event.person_name for event in history] == [
        "Người operator",
        None,
        "Người operator",
        "Người approver",
    ]


@pytest.mark.parametrize("lost", ["account", "role"])
def test_f62_what_was_approved_stays_so_when_the_approver_is_gone(database, operator, approver, now, lost):
    """Whoever approved leaves or changes office: the recording airs on under their name; withdrawing it still works."""
    with database.writing() as session:
        submitted(session, operator, now)
        approve(session, approver, now)
        if lost == "account":
            accounts.disable(session, approver, now)
        else:
            accounts.set_role(session, approver, Role.OPERATOR, approver.unit)
    with database.writing() as session:
        (segment,) = segments.airable(session)
        assert segment.approved_by == "Người approver"
        segments.withdraw(session, "seg1", reason="Hết hạn", person=operator, now=now)
        assert segments.airable(session) == ()


def test_s3_nobody_approves_their_own_recording(database, operator, approver, now):
    """S3: four eyes by person, whatever the role; only the station's setting relaxes it, and the segment says so."""
    with database.writing() as session:
        submitted(session, approver, now)
    with pytest.raises(NotAllowed), database.writing() as session:
        approve(session, approver, now)
    with database.writing() as session:
        approve(session, approver, now, self_approval=True)
        assert segments.airable(session)[0].self_approved


def test_s3_whoever_cut_the_sound_does_not_approve_it(database, operator, approver, now):
    """S3: trimming makes a new file, and its maker counts like the uploader."""
    with database.writing() as session:
        ready(session, operator, now)
        segments.trim(session, "seg1", head_s=1.0, tail_s=0.0, revision=1, person=approver, now=now)
        segments.claim(session, "seg1", now)
        segments.finish(session, "seg1", replace(AUDIO, sha256="c" * 64), now)
        segments.submit(session, "seg1", person=operator, now=now)
    with pytest.raises(NotAllowed), database.writing() as session:
        approve(session, approver, now, sha256="c" * 64, number=2)


@pytest.mark.parametrize(("sha256", "number"), [("f" * 64, 1), ("a" * 64, 2), ("a" * 64, 0)])
def test_s5_an_approval_names_hash_and_revision(database, operator, approver, now, sha256, number):
    """S5: an approval of another file or another card than the present one is a conflict and changes nothing."""
    with database.writing() as session:
        submitted(session, operator, now)
    with pytest.raises(Conflict), database.writing() as session:
        approve(session, approver, now, sha256=sha256, number=number)
    with database.reading() as session:
        assert segments.find(session, "seg1").state is SegmentState.SUBMITTED
        assert segments.airable(session) == ()


@pytest.mark.parametrize("change", ["card", "audio"])
def test_s5_a_change_after_the_approval_voids_it(database, operator, approver, now, change):
    """S5: a new card or a new file of an approved recording leaves the intent at once and needs a new approval."""
    with database.writing() as session:
        submitted(session, operator, now)
        approve(session, approver, now)
        before = revision.current(session)
        if change == "card":
            other = replace(CARD, title="Khác")
            segments.edit(session, "seg1", other, revision=1, person=operator, now=now)
        else:
            segments.trim(session, "seg1", head_s=0, tail_s=2, revision=1, person=operator, now=now)
        assert segments.airable(session) == ()
        assert revision.current(session) == before + 1
        record = segments.find(session, "seg1")
        assert record.revision == 2
        assert record.approved_at is None
    with pytest.raises(Conflict), database.writing() as session:
        approve(session, approver, now)


def test_a_second_edit_of_the_same_revision_is_a_conflict(database, operator, now):
    """Two people who edit the same card at once do not overwrite each other."""
    with database.writing() as session:
        ready(session, operator, now)
        segments.edit(session, "seg1", replace(CARD, title="Một"), revision=1, person=operator, now=now)
    with pytest.raises(Conflict), database.writing() as session:
        segments.edit(session, "seg1", replace(CARD, title="Hai"), revision=1, person=operator, now=now)
    with database.reading() as session:
        assert segments.find(session, "seg1").card.title == "Một"


def test_returning_and_withdrawing_need_a_reason(database, operator, approver, now):
    """Whoever takes a recording out of the way says why; the reason is shown and kept."""
    with database.writing() as session:
        submitted(session, operator, now)
    for act in (segments.send_back, segments.withdraw):
        for reason in ("", "  \n", "x" * 1001):
            with pytest.raises(Refused), database.writing() as session:
                act(session, "seg1", reason=reason, person=approver, now=now)
    with database.writing() as session:
        segments.send_back(session, "seg1", reason=" Nói lại tên thôn. ", person=approver, now=now)
        record = segments.find(session, "seg1")
        assert record.state is SegmentState.RETURNED
        assert record.reason.vi == "Nói lại tên thôn."
        segments.submit(session, "seg1", person=operator, now=now)
        assert segments.find(session, "seg1").reason is None


def test_a_withdrawn_recording_is_out_for_good(database, operator, approver, now):
    """Withdrawing an approved recording takes it out of the intent in the same transaction; nothing revives it."""
    with database.writing() as session:
        submitted(session, operator, now)
        approve(session, approver, now)
        before = revision.current(session)
        segments.withdraw(session, "seg1", reason="Sai số liệu", person=approver, now=now)
        assert segments.airable(session) == ()
        assert revision.current(session) == before + 1
    with pytest.raises(Conflict), database.writing() as session:
        segments.submit(session, "seg1", person=operator, now=now)
    with pytest.raises(Conflict), database.writing() as session:
        segments.withdraw(session, "seg1", reason="lần nữa", person=operator, now=now)
    with pytest.raises(Conflict), database.writing() as session:
        segments.edit(session, "seg1", CARD, revision=1, person=operator, now=now)


def test_a_refused_file_says_why_in_both_languages(database, operator, now):
    """What the analysis refuses keeps the sentence for its uploader and cannot be submitted."""
    with database.writing() as session:
        receive(session, operator, now)
        segments.claim(session, "seg1", now)
        assert segments.refuse(session, "seg1", [TROUBLE], now)
        record = segments.find(session, "seg1")
        assert record.state is SegmentState.REFUSED
        assert record.reason == TROUBLE.message
    with pytest.raises(Conflict), database.writing() as session:
        segments.submit(session, "seg1", person=operator, now=now)


def test_a_failed_trim_leaves_the_audio_as_it_was(database, operator, now):
    """Where a trim cannot be made the recording stays ready with the audio and the trim it had."""
    with database.writing() as session:
        ready(session, operator, now)
        segments.trim(session, "seg1", head_s=1, tail_s=0, revision=1, person=operator, now=now)
        segments.claim(session, "seg1", now)
        segments.finish(session, "seg1", AUDIO, now)
        segments.trim(session, "seg1", head_s=500, tail_s=0, revision=2, person=operator, now=now)
        assert segments.find(session, "seg1").pending_head_s == 500
        segments.claim(session, "seg1", now)
        segments.refuse(session, "seg1", [TROUBLE], now)
        record = segments.find(session, "seg1")
    assert (record.state, record.audio, record.trim_head_s) == (SegmentState.READY, AUDIO, 1)


def test_the_original_is_kept_until_the_approval(database, operator, approver, now):
    """The uploaded file is needed until the recording is approved; after that trims start from the approved file."""
    with database.writing() as session:
        submitted(session, operator, now)
        assert segments.originals_to_keep(session) == {"seg1"}
        approve(session, approver, now)
        assert segments.originals_to_keep(session) == frozenset()
        segments.trim(session, "seg1", head_s=0, tail_s=2, revision=1, person=operator, now=now)
        record = segments.find(session, "seg1")
        assert not record.original
        assert record.pending_tail_s == 2
        segments.claim(session, "seg1", now)
        segments.finish(session, "seg1", replace(AUDIO, sha256="e" * 64), now)
        assert segments.find(session, "seg1").trim_tail_s == 0
        assert segments.originals_to_keep(session) == frozenset()


def test_audio_that_was_ever_approved_is_kept(database, operator, approver, now):
    """Withdrawn drafts leave the library, but what may have aired stays for the record."""
    with database.writing() as session:
        submitted(session, operator, now)
        approve(session, approver, now)
        ready(session, operator, now, "seg2", audio=replace(AUDIO, sha256="d" * 64))
        assert segments.hashes_to_keep(session) == {"a" * 64, "d" * 64}
        for name in ("seg1", "seg2"):
            segments.withdraw(session, name, reason="thử", person=operator, now=now)
        assert segments.hashes_to_keep(session) == {"a" * 64}


def test_s32_drafts_are_limited_for_each_person(database, operator, approver, now):
    """S32: one more draft than allowed is refused with a sentence, the older ones stay, others are not affected."""
    with database.writing() as session:
        for number in range(3):
            receive(session, operator, now, f"seg{number}", most=3)
    with pytest.raises(TooMany), database.writing() as session:
        receive(session, operator, now, "seg9", most=3)
    with database.writing() as session:
        receive(session, approver, now, "seg8", most=3)
        assert len(segments.listing(session)) == 4


def test_only_what_waits_is_claimed(database, operator, now):
    """An analysis can be begun again after a crash, and not after it is done."""
    with database.writing() as session:
        receive(session, operator, now)
        assert segments.claim(session, "seg1", now)
        assert segments.claim(session, "seg1", now)
        assert segments.find(session, "seg1").attempts == 2
        assert [record.id for record in segments.unfinished(session)] == ["seg1"]
        segments.finish(session, "seg1", AUDIO, now)
        assert not segments.claim(session, "seg1", now)
        assert not segments.finish(session, "seg1", AUDIO, now)
        assert segments.unfinished(session) == ()


def test_unknown_recordings_are_said_to_be_unknown(database, operator, now):
    """A step on a recording that does not exist is not an error of the program."""
    with pytest.raises(Unknown), database.writing() as session:
        segments.submit(session, "nowhere", person=operator, now=now)
    with database.reading() as session:
        assert segments.find(session, "nowhere") is None


def test_pages_of_the_list_neither_repeat_nor_skip(database, operator, now):
    """Keyset pages give each recording once, newest first, also where many came at the same moment."""
    with database.writing() as session:
        for number in range(7):
            receive(session, operator, now, f"seg{number}")
    seen = []
    with database.reading() as session:
        page = segments.listing(session, limit=3)
        while page:
            seen += [record.id for record in page]
            page = segments.listing(session, limit=3, before=page[-1].id)
        assert segments.listing(session, owners=["LONGMAI"]) == ()
        assert segments.listing(session, states=[SegmentState.APPROVED]) == ()
    assert seen == [f"seg{number}" for number in reversed(range(7))]


def test_s6_approving_and_returning_at_once_gives_one_result(database, operator, approver, now):
    """S6: of 200 recordings approved and returned by four threads at once, each ends in one state, truly."""
    names = [f"seg{number}" for number in range(200)]
    with database.writing() as session:
        for name in names:
            segments.receive(
                session,
                segment=name,
                card=CARD,
                uploader=operator,
                file_name="x",
                now=now,
                most_drafts=1000,
            )
            segments.claim(session, name, now)
            segments.finish(session, name, AUDIO, now)
            segments.submit(session, name, person=operator, now=now)
    outcomes = {name: [] for name in names}

    def race(what, seed):
        for name in random.Random(seed).sample(names, len(names)):
            try:
                with database.writing() as session:
                    if what == "approve":
                        approve(session, approver, now, name=name)
                    else:
                        segments.send_back(session, name, reason="x", person=approver, now=now)
            except Conflict:
                continue
            outcomes[name].append(what)

    threads = [
        threading.Thread(target=race, args=(what, seed))
        for seed, what in enumerate(["approve", "return", "approve", "return"])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        states = {record.id: record.state for record in segments.listing(session, limit=1000)}
        airable = {segment.id for segment in segments.airable(session)}
        number = revision.current(session)
    for name, results in outcomes.items():
        assert len(results) == 1
        assert states[name] is (SegmentState.APPROVED if results == ["approve"] else SegmentState.RETURNED)
        assert (name in airable) is (results == ["approve"])
    assert number == len(airable)
