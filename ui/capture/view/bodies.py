"""A body as it can be looked at: text, hexadecimal digits, a picture. Never as a page: nothing in it is run or fetched."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

MAX_TEXT: Final = 2 << 20
MAX_HEX: Final = 64 << 10
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_PICTURE: Final = re.compile(r"image/(?:png|jpe?g|gif|webp|bmp|x-ms-bmp)\b", re.IGNORECASE)
_TEXT: Final = re.compile(
    r"text/|[^;]*(?:javascript|ecmascript|json|xml|x-www-form-urlencoded)", re.IGNORECASE
)
_WIDTH: Final = 16
_SAFE: Final = frozenset({"utf-8", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk", "gb2312", "big5", "big5hkscs", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949", "latin-1", "iso-8859-1", "cp1251", "cp1252", "koi8_r", "ascii"})  # fmt: skip
_LABELS: Final = {"utf8": "utf-8", "gb2312": "gb18030", "gbk": "gb18030", "us-ascii": "ascii", "windows-1252": "cp1252", "windows-1251": "cp1251", "euc-jp": "euc_jp", "euc-kr": "euc_kr", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be"}  # fmt: skip


class Form(StrEnum):
    """Ways to look at it."""

    TEXT = "text"
    HEX = "hex"
    PICTURE = "picture"


def usual_form(content_type: str, data: bytes) -> Form:
    """How a body is shown at first."""
    if _PICTURE.match(content_type):
        return Form.PICTURE
    if _TEXT.match(content_type) or (not content_type and b"\x00" not in data[:1024]):
        return Form.TEXT
    return Form.TEXT if not data else Form.HEX


def as_text(data: bytes, content_type: str) -> str:
    """Characters, by the encoding that is named, else UTF-8 or GB 18030, else with replacements."""
    cut = data[:MAX_TEXT]
    named = _CHARSET.search(content_type)
    label = named[1].lower() if named else ""
    codec = _LABELS.get(label, label)
    if codec in _SAFE:
        return cut.decode(codec, "replace")
    for guess in ("utf-8", "gb18030"):
        try:
            return cut.decode(guess)
        except UnicodeDecodeError as error:
            if error.end >= len(cut) - 4 and len(data) > MAX_TEXT:  # a character cut in two
                return cut.decode(guess, "replace")
    return cut.decode("utf-8", "replace")


def as_hex(data: bytes) -> str:
    """Lines of 16 bytes with their offset and printable characters."""
    lines: list[str] = []
    for at in range(0, min(len(data), MAX_HEX), _WIDTH):
        piece = data[at : at + _WIDTH]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        lines.append(f"{at:08x}  {piece.hex(' '):<{3 * _WIDTH - 1}}  {shown}")
    return "\n".join(lines)
