"""Photos that strangers send: drawn anew without a word about where they were taken, or refused with a sentence."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest

from audio.child import Refusal
from audio.picture import Picture, PictureLimits, make_picture, pictures
from audio.pictureheaders import own_size, sniff_picture
from audio.redraw import redraw
from schedules.errors import IngestRefused
from tests.audio.drawing import SECRET, encoded, photo, pixels_of, png_bomb, png_chunk, with_exif
from tests.audio.watching import watched

ORDINARY = PictureLimits()


def take(folder: Path, content: bytes, limits: PictureLimits = ORDINARY) -> tuple[Picture, bytes]:
    """Have a photo drawn anew; return what is known of it and its bytes."""
    source = folder / "sent"
    source.write_bytes(content)
    made = make_picture(source, pictures=pictures(folder), scratch=folder / "scratch", limits=limits)
    return made, pictures(folder).path(made.sha256).read_bytes()


def refuse(folder: Path, content: bytes, limits: PictureLimits = ORDINARY) -> str:
    """Return the code with which it is refused; nothing may be left behind."""
    with pytest.raises(IngestRefused) as caught:
        take(folder, content, limits)
    assert not list((folder / "pictures").glob("**/*.jpg"))
    assert not list((folder / "scratch").glob("*"))
    (finding,) = caught.value.findings
    assert finding.message.vi != finding.message.en
    return finding.code


def redrawn(folder: Path, codec: str, content: bytes) -> bytes:
    """Draw without any walls, as if the first look had failed; return what came out."""
    (folder / "in").write_bytes(content)
    with (folder / "in").open("rb") as source, (folder / "out").open("w+b") as sink:
        job = {"codec": codec, "size_bytes": len(content), "side_px": 1600, "max_pixels": 4_000_000}
        try:
            redraw(job, [source.fileno(), sink.fileno()], lambda share: None)
        except Refusal:
            return b""
        return (folder / "out").read_bytes()


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_a_photo_becomes_a_small_jpeg_of_ours(tmp_path, kind):
    """Each kind that telephones send comes out as a JPEG of at most 1600 pixels that shows the same."""
    made, content = take(tmp_path, photo(kind, 2400, 1200))

    assert (made.width_px, made.height_px) == (1600, 800)
    assert made.size_bytes == len(content) < 200_000
    assert own_size(content) == (1600, 800)
    shown = pixels_of(content)
    assert shown[100, 100, 0] > 220 > 40 > shown[100, 100, 2]
    assert shown[700, 1500, 2] > 220 > 40 > shown[700, 1500, 0]


def test_s43_a_photo_says_nothing_about_place_or_telephone(tmp_path):
    """GPS, camera and everything else beside the picture is gone, and what stood on its side stands upright."""
    sent = with_exif(photo("jpeg", 640, 480), orientation=6)
    assert SECRET in sent

    made, content = take(tmp_path, sent)

    assert SECRET not in content
    assert b"Exif" not in content
    assert b"Lavc" not in content
    assert (made.width_px, made.height_px) == (480, 640)
    assert pixels_of(content)[50, 400, 0] > 220


def test_what_is_transparent_becomes_white(tmp_path):
    """A PNG with a hole in it shows white there, not black."""
    pixels = np.zeros((64, 64, 4), dtype=np.uint8)
    pixels[:32] = (0, 0, 0, 255)
    _made, content = take(tmp_path, encoded("png", pixels, "rgba"))
    shown = pixels_of(content)
    assert shown[60, 32].min() > 245
    assert shown[4, 32].max() < 12


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "not_a_picture", id="empty"),
        pytest.param(
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not_a_picture", id="svg"
        ),
        pytest.param(b"GIF89a" + bytes(100), "not_a_picture", id="gif"),
        pytest.param(b"%PDF-1.7\n" + bytes(100), "not_a_picture", id="pdf"),
        pytest.param(b"<?xml version='1.0'?><!DOCTYPE html><html></html>", "not_a_picture", id="html"),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(200), "not_a_picture", id="jpeg without a frame"),
        pytest.param(bytes(4) + b"ftypheic" + bytes(100), "heic", id="heic"),
        pytest.param(photo("jpeg")[:800], "damaged", id="half a jpeg"),
        pytest.param(photo("png")[:300], "damaged", id="half a png"),
        pytest.param(photo("webp")[:200], "damaged", id="half a webp"),
        pytest.param(b"RIFF\x24\0\0\0WAVEfmt " + bytes(100), "not_a_picture", id="sound"),
    ],
)
def test_what_is_no_whole_photo_is_refused_with_a_sentence(tmp_path, content, code):
    """Only bytes decide; what has scripts in it, or is not whole, is not taken."""
    assert refuse(tmp_path, content) == code


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    """A PNG of 50 000 × 50 000 pixels in some 300 kB, and JPEG and WebP headers that say as much, cost nothing."""
    jpeg = photo("jpeg", 64, 64)
    at = jpeg.index(b"\xff\xc0") + 5
    with watched(most_mb=50.0, most_s=10.0):
        assert refuse(tmp_path, png_bomb(50_000, 50_000)) == "too_large"
        assert refuse(tmp_path, jpeg[:at] + struct.pack(">HH", 50_000, 50_000) + jpeg[at + 4 :]) == "too_large"
        webp = b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8) + b"\x4f\xc3\0" * 2 + bytes(20)
        assert refuse(tmp_path, webp) == "too_large"


def test_a_bomb_that_lies_about_its_size_stays_in_its_room(tmp_path):
    """A header that says 64 × 64 before 20 000 × 20 000 pixels gives a small picture or a refusal, never the pixels."""
    with watched(most_mb=800.0, most_s=30.0):
        try:
            made, _content = take(tmp_path, png_bomb(20_000, 20_000, told=(64, 64)))
        except IngestRefused:
            return
    assert (made.width_px, made.height_px) == (64, 64)


def test_too_many_bytes_are_refused_unread(tmp_path):
    """The limit of bytes holds before anything is looked at."""
    assert refuse(tmp_path, photo() + bytes(2000), PictureLimits(max_bytes=1000)) == "too_heavy"


def test_a_polyglot_leaves_its_other_half_behind(tmp_path):
    """A JPEG with a page in its comment and an archive behind its end comes out as a picture only."""
    page = b"<html><script>alert(document.cookie)</script></html>"
    comment = b"\xff\xfe" + struct.pack(">H", len(page) + 2) + page
    sent = photo("jpeg")
    _made, content = take(tmp_path, sent[:2] + comment + sent[2:] + b"PK\x03\x04" + page)
    assert b"<script" not in content
    assert b"PK\x03\x04" not in content

    text = png_chunk(b"tEXt", b"Comment\0" + page)
    png = photo("png")
    _made, content = take(tmp_path, png[:33] + text + png[33:])
    assert b"<script" not in content


def test_a_link_is_not_followed(tmp_path):
    """A name that leads elsewhere is refused, wherever it leads."""
    (tmp_path / "secret.jpg").write_bytes(photo())
    (tmp_path / "sent").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(IngestRefused):
        make_picture(tmp_path / "sent", pictures=pictures(tmp_path), scratch=tmp_path / "scratch")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8\xff\xd9",
        with_exif(photo()),
        photo() + b"PK",
        photo()[:-2] + b"\xff\xfe\x00\x04ab\xff\xd9",
        photo("png"),
    ],
)
def test_what_the_room_wrote_is_not_believed(content):
    """A picture of ours has no tags, no comments, nothing between or behind: anything else is none."""
    assert own_size(content) is None


def test_flipped_bytes_break_nothing(tmp_path):
    """150 damaged photos, drawn without walls, give a plain picture or a refusal."""
    dice = random.Random(20261124)
    for number in range(150):
        kind, codec = (("jpeg", "mjpeg"), ("png", "png"), ("webp", "webp"))[number % 3]
        content = bytearray(photo(kind, 96, 64))
        for _ in range(dice.randint(1, 12)):
            content[dice.randrange(len(content))] = dice.randrange(256)
        sniff_picture(bytes(content))
        made = redrawn(tmp_path, codec, bytes(content))
        assert made == b"" or own_size(made) is not None
