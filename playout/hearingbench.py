"""Figures of the evidence by hearing: spoken sentences, loudspeaker chains, and how often the matching is right."""

from __future__ import annotations

import io
import math
import subprocess
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile

RATE_HZ = 16_000
"""Of the voices and the recordings here: above the band that is compared, and quick to make."""

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
        return np.clip(np.rint(wave * 32_768), -32_768, 32_767).astype(np.int16)


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
    s = 1j * np.fft.rfftfreq(len(wave), 1 / RATE_HZ)
    below = _butterworth(s / high_hz)
    above = _butterworth(low_hz / np.where(s == 0, 1e-3j, s))
    return np.fft.irfft(np.fft.rfft(wave) * below * above, len(wave))


def _butterworth(s: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    return 1 / ((s**2 + 0.765367 * s + 1) * (s**2 + 1.847759 * s + 1))


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
    return np.clip(np.rint(sound * 32_768), -32_768, 32_767).astype(np.int16)


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
