"""SM2 against published vectors, the openssl command, and hostile signatures and keys."""

import shutil
import subprocess
from pathlib import Path

import gmssl_pyx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evidence_desk.crypto import guomi
from evidence_desk.errors import BugError, IntegrityError, MalformedError

# GB/T 32918.5-2017 annex A.2, recommended curve.
PRIVATE = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
PUBLIC = bytes.fromhex(
    "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
R = int("F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3", 16)
S = int("B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA", 16)
MESSAGE = b"message digest"
N = guomi.CURVE_ORDER

OPENSSL = shutil.which("openssl")
DISTID = ["-sigopt", "distid:1234567812345678"]


def integer(value: int, *, pad: int = 0) -> bytes:
    content = b"\x00" * pad + value.to_bytes(value.bit_length() // 8 + 1, "big")
    return bytes([2, len(content)]) + content


def der(r: int, s: int) -> bytes:
    body = integer(r) + integer(s)
    return bytes([0x30, len(body)]) + body


def test_standard_vector_verifies():
    assert guomi.verify_sm2(PUBLIC, MESSAGE, der(R, S))


def test_standard_vector_public_key():
    assert guomi.sm2_public(PRIVATE) == PUBLIC
    assert guomi.sm2_public(PRIVATE) == PUBLIC  # remembered


def test_sign_and_verify_with_other_user_ids():
    for user_id in (b"a", b"x" * 8191, guomi.SM2_USER_ID):
        signature = guomi.sign_sm2(PRIVATE, b"m", user_id=user_id)
        assert guomi.verify_sm2(PUBLIC, b"m", signature, user_id=user_id)
        assert not guomi.verify_sm2(PUBLIC, b"m", signature, user_id=b"other")


@pytest.mark.parametrize("user_id", [b"", b"x" * 8192])
def test_user_id_that_would_drop_za_is_a_bug(user_id):
    with pytest.raises(BugError):
        guomi.sign_sm2(PRIVATE, b"m", user_id=user_id)
    with pytest.raises(BugError):
        guomi.verify_sm2(PUBLIC, b"m", der(R, S), user_id=user_id)


def test_wrong_message_key_and_numbers_fail():
    _, stranger = guomi.generate_sm2()
    assert not guomi.verify_sm2(PUBLIC, MESSAGE + b".", der(R, S))
    assert not guomi.verify_sm2(stranger, MESSAGE, der(R, S))
    assert not guomi.verify_sm2(PUBLIC, MESSAGE, der(S, R))


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"\x30\x00",
        der(0, S),
        der(R, 0),
        der(R + N, S),
        der(R, S + N),
        der(N, S),
        der(R, N),
        der(R, N - R),
        der(R, S) + b"\x00",
        b"\x30\x81" + der(R, S)[1:],
        b"\x31" + der(R, S)[1:],
        bytes([0x30, 71]) + integer(R, pad=1) + integer(S),
        bytes([0x30, 0x44]) + b"\x02\x20" + R.to_bytes(32, "big") + b"\x02\x20" + S.to_bytes(32, "big"),
        bytes([0x30, 0x06]) + b"\x02\x01\x00\x02\x01\x00",
        bytes([0x30, 0x08]) + b"\x02\x02\x00\x01\x02\x02\x00\x01",
        bytes([0x30, 0x06]) + b"\x02\x00\x02\x02\x00\x81",
    ],
)
def test_signature_that_is_not_strict_der_in_range_fails(signature):
    assert not guomi.verify_sm2(PUBLIC, MESSAGE, signature)


@given(st.binary(max_size=80))
@example(der(1, 1))
@settings(max_examples=300, deadline=None)
def test_any_bytes_as_signature_are_answered(signature):
    assert not guomi.verify_sm2(PUBLIC, MESSAGE, signature)


