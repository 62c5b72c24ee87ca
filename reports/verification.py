"""核验报告 on one verified file: from the verdict, and what it was reached with, to PDF bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from evidence_desk import __version__
from evidence_desk.core.certificate import DemoReason, FileFacts, TrustRootFacts, VerificationReport
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.job import Job
from evidence_desk.core.trust import Trust
from evidence_desk.texts import Language, sentence
from evidence_desk.verify.files import InputVerdict, hash_original
from evidence_desk.verify.originals import GivenFile
from reports.certificate import render_verification_report

_DEMO: Final = {
    "demo.authority": DemoReason.TOKEN, "demo.signer": DemoReason.SIGNER, "demo.chain": DemoReason.CHAIN,
}  # fmt: skip


def verification_report(
    item: InputVerdict, *, originals: Sequence[GivenFile], trust: Trust, at: datetime, language: Language
) -> bytes:
    """核验报告 on one verified file, as PDF/A; unsigned, and it says so.

    Args:
        item: the file and the verdict on it.
        originals: files that were compared with it.
        trust: the roots that the verdict started from.
        at: moment of judgement (UTC).
        language: of the report.
    """
    given = hash_original(item.path, Job())
    digests = _pair(given)
    report = VerificationReport(
        number=f"VR-{at:%Y%m%d-%H%M%S}-{digests.sha256.hex()[:8].upper()}", checked=at, language=language.value,
        subject=item.path.name, size=given.size or 0, digests=digests, verdict=item.verdict,
        originals=tuple(
            FileFacts(name=file.label, size=file.size or 0, media_type="", digests=_pair(file))
            for file in originals
        ),
        roots=_root_facts(trust), program=f"Evidence Desk {__version__}",
        demo=tuple(
            sentence(f"certificate.demo.{_DEMO[caveat.code]}", {}, language)
            for caveat in item.verdict.caveats
            if caveat.code in _DEMO
        ),
    )  # fmt: skip
    return render_verification_report(report, attachments={}, language=language).pdf


def _pair(file: GivenFile) -> DigestPair:
    return DigestPair(sha256=file.sha256 or b"", sm3=file.sm3 or b"")


def _root_facts(trust: Trust) -> tuple[TrustRootFacts, ...]:
    """Every trust root by name and SHA-256: certificates, the verifier keys of desks, court networks."""
    certificates = [
        TrustRootFacts(name=roots.name, fingerprint=sha256(item))
        for roots in (*trust.authorities, *trust.signers)
        for item in roots.certificates
    ]
    desks = [
        TrustRootFacts(name=origin, fingerprint=sha256(keys.encode().encode()))
        for origin, keys in trust.desks.items()
    ]
    networks = [
        TrustRootFacts(name=chain_id, fingerprint=sha256(data)) for chain_id, data in trust.networks.items()
    ]
    return (*certificates, *desks, *networks)
