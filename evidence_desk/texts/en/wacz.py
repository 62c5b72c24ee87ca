"""Sentences of the area wacz, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.wacz": "The web archive (WACZ) is not built as the rules say ({reason}: {name}) and was not relied on. A canonical archive has no byte that is free to change.",
    "malformed.wacz.advice": "Ask for the original archive again; do not save it anew with a packing program, and neither add nor remove files.",
    "malformed.warc": "A WARC record in the web archive is not built as the rules say ({reason}); it may be damaged or altered.",
    "malformed.warc.advice": "Ask for the original archive again and verify it.",
    "malformed.cdx": "The index of the web archive is not built as the rules say ({reason}), or does not agree with the records.",
    "malformed.cdx.advice": "Ask for the original archive again and verify it.",
}
