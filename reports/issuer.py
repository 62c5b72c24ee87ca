"""`core.ports.CertificateIssuer`: prints, signs and timestamps certificates with one key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from evidence_desk.core.certificate import Certificate
from evidence_desk.core.ports import Clock, TimestampAuthority
from evidence_desk.core.rows import IssuedPdf
from evidence_desk.core.time_record import splice_crls
from evidence_desk.services.timestamp import ask
from evidence_desk.texts import Language
from reports.certificate import Attachment, printed_certificate, render_certificate, render_draft
from reports.signing import PdfSigner, sign_certificate

_MEDIA: Final = {"json": "application/json"}


class PdfIssuer:
    """Issues certificates with `signer`; the signature's token comes from the first authority that answers."""

    def __init__(self, signer: PdfSigner, authorities: tuple[TimestampAuthority, ...], clock: Clock) -> None:
        self._signer = signer
        self._authorities = authorities
        self._clock = clock

    @property
    def name(self) -> str:
        """Subject of the signing certificate."""
        return self._signer.name

    @property
    def demo(self) -> bool:
        """Whether the signing certificate names the demo policy."""
        return self._signer.demo

    @property
    def certificate(self) -> bytes:
        """DER of the signing certificate."""
        return bytes(cast("Any", self._signer.signer.signing_cert).dump())

    def printed(self, certificate: Certificate) -> bytes:
        """``certificate.json`` as `issue` is going to attach it."""
        return printed_certificate(certificate).to_bytes()

    def preview(self, certificate: Certificate) -> bytes:
        """PDF of the draft, to look at."""
        return render_draft(certificate)

    def issue(self, certificate: Certificate, attachments: Mapping[str, bytes]) -> IssuedPdf:
        """Print, attach, sign and timestamp."""
        language = Language(certificate.language)
        rendered = render_certificate(
            certificate,
            attachments={
                name: Attachment(
                    data=data, media_type=_MEDIA.get(name.rpartition(".")[2], "application/octet-stream")
                )
                for name, data in attachments.items()
            },
            language=language,
        )
        pdf = sign_certificate(
            rendered.pdf,
            signer=self._signer,
            timestamp=self._timestamp,
            moment=self._clock.now(),
            language=language,
        )
        return IssuedPdf(pdf=pdf, unprintable=rendered.unprintable)

    def _timestamp(self, digest: bytes) -> bytes:
        """Token with the revocation lists that came with it, so that it can be judged without a network."""
        reply = ask(self._authorities, digest)
        return splice_crls(reply.token, reply.crls) if reply.crls else reply.token
