"""Signs a finished PDF/A by PAdES B-T (ETSI EN 319 142-1) with a visible seal; pyHanko does the CMS, never the network."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from asn1crypto import algos, cms, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_signer import PdfSigningSession
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.stamp import BaseStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from evidence_desk.core.signing_ports import SigningKey
from evidence_desk.crypto.pki import Identity, KeyKind, signature_algorithm
from evidence_desk.errors import BugError, MalformedError, UserError
from evidence_desk.texts import Language
from evidence_desk.verify.certificate.seal import FIELD, is_demo, seal_lines, signer_name
from reports.fonts.faces import unprintable
from reports.layout import SEAL_BOX
from reports.seal import SealStamp

_RESERVED: Final = 40_000
"""Hex digits kept for the CMS with its token: 20 KB."""
_BOX: Final = (round(SEAL_BOX[0]), round(SEAL_BOX[1]), round(SEAL_BOX[2]), round(SEAL_BOX[3]))
Timestamp = Callable[[bytes], bytes]
"""SHA-256 digest → DER TimeStampToken (ContentInfo), obtained and verified by our own client."""


class _KeptKeySigner(signers.Signer):
    """Signer whose key is loaded once, or lies in a token: pyHanko's own parses it for every signature (260 ms for RSA)."""

    def __init__(
        self, certificate: bytes, chain: Sequence[bytes], kind: KeyKind, sign: Callable[[bytes], bytes]
    ) -> None:
        above = [x509.Certificate.load(item) for item in chain]
        super().__init__(
            signing_cert=x509.Certificate.load(certificate),
            cert_registry=cast("Any", SimpleCertificateStore).from_certs(above),
            signature_mechanism=algos.SignedDigestAlgorithm.load(signature_algorithm(kind).dump()),
            embed_roots=False,
        )
        self._sign = sign

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: FBT001, FBT002 - pyHanko's interface
        """Signature over `data`; only SHA-256 is ever asked for."""
        if digest_algorithm != "sha256" or dry_run:
            raise BugError("bug.signing", digest=digest_algorithm)
        return self._sign(data)


class _OwnTimeStamper(TimeStamper):
    """Hands pyHanko the token that our own client got."""

    def __init__(self, timestamp: Timestamp) -> None:
        cast("Any", super()).__init__()
        self._timestamp = timestamp

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """Token over `message_digest`."""
        if md_algorithm != "sha256":
            raise BugError("bug.signing", digest=md_algorithm)
        return cms.ContentInfo.load(self._timestamp(message_digest))


@dataclass(frozen=True)
class _SealStyle(BaseStampStyle):
    lines: tuple[str, ...] = ()

    def create_stamp(self, writer: BasePdfFileWriter, box: BoxConstraints, text_params: object) -> Any:  # noqa: ARG002
        """Appearance of the signature field; pyHanko's interface."""
        return SealStamp(writer, box, self.lines)


class _PdfSigner(signers.PdfSigner):
    """Signs with the given time instead of reading the system clock."""

    moment: datetime

    def init_signing_session(
        self,
        pdf_out: BasePdfFileWriter,
        existing_fields_only: bool = False,  # noqa: FBT001, FBT002 - pyHanko's interface
    ) -> PdfSigningSession:
        """Session at `moment`; pyHanko's interface."""
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self.moment
        return session


class PdfSigner:
    """An institution's or the demo signer's key, ready to sign many certificates; threads may share it."""

    def __init__(self, key: Identity | SigningKey) -> None:
        """Load a key of ours and its certificates once, or take one that signs where it lies (a token).

        Raises:
            UserError: ``certificate.key_kind`` for SM2 (EU DSS would refuse the file), ``certificate.signer_name``
                when the seal could not print the signer's name.
        """
        kind = key.key.kind if isinstance(key, Identity) else key.kind
        if kind is KeyKind.SM2:
            raise UserError("certificate.key_kind")
        sign = key.key.signer() if isinstance(key, Identity) else key.sign
        self.signer = _KeptKeySigner(key.certificate, key.chain, kind, sign)
        self.certificate = key.certificate
        certificate = x509.Certificate.load(key.certificate)
        self.name = signer_name(certificate)
        self.demo = is_demo(certificate)
        if unprintable(self.name):
            raise UserError("certificate.signer_name", name=self.name)


def sign_certificate(
    pdf: bytes,
    *,
    signer: PdfSigner,
    timestamp: Timestamp,
    moment: datetime,
    language: Language,
) -> bytes:
    """Signed PDF: one certifying signature that forbids changes (DocMDP 1), with signature timestamp.

    `moment` is the claimed signing time, UTC; it is printed in the seal and written as /M.

    Raises:
        MalformedError: ``malformed.pdf`` when `pdf` is not one we rendered.
        EvidenceDeskError: whatever `timestamp` raises.
    """
    moment = moment.replace(microsecond=0)
    style = _SealStyle(lines=seal_lines(name=signer.name, moment=moment, demo=signer.demo, language=language))
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        name=signer.name,
    )
    pdf_signer = _PdfSigner(
        metadata,
        signer=signer.signer,
        timestamper=_OwnTimeStamper(timestamp),
        stamp_style=style,
        new_field_spec=SigFieldSpec(sig_field_name=FIELD, on_page=-1, box=_BOX),
    )
    pdf_signer.moment = moment
    try:
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        signed = pdf_signer.sign_pdf(writer, bytes_reserved=_RESERVED)
    except (PdfError, SigningError, ValueError) as error:
        raise MalformedError("malformed.pdf", reason=type(error).__name__) from error
    return bytes(signed.getvalue())
