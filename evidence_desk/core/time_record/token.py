"""The parts of an RFC 3161 token that the time record touches. Must not judge signatures (``tsa.verify`` does)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from evidence_desk.core.time_record import der
from evidence_desk.core.time_record.der import Element, refuse
from evidence_desk.errors import MalformedError

SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
SIGNED_DATA_GM: Final = "1.2.156.10197.6.1.4.2.2"
TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_TIME = re.compile(rb"([0-9]{14})(?:\.([0-9]{0,5}[1-9]))?Z\Z")


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
        MalformedError: ``malformed.time_record`` when `token` is not a DER ContentInfo with a TSTInfo.
    """
    fields = _signed_data(token)[1]
    info = _tst_info(token, fields[2])
    parts = der.members(info, der.whole(info, der.SEQUENCE, "TSTInfo"), "TSTInfo")
    if len(parts) < 5 or parts[0].tag != der.INTEGER or parts[1].tag != der.OBJECT_IDENTIFIER:
        refuse("TSTInfo")
    imprint = parts[2]
    if imprint.tag != der.SEQUENCE or parts[3].tag != der.INTEGER:
        refuse("TSTInfo.messageImprint")
    algorithm, value = _pair(info, imprint, "TSTInfo.messageImprint")
    if algorithm.tag != der.SEQUENCE or value.tag != der.OCTET_STRING:
        refuse("TSTInfo.messageImprint")
    first = der.members(info, algorithm, "TSTInfo.messageImprint")[:1]
    if not first or first[0].tag != der.OBJECT_IDENTIFIER:
        refuse("TSTInfo.messageImprint")
    gen_time = _time(info, parts[4])
    accuracy = _accuracy(info, parts[5]) if len(parts) > 5 and parts[5].tag == der.SEQUENCE else timedelta()
    try:
        latest = gen_time + accuracy
    except OverflowError:
        refuse("TSTInfo.accuracy")
    return TokenImprint(
        oid=der.decode_oid(info[first[0].body : first[0].stop], "TSTInfo.messageImprint"),
        value=info[value.body : value.stop],
        gen_time=gen_time,
        latest=latest,
    )


def splice_crls(token: bytes, crls: Sequence[bytes]) -> bytes:
    """Add certificate lists to SignedData.crls (RFC 5652 §5.1); every other content byte stays as it is.

    crls is outside the signature. Members already there are kept, duplicates dropped, the set is DER-ordered.

    Raises:
        MalformedError: ``malformed.time_record`` when the token or a list is not DER.
    """
    for item in crls:
        der.whole(item, der.SEQUENCE, "crls")
    envelope = _envelope(token)
    new = set(crls) - set(envelope.crls)
    if not new:
        return token
    revocation = der.encode(der.CONTEXT_1, *sorted((*envelope.crls, *new)))
    signed = der.encode(der.SEQUENCE, envelope.before, revocation, envelope.after)
    return der.encode(der.SEQUENCE, envelope.content_type, der.encode(der.CONTEXT_0, signed))


def token_crls(token: bytes) -> tuple[bytes, ...]:
    """DER members of SignedData.crls, certificate lists and others.

    Raises:
        MalformedError: ``malformed.time_record``.
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


def _signed_data(token: bytes) -> tuple[Element, list[Element]]:
    """(contentType, fields of SignedData)."""
    outer = der.whole(token, der.SEQUENCE, "timeStamp")
    content_type, explicit = _pair(token, outer, "timeStamp")
    if content_type.tag != der.OBJECT_IDENTIFIER or explicit.tag != der.CONTEXT_0:
        refuse("timeStamp.contentType")
    oid = der.decode_oid(token[content_type.body : content_type.stop], "timeStamp.contentType")
    if oid not in (SIGNED_DATA, SIGNED_DATA_GM):
        refuse("timeStamp.contentType")
    inner = der.members(token, explicit, "timeStamp.content")
    if len(inner) != 1 or inner[0].tag != der.SEQUENCE:
        refuse("timeStamp.content")
    fields = der.members(token, inner[0], "SignedData")
    tags = [item.tag for item in fields]
    optional = tags[3:-1]
    head = [der.INTEGER, der.SET, der.SEQUENCE]
    if tags[:3] != head or len(tags) < 4 or tags[-1] != der.SET:
        refuse("SignedData")
    if optional not in ([], [der.CONTEXT_0], [der.CONTEXT_1], [der.CONTEXT_0, der.CONTEXT_1]):
        refuse("SignedData")
    return content_type, fields


def _envelope(token: bytes) -> _Envelope:
    content_type, fields = _signed_data(token)
    signers = fields[-1]
    revocation = fields[-2] if fields[-2].tag == der.CONTEXT_1 else None
    split = revocation.start if revocation else signers.start
    members = der.members(token, revocation, "SignedData.crls") if revocation else []
    return _Envelope(
        content_type=token[content_type.start : content_type.stop],
        before=token[fields[0].start : split],
        crls=tuple(token[item.start : item.stop] for item in members),
        after=token[signers.start : signers.stop],
    )


def _tst_info(token: bytes, encapsulated: Element) -> bytes:
    content_type, explicit = _pair(token, encapsulated, "encapContentInfo")
    if content_type.tag != der.OBJECT_IDENTIFIER or explicit.tag != der.CONTEXT_0:
        refuse("encapContentInfo")
    if der.decode_oid(token[content_type.body : content_type.stop], "eContentType") != TST_INFO:
        refuse("eContentType")
    inner = der.members(token, explicit, "eContent")
    if len(inner) != 1 or inner[0].tag != der.OCTET_STRING:
        refuse("eContent")
    return token[inner[0].body : inner[0].stop]


def _pair(data: bytes, parent: Element, where: str) -> tuple[Element, Element]:
    inner = der.members(data, parent, where)
    if len(inner) != 2:
        refuse(where)
    return inner[0], inner[1]


def _time(data: bytes, item: Element) -> datetime:
    """GeneralizedTime in RFC 3161's form: seconds, no trailing zeros of the fraction, Z."""
    found = _TIME.match(data[item.body : item.stop]) if item.tag == der.GENERALIZED_TIME else None
    if found is None:
        refuse("TSTInfo.genTime")
    try:
        moment = datetime.strptime(found[1].decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        refuse("TSTInfo.genTime")
    return moment.replace(microsecond=int((found[2] or b"0").ljust(6, b"0")))


def _accuracy(data: bytes, parent: Element) -> timedelta:
    """Accuracy ::= SEQUENCE { seconds, millis [0] 1..999, micros [1] 1..999 } (RFC 3161 §2.4.2)."""
    last = 0
    total = timedelta()
    for item in der.members(data, parent, "TSTInfo.accuracy"):
        content = data[item.body : item.stop]
        if (
            item.tag not in (0x02, 0x80, 0x81)
            or item.tag <= last
            or not 1 <= len(content) <= 4
            or content[0] & 0x80
        ):
            refuse("TSTInfo.accuracy")
        last = item.tag
        value = int.from_bytes(content, "big")
        unit = {0x02: "seconds", 0x80: "milliseconds", 0x81: "microseconds"}[item.tag]
        total += timedelta(**{unit: value})
    return total
