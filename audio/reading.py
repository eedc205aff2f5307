"""From a written Vietnamese text to the words that a voice says: pure, and every change can be shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from audio.abbreviations import ABBREVIATIONS, AMBIGUOUS, ISSUERS, ISSUES, LETTERS, UNITS
from audio.numerals import NORTHERN, Habit, decimals, digits, month, ordinal, roman, whole
from schedules.text import Text

LONGEST = 20_000
"""Characters that are read at once; nobody listens to more than half an hour of it."""

_ROUNDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of the text. said: what the voice says; changed: it is not what stands there.

    note: why somebody should look at it again, None where there is nothing to decide.
    """

    written: str
    said: str
    changed: bool = False
    note: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A whole text as it will be said."""

    pieces: tuple[Piece, ...]

    @property
    def spoken(self) -> str:
        """What the voice gets."""
        return "".join(piece.said for piece in self.pieces)

    @property
    def changes(self) -> tuple[Piece, ...]:
        """The stretches that are said differently, without those that are only left out."""
        return tuple(piece for piece in self.pieces if piece.changed and piece.said.strip())

    @property
    def notes(self) -> tuple[Piece, ...]:
        """The stretches that somebody should look at, each written form once."""
        return tuple({piece.written: piece for piece in self.pieces if piece.note is not None}.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a rule makes of a stretch. start, end: where it stands, when it is less than the whole match."""

    said: str
    note: Text | None = None
    start: int | None = None
    end: int | None = None


_Rule = Callable[[re.Match[str], str, Habit], "_Said | None"]


def read(text: str, *, own: Mapping[str, str] | None = None, habit: Habit = NORTHERN) -> Reading:
    """Return how `text` is said. Never raises; what it cannot read it leaves out or spells.

    own: words of this place and how they are said; they go before everything. What was read is read as it is.
    """
    pieces = _once(_plain(text[:LONGEST]), {**(own or {})}, habit)
    for _round in range(_ROUNDS):
        spoken = "".join(piece.said for piece in pieces)
        again = _once(_plain(spoken), {}, habit)
        settled = "".join(piece.said for piece in again)
        if settled == spoken:
            break
        # A word that was made is itself a short form: the whole of it is shown as one change.
        pieces = _again(pieces, habit, settled)
    return Reading(pieces=pieces)


def _again(pieces: tuple[Piece, ...], habit: Habit, settled: str) -> tuple[Piece, ...]:
    """Return the pieces with what was made of them read once more, or all of it as one piece where that is not it."""
    said = tuple(
        Piece(written=one.written, said=new, changed=one.changed or new != one.said, note=one.note)
        for one in pieces
        for new in ("".join(piece.said for piece in _once(_plain(one.said), {}, habit)),)
    )
    if "".join(piece.said for piece in said) == settled:
        return said
    return (Piece(written="".join(piece.written for piece in pieces), said=settled, changed=True),)


def _plain(text: str) -> str:
    """Return the text composed, with ASCII digits, without what cannot be seen."""
    text = re.sub(r"(?<![A-Za-z])²|(?<=\d)²", " bình phương ", text)
    text = unicodedata.normalize("NFKC", text).replace("\u2044", "/").replace("\u2212", "-")
    found = []
    for letter in text:
        kind = unicodedata.category(letter)
        if letter in "\n\t" or letter == " ":
            found.append(" " if letter == "\t" else letter)
        elif kind == "Nd":
            found.append(str(unicodedata.decimal(letter)))
        elif kind == "Zs":
            found.append(" ")
        elif letter in "\r\u2028\u2029\x0b\x0c\x85":
            found.append("\n")
        elif kind[0] != "C" and kind not in {"Nl", "No", "Mn", "Mc", "Me"}:
            found.append(letter)
    return "".join(found)


def _once(text: str, own: Mapping[str, str], habit: Habit) -> tuple[Piece, ...]:
    """Return the pieces of one pass: each rule in turn takes what no rule before it took."""
    free = text
    taken: list[tuple[int, int, _Said]] = []
    for pattern, rule in (*_own_rules(tuple(own.items())), *_RULES):
        for match in pattern.finditer(free):
            found = rule(match, text, habit)
            if found is None or match.end() == match.start():
                continue
            start = match.start() if found.start is None else found.start
            end = match.end() if found.end is None else found.end
            if "\0" in free[start:end]:
                continue
            taken.append((start, end, found))
            free = f"{free[:start]}{chr(0) * (end - start)}{free[end:]}"
    return tuple(_assembled(text, sorted(taken, key=lambda one: one[0])))


