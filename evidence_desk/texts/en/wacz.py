"""Sentences of the area wacz, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.wacz": "The web archive (WACZ) is not built as the rules say ({reason}: {name}) and was not relied on. A canonical archive has no byte that is free to change.",
    "malformed.wacz.advice": "Ask for the original archive again; do not save it anew with a packing program, and neither add nor remove files.",
    "malformed.warc": "A WARC record in the web archive is not built as the rules say ({reason}); it may be damaged or altered.",
    "malformed.warc.advice": "Ask for the original archive again and verify it.",
    "malformed.cdx": "The index of the web archive is not built as the rules say ({reason}), or does not agree with the records.",
    "malformed.cdx.advice": "Ask for the original archive again and verify it.",
    "malformed.keylog": "Line {line} of the TLS key log is not well-formed, or contradicts an earlier one.",
    "malformed.keylog.advice": "Use the key log as the browser wrote it during the capture; do not edit and save it again.",
    "tls.record.malformed": "A record of this connection breaks the TLS specification; this direction was not decrypted from there on.",
    "tls.record.forged": "An encrypted record of this connection does not check: data or key are wrong; nothing of this direction is relied on from there on.",
    "tls.record.unexpected": "A record of this connection stands where none may stand; this direction was not decrypted from there on.",
    "tls.record.cut": "The connection broke off inside an encrypted record; that last, incomplete record cannot be decrypted.",
    "tls.message.malformed": "A TLS handshake message is not well-formed; this direction was not decrypted from there on.",
    "tls.message.unexpected": "TLS handshake messages came in an order that the specification does not allow; this direction was not decrypted from there on.",
    "tls.message.too_large": "A TLS handshake message is over the limit; this direction was not decrypted from there on.",
    "tls.message.straddles": "A TLS handshake message runs across a change of keys; this direction was not decrypted from there on.",
    "tls.secret.missing": "The key log has no secret for this connection; its content stays encrypted, and is kept as it is.",
    "tls.suite.unsupported": "This connection uses a cipher suite that the program does not support; its content stays encrypted, and is kept as it is.",
    "tls.version.unsupported": "This connection uses a version of TLS that the program does not support; its content stays encrypted, and is kept as it is.",
    "tls.hello.mismatch": "The server's handshake answer does not fit what the browser offered; nothing was decrypted.",
    "tls.finished.wrong": "The closing check of the TLS handshake fails: the recorded handshake is not the one the two sides used.",
    "tls.signature.wrong": "The server's signature over this handshake does not fit the certificate that it showed.",
    "tls.certificate.compression": "The compressed certificate of the server cannot be opened; the certificate was not read.",
    "tls.renegotiation": "This connection negotiated new keys on its way; what came after was not decrypted.",
    "tls.alert.unprotected": "An alert of this connection is not encrypted; who sent it cannot be told.",
    "tls.data.after_end": "Data came after a side had said that it was done; they are not relied on.",
    "tls.early_data.too_long": "The browser sent more data before the server's answer than the limit; this direction was not decrypted.",
    "tls.held": "Data sent by the browser never saw a handshake answer of the server, and cannot be decrypted.",
    "tls.handshake.incomplete": "The TLS handshake was not finished; this connection has no readable content.",
}
