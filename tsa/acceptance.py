"""What a client asks of an authority, and whether it takes the answer: one path for HTTP and for the embedded one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from evidence_desk.core.verdict import Status
from evidence_desk.crypto import oids
from evidence_desk.errors import MalformedError, RemoteError
from tsa.policy import TokenTrust
from tsa.request import build_request, parse_request
from tsa.response import TimestampResponse, TokenFacts, parse_response, parse_token
from tsa.verify import verify_token

_LONGEST_TEXT: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request under way; `sent` is the local time just before it left."""

    digest: bytes
    nonce: int
    encoded: bytes
    sent: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A token of which no check failed; `tsa` is the SHA-256 of its signer's SubjectPublicKeyInfo."""

    token: bytes
    gen_time: datetime
    tsa: bytes


def make_question(digest: bytes, *, policy: str | None, now: datetime) -> Question:
    """Request over a SHA-256 digest: certificate wanted, 64 random bits of nonce under a leading one."""
    nonce = 1 << 64 | secrets.randbits(64)
    encoded = build_request(hash_oid=oids.SHA256, imprint=digest, nonce=nonce, cert_req=True, policy=policy)
    return Question(digest=digest, nonce=nonce, encoded=encoded, sent=now)


def accept(
    question: Question,
    body: bytes,
    *,
    authority: str,
    trust: TokenTrust,
    received: datetime,
    crls: tuple[bytes, ...] = (),
) -> Accepted:
    """The token of a response, strictly verified.

    Without trust roots the chain stays undetermined, which is accepted: the token is stored and judged again by
    whoever has the roots. A check that fails refuses the token.

    Raises:
        RemoteError: ``client.empty``, ``client.malformed``, ``client.rejected``, ``client.wrong_imprint``,
            ``client.wrong_nonce``, ``client.clock_off``, ``client.no_certificate``, ``client.token_refused``.
    """
    if not body:
        raise RemoteError("client.empty", authority=authority)
    try:
        response = parse_response(body)
        token = _granted(response, authority, trust)
        facts = parse_token(token, certificates=trust.certificates)
    except MalformedError as error:
        raise RemoteError("client.malformed", authority=authority, rule=error.code) from error
    _compare(question, facts, authority, trust, received)
    if facts.signer_spki_sha256 is None:
        raise RemoteError("client.no_certificate", authority=authority)
    verdict = verify_token(
        token,
        hash_oid=oids.SHA256,
        imprint=question.digest,
        trust=replace(trust, crls=(*trust.crls, *crls)),
        now=received,
        request=parse_request(question.encoded),
        sent=question.sent,
    )
    failed = [item for item in verdict.findings if item.status is Status.FAILED]
    if failed:
        raise RemoteError(
            "client.token_refused", authority=authority, reason=", ".join(item.code for item in failed)
        )
    return Accepted(token=token, gen_time=facts.gen_time, tsa=facts.signer_spki_sha256)


def _granted(response: TimestampResponse, authority: str, trust: TokenTrust) -> bytes:
    granted = response.status == 0 or (response.status == 1 and trust.allow_mods)
    if not granted:
        raise RemoteError(
            "client.rejected",
            authority=authority,
            status=response.status,
            failure=response.failure or "-",
            text=_printable(response.status_text),
        )
    if response.token is None:
        raise RemoteError("client.malformed", authority=authority, rule="token_missing")
    return response.token


def _compare(
    question: Question, facts: TokenFacts, authority: str, trust: TokenTrust, received: datetime
) -> None:
    """The mix-ups that have a cause of their own, told apart for the person who must act on them."""
    if (facts.hash_oid, facts.imprint) != (oids.SHA256, question.digest):
        raise RemoteError("client.wrong_imprint", authority=authority)
    if facts.nonce != question.nonce:
        raise RemoteError("client.wrong_nonce", authority=authority)
    slack = timedelta(milliseconds=trust.clock_tolerance_ms + min(facts.accuracy_ms or 0, 60_000))
    apart = max(question.sent - facts.gen_time, facts.gen_time - received)
    if apart > slack:
        raise RemoteError("client.clock_off", authority=authority, seconds=max(1, int(apart.total_seconds())))


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST_TEXT] or "-"
