"""Timestamp requests in, responses out: pure, without clock, disk or network (RFC 3161 §2.4, RFC 5816).

Everything that does not change from token to token is encoded once, when the `Issuer` is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final

from asn1crypto import core, x509

from evidence_desk.core.digests import sha256 as _sha256
from evidence_desk.core.digests import sm3 as _sm3
from evidence_desk.crypto import der, oids
from evidence_desk.crypto.pki import Identity, KeyKind
from evidence_desk.errors import ConfigurationError, MalformedError
from tsa.request import REQUEST_LIMIT, parse_request

HASHES: Final = frozenset({oids.SHA256, oids.SHA384, oids.SHA512, oids.SM3})
"""Digest algorithms we stamp; weaker ones are refused with badAlg."""

_CONTEXT_0: Final = 0xA0
_PRIMITIVE_0: Final = 0x80
_DIRECTORY_NAME: Final = 0xA4
_MILLISECOND: Final = timedelta(milliseconds=1)
_MAX_ACCURACY: Final = timedelta(seconds=60)


class Failure(IntEnum):
    """PKIFailureInfo bits of RFC 3161 §2.4.2."""

    BAD_ALG = 0
    BAD_REQUEST = 2
    BAD_DATA_FORMAT = 5
    TIME_NOT_AVAILABLE = 14
    UNACCEPTED_POLICY = 15
    UNACCEPTED_EXTENSION = 16
    SYSTEM_FAILURE = 25


class Refusal(Exception):  # noqa: N818 - an answer of the protocol, not an error of ours
    """A request that gets a rejection; `text` goes to the client, `cause` (an error code of ours) to the audit log."""

    def __init__(self, failure: Failure, text: str, *, cause: str = "") -> None:
        super().__init__(text)
        self.failure = failure
        self.text = text
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a request asks for; DER parts are kept as sent, to be echoed.

    Attributes:
        imprint: DER MessageImprint; `hash_oid` is its algorithm.
        policy: policy the token will carry.
        nonce: DER INTEGER, b"" when none was sent.
    """

    imprint: bytes
    hash_oid: str
    policy: str
    nonce: bytes
    wants_certificates: bool


