"""One token for each refusal of the verifier: right but for exactly that fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from evidence_desk.core.verdict import Dimension, Status
from tests.unit.tsa import forge
from tests.unit.tsa.forge import GEN, NOW, Pki, attribute, num, octets, oid, seq, tlv
from tests.unit.tsa.judge import REQUEST, judge, not_passed
from tsa.policy import DEMO_TSA_POLICY

FAILED, UNKNOWN = "failed", "undetermined"
FREE_TEXT = "1.3.6.1.4.1.99999.1"

Made = tuple[bytes, dict[str, Any]]


def other_leaf(*extensions: bytes, **changes: Any) -> Made:
    """A token whose signer certificate is wrong, otherwise right."""
    pki = Pki(leaf_extensions=extensions, **changes)
    return forge.token(pki=pki), {"trust": pki.trust()}


def content_type_attribute() -> bytes:
    return attribute(forge.CONTENT_TYPE, oid(forge.TST_INFO))


def message_digest_attribute() -> bytes:
    return attribute(forge.MESSAGE_DIGEST, octets(forge.digest(forge.SHA256, forge.tst_info())))


def reused_serial() -> Made:
    pki = forge.pki()
    facts = judge(forge.token()).facts
    assert facts is not None
    assert facts.signer_spki_sha256 is not None
    return forge.token(pki=pki), {"seen": {(facts.signer_spki_sha256, 42): b"other content"}}


def weak_chain() -> Made:
    pki = Pki()
    pki.leaf = forge.certificate(
        pki.leaf_name,
        pki.root_name,
        of=pki.key,
        by=pki.root_key,
        signature_algorithm=forge.algorithm("1.2.840.10045.4.1"),
        with_hash=hashes.SHA1(),
    )
    return forge.token(pki=pki), {"trust": pki.trust()}


def self_signed_stranger() -> Made:
    pki = Pki()
    pki.leaf = forge.certificate(pki.root_name, pki.root_name, of=pki.key, by=pki.key)
    return forge.token(pki=pki), {}


def swapped_certificate() -> Made:
    """The signer's key in a second certificate with the same issuer and serial, put in place of the first."""
    pki = forge.pki()
    twin = forge.certificate(forge.name("替身"), pki.root_name, of=pki.key, by=pki.root_key)
    return forge.token(certificates=[twin]), {}


def weak_key() -> Made:
    pki = Pki(kind="rsa1024")
    return forge.token(pki=pki), {"trust": pki.trust()}


def protection(digest_oid: str, signature: bytes) -> bytes:
    return attribute(forge.PROTECTION, seq(forge.algorithm(digest_oid), b"\xa1" + signature[1:]))


def info(**changes: Any) -> Callable[[], Made]:
    return lambda: (forge.token(info=changes), {})


def token(**changes: Any) -> Callable[[], Made]:
    return lambda: (forge.token(**changes), {})


def demand(**changes: Any) -> Callable[[], Made]:
    return lambda: (forge.token(), changes)


def extensions(critical: bytes) -> bytes:
    return tlv(0xA1, seq(oid(FREE_TEXT), critical, octets(b"\x05\x00")))


LONG_SERIAL = num(1 << 161)
LEAF_NAME = forge.name("伪造时间戳")

