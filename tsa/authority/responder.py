"""One authority at work: request in, response out, with serials, guarded clock and audit log behind it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from evidence_desk.core.ports import Clock
from evidence_desk.crypto.pki import Identity
from evidence_desk.errors import EvidenceDeskError, HostError
from tsa.authority.audit import AuditLog
from tsa.authority.clock_guard import ClockGuard
from tsa.authority.issue import Failure, Issuer, Refusal, refuse
from tsa.authority.serial import SerialNumbers


class Responder:
    """Answers every request with a DER TimeStampResp: a token, or a rejection that says why."""

    def __init__(
        self, issuer: Issuer, *, serials: SerialNumbers, guard: ClockGuard, audit: AuditLog, clock: Clock
    ) -> None:
        self._issuer = issuer
        self._serials = serials
        self._guard = guard
        self._audit = audit
        self._clock = clock

    def respond(self, request: bytes) -> bytes:
        """Response to any bytes; a doubt about clock, serials or audit log becomes a rejection, never a token."""
        try:
            question = self._issuer.examine(request)
            moment = self._time()
            serial = self._serials.next()
            response = self._issuer.answer(question, serial=serial, time=moment)
            self._audit.append(
                "granted",
                moment,
                {
                    "serial": f"{serial:x}",
                    "policy": question.policy,
                    "hash": question.hash_oid,
                    "response_sha256": hashlib.sha256(response).hexdigest(),
                },
            )
        except Refusal as refusal:
            return self._refuse(refusal)
        except EvidenceDeskError as error:
            return self._refuse(
                Refusal(Failure.SYSTEM_FAILURE, "the authority is out of order", cause=error.code)
            )
        return response

    def _time(self) -> datetime:
        try:
            return self._guard.now()
        except EvidenceDeskError as error:
            raise Refusal(Failure.TIME_NOT_AVAILABLE, "the clock is in doubt", cause=error.code) from error

    def _refuse(self, refusal: Refusal) -> bytes:
        facts: dict[str, str | int] = {"failure": refusal.failure.name}
        if refusal.cause:
            facts["cause"] = refusal.cause
        # When even this line can't be written the client is refused all the same.
        with contextlib.suppress(EvidenceDeskError):
            self._audit.append("refused", self._clock.now(), facts)
        return refuse(refusal)

    def close(self) -> None:
        """Close the audit log; idempotent."""
        self._audit.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def make_responder(
    identity: Identity,
    state: Path,
    clock: Clock,
    *,
    policy: str,
    accuracy: timedelta,
    national: bool = False,
    sources: Mapping[str, Callable[[], datetime]] | None = None,
) -> Responder:
    """An authority over a state folder, which is made when missing; `sources` are clocks to compare with.

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
    guard = ClockGuard(clock, tolerance=accuracy, not_before=audit.newest_token(), sources=sources)
    return Responder(issuer, serials=SerialNumbers(state), guard=guard, audit=audit, clock=clock)
