"""Sentences of the area environment, zh."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {}
