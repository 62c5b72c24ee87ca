"""The authority inside the desk's own process: the same request, issue and strict verification as over HTTP."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path
from typing import Final

from evidence_desk.core.ports import Clock, TimestampReply
from evidence_desk.crypto.oids import DEMO_TSA_POLICY
from evidence_desk.crypto.pki import Identity
from evidence_desk.errors import HostError
from tsa.acceptance import accept, make_question
from tsa.authority.audit import AuditLog
from tsa.authority.clock_guard import ClockGuard
from tsa.authority.issue import Issuer
from tsa.authority.responder import Responder
from tsa.authority.serial import SerialNumbers
from tsa.policy import TokenTrust

ACCURACY: Final = timedelta(seconds=1)
URL: Final = "embedded:"


class EmbeddedAuthority:
    """`core.ports.TimestampAuthority` without a network; 演示/非第三方.

    Args:
        identity: TSA key, certificate and chain with its root; its revocation list is handed on with each token.
        state: folder for serial numbers and audit log; made when missing.
        policy: policy OID of the tokens.
    """

    def __init__(
        self,
        identity: Identity,
        state: Path,
        clock: Clock,
        *,
        name: str = "demo",
        policy: str = DEMO_TSA_POLICY,
        accuracy: timedelta = ACCURACY,
    ) -> None:
        self._name = name
        self._clock = clock
        self._crls = (identity.crl,) if identity.crl else ()
        self._trust = TokenTrust(roots=(identity.root,), crls=self._crls, policies=frozenset({policy}))
        self._responder = make_responder(identity, state, clock, policy=policy, accuracy=accuracy)

    @property
    def name(self) -> str:
        """Name given by the person who configured it."""
        return self._name

    def timestamp(self, digest: bytes) -> TimestampReply:
        """Token over a SHA-256 digest, strictly verified before it is returned.

        Raises:
            RemoteError: ``client.…``, as from an authority over HTTP.
        """
        question = make_question(digest, policy=None, now=self._clock.now())
        response = self._responder.respond(question.encoded)
        received = self._clock.now()
        accepted = accept(question, response, authority=self._name, trust=self._trust, received=received)
        return TimestampReply(
            authority=self._name,
            token=accepted.token,
            request=question.encoded,
            response=response,
            gen_time=accepted.gen_time,
            tsa=accepted.tsa,
            transport={
                "url": URL,
                "sent": question.sent.astimezone(UTC).isoformat(timespec="milliseconds"),
                "received": received.astimezone(UTC).isoformat(timespec="milliseconds"),
                "round_trip_ms": (received - question.sent) // timedelta(milliseconds=1),
            },
            crls=self._crls,
        )

    def close(self) -> None:
        """Close the audit log; idempotent."""
        self._responder.close()


def make_responder(
    identity: Identity, state: Path, clock: Clock, *, policy: str, accuracy: timedelta, national: bool = False
) -> Responder:
    """An authority over a state folder, which is made when missing.

    Raises:
        HostError: ``authority.state``, ``authority.audit_write``.
        ConfigurationError: ``authority.certificate_purpose``, ``authority.policy``, ``authority.accuracy``.
    """
    issuer = Issuer(identity, policy=policy, accuracy=accuracy, national=national)
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise HostError("authority.state", reason=error.strerror or "") from error
    audit = AuditLog(state)
    guard = ClockGuard(clock, tolerance=accuracy, not_before=audit.newest_token())
    return Responder(issuer, serials=SerialNumbers(state), guard=guard, audit=audit, clock=clock)
