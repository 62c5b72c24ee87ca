"""SM2 and SM3 tokens in the spellings that national signers use (参照 GM/T 0009, 0010, 0033)."""

from __future__ import annotations

from typing import Any

import pytest

from evidence_desk.core.verdict import Status
from evidence_desk.crypto.suites import sm3_with_identity
from tests.unit.tsa import forge
from tests.unit.tsa.judge import judge, not_passed
from tsa.verify import TokenVerdict

SIGNATURES = ("1.2.156.10197.1.501", "1.2.156.10197.1.301.1", "1.2.156.10197.1.301")


def verdict(*, info: dict[str, Any] | None = None, **changes: Any) -> TokenVerdict:
    pki = forge.pki("sm2")
    return judge(
        forge.token(pki=pki, info={"hash_oid": forge.SM3, **(info or {})}, **changes),
        hash_oid=forge.SM3,
        imprint=forge.digest(forge.SM3, forge.DATA),
        trust=pki.trust(),
    )


@pytest.mark.parametrize("outer", [forge.SIGNED_DATA, forge.NATIONAL])
@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("digest_oid", [forge.SM3, forge.SM2_SM3])
def test_spellings(outer: str, signature: str, digest_oid: str) -> None:
    found = verdict(outer_type=outer, signature_algorithm=forge.algorithm(signature), digest_oid=digest_oid)
    assert not_passed(found) == {}
    assert found.caveats == ()


def test_version_of_the_national_outer_type() -> None:
    assert not_passed(verdict(outer_type=forge.NATIONAL, version=1)) == {}


def test_digest_with_identity_passes_and_is_reported() -> None:
    with_identity = sm3_with_identity(forge.pki("sm2").key.spki, forge.tst_info(hash_oid=forge.SM3))
    found = verdict(message_digest=with_identity)
    assert found.status is Status.PASSED
    assert [item.code for item in found.caveats] == ["token.attributes.za_digest"]


def test_wrong_digest_is_refused() -> None:
    assert not_passed(verdict(message_digest=bytes(32))) == {"token.attributes.digest_wrong": "failed"}


def test_sm2_beside_another_digest_is_refused() -> None:
    assert not_passed(verdict(digest_oid=forge.SHA256)) == {"token.signature.digest": "failed"}


def test_sm3_beside_an_international_key() -> None:
    assert not_passed(judge(forge.token(digest_oid=forge.SM3))) == {}


def test_signature_of_another_sm2_key() -> None:
    found = not_passed(verdict(key=forge.key("sm2", "other")))
    assert found == {"token.signature.wrong": "failed"}


def test_no_message_digest_at_all() -> None:
    content_type = forge.attribute(forge.CONTENT_TYPE, forge.oid(forge.TST_INFO))
    found = verdict(attributes=[content_type, forge.ess_v2(forge.pki("sm2").leaf)])
    assert not_passed(found) == {"token.attributes.not_once": "failed"}
    assert found.caveats == ()
