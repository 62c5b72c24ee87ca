"""Sentences of the area capture, zh."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.stream": "这份记录的数据流格式不正确。",
    "malformed.stream.advice": "请使用完整的取证文件；如果来自证据包，请重新核验证据包。",
    "malformed.connections": "连接索引格式不正确（{reason}）。",
    "malformed.connections.advice": "请使用完整的取证文件；如果来自证据包，请重新核验证据包。",
    "bug.chunk": "程序内部错误：数据块大小 {size} 不合要求。",
    "bug.chunk.advice": "请保存诊断信息并联系技术支持。",
}
