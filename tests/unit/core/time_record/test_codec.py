import hashlib
import os

import pytest
from asn1crypto import cms, core, tsp
from hypothesis import example, given
from hypothesis import strategies as st

from evidence_desk.core.time_record import (
    MAX_RECORD_SIZE,
    ArchiveTimeStamp,
    DigestAlgorithm,
    EvidenceRecord,
    build_batch,
    encode_record,
    encode_sequence,
    issue_record,
    parse_record,
    token_crls,
    token_differs_only_in_crls,
    token_imprint,
)
from evidence_desk.crypto import der
from evidence_desk.errors import IntegrityError, MalformedError

SHA256_OID = "2.16.840.1.101.3.4.2.1"
TOKEN = der.encode(0x30, der.encode(0x06, b"\x2a"), der.encode(0xA0, b"\x05\x00"))

oids = st.builds(
    lambda first, second, rest: ".".join(map(str, (first, second, *rest))),
    st.integers(0, 2),
    st.integers(0, 39),
    st.lists(st.integers(0, 2**40), max_size=6),
)
algorithms = st.builds(DigestAlgorithm, oid=oids, null_parameters=st.booleans())
ATTRIBUTE = der.encode(0x30, b"\x06\x01\x2a", b"\x31\x02\x05\x00")
attributes = st.none() | st.sampled_from([ATTRIBUTE, ATTRIBUTE * 3])
encryption = st.none() | st.sampled_from([b"\x06\x01\x2a\x05\x00", b"\x06\x01\x2a\x30\x02\x05\x00"])
stamps = st.builds(
    ArchiveTimeStamp,
    digest=st.none() | algorithms,
    attributes=attributes,
    tree=st.none()
    | st.sampled_from((20, 32, 64)).flatmap(
        lambda size: st.lists(
            st.lists(st.binary(min_size=size, max_size=size), min_size=1, max_size=5).map(tuple),
            min_size=1,
            max_size=5,
        ).map(tuple)
    ),
    token=st.binary(max_size=300).map(lambda body: der.encode(0x30, der.encode(0x04, body))),
)
chains = st.lists(stamps, min_size=1, max_size=3).map(tuple)
records = st.builds(
    EvidenceRecord,
    digests=st.lists(algorithms, min_size=1, max_size=3).map(tuple),
    chains=st.lists(chains, min_size=1, max_size=3).map(tuple),
    crypto_infos=attributes,
    encryption_info=encryption,
)
SAMPLE = EvidenceRecord(
    digests=(DigestAlgorithm(oid=SHA256_OID),),
    chains=(
        (
            ArchiveTimeStamp(
                digest=DigestAlgorithm(oid=SHA256_OID, null_parameters=True),
                attributes=None,
                tree=((b"\1" * 32, b"\2" * 32), (b"\3" * 32,)),
                token=TOKEN,
            ),
        ),
    ),
)
ENCODED = encode_record(SAMPLE)


def refused(data: bytes) -> str:
    with pytest.raises(MalformedError) as caught:
        parse_record(data)
    return str(caught.value)


@given(records)
def test_records_round_trip(record):
    encoded = encode_record(record)
    assert parse_record(encoded) == record


@given(st.binary(max_size=400))
@example(b"0\x80" + b"0\x80" * 5000)
@example(b"0\x84\xff\xff\xff\xff")
def test_parser_never_crashes_on_noise(data):
    refused(data)


