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
    "malformed.keylog": "TLS 会话密钥日志第 {line} 行的格式不正确，或与前文矛盾。",
    "malformed.keylog.advice": "请使用取证时浏览器写出的原始密钥日志，不要用编辑器改动后另存。",
    "tls.record.malformed": "该连接中有不合 TLS 规范的数据记录，此方向自该处起未予解密。",
    "tls.record.forged": "该连接中有一条加密记录未通过校验：数据或密钥不对，此方向自该处起未予采信。",
    "tls.record.unexpected": "该连接中有一条数据记录出现在不该出现的位置，此方向自该处起未予解密。",
    "tls.record.cut": "连接在一条加密记录中途断开，最后这条不完整的记录无法解密。",
    "tls.message.malformed": "TLS 握手消息的格式不正确，此方向自该处起未予解密。",
    "tls.message.unexpected": "TLS 握手消息的次序不合规范，此方向自该处起未予解密。",
    "tls.message.too_large": "TLS 握手消息超过长度上限，此方向自该处起未予解密。",
    "tls.message.straddles": "TLS 握手消息跨越了更换密钥的位置，此方向自该处起未予解密。",
    "tls.secret.missing": "密钥日志中没有该连接的会话密钥，加密内容无法解密，仍按原样保存。",
    "tls.suite.unsupported": "该连接使用了本程序不支持的密码套件，加密内容无法解密，仍按原样保存。",
    "tls.version.unsupported": "该连接使用了本程序不支持的 TLS 版本，加密内容无法解密，仍按原样保存。",
    "tls.hello.mismatch": "服务器的握手答复与浏览器的提议不符，未予解密。",
    "tls.finished.wrong": "TLS 握手的结束校验值不符：所录的握手数据与双方实际使用的不一致。",
    "tls.signature.wrong": "服务器对本次握手的签名与其出示的证书不符。",
    "tls.certificate.compression": "服务器证书的压缩数据无法正常解开，证书未能读取。",
    "tls.renegotiation": "该连接中途重新协商了密钥，此后的内容未予解密。",
    "tls.alert.unprotected": "该连接中有一条未加密的告警，无法确认由谁发出。",
    "tls.data.after_end": "一方宣告结束之后仍有数据，这部分数据未予采信。",
    "tls.early_data.too_long": "浏览器在服务器答复之前发送的数据超过上限，此方向未予解密。",
    "tls.held": "浏览器发出的数据没有等到服务器的握手答复，无法解密。",
    "tls.handshake.incomplete": "TLS 握手没有完成，该连接没有可读的内容。",
}