def _assembled(text: str, taken: list[tuple[int, int, _Said]]) -> Iterator[Piece]:
    at, before = 0, ""
    for start, end, found in [*taken, (len(text), len(text), _Said(said=""))]:
        if start > at:
            kept = text[at:start]
            before = kept[-1]
            yield Piece(written=kept, said=kept)
        if end == start:
            return
        written, said = text[start:end], found.said
        after = text[end : end + 1]
        if said and before and (before.isalnum() or before in ")%") and said[0] not in " ,.":
            said = f" {said}"
        if said and after and (after.isalnum() or after in "(") and not said.endswith((" ", "\n")):
            said = f"{said} "
        if not said and before.isalnum() and after.isalnum():
            said = " "
        changed = said.strip().casefold() != written.strip().casefold()
        yield Piece(written=written, said=said, changed=changed, note=found.note)
        before = said[-1] if said else before
        at = end


# ---- words of this place


@lru_cache(maxsize=64)
def _own_rules(own: tuple[tuple[str, str], ...]) -> tuple[tuple[re.Pattern[str], _Rule], ...]:
    if not own:
        return ()
    said = {_plain(written): _plain(word) for written, word in own if _plain(written).strip()}
    loose = {written.casefold(): word for written, word in said.items() if written == written.casefold()}

    def rule(match: re.Match[str], _text: str, habit: Habit) -> _Said | None:
        word = said.get(match[0], loose.get(match[0].casefold()))
        # Somebody decided how it is said; numbers in it are read as numbers all the same.
        return None if word is None else _Said(said="".join(p.said for p in _once(word, {}, habit)))

    longest_first = sorted(said, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in longest_first)
    return ((re.compile(pattern, re.IGNORECASE), rule),)


# ---- what stands around a match


def _follows(text: str, at: int, words: tuple[str, ...]) -> bool:
    """Return whether one of the words stands right before the place."""
    before = text[max(0, at - 40) : at].rstrip().casefold()
    return any(before.endswith(word) and not before[: -len(word)][-1:].isalpha() for word in words)


def _precedes(text: str, at: int, words: tuple[str, ...]) -> bool:
    """Return whether one of the words stands right behind the place."""
    after = text[at : at + 40].lstrip().casefold()
    return any(after.startswith(word) and not after[len(word) : len(word) + 1].isalpha() for word in words)


def _line(text: str, at: int) -> str:
    """Return the line around a place."""
    end = text.find("\n", at)
    return text[text.rfind("\n", 0, at) + 1 : len(text) if end < 0 else end]


def _shouting(text: str, at: int) -> bool:
    """Return whether the line is written in capitals, as titles are: then capitals say nothing."""
    words = re.findall(r"[^\W\d_]+", _line(text, at))
    loud = sum(1 for word in words if word.isupper() and _SYLLABLE.fullmatch(_bare(word)))
    return len(words) >= 3 and all(word.isupper() for word in words) and loud * 2 >= len(words)


def _bare(word: str) -> str:
    """Return a word in small letters without its tone marks."""
    split = unicodedata.normalize("NFD", word.lower())
    without = "".join(letter for letter in split if letter not in "\u0300\u0301\u0303\u0309\u0323")
    return unicodedata.normalize("NFC", without)


_SYLLABLE = re.compile(
    r"(?:ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|b|c|d|đ|g|h|k|l|m|n|p|r|s|t|v|x)?[aăâeêioôơuưy]{1,3}(?:ng|nh|ch|c|m|n|p|t)?"
)

# ---- addresses of the network

_TOP = {
    "vn": "vê en",
    "gov": "gốp",
    "com": "com",
    "org": "o rờ gờ",
    "net": "nét",
    "edu": "e đu",
    "info": "in phô",
}
_HARD_TO_HEAR = Text(
    "Địa chỉ mạng khó nghe qua loa; nên viết thành lời hoặc bỏ đi.",
    "An address is hard to catch from a loudspeaker; better say it in words, or leave it out.",
)
_MARKS = {
    ".": "chấm",
    "/": "gạch chéo",
    "-": "gạch ngang",
    "_": "gạch dưới",
    "@": "a còng",
    ":": "hai chấm",
    "?": "hỏi chấm",
    "=": "bằng",
    "&": "và",
    "%": "phần trăm",
    "+": "cộng",
    "#": "thăng",
}


def _address(match: re.Match[str], _text: str, _habit: Habit) -> _Said | None:
    written = match[0].rstrip(".,;:!?)]}'\"")
    end = match.start() + len(written)
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", written, flags=re.IGNORECASE).rstrip("/")
    words = []
    for part in re.findall(r"[^\W\d_]+|\d|[^\w\s]|_", bare):
        if part in _MARKS:
            words.append(_MARKS[part])
        elif part.isdigit():
            words.append(digits(part))
        elif part.isalpha():
            words.append(_TOP.get(part.lower()) or _label(part))
    return _Said(said=" ".join(words), note=_HARD_TO_HEAR, end=end)


