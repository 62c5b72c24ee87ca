"""What the steps of one verification share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from evidence_desk.crypto import oids
from evidence_desk.crypto.suites import DIGESTS
from evidence_desk.crypto.x509 import Certificate
from tsa.policy import TokenTrust
from tsa.request import TimestampRequest
from tsa.response import Token

_FAR: Final = 10_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A token, what is demanded of it, and the times to judge it by.

    Attributes:
        signer: certificate of the signer, None when not at hand.
        moment: earliest independent proof of existence, else now.
        sent: local time when the request left.
    """

    token: Token
    signer: Certificate | None
    hash_oid: str
    imprint: bytes
    trust: TokenTrust
    now: datetime
    proof: datetime | None
    request: TimestampRequest | None
    sent: datetime | None

    @property
    def moment(self) -> datetime:
        """Time by which certificates and algorithms are judged."""
        return self.now if self.proof is None else min(self.proof, self.now)

    @property
    def accuracy(self) -> timedelta:
        """Stated accuracy, zero when none is stated."""
        return timedelta(milliseconds=min(self.token.info.accuracy_ms or 0, _FAR))

    @property
    def signer_digest(self) -> str:
        """Digest of the SignerInfo; some national signers write the signature's OID there (GM/T 0010)."""
        written = self.token.signed.signers[0].digest_oid
        return oids.SM3 if written == oids.SM2_SM3 else written

    def weak_since(self, digest_oid: str) -> datetime | None:
        """The day a digest ceased to be good, when that day is before the moment of judgment."""
        known = DIGESTS.get(digest_oid)
        since = None if known is None else known.weak_since
        return since if since is not None and since <= self.moment else None
