"""Judging a forged token, and looking at the findings."""

from __future__ import annotations

from typing import Any

from evidence_desk.core.verdict import Status
from evidence_desk.texts import Language, has, sentence
from tests.unit.tsa import forge
from tsa.request import TimestampRequest
from tsa.verify import TokenVerdict, verify_token

REQUEST = TimestampRequest(
    hash_oid=forge.SHA256,
    imprint=forge.digest(forge.SHA256, forge.DATA),
    nonce=forge.NONCE,
    policy=forge.POLICY,
)


def judge(token: bytes, pki: forge.Pki | None = None, **changes: Any) -> TokenVerdict:
    """Verify against the forger's own demands; every finding must have its sentence in both languages."""
    demands: dict[str, Any] = {
        "hash_oid": forge.SHA256,
        "imprint": forge.digest(forge.SHA256, forge.DATA),
        "trust": (pki or forge.pki()).trust(),
        "now": forge.NOW,
        **changes,
    }
    return told(verify_token(token, **demands))


def told(verdict: TokenVerdict) -> TokenVerdict:
    said = [(item.code, item.parameters) for item in verdict.findings]
    said += [(item.code, item.parameters) for item in verdict.caveats]
    for code, parameters in said:
        for language in Language:
            assert has(code, language), code
            text = sentence(code, parameters, language)
            assert "{" not in text, text
    return verdict


def not_passed(verdict: TokenVerdict) -> dict[str, str]:
    """Code → status of every finding that is not passed."""
    return {item.code: item.status.value for item in verdict.findings if item.status is not Status.PASSED}