def _label(part: str) -> str:
    """Return a word of an address: said as a word where it has a vowel, spelled where it has none."""
    small = part.lower()
    return small if re.search(r"[aeiouyăâêôơư]", _bare(small)) else _spelled(small)


def _spelled(word: str) -> str:
    return " ".join(LETTERS.get(letter, letter.lower()) for letter in _bare(word).upper())


# ---- symbols of documents


_DOCUMENT_NOTE = Text(
    "Ký hiệu văn bản được đọc gọn; hãy nghe lại xem đã rõ chưa.",
    "The number of a document is said in short; listen whether it is clear.",
)


def _document(match: re.Match[str], text: str, habit: Habit) -> _Said | None:
    number, letter, year, code = match["number"], match["letter"], match["year"], match["code"]
    parts = [part for part in re.split(r"[-–/.]", code) if part]
    known = [part for part in parts if part in ISSUES or part in ISSUERS or part in ABBREVIATIONS]
    if not known and year is None and len(parts) < 2:
        return None
    words = [whole(int(number), habit)]
    if letter:
        words.append(_spelled(letter))
    if year:
        words.append(f"năm {whole(int(year), habit)}")
    kind = ISSUES.get(parts[0], "") if len(parts) > 1 or parts[0] not in ISSUERS else ""
    rest = parts[1:] if kind else parts
    said_before = text[max(0, match.start() - 40) : match.start()].casefold()
    if not said_before.rstrip().endswith("số"):
        words.insert(0, "số")
    if kind and kind not in said_before:
        words.insert(0, kind)
    if rest and rest[0] in ISSUERS:
        words.append(f"của {ISSUERS[rest[0]]}")
        rest = rest[1:]
    said = " ".join(words)
    for part in rest:
        said += f", {_part(part, habit)}"
    return _Said(said=said, note=_DOCUMENT_NOTE)


def _part(part: str, habit: Habit) -> str:
    """Return one part of a document's number: QH15 is the National Assembly of the 15th term."""
    term = re.fullmatch(r"(\D+)(\d+)", part)
    if term is not None:
        return f"{_part(term[1], habit)} khóa {whole(int(term[2]), habit)}"
    found = ISSUERS.get(part) or ABBREVIATIONS.get(part)
    if found is not None:
        return found
    return part.lower() if _SYLLABLE.fullmatch(_bare(part)) and len(part) > 1 else _spelled(part)


# ---- telephones and other numbers that are no amounts


def _phone(match: re.Match[str], _text: str, _habit: Habit) -> _Said | None:
    start, end = match.span("t")
    return _Said(said=_dialled(match["t"]), start=start, end=end)


def _dialled(written: str) -> str:
    plus = "cộng " if written.startswith("+") else ""
    groups = re.findall(r"\d+", written)
    if len(groups) == 1:
        groups = _grouped(groups[0])
    return plus + ", ".join(digits(group) for group in groups)


def _grouped(number: str) -> list[str]:
    if len(number) == 10:
        return [number[:4], number[4:7], number[7:]]
    if number.startswith(("1800", "1900")):
        return [number[:4], number[4:]]
    if len(number) == 11:
        return [number[:4], number[4:7], number[7:]]
    if len(number) <= 5:
        return [number]
    return [number[at : at + 3] for at in range(0, len(number), 3)]


# ---- days


_DAY_WORDS = ("ngày", "mùng", "mồng")
_HALF_DAY = Text(
    "Có thể là ngày tháng, cũng có thể là phân số hay tỷ số; hãy nghe lại.",
    "It may be a date, a fraction or a ratio; listen to it.",
)
_COUNTED = (
    *("xã", "phường", "thôn", "tổ", "hộ", "hồ sơ", "bài", "tin", "đài", "chỉ tiêu", "tiêu chí", "người", "trường"),
    *("lớp", "cụm", "tuần", "đại biểu", "phiếu", "đơn vị", "ý kiến", "thành viên", "đồng chí", "lượt", "mẫu", "em"),
    *("học sinh", "hội viên", "đoàn viên", "đảng viên", "máy", "loa", "thủ tục", "ca", "điểm", "khu", "con", "câu"),
)
_FRACTIONS = {("1", "2"), ("1", "3"), ("2", "3"), ("1", "4"), ("3", "4")}


def _dated(day: str, month_text: str, year: str | None, habit: Habit) -> str:
    said = f"{whole(int(day), habit)} tháng {month(int(month_text))}"
    return f"{said} năm {whole(int(year), habit)}" if year else said


