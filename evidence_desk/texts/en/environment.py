"""Sentences of the area environment, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.environment": "The data of the cleanliness report are not in its format ({reason}).",
    "malformed.environment.advice": "Use the original report file made during the capture.",
    "stage.environment": "Cleanliness check",
}
