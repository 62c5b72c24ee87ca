"""Sentences of the area environment, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {}
