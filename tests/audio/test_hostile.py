"""Security tests 20 to 25, 28 and 30: what an attacker uploads is refused with a sentence or made harmless."""

from __future__ import annotations

import io
import os
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audio.child import Refusal
from audio.container import Sniffed
from audio.decode import decode
from audio.ingest import IngestLimits
from audio.sandbox import Confinement, Sandbox
from audio.sniff import sniff
from schedules.errors import IngestRefused
from tests.audio.conftest import Canary, Studio
from tests.audio.recordings import (
    RATE,
    box,
    encoded,
    id3,
    ogg_page,
    samples_of,
    silence,
    speech,
    wav_header,
    with_right_checksums,
)
from tests.audio.watching import watched

MUTANTS = 200


def decode_here(folder: Path, data: bytes, container: str) -> bytes:
    """Decode without any walls, as if the first look had failed; return the samples."""
    (folder / "hostile").write_bytes(data)
    (folder / "plain").write_bytes(b"")
    job = {"container": container, "start_byte": 0, "size_bytes": len(data), "max_seconds": 60}
    with (folder / "hostile").open("rb") as source, (folder / "plain").open("r+b") as plain:
        try:
            decode(job, [source.fileno(), plain.fileno()], lambda share: None)
        except Refusal:
            return b""
    return (folder / "plain").read_bytes()


# What a playlist looks like, with the address of a recording to be fetched.
PLAYLISTS: dict[str, Callable[[str], str]] = {
    "hls": lambda url: f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n",
    "hls with a mark": lambda url: f"\ufeff#EXTM3U\n#EXTINF:9,\n{url}\n",
    "m3u": lambda url: f"#EXTM3U\n#EXTINF:12,Bài\n{url}\n",
    "bare m3u": lambda url: f"{url}\n",
    "m3u of files": lambda url: "nhac/bai hat.mp3\r\nC:\\nhac\\khac.mp3\r\n",
    "pls": lambda url: f"[playlist]\nFile1={url}\nNumberOfEntries=1\nVersion=2\n",
    "xspf": lambda url: (
        '<?xml version="1.0"?>\n<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track>'
        f"<location>{url}</location></track></trackList></playlist>"
    ),
    "asx": lambda url: f'<asx version="3.0"><entry><ref href="{url}"/></entry></asx>',
    "ffconcat": lambda url: f"ffconcat version 1.0\nfile {url}\n",
    "concat": lambda url: f"file '{url}'\n",
    "cue": lambda url: f'PERFORMER "x"\nFILE "{url}" MP3\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
    "smil": lambda url: f'<smil><body><audio src="{url}"/></body></smil>',
    "dash": lambda url: (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
        f"<BaseURL>{url}</BaseURL></Period></MPD>"
    ),
    "sdp": lambda url: "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    "strm": lambda url: f"{url}",
    "rtsp": lambda url: "rtsp://127.0.0.1/live\n",
}
INNER = ["file:///etc/passwd", "concat:/etc/passwd|/etc/hosts", "subfile,,start,0,end,99,,:/etc/passwd"]
INNER += ["crypto:/etc/passwd", "data:audio/mpeg;base64,SUQz", "file:/etc/passwd", "/etc/passwd"]


def test_s20_a_playlist_named_as_a_recording_is_refused(studio: Studio, canary: Canary) -> None:
    """HLS text under the name bai.mp3 is refused at the first look; nobody is asked for anything."""
    upload = studio.upload(PLAYLISTS["hls"](canary.url).encode(), "bai.mp3")
    finding = studio.refuse(upload)
    assert finding.code == "playlist"
    assert finding.message.vi == "Tệp này là danh sách phát hoặc đường dẫn, không phải bản ghi âm."


def test_s20_a_playlist_behind_a_tag_or_before_real_frames_is_refused(studio: Studio, canary: Canary) -> None:
    """Neither an ID3 tag in front nor real MP3 frames behind make a playlist a recording."""
    text = PLAYLISTS["hls"](canary.url).encode()
    assert studio.refuse(id3(b"TIT2" + bytes(60)) + text).code == "playlist"
    assert studio.refuse(text + encoded("mp3", speech(2.0))).code == "playlist"
    assert studio.refuse(text.decode().encode("utf-16")).code == "playlist"


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_s21_every_kind_of_playlist_is_refused(studio: Studio, canary: Canary, kind: str) -> None:
    """Every text that would make a player fetch something is called a playlist."""
    assert studio.refuse(PLAYLISTS[kind](canary.url).encode()).code == "playlist"


