"""Figures of the evidence by hearing: spoken sentences, loudspeaker chains, and how often the matching is right."""

from __future__ import annotations

import functools
import io
import math
import subprocess
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile

from audio.matching import BAND_HZ, Band, Match, Matcher, Sound, match
from playout.ears.hearing import telling, wrong

RATE_HZ = 16_000
"""Of the voices and the recordings here: above the band that is compared, and quick to make."""

_FFT_STEP = 1 << 17

Pcm = npt.NDArray[np.int16]
Wave = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What lies between the bus and the ear. snr_db: noise against the programme. ppm: how much slower the ear's clock
    runs. late_ms: how much later the sound comes."""

    low_hz: float | None = None
    high_hz: float | None = None
    snr_db: float | None = None
    gain_db: float = 0.0
    echo_ms: float = 0.0
    echo: float = 0.0
    ppm: float = 0.0
    late_ms: float = 0.0

    def heard(self, pcm: Pcm, rng: np.random.Generator, *, before_s: float = 3.0, after_s: float = 3.5) -> Pcm:
        """Return the recording of `pcm` played at its time, with that much before and after it."""
        wave = np.concatenate(
            [
                np.zeros(round((before_s + self.late_ms / 1_000) * RATE_HZ)),
                pcm / 32_768.0,
                np.zeros(round(after_s * RATE_HZ)),
            ]
        )
        if self.ppm:
            at = np.arange(int(len(wave) * (1 + self.ppm * 1e-6))) / (1 + self.ppm * 1e-6)
            wave = np.interp(at, np.arange(len(wave)), wave)
        if self.low_hz is not None and self.high_hz is not None:
            wave = _passed(wave, self.low_hz, self.high_hz)
        if self.echo:
            shift = round(self.echo_ms / 1_000 * RATE_HZ)
            wave[shift:] = wave[shift:] + self.echo * wave[:-shift]
        if self.snr_db is not None:
            level = math.sqrt(float(np.mean(wave[np.abs(wave) > 1e-4] ** 2))) if wave.any() else 0.01
            wave = wave + rng.standard_normal(len(wave)) * level * 10 ** (-self.snr_db / 20)
        wave = wave * 10 ** (self.gain_db / 20)
        return np.asarray(np.clip(np.rint(wave * 32_768), -32_768, 32_767), dtype=np.int16)


CHAINS = {
    "clean": Chain(),
    "band": Chain(low_hz=300, high_hz=5_000),
    "noise": Chain(snr_db=10),
    "quiet": Chain(gain_db=-30),
    "loud": Chain(gain_db=10),
    "echo": Chain(echo_ms=100, echo=0.5),
    "clock": Chain(ppm=200),
    "all": Chain(low_hz=300, high_hz=5_000, snr_db=10, echo_ms=100, echo=0.5, ppm=200, late_ms=420),
    "all, quiet": Chain(low_hz=300, high_hz=5_000, snr_db=10, gain_db=-30, echo_ms=100, echo=0.5, ppm=-200),
    "all, loud": Chain(low_hz=300, high_hz=5_000, snr_db=10, gain_db=10, echo_ms=100, echo=0.5, ppm=200),
}


def _passed(wave: Wave, low_hz: float, high_hz: float) -> Wave:
    """Pass through Butterworth filters of the fourth order, with the phase that real ones have."""
    size = -(-(len(wave) + RATE_HZ) // _FFT_STEP) * _FFT_STEP
    passed = np.fft.rfft(wave, size) * _passing(size, low_hz, high_hz)
    return np.asarray(np.fft.irfft(passed, size)[: len(wave)], dtype=np.float64)


@functools.lru_cache(maxsize=16)
def _passing(size: int, low_hz: float, high_hz: float) -> npt.NDArray[np.complexfloating]:
    hz = np.maximum(np.fft.rfftfreq(size, 1 / RATE_HZ), 1e-3)
    return _butterworth(1j * hz / high_hz) * _butterworth(low_hz / (1j * hz))


def _butterworth(s: npt.NDArray[np.complexfloating]) -> npt.NDArray[np.complexfloating]:
    return np.asarray(1 / ((s**2 + 0.765367 * s + 1) * (s**2 + 1.847759 * s + 1)))


def say(text: str, *, voice: str = "vi", pitch: int = 50, words_a_minute: int = 160) -> Pcm:
    """Return a sentence spoken by espeak-ng at 16 kHz, as loud as a mastered programme."""
    run = subprocess.run(
        ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(words_a_minute), "--stdout"],
        input=text.encode(),
        capture_output=True,
        check=True,
    )
    wave, rate = soundfile.read(io.BytesIO(run.stdout), dtype="float64")
    at = np.arange(int(len(wave) * RATE_HZ / rate)) * rate / RATE_HZ
    sound = np.interp(at, np.arange(len(wave)), wave)
    sound *= 10 ** (-20 / 20) / max(math.sqrt(float(np.mean(sound**2))), 1e-6)
    return np.asarray(np.clip(np.rint(sound * 32_768), -32_768, 32_767), dtype=np.int16)


_WHO = (
    "Ủy ban nhân dân xã", "Trạm y tế xã", "Công an xã", "Hội nông dân", "Hội phụ nữ", "Đoàn thanh niên", "Hợp tác xã",
    "Trường tiểu học", "Ban chỉ huy quân sự", "Mặt trận tổ quốc", "Hội người cao tuổi", "Ban quản lý chợ",
)  # fmt: skip
_DOES = (
    "thông báo cho bà con biết", "đề nghị các hộ gia đình chuẩn bị", "mời đại diện các thôn đến họp",
    "nhắc bà con kiểm tra", "tổ chức hướng dẫn", "hoàn thành việc rà soát", "khen thưởng những hộ làm tốt",
    "vận động mọi người tham gia", "sẽ kiểm tra", "tiếp nhận ý kiến",
)  # fmt: skip
_WHAT = (
    "việc tiêm phòng cho đàn lợn", "lịch cắt điện", "công tác phòng cháy chữa cháy", "giống lúa vụ xuân",
    "việc thu gom rác thải", "thẻ bảo hiểm y tế", "đường ống nước sạch", "kế hoạch nạo vét kênh mương",
    "sổ hộ khẩu và căn cước", "ngày hội đại đoàn kết", "việc phun thuốc trừ muỗi", "quỹ khuyến học",
)  # fmt: skip
_WHEN = (
    "vào sáng thứ hai tuần tới", "trước ngày hai mươi tháng này", "từ bảy giờ ba mươi phút", "tại nhà văn hóa thôn",
    "trong ba ngày liên tiếp", "theo đúng quy định", "ngay sau buổi phát thanh này", "đến hết tháng mười hai",
)  # fmt: skip


def sentence(rng: np.random.Generator) -> str:
    """Return one of some eleven thousand sentences such as a commune announces."""
    return " ".join(str(rng.choice(words)) for words in (_WHO, _DOES, _WHAT, _WHEN)) + "."


RECOGNISED = 0.95
"""Share from which an airing counts as heard whole."""

VOICES = ("vi", "vi-vn-x-central", "vi-vn-x-south")
_POOL = 60


def matching(n: int) -> dict[str, object]:
    """Return how often `n` programmes were recognised through every chain in turn, and others were taken for them.

    A programme is four to eight sentences of one voice. Of each: the recording of itself, of another by the same voice,
    and of one that has every other sentence in common, heard as the listener hears it, so that false alarms and the
    time to a true one show too. Then ten minutes once right, once wrong, for the time it takes.
    """
    rng = np.random.default_rng(n)
    pools = [[say(sentence(rng), voice=voice) for _ in range(_POOL)] for voice in VOICES]
    names = list(CHAINS)
    missed: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    least: dict[str, float] = {}
    shares: dict[str, list[float]] = {"itself": [], "another": [], "half": []}
    offsets: list[float] = []
    false_alarms = 0
    alarms_s: list[float] = []
    foreign: list[float] = []
    for number in range(n):
        name, pool = names[number % len(names)], pools[number % len(pools)]
        count = int(rng.integers(4, 9))
        drawn = rng.permutation(len(pool))[: 2 * count]
        own = [pool[int(index)] for index in drawn[:count]]
        other = [pool[int(index)] for index in drawn[count:]]
        mixed = [one if at % 2 else another for at, (one, another) in enumerate(zip(own, other, strict=True))]
        programme = joined(own)
        chain = CHAINS[name]
        found: dict[str, Match] = {}
        for what, spoken in (("itself", own), ("another", other), ("half", mixed)):
            found[what], alarm_s = _heard(programme, joined(spoken), chain, rng)
            shares[what].append(found[what].share or 0.0)
            if what == "itself":
                false_alarms += alarm_s is not None
                foreign.append(found[what].foreign_s)
            elif what == "another":
                alarms_s.append(math.inf if alarm_s is None else alarm_s)
        right = found["itself"]
        least[name] = min(least.get(name, 1.0), right.share or 0.0)
        missed[name] += (right.share or 0.0) < RECOGNISED
        if right.offset_ms is not None:
            offsets.append(abs(right.offset_ms - chain.late_ms))
        taken["another"] += (found["another"].share or 0.0) >= RECOGNISED
        taken["half"] += (found["half"].share or 0.0) >= RECOGNISED
    return {
        "not_recognised": sum(missed.values()),
        "not_recognised_by_chain": {name: missed[name] for name in names},
        "least_share_by_chain": {name: round(share, 3) for name, share in least.items()},
        "another_taken_for_it": taken["another"],
        "half_taken_for_it": taken["half"],
        "share_of_another_max": round(max(shares["another"]), 3),
        "share_of_half_min": round(min(shares["half"]), 3),
        "share_of_half_mean": round(float(np.mean(shares["half"])), 3),
        "share_of_half_max": round(max(shares["half"]), 3),
        "false_alarms": false_alarms,
        "foreign_s_of_itself_max": max(foreign),
        "another_alarmed_within_15_s": round(sum(one <= 15 for one in alarms_s) / n, 4),
        "another_alarmed_after_s_median": round(float(np.median(alarms_s)), 1),
        "offset_error_ms_p99": round(float(np.percentile(offsets, 99)), 2) if offsets else None,
        **_an_hour(pools[0], rng),
    }


def joined(sentences: list[Pcm]) -> Pcm:
    """Return sentences with half a second between them."""
    pause = np.zeros(RATE_HZ // 2, dtype=np.int16)
    return np.concatenate([part for one in sentences for part in (one, pause)])


def _heard(programme: Pcm, aired: Pcm, chain: Chain, rng: np.random.Generator) -> tuple[Match, float | None]:
    """Return what was found, and how many seconds after its start it would have alarmed somebody."""
    matcher, alarm_s = Matcher(), None
    for sound in _band(programme):
        matcher.expect(sound)
    heard_s = -3.0
    for sound in _band(chain.heard(aired, rng)):
        matcher.hear(sound)
        heard_s += len(sound.wave) / BAND_HZ
        if alarm_s is None and wrong(telling(matcher.recent(60))) is not None:
            alarm_s = heard_s
    return matcher.finish(), alarm_s


def _band(pcm: Pcm) -> list[Sound]:
    band, step = Band(RATE_HZ), RATE_HZ // 2
    parts = [*(band.take(pcm[begin : begin + step]) for begin in range(0, len(pcm), step)), band.flush()]
    return [part for part in parts if len(part.wave)]


def _an_hour(pool: list[Pcm], rng: np.random.Generator) -> dict[str, object]:
    """Return the processor seconds that an hour takes, right and wrong, reckoned from a sixth of one."""
    length = 600 * RATE_HZ
    once = joined([pool[int(index)] for index in rng.permutation(len(pool))])
    programme = np.resize(once, length)
    heard = CHAINS["all"].heard(programme, rng)
    wrong = CHAINS["all"].heard(np.resize(once[::-1], length), rng)
    seconds = {}
    for what, recording in (("right", heard), ("wrong", wrong)):
        begun = time.process_time()
        match(programme, recording, rate_hz=RATE_HZ)
        seconds[f"hour_{what}_cpu_s"] = round(6 * (time.process_time() - begun), 1)
    return dict(seconds)
