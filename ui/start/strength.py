"""How hard a passphrase is to guess: an estimate of our own, after zxcvbn (USENIX Security 2016). No Qt, nothing is kept.

A passphrase is cut into the pieces that take the fewest guesses: common words and names of this office, years and dates,
rows of the keyboard, runs like 1234, repeats; what is left counts ten guesses a character (a hundred for a Chinese one).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

LIMIT: Final = 128
"""Characters looked at; more only makes it stronger."""
_FAIR: Final = 10.0
_STRONG: Final = 14.0
"""log10 of guesses: with Argon2id at its usual cost, years and millennia for a rack of graphics cards."""
_SHORT: Final = 10

_WORDS: Final = """
password passwort admin administrator root user login welcome letmein master monkey dragon football
baseball basketball superman batman sunshine princess shadow michael jordan jennifer hunter killer
trustno charlie thomas robert daniel access hello freedom whatever starwars computer internet secret
summer winter spring autumn monday flower cookie orange banana pepper ginger iloveyou lovely love test
testing temp guest default change changeme office lawyer notary judge court evidence desk vault legal
company system manager server qwerty qwertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm abc abcd abcdef google
apple windows china beijing shanghai woaini woaiwojia woaizhongguo mima denglu nihao zhongguo wangyi
tencent weixin taobao zhang wang liu chen yang huang zhao zhou xiao ming jiayou gongsi lvshi fayuan
faguan zhengju cunzheng 5201314 520 1314 521 888 666 168 8888 6666 147258 147258369 159753 123321 112233
123qwe qwe123 a123456 aa123456
密码 口令 我爱你 管理员 律师 法院 证据 存证 中国 北京 上海 公司 你好 测试
"""
_COMMON: Final = tuple(_WORDS.split())
_KEYS: Final = "1234567890 qwertyuiop asdfghjkl zxcvbnm 1qaz2wsx3edc4rfv5tgb6yhn qazwsxedcrfvtgb !@#$%^&*()"
_ROWS: Final = tuple(_KEYS.split())
_LEET: Final = str.maketrans(
    {"@": "a", "4": "a", "3": "e", "1": "i", "!": "i", "0": "o", "$": "s", "5": "s", "7": "t"}
)
_DATES: Final = re.compile(r"(?:19|20)\d\d(?:[-/.]?(?:0[1-9]|1[0-2])(?:[-/.]?(?:0[1-9]|[12]\d|3[01]))?)?")
_REPEAT: Final = re.compile(r"(.{2,16}?)\1+|(.)\2{2,}")


class Strength(StrEnum):
    """What the meter says."""

    WEAK = "weak"
    FAIR = "fair"
    STRONG = "strong"


class Advice(StrEnum):
    """What would make it better; the sentence is ``ui_start.strength.advice.VALUE``."""

    LONGER = "longer"
    WORDS = "words"
    DATES = "dates"
    RUNS = "runs"
    REPEATS = "repeats"
    OWN = "own"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """`digits`: log10 of the guesses needed."""

    digits: float
    strength: Strength
    advice: Advice


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    stop: int
    digits: float
    advice: Advice


def estimate(passphrase: str, own: Iterable[str] = ()) -> Estimate:
    """Judge a passphrase; `own` are words that whoever knows the office would try."""
    text = unicodedata.normalize("NFKC", passphrase)[:LIMIT]
    digits, pieces = _cheapest(text, list(_pieces(text, own)))
    strength = Strength.WEAK if digits < _FAIR else Strength.FAIR if digits < _STRONG else Strength.STRONG
    return Estimate(digits=digits, strength=strength, advice=_advice(text, strength, pieces))


def _advice(text: str, strength: Strength, pieces: list[_Piece]) -> Advice:
    if strength is Strength.STRONG:
        return Advice.NONE
    if pieces:
        return max(pieces, key=lambda piece: piece.stop - piece.start).advice
    return Advice.LONGER if len(text) < 2 * _SHORT else Advice.NONE


def _cheapest(text: str, pieces: list[_Piece]) -> tuple[float, list[_Piece]]:
    """Fewest guesses over all ways to cut `text`, and the pieces of that way."""
    best: list[tuple[float, list[_Piece]]] = [(0.0, [])]
    for stop in range(1, len(text) + 1):
        before, used = best[stop - 1]
        choices = [(before + _alone(text[stop - 1]), used)]
        for piece in pieces:
            if piece.stop == stop:
                before, used = best[piece.start]
                choices.append((before + piece.digits, [*used, piece]))
        best.append(min(choices, key=lambda choice: choice[0]))
    return best[-1]


def _alone(character: str) -> float:
    return 2.0 if ord(character) > 0x2E7F else 1.0


def _pieces(text: str, own: Iterable[str]) -> Iterator[_Piece]:
    lower = text.lower()
    yield from _words(lower, text, own)
    for match in _DATES.finditer(text):
        yield _Piece(match.start(), match.end(), 2.0 if len(match[0]) <= 4 else 4.5, Advice.DATES)
    for match in _REPEAT.finditer(lower):
        unit = match[1] or match[2]
        digits = estimate(unit).digits + math.log10(len(match[0]) / len(unit) + 1)
        yield _Piece(match.start(), match.end(), digits, Advice.REPEATS)
    for start, stop in _runs(lower):
        yield _Piece(start, stop, 1.5 + math.log10(stop - start), Advice.RUNS)


def _words(lower: str, text: str, own: Iterable[str]) -> Iterator[_Piece]:
    ours = [part.lower() for word in own for part in re.split(r"[\s\-_.]+", word) if len(part) > 1]
    plain = lower.translate(_LEET)
    for words, digits, advice in ((ours, 1.0, Advice.OWN), (_COMMON, 2.5, Advice.WORDS)):
        for word in words:
            for shape in {lower, plain, lower[::-1]}:
                at = shape.find(word)
                while at >= 0:
                    start = len(lower) - at - len(word) if shape == lower[::-1] != lower else at
                    stop = start + len(word)
                    changed = 0.0 if text[start:stop] == word else 0.7
                    yield _Piece(start, stop, digits + changed, advice)
                    at = shape.find(word, at + 1)


def _runs(lower: str) -> Iterator[tuple[int, int]]:
    """Stretches of three and more that go on as on a keyboard or in the alphabet, either way."""
    start = 0
    for at in range(1, len(lower) + 1):
        if at == len(lower) or not _follows(lower[start : at + 1]):
            if at - start >= 3:
                yield start, at
            start = at if at - start < 2 or at == len(lower) else at - 1


def _follows(part: str) -> bool:
    if any(part in row or part in row[::-1] for row in _ROWS):
        return True
    steps = {ord(second) - ord(first) for first, second in pairwise(part)}
    return len(steps) == 1 and abs(next(iter(steps))) == 1
