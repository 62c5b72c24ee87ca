"""Sentences of the area ui_start, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "ui_start.unlock": "Open the vault",
    "ui_start.passphrase": "Passphrase of the vault",
    "ui_start.unlock.do": "Open",
}
