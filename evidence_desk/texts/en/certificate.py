"""Sentences of the area certificate, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "certificate.seal.signer": "Signed by: {name}",
    "certificate.seal.time": "Signed at: {time} (Beijing time, UTC+8)",
    "certificate.seal.demo": "DEMO / not a third party",
}
