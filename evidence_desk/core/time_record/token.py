"""The parts of an RFC 3161 token that the time record touches. Must not judge signatures (``tsa.verify`` does)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from evidence_desk.crypto import der, oids
from evidence_desk.errors import MalformedError

MAX_TOKEN_SIZE: Final = 16 * 1024 * 1024
"""Bytes; the revocation lists inside run to megabytes with some authorities."""

_UNITS: Final = {0x02: "seconds", 0x80: "milliseconds", 0x81: "microseconds"}
_CRLS: Final = 0xA1


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenImprint:
    """What a token says it covers, unverified.

    Attributes:
        oid: hash algorithm of messageImprint, dotted.
        value: hashedMessage.
        gen_time: genTime (UTC).
        latest: genTime plus the stated accuracy: the bytes existed by then.
    """

    oid: str
    value: bytes
    gen_time: datetime
    latest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    """A token cut at SignedData.crls: content type and fields before, the members of crls, fields after."""

    content_type: bytes
    before: bytes
    crls: tuple[bytes, ...]
    after: bytes


def token_imprint(token: bytes) -> TokenImprint:
    """Read messageImprint, genTime and accuracy of a token (RFC 3161 §2.4.2).

    Raises:
        MalformedError: ``malformed.der``, ``malformed.too_large`` or ``malformed.time_record`` (with ``where``).
    """
    encapsulated = der.Fields(_signed_data(token)[1][2])
    if der.oid(encapsulated.take()) != oids.TST_INFO:
        raise MalformedError("malformed.time_record", where="timeStamp.eContentType")
    content = der.only(encapsulated.take(0xA0), der.OCTET_STRING).content
    encapsulated.done()
    fields = der.Fields(der.parse(content, what="TSTInfo", limit=MAX_TOKEN_SIZE))
    fields.take(der.INTEGER)
    fields.take(der.OID)
    imprint = der.Fields(fields.take(der.SEQUENCE))
    algorithm = der.Fields(imprint.take(der.SEQUENCE))
    oid = der.oid(algorithm.take())
    value = imprint.take(der.OCTET_STRING).content
    imprint.done()
    fields.take(der.INTEGER)
    gen_time = der.time(fields.take(der.GENERALIZED_TIME))
    accuracy = fields.maybe(der.SEQUENCE)
    try:
        latest = gen_time + (_accuracy(accuracy) if accuracy else timedelta())
    except OverflowError as error:
        raise MalformedError("malformed.time_record", where="TSTInfo.accuracy") from error
    return TokenImprint(oid=oid, value=value, gen_time=gen_time, latest=latest)


def splice_crls(token: bytes, crls: Sequence[bytes]) -> bytes:
    """Add certificate lists to SignedData.crls (RFC 5652 §5.1); every other content byte stays as it is.

    crls is outside the signature. Members already there are kept, duplicates dropped, the set is DER-ordered.

    Raises:
        MalformedError: ``malformed.der``, ``malformed.too_large`` or ``malformed.time_record``.
    """
    for item in crls:
        der.parse(item, what="CRL", limit=MAX_TOKEN_SIZE)
    envelope = _envelope(token)
    new = set(crls) - set(envelope.crls)
    if not new:
        return token
    revocation = der.encode(_CRLS, *sorted((*envelope.crls, *new)))
    signed = der.encode(der.SEQUENCE, envelope.before, revocation, envelope.after)
    return der.encode(der.SEQUENCE, envelope.content_type, der.encode(0xA0, signed))


def token_crls(token: bytes) -> tuple[bytes, ...]:
    """DER members of SignedData.crls, certificate lists and others.

    Raises:
        MalformedError: ``malformed.der``, ``malformed.too_large`` or ``malformed.time_record``.
    """
    return _envelope(token).crls


def token_differs_only_in_crls(record_token: bytes, received: bytes) -> bool:
    """Whether a record's token is the one received, byte for byte, but for SignedData.crls.

    Lengths are minimal in both (strict DER), so comparing the fields around crls compares every other byte.
    False when either is not a DER token.
    """
    try:
        one, other = _envelope(record_token), _envelope(received)
    except MalformedError:
        return False
    return (one.content_type, one.before, one.after) == (other.content_type, other.before, other.after)


def _signed_data(token: bytes) -> tuple[der.Element, list[der.Element]]:
    """(contentType, fields of SignedData)."""
    outer = der.Fields(der.parse(token, what="TimeStampToken", limit=MAX_TOKEN_SIZE))
    content_type = outer.take(der.OID)
    if der.oid(content_type) not in (oids.SIGNED_DATA, oids.SIGNED_DATA_NATIONAL):
        raise MalformedError("malformed.time_record", where="timeStamp.contentType")
    signed = der.only(outer.take(0xA0), der.SEQUENCE)
    outer.done()
    fields = signed.children()
    tags = [item.tag for item in fields]
    certificates = [0xA0] if 0xA0 in tags else []
    crls = [_CRLS] if _CRLS in tags else []
    if tags != [der.INTEGER, der.SET, der.SEQUENCE, *certificates, *crls, der.SET]:
        raise MalformedError("malformed.time_record", where="timeStamp.content")
    return content_type, fields


def _envelope(token: bytes) -> _Envelope:
    content_type, fields = _signed_data(token)
    signers = fields[-1]
    revocation = fields[-2] if fields[-2].tag == _CRLS else None
    split = revocation.start if revocation else signers.start
    return _Envelope(
        content_type=content_type.encoded,
        before=token[fields[0].start : split],
        crls=tuple(item.encoded for item in revocation.children()) if revocation else (),
        after=signers.encoded,
    )


def _accuracy(element: der.Element) -> timedelta:
    """Accuracy ::= SEQUENCE { seconds INTEGER, millis [0], micros [1] }, each optional (RFC 3161 §2.4.2)."""
    fields = der.Fields(element)
    total = timedelta()
    for tag, unit in _UNITS.items():
        item = fields.maybe(tag)
        value = 0 if item is None else der.integer(item, octets=5)
        if value < 0:
            raise MalformedError("malformed.time_record", where="TSTInfo.accuracy")
        total += timedelta(**{unit: value})
    fields.done()
    return total
