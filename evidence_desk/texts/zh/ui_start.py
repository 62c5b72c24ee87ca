"""Sentences of the area ui_start, zh."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "ui_start.unlock": "打开存证库",
    "ui_start.passphrase": "存证库口令",
    "ui_start.unlock.do": "打开",
}