def _day_word(text: str, at: int) -> str:
    return "" if _follows(text, at, _DAY_WORDS) else "ngày "


def _date(match: re.Match[str], text: str, habit: Habit) -> _Said | None:
    return _Said(said=_day_word(text, match.start()) + _dated(match["d"], match["m"], match["y"], habit))


def _date_iso(match: re.Match[str], text: str, habit: Habit) -> _Said | None:
    return _date(match, text, habit)


def _date_span(match: re.Match[str], text: str, habit: Habit) -> _Said | None:
    first = _dated(match["d1"], match["m1"], match["y1"], habit)
    last = _dated(match["d2"], match["m2"], match["y2"], habit)
    return _Said(said=f"{_day_word(text, match.start())}{first} đến ngày {last}")


def _day_span(match: re.Match[str], text: str, habit: Habit) -> _Said | None:
    if int(match["d1"]) >= int(match["d2"]):
        return None
    first, last = whole(int(match["d1"]), habit), _dated(match["d2"], match["m"], match["y"], habit)
    return _Said(said=f"{_day_word(text, match.start())}{first} đến ngày {last}")


def _day_month(match: re.Match[str], text: str, habit: Habit) -> _Said | None:
    pair = (match["d"], match["m"])
    dated = _follows(text, match.start(), (*_DAY_WORDS, "sáng", "trưa", "chiều", "tối", "đêm", "lễ", "dịp"))
    if not dated:
        if _precedes(text, match.end(), _COUNTED):
            return _over(match["d"], match["m"], habit)
        if pair in _FRACTIONS:
            top, bottom = whole(int(pair[0]), habit), ordinal(int(pair[1]), habit)
            return _Said(said=f"{top} phần {bottom}", note=_HALF_DAY)
    said = _day_word(text, match.start()) + _dated(match["d"], match["m"], None, habit)
    return _Said(said=said, note=None if dated or int(match["d"]) > 12 else _HALF_DAY)


def _month_year(match: re.Match[str], text: str, habit: Habit) -> _Said | None:
    year = f"năm {whole(int(match['y']), habit)}"
    if _follows(text, match.start(), ("số", "luật", "nghị định", "nghị quyết", "thông tư")):
        return _Said(said=f"{whole(int(match['m']), habit)} {year}")
    if _follows(text, match.start(), ("quý",)):
        return _Said(said=f"{whole(int(match['m']), habit)} {year}")
    word = "" if _follows(text, match.start(), ("tháng",)) else "tháng "
    return _Said(said=f"{word}{month(int(match['m']))} {year}")


def _quarter_year(match: re.Match[str], _text: str, habit: Habit) -> _Said | None:
    value = roman(match["q"])
    if value is None:
        return None
    return _Said(said=f"{whole(value, habit)} năm {whole(int(match['y']), habit)}", start=match.start("q"))


def _years(match: re.Match[str], _text: str, habit: Habit) -> _Said | None:
    first, last = int(match["a"]), int(match["b"])
    return None if first >= last else _Said(said=f"{whole(first, habit)} đến {whole(last, habit)}")


def _weekday(match: re.Match[str], _text: str, habit: Habit) -> _Said | None:
    return _Said(said=f"thứ {ordinal(int(match[1]), habit)}")


def _named_month(match: re.Match[str], _text: str, _habit: Habit) -> _Said | None:
    start, end = match.span("t")
    return _Said(said=month(int(match["t"])), start=start, end=end)


def _ranked(match: re.Match[str], _text: str, habit: Habit) -> _Said | None:
    start, end = match.span("t")
    return _Said(said=ordinal(int(match["t"]), habit), start=start, end=end)


# ---- times of day


def _time_words(hour: str, minute: str | None, second: str | None, habit: Habit) -> str | None:
    if int(hour) > 24 or int(minute or 0) > 59 or int(second or 0) > 59:
        return None
    said = f"{whole(int(hour), habit)} giờ"
    if int(minute or 0) or int(second or 0):
        said += f" {whole(int(minute or 0), habit)} phút"
    return f"{said} {whole(int(second or 0), habit)} giây" if int(second or 0) else said


def _time(match: re.Match[str], _text: str, habit: Habit) -> _Said | None:
    said = _time_words(match["h"], match["mi"], match.groupdict().get("s"), habit)
    return None if said is None else _Said(said=said)


def _time_span(match: re.Match[str], _text: str, habit: Habit) -> _Said | None:
    first = _time_words(match["h1"], match["mi1"], None, habit)
    last = _time_words(match["h2"], match["mi2"], None, habit)
    return None if first is None or last is None else _Said(said=f"{first} đến {last}")


