"""RFC 4998 records of EU DSS (``ers/``): each parses, re-encodes, and its trees lead to its tokens' imprints.

The authorities behind them are strangers, so time stays undetermined; integrity is what is compared.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import cms, tsp

from evidence_desk.core.time_record import encode_record, encode_sequence, parse_record
from evidence_desk.core.verdict import Dimension, Status, worst
from evidence_desk.errors import MalformedError
from evidence_desk.verify.time_record import verify_record
from tests.unit.core.time_record import naive
from tsa.policy import TokenTrust

NOW = datetime(2026, 6, 1, tzinfo=UTC)
RENEWED = "ER-2Chains3ATS.ers"
RECORDS = {
    "BIN-1_ER.ers": (["BIN-1.bin"], [1]),
    "BIN-2_ER.ers": (["BIN-2.bin"], [2]),
    RENEWED: (["ER-2Chains3ATS1.bin", "ER-2Chains3ATS2.bin"], [2, 1]),
    "1_0_Initial.er": ([], [1]),
}
NAMES = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
}


@pytest.fixture(scope="session")
def ers(vectors: Path) -> Path:
    return vectors / "ers"


def info(token: bytes) -> tsp.TSTInfo:
    return cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed


@pytest.mark.parametrize("name", RECORDS)
def test_record_parses_and_re_encodes(ers, name):
    data = (ers / name).read_bytes()
    record = parse_record(data)
    assert [len(chain) for chain in record.chains] == RECORDS[name][1]
    assert encode_record(record) == data
    assert data.endswith(encode_sequence(record.chains))


def test_malformed_record_is_refused(ers):
    with pytest.raises(MalformedError):
        parse_record((ers / "BIN-1_ER_malformed.ers").read_bytes())


@pytest.mark.parametrize("name", RECORDS)
def test_every_tree_verifies_by_the_naive_reading(ers, name):
    files = [(ers / item).read_bytes() for item in RECORDS[name][0]]
    record = parse_record((ers / name).read_bytes())
    for index, chain in enumerate(record.chains):
        algorithm = NAMES[chain[0].algorithm_oid]
        hashes = [hashlib.new(algorithm, data).digest() for data in files]
        if index:
            older = hashlib.new(algorithm, encode_sequence(record.chains[:index])).digest()
            hashes = [hashlib.new(algorithm, digest + older).digest() for digest in hashes]
        for position, stamp in enumerate(chain):
            imprint = info(stamp.token)["message_imprint"]["hashed_message"].native
            covered = [hashlib.new(algorithm, chain[position - 1].token).digest()] if position else hashes
            if stamp.tree is not None:
                assert all(naive.verifies(stamp.tree, digest, imprint, algorithm) for digest in covered)


class TestVerification:
    """The same records through `verify_record`, without any trusted authority."""

    @staticmethod
    def verify(record: bytes, files: list[bytes], *, exact: bool = True):
        objects = [lambda name, data=data: hashlib.new(name, data).digest() for data in files]
        return verify_record(record, objects=objects, trust=TokenTrust(), now=NOW, exact_group=exact)

    @pytest.mark.parametrize("name", [name for name, (files, _) in RECORDS.items() if files])
    def test_integrity_of_the_record_passes(self, ers, name):
        files = [(ers / item).read_bytes() for item in RECORDS[name][0]]
        # BIN-1 and BIN-2 were made as members of a larger group.
        verdict = self.verify((ers / name).read_bytes(), files, exact=len(files) > 1)
        own = [item for item in verdict.findings if item.check.startswith("record.")]
        assert worst(item.status for item in own) is Status.PASSED
        time = worst(item.status for item in verdict.findings if item.dimension is Dimension.TIME)
        assert time is not Status.PASSED
        assert len(verdict.tokens) == sum(RECORDS[name][1])

    @pytest.mark.parametrize("name", [name for name, (files, _) in RECORDS.items() if files])
    def test_changed_object_fails(self, ers, name):
        files = [(ers / item).read_bytes() for item in RECORDS[name][0]]
        verdict = self.verify((ers / name).read_bytes(), [files[0] + b"!", *files[1:]], exact=False)
        assert {item.code for item in verdict.findings if item.status is Status.FAILED} >= {
            "record.group.missing"
        }

    def test_group_must_be_whole(self, ers):
        first, second = ((ers / item).read_bytes() for item in RECORDS[RENEWED][0])
        record = (ers / RENEWED).read_bytes()
        codes = {item.code for item in self.verify(record, [first]).findings}
        assert {"record.group.extra", "record.renewed_group.extra"} <= codes
        codes = {item.code for item in self.verify(record, [first, second, first]).findings}
        assert {"record.group.missing", "record.renewed_group.missing"} <= codes

    def test_record_without_tree_covers_exactly_the_imprint(self, ers):
        verdict = self.verify((ers / "1_0_Initial.er").read_bytes(), [b"something else"])
        status = {item.check: item.status for item in verdict.findings}
        assert status["record.tree"] is Status.PASSED
        assert status["record.group"] is Status.FAILED
