"""Sentences of the area certificate, zh."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "certificate.seal.signer": "签署人：{name}",
    "certificate.seal.time": "签署时间：{time}（北京时间）",
    "certificate.seal.demo": "演示/非第三方",
}
