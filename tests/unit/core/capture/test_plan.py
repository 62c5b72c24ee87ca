import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import encode
from evidence_desk.core.capture.plan import (
    CaptureMode,
    CapturePlan,
    CertificatePolicy,
    completed_address,
    encode_plan,
    extra_authorities,
    is_address,
    parse_plan,
)
from evidence_desk.errors import EvidenceDeskError, MalformedError, UsageError
from tests.sites.authority import SiteCa

CA = SiteCa().root_der
PLAN = CapturePlan(
    urls=("https://www.court.example/a?b=c#d", "http://例子.测试:8080/"),
    settle_ms=0,
    viewport=(1920, 1080),
    allow_private=True,
    extra_ca=(CA,),
    certificate_errors=CertificatePolicy.ACCEPT,
)


def test_a_plan_comes_back():
    assert parse_plan(encode_plan(PLAN)) == PLAN


def test_an_interactive_plan_may_have_no_address():
    assert CapturePlan(urls=(), mode=CaptureMode.INTERACTIVE).urls == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"urls": ()}, "urls"),
        ({"urls": ("https://a.example/",) * 501}, "urls"),
        ({"urls": ("file:///etc/passwd",)}, "urls"),
        ({"mode": CaptureMode.INTERACTIVE}, "urls"),
        ({"settle_ms": -1}, "settle_ms"),
        ({"page_seconds": 0}, "page_seconds"),
        ({"max_seconds": 24 * 3600 + 1}, "max_seconds"),
        ({"max_bytes": 0}, "max_bytes"),
        ({"viewport": (100, 900)}, "viewport"),
        ({"viewport": (1366, 9000)}, "viewport"),
        ({"language": "zh CN"}, "language"),
        ({"language": "zh\r\nX-Evil: 1"}, "language"),
        ({"extra_ca": (b"no certificate",)}, "extra_ca"),
        ({"extra_ca": (CA,) * 65}, "extra_ca"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes, reason):
    with pytest.raises(MalformedError) as caught:
        replace(PLAN, **changes)
    assert caught.value.parameters["reason"] == reason


@pytest.mark.parametrize(
    "change",
    [
        {"v": "capture-plan/2"},
        {"mode": "both"},
        {"scroll": 1},
        {"settle_ms": True},
        {"viewport": [1366]},
        {"viewport": 5},
        {"urls": "https://a.example/"},
        {"urls": [5]},
        {"language": None},
        {"extra_ca": ["%%"]},
        {"extra_ca": [base64.b64encode(CA).decode() + "\n"]},
        {"certificate_errors": "ignore"},
        {"more": 1},
    ],
)
def test_other_json_is_refused(change):
    with pytest.raises(MalformedError):
        parse_plan(encode({**PLAN.to_json(), **change}))


def test_certificates_have_one_spelling():
    value = CapturePlan(urls=("https://a.example/",), extra_ca=(bytes(CA),)).to_json()
    text = base64.b64encode(CA).decode()
    padded = text if text.endswith("=") else base64.b64encode(CA + b"x").decode()
    loose = (
        padded.rstrip("=")[:-1]
        + chr(ord(padded.rstrip("=")[-1]) + 1)
        + "=" * (len(padded) - len(padded.rstrip("=")))
    )
    with pytest.raises(MalformedError):
        parse_plan(encode({**value, "extra_ca": [loose]}))


def test_a_missing_member_is_refused():
    value = PLAN.to_json()
    del value["scroll"]
    with pytest.raises(MalformedError):
        parse_plan(encode(value))


@given(st.binary(max_size=300))
def test_bytes_are_read_or_refused(data):
    with pytest.raises(EvidenceDeskError):
        parse_plan(data)


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example",
        "http://127.0.0.1:8080/x",
        "https://[2001:db8::1]/",
        "https://例子.测试/路径?问=答",
        "https://a.example/%E4%B8%AD",
    ],
)
def test_addresses(url):
    assert is_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "ftp://a.example/",
        "javascript:alert(1)",
        "https:///x",
        "https://a.example/a b",
        "https://a.example/\u2028",
        "https://user:secret@a.example/",
        "https://a.example:0/",
        "https://a.example:70000/",
        "https://a.example:x/",
        "https://[::1/",
        "https://a.example\\@b.example/",
        "https://a.example/" + "x" * 9000,
        "https://a.example/\ud800",
    ],
)
def test_what_is_no_address(url):
    assert not is_address(url)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (" a.example/x ", "https://a.example/x"),
        ("a.example:8443/x", "https://a.example:8443/x"),
        ("HTTP://a.example", "http://a.example"),
        ("例子.测试", "https://例子.测试"),
        ("[2001:db8::1]:443", "https://[2001:db8::1]:443"),
    ],
)
def test_what_a_person_types_is_completed(typed, meant):
    assert completed_address(typed) == meant


@pytest.mark.parametrize(
    "typed", ["", "  ", "file:///etc/passwd", "mailto:a@b.example", "two words", "javascript:alert(1)"]
)
def test_what_a_person_types_may_be_no_address(typed):
    with pytest.raises(UsageError) as caught:
        completed_address(typed)
    assert caught.value.code == "capture.address"


@given(st.text(max_size=60))
def test_any_text_is_completed_or_refused(text):
    try:
        assert is_address(completed_address(text))
    except UsageError as error:
        assert str(error.parameters["address"]).isprintable()  # noqa: PT017


def test_authorities_come_from_pem_and_der_once_each():
    ca = SiteCa()
    assert extra_authorities([ca.root_pem + CA_PEM, ca.root_der, CA]) == (ca.root_der, CA)


CA_PEM = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(CA) + b"-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nQUJ\n-----END CERTIFICATE-----\n",
        bytes(40_000),
    ],
)
def test_what_is_no_authority(data):
    with pytest.raises(MalformedError) as caught:
        extra_authorities([data])
    assert caught.value.code == "malformed.extra_ca"
