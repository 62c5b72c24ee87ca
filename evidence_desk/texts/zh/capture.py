"""Sentences of the area capture, zh."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.capture_started": "取证开始记录的格式不正确。",
    "malformed.capture_started.advice": "请使用完整的取证文件；如果来自证据包，请重新核验证据包。",
    "malformed.capture_mark": "取证进度记录的格式不正确。",
    "malformed.capture_mark.advice": "请使用完整的取证文件；如果来自证据包，请重新核验证据包。",
    "malformed.capture_manifest": "取证清单的格式不正确（{reason}）。",
    "malformed.capture_manifest.advice": "请使用完整的取证文件；如果来自证据包，请重新核验证据包。",
    "capture.unknown": "没有这样一次正在进行的取证：{number}。",
    "capture.unknown.advice": "请刷新后再试；可能已被封存或放弃。",
    "malformed.stream": "这份记录的数据流格式不正确。",
    "malformed.stream.advice": "请使用完整的取证文件；如果来自证据包，请重新核验证据包。",
    "malformed.connections": "连接索引格式不正确（{reason}）。",
    "malformed.connections.advice": "请使用完整的取证文件；如果来自证据包，请重新核验证据包。",
    "bug.chunk": "程序内部错误：数据块大小 {size} 不合要求。",
    "bug.chunk.advice": "请保存诊断信息并联系技术支持。",
    "capture.address": "“{address}”不是可以访问的网址。",
    "capture.address.advice": "请输入完整网址，例如 https://www.example.com/；网址中不要带用户名和密码。",
    "malformed.capture_plan": "取证计划格式不正确（{reason}）。",
    "malformed.capture_plan.advice": "请检查网址、时限、窗口大小等设置后重试；如果来自证据包，请重新核验证据包。",
    "malformed.extra_ca": "附加的根证书文件无法识别。",
    "malformed.extra_ca.advice": "请使用 PEM 或 DER 格式的 X.509 证书文件。",
    "malformed.capture_message": "取证浏览器发来的消息格式不正确（{kind}）。",
    "malformed.capture_message.advice": "请重新进行网页取证；若反复出现，请保存诊断信息并联系技术支持。",
    "bug.workspace_name": "程序内部错误：“{name}”不能用作取证文件名。",
    "bug.workspace_name.advice": "请保存诊断信息并联系技术支持。",
    "bug.workspace_exists": "程序内部错误：取证文件“{name}”已经存在。",
    "bug.workspace_exists.advice": "请保存诊断信息并联系技术支持。",
    "capture.no_file": "这份取证记录中没有文件“{name}”。",
    "capture.no_file.advice": "请确认选择的是完整的取证文件夹或取证包。",
}
