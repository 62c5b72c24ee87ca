"""What trust roots may and may not do for evidence that does not belong to them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.digests import sha256
from evidence_desk.core.log import note_keys
from evidence_desk.core.trust import MAX_FILES, NO_TRUST, Roots, Trust, parse_trust
from evidence_desk.core.verdict import Status
from evidence_desk.errors import MalformedError
from tests.unit.verify.evidence import OTHER_DESK, STRANGER, Scene, codes, former, overall

PASSED, FAILED, UNKNOWN = Status.PASSED, Status.FAILED, Status.UNDETERMINED


def test_nothing_is_trusted_by_default(scene: Scene):
    assert Trust() == NO_TRUST
    assert overall(scene.item("single").judge(NO_TRUST)) is UNKNOWN


def test_the_roots_of_certificates_do_not_serve_for_timestamps(scene: Scene):
    """Each kind of root for its own purpose: who may sign certificates may not date data."""
    trust = Trust(authorities=scene.trust.signers, desks=scene.trust.desks)
    verdict = scene.item("single").judge(trust)
    assert codes(verdict.findings, FAILED) == {"token.chain.untrusted"}


def test_the_token_signers_own_certificate_is_no_root(scene: Scene):
    facts = scene.item("single").judge(scene.trust).facts
    assert facts is not None
    token = facts.times[0].token
    assert token is not None
    assert token.signer_certificate is not None
    trust = replace(scene.trust, authorities=(Roots(name="x", certificates=(token.signer_certificate,)),))
    assert overall(scene.item("single").judge(trust)) is not PASSED


def test_key_of_another_origin_says_nothing(scene: Scene):
    for origin in (OTHER_DESK, former(scene.origin)):
        trust = replace(scene.trust, desks={origin: note_keys(origin, scene.signer)})
        verdict = scene.item("single").judge(trust)
        assert "log.signature.no_key" in codes(verdict.findings, UNKNOWN)


def test_wrong_key_of_the_origin_fails(scene: Scene):
    trust = replace(scene.trust, desks={scene.origin: note_keys(scene.origin, STRANGER)})
    verdict = scene.item("single").judge(trust)
    assert codes(verdict.findings, FAILED) == {"log.signature.wrong", "time.checkpoint.signature"}


@pytest.mark.parametrize("junk", [b"", b"0\x00", b"junk", b"\x30\x82\xff\xff"])
def test_junk_among_the_roots_harms_nobody(scene: Scene, junk):
    """A root that cannot be read is no root; the others stand."""
    (roots,) = scene.trust.authorities
    more = replace(roots, certificates=(junk, *roots.certificates), crls=(junk, *roots.crls))
    assert overall(scene.item("single").judge(replace(scene.trust, authorities=(more,)))) is PASSED
    only = replace(roots, certificates=(junk,), crls=(junk,))
    assert overall(scene.item("single").judge(replace(scene.trust, authorities=(only,)))) is not PASSED


def manifest(names: list[str]) -> bytes:
    listed: list[JSON] = [{"name": "x", "files": list[JSON](names)}]
    return encode(
        {
            "v": "trust/1", "authorities": listed, "signers": [], "desks": [], "networks": [],
            "files": {"a.pem": sha256(b"").hex()},
        }
    )  # fmt: skip


def test_a_short_list_cannot_ask_for_endless_reading():
    read: list[str] = []

    def reading(name: str) -> bytes:
        read.append(name)
        return b""

    with pytest.raises(MalformedError) as caught:
        parse_trust(manifest(["a.pem"] * (MAX_FILES + 1)), reading)
    assert caught.value.code == "malformed.trust"
    assert len(read) <= MAX_FILES
