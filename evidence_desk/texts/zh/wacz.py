"""Sentences of the area wacz, zh."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.wacz": "网页取证档案（WACZ）的结构不符合规范（{reason}：{name}），未予采信。规范的档案没有任何可自由改动的字节。",
    "malformed.wacz.advice": "请向提交人重新索取档案原件；不要用压缩软件打开后另存，也不要增删其中的文件。",
    "malformed.warc": "网页取证档案中的 WARC 记录不符合规范（{reason}），内容可能损坏或被改动。",
    "malformed.warc.advice": "请向提交人重新索取档案原件，再行核验。",
    "malformed.cdx": "网页取证档案的索引不符合规范（{reason}），或与所存记录不一致。",
    "malformed.cdx.advice": "请向提交人重新索取档案原件，再行核验。",
}
