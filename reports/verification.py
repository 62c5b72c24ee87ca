"""核验报告 on whatever was examined: a verdict of the verifier, or what look-ups found, to PDF bytes; unsigned, and it says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evidence_desk import __version__
from evidence_desk.core.certificate import (
    DemoReason,
    FileFacts,
    LookUpFacts,
    TrustRootFacts,
    VerificationReport,
)
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import unique_caveats
from evidence_desk.services.examination import Compared, Examination, LookedUp, PlaceAnswer
from evidence_desk.texts import Language, sentence
from evidence_desk.verify.answer import Said, sentence_of
from reports.certificate import render_verification_report

_DEMO: Final = {
    "demo.authority": DemoReason.TOKEN, "demo.signer": DemoReason.SIGNER, "demo.chain": DemoReason.CHAIN,
}  # fmt: skip
_PRINTED: Final = frozenset(
    {"certificate.scope.not_true", "certificate.scope.not_author", "certificate.scope.not_before"}
)
"""Limits that every report prints."""


def report_for(examination: Examination, *, language: Language, operator: str = "") -> VerificationReport:
    """Everything that a report on an examination says.

    Args:
        examination: with its verdict, look-ups and trust roots.
        language: of the report.
        operator: who examined it, "" when not given.
    """
    at, digests = examination.at, examination.digests
    mark = sha256(examination.subject.name.encode("utf-8", "replace")) if digests is None else digests.sha256
    caveats = unique_caveats(examination.verdict.caveats)
    return VerificationReport(
        number=f"VR-{at:%Y%m%d-%H%M%S}-{mark.hex()[:8].upper()}", checked=at, language=language.value,
        subject=examination.subject.name, size=examination.size, digests=digests,
        verdict=examination.verdict, stated_number=examination.number,
        answer=sentence_of(examination.answer, language), result=examination.result.value,
        originals=tuple(_original(item) for item in examination.originals),
        roots=_root_facts(examination.trust), program=f"Evidence Desk {__version__}", operator=operator,
        looked_up=tuple(_looked_up(examination, language)),
        notes=tuple(_sentence(item, language) for item in examination.notes),
        limits=tuple(sentence(item, {}, language) for item in examination.limits if item not in _PRINTED),
        demo=tuple(
            sentence(f"certificate.demo.{_DEMO[caveat.code]}", {}, language)
            for caveat in caveats
            if caveat.code in _DEMO
        ),
    )  # fmt: skip


def verification_report(examination: Examination, *, language: Language, operator: str = "") -> bytes:
    """`report_for` as PDF/A."""
    report = report_for(examination, language=language, operator=operator)
    return render_verification_report(report, attachments={}, language=language).pdf


def _original(item: Compared) -> FileFacts:
    file = item.file
    return FileFacts(
        name=file.label, size=file.size or 0, media_type="",
        digests=DigestPair(sha256=file.sha256 or b"", sm3=file.sm3 or b""),
    )  # fmt: skip


def _looked_up(examination: Examination, language: Language) -> Iterator[LookUpFacts]:
    for looked in examination.looked_up:
        for place in looked.places:
            yield LookUpFacts(
                question=_question(looked, language),
                place=sentence(f"report.place.{place.place.value}", {}, language),
                outcome=place.outcome.value,
                said=_told(place, language),
            )


def _question(looked: LookedUp, language: Language) -> str:
    question = looked.question
    text = question.number if question.code is None else question.code.number
    return sentence(
        f"report.question.{question.kind.value}", {"text": text or f"{question.text[:16]}…"}, language
    )


def _told(place: PlaceAnswer, language: Language) -> str:
    """The outcome, and the gateways that were silent or lied."""
    parts = [_sentence(place.why, language)]
    parts += [
        sentence(
            "report.fault",
            {"gateway": item.gateway, "reason": sentence(item.code, item.parameters, language)},
            language,
        )
        for item in place.faults
    ]
    return (" " if language is Language.EN else "").join(parts)


def _sentence(said: Said, language: Language) -> str:
    return sentence(said.code, said.parameters, language)


def _root_facts(trust: Trust) -> tuple[TrustRootFacts, ...]:
    """Every trust root by name and SHA-256: certificates, the verifier keys of desks, court networks."""
    certificates = [
        TrustRootFacts(name=roots.name, fingerprint=sha256(item))
        for roots in (*trust.authorities, *trust.signers, *trust.persons)
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
