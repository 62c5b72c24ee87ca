"""The PDF signature: form, cryptography, coverage, changes after signing. pyHanko reads, nothing is ever fetched."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from asn1crypto import core, x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel, SuspiciousModification
from pyhanko.sign.general import CMSExtractionError, SigningError
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from evidence_desk.core.digests import sha256
from evidence_desk.core.verdict import Dimension, Finding, Parameter, Status
from evidence_desk.crypto import der, oids
from evidence_desk.errors import MalformedError
from evidence_desk.verify.certificate.outcome import integrity, signer
from evidence_desk.verify.certificate.seal import FIELD

logging.getLogger("pyhanko").addHandler(logging.NullHandler())

_SUBFILTER: Final = "/ETSI.CAdES.detached"
_TIMESTAMP: Final = "1.2.840.113549.1.9.16.2.14"
"""id-aa-signatureTimeStampToken, ETSI EN 319 122-1 §5.3."""
_UNSIGNED: Final = 0xA1
_DATA: Final = "1.2.840.113549.1.7.1"
_MAX_CMS: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What the one signature of a certificate holds.

    Attributes:
        certificate: DER of the signer. others: further certificates inside, DER.
        claimed: /M, the signer's own word. value: signature value; `token` a DER TimeStampToken over its SHA-256.
    """

    certificate: bytes
    others: tuple[bytes, ...]
    claimed: datetime | None
    value: bytes
    tokens: tuple[bytes, ...]


class _Wrong(Exception):  # noqa: N818 - turned into a finding at once
    def __init__(self, code: str, **parameters: Parameter) -> None:
        super().__init__(code)
        self.code = code
        self.parameters = parameters

    def finding(self) -> Finding:
        return Finding(
            dimension=Dimension.SIGNER,
            check="certificate.signature",
            status=Status.FAILED,
            code=self.code,
            parameters=self.parameters,
        )


def check_signature(pdf: bytes) -> tuple[Signature | None, tuple[Finding, ...]]:
    """The signature, if its form can be read, and findings on cryptography and coverage. Never raises."""
    check = "certificate.signature"
    try:
        embedded = _embedded(pdf)
        signature = _read(embedded)
        _form(pdf, embedded)
        _whole(embedded, signature)
    except _Wrong as wrong:
        return None, (wrong.finding(),)
    except (
        PdfError,
        SigningError,
        CMSExtractionError,
        SignatureValidationError,
        MalformedError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        AssertionError,
        NotImplementedError,
        OverflowError,
        RecursionError,
    ):
        return None, (signer(check, Status.FAILED, "certificate.signature.unreadable"),)
    intact = signer(check, Status.PASSED, "certificate.signature.intact")
    return signature, (intact, _coverage(embedded, len(pdf)))


def _embedded(pdf: bytes) -> EmbeddedPdfSignature:
    reader: Any = PdfFileReader(io.BytesIO(pdf), strict=True)
    signatures = reader.embedded_regular_signatures
    if not signatures:
        raise _Wrong("certificate.signature.missing")
    if len(signatures) > 1:
        raise _Wrong("certificate.signature.several", count=len(signatures))
    return cast("EmbeddedPdfSignature", signatures[0])


def _read(embedded: EmbeddedPdfSignature) -> Signature:
    contents = bytes(embedded.pkcs7_content)
    element = der.parse(contents[: _der_length(contents)], what="signature", limit=_MAX_CMS)
    # Strict DER all the way down: the CMS library would accept other encodings of the same thing.
    der.check(element)
    return Signature(
        certificate=embedded.signer_cert.dump(),
        others=tuple(item.dump() for item in embedded.other_embedded_certs),
        claimed=embedded.self_reported_timestamp,
        value=embedded.signer_info["signature"].native,
        tokens=_tokens(element, embedded.signer_cert),
    )


def _tokens(content_info: der.Element, certificate: x509.Certificate) -> tuple[bytes, ...]:
    """Signature timestamps as their bytes stand in the file (RFC 5652 §5.1, §5.3).

    What no signature covers must have its one canonical value: versions, digestAlgorithms, encapContentInfo, the
    signer's name letter for letter (RFC 5280 would let its case differ). Other unsigned attributes, revocation lists and further signers are refused.
    """
    outer = der.Fields(content_info)
    outer.take(der.OID)
    signed_data = der.Fields(der.only(outer.take(0xA0), der.SEQUENCE))
    outer.done()
    version = der.integer(signed_data.take(der.INTEGER))
    digests = signed_data.take(der.SET).children()
    content = signed_data.take(der.SEQUENCE).children()
    signed_data.take(0xA0)
    signer_info = der.only(signed_data.take(der.SET), der.SEQUENCE)
    signed_data.done()
    fields = der.Fields(signer_info)
    versions = (version, der.integer(fields.take(der.INTEGER)))
    identifier = fields.take(der.SEQUENCE)
    digest = fields.take(der.SEQUENCE)
    for tag in (0xA0, der.SEQUENCE, der.OCTET_STRING):
        fields.take(tag)
    unsigned = fields.maybe(_UNSIGNED)
    fields.done()
    if versions != (1, 1) or [item.encoded for item in digests] != [digest.encoded]:
        raise _Wrong("certificate.signature.format", what="SignedData")
    serial = core.Integer(certificate.serial_number).dump()
    if identifier.encoded != der.encode(der.SEQUENCE, certificate.issuer.dump(), serial):
        raise _Wrong("certificate.signature.format", what="signer identifier")
    if len(content) != 1 or der.oid(content[0]) != _DATA:
        raise _Wrong("certificate.signature.format", what="encapContentInfo")
    return _stamps(unsigned)


