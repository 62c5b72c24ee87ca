"""Certificates that servers showed: name, time, revocation, roots."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from evidence_desk.core.canonical import encode
from evidence_desk.core.capture.connection import encode_connection
from evidence_desk.core.digests import sha256
from evidence_desk.core.trust import NO_TRUST
from evidence_desk.core.verdict import Dimension, Status, Vouches
from evidence_desk.verify.capture_servers import _is_name, check_servers
from evidence_desk.verify.capture_work import Work
from tests.sites.authority import SiteCa
from tests.unit.wacz.tls_recording import connection

NOW = datetime.now(UTC)
CA = SiteCa()
LEAVES = {
    "right": CA.leaf("site.test"),
    "stapled": CA.leaf("site.test", kind="rsa", staple=True),
    "expired": CA.leaf("site.test", expired=True),
    "self": CA.self_signed("site.test"),
}


class Archive:
    """What is asked of a reader: two lists, and certificates by address."""

    def __init__(self, chain, *, ocsp=None, host="site.test", sni: str | None = "site.test", gone=()) -> None:
        session: dict[str, Any] = {
            "connection": 1, "sni": sni, "certificates": [sha256(item).hex() for item in chain],
            "ocsp": None if ocsp is None else sha256(ocsp).hex(), "scts": [], "embedded_scts": False,
        }  # fmt: skip
        self._files = {
            "tls.jsonl": encode(session) + b"\n",
            "connections.jsonl": encode_connection(connection(1, host=host)),
        }
        held = [*(("certificate", item) for item in chain), *([] if ocsp is None else [("ocsp", ocsp)])]
        self._held = {
            f"urn:x-evidence-desk:{kind}:sha256:{sha256(item).hex()}": item
            for kind, item in held
            if item not in gone
        }
        self.evidence = {name: len(data) for name, data in self._files.items()}

    def open(self, name):
        return io.BytesIO(self._files[name])

    def find(self, uri):
        data = self._held.get(uri)
        return None if data is None else SimpleNamespace(body=SimpleNamespace(read=lambda _limit: data))


def judge(archive: Archive, *, roots=(CA.root_der,), at=NOW):
    work = Work(None, NO_TRUST, NOW)
    check_servers(work, archive, at, roots)  # type: ignore[arg-type]
    (found,) = work.findings
    assert found.dimension is Dimension.ENVIRONMENT
    return found


def test_a_server_of_a_given_root():
    found = judge(Archive(LEAVES["right"].chain))
    assert (found.code, found.status, found.who_vouches) == (
        "capture.server.right", Status.PASSED, Vouches.CERTIFICATE_AUTHORITY,
    )  # fmt: skip
    assert found.parameters == {"count": 1, "stapled": 0, "logged": 0}


def test_without_roots_the_issuer_stays_open():
    found = judge(Archive(LEAVES["right"].chain), roots=())
    assert (found.code, found.status) == ("capture.server.unknown", Status.UNDETERMINED)


def test_a_staple_is_read():
    leaf = LEAVES["stapled"]
    assert judge(Archive(leaf.chain, ocsp=leaf.staple)).parameters["stapled"] == 1
    other = judge(Archive(LEAVES["right"].chain, ocsp=leaf.staple))
    assert other.parameters["stapled"] == 0, "it speaks of another certificate"


@pytest.mark.parametrize(
    ("archive", "code", "more"),
    [
        (Archive(LEAVES["expired"].chain), "expired", {}),
        (Archive(LEAVES["right"].chain), "expired", {"at": NOW + timedelta(days=200)}),
        (Archive(LEAVES["right"].chain), "expired", {"at": NOW - timedelta(days=2)}),
        (Archive(LEAVES["right"].chain, sni="other.test"), "name", {}),
        (Archive(LEAVES["right"].chain, sni=None, host="203.0.113.7"), "name", {}),
        (Archive(LEAVES["self"].chain), "untrusted", {}),
        (Archive(LEAVES["right"].chain), "untrusted", {"roots": (SiteCa().root_der,)}),
        (Archive(LEAVES["right"].chain[:1]), "untrusted", {}),
        (Archive(LEAVES["right"].chain, gone=LEAVES["right"].chain), "missing", {}),
        (Archive([b"\x30\x03\x02\x01\x01"]), "unreadable", {}),
        (Archive(LEAVES["right"].chain), "malformed", {"roots": (b"no certificate",)}),
    ],
)
def test_what_speaks_against_a_server(archive, code, more):
    found = judge(archive, **more)
    assert (found.code, found.status) == (f"capture.server.{code}", Status.FAILED)


@pytest.mark.parametrize(
    ("host", "name", "covered"),
    [
        ("site.test", "site.test", True), ("SITE.test", "site.test", True), ("a.site.test", "*.site.test", True),
        ("a.b.site.test", "*.site.test", False), ("site.test", "*.site.test", False), ("site.test", "*.test", False),
        ("xsite.test", "site.test", False), ("1.2.3.4", "*.2.3.4", False), ("1.2.3.4", "1.2.3.4", True),
        (".site.test", "*.site.test", False),
    ],
)  # fmt: skip
def test_names(host, name, covered):
    assert _is_name(host, name) is covered


def test_a_session_that_showed_none_is_left_aside():
    work = Work(None, NO_TRUST, NOW)
    check_servers(work, Archive([]), NOW, ())  # type: ignore[arg-type]
    assert work.findings == []