@pytest.mark.parametrize("container", ["mp3", "wav", "flac", "mp4", "aac", "ogg"])
def test_s21_beyond_the_first_look_no_playlist_is_followed(tmp_path: Path, canary: Canary, container: str) -> None:
    """Were a playlist taken for a recording, and the walls gone, the pinned decoder still fetches nothing."""
    for make in PLAYLISTS.values():
        assert decode_here(tmp_path, make(canary.url).encode(), container) == b""


def external_reference(recording: bytes, kind: bytes, target: str) -> bytes:
    """Return the M4A file with its data said to be in another file."""
    if kind == b"alis":
        name = target.encode()[:63]
        body = bytes(10) + bytes([3]) + b"vol".ljust(27, b"\0") + bytes(12)
        body += bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16) + struct.pack(">HH", 1, 1) + bytes(16)
        body += struct.pack(">HH", 2, len(name)) + name + bytes(len(name) & 1) + struct.pack(">HH", 0xFFFF, 0)
        entry = box(kind, bytes(4) + body.ljust(160, b"\0"))
    else:
        entry = box(kind, bytes(4) + target.encode() + b"\0")
    reference = box(b"dref", bytes(4) + struct.pack(">I", 1) + entry)
    return rebuilt(recording, reference)


def rebuilt(content: bytes, reference: bytes) -> bytes:
    """Return the boxes with their data reference replaced; the media stands before the index, so it stays."""
    out, offset = b"", 0
    while offset < len(content):
        length, name = struct.unpack(">I4s", content[offset : offset + 8])
        body = content[offset + 8 : offset + length]
        if name in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
            out += box(name, rebuilt(body, reference))
        else:
            out += reference if name == b"dref" else content[offset : offset + length]
        offset += length
    return out


@pytest.mark.parametrize("kind", [b"url ", b"alis"])
def test_s22_a_data_reference_to_elsewhere_is_not_followed(
    studio: Studio, canary: Canary, tmp_path: Path, kind: bytes
) -> None:
    """An M4A file that says its sound lies in another file never makes us open that one."""
    secret = tmp_path / "secret.wav"
    secret.write_bytes(encoded("wav", speech(3.0, seed=99)))
    recording = encoded("m4a", speech(3.0))
    for target in (canary.url, f"file://{secret}", str(secret), "secret.wav"):
        hostile = external_reference(recording, kind, target)
        decode_here(tmp_path, hostile, "mp4")
        try:
            found = studio.take(hostile)
        except IngestRefused as refused:
            assert refused.findings[0].message.vi
        else:
            # The media in the file itself was used, nothing else.
            honest = studio.take(recording)
            assert found.pcm_sha256 == honest.pcm_sha256


def test_s22_other_containers_are_refused(studio: Studio) -> None:
    """Matroska with linked segments and AVI with GAB2 subtitles are containers that nobody asked for."""
    matroska = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01B\x82\x88matroska" + bytes(4_000)
    avi = b"RIFF" + struct.pack("<I", 4_000) + b"AVI LIST" + bytes(200) + b"GAB2\0" + b"#EXTM3U\n" + bytes(4_000)
    assert studio.refuse(matroska).code == "not_audio"
    # WebM is taken, since browsers record it; with another document's features or codec it is not.
    webm = encoded("webm", speech(1.0))
    assert studio.refuse(webm.replace(b"A_OPUS", b"A_AAC\0")).code in {"not_audio", "damaged"}
    assert studio.refuse(webm.replace(b"\x42\x82\x84webm", b"\x42\x82\x84mkv0")).code == "not_audio"
    assert studio.refuse(avi).code == "not_audio"


@pytest.mark.parametrize("inner", INNER)
def test_s23_no_local_file_comes_out(studio: Studio, tmp_path: Path, inner: str) -> None:
    """A playlist of local files or of FFmpeg's own schemes yields no sample, with and without the first look."""
    for make in (PLAYLISTS["hls"], PLAYLISTS["ffconcat"], PLAYLISTS["bare m3u"]):
        text = make(inner).encode()
        assert studio.refuse(text).code in ("playlist", "not_audio")
        assert decode_here(tmp_path, text, "mp3") == b""


