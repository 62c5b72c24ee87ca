"""TimeStampReq: strict reading, and building that reads back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evidence_desk.errors import BugError, MalformedError
from tests.unit.tsa.forge import SHA256, SM3, algorithm, extension, num, octets, oid, seq, tlv
from tsa.request import TimestampRequest, build_request, parse_request

IMPRINT = bytes(range(32))


@given(
    st.sampled_from([SHA256, SM3]),
    st.binary(min_size=32, max_size=32),
    st.one_of(st.none(), st.integers(0, 1 << 128)),
    st.booleans(),
    st.sampled_from([None, "1.2.3.4", "2.25.340282366920938463463374607431768211455.1"]),
)
def test_built_request_reads_back(
    hash_oid: str,
    imprint: bytes,
    nonce: int | None,
    cert_req: bool,
    policy: str | None,
) -> None:
    built = build_request(hash_oid=hash_oid, imprint=imprint, nonce=nonce, cert_req=cert_req, policy=policy)
    assert parse_request(built) == TimestampRequest(
        hash_oid=hash_oid, imprint=imprint, nonce=nonce, cert_req=cert_req, policy=policy
    )


@pytest.mark.parametrize("imprint", [b"", bytes(20), bytes(33)])
def test_wrong_imprint_is_not_built(imprint: bytes) -> None:
    with pytest.raises(BugError):
        build_request(hash_oid=SHA256, imprint=imprint, nonce=1)


def test_odd_demands_are_not_built() -> None:
    for changes in ({"policy": "not an OID"}, {"policy": "1..2.3"}, {"hash_oid": "1"}, {"nonce": 1 << 600}):
        with pytest.raises(BugError):
            build_request(**{"hash_oid": SHA256, "imprint": IMPRINT, "nonce": 1, **changes})  # type: ignore[arg-type]


def test_openssl_reads_what_we_build(tmp_path: Path) -> None:
    file = tmp_path / "query.tsq"
    file.write_bytes(build_request(hash_oid=SHA256, imprint=IMPRINT, nonce=0xABCDEF, policy="1.2.3.4"))
    shown = subprocess.run(
        ["openssl", "ts", "-query", "-in", str(file), "-text"], check=True, capture_output=True, text=True
    ).stdout
    for line in ("Version: 1", "Hash Algorithm: sha256", "Policy OID: 1.2.3.4", "Nonce: 0xABCDEF"):
        assert line in shown
    assert "Certificate required: yes" in shown


def test_we_read_what_openssl_builds(tmp_path: Path) -> None:
    file, data = tmp_path / "query.tsq", tmp_path / "data"
    data.write_bytes(b"hello")
    subprocess.run(
        ["openssl", "ts", "-query", "-data", str(data), "-sha512", "-no_nonce", "-out", str(file)],
        check=True,
        capture_output=True,
    )
    request = parse_request(file.read_bytes())
    assert request.hash_oid == "2.16.840.1.101.3.4.2.3"
    assert (request.nonce, request.cert_req, request.policy) == (None, False, None)


def request(
    *tail: bytes, version: int = 1, imprint: bytes = IMPRINT, hash_algorithm: bytes | None = None
) -> bytes:
    chosen = algorithm(SHA256) if hash_algorithm is None else hash_algorithm
    return seq(num(version), seq(chosen, octets(imprint)), *tail)


def test_extensions_are_told() -> None:
    asked = request(tlv(0xA0, extension("1.2.3", b"\x05\x00")))
    assert parse_request(asked).extensions == ("1.2.3",)


def test_unknown_digest_is_left_to_the_authority() -> None:
    assert parse_request(request(imprint=b"1", hash_algorithm=algorithm("1.2.3"))).hash_oid == "1.2.3"


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        request() + b"\0",
        request(version=2),
        request(imprint=bytes(31)),
        request(b"\x01\x01\x00"),
        request(b"\x01\x01\x01"),
        request(num(1), oid("1.2.3")),
        request(num(1), num(1)),
        request(b"\x02\x02\x00\x01"),
        request(hash_algorithm=algorithm(SHA256, num(1))),
        request(num(1 << 600)),
        bytes(9000),
    ],
)
def test_refused(bad: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_request(bad)
    assert caught.value.code in ("malformed.tsa.request", "malformed.too_large")


@given(st.binary(max_size=200))
@example(b"\x30\x80\x02\x01\x01\x00\x00")
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_request(data)


@given(st.integers(0, 200), st.integers(1, 255))
def test_changed_byte_changes_the_meaning_or_is_refused(position: int, flip: int) -> None:
    built = bytearray(build_request(hash_oid=SHA256, imprint=IMPRINT, nonce=5, policy="1.2.3"))
    original = parse_request(bytes(built))
    built[position % len(built)] ^= flip
    try:
        assert parse_request(bytes(built)) != original
    except MalformedError:
        return