def _ratio(match: re.Match[str], _text: str, habit: Habit) -> _Said | None:
    return _Said(said=f"{_amount(match['a'], habit)[0]} trên {_amount(match['b'], habit)[0]}")


# ---- amounts


_POINT = Text(
    "Dấu chấm giữa hai số: nếu là số thập phân, hãy viết dấu phẩy (3,5).",
    "A point between two numbers: write a comma (3,5) if it is a decimal.",
)
_COMMA = Text(
    "Dấu phẩy trước ba chữ số: nếu là hàng nghìn, hãy viết dấu chấm (1.234).",
    "A comma before three digits: write a point (1.234) if it parts thousands.",
)


def _amount(written: str, habit: Habit) -> tuple[str, Text | None]:
    """Return a number in words, and a doubt."""
    sign = "âm " if written[:1] == "-" else ""
    text = written.lstrip("-")
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", text) and not text.startswith("0"):
        head, _comma, tail = text.partition(",")
        said = whole(int(head.replace(".", "")), habit)
        return sign + (f"{said} phẩy {decimals(tail, habit)}" if tail else said), None
    if text.isdigit():
        return sign + _plain_number(text, habit), None
    if re.fullmatch(r"\d{1,3}(?:,\d{3}){2,}(?:\.\d+)?|\d{1,3}(?:,\d{3})+\.\d+", text):
        head, _point, tail = text.partition(".")
        said = whole(int(head.replace(",", "")), habit)
        return sign + (f"{said} phẩy {decimals(tail, habit)}" if tail else said), _COMMA
    head, _comma, tail = text.partition(",")
    if head.isdigit() and tail.isdigit():
        doubt = _COMMA if len(tail) == 3 and not head.startswith("0") else None
        return f"{sign}{whole(int(head), habit)} phẩy {decimals(tail, habit)}", doubt
    words = [
        {".": "chấm", ",": "phẩy"}.get(part) or _plain_number(part, habit) for part in re.findall(r"\d+|[.,]", text)
    ]
    return sign + " ".join(words), _POINT


def _plain_number(text: str, habit: Habit) -> str:
    # 05 households are five, 007 is no count, and a long row of digits is the number of something.
    if len(text) > 18 or (len(text) > 2 and text.startswith("0")) or len(text) >= 12:
        return ", ".join(digits(group) for group in _grouped(text))
    return whole(int(text), habit)


def _number(match: re.Match[str], _text: str, habit: Habit) -> _Said | None:
    said, doubt = _amount(match[0], habit)
    return _Said(said=said, note=doubt)


def _range(match: re.Match[str], text: str, habit: Habit) -> _Said | None:
    (first, doubt), (last, other) = _amount(match["a"], habit), _amount(match["b"], habit)
    word = " " if _follows(text, match.start(), ("tỷ số", "tỉ số")) else " đến "
    return _Said(said=f"{first}{word}{last}", note=doubt or other)


def _over(top: str, bottom: str, habit: Habit) -> _Said:
    return _Said(said=f"{_amount(top, habit)[0]} trên {_amount(bottom, habit)[0]}")


def _fraction(match: re.Match[str], _text: str, habit: Habit) -> _Said | None:
    return _over(match["a"], match["b"], habit)


def _measured(match: re.Match[str], _text: str, habit: Habit) -> _Said | None:
    said, doubt = _amount(match["a"], habit)
    if match["b"]:
        last, other = _amount(match["b"], habit)
        said, doubt = f"{said} đến {last}", doubt or other
    return _Said(said=f"{said} {UNITS[re.sub(r' +', ' ', match['unit'])]}", note=doubt)


_MAGNITUDES = {"k": "nghìn", "tr": "triệu", "tỉ": "tỷ"}


def _money(match: re.Match[str], _text: str, habit: Habit) -> _Said | None:
    said, doubt = _amount(match["a"], habit)
    if match["b"]:
        last, other = _amount(match["b"], habit)
        said, doubt = f"{said} đến {last}", doubt or other
    size = (match["size"] or "").lower()
    words = [said, _MAGNITUDES.get(size, size).replace("nghìn", habit.thousand), "đồng"]
    per = match["per"]
    if per:
        words.append(f"một {UNITS.get(per, per)}")
    return _Said(said=" ".join(word for word in words if word), note=doubt)


def _thousands(match: re.Match[str], _text: str, habit: Habit) -> _Said | None:
    said, doubt = _amount(match["a"], habit)
    return _Said(said=f"{said} {habit.thousand} đồng", note=doubt)


# ---- Roman numerals


_ROMAN_NOTE = Text("Đọc như số La Mã; hãy nghe lại.", "Read as a Roman numeral; listen to it.")


