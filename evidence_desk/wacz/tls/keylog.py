"""NSS key log (draft-ietf-tls-keylogfile §2): the secrets a browser wrote down, by label and client random."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

from evidence_desk.errors import MalformedError

MAX_SIZE: Final = 64 << 20
LABELS: Final = frozenset({
    "CLIENT_RANDOM", "CLIENT_EARLY_TRAFFIC_SECRET", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0",
})  # fmt: skip
"""Those that decryption needs; lines with other labels are left aside."""
MASTER_SIZE: Final = 48
"""Bytes of the master secret of TLS 1.2."""
_LINE: Final = re.compile(rb"([A-Z][A-Z0-9_]{0,63}) ([0-9a-fA-F]{64}) ([0-9a-fA-F]{64}|[0-9a-fA-F]{96})\Z")
_OTHER: Final = re.compile(rb"[A-Z][A-Z0-9_]{0,63} [\x20-\x7e]{0,4096}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLog:
    """Secrets of many sessions.

    Attributes:
        secrets: by label and client random (32 bytes).
        torn: the last line was cut: the browser was killed while it wrote.
    """

    secrets: Mapping[tuple[str, bytes], bytes] = field(repr=False)
    torn: bool

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a key log; comments, blank lines and unknown labels are skipped, a torn last line is dropped.

        Raises:
            MalformedError: ``malformed.too_large`` over 64 MiB; ``malformed.keylog`` for a line of another shape, or two
                different secrets for the same session.
        """
        if len(data) > MAX_SIZE:
            raise MalformedError("malformed.too_large", what="key log", limit=MAX_SIZE)
        secrets: dict[tuple[str, bytes], bytes] = {}
        torn = False
        lines = data.split(b"\n")
        for number, line in enumerate(lines, 1):
            found = _LINE.match(line.rstrip(b"\r"))
            if found is None or (found[1] == b"CLIENT_RANDOM" and len(found[3]) != 2 * MASTER_SIZE):
                if number == len(lines):
                    torn = bool(line)
                elif not _harmless(line.rstrip(b"\r")):
                    raise MalformedError("malformed.keylog", line=number)
                continue
            label = found[1].decode()
            if label in LABELS:
                secret = bytes.fromhex(found[3].decode())
                if secrets.setdefault((label, bytes.fromhex(found[2].decode())), secret) != secret:
                    raise MalformedError("malformed.keylog", line=number)
        return cls(secrets=MappingProxyType(secrets), torn=torn)

    def secret(self, label: str, client_random: bytes, size: int) -> bytes | None:
        """A secret of `size` bytes, None when the log has none."""
        found = self.secrets.get((label, client_random))
        return found if found is not None and len(found) == size else None


def select_lines(data: bytes, client_randoms: Container[bytes]) -> bytes:
    """The lines of a key log that belong to the given sessions, as they stand: for copies that disclose only these."""
    kept = []
    for line in data.split(b"\n"):
        found = _LINE.match(line.rstrip(b"\r"))
        if found is not None and bytes.fromhex(found[2].decode()) in client_randoms:
            kept.append(line + b"\n")
    return b"".join(kept)


def _harmless(line: bytes) -> bool:
    """Whether a line is empty, a comment, or one of a label that we do not know."""
    if not line or line.startswith(b"#"):
        return True
    return _OTHER.match(line) is not None and line.split(b" ", 1)[0].decode() not in LABELS