@given(records, st.data())
def test_parser_never_crashes_on_damage_and_accepts_only_what_re_encodes(record, data):
    encoded = bytearray(encode_record(record))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(encoded) - 1))
        encoded[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    try:
        parsed = parse_record(bytes(encoded))
    except MalformedError:
        return
    assert encode_record(parsed) == bytes(encoded)


def test_every_truncation_and_tail_is_refused():
    for end in range(len(ENCODED)):
        refused(ENCODED[:end])
    refused(ENCODED + b"\0")


def test_deep_nesting_is_refused_without_recursion_error():
    nested = b""
    for _ in range(20_000):
        nested = der.encode(0x30, nested)
    refused(der.encode(0x30, b"\x02\x01\x01", der.encode(0x30), der.encode(0xA0, nested), der.encode(0x30)))
    attribute = der.encode(0x30, b"\x06\x01\x2a", der.encode(0x31, nested))
    stamp = der.encode(0x30, der.encode(0xA1, attribute), TOKEN)
    algorithm = der.encode(0x30, der.encode(0x30, der.encode(0x06, b"\x2a")))
    sequence = der.encode(0x30, der.encode(0x30, stamp))
    assert "depth" in refused(der.encode(0x30, b"\x02\x01\x01", algorithm, sequence))


def test_size_limit():
    assert "too_large" in refused(bytes(MAX_RECORD_SIZE + 1))


def _record(
    *,
    version: bytes = b"\x02\x01\x01",
    algorithms: bytes | None = None,
    middle: bytes = b"",
    chain: bytes | None = None,
) -> bytes:
    listed = der.encode(0x30, der.encode(0x06, der.encode(0x06, b"\x2a")[2:]))
    algorithms = der.encode(0x30, listed) if algorithms is None else algorithms
    chain = der.encode(0x30, der.encode(0x30, der.encode(0x30, TOKEN))) if chain is None else chain
    return der.encode(0x30, version, algorithms, middle, chain)


def _stamped(*fields: bytes) -> bytes:
    return _record(chain=der.encode(0x30, der.encode(0x30, der.encode(0x30, *fields, TOKEN))))


def _tree(*lists: bytes) -> bytes:
    return der.encode(0xA2, *lists)


VALUE = der.encode(0x04, b"\1" * 32)
LIST = der.encode(0x30, VALUE)
OID = der.encode(0x06, b"\x2a")


def test_the_hand_made_record_is_read():
    assert parse_record(_stamped(der.encode(0xA0, OID), _tree(LIST))).first.tree == ((b"\1" * 32,),)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_record(version=b"\x02\x01\x02"), id="version 2"),
        pytest.param(_record(version=b"\x02\x02\x00\x01"), id="padded version"),
        pytest.param(_record(algorithms=der.encode(0x30)), id="no algorithm"),
        pytest.param(_record(algorithms=der.encode(0x30, *[der.encode(0x30, OID)] * 65)), id="65 algorithms"),
        pytest.param(
            _record(algorithms=der.encode(0x30, der.encode(0x30, OID, b"\x04\x00"))), id="parameters"
        ),
        pytest.param(
            _record(algorithms=der.encode(0x30, der.encode(0x30, OID, b"\x05\x01\x00"))), id="long NULL"
        ),
        pytest.param(_record(middle=b"\xa0\x00"), id="empty cryptoInfos"),
        pytest.param(_record(middle=b"\xa1\x02\x05\x00\xa0\x02\x05\x00"), id="optional fields swapped"),
        pytest.param(_record(middle=b"\xa0\x03\x06\x01\x2a"), id="cryptoInfos without Attribute"),
        pytest.param(_record(middle=b"\xa1\x00"), id="empty encryptionInfo"),
        pytest.param(_record(middle=b"\xa1\x07" + OID + b"\x05\x00\x05\x00"), id="three fields"),
        pytest.param(_stamped(der.encode(0xA1, OID)), id="attributes without Attribute"),
        pytest.param(_record(middle=b"\xa2\x02\x05\x00"), id="unknown field"),
        pytest.param(_record(middle=b"\xa0\x02\x04\x05"), id="broken cryptoInfos"),
        pytest.param(_record(chain=der.encode(0x30)), id="no chain"),
        pytest.param(_record(chain=der.encode(0x30, der.encode(0x30))), id="empty chain"),
        pytest.param(
            _record(chain=der.encode(0x31, der.encode(0x30, der.encode(0x30, TOKEN)))), id="set of chains"
        ),
        pytest.param(
            _record(chain=der.encode(0x30, *[der.encode(0x30, der.encode(0x30, TOKEN))] * 65)), id="chains"
        ),
        pytest.param(
            _record(chain=der.encode(0x30, der.encode(0x30, *[der.encode(0x30, TOKEN)] * 257))), id="stamps"
        ),
        pytest.param(_record(chain=der.encode(0x30, der.encode(0x30, der.encode(0x30)))), id="no token"),
        pytest.param(_stamped(TOKEN), id="two tokens"),
        pytest.param(_stamped(_tree(LIST), der.encode(0xA0, OID)), id="tree before algorithm"),
        pytest.param(_stamped(_tree(LIST), _tree(LIST)), id="two trees"),
        pytest.param(_stamped(_tree()), id="tree without list"),
        pytest.param(_stamped(_tree(*[LIST] * 65)), id="65 lists"),
        pytest.param(_stamped(_tree(LIST, der.encode(0x30))), id="empty list"),
        pytest.param(_stamped(_tree(der.encode(0x31, VALUE))), id="set of hashes"),
        pytest.param(
            _stamped(_tree(der.encode(0x30, der.encode(0x02, b"\1" * 32)))), id="integer for a hash"
        ),
        pytest.param(
            _stamped(_tree(LIST, der.encode(0x30, der.encode(0x04, b"\1" * 20)))), id="mixed hash sizes"
        ),
        pytest.param(_stamped(_tree(der.encode(0x30, der.encode(0x04, b"\1" * 33)))), id="33-byte hash"),
        pytest.param(_stamped(_tree(der.encode(0x30, *[VALUE] * 4097))), id="4097 hashes"),
    ],
)
def test_wrong_forms_are_refused(data):
    refused(data)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param(b"\x04\x20", b"\x04\x81\x20", id="long length"),
        pytest.param(b"\x04\x20", b"\x24\x20", id="constructed string"),
        pytest.param(b"\x04\x20", b"\x04\x80", id="indefinite length"),
    ],
)
def test_encodings_that_are_not_der_are_refused(right, wrong):
    body = _tree(LIST)[2:].replace(right, wrong, 1)
    inner = der.encode(0x30, body[2:])
    refused(_stamped(der.encode(0xA2, inner)))


