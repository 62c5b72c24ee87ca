"""Fixtures of real sessions, see `ends`."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.wacz.tls.ends import Contexts, keep
from tests.unit.wacz.tls.forge import Forge


@pytest.fixture(scope="session")
def identity(tmp_path_factory) -> Callable[[str], Path]:
    """Maker of server identities, one of each kind."""
    folder = tmp_path_factory.mktemp("identities")
    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in made:
            made[kind] = keep(folder, kind)
        return made[kind]

    return make


@pytest.fixture
def contexts(identity, tmp_path) -> Callable[..., Contexts]:
    """Maker of settings: kind of key, version, suites of TLS 1.2, protocols."""

    def make(
        kind: str = "p256", version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, ciphers: str | None = None,
        alpn: tuple[str, ...] = (), log: str = "keys.log",
    ) -> Contexts:  # fmt: skip
        pem = identity(kind)
        client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(pem)
        client.load_verify_locations(pem)
        for context in (client, server):
            context.minimum_version = context.maximum_version = version
            if ciphers is not None:
                context.set_ciphers(ciphers)
            if alpn:
                context.set_alpn_protocols(list(alpn))
        client.keylog_filename = str(tmp_path / log)
        return Contexts(client, server, tmp_path / log)

    return make


@pytest.fixture
def forge(identity):
    return Forge(identity("p256"))
