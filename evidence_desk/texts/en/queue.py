"""Sentences of the area queue, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "seal.duplicate": "“{path}” has exactly the files of exhibit {number} of this case; it was not sealed again.",
}
