"""Sentences of the area queue, zh."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "seal.duplicate": "“{path}”与本案证据 {number} 的文件完全相同，未重复存证。",
}
