"""TimeStampResp: status rules of RFC 3161 §2.4.2, and the strict reading of responses and tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.errors import MalformedError
from tests.unit.tsa import forge
from tests.unit.tsa.judge import REQUEST, not_passed, told
from tsa.response import parse_response, parse_token
from tsa.verify import TokenVerdict, verify_response

BAD_ALGORITHM = forge.tlv(0x03, b"\x07\x80")


def judge(response: bytes, **changes: Any) -> TokenVerdict:
    demands: dict[str, Any] = {
        "hash_oid": forge.SHA256,
        "imprint": forge.digest(forge.SHA256, forge.DATA),
        "trust": forge.pki().trust(),
        "now": forge.NOW,
        "request": REQUEST,
        "sent": forge.GEN - timedelta(seconds=1),
        **changes,
    }
    return told(verify_response(response, **demands))


def test_granted() -> None:
    verdict = judge(forge.response(forge.token()))
    assert not_passed(verdict) == {}
    assert verdict.findings[0].check == "token.status"


@pytest.mark.parametrize("status", [2, 3, 4, 5])
def test_rejection(status: int) -> None:
    response = forge.response(status=status, text="不支持\u202e的\n算法", failure=BAD_ALGORITHM)
    verdict = judge(response)
    assert not_passed(verdict) == {"token.status.rejected": "failed"}
    assert verdict.facts is None
    assert verdict.findings[0].parameters == {"status": status, "failure": "badAlg", "text": "不支持的算法"}


@pytest.mark.parametrize("status", [2, 3, 4, 5])
def test_token_beside_a_rejection(status: int) -> None:
    found = not_passed(judge(forge.response(forge.token(), status=status)))
    assert found == {"token.status.token_beside_rejection": "failed"}


@pytest.mark.parametrize("status", [0, 1])
def test_grant_without_token(status: int) -> None:
    assert not_passed(judge(forge.response(status=status))) == {"token.status.no_token": "failed"}


def test_failure_beside_a_grant() -> None:
    found = not_passed(judge(forge.response(forge.token(), failure=BAD_ALGORITHM)))
    assert found == {"token.status.failure_beside_grant": "failed"}


def test_modified_grant_only_by_policy() -> None:
    response = forge.response(forge.token(), status=1)
    assert not_passed(judge(response)) == {"token.status.modified": "failed"}
    assert not_passed(judge(response, trust=forge.pki().trust(allow_mods=True))) == {}


MALFORMED = {
    "empty": b"",
    "HTML": b"<html><body>502 Bad Gateway</body></html>",
    "trailing byte": forge.response(forge.token()) + b"\0",
    "token alone": forge.token(),
    "status 6": forge.response(status=6),
    "status -1": forge.response(status=-1),
    "text of another kind": forge.seq(forge.seq(forge.num(2), forge.seq(forge.tlv(0x13, b"no")))),
    "text not UTF-8": forge.seq(forge.seq(forge.num(2), forge.seq(forge.tlv(0x0C, b"\xff")))),
    "third element": forge.seq(forge.seq(forge.num(0)), forge.token(), forge.seq()),
    "too large": bytes(5 * 1024 * 1024),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_response(kind: str) -> None:
    with pytest.raises(MalformedError):
        parse_response(MALFORMED[kind])
    assert not_passed(judge(MALFORMED[kind])) == {"token.der.malformed": "failed"}


def test_parsed_fields() -> None:
    parsed = parse_response(forge.response(forge.token()))
    assert (parsed.status, parsed.status_text, parsed.failure) == (0, "", None)
    assert parsed.token is not None
    facts = parse_token(parsed.token)
    assert facts.signer_not_after == forge.END
    assert facts.certificates == (forge.pki().leaf,)
    assert facts.crls == ()
    assert (facts.signature_oid, facts.digest_oid) == ("1.2.840.10045.4.3.2", forge.SHA256)


def test_token_without_certificate_has_the_name_of_its_tsa_field() -> None:
    named = forge.tlv(0xA0, forge.tlv(0xA4, forge.name("伪造时间戳")))
    facts = parse_token(forge.token(certificates=[], info={"tsa": named}))
    assert (facts.signer_certificate, facts.signer_spki_sha256, facts.signer_not_after) == (None, None, None)
    assert facts.tsa_name == "O=伪造所, CN=伪造时间戳"
    assert parse_token(forge.token(certificates=[])).tsa_name == ""


@pytest.mark.parametrize(
    ("accuracy", "milliseconds"),
    [
        (forge.accuracy(1), 1000),
        (forge.accuracy(None, 5), 5),
        (forge.accuracy(None, None, 1), 1),
        (forge.accuracy(2, 500, 999), 2501),
        (forge.accuracy(0), 0),
        (b"", None),
    ],
)
def test_accuracy_in_milliseconds(accuracy: bytes, milliseconds: int | None) -> None:
    assert parse_token(forge.token(info={"accuracy": accuracy})).accuracy_ms == milliseconds


@pytest.mark.parametrize("accuracy", [forge.accuracy(-1), forge.accuracy(1, 1000), forge.accuracy(1, 1, 0)])
def test_accuracy_out_of_range(accuracy: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_token(forge.token(info={"accuracy": accuracy}))
    assert caught.value.code == "malformed.tsa.token"


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for parse in (parse_response, parse_token):
        with pytest.raises(MalformedError):
            parse(data)


def test_extension_twice() -> None:
    one = forge.extension("1.2.3", b"\x05\x00")
    with pytest.raises(MalformedError):
        parse_token(forge.token(info={"extensions": forge.tlv(0xA1, one, one)}))


def test_twins_without_a_readable_identifier() -> None:
    pki = forge.pki()
    other = forge.key("p256", "other")
    twin = forge.certificate(forge.name("A"), pki.root_name, of=other, by=other)
    bad = forge.attribute(forge.ESS_V2, forge.seq(forge.seq()))
    facts = parse_token(forge.token(certificates=[pki.leaf, twin], ess=[bad]))
    assert facts.signer_certificate in (pki.leaf, twin)