POLYGLOTS: dict[str, Callable[[], bytes]] = {
    "mp3+zip": lambda: encoded("mp3", speech(3.0)) + b"PK\x03\x04MARKER" + bytes(300) + b"PK\x05\x06" + bytes(18),
    "mp3+php": lambda: id3(b"TXXX" + b"<?php MARKER system($_GET[0]); ?>") + encoded("mp3", speech(3.0)),
    "wav+html": lambda: encoded("wav", speech(3.0)) + b"<html><script>MARKER</script></html>",
    "flac+html": lambda: encoded("flac", speech(3.0)) + b"<html><script>MARKER</script></html>",
    "m4a+html": lambda: encoded("m4a", speech(3.0)) + box(b"free", b"<script>MARKER</script>"),
    "gif+mp3": lambda: b"GIF89aMARKER" + bytes(50) + encoded("mp3", speech(3.0)),
}


@pytest.mark.parametrize("kind", POLYGLOTS)
def test_s24_nothing_of_a_polyglot_is_left(studio: Studio, kind: str) -> None:
    """What is two things at once is refused, or comes out as sound alone."""
    try:
        found = studio.take(POLYGLOTS[kind]())
    except IngestRefused as refused:
        assert refused.findings[0].code in ("not_audio", "damaged", "truncated")
        return
    data = studio.library.path(found.sha256).read_bytes()
    assert data[:4] == b"fLaC"
    assert b"MARKER" not in data
    assert b"Lavf" not in data
    assert found.samples == pytest.approx(3 * RATE, abs=RATE // 10)


def test_s24_a_script_behind_an_ogg_file_is_not_served(studio: Studio) -> None:
    """An Ogg file without its proper end is refused; nothing of it is kept."""
    assert studio.refuse(encoded("opus", speech(3.0))[:-200] + b"alert('MARKER')//").code == "truncated"


def flac_silence(seconds: int) -> bytearray:
    """Return hours of silence in a small file, at a rate that is quick to make."""
    rate = 8_000
    one = encoded("flac", *[silence(seconds, rate=rate)], rate=rate)
    return bytearray(one)


def test_s25_hours_of_flac_silence_are_refused(studio: Studio) -> None:
    """Hours in under 1 MB: refused by the header, and without it as soon as the samples are too many."""
    studio.limits = IngestLimits(max_seconds=3_600)
    bomb = flac_silence(4_800)
    assert len(bomb) < 1_000_000
    with watched(most_s=30):
        assert studio.refuse(bytes(bomb)).code == "too_long"
        # The number of samples is the last 36 bits before the checksum.
        bomb[21] &= 0xF0
        bomb[22:26] = bytes(4)
        finding = studio.refuse(bytes(bomb))
    assert finding.code == "too_long"
    assert finding.message.vi == "Bản ghi dài hơn mức tối đa 1 giờ."


def opus_pages(seconds: int, *, said_s: float) -> bytes:
    """Return Opus packets of two bytes, 120 ms each, whose last page says something else."""
    head = b"OpusHead\x01\x01" + (312).to_bytes(2, "little") + RATE.to_bytes(4, "little") + b"\0\0\0"
    pages = [ogg_page([head], granule=0, number=0, first=True)]
    pages.append(ogg_page([b"OpusTags" + bytes(8)], granule=0, number=1))
    total, page = int(seconds / 0.12), 250
    for begin in range(0, total, page):
        count = min(page, total - begin)
        last = begin + count == total
        granule = int(said_s * RATE) if last else (begin + count) * 5_760
        pages.append(ogg_page([b"\xfb\x06"] * count, granule=granule, number=2 + begin // page, last=last))
    return b"".join(pages)


def test_s25_opus_with_a_lying_length_is_refused(studio: Studio) -> None:
    """Ten hours announced, or forty minutes hidden behind one announced minute: neither gets in."""
    assert studio.refuse(opus_pages(60, said_s=36_000)).code == "too_long"
    studio.limits = IngestLimits(max_seconds=1_800)
    with watched():
        assert studio.refuse(opus_pages(2_400, said_s=60)).code == "too_long"


def test_s25_mp3_with_a_lying_length_is_judged_by_its_samples(studio: Studio) -> None:
    """A frame count that promises too much is a cut file; one that promises too little changes nothing."""
    recording = bytearray(encoded("mp3", speech(10.0)))
    place = recording.index(b"Info" if b"Info" in recording[:2_000] else b"Xing")
    recording[place + 8 : place + 12] = struct.pack(">I", 300_000)
    assert studio.refuse(bytes(recording)).code == "truncated"
    recording[place + 8 : place + 12] = struct.pack(">I", 5)
    found = studio.take(bytes(recording))
    assert found.samples == pytest.approx(10 * RATE, abs=RATE // 5)


def test_s25_a_sparse_ten_gigabyte_wav_is_refused_unread(studio: Studio) -> None:
    """Ten gigabytes that need no room on the disk are refused by their size; the announcement alone as cut."""
    path = studio.upload(wav_header(data_bytes=0xFFFFFFF0))
    os.truncate(path, 10 * 1024**3)
    with watched(most_s=20):
        assert studio.refuse(path).code == "too_big"
        assert studio.refuse(wav_header(data_bytes=0xFFFFFFF0) + bytes(96_000)).code == "truncated"


def test_s25_a_sparse_wav_of_the_largest_size_stays_small(studio: Studio) -> None:
    """400 MB of zeros are silence, found in constant memory."""
    header = wav_header(data_bytes=400_000_000, channels=8, rate=192_000)
    path = studio.upload(header)
    os.truncate(path, len(header) + 400_000_000)
    with watched():
        assert studio.refuse(path).code == "silent"


def test_s25_a_million_tag_frames_are_not_read(studio: Studio) -> None:
    """A tag of a million fields before an MP3 costs nothing, since no decoder ever sees it."""
    frames = b"".join(b"TXXX" + struct.pack(">I", 8) + b"\0\0\0%7d" % number for number in range(1_000_000))
    with watched(most_s=20):
        found = studio.take(id3(frames[: (1 << 28) - 1]) + encoded("mp3", speech(3.0)))
    assert found.samples == pytest.approx(3 * RATE, abs=RATE // 10)


def test_s25_a_million_tag_frames_inside_a_wav_stay_within_limits(studio: Studio) -> None:
    """The same tag where a decoder must pass it: taken or refused, in bounded time."""
    frames = b"".join(b"TXXX" + struct.pack(">I", 8) + b"\0\0\0%7d" % number for number in range(300_000))
    tag = id3(frames)
    studio.limits = IngestLimits(stall_s=4)
    extra = b"id3 " + struct.pack("<I", len(tag)) + tag
    data = (speech(2.0) * 32_767).astype("<i2").tobytes()
    with watched():
        try:
            studio.take(wav_header(data_bytes=len(data), extra=extra) + data)
        except IngestRefused as refused:
            assert refused.findings[0].code == "too_complex"


def test_s25_a_huge_cover_picture_stays_within_limits(studio: Studio) -> None:
    """96 MB of pictures in a FLAC file: taken without them, or refused, in bounded memory."""
    recording = encoded("flac", speech(2.0))
    picture = b"\x06" + (16_000_000).to_bytes(3, "big") + struct.pack(">II", 3, 9) + b"image/png"
    picture = picture.ljust(16_000_004, b"\0")
    first = bytearray(recording[:42])
    first[4] &= 0x7F
    with watched(most_s=30):
        try:
            studio.take(bytes(first) + picture * 6 + recording[42:])
        except IngestRefused as refused:
            assert refused.findings[0].code in ("too_complex", "not_audio", "damaged", "truncated")


def test_s25_absurd_figures_are_refused(studio: Studio) -> None:
    """768 kHz × 255 channels are refused by the header."""
    header = wav_header(data_bytes=1_000_000, channels=255, rate=768_000, bits=32)
    with watched(most_s=20):
        assert studio.refuse(header + bytes(1_000_000)).code == "too_complex"


def mutated(recording: bytes, dice: random.Random) -> bytes:
    """Return the recording with something broken in it."""
    data = bytearray(recording)
    for _ in range(dice.choice((1, 1, 2, 5, 20, 100))):
        place = int(len(data) * dice.random() ** dice.choice((1, 3)))
        place = min(place, len(data) - 5)
        match dice.randrange(6):
            case 0:
                data[place] ^= 1 << dice.randrange(8)
            case 1:
                data[place] = dice.choice((0, 0x7F, 0x80, 0xFF))
            case 2:
                data[place : place + 4] = dice.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"))
            case 3:
                del data[place : place + dice.randrange(1, 64)]
            case 4:
                data[place:place] = data[place : place + dice.randrange(1, 64)]
            case 5:
                data[place : place + 16] = dice.randbytes(16)
        if len(data) < 100:
            break
    if dice.random() < 0.1:
        del data[dice.randrange(50, len(data)) :]
    # Broken pages are thrown away whole: only right checksums let the damage through to the decoder.
    return with_right_checksums(bytes(data)) if dice.random() < 0.8 else bytes(data)


@pytest.mark.parametrize("kind", ["mp3", "wav", "flac", "m4a", "aac", "opus", "webm"])
def test_s28_broken_files_never_hurt_the_parent(tmp_path: Path, kind: str) -> None:
    """200 mutants of each format: each is decoded or refused; a crash of the child is noticed and survived."""
    recording = encoded(kind, speech(0.7), speech(0.7, seed=2))
    dice = random.Random(f"mutants of {kind}")
    confinement = Confinement(memory_bytes=800_000_000, cpu_s=60, output_bytes=50_000_000)
    outcomes: dict[str, int] = {}
    with Sandbox("audio.decode", confinement) as sandbox, (tmp_path / "plain").open("w+b") as plain:
        for _ in range(MUTANTS):
            source = io.FileIO(tmp_path / "mutant", "w+")
            with source:
                data = mutated(recording, dice)
                source.write(data)
                found = sniff(source.fileno(), len(data))
                outcome = str(found)
                if isinstance(found, Sniffed):
                    outcome = attempt(sandbox, found, source.fileno(), len(data), plain.fileno())
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
            if not sandbox.running:
                sandbox.start()
    assert sum(outcomes.values()) == MUTANTS
    assert outcomes.get("decoded", 0) > MUTANTS // 10, outcomes
    assert set(outcomes) <= {
        "decoded", "not_audio", "playlist", "damaged", "too_complex", "too_long", "outside",
    }, outcomes  # fmt: skip


def attempt(sandbox: Sandbox, found: Sniffed, source: int, size: int, plain: int) -> str:
    """Return `decoded` or the code of the refusal."""
    os.ftruncate(plain, 0)
    os.lseek(plain, 0, os.SEEK_SET)
    job = {
        "container": str(found.container),
        "start_byte": found.start_byte,
        "size_bytes": size,
        "max_seconds": 60,
    }
    try:
        sandbox.do(job, [source, plain], wall_s=10)
    except Refusal as refusal:
        return refusal.code
    samples = np.frombuffer(os.pread(plain, 1 << 26, 0), dtype="<f4")
    assert np.isfinite(samples).all()
    return "decoded"


@pytest.mark.parametrize("kind", ["mp3", "flac", "m4a", "opus"])
def test_s28_broken_files_get_a_sentence(studio: Studio, kind: str) -> None:
    """Some mutants go the whole way: each ends as a measured file or as a sentence."""
    recording = encoded(kind, speech(1.0))
    dice = random.Random(f"whole way of {kind}")
    for _ in range(6):
        try:
            found = studio.take(mutated(recording, dice))
        except IngestRefused as refused:
            assert refused.findings[0].message.vi
        else:
            assert len(samples_of(studio.library.path(found.sha256))) == found.samples


def test_s30_links_pipes_and_devices_are_never_opened(studio: Studio, tmp_path: Path) -> None:
    """A link, a second name, a pipe and a device are refused at once, without waiting and without reading."""
    honest = studio.upload(encoded("wav", speech(1.0)), "honest.wav")
    (tmp_path / "link.wav").symlink_to(honest)
    (tmp_path / "zero.wav").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.wav")
    with watched(most_s=20):
        for path in ("link.wav", "zero.wav", "pipe.wav"):
            assert studio.refuse(tmp_path / path).code == "not_audio"
        assert studio.refuse(Path("/dev/null")).code == "not_audio"
        (tmp_path / "second.wav").hardlink_to(honest)
        assert studio.refuse(tmp_path / "second.wav").code == "not_audio"
    (tmp_path / "second.wav").unlink()
    assert studio.take(honest).samples == pytest.approx(RATE, abs=10)
