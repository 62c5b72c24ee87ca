"""Sentences of the area environment, zh."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.environment": "清洁性检查报告的数据不符合格式（{reason}）。",
    "malformed.environment.advice": "请使用取证时生成的原始报告文件。",
    "stage.environment": "清洁性检查",
}
