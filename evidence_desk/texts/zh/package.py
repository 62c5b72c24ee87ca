"""Sentences of the area package, zh."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.package": "证据包的结构不符合规范（{reason}：{name}），未予读取。规范的证据包没有任何可自由改动的字节。",
    "malformed.package.advice": "请向提交人重新索取证据包原件；不要用压缩软件打开后另存，也不要增删其中的文件。",
    "malformed.index": "证据包的清单（index.json 或其签名 index.note）格式不正确（{reason}）。",
    "malformed.index.advice": "请向提交人重新索取证据包原件；清单只能由生成证据包的程序写入。",
    "package.source_changed": "写入证据包时，文件 {name} 的长度与登记的不一致，证据包未生成。",
    "package.source_changed.advice": "请运行 recheck 核对保存的原件，然后重新导出。",
    "package.too_many": "证据包中的文件超过 {limit} 个的上限，未生成。",
    "package.too_many.advice": "请把材料分成几份证据分别存证和导出。",
    "package.part_too_large": "证据包中的 {name} 超过 {limit} 字节的上限，未生成。",
    "package.part_too_large.advice": "请把材料分成几份证据分别存证和导出。",
    "bug.package": "程序内部错误：无法生成证据包（{reason}）。",
    "bug.package.advice": "请将此信息连同运行日志提交给软件维护人员。",
    "package.entry.crc": "证据包中的 {name} 与容器记录的校验值不符：生成之后被改动过，或者已经损坏。",
    "package.entry.size": "证据包中的 {name} 的长度与清单不符。",
    "package.entry.digest": "证据包中的 {name} 的摘要与清单不符：其内容不是生成证据包时的内容。",
    "package.manifest.digest": "证据包中的 {name} 的摘要与时间证据记录的清单不符：其内容不是记录所覆盖的内容。",
    "package.index.digest": "清单 {name} 的摘要与存证终端签名的摘要不符：清单被改动或替换过。",
}