FAULTS: dict[str, tuple[Callable[[], Made], str, str]] = {
    # step 1: DER
    "trailing byte": (lambda: (forge.token() + b"\0", {}), "token.der.malformed", FAILED),
    "truncated": (lambda: (forge.token()[:-1], {}), "token.der.malformed", FAILED),
    "empty": (lambda: (b"", {}), "token.der.malformed", FAILED),
    "50 MB": (lambda: (b"\x30\x84\x03\x00\x00\x00" + bytes(50_331_648), {}), "token.der.malformed", FAILED),
    "long form length": (
        lambda: (b"\x30\x83\x00" + forge.token()[2:], {}),
        "token.der.malformed",
        FAILED,
    ),
    "indefinite length": (
        lambda: (b"\x30\x80" + forge.token()[4:] + b"\0\0", {}),
        "token.der.malformed",
        FAILED,
    ),
    "false written out": (info(ordering=b"\x01\x01\x00"), "token.der.malformed", FAILED),
    "boolean 01": (info(ordering=b"\x01\x01\x01"), "token.der.malformed", FAILED),
    "padded serial": (info(serial=b"\x02\x02\x00\x2a"), "token.der.malformed", FAILED),
    "time without seconds": (info(gen_time=b"202606011200Z"), "token.der.malformed", FAILED),
    "time with zone": (info(gen_time=b"20260601200000+0800"), "token.der.malformed", FAILED),
    "time with trailing zero": (info(gen_time=b"20260601120000.10Z"), "token.der.malformed", FAILED),
    "thirteenth month": (info(gen_time=b"20261301120000Z"), "token.der.malformed", FAILED),
    "last second of the calendar": (info(gen_time=b"99991231235959Z"), "token.der.malformed", FAILED),
    "first second of the calendar": (info(gen_time=b"00010101000000Z"), "token.der.malformed", FAILED),
    "no millis": (info(accuracy=forge.accuracy(1, 0)), "token.der.malformed", FAILED),
    "signed attributes out of order": (
        token(
            attributes=[message_digest_attribute(), content_type_attribute(), forge.ess_v2(forge.pki().leaf)],
            attributes_ordered=False,
        ),
        "token.der.malformed",
        FAILED,
    ),
    # step 3: content
    "TSTInfo version 2": (info(version=num(2)), "token.der.malformed", FAILED),
    "content is no TSTInfo": (token(content_type="1.2.840.113549.1.7.1"), "token.der.malformed", FAILED),
    "outer type is no SignedData": (token(outer_type="1.2.840.113549.1.7.3"), "token.der.malformed", FAILED),
    "SignedData version 1": (token(version=1), "token.der.malformed", FAILED),
    "SignerInfo version 3": (token(signer_version=3), "token.der.malformed", FAILED),
    "33 certificates": (
        token(certificates=[seq(num(item)) for item in range(33)]),
        "token.der.malformed",
        FAILED,
    ),
    "critical extension": (
        info(extensions=extensions(b"\x01\x01\xff")),
        "token.content.critical_extension",
        FAILED,
    ),
    "negative serial": (info(serial=num(-1)), "token.content.serial", FAILED),
    "serial of 162 bits": (info(serial=LONG_SERIAL), "token.content.serial", FAILED),
    # step 4: signer
    "no signer": (token(signers=0), "token.signer.count", FAILED),
    "two signers": (token(signers=2), "token.signer.count", FAILED),
    "other issuer named": (
        token(sid=seq(forge.name("别家"), num(7))),
        "token.signer.no_certificate",
        UNKNOWN,
    ),
    "no certificate anywhere": (token(certificates=[]), "token.signer.no_certificate", UNKNOWN),
    # step 5: attributes
    "no signed attributes": (token(no_attributes=True), "token.attributes.missing", FAILED),
    "no message digest": (
        token(attributes=[content_type_attribute(), forge.ess_v2(forge.pki().leaf)]),
        "token.attributes.not_once",
        FAILED,
    ),
    "no content type": (
        token(attributes=[message_digest_attribute(), forge.ess_v2(forge.pki().leaf)]),
        "token.attributes.not_once",
        FAILED,
    ),
    "message digest twice": (
        token(more_attributes=[attribute(forge.MESSAGE_DIGEST, octets(bytes(32)))]),
        "token.attributes.not_once",
        FAILED,
    ),
    "message digest with two values": (
        token(
            attributes=[
                content_type_attribute(),
                attribute(
                    forge.MESSAGE_DIGEST,
                    octets(forge.digest(forge.SHA256, forge.tst_info())),
                    octets(bytes(32)),
                ),
                forge.ess_v2(forge.pki().leaf),
            ]
        ),
        "token.attributes.not_once",
        FAILED,
    ),
    "other content type signed": (
        token(attribute_content_type="1.2.840.113549.1.7.1"),
        "token.attributes.content_type",
        FAILED,
    ),
    "other content": (token(message_digest=bytes(32)), "token.attributes.digest_wrong", FAILED),
    "message digest of another kind": (
        token(
            attributes=[
                content_type_attribute(),
                attribute(forge.MESSAGE_DIGEST, num(5)),
                forge.ess_v2(forge.pki().leaf),
            ]
        ),
        "token.attributes.malformed",
        FAILED,
    ),
    "digest not announced": (
        token(digest_oids=[forge.SHA512]),
        "token.attributes.digest_not_announced",
        FAILED,
    ),
    "no digest announced": (token(digest_oids=[]), "token.attributes.digest_not_announced", FAILED),
    "unknown digest": (
        token(digest_oids=[FREE_TEXT], digest_oid=FREE_TEXT, message_digest=bytes(32)),
        "token.attributes.digest_unknown",
        FAILED,
    ),
    "other algorithms protected": (
        token(more_attributes=[protection(forge.SHA512, forge.pki().key.algorithm)]),
        "token.attributes.algorithm_protection",
        FAILED,
    ),
    "algorithm protection with two values": (
        token(more_attributes=[attribute(forge.PROTECTION, seq(), seq(num(1)))]),
        "token.attributes.algorithm_protection",
        FAILED,
    ),
    # step 6: signature
    "signature of another key": (token(key=forge.key("p256", "other")), "token.signature.wrong", FAILED),
    "empty signature": (token(signature=b""), "token.signature.unsupported", FAILED),
    "signature of another algorithm": (
        token(signature_algorithm=forge.key("rsa").algorithm),
        "token.signature.mismatch",
        FAILED,
    ),
    "unknown algorithm": (
        token(signature_algorithm=forge.algorithm(FREE_TEXT)),
        "token.signature.unsupported",
        FAILED,
    ),
    "parameters beside ECDSA": (
        token(signature_algorithm=forge.algorithm("1.2.840.10045.4.3.2", b"\x05\x00")),
        "token.signature.mismatch",
        FAILED,
    ),
    "RSA key of 1024 bits": (weak_key, "token.signature.weak_key", FAILED),
    "Ed25519 beside SHA-256": (
        lambda: (
            forge.token(pki=forge.pki("ed25519"), digest_oid=forge.SHA256),
            {"trust": forge.pki("ed25519").trust()},
        ),
        "token.signature.digest",
        FAILED,
    ),
    "signature with SHA-1": (
        token(signature_algorithm=forge.algorithm("1.2.840.10045.4.1"), with_hash=hashes.SHA1()),
        "token.signature.weak_digest",
        FAILED,
    ),
    # step 7: ESS
    "no ESSCertID": (token(ess=[]), "token.ess.missing", FAILED),
    "certificate swapped": (swapped_certificate, "token.ess.digest_wrong", FAILED),
    "ESS v1 of another certificate": (token(ess=[forge.ess_v1(b"other")]), "token.ess.digest_wrong", FAILED),
    "ESS v2 right, v1 wrong": (
        token(ess=[forge.ess_v2(forge.pki().leaf), forge.ess_v1(b"other")]),
        "token.ess.digest_wrong",
        FAILED,
    ),
    "ESS v1 right, v2 wrong": (
        token(ess=[forge.ess_v1(forge.pki().leaf), forge.ess_v2(b"other")]),
        "token.ess.digest_wrong",
        FAILED,
    ),
    "ESS twice": (
        token(ess=[forge.ess_v2(forge.pki().leaf), forge.ess_v2(b"other")]),
        "token.ess.malformed",
        FAILED,
    ),
    "ESS without entry": (
        token(ess=[attribute(forge.ESS_V2, seq(seq()))]),
        "token.ess.malformed",
        FAILED,
    ),
    "ESS with unknown digest": (
        token(
            ess=[attribute(forge.ESS_V2, seq(seq(seq(forge.algorithm(FREE_TEXT), octets(bytes(32))))))],
        ),
        "token.ess.digest_unknown",
        FAILED,
    ),
    "ESS of another serial": (
        token(
            ess=[forge.ess_v2(forge.pki().leaf, issuer_serial=forge.issuer_serial(forge.pki().root_name, 8))]
        ),
        "token.ess.issuer_serial",
        FAILED,
    ),
    "ESS of another issuer": (
        token(ess=[forge.ess_v2(forge.pki().leaf, issuer_serial=forge.issuer_serial(forge.name("别家"), 7))]),
        "token.ess.issuer_serial",
        FAILED,
    ),
    # step 8: certificate
    "no extended key usage": (
        lambda: other_leaf(forge.key_usage(0)),
        "token.certificate.no_purpose",
        FAILED,
    ),
    "extended key usage not critical": (
        lambda: other_leaf(forge.key_usage(0), forge.purposes(forge.TIME_STAMPING, critical=False)),
        "token.certificate.purpose_not_critical",
        FAILED,
    ),
    "another purpose": (
        lambda: other_leaf(forge.key_usage(0), forge.purposes(forge.CODE_SIGNING)),
        "token.certificate.other_purpose",
        FAILED,
    ),
    "a second purpose": (
        lambda: other_leaf(forge.key_usage(0), forge.purposes(forge.TIME_STAMPING, forge.CODE_SIGNING)),
        "token.certificate.other_purpose",
        FAILED,
    ),
    "key usage for encipherment": (
        lambda: other_leaf(forge.key_usage(2), forge.purposes(forge.TIME_STAMPING)),
        "token.certificate.key_usage",
        FAILED,
    ),
    "key usage for certificates too": (
        lambda: other_leaf(forge.key_usage(0, 5), forge.purposes(forge.TIME_STAMPING)),
        "token.certificate.key_usage",
        FAILED,
    ),
    "signer is a CA": (
        lambda: other_leaf(*forge.LEAF, forge.extension("2.5.29.19", seq(b"\x01\x01\xff"), critical=True)),
        "token.certificate.is_ca",
        FAILED,
    ),
    "critical extension in the certificate": (
        lambda: other_leaf(*forge.LEAF, forge.extension(FREE_TEXT, b"\x05\x00", critical=True)),
        "token.certificate.critical_extension",
        FAILED,
    ),
    "tsa field of another name": (
        info(tsa=tlv(0xA0, tlv(0xA4, forge.name("别家")))),
        "token.certificate.name",
        FAILED,
    ),
    # step 8: chain
    "no root given": (demand(trust=replace(forge.pki().trust(), roots=())), "token.chain.no_root", UNKNOWN),
    "self-signed stranger": (self_signed_stranger, "token.chain.untrusted", FAILED),
    "another root of the same name": (
        demand(
            trust=forge.pki().trust(
                roots=(
                    forge.certificate(
                        forge.pki().root_name,
                        forge.pki().root_name,
                        of=forge.key("p256", "other"),
                        by=forge.key("p256", "other"),
                        extensions=forge.ca_extensions(),
                    ),
                )
            )
        ),
        "token.chain.untrusted",
        FAILED,
    ),
    "the signer's certificate pinned as root": (
        demand(trust=forge.pki().trust(roots=(forge.pki().leaf,))),
        "token.chain.untrusted",
        FAILED,
    ),
    "root is no CA": (
        demand(
            trust=forge.pki().trust(
                roots=(
                    forge.certificate(
                        forge.pki().root_name,
                        forge.pki().root_name,
                        of=forge.key("p256", "root"),
                        by=forge.key("p256", "root"),
                    ),
                )
            )
        ),
        "token.chain.untrusted",
        FAILED,
    ),
    "chain signed with SHA-1": (weak_chain, "token.chain.weak_digest", FAILED),
    "certificate ended before now": (
        lambda: other_leaf(*forge.LEAF, leaf_end=GEN + timedelta(seconds=1)),
        "token.chain.expired",
        UNKNOWN,
    ),
    "certificate ended before genTime": (
        lambda: other_leaf(*forge.LEAF, leaf_end=GEN - timedelta(seconds=1)),
        "token.time.outside_certificate",
        FAILED,
    ),
    "certificate began after genTime": (
        lambda: other_leaf(*forge.LEAF, leaf_start=GEN + timedelta(seconds=1)),
        "token.chain.outside_validity",
        FAILED,
    ),
    # step 9 has its own file
    # step 10: imprint
    "other data": (demand(imprint=forge.digest(forge.SHA256, b"other")), "token.imprint.differs", FAILED),
    "same digest, other algorithm": (demand(hash_oid=forge.SM3), "token.imprint.algorithm", FAILED),
    "imprint of wrong size": (
        lambda: (forge.token(info={"imprint": b"short"}), {"imprint": b"short"}),
        "token.imprint.size",
        FAILED,
    ),
    "unknown imprint algorithm": (
        lambda: (
            forge.token(info={"hash_oid": FREE_TEXT, "imprint": bytes(32)}),
            {"hash_oid": FREE_TEXT, "imprint": bytes(32)},
        ),
        "token.imprint.unknown_digest",
        FAILED,
    ),
    "SHA-1 imprint": (
        lambda: (
            forge.token(info={"hash_oid": forge.SHA1}),
            {"hash_oid": forge.SHA1, "imprint": forge.digest(forge.SHA1, forge.DATA)},
        ),
        "token.imprint.weak_digest",
        FAILED,
    ),
    "request over other data": (
        demand(request=replace(REQUEST, imprint=bytes(32))),
        "token.imprint.request_differs",
        FAILED,
    ),
    # step 11: nonce
    "other nonce": (demand(request=replace(REQUEST, nonce=1)), "token.nonce.differs", FAILED),
    "nonce not answered": (
        lambda: (forge.token(info={"nonce": b""}), {"request": REQUEST}),
        "token.nonce.missing",
        FAILED,
    ),
    "nonce nobody sent": (demand(request=replace(REQUEST, nonce=None)), "token.nonce.differs", FAILED),
    # step 12: policy
    "policy not requested": (
        demand(request=replace(REQUEST, policy="1.2.3")),
        "token.policy.differs",
        FAILED,
    ),
    "policy not allowed": (
        demand(trust=forge.pki().trust(policies=frozenset({"1.2.3"}))),
        "token.policy.not_allowed",
        FAILED,
    ),
    # step 13: time
    "before the request": (demand(sent=GEN + timedelta(seconds=5)), "token.time.before_request", FAILED),
    "in the future": (demand(now=GEN - timedelta(seconds=5)), "token.time.future", FAILED),
    "after its own proof of existence": (
        demand(proof_of_existence=GEN - timedelta(seconds=5)),
        "token.time.after_proof",
        FAILED,
    ),
    "accuracy of two minutes": (info(accuracy=forge.accuracy(120)), "token.time.accuracy", FAILED),
    "accuracy of ten seconds": (info(accuracy=forge.accuracy(10)), "token.time.coarse", UNKNOWN),
    # step 14: serial
    "serial used before": (reused_serial, "token.serial.reused", FAILED),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_refused(fault: str) -> None:
    make, code, status = FAULTS[fault]
    made, demands = make()
    verdict = judge(made, **demands)
    found = not_passed(verdict)
    assert found.get(code) == status, found
    assert verdict.status is (Status.FAILED if FAILED in found.values() else Status.UNDETERMINED)
    allowed = {code, *FOLLOW.get(fault, ())}
    assert set(found) <= allowed, found


UNCHECKED = ("token.chain.unchecked", "token.revocation.unchecked", "token.signature.unchecked")
NO_SIGNER = (*UNCHECKED, "token.ess.unchecked", "token.certificate.unchecked")
NO_PATH = ("token.revocation.unchecked",)
FOLLOW: dict[str, tuple[str, ...]] = {
    # what cannot be checked any more, or is wrong as well, because of the fault
    "other issuer named": NO_SIGNER,
    "no certificate anywhere": NO_SIGNER,
    "self-signed stranger": NO_PATH,
    "no signed attributes": ("token.signature.no_attributes", "token.ess.missing"),
    "unknown digest": (),
    "no root given": NO_PATH,
    "another root of the same name": NO_PATH,
    "the signer's certificate pinned as root": NO_PATH,
    "root is no CA": NO_PATH,
    "chain signed with SHA-1": NO_PATH,
    "certificate ended before genTime": ("token.chain.outside_validity", *NO_PATH),
    "certificate began after genTime": ("token.time.outside_certificate", *NO_PATH),
    "same digest, other algorithm": (),
}


def test_the_right_token_passes_every_step() -> None:
    verdict = judge(
        forge.token(),
        request=REQUEST,
        sent=GEN - timedelta(seconds=1),
        proof_of_existence=NOW,
        seen={},
    )
    assert not_passed(verdict) == {}
    assert verdict.status is Status.PASSED
    assert verdict.caveats == ()
    assert [item.check for item in verdict.findings] == [
        "token.der",
        "token.content",
        "token.second_decoder",
        "token.signer",
        "token.attributes",
        "token.signature",
        "token.ess",
        "token.certificate",
        "token.chain",
        "token.revocation",
        "token.imprint",
        "token.nonce",
        "token.policy",
        "token.time",
        "token.serial",
    ]
    assert {item.check for item in verdict.findings if item.dimension is Dimension.INTEGRITY} == {
        "token.imprint"
    }
    facts = verdict.facts
    assert facts is not None
    assert (facts.gen_time, facts.accuracy_ms, facts.serial, facts.nonce) == (GEN, 1000, 42, forge.NONCE)
    assert (facts.policy, facts.hash_oid, facts.imprint) == (
        forge.POLICY,
        forge.SHA256,
        forge.digest(forge.SHA256, forge.DATA),
    )
    assert facts.signer_certificate == forge.pki().leaf
    assert facts.tsa_name == "O=伪造所, CN=伪造时间戳"


@pytest.mark.parametrize("kind", ["rsa", "pss", "p256", "p384", "ed25519", "sm2"])
def test_every_kind_of_key_passes(kind: str) -> None:
    pki = forge.pki(kind)
    assert not_passed(judge(forge.token(pki=pki), trust=pki.trust())) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"ess": [forge.ess_v1(forge.pki().leaf)]},
        {"ess": [forge.ess_v1(forge.pki().leaf), forge.ess_v2(forge.pki().leaf)]},
        {"ess": [forge.ess_v2(forge.pki().leaf, hash_oid=forge.SHA512)]},
        {
            "ess": [
                forge.ess_v2(forge.pki().leaf, issuer_serial=forge.issuer_serial(forge.pki().root_name, 7))
            ]
        },
        {"info": {"tsa": tlv(0xA0, tlv(0xA4, LEAF_NAME))}},
        {"info": {"extensions": extensions(b"")}},
        {"info": {"accuracy": forge.accuracy(None, 999, 1)}},
        {"info": {"gen_time": b"20260601120000.123457Z"}},
        {"info": {"serial": num((1 << 160) - 1)}},
        {"info": {"ordering": b"\x01\x01\xff"}},
        {"digest_oids": [forge.SHA256, forge.SHA512]},
        {"more_attributes": [protection(forge.SHA256, forge.pki().key.algorithm)]},
        {"certificates": [forge.pki().leaf, forge.pki().root]},
        {"certificates": [forge.pki().leaf, seq(num(1))]},
        {"crls": [forge.pki().crl]},
        {"unsigned": forge.set_of(attribute(FREE_TEXT, num(1)), tag=0xA1)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_lawful_variants_pass(changes: dict[str, Any]) -> None:
    assert not_passed(judge(forge.token(**changes))) == {}


def test_key_identifier_names_the_signer() -> None:
    identifier = forge.extension("2.5.29.14", octets(b"\x11" * 20))
    pki = Pki(leaf_extensions=(*forge.LEAF, identifier))
    token_der = forge.token(pki=pki, sid=tlv(0x80, b"\x11" * 20), signer_version=3)
    assert not_passed(judge(token_der, trust=pki.trust())) == {}


def test_certificate_supplied_from_outside() -> None:
    verdict = judge(forge.token(certificates=[]), trust=forge.pki().trust(certificates=(forge.pki().leaf,)))
    assert not_passed(verdict) == {}
    assert verdict.facts is not None
    assert verdict.facts.signer_certificate == forge.pki().leaf


def test_injected_certificate_of_the_same_name_does_not_take_the_place_of_the_signer() -> None:
    pki = forge.pki()
    spoof = forge.certificate(
        forge.name("A"), pki.root_name, of=forge.key("p256", "other"), by=forge.key("p256", "other")
    )
    for order in ([spoof, pki.leaf], [pki.leaf, spoof]):
        verdict = judge(forge.token(certificates=order))
        assert not_passed(verdict) == {}
        assert verdict.facts is not None
        assert verdict.facts.signer_certificate == pki.leaf


def test_demo_policy_is_a_caveat() -> None:
    verdict = judge(forge.token(info={"policy": oid(DEMO_TSA_POLICY)}))
    assert verdict.status is Status.PASSED
    assert [item.code for item in verdict.caveats] == ["demo.authority"]


def test_missing_accuracy_is_a_caveat() -> None:
    verdict = judge(forge.token(info={"accuracy": b""}))
    assert verdict.status is Status.PASSED
    assert [item.code for item in verdict.caveats] == ["token.time.no_accuracy"]


def test_serial_of_the_same_content_is_no_alarm() -> None:
    verdict = judge(forge.token(), seen={})
    assert "token.serial.passed" in {item.code for item in verdict.findings}


def test_old_sha1_token_needs_an_old_proof() -> None:
    moment = GEN.replace(year=2015)
    pki = Pki()
    pki.root = forge.certificate(
        pki.root_name,
        pki.root_name,
        of=pki.root_key,
        by=pki.root_key,
        start=moment.replace(year=2010),
        extensions=forge.ca_extensions(),
    )
    pki.leaf = forge.certificate(
        pki.leaf_name, pki.root_name, of=pki.key, by=pki.root_key, start=moment.replace(year=2010)
    )
    demands: dict[str, Any] = {
        "hash_oid": forge.SHA1,
        "imprint": forge.digest(forge.SHA1, forge.DATA),
        "trust": pki.trust(),
    }
    old = forge.token(pki=pki, info={"hash_oid": forge.SHA1, "gen_time": moment})
    assert not_passed(judge(old, **demands)) == {"token.imprint.weak_digest": UNKNOWN}
    assert not_passed(judge(old, proof_of_existence=moment + timedelta(days=1), **demands)) == {}


def test_accuracy_widens_the_time_of_the_request() -> None:
    assert not_passed(judge(forge.token(), sent=GEN + timedelta(seconds=2))) == {}
    assert "token.time.before_request" in not_passed(judge(forge.token(), sent=GEN + timedelta(seconds=2.1)))
