"""TimeStampReq (RFC 3161 §2.4.1): building through rfc3161ng's types, strict reading for the authority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from pyasn1.codec.der import encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ

from evidence_desk.crypto import der
from evidence_desk.crypto.suites import DIGESTS, read_digest
from evidence_desk.errors import BugError, MalformedError
from tsa.asn1_types import AlgorithmIdentifier, TimeStampReq

REQUEST_LIMIT: Final = 8 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampRequest:
    """What a request asks for.

    Attributes:
        hash_oid: digest algorithm, possibly one we do not know; `imprint` the digest.
        nonce: None when absent.
        cert_req: whether the token shall carry the signer's certificate.
        policy: wanted policy OID.
        extensions: OIDs of requested extensions; an authority that knows none must refuse them.
    """

    hash_oid: str
    imprint: bytes
    nonce: int | None = None
    cert_req: bool = True
    policy: str | None = None
    extensions: tuple[str, ...] = ()


def parse_request(encoded: bytes) -> TimestampRequest:
    """Read a DER TimeStampReq.

    Raises:
        MalformedError: ``malformed.tsa.request`` {rule}, ``malformed.too_large``.
    """
    try:
        return _parse(encoded)
    except MalformedError as error:
        if error.code == "malformed.der":
            raise MalformedError("malformed.tsa.request", rule=error.parameters["rule"]) from error
        raise


def _parse(encoded: bytes) -> TimestampRequest:
    whole = der.parse(encoded, what="TimeStampReq", limit=REQUEST_LIMIT)
    der.check(whole)
    fields = der.Fields(whole)
    if der.integer(fields.take(der.INTEGER)) != 1:
        raise MalformedError("malformed.tsa.request", rule="version")
    pair = der.Fields(fields.take(der.SEQUENCE))
    hash_oid, imprint = read_digest(pair.take(der.SEQUENCE)), pair.take(der.OCTET_STRING).content
    pair.done()
    known = DIGESTS.get(hash_oid)
    if known is not None and len(imprint) != known.size:
        raise MalformedError("malformed.tsa.request", rule="imprint")
    policy, nonce = fields.maybe(der.OID), fields.maybe(der.INTEGER)
    cert_req = der.true(fields.maybe(der.BOOLEAN))
    extensions = fields.maybe(0xA0)
    fields.done()
    return TimestampRequest(
        hash_oid=hash_oid,
        imprint=imprint,
        nonce=None if nonce is None else der.integer(nonce),
        cert_req=cert_req,
        policy=None if policy is None else der.oid(policy),
        extensions=()
        if extensions is None
        else tuple(der.oid(der.Fields(item).take()) for item in extensions.children()),
    )


def build_request(
    *, hash_oid: str, imprint: bytes, nonce: int | None, cert_req: bool = True, policy: str | None = None
) -> bytes:
    """DER TimeStampReq over a digest that is already computed.

    rfc3161ng's own builder hashes with SHA-1 when it is given data, so only its types are used here.

    Raises:
        BugError: ``bug.tsa.request`` when the result would not read back as what was asked.
    """
    try:
        encoded = _encode(hash_oid, imprint, nonce, cert_req=cert_req, policy=policy)
    except (PyAsn1Error, KeyError, ValueError) as error:  # its item assignment turns refusals into KeyError
        raise BugError("bug.tsa.request") from error
    wanted = TimestampRequest(
        hash_oid=hash_oid, imprint=imprint, nonce=nonce, cert_req=cert_req, policy=policy
    )
    try:
        same = parse_request(encoded) == wanted
    except MalformedError as error:
        raise BugError("bug.tsa.request") from error
    if not same:
        raise BugError("bug.tsa.request")
    return encoded


def _encode(hash_oid: str, imprint: bytes, nonce: int | None, *, cert_req: bool, policy: str | None) -> bytes:
    algorithm = AlgorithmIdentifier()
    algorithm["algorithm"] = hash_oid
    algorithm["parameters"] = univ.Any(b"\x05\x00")
    request = TimeStampReq()
    request["version"] = 1
    request["messageImprint"]["hashAlgorithm"] = algorithm
    request["messageImprint"]["hashedMessage"] = imprint
    if policy is not None:
        request["reqPolicy"] = policy
    if nonce is not None:
        request["nonce"] = nonce
    request["certReq"] = cert_req
    return cast("bytes", encoder.encode(request))
