"""Sentences of the area restore, zh: envelopes, copies of the keybag, restore from the network, erasure of cases."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.envelope": "加密信封的格式不正确（{reason}）。",
    "malformed.envelope.advice": "数据可能已损坏、被改动，或由更新版本的程序生成；请改用另一个网关重新取得，或更新程序后再试。",
    "malformed.keybag_request": "密钥包请求的格式不正确（{reason}）。",
    "malformed.keybag_request.advice": "请核对程序版本；由存证终端重新发起请求。",
    "keybag_request.other": "密钥包请求的签名针对的是另一项操作、另一个网络或另一份内容。",
    "keybag_request.other.advice": "请由存证终端重新发起请求。",
    "keybag_request.time": "密钥包请求的时间与网关的时钟相差超过五分钟。",
    "keybag_request.time.advice": "请核对本机时钟后重试。",
    "keybag_request.replayed": "密钥包请求不比网关已处理的上一次更新晚，未予处理。",
    "keybag_request.replayed.advice": "请由存证终端重新发起请求；如反复出现，请核对本机时钟。",
    "keybag_request.key": "发起密钥包请求的密钥，既不是该终端已登记的密钥，也不是预先登记的下一个密钥。",
    "keybag_request.key.advice": "请核对恢复密钥是否属于该存证终端。",
    "keybag_request.signature": "密钥包请求的签名不正确。",
    "keybag_request.signature.advice": "请由存证终端重新发起请求。",
}