# --- issue ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def batch():
    return build_batch([[hashlib.sha256(bytes([n, m])).digest() for m in range(n + 1)] for n in range(5)])


@pytest.fixture(scope="module")
def token(authority, batch):
    return authority.token(batch.root)


def test_issued_record_holds_tree_and_token_unchanged(batch, token):
    for tree in batch.trees:
        record = parse_record(issue_record(tree, token))
        assert record == EvidenceRecord(
            digests=(DigestAlgorithm(oid=SHA256_OID),),
            chains=(
                (
                    ArchiveTimeStamp(
                        digest=DigestAlgorithm(oid=SHA256_OID), attributes=None, tree=tree, token=token
                    ),
                ),
            ),
        )
        assert record.first.algorithm_oid == SHA256_OID


def test_record_is_refused_when_the_token_covers_something_else(token):
    other = build_batch([[os.urandom(32), os.urandom(32)]])
    with pytest.raises(IntegrityError, match=r"integrity\.time_record"):
        issue_record(other.trees[0], token)


def test_record_is_refused_under_an_unknown_algorithm(batch, token):
    forged = token.replace(bytes.fromhex("608648016503040201"), bytes.fromhex("60864801650304027f"))
    with pytest.raises(IntegrityError):
        issue_record(batch.trees[0], forged)


def test_crls_go_into_the_copy_and_nothing_else_changes(authority, batch, token):
    crls = [authority.crl(number=number) for number in (1, 2, 3)]
    record = parse_record(issue_record(batch.trees[3], token, crls=crls))
    copy = record.first.token
    assert sorted(token_crls(copy)) == sorted(crls)
    assert list(token_crls(copy)) == sorted(crls)
    assert token_differs_only_in_crls(copy, token)
    ours, theirs = (cms.ContentInfo.load(item, strict=True)["content"] for item in (copy, token))
    assert len(ours["crls"]) == 3
    assert isinstance(theirs["crls"], core.Void)
    for field in ("version", "digest_algorithms", "encap_content_info", "certificates", "signer_infos"):
        assert ours[field].dump() == theirs[field].dump()


def test_crls_already_there_are_kept_once(authority, batch, token):
    first, second = authority.crl(number=7), authority.crl(number=8)
    once = parse_record(issue_record(batch.trees[0], token, crls=[first])).first.token
    again = parse_record(issue_record(batch.trees[0], once, crls=[second, first, first])).first.token
    assert set(token_crls(again)) == {first, second}
    assert len(token_crls(again)) == 2
    assert parse_record(issue_record(batch.trees[0], once, crls=[first])).first.token == once


@pytest.mark.parametrize("crl", [b"", b"0", b"\x04\x00", b"0\x00\x00"])
def test_a_crl_that_is_not_der_is_refused(batch, token, crl):
    with pytest.raises(MalformedError):
        issue_record(batch.trees[0], token, crls=[crl])


# --- tokens ---------------------------------------------------------------------------------------------------


