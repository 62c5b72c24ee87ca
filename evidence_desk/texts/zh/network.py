"""Sentences of the area network, zh: joining the court network, anchoring, look-up through gateways."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    # Gateways.
    "gateway.url": "网关地址“{url}”不可用。",
    "gateway.url.advice": "请给出 http:// 或 https:// 开头的地址，不含路径、参数和口令，例如 https://gateway.court.example。",
    "gateway.silent": "网关 {gateway} 没有在时限内答复。",
    "gateway.silent.advice": "请检查网络，或稍后重试；已存证的内容不受影响，待发内容会继续等待。",
    "gateway.unreachable": "无法连接网关 {gateway}。",
    "gateway.unreachable.advice": "请检查地址与网络，或改用另一个网关；已存证的内容不受影响，待发内容会继续等待。",
    "gateway.busy": "网关 {gateway} 暂时不能受理（状态 {status}）。",
    "gateway.busy.advice": "请稍后重试；待发内容会继续等待。",
    "gateway.not_found": "网关 {gateway} 没有所查询的内容。",
    "gateway.not_found.advice": "请核对查询的内容，或稍后重试。",
    "gateway.too_large": "网关 {gateway} 的答复超过 {limit} 字节，未予接收。",
    "gateway.too_large.advice": "请改用另一个网关，并告知该网关的运营单位。",
    "gateway.malformed": "网关 {gateway} 的答复不符合规范（{reason}），未予采信。",
    "gateway.malformed.advice": "请改用另一个网关，并告知该网关的运营单位。",
    "gateway.refused": "网关 {gateway} 没有受理（状态 {status}，{reason}）。",
    "gateway.refused.advice": "请核对请求内容与程序版本，或改用另一个网关。",
}
