"""The authority inside the desk's own process: the same request, issue and strict verification as over HTTP."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path
from typing import Final

from evidence_desk.core.ports import Clock
from evidence_desk.core.rows import TimestampReply
from evidence_desk.crypto.oids import DEMO_TSA_POLICY
from evidence_desk.crypto.pki import Identity
from tsa.acceptance import accept, make_question
from tsa.authority.responder import make_responder
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