def test_imprint_agrees_with_an_independent_decoder(token, batch):
    info = cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed
    assert isinstance(info, tsp.TSTInfo)
    imprint = token_imprint(token)
    assert imprint.oid == SHA256_OID
    assert imprint.value == info["message_imprint"]["hashed_message"].native == batch.root
    assert imprint.gen_time == info["gen_time"].native
    assert (imprint.latest - imprint.gen_time).total_seconds() == 1


def test_every_flipped_bit_outside_crls_is_a_difference(token):
    for at in range(len(token)):
        flipped = bytearray(token)
        flipped[at] ^= 1 << at % 8
        assert not token_differs_only_in_crls(bytes(flipped), token)
        assert not token_differs_only_in_crls(token, bytes(flipped))
    assert token_differs_only_in_crls(token, token)


@given(st.data())
def test_token_reader_never_crashes(token, data):
    damaged = bytearray(token)
    at = data.draw(st.integers(0, len(damaged) - 1))
    damaged[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    for read in (token_imprint, token_crls):
        try:
            read(bytes(damaged))
        except MalformedError:
            continue


def _token(
    info: bytes, *, inner_type="1.2.840.113549.1.9.16.1.4", outer_type="1.2.840.113549.1.7.2", extra=b""
):
    encapsulated = der.encode(
        0x30, core.ObjectIdentifier(inner_type).dump(), der.encode(0xA0, der.encode(0x04, info))
    )
    signed = der.encode(0x30, b"\x02\x01\x03", der.encode(0x31), encapsulated, extra, der.encode(0x31))
    return der.encode(0x30, core.ObjectIdentifier(outer_type).dump(), der.encode(0xA0, signed))


def _info(*, time: bytes = b"20260102030405Z", accuracy: bytes = b"") -> bytes:
    imprint = der.encode(0x30, der.encode(0x30, OID), VALUE)
    return der.encode(0x30, b"\x02\x01\x01", OID, imprint, b"\x02\x01\x09", der.encode(0x18, time), accuracy)


@pytest.mark.parametrize(
    ("accuracy", "seconds"),
    [
        (b"", 0),
        (b"\x30\x00", 0),
        (b"\x30\x03\x02\x01\x02", 2),
        (b"\x30\x03\x80\x01\x7d", 0.125),
        (b"\x30\x09\x02\x01\x01\x80\x01\x01\x81\x01\x01", 1.001001),
    ],
)
def test_accuracy_widens_the_latest_moment(accuracy, seconds):
    imprint = token_imprint(_token(_info(accuracy=accuracy)))
    assert (imprint.latest - imprint.gen_time).total_seconds() == seconds


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_token(_info(accuracy=b"\x30\x03\x02\x01\xff")), id="negative accuracy"),
        pytest.param(
            _token(_info(time=b"99991231235959Z", accuracy=b"\x30\x06\x02\x04\x7f\xff\xff\xff")),
            id="overflow",
        ),
        pytest.param(_token(_info(accuracy=b"\x30\x06\x80\x01\x01\x02\x01\x01")), id="accuracy out of order"),
        pytest.param(_token(_info(time=b"20261302030405Z")), id="month 13"),
        pytest.param(_token(_info(time=b"2026010203040Z")), id="short time"),
        pytest.param(_token(_info(), inner_type="1.2.840.113549.1.7.1"), id="not a TSTInfo"),
        pytest.param(_token(_info(), outer_type="1.2.840.113549.1.7.1"), id="not SignedData"),
        pytest.param(_token(_info(), extra=b"\xa2\x00"), id="unknown field"),
        pytest.param(_token(_info(), extra=b"\xa1\x00\xa0\x00"), id="fields swapped"),
        pytest.param(_token(_info()) + b"\0", id="tail"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_wrong_tokens_are_refused(data):
    with pytest.raises(MalformedError):
        token_imprint(data)


def test_national_outer_type_is_read():
    assert token_imprint(_token(_info(), outer_type="1.2.156.10197.6.1.4.2.2")).value == b"\1" * 32


def test_algorithm_comes_from_the_token_when_the_field_is_absent():
    stamp = ArchiveTimeStamp(digest=None, attributes=None, tree=None, token=_token(_info()))
    assert stamp.algorithm_oid == "1.2"


def test_sequence_is_the_end_of_the_record():
    assert ENCODED.endswith(encode_sequence(SAMPLE.chains))
