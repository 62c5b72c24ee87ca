"""Sentences of the command that shows a case's age identity, zh."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "identity.warning": "注意：取得以下密钥和 objects 文件夹的任何人，都能解密本案的全部原件；密钥一经显示，不能收回。"
    "显示行为记入保管记录。",
    "identity.ask": "是否显示？",
    "identity.unconfirmed": "没有确认，未显示密钥。",
    "identity.unconfirmed.advice": "在终端窗口中执行并确认，或者加上 --yes。",
    "custody.identity_shown": "显示案件解密密钥",
    "certificate.action.identity_shown": "显示案件解密密钥",
}