@given(st.integers(0, 69), st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_no_changed_byte_of_a_signature_passes(position, change):
    signature = bytearray(der(R, S))
    signature[position] ^= change
    assert not guomi.verify_sm2(PUBLIC, MESSAGE, bytes(signature))


@pytest.mark.parametrize(
    "point",
    [
        b"",
        PUBLIC[1:],
        b"\x02" + PUBLIC[1:33],
        b"\x06" + PUBLIC[1:],
        PUBLIC[:-1] + bytes([PUBLIC[-1] ^ 1]),
        b"\x04" + b"\x00" * 64,
        b"\x04" + b"\xff" * 64,
    ],
)
def test_point_off_the_curve_is_refused(point):
    with pytest.raises(MalformedError, match=r"sm2\.point"):
        guomi.verify_sm2(point, MESSAGE, der(R, S))


@pytest.mark.parametrize(
    "private", [b"", b"\x00" * 32, b"\xff" * 32, (N - 1).to_bytes(32, "big"), b"\x01" * 31]
)
def test_private_key_out_of_range_is_refused(private):
    with pytest.raises(MalformedError, match=r"sm2\.private_key"):
        guomi.sm2_public(private)


def test_public_keys_beginning_with_stripped_digits():
    # gmssl's constructor would strip leading "0" and "4" digits of these keys.
    found = 0
    for number in range(1, 400):
        private, public = guomi.sm2_from_seed(number.to_bytes(32, "big"))
        if public[1] >> 4 in (0, 4):
            found += 1
            assert guomi.verify_sm2(public, b"m", guomi.sign_sm2(private, b"m"))
        if found == 6:
            return
    pytest.fail("no such key found")


def test_second_implementation_adds_equal_points():
    # sG = tP, so their sum is a doubling: gmssl itself answers wrongly here.
    d = int.from_bytes(PRIVATE, "big")
    t = 0x1234567890ABCDEF
    s = t * d % N
    r = (t - s) % N
    second = guomi._SecondImplementation(PUBLIC)
    x = int(second._kg(2 * s % N, guomi._GENERATOR)[:64], 16)
    digest = (r - x) % N
    assert second.accepts(r, s, digest)
    assert not second.accepts(r, s, digest + 1)
    assert gmssl_pyx.sm2_verify_sm3_digest(PUBLIC[1:], digest.to_bytes(32, "big"), der(r, s))


def test_second_implementation_refuses_opposite_points():
    d = int.from_bytes(PRIVATE, "big")
    t = 0x1234567890ABCDEF
    s = -t * d % N
    r = (t - s) % N
    assert not guomi._SecondImplementation(PUBLIC).accepts(r, s, r)


def test_disagreement_is_an_alarm(monkeypatch):
    monkeypatch.setattr(guomi, "_verify_gmssl_pyx", lambda *_: False)
    with pytest.raises(IntegrityError, match=r"sm2\.disagreement"):
        guomi.verify_sm2(PUBLIC, MESSAGE, der(R, S))


def test_library_error_counts_as_no(monkeypatch):
    def fails(*_: object) -> bool:
        raise gmssl_pyx.GmsslInnerError

    monkeypatch.setattr(gmssl_pyx, "sm2_verify", fails)
    assert not guomi.verify_sm2(PUBLIC, MESSAGE + b".", der(R, S))
    with pytest.raises(IntegrityError):
        guomi.verify_sm2(PUBLIC, MESSAGE, der(R, S))


def test_signature_that_is_no_der_is_never_handed_out(monkeypatch):
    monkeypatch.setattr(gmssl_pyx, "sm2_sign", lambda *_: der(R, S) + b"\x00")
    with pytest.raises(BugError):
        guomi.sign_sm2(PRIVATE, MESSAGE)


def test_remembered_points_are_bounded():
    for number in range(1, 80):
        guomi.sm2_public(number.to_bytes(32, "big"))
    assert len(guomi._public_points) == 64
    assert not any(number.to_bytes(32, "big") in guomi._public_points for number in range(1, 80))


def test_seed_determines_the_key():
    first = guomi.sm2_from_seed(b"\x00" * 32)
    assert first == guomi.sm2_from_seed(b"\x00" * 32)
    assert first != guomi.sm2_from_seed(b"\x01" * 32)
    assert guomi.verify_sm2(first[1], b"m", guomi.sign_sm2(first[0], b"m"))
    with pytest.raises(BugError):
        guomi.sm2_from_seed(b"\x00" * 31)


def test_key_encodings_round_trip():
    private, public = guomi.generate_sm2()
    assert guomi.sm2_point_from_spki(guomi.sm2_spki(public)) == public
    assert guomi.sm2_private_from_pkcs8(guomi.sm2_pkcs8(private)) == private


@pytest.mark.parametrize("change", [0, 5, 20, 45, -1])
def test_key_encodings_are_strict(change):
    private, public = guomi.generate_sm2()
    spki = bytearray(guomi.sm2_spki(public))
    spki[change] ^= 1
    with pytest.raises(MalformedError):
        guomi.sm2_point_from_spki(bytes(spki))
    key = bytearray(guomi.sm2_pkcs8(private))
    key[change] ^= 1
    with pytest.raises(MalformedError):
        guomi.sm2_private_from_pkcs8(bytes(key))


@given(st.binary(max_size=160))
def test_key_decoders_never_crash(data):
    for decoder in (guomi.sm2_point_from_spki, guomi.sm2_private_from_pkcs8):
        with pytest.raises(MalformedError):
            decoder(data)


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    assert OPENSSL is not None
    return subprocess.run([OPENSSL, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.skipif(OPENSSL is None, reason="needs the openssl command")
def test_openssl_accepts_our_signature_and_key(tmp_path):
    private, public = guomi.generate_sm2()
    (tmp_path / "message").write_bytes("电子证据".encode())
    (tmp_path / "public.der").write_bytes(guomi.sm2_spki(public))
    (tmp_path / "signature").write_bytes(guomi.sign_sm2(private, "电子证据".encode()))
    check = ["dgst", "-sm3", "-verify", "public.der", "-keyform", "DER", "-signature", "signature"]
    assert "Verified OK" in run(*check, *DISTID, "message", cwd=tmp_path).stdout
    assert run(*check, "-sigopt", "distid:other", "message", cwd=tmp_path).returncode != 0


@pytest.mark.skipif(OPENSSL is None, reason="needs the openssl command")
def test_we_accept_openssl_keys_and_signatures(tmp_path):
    (tmp_path / "message").write_bytes(b"from openssl")
    run("genpkey", "-algorithm", "SM2", "-out", "key.pem", cwd=tmp_path)
    to_der = ["pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-outform", "DER", "-out", "key.der"]
    assert run(*to_der, cwd=tmp_path).returncode == 0
    private = guomi.sm2_private_from_pkcs8((tmp_path / "key.der").read_bytes())
    run(
        "pkey",
        "-in",
        "key.der",
        "-inform",
        "DER",
        "-pubout",
        "-outform",
        "DER",
        "-out",
        "pub.der",
        cwd=tmp_path,
    )
    public = guomi.sm2_point_from_spki((tmp_path / "pub.der").read_bytes())
    assert guomi.sm2_public(private) == public
    sign = ["dgst", "-sm3", "-sign", "key.der", "-keyform", "DER", "-out", "signature"]
    assert run(*sign, *DISTID, "message", cwd=tmp_path).returncode == 0
    signature = (tmp_path / "signature").read_bytes()
    assert guomi.verify_sm2(public, b"from openssl", signature)
    assert not guomi.verify_sm2(public, b"from openssl!", signature)