class Issuer:
    """Makes tokens with one identity; safe to share between threads.

    Args:
        identity: TSA certificate and key; the certificate must be for timestamping only (RFC 3161 §2.3).
        policy: policy OID of tokens whose request names none.
        other_policies: further policies that a request may name.
        accuracy: stated accuracy of genTime, whole milliseconds, at most 60 s.
        national: content type and signature OIDs of the national suite (参照 GM/T 0010) instead of CMS'; SM2 only.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        policy: str,
        accuracy: timedelta,
        other_policies: frozenset[str] = frozenset(),
        national: bool = False,
    ) -> None:
        certificate = _checked_certificate(identity.certificate)
        if not timedelta(0) < accuracy <= _MAX_ACCURACY or accuracy % _MILLISECOND:
            raise ConfigurationError("authority.accuracy", milliseconds=accuracy // _MILLISECOND)
        if national and identity.key.kind is not KeyKind.SM2:
            raise ConfigurationError("authority.national_needs_sm2")
        self.policy = policy
        self.accuracy = accuracy
        self._policies = {name: oid_der(name) for name in {policy, *other_policies}}
        self._sign = identity.key.signer()
        sm2 = identity.key.kind is KeyKind.SM2
        self._hash: Callable[[bytes], bytes] = _sm3 if sm2 else _sha256
        self._accuracy = _encode_accuracy(accuracy)
        self._valid = (certificate.not_valid_before, certificate.not_valid_after)
        self._prepare(identity, certificate, sm2=sm2, national=national)

    def _prepare(
        self, identity: Identity, certificate: x509.Certificate, *, sm2: bool, national: bool
    ) -> None:
        algorithm = der.encode(der.SEQUENCE, oid_der(oids.SM3 if sm2 else oids.SHA256))
        signature = identity.key.signature_algorithm().dump()
        if national:
            signature = der.encode(der.SEQUENCE, oid_der(oids.SM2_SIGN))
        issuer_serial = der.encode(
            der.SEQUENCE, certificate.issuer.dump(), core.Integer(certificate.serial_number).dump()
        )
        attributes = sorted(
            [
                _attribute(oids.CONTENT_TYPE, oid_der(oids.TST_INFO)),
                _attribute(oids.MESSAGE_DIGEST, der.encode(der.OCTET_STRING, bytes(32))),
                _attribute(oids.SIGNING_CERTIFICATE_V2, _signing_certificate(identity, certificate, sm2=sm2)),
            ]
        )
        joined = b"".join(attributes)
        # The order is fixed by lengths and OIDs, which come before the digest: one cut serves every token.
        cut = joined.index(bytes(32))
        self._attributes = (joined[:cut], joined[cut + 32 :])
        self._content_type = oid_der(oids.SIGNED_DATA_NATIONAL if national else oids.SIGNED_DATA)
        self._data_head = b"\x02\x01\x03" + der.encode(der.SET, algorithm)
        self._content_oid = oid_der(oids.TST_INFO)
        self._signer_head = b"\x02\x01\x01" + issuer_serial + algorithm
        self._signature_algorithm = signature
        # RFC 5652 §5.1: certificates are a SET OF, so DER sorts them; the root is the verifier's own matter.
        chain = [identity.certificate, *(item for item in identity.chain if not _self_issued(item))]
        self._certificates = der.encode(_CONTEXT_0, *sorted(chain))

    def examine(self, request: bytes) -> Question:
        """Read a TimeStampReq (RFC 3161 §2.4.1).

        Raises:
            Refusal: with the failure the client is told.
        """
        try:
            return self._examine(request)
        except MalformedError as error:
            if error.parameters.get("rule") == "version":
                raise Refusal(Failure.BAD_REQUEST, "version must be 1") from error
            raise Refusal(Failure.BAD_DATA_FORMAT, "the request is not a DER TimeStampReq") from error

    def _examine(self, request: bytes) -> Question:
        asked = parse_request(request)
        if asked.extensions:
            raise Refusal(Failure.UNACCEPTED_EXTENSION, "no request extension is supported")
        if asked.hash_oid not in HASHES:
            raise Refusal(Failure.BAD_ALG, "use SHA-256, SHA-384, SHA-512 or SM3")
        policy = asked.policy or self.policy
        if policy not in self._policies:
            raise Refusal(Failure.UNACCEPTED_POLICY, "this policy is not offered here")
        # Both parts are echoed as they were sent: some clients compare bytes, not values.
        fields = der.Fields(der.parse(request, what="request", limit=REQUEST_LIMIT))
        fields.take(der.INTEGER)
        imprint = fields.take(der.SEQUENCE)
        fields.maybe(der.OID)
        nonce = fields.maybe(der.INTEGER)
        return Question(
            imprint=imprint.encoded,
            hash_oid=asked.hash_oid,
            policy=policy,
            nonce=b"" if nonce is None else nonce.encoded,
            wants_certificates=asked.cert_req,
        )

    def answer(self, question: Question, *, serial: int, time: datetime) -> bytes:
        """DER TimeStampResp with a token.

        Raises:
            Refusal: timeNotAvailable when `time` is outside the validity of the certificate.
        """
        if not self._valid[0] <= time <= self._valid[1]:
            raise Refusal(Failure.TIME_NOT_AVAILABLE, "the certificate of this authority is not valid now")
        info = der.encode(
            der.SEQUENCE,
            b"\x02\x01\x01",
            self._policies[question.policy],
            question.imprint,
            core.Integer(serial).dump(),
            encode_time(time),
            self._accuracy,
            question.nonce,
        )
        signed = self._attributes[0] + self._hash(info) + self._attributes[1]
        signature = self._sign(der.encode(der.SET, signed))
        signer = der.encode(
            der.SEQUENCE,
            self._signer_head,
            der.encode(_CONTEXT_0, signed),
            self._signature_algorithm,
            der.encode(der.OCTET_STRING, signature),
        )
        content = der.encode(_CONTEXT_0, der.encode(der.OCTET_STRING, info))
        data = der.encode(
            der.SEQUENCE,
            self._data_head,
            der.encode(der.SEQUENCE, self._content_oid, content),
            self._certificates if question.wants_certificates else b"",
            der.encode(der.SET, signer),
        )
        token = der.encode(der.SEQUENCE, self._content_type, der.encode(_CONTEXT_0, data))
        return der.encode(der.SEQUENCE, b"\x30\x03\x02\x01\x00", token)


def issue(issuer: Issuer, request: bytes, *, serial: int, time: datetime) -> bytes:
    """DER TimeStampResp to any bytes: a token, or a rejection that says why."""
    try:
        return issuer.answer(issuer.examine(request), serial=serial, time=time)
    except Refusal as refusal:
        return refuse(refusal)


def refuse(refusal: Refusal) -> bytes:
    """DER TimeStampResp with status rejection (RFC 3161 §2.4.2)."""
    text = der.encode(der.SEQUENCE, der.encode(der.UTF8_STRING, refusal.text.encode()))
    octets = bytearray(refusal.failure // 8 + 1)
    octets[-1] = 0x80 >> refusal.failure % 8
    bits = der.encode(der.BIT_STRING, bytes([7 - refusal.failure % 8]), bytes(octets))
    return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, b"\x02\x01\x02", text, bits))


def encode_time(moment: datetime) -> bytes:
    """GeneralizedTime to the millisecond, without trailing zeros (RFC 3161 §2.4.2, X.690 §11.7)."""
    moment = moment.astimezone(UTC)
    text = moment.strftime("%Y%m%d%H%M%S")
    fraction = f"{moment.microsecond // 1000:03}".rstrip("0")
    return der.encode(
        der.GENERALIZED_TIME, f"{text}.{fraction}Z".encode() if fraction else f"{text}Z".encode()
    )


def oid_der(dotted: str) -> bytes:
    """DER OBJECT IDENTIFIER.

    Raises:
        ConfigurationError: ``authority.policy`` when it is not one.
    """
    try:
        encoded: bytes = core.ObjectIdentifier(dotted).dump()
        if der.oid(der.parse(encoded, what="oid", limit=80, tag=der.OID)) == dotted:
            return encoded
    except (ValueError, TypeError, MalformedError):
        pass
    raise ConfigurationError("authority.policy", policy=dotted[:80])


def _checked_certificate(encoded: bytes) -> x509.Certificate:
    certificate = x509.Certificate.load(encoded, strict=True)
    usage = certificate.extended_key_usage_value
    critical = "extended_key_usage" in certificate.critical_extensions
    if usage is None or usage.native != ["time_stamping"] or not critical:
        raise ConfigurationError("authority.certificate_purpose")
    return certificate


def _signing_certificate(identity: Identity, certificate: x509.Certificate, *, sm2: bool) -> bytes:
    """SigningCertificateV2 with issuerSerial (RFC 5035 §3); SHA-256 is the default and so left out."""
    general_names = der.encode(der.SEQUENCE, der.encode(_DIRECTORY_NAME, certificate.issuer.dump()))
    serial = core.Integer(certificate.serial_number).dump()
    digest = _sm3(identity.certificate) if sm2 else _sha256(identity.certificate)
    identifier = der.encode(
        der.SEQUENCE,
        der.encode(der.SEQUENCE, oid_der(oids.SM3)) if sm2 else b"",
        der.encode(der.OCTET_STRING, digest),
        der.encode(der.SEQUENCE, general_names, serial),
    )
    return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, identifier))


def _attribute(oid: str, value: bytes) -> bytes:
    return der.encode(der.SEQUENCE, oid_der(oid), der.encode(der.SET, value))


def _encode_accuracy(accuracy: timedelta) -> bytes:
    seconds, rest = divmod(accuracy, timedelta(seconds=1))
    millis = rest // _MILLISECOND
    parts = [core.Integer(seconds).dump()] if seconds else []
    if millis:
        number = core.Integer(millis).contents
        parts.append(der.encode(_PRIMITIVE_0, number))
    return der.encode(der.SEQUENCE, *parts)


def _self_issued(encoded: bytes) -> bool:
    certificate = x509.Certificate.load(encoded)
    return bool(certificate.issuer.dump() == certificate.subject.dump())
