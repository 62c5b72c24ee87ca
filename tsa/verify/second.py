"""The second decoder: rfc3161ng reads the same TSTInfo, and both must have read the same facts.

Used as a decoder only. As a verifier rfc3161ng accepts a self-signed stranger and ignores policy, key usage and status.
"""

from __future__ import annotations

from typing import Final, cast

from pyasn1.codec.der import decoder
from pyasn1.error import PyAsn1Error

from evidence_desk.core.verdict import Finding
from tsa.asn1_types import TSTInfo
from tsa.response import TstInfo
from tsa.verify.outcome import failed, passed

CHECK: Final = "token.second_decoder"
_SPEC: Final = TSTInfo()


def compare(info: TstInfo) -> Finding:
    """Decode with rfc3161ng and compare imprint, serial, genTime, policy and nonce."""
    # Its GeneralName knows three of nine forms, so a token with another tsa form is read without that field.
    other = _decode(info.encoded)
    if other is None and info.plain != info.encoded:
        other = _decode(info.plain)
    if other is None:
        return failed(CHECK, "unreadable")
    ours = (info.hash_oid, info.imprint, info.serial, info.gen_time_text, info.policy, info.nonce)
    names = ("hash_algorithm", "imprint", "serial", "gen_time", "policy", "nonce")
    for name, left, right in zip(names, ours, other, strict=True):
        if left != right:
            return failed(CHECK, "differs", field=name)
    return passed(CHECK)


def _decode(encoded: bytes) -> tuple[str, bytes, int, str, str, int | None] | None:
    try:
        value, rest = decoder.decode(encoded, asn1Spec=_SPEC)
        if rest:
            return None
        imprint, nonce = value["messageImprint"], value["nonce"]
        return (
            str(imprint["hashAlgorithm"]["algorithm"]),
            bytes(imprint["hashedMessage"]),
            int(value["serialNumber"]),
            str(value["genTime"]),
            str(value["policy"]),
            int(cast("int", nonce)) if nonce.hasValue() else None,
        )
    except (PyAsn1Error, ValueError, TypeError, AttributeError, LookupError, RecursionError):
        return None