def _stamps(unsigned: der.Element | None) -> tuple[bytes, ...]:
    found: list[bytes] = []
    for attribute in [] if unsigned is None else unsigned.children():
        if attribute.tag != der.SEQUENCE:
            raise _Wrong("certificate.signature.format", what="unsigned attribute")
        fields = der.Fields(attribute)
        if der.oid(fields.take(der.OID)) != _TIMESTAMP:
            raise _Wrong("certificate.signature.format", what="unsigned attribute")
        found += [value.encoded for value in fields.take(der.SET).children()]
        fields.done()
    return tuple(found)


def _form(pdf: bytes, embedded: EmbeddedPdfSignature) -> None:
    """PAdES baseline form, and no free byte in the container: upper-case hexadecimal, zeros after the CMS."""
    if str(embedded.sig_object.get("/SubFilter")) != _SUBFILTER:
        raise _Wrong("certificate.signature.format", what="SubFilter")
    if embedded.field_name != FIELD:
        raise _Wrong("certificate.signature.format", what="field")
    if embedded.docmdp_level is None or embedded.docmdp_level.value != 1:
        raise _Wrong("certificate.signature.format", what="DocMDP")
    contents = bytes(embedded.pkcs7_content)
    first, length, second = (int(value) for value in list(embedded.byte_range)[:3])
    if first != 0 or pdf[length:second] != b"<" + contents.hex().upper().encode("ascii") + b">":
        raise _Wrong("certificate.signature.format", what="Contents")
    size = _der_length(contents)
    if size > _MAX_CMS or any(contents[size:]):
        raise _Wrong("certificate.signature.format", what="padding")
    if len(embedded.signed_data["signer_infos"]) != 1:
        raise _Wrong("certificate.signature.format", what="signers")
    if embedded.md_algorithm not in {"sha256", "sha384", "sha512"}:
        raise _Wrong("certificate.signature.format", what="digest")
    kinds = {item["type"].native for item in embedded.signer_info["signed_attrs"]}
    if "signing_certificate_v2" not in kinds:
        raise _Wrong("certificate.signature.format", what="signing-certificate-v2")


def _der_length(data: bytes) -> int:
    """Whole length of the DER element at the start of `data`."""
    if len(data) < 4 or data[0] != 0x30:
        raise _Wrong("certificate.signature.format", what="Contents")
    if data[1] < 0x80:
        return 2 + data[1]
    count = data[1] & 0x7F
    if not 1 <= count <= 4:
        raise _Wrong("certificate.signature.format", what="Contents")
    return 2 + count + int.from_bytes(data[2 : 2 + count])


def _whole(embedded: EmbeddedPdfSignature, signature: Signature) -> None:
    """Cryptography: the byte range's digest, the signature over it, the reference to the signer's certificate."""
    certificate = x509.Certificate.load(signature.certificate)
    cast("Any", embedded).compute_integrity_info()
    try:
        intact, valid = validate_sig_integrity(
            embedded.signer_info,
            certificate,
            expected_content_type="data",
            actual_digest=embedded.compute_digest(),
        )
    except SignatureValidationError as error:
        raise _Wrong("certificate.signature.broken") from error
    if not (intact and valid):
        raise _Wrong("certificate.signature.broken")


def _coverage(embedded: EmbeddedPdfSignature, size: int) -> Finding:
    """Whole file; long-term validation data appended later leave it open, anything else fails (ISO 32000-2 §12.8)."""
    check = "certificate.coverage"
    coverage: Any = embedded.coverage
    start, length = (int(value) for value in list(embedded.byte_range)[2:])
    if coverage is SignatureCoverageLevel.ENTIRE_FILE and start + length == size:
        return integrity(check, Status.PASSED, "certificate.coverage.whole")
    last = embedded.signed_revision == cast("Any", embedded).reader.xrefs.total_revisions - 1
    if last or coverage is not SignatureCoverageLevel.ENTIRE_REVISION:
        return integrity(check, Status.FAILED, "certificate.coverage.partial")
    result = cast("Any", embedded.diff_result)
    if result is None or isinstance(result, SuspiciousModification):
        return integrity(check, Status.FAILED, "certificate.coverage.changed", level="-")
    if result.modification_level <= ModificationLevel.LTA_UPDATES:
        # Nothing here checks who appended them yet, so it is not known whether every byte is covered.
        return integrity(check, Status.UNDETERMINED, "certificate.coverage.preserved")
    return integrity(
        check, Status.FAILED, "certificate.coverage.changed", level=result.modification_level.name
    )


def token_imprint(signature: Signature) -> tuple[str, bytes]:
    """(hash OID, digest) that the signature timestamp must cover: the signature value (ETSI EN 319 122-1 §5.3)."""
    return oids.SHA256, sha256(signature.value)