def _roman(match: re.Match[str], text: str, habit: Habit) -> _Said | None:
    value = roman(match["t"])
    if value is None:
        return None
    start, end = match.span("t")
    ranked = _follows(text, start, ("thứ",))
    return _Said(said=ordinal(value, habit) if ranked else whole(value, habit), start=start, end=end)


def _lone_roman(match: re.Match[str], text: str, habit: Habit) -> _Said | None:
    value = roman(match["t"])
    if value is None or _shouting(text, match.start()):
        return None
    start, end = match.span("t")
    return _Said(said=whole(value, habit), start=start, end=end, note=_ROMAN_NOTE)


# ---- short forms


_UNKNOWN = Text(
    "Máy chưa biết chữ viết tắt này nên đánh vần; hãy ghi cách đọc.",
    "This short form is not known, so it is spelled; write down how it is said.",
)


def _short(match: re.Match[str], text: str, _habit: Habit) -> _Said | None:
    written = match[0]
    if _shouting(text, match.start()) and _SYLLABLE.fullmatch(_bare(written)):
        return _Said(said=written.lower())
    others = AMBIGUOUS.get(written)
    note = Text(f"Cũng có thể là: {others}.", f"It may also mean: {others}.") if others else None
    return _Said(said=ABBREVIATIONS[written], note=note)


def _place(match: re.Match[str], _text: str, _habit: Habit) -> _Said | None:
    return _Said(said=ABBREVIATIONS[match[0]])


def _capitals(match: re.Match[str], text: str, _habit: Habit) -> _Said | None:
    written = match[0]
    if not written.isupper():
        return None
    if len(written) == 1:
        if _SYLLABLE.fullmatch(_bare(written)):
            return _Said(said=written.lower()) if _shouting(text, match.start()) else None
        return _Said(said=LETTERS[written]) if written in LETTERS else None
    if _SYLLABLE.fullmatch(_bare(written)) and (len(written) > 2 or _shouting(text, match.start())):
        return _Said(said=written.lower())
    if _bare(written) != written.lower() and _SYLLABLE.fullmatch(_bare(written)):
        return _Said(said=written.lower())
    if any(letter not in LETTERS for letter in _bare(written).upper()):
        return _Said(said=written.lower())
    return _Said(said=_spelled(written), note=_UNKNOWN)


# ---- signs


_SIGNS = {
    "&": "và",
    "+": "cộng",
    "=": "bằng",
    "≥": "từ",
    "≤": "không quá",
    ">": "lớn hơn",
    "<": "nhỏ hơn",
    "~": "khoảng",
    "≈": "khoảng",
    "±": "cộng trừ",
    "×": "nhân",
    "÷": "chia",
    "→": "đến",
    "%": "phần trăm",
    "‰": "phần nghìn",
    "°": "độ",
    "$": "đô la Mỹ",
    "€": "ơ rô",
    "₫": "đồng",
    "@": "a còng",
    "№": "số",
}
_KEPT = frozenset(" \n.,;:!?'\"()-–—“”‘’«»…")
_EACH = ("giờ", "ngày", "tuần", "tháng", "quý", "năm", "vụ", "buổi", "người", "hộ", "lần", "suất", "lượt", "con", "sào")


def _sign(match: re.Match[str], _text: str, _habit: Habit) -> _Said | None:
    letter = match[0]
    if letter in _KEPT or letter.isalpha() or letter == "\0":
        return None
    said = _SIGNS.get(letter)
    return _Said(said=said or "")


def _slash(match: re.Match[str], text: str, _habit: Habit) -> _Said | None:
    start = match.start()
    before, after = text[:start].rstrip()[-1:], text[match.end() :].lstrip()[:1]
    if not before or not after:
        return _Said(said="")
    if _precedes(text, match.end(), _EACH):
        return _Said(said=" một ")
    return _Said(said=" trên " if after.isdigit() or before.isdigit() else ", ")


def _bullet(match: re.Match[str], _text: str, _habit: Habit) -> _Said | None:
    return _Said(said="", start=match.start("t"), end=match.end("t"))


