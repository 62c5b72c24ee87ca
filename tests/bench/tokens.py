"""Verifying tokens against rfc3161-client, and issuing them."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
from asn1crypto import pem
from cryptography import x509
from rfc3161_client import VerifierBuilder, decode_timestamp_response

from evidence_desk.core.digests import sha256
from evidence_desk.core.verdict import Status
from evidence_desk.crypto import oids
from tests.bench.report import Figure, paired
from tests.bench.servers import demo_authority
from tsa.policy import TokenTrust
from tsa.request import build_request
from tsa.verify import verify_response

QUERY = {"Content-Type": "application/timestamp-query"}


def verification(folder: Path, small: bool) -> Iterator[Figure]:
    """Our whole verification (with chain and CRL) against rfc3161-client's (chain, no revocation): 50 fresh tokens."""
    count = 10 if small else 50
    with demo_authority(folder / "authority") as (url, root_pem), httpx.Client() as http:
        crl = http.get(f"{url}crl.der").content
        digests = [sha256(os.urandom(32)) for _ in range(count)]
        responses = [
            http.post(url, headers=QUERY, content=build_request(
                hash_oid=oids.SHA256, imprint=digest, nonce=int.from_bytes(os.urandom(8), "big")
            )).content
            for digest in digests
        ]  # fmt: skip
    root = pem.unarmor(root_pem.encode())[2]
    trust = TokenTrust(roots=(root,), crls=(crl,))
    peer = VerifierBuilder().add_root_certificate(x509.load_der_x509_certificate(root)).build()

    def ours() -> None:
        for response, digest in zip(responses, digests, strict=True):
            now = datetime.now(UTC)
            verdict = verify_response(response, hash_oid=oids.SHA256, imprint=digest, trust=trust, now=now)
            assert verdict.status is Status.PASSED

    def theirs() -> None:
        for response, digest in zip(responses, digests, strict=True):
            peer.verify(decode_timestamp_response(response), digest)

    ours()
    ratio, mine, other = paired(ours, theirs, 21)
    yield Figure("token verification with chain", ratio, "×", 1.5,
                 f"ours {mine / count * 1e6:.0f} µs (with revocation, second decoder) / rfc3161-client "
                 f"{other / count * 1e6:.0f} µs, 21 pairs of {count}")  # fmt: skip


def authority(folder: Path, small: bool) -> Iterator[Figure]:
    """Tokens a second of one server process (one core) over HTTP on loopback, four clients."""
    span = 2.0 if small else 10.0
    with demo_authority(folder / "authority") as (url, _):
        took: list[float] = []
        threads = [threading.Thread(target=_ask, args=(url, span, took)) for _ in range(4)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed = time.perf_counter() - start
    yield Figure("authority, P-256, tokens a second", len(took) / elapsed, "1/s", 300,
                 f"{len(took):,} tokens over HTTP, clients on the other core, median {statistics.median(took) * 1e3:.1f} ms",
                 at_least=True)  # fmt: skip


def _ask(url: str, span: float, took: list[float]) -> None:
    with httpx.Client() as http:
        stop = time.perf_counter() + span
        while (start := time.perf_counter()) < stop:
            request = build_request(
                hash_oid=oids.SHA256, imprint=os.urandom(32), nonce=int.from_bytes(os.urandom(8), "big")
            )
            http.post(url, headers=QUERY, content=request).raise_for_status()
            took.append(time.perf_counter() - start)
