"""Sentences of the area wacz, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {}