_NUM = r"\d{1,3}(?:\.\d{3})+(?:,\d+)?(?!\d)|\d+(?:[.,]\d+)*"
_NEG = rf"(?:(?<![\w.,)\-–/])-)?(?:{_NUM})"
_D = r"(?:0?[1-9]|[12]\d|3[01])"
_M = r"(?:0?[1-9]|1[0-2])"
_Y = r"(?:19|20)\d{2}"
_DASH = r"\s*[-–]\s*"
_FREE = r"(?<![\w/.,])"
_STOP = r"(?![\w/]|[.,]\d)"
_UNIT = "|".join(re.escape(one).replace(r"\ ", r"\s+") for one in sorted(UNITS, key=len, reverse=True))
_PLACES = ("TP.", "Tp.", "TX.", "TT.", "H.", "Q.", "P.", "X.")
_SHORT = "|".join(
    rf"(?<![\w]){re.escape(one)}" + (r"(?!\w)" if one[-1] != "." else "")
    for one in sorted((one for one in ABBREVIATIONS if one not in _PLACES), key=len, reverse=True)
)
_RANKS = (
    r"(?:thế kỷ|thế kỉ|quý|đại hội|lần thứ|lần|thứ|khóa|khoá|kỳ họp|kỳ|tập|phần|chương|mục|hạng|loại|cấp|khu vực|vùng"
    r"|học kỳ|bậc|nhóm|phụ lục|giai đoạn|đợt|điều|trung ương|hội nghị|diện)"
)
_PHONE_WORDS = (
    r"(?:điện thoại|sđt|đt|số máy|hotline|đường dây nóng|tổng đài|zalo|liên hệ|fax|số tài khoản|tài khoản"
    r"|mã số thuế|mã số|cccd|căn cước công dân|số thẻ)"
)

