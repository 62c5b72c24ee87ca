"""TimeStampResp and TimeStampToken (RFC 3161 §2.4.2): strict reading. Says what stands there, not whether it is true."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from evidence_desk.crypto import cms, der, oids
from evidence_desk.crypto.suites import digest, read_digest
from evidence_desk.crypto.x509 import Certificate, Name, load_certificate, read_name
from evidence_desk.errors import MalformedError

TOKEN_LIMIT: Final = 4 * 1024 * 1024
RESPONSE_LIMIT: Final = TOKEN_LIMIT + 8 * 1024

GRANTED: Final = 0
GRANTED_WITH_MODS: Final = 1

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""Beyond these a time cannot be meant, and adding an accuracy to it would leave the calendar."""

_FAILURES: Final = {
    0: "badAlg",
    2: "badRequest",
    5: "badDataFormat",
    14: "timeNotAvailable",
    15: "unacceptedPolicy",
    16: "unacceptedExtension",
    17: "addInfoNotAvailable",
    25: "systemFailure",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampResponse:
    """PKIStatusInfo and the token, DER ContentInfo, if there is one.

    Attributes:
        status: PKIStatus 0 to 5; 0 and 1 are granted.
        status_text: the authority's words, joined; may be empty.
        failure: names of the PKIFailureInfo bits, joined by a comma; None when absent.
    """

    status: int
    status_text: str
    failure: str | None
    token: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """What a token says about itself.

    Attributes:
        gen_time: UTC, to the microsecond.
        accuracy_ms: rounded up to whole milliseconds; None when the token gives none.
        tsa_name: subject of the signer certificate, else the tsa field, else "".
        signer_certificate: DER, None when it is neither embedded nor was supplied.
        digest_oid: SignerInfo digestAlgorithm.
    """

    gen_time: datetime
    accuracy_ms: int | None
    serial: int
    policy: str
    hash_oid: str
    imprint: bytes
    nonce: int | None
    ordering: bool
    tsa_name: str
    signer_certificate: bytes | None = field(repr=False)
    signer_spki_sha256: bytes | None
    signer_not_after: datetime | None
    certificates: tuple[bytes, ...] = field(repr=False)
    crls: tuple[bytes, ...] = field(repr=False)
    signature_oid: str
    digest_oid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TstInfo:
    """TSTInfo, field by field.

    Attributes:
        gen_time_text: genTime as encoded, for comparison with the second decoder.
        tsa: encoded GeneralName; `tsa_directory` the name inside when it is a directoryName.
        critical: OIDs of critical extensions.
        plain: the same TSTInfo without tsa and extensions, for decoders that cannot read every GeneralName.
    """

    encoded: bytes = field(repr=False)
    policy: str
    hash_oid: str
    imprint: bytes
    serial: int
    gen_time: datetime
    gen_time_text: str
    accuracy_ms: int | None
    ordering: bool
    nonce: int | None
    tsa: bytes | None
    tsa_directory: Name | None
    critical: tuple[str, ...]
    plain: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token taken apart."""

    encoded: bytes = field(repr=False)
    signed: cms.SignedData
    info: TstInfo


def parse_response(encoded: bytes) -> TimestampResponse:
    """Read a DER TimeStampResp.

    Raises:
        MalformedError: ``malformed.tsa.response`` {rule}, ``malformed.too_large``.
    """
    try:
        return _response(encoded)
    except MalformedError as error:
        if error.code == "malformed.der":
            raise MalformedError("malformed.tsa.response", rule=error.parameters["rule"]) from error
        raise


def _response(encoded: bytes) -> TimestampResponse:
    fields = der.Fields(der.parse(encoded, what="TimeStampResp", limit=RESPONSE_LIMIT))
    info = fields.take(der.SEQUENCE)
    der.check(info)
    token = fields.maybe(der.SEQUENCE)
    fields.done()
    parts = der.Fields(info)
    status = der.integer(parts.take(der.INTEGER))
    texts, failure = parts.maybe(der.SEQUENCE), parts.maybe(der.BIT_STRING)
    parts.done()
    if not 0 <= status <= 5:
        raise MalformedError("malformed.tsa.response", rule="status")
    return TimestampResponse(
        status=status,
        status_text="" if texts is None else "; ".join(_free_text(item) for item in texts.children()),
        failure=None
        if failure is None
        else ", ".join(_FAILURES.get(bit, str(bit)) for bit in sorted(der.set_bits(failure))),
        token=None if token is None else token.encoded,
    )


def _free_text(element: der.Element) -> str:
    try:
        return der.expect(element, der.UTF8_STRING).content.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("malformed.tsa.response", rule="text") from error


def read_token(encoded: bytes) -> Token:
    """Take a DER TimeStampToken apart.

    Raises:
        MalformedError: ``malformed.tsa.token`` {rule}, ``malformed.too_large``.
    """
    try:
        signed = cms.parse_signed_data(encoded, what="TimeStampToken", limit=TOKEN_LIMIT)
        info = read_tst_info(signed.content) if signed.content_type == oids.TST_INFO else None
    except MalformedError as error:
        if error.code in ("malformed.der", "malformed.cms"):
            raise MalformedError("malformed.tsa.token", rule=error.parameters["rule"]) from error
        raise
    if info is None:
        raise MalformedError("malformed.tsa.token", rule="content_type")
    return Token(encoded=encoded, signed=signed, info=info)


def read_tst_info(encoded: bytes) -> TstInfo:
    """Read TSTInfo (RFC 3161 §2.4.2).

    Raises:
        MalformedError: ``malformed.der``, ``malformed.tsa.token`` {rule}.
    """
    whole = der.parse(encoded, what="TSTInfo", limit=64 * 1024)
    der.check(whole)
    fields = der.Fields(whole)
    if der.integer(fields.take(der.INTEGER)) != 1:
        raise MalformedError("malformed.tsa.token", rule="version")
    policy = der.oid(fields.take(der.OID))
    pair = der.Fields(fields.take(der.SEQUENCE))
    hash_oid, imprint = read_digest(pair.take(der.SEQUENCE)), pair.take(der.OCTET_STRING).content
    pair.done()
    serial = der.integer(fields.take(der.INTEGER))
    gen_time = fields.take(der.GENERALIZED_TIME)
    accuracy = fields.maybe(der.SEQUENCE)
    ordering = der.true(fields.maybe(der.BOOLEAN))
    nonce = fields.maybe(der.INTEGER)
    tsa, extensions = fields.maybe(0xA0), fields.maybe(0xA1)
    fields.done()
    moment = der.time(gen_time)
    if not EARLIEST <= moment <= LATEST:
        raise MalformedError("malformed.tsa.token", rule="time")
    general = None if tsa is None else der.Fields(tsa).take()
    cut = tsa or extensions
    return TstInfo(
        encoded=encoded,
        policy=policy,
        hash_oid=hash_oid,
        imprint=imprint,
        serial=serial,
        gen_time=moment,
        gen_time_text=gen_time.content.decode("ascii"),
        accuracy_ms=None if accuracy is None else _accuracy(accuracy),
        ordering=ordering,
        nonce=None if nonce is None else der.integer(nonce),
        tsa=None if general is None else general.encoded,
        tsa_directory=read_name(der.only(general, der.SEQUENCE)) if general and general.tag == 0xA4 else None,
        critical=() if extensions is None else _critical(extensions),
        plain=encoded if cut is None else der.encode(der.SEQUENCE, encoded[whole.body : cut.start]),
    )


def _accuracy(element: der.Element) -> int:
    """Whole milliseconds, rounded up (RFC 3161 §2.4.2: millis and micros are 1 to 999)."""
    fields = der.Fields(element)
    seconds, millis, micros = fields.maybe(der.INTEGER), fields.maybe(0x80), fields.maybe(0x81)
    fields.done()
    whole = 0 if seconds is None else der.integer(seconds, octets=5)
    parts = [0 if item is None else der.integer(item, octets=3) for item in (millis, micros)]
    if whole < 0 or any(
        item is not None and not 1 <= value <= 999
        for item, value in zip((millis, micros), parts, strict=True)
    ):
        raise MalformedError("malformed.tsa.token", rule="accuracy")
    return whole * 1000 + parts[0] + (1 if parts[1] else 0)


def _critical(extensions: der.Element) -> tuple[str, ...]:
    found: dict[str, bool] = {}
    for item in extensions.children():
        fields = der.Fields(der.expect(item, der.SEQUENCE))
        kind, critical = der.oid(fields.take()), der.true(fields.maybe(der.BOOLEAN))
        fields.take(der.OCTET_STRING)
        fields.done()
        if kind in found:
            raise MalformedError("malformed.tsa.token", rule="extension_twice")
        found[kind] = critical
    return tuple(kind for kind, critical in found.items() if critical)


def find_signer(signer: cms.SignerInfo, candidates: tuple[bytes, ...]) -> Certificate | None:
    """The certificate that a SignerInfo names (RFC 5652 §5.3); candidates that cannot be read are passed over.

    Where several fit the name, the one whose digest the signer signed is meant: anybody can put a certificate of the
    same issuer and serial number beside it.
    """
    found = []
    for encoded in candidates:
        try:
            certificate = load_certificate(encoded)
        except MalformedError:
            continue
        if signer.issuer is None:
            fits = certificate.subject_key_id == signer.key_id
        else:
            fits = certificate.serial == signer.serial and certificate.issuer.key == signer.issuer.key
        if fits:
            found.append(certificate)
    if len(found) > 1:
        found.sort(key=lambda certificate: not _is_meant(signer, certificate))
    return found[0] if found else None


def _is_meant(signer: cms.SignerInfo, certificate: Certificate) -> bool:
    try:
        return any(
            digest(item.hash_oid, certificate.encoded) == item.digest for item in cms.ess_identifiers(signer)
        )
    except MalformedError:
        return False


def facts_of(token: Token, signer: Certificate | None) -> TokenFacts:
    """The facts of `token`, with the signer certificate that was found for it."""
    info, signed = token.info, token.signed
    first = signed.signers[0] if signed.signers else None
    if signer is not None:
        name = signer.subject.text
    else:
        name = "" if info.tsa_directory is None else info.tsa_directory.text
    return TokenFacts(
        gen_time=info.gen_time,
        accuracy_ms=info.accuracy_ms,
        serial=info.serial,
        policy=info.policy,
        hash_oid=info.hash_oid,
        imprint=info.imprint,
        nonce=info.nonce,
        ordering=info.ordering,
        tsa_name=name,
        signer_certificate=None if signer is None else signer.encoded,
        signer_spki_sha256=None if signer is None else hashlib.sha256(signer.spki).digest(),
        signer_not_after=None if signer is None else signer.not_after,
        certificates=signed.certificates,
        crls=signed.crls,
        signature_oid="" if first is None else first.algorithm.oid,
        digest_oid="" if first is None else first.digest_oid,
    )


def parse_token(encoded: bytes, *, certificates: tuple[bytes, ...] = ()) -> TokenFacts:
    """Facts of a DER TimeStampToken, unverified; `certificates` help when the token carries none.

    Raises:
        MalformedError: ``malformed.tsa.token`` {rule}, ``malformed.too_large``.
    """
    token = read_token(encoded)
    signers = token.signed.signers
    signer = (
        find_signer(signers[0], (*token.signed.certificates, *certificates)) if len(signers) == 1 else None
    )
    return facts_of(token, signer)
