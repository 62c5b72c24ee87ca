"""RFC 3161 tokens over the headers after which the validators changed: who keeps them can't be asked later."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import structlog
from asn1crypto import pem

from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.court.node.gateway.chain import Chain
from evidence_desk.court.node.gateway.index import GatewayIndex
from evidence_desk.court.node.gateway.settings import GatewaySettings
from evidence_desk.court.protocol.block import LightBlock
from evidence_desk.court.protocol.tokens import TOKEN_DELAY
from evidence_desk.crypto.pki import KeyKind
from evidence_desk.errors import ConfigurationError, EvidenceDeskError
from tsa.authority.embedded import EmbeddedAuthority
from tsa.authority.keys import open_keys
from tsa.client import HttpAuthority
from tsa.policy import TokenTrust

_log = structlog.get_logger()

_LOOK_SECONDS: Final = 2.0
_LATER_SECONDS: Final = 60.0
_MARGIN: Final = timedelta(hours=1)


class SystemClock:
    """`core.ports.Clock` of this machine."""

    def now(self) -> datetime:
        """Present time, UTC."""
        return datetime.now(UTC)


class Tokens:
    """Tokens by header hash; fetched in the background, so that no answer waits for an authority."""

    def __init__(self, index: GatewayIndex, authority: TimestampAuthority | None) -> None:
        self._index = index
        self._authority = authority
        self._known: dict[bytes, bytes] = {}

    def known(self, header_hash: bytes) -> bytes:
        """Token over a header, b"" when there is none."""
        if header_hash not in self._known:
            token = self._index.token(header_hash)
            if not token:
                return b""
            self._known[header_hash] = token
        return self._known[header_hash]

    async def keep_stamping(self, chain: Chain) -> None:
        """Timestamp every change of the set in time, until canceled."""
        while True:
            delay = _LOOK_SECONDS
            for block in tuple(chain.changes):
                try:
                    await self._stamp(block)
                except EvidenceDeskError as error:
                    _log.warning("gateway.token", code=error.code, height=block.header.height)
                    delay = _LATER_SECONDS
            await asyncio.sleep(delay)

    async def _stamp(self, block: LightBlock) -> None:
        digest = block.header.hash
        late = datetime.now(UTC) - block.header.time.moment() > TOKEN_DELAY - _MARGIN
        if self._authority is None or late or self.known(digest):
            return
        reply = await asyncio.to_thread(self._authority.timestamp, digest)
        self._index.add_token(digest, reply.token)
        _log.info("gateway.token_made", height=block.header.height, authority=reply.authority)


def open_authority(settings: GatewaySettings, home: Path, state: Path) -> TimestampAuthority | None:
    """The authority the settings name, None when they name none.

    Raises:
        ConfigurationError: ``api.tsa_roots`` for a file that can't be read.
        UsageError: ``client.url``.
    """
    clock = SystemClock()
    if settings.demo_authority:
        keys = open_keys(home / settings.demo_authority, KeyKind.P256, now=clock.now())
        return EmbeddedAuthority(keys.tsa, state, clock)
    if not settings.tsa_url:
        return None
    roots = _roots(home / settings.tsa_roots) if settings.tsa_roots else TokenTrust()
    http = httpx.Client(follow_redirects=False)
    policy = settings.tsa_policy or None
    return HttpAuthority("gateway", settings.tsa_url, roots, http, clock, policy=policy)


def _roots(path: Path) -> TokenTrust:
    try:
        blocks = list(pem.unarmor(path.read_bytes(), multiple=True))
    except (OSError, ValueError) as error:
        raise ConfigurationError("api.tsa_roots", path=path.name) from error
    return TokenTrust(
        roots=tuple(der for kind, _, der in blocks if kind == "CERTIFICATE"),
        crls=tuple(der for kind, _, der in blocks if kind == "X509 CRL"),
    )
