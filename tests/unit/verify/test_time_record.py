import hashlib
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import cms
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk import texts
from evidence_desk.core.time_record import (
    ArchiveTimeStamp,
    DigestAlgorithm,
    EvidenceRecord,
    build_batch,
    encode_record,
    encode_sequence,
    issue_record,
    parse_record,
    token_crls,
)
from evidence_desk.core.verdict import Dimension, Status, worst
from evidence_desk.verify.time_record import RecordVerdict, verify_record
from tests.unit.core.time_record.openssl_tsa import OpensslTsa
from tsa.policy import TokenTrust

SHA256, SHA512 = "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.3"
NOW = datetime.now(UTC) + timedelta(hours=1)  # after every token that a slow machine makes
LATER = NOW + timedelta(days=800)
GROUPS = [[b"statement", b"photo", b"photo", b"chat"], [b"checkpoint"], [b"header"], [b"x", b"y"], [b"z"]]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def sha512(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()


def originals(group: list[bytes]):
    """Objects that can be hashed again under any algorithm."""
    return [lambda name, data=data: hashlib.new(name, data).digest() for data in group]


class Desk:
    """A short-lived authority A, a long-lived B, and one batch stamped by A."""

    def __init__(self, folder: Path) -> None:
        self.a = OpensslTsa(folder / "a", days=365)
        self.b = OpensslTsa(folder / "b", days=3650)
        self.crls = (self.a.crl(), self.b.crl())
        self.trust = TokenTrust(roots=(self.a.root_der, self.b.root_der), crls=self.crls)
        self.batch = build_batch([[sha256(item) for item in group] for group in GROUPS])
        self.token = self.a.token(self.batch.root)
        self.records = [issue_record(tree, self.token) for tree in self.batch.trees]

    def renewed(self, record: bytes, authority: OpensslTsa, *, tree: bool = True) -> bytes:
        """Timestamp renewal (RFC 4998 §5.2)."""
        old = parse_record(record)
        digest = sha256(old.chains[-1][-1].token)
        batch = build_batch([[digest], [sha256(b"other")]] if tree else [[digest]])
        stamp = ArchiveTimeStamp(
            digest=DigestAlgorithm(oid=SHA256),
            attributes=None,
            tree=batch.trees[0] if tree else None,
            token=authority.token(batch.root),
        )
        return encode_record(replace(old, chains=(*old.chains[:-1], (*old.chains[-1], stamp))))

    def rehashed(self, record: bytes, group: list[bytes], *, swapped: bool = False) -> bytes:
        """Hash-tree renewal to SHA-512 by B (RFC 4998 §5.2)."""
        old = parse_record(record)
        older = sha512(encode_sequence(old.chains))
        pairs = [(older, sha512(item)) if swapped else (sha512(item), older) for item in group]
        batch = build_batch(
            [[sha512(b"".join(pair)) for pair in pairs], [sha512(b"other")]], algorithm="sha512"
        )
        stamp = ArchiveTimeStamp(
            digest=DigestAlgorithm(oid=SHA512),
            attributes=None,
            tree=batch.trees[0],
            token=self.b.token(batch.root, "sha512"),
        )
        digests = (*old.digests, DigestAlgorithm(oid=SHA512))
        return encode_record(replace(old, digests=digests, chains=(*old.chains, (stamp,))))

    def verify(self, record: bytes, group: list[bytes] | None = None, **options) -> RecordVerdict:
        options = {
            "objects": originals(GROUPS[0] if group is None else group),
            "now": NOW,
            "trust": self.trust,
        } | options
        return verify_record(record, **options)


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(Path(tmp_path_factory.mktemp("record")))


def codes(verdict: RecordVerdict, status: Status) -> set[str]:
    return {item.code for item in verdict.findings if item.status is status}


def overall(verdict: RecordVerdict) -> Status:
    return worst(item.status for item in verdict.findings)


def time_of(verdict: RecordVerdict, stamp: int) -> Status:
    return verdict.tokens[stamp - 1].status


def first_stamp(record: bytes, **changes) -> bytes:
    parsed = parse_record(record)
    return encode_record(replace(parsed, chains=((replace(parsed.first, **changes),),)))


# --- one archive timestamp ------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", range(len(GROUPS)))
def test_record_of_every_group_passes(desk, index):
    verdict = desk.verify(desk.records[index], GROUPS[index])
    assert overall(verdict) is Status.PASSED
    assert verdict.root == desk.batch.root == verdict.imprint.value
    assert verdict.facts == verdict.first.facts
    dimensions = {item.dimension for item in verdict.findings}
    assert dimensions == {Dimension.INTEGRITY, Dimension.TIME}


def test_digests_may_be_given_by_name_or_oid(desk):
    for key in ("sha256", SHA256):
        objects = [{key: sha256(item)} for item in GROUPS[0]]
        assert overall(desk.verify(desk.records[0], objects=objects)) is Status.PASSED


def test_record_with_crls_inside_passes_and_needs_none_beside_it(desk):
    record = issue_record(desk.batch.trees[0], desk.token, crls=desk.crls[:1])
    assert token_crls(parse_record(record).first.token) == desk.crls[:1]
    assert overall(desk.verify(record)) is Status.PASSED


@pytest.mark.parametrize(
    ("group", "code"),
    [
        (["statement", "photo", "chat"], "record.group.extra"),
        (["statement", "photo", "photo"], "record.group.extra"),
        (["statement", "photo", "photo", "photo", "chat"], "record.group.missing"),
        (["statement", "photo", "photo", "chat", "more"], "record.group.missing"),
        (["statement", "photo", "photo", "chat!"], "record.group.missing"),
        (["checkpoint"], "record.group.missing"),
    ],
)
def test_group_must_be_exactly_the_objects(desk, group, code):
    verdict = desk.verify(desk.records[0], [item.encode() for item in group])
    assert codes(verdict, Status.FAILED) == {code}


def test_membership_allows_others_but_not_strangers(desk):
    assert overall(desk.verify(desk.records[0], [b"chat"], exact_group=False)) is Status.PASSED
    verdict = desk.verify(desk.records[0], [b"chat", b"stranger"], exact_group=False)
    assert codes(verdict, Status.FAILED) == {"record.group.missing"}


def test_a_hash_higher_up_in_the_tree_is_not_a_member(desk):
    verdict = desk.verify(desk.records[0], [b"checkpoint"], exact_group=False)
    assert codes(verdict, Status.FAILED) == {"record.group.missing"}


@pytest.mark.parametrize("exact", [True, False])
def test_nothing_to_compare_is_undetermined(desk, exact):
    verdict = desk.verify(desk.records[0], [], exact_group=exact)
    assert codes(verdict, Status.UNDETERMINED) == {"record.group.nothing"}
    assert overall(verdict) is Status.UNDETERMINED


def test_missing_digest_is_undetermined(desk):
    known = [{"sha256": sha256(item)} for item in GROUPS[0][:3]]
    verdict = desk.verify(desk.records[0], objects=[*known, {"sm3": bytes(32)}])
    assert codes(verdict, Status.UNDETERMINED) == {"record.group.unknown"}
    assert overall(verdict) is Status.UNDETERMINED


def test_missing_digests_do_not_hide_a_wrong_number_of_objects(desk):
    known = [{"sha256": sha256(item)} for item in GROUPS[0]]
    assert codes(desk.verify(desk.records[0], objects=[*known, {}]), Status.FAILED) == {
        "record.group.missing"
    }
    assert codes(desk.verify(desk.records[0], objects=[known[0], {}]), Status.FAILED) == {
        "record.group.extra"
    }


def test_stranger_authority_leaves_time_undetermined(desk):
    verdict = desk.verify(desk.records[0], trust=TokenTrust())
    assert overall(verdict) is Status.UNDETERMINED
    assert worst(i.status for i in verdict.findings if i.dimension is Dimension.INTEGRITY) is Status.PASSED


def test_malformed_record_fails_alone(desk):
    for data in (b"", b"0\x00", desk.records[0][:-1], desk.records[0] + b"\0"):
        verdict = desk.verify(data)
        assert [item.code for item in verdict.findings] == ["record.form.wrong"]
        assert overall(verdict) is Status.FAILED
        assert verdict.first is verdict.facts is verdict.root is verdict.imprint is None


def test_token_that_is_none_fails(desk):
    verdict = desk.verify(first_stamp(desk.records[0], token=b"0\x00"))
    assert [item.code for item in verdict.findings] == ["record.form.wrong"]


def test_tree_of_another_batch_fails(desk):
    other = build_batch([[sha256(item) for item in GROUPS[0]], [sha256(b"q")]])
    verdict = desk.verify(first_stamp(desk.records[0], tree=other.trees[0]))
    assert {"record.tree.wrong"} <= codes(verdict, Status.FAILED)


def test_deduplicated_group_fails(desk):
    tree = parse_record(desk.records[0]).first.tree
    assert tree is not None
    verdict = desk.verify(first_stamp(desk.records[0], tree=(tuple(sorted(set(tree[0]))), *tree[1:])))
    assert {"record.group.missing", "record.tree.wrong"} <= codes(verdict, Status.FAILED)


def test_absent_digest_algorithm_is_taken_from_the_token(desk):
    assert overall(desk.verify(first_stamp(desk.records[0], digest=None))) is Status.PASSED


def test_null_parameters_are_read(desk):
    digest = DigestAlgorithm(oid=SHA256, null_parameters=True)
    assert overall(desk.verify(first_stamp(desk.records[0], digest=digest))) is Status.PASSED


def test_record_without_tree_covers_one_object(desk):
    stamp = ArchiveTimeStamp(digest=None, attributes=None, tree=None, token=desk.a.token(sha256(b"alone")))
    record = encode_record(EvidenceRecord(digests=(DigestAlgorithm(oid=SHA256),), chains=((stamp,),)))
    assert overall(desk.verify(record, [b"alone"])) is Status.PASSED
    assert codes(desk.verify(record, [b"other"]), Status.FAILED) == {"record.group.missing"}


def test_algorithm_other_than_the_tokens_fails(desk):
    verdict = desk.verify(first_stamp(desk.records[0], digest=DigestAlgorithm(oid=SHA512)))
    assert "record.algorithm.other_in_token" in codes(verdict, Status.FAILED)
    assert "record.tree.wrong" in codes(verdict, Status.FAILED)


def test_unlisted_algorithm_fails(desk):
    record = encode_record(replace(parse_record(desk.records[0]), digests=(DigestAlgorithm(oid=SHA512),)))
    assert codes(desk.verify(record), Status.FAILED) == {"record.algorithm.unlisted"}


def test_broken_algorithm_is_undetermined_and_never_passes(desk):
    sha1 = "1.3.14.3.2.26"
    token = desk.token.replace(bytes.fromhex("608648016503040201"), bytes.fromhex("608648016503047f01"))
    unknown = "2.16.840.1.101.3.4.127.1"
    stamp = ArchiveTimeStamp(
        digest=DigestAlgorithm(oid=unknown), attributes=None, tree=desk.batch.trees[0], token=token
    )
    record = encode_record(EvidenceRecord(digests=(DigestAlgorithm(oid=unknown),), chains=((stamp,),)))
    objects = [{unknown: sha256(item), sha1: b""} for item in GROUPS[0]]
    verdict = desk.verify(record, objects=objects)
    assert {"record.algorithm.unknown", "record.tree.unknown"} <= codes(verdict, Status.UNDETERMINED)
    assert "record.group.passed" in codes(verdict, Status.PASSED)
    assert verdict.root is None
    assert overall(verdict) is Status.FAILED  # the altered token
    assert "record.group.unknown" in codes(desk.verify(record), Status.UNDETERMINED)


# --- renewals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tree", [True, False])
def test_timestamp_renewal_keeps_an_expired_token_good(desk, tree):
    renewed = desk.renewed(desk.records[0], desk.b, tree=tree)
    assert overall(desk.verify(renewed)) is Status.PASSED
    assert time_of(desk.verify(desk.records[0], now=LATER), 1) is Status.UNDETERMINED
    verdict = desk.verify(renewed, now=LATER)
    assert overall(verdict) is Status.PASSED
    assert verdict.root == desk.batch.root
    assert len(verdict.tokens) == 2
    assert {item.parameters.get("stamp") for item in verdict.findings if item.check == "token.signature"} == {
        1,
        2,
    }


def test_callers_proof_of_existence_is_for_the_initial_token_alone(desk):
    assert overall(desk.verify(desk.records[0], now=LATER, proof_of_existence=NOW)) is Status.PASSED
    twice = desk.renewed(desk.records[0], desk.a)
    verdict = desk.verify(twice, now=LATER, proof_of_existence=NOW)
    assert time_of(verdict, 1) is Status.PASSED
    assert time_of(verdict, 2) is Status.UNDETERMINED


def test_a_caveat_of_several_tokens_is_told_once(desk, tmp_path):
    vague = OpensslTsa(tmp_path / "vague", accurate=False)
    trust = TokenTrust(roots=(vague.root_der,), crls=(vague.crl(),))
    record = desk.renewed(issue_record(desk.batch.trees[0], vague.token(desk.batch.root)), vague)
    verdict = desk.verify(record, trust=trust)
    assert [item.code for item in verdict.caveats] == ["token.time.no_accuracy"]


def test_untrusted_later_token_proves_no_existence(desk):
    renewed = desk.renewed(desk.records[0], desk.b)
    verdict = desk.verify(renewed, now=LATER, trust=replace(desk.trust, roots=(desk.a.root_der,)))
    assert time_of(verdict, 2) is not Status.PASSED
    assert time_of(verdict, 1) is Status.UNDETERMINED


def test_renewal_of_another_token_fails_and_proves_no_existence(desk):
    own = parse_record(desk.records[0])
    other = parse_record(
        desk.renewed(issue_record(desk.batch.trees[0], desk.a.token(desk.batch.root)), desk.b)
    )
    record = encode_record(replace(own, chains=((own.first, other.chains[0][1]),)))
    verdict = desk.verify(record, now=LATER)
    assert codes(verdict, Status.FAILED) == {"record.renewal.wrong"}
    assert time_of(verdict, 1) is Status.UNDETERMINED


def test_a_trusted_token_beyond_an_untrusted_one_still_proves_existence(desk):
    twice = desk.renewed(desk.renewed(desk.records[0], desk.a), desk.b)
    verdict = desk.verify(twice, now=LATER)
    assert [token.status for token in verdict.tokens] == [Status.PASSED] * 3


@pytest.mark.parametrize("index", [0, 1])
def test_hash_tree_renewal_passes(desk, index):
    record = desk.rehashed(desk.records[index], GROUPS[index])
    verdict = desk.verify(record, GROUPS[index], now=LATER)
    assert overall(verdict) is Status.PASSED
    assert "record.renewed_group.passed" in codes(verdict, Status.PASSED)


def test_hash_tree_renewal_after_a_timestamp_renewal_passes(desk):
    record = desk.rehashed(desk.renewed(desk.records[0], desk.a), GROUPS[0])
    assert overall(desk.verify(record, now=LATER)) is Status.PASSED


def test_hash_tree_renewal_in_the_other_order_fails(desk):
    record = desk.rehashed(desk.records[1], GROUPS[1], swapped=True)
    verdict = desk.verify(record, GROUPS[1], now=LATER)
    assert codes(verdict, Status.FAILED) == {"record.renewed_group.missing"}
    assert time_of(verdict, 1) is Status.UNDETERMINED


def test_hash_tree_renewal_without_the_originals_is_undetermined(desk):
    record = desk.rehashed(desk.records[0], GROUPS[0])
    verdict = desk.verify(record, objects=[{"sha256": sha256(item)} for item in GROUPS[0]], now=LATER)
    assert {"record.renewed_group.unknown"} <= codes(verdict, Status.UNDETERMINED)
    assert overall(verdict) is Status.UNDETERMINED
    assert not codes(verdict, Status.FAILED)


def test_hash_tree_renewal_of_another_record_fails(desk):
    own, other = parse_record(desk.records[0]), parse_record(desk.rehashed(desk.records[1], GROUPS[1]))
    record = encode_record(replace(other, chains=(own.chains[0], other.chains[1])))
    assert "record.renewed_group.missing" in codes(desk.verify(record), Status.FAILED)


def test_algorithm_may_not_change_within_a_chain(desk):
    old = parse_record(desk.records[0])
    stamp = ArchiveTimeStamp(
        digest=None, attributes=None, tree=None, token=desk.b.token(sha512(desk.token), "sha512")
    )
    digests = (*old.digests, DigestAlgorithm(oid=SHA512))
    record = encode_record(replace(old, digests=digests, chains=((old.first, stamp),)))
    assert codes(desk.verify(record), Status.FAILED) == {"record.algorithm.changed"}


def test_tokens_must_be_in_the_order_of_time(desk):
    renewed = parse_record(desk.renewed(desk.records[0], desk.b))
    first, second = renewed.chains[0]
    at = second.token.index(b"\x18\x0f20")
    older = second.token[: at + 2] + b"20200101000000Z" + second.token[at + 17 :]
    record = encode_record(replace(renewed, chains=((first, replace(second, token=older)),)))
    verdict = desk.verify(record)
    assert "record.order.wrong" in codes(verdict, Status.FAILED)
    assert time_of(verdict, 2) is Status.FAILED


def test_renewal_under_an_unknown_algorithm_is_undetermined(desk):
    unknown = DigestAlgorithm(oid="2.16.840.1.101.3.4.127.1")
    token = desk.token.replace(bytes.fromhex("608648016503040201"), bytes.fromhex("608648016503047f01"))
    stamp = ArchiveTimeStamp(digest=unknown, attributes=None, tree=((bytes(32),),), token=token)
    for chains, code in ((((stamp, stamp),), "renewal"), (((stamp,), (stamp,)), "renewed_group")):
        record = encode_record(EvidenceRecord(digests=(unknown,), chains=chains))
        assert f"record.{code}.unknown" in codes(desk.verify(record, [b"one"]), Status.UNDETERMINED)


# --- damage ---------------------------------------------------------------------------------------------------


def test_no_flipped_byte_passes(desk):
    """Nothing in a record is free but the case of letters in SignerInfo's issuer: names match so (RFC 5280 §7.1)."""
    record = desk.records[0]
    signer = cms.ContentInfo.load(desk.token)["content"]["signer_infos"][0]["sid"].chosen["issuer"].dump()
    free = range(record.rindex(signer), record.rindex(signer) + len(signer))
    for at in range(len(record)):
        flipped = bytearray(record)
        flipped[at] ^= 1 << secrets.randbelow(8)
        if overall(desk.verify(bytes(flipped))) is Status.PASSED:
            assert at in free, at
            assert bytes(flipped).lower() == record.lower()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_renewed_records_never_crash_and_never_pass(desk, data):
    record = bytearray(_renewed(desk))
    at = data.draw(st.integers(0, len(record) - 1))
    patch = data.draw(st.binary(min_size=1, max_size=4))
    if bytes(record[at : at + len(patch)]) == patch:
        return
    record[at : at + len(patch)] = patch
    changed = (
        bytes(record).lower() != _renewed(desk).lower()
    )  # the case of a signer's name is free, see above
    assert not (changed and overall(desk.verify(bytes(record), now=LATER)) is Status.PASSED)


_RENEWED: list[bytes] = []


def _renewed(desk: Desk) -> bytes:
    if not _RENEWED:
        _RENEWED.append(desk.rehashed(desk.renewed(desk.records[0], desk.a), GROUPS[0]))
    return _RENEWED[0]


# --- sentences ------------------------------------------------------------------------------------------------


def test_every_finding_has_a_sentence_without_gaps(desk):
    inputs = [
        (desk.records[0], GROUPS[0]),
        (desk.records[0], []),
        (desk.records[0], [b"x"]),
        (desk.records[0][:-1], []),
        (desk.renewed(desk.records[0], desk.b), GROUPS[0]),
        (desk.rehashed(desk.records[0], GROUPS[0]), GROUPS[0][:1]),
    ]
    for record, group in inputs:
        for finding in desk.verify(record, group).findings:
            if finding.check.startswith("record."):
                for language in texts.Language:
                    sentence = texts.sentence(finding.code, finding.parameters, language)
                    assert texts.has(finding.code, language)
                    assert "{" not in sentence
