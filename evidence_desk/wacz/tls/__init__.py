"""Decryption of recorded TLS connections with the browser's own secrets. Pure: bytes in, bytes and facts out."""

from evidence_desk.wacz.tls.decoder import TlsDecoder, looks_like_tls
from evidence_desk.wacz.tls.facts import Plain, TlsFacts
from evidence_desk.wacz.tls.keylog import KeyLog, select_lines
from evidence_desk.wacz.tls.links import first_sessions
from evidence_desk.wacz.tls.signatures import HandshakeSignature, Validity

__all__ = [
    "HandshakeSignature", "KeyLog", "Plain", "TlsDecoder", "TlsFacts", "Validity", "first_sessions", "looks_like_tls", "select_lines",
]  # fmt: skip