_RULES: tuple[tuple[re.Pattern[str], _Rule], ...] = tuple(
    (re.compile(pattern, flags), rule)
    for pattern, flags, rule in (
        # A dash, a plus or a point at the head of a line is a mark of a list, unless a temperature follows.
        (rf"^(?P<t>\s*(?:[-–—•+*▪●◦✓]+\s+)+|[-–+*](?=[^\s\d\-–]))(?!{_NUM}\s*°)", re.MULTILINE, _bullet),
        (r"(?<!\w)(?:COVID|Covid)-19(?!\d)", 0, _short),
        (r"(?<!\w)T([2-7])(?=[\s,]+\d)", 0, _weekday),
        (r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", 0, _address),
        (r"(?:https?://|(?<!\w)www\.)[^\s<>\0]+", re.IGNORECASE, _address),
        (
            r"(?<![\w@.])[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}\.(?:vn|com|org|net|edu|info)(?![\w.])(?:/[^\s<>\0]*)?",
            0,
            _address,
        ),
        (
            rf"(?<![\w/.,])(?P<number>\d{{1,6}})(?P<letter>[A-Za-z]?)(?:/(?P<year>{_Y}))?/"
            r"(?P<code>[A-ZĐ][A-Za-zĐđ&]*\d{0,2}(?:[-–/.](?=[A-ZĐ])[\w&]+)*)(?!\w)",
            0,
            _document,
        ),
        (
            r"(?<![\w/.,])(?P<number>\d{1,6})(?P<letter>)(?P<year>)-(?P<code>[A-ZĐ]{2,3}/[A-ZĐ][A-Za-zĐđ]*)(?!\w)",
            0,
            _document,
        ),
        (rf"{_PHONE_WORDS}[^\d\n\0]{{0,30}}?(?P<t>\+?\d[\d .\-]{{0,18}}\d)(?!\w|[.,]\d)", re.IGNORECASE, _phone),
        (r"(?i:gọi)(?:\s+(?i:số))?\s+(?P<t>11[1-5]|1022|1[89]00[ .]?\d{4,6})(?!\w)", 0, _phone),
        (r"(?<![\w.,+])(?P<t>\+84[ .\-]?\d(?:[ .\-]?\d){7,10})(?!\w)", 0, _phone),
        (r"(?<![\w.,])(?P<t>0\d{2,4}(?:[ .\-]\d{2,4}){2,3}|0\d{8,11})(?!\w|[.,]\d)", 0, _phone),
        (r"(?<![\w.,])(?P<t>1[89]00[ .]?\d{4,6})(?!\w|[.,]\d)", 0, _phone),
        (
            rf"(?<![\w.,])(?P<a>{_NEG})(?:{_DASH}(?P<b>{_NUM}))?\s*(?P<size>nghìn|ngàn|triệu|tỷ|tỉ|tr|k)?\s*"
            r"(?:đ|đồng|VNĐ|VND|vnđ|vnd|₫)(?![\w])(?:/(?P<per>kg|m2|m3|ha|km|lít|người|hộ|tháng|năm|ngày|lần|suất|buổi"
            r"|giờ|lượt|tấn|tạ|con|sào|bài|tin)(?!\w))?",
            0,
            _money,
        ),
        (rf"(?<![\w.,])(?P<a>{_NUM})k(?!\w)", 0, _thousands),
        (
            rf"{_FREE}(?P<d1>{_D})/(?P<m1>{_M})(?:/(?P<y1>{_Y}))?{_DASH}(?P<d2>{_D})/(?P<m2>{_M})(?:/(?P<y2>{_Y}))?{_STOP}",
            0,
            _date_span,
        ),
        (rf"{_FREE}(?P<d1>{_D}){_DASH}(?P<d2>{_D})/(?P<m>{_M})(?:/(?P<y>{_Y}))?{_STOP}", 0, _day_span),
        (rf"{_FREE}(?P<d>{_D})(?P<sep>[/.\-])(?P<m>{_M})(?P=sep)(?P<y>{_Y}){_STOP}", 0, _date),
        (rf"{_FREE}(?P<y>{_Y})-(?P<m>0[1-9]|1[0-2])-(?P<d>0[1-9]|[12]\d|3[01]){_STOP}", 0, _date_iso),
        (rf"(?<![\w/])(?i:quý)\s+(?P<q>I{{1,3}}|IV)/(?P<y>{_Y}){_STOP}", 0, _quarter_year),
        (rf"{_FREE}(?P<m>{_M})/(?P<y>{_Y}){_STOP}", 0, _month_year),
        (rf"{_FREE}(?P<a>{_Y}){_DASH}(?P<b>{_Y}){_STOP}", 0, _years),
        (rf"{_FREE}(?P<d>{_D})/(?P<m>{_M}){_STOP}(?!\s*%)", 0, _day_month),
        (
            rf"{_FREE}(?P<h1>\d{{1,2}})(?:[hg](?P<mi1>\d{{2}})?)?{_DASH}(?P<h2>\d{{1,2}})\s?[hg](?P<mi2>\d{{2}})?{_STOP}",
            0,
            _time_span,
        ),
        (
            rf"{_FREE}(?P<h1>\d{{1,2}}):(?P<mi1>\d{{2}}){_DASH}(?P<h2>\d{{1,2}}):(?P<mi2>\d{{2}}){_STOP}",
            0,
            _time_span,
        ),
        (rf"{_FREE}(?P<h>\d{{1,2}})\s?[hg](?:\s?(?P<mi>\d{{2}})(?:\s?(?:phút|ph|p|'))?)?{_STOP}", 0, _time),
        (rf"{_FREE}(?P<h>\d{{1,2}})\s+giờ\s+(?P<mi>\d{{2}})(?:\s+phút)?{_STOP}", 0, _time),
        (rf"{_FREE}(?P<h>\d{{1,2}}):(?P<mi>\d{{2}})(?::(?P<s>\d{{2}}))?(?![\w:/]|[.,]\d)", 0, _time),
        (rf"(?<![\w.,:])(?P<a>{_NUM}):(?P<b>{_NUM})(?![\w:])", 0, _ratio),
        (r"(?<=\d)\s*[x×]\s*(?=\d)", 0, lambda _match, _text, _habit: _Said(said="nhân")),
        (
            rf"(?<![\w.,])(?P<a>{_NEG})(?:\s*%?{_DASH}(?P<b>{_NUM}))?\s*(?P<unit>{_UNIT})(?!\w)",
            0,
            _measured,
        ),
        (rf"(?<!\w)(?i:{_RANKS})(?:\s+(?i:thứ))?\s+(?P<t>[IVX][IVXLC]*)(?!\w)", 0, _roman),
        (r"^\s*(?P<t>I|V|[IVX]{2,})(?=[.)])", re.MULTILINE, _roman),
        (r"(?<!\w)(?P<t>[IVX]{2,})(?!\w)", 0, _lone_roman),
        (r"(?<!\w)(?i:tháng)\s+(?P<t>\d{1,2})(?![\w/]|[.,]\d)(?!\s*[-–]\s*\d)", 0, _named_month),
        (r"(?<!\w)(?i:thứ)\s+(?P<t>\d{1,2})(?![\w/]|[.,]\d)", 0, _ranked),
        (rf"(?<![\w.,/])(?P<a>{_NUM})/(?P<b>{_NUM})(?![\w/])", 0, _fraction),
        (rf"(?<![\w.,])(?P<a>{_NEG}){_DASH}(?P<b>{_NUM})(?!\w)", 0, _range),
        (_NEG, 0, _number),
        (
            r"(?<!\w)(?:" + "|".join(re.escape(one) for one in _PLACES) + r")(?!HCM)(?=\s*(?:[A-ZĐÀ-Ỹ]|\0))",
            0,
            _place,
        ),
        (_SHORT, 0, _short),
        (r"(?<!\w)[^\W\d_]+(?!\w)", 0, _capitals),
        (r"/+", 0, _slash),
        (r"_", 0, lambda _match, _text, _habit: _Said(said=" ")),
        (r"[^\w\s\0]", 0, _sign),
    )
)
