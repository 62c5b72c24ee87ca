"""Trust stores of Linux and Windows, and handshakes with real servers judged by them."""

from __future__ import annotations

import socket
import sqlite3

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.capture.environment.linux_roots import certificates
from evidence_desk.capture.environment.roots import check_interception, check_roots
from evidence_desk.capture.environment.windows_roots import (
    divide,
    list_thumbprints,
    thumbprint,
    windows_roots,
)
from evidence_desk.core.capture.environment import Outcome, Target
from evidence_desk.errors import MalformedError
from tests.unit.capture.environment.certificates import an_authority, tls_server
from tests.unit.capture.environment.machines import a_machine, around, codes

SHIPPED, OTHER, OFFICE, PROXY = (
    an_authority(name) for name in ("Shipped Root", "Other Shipped Root", "Office Root", "mitmproxy")
)
BASE: dict[str, str | bytes] = {
    "/usr/share/ca-certificates/mozilla/Shipped.crt": SHIPPED.pem,
    "/usr/share/ca-certificates/mozilla/Other.crt": OTHER.pem,
}
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def test_only_shipped_roots(tmp_path):
    machine = a_machine(
        tmp_path, files={**BASE, BUNDLE: SHIPPED.pem + OTHER.pem}, outputs={"dpkg --verify": (0, "")}
    )
    item = check_roots(around(machine))
    assert (item.outcome, codes(item)) == (Outcome.PASS, ["roots.shipped_only"])
    assert item.facts == {"added": (), "shipped": ("2",)}


@pytest.mark.parametrize(
    "place",
    [
        "/usr/local/share/ca-certificates/office.crt", "/usr/local/share/ca-certificates/deep/er/office.crt",
        "/etc/pki/ca-trust/source/anchors/office.pem", BUNDLE,
    ],
)  # fmt: skip
def test_an_added_root_is_found_wherever_it_lies(tmp_path, place):
    item = check_roots(around(a_machine(tmp_path, files={**BASE, place: OFFICE.pem})))
    assert (item.outcome, codes(item)) == (Outcome.WARN, ["roots.added"])
    assert item.reasons[0].parameters == {"count": 1, "names": "CN=Office Root"}
    assert item.facts["added"][0].startswith(f"{place}: CN=Office Root SHA-256 ")


def test_der_files_and_names_of_inspectors(tmp_path):
    files = {**BASE, "/usr/local/share/ca-certificates/p.crt": PROXY.der}
    assert codes(check_roots(around(a_machine(tmp_path, files=files)))) == ["roots.added", "roots.inspector"]


def nss(path, *rows: tuple[bytes, bytes | None]) -> None:
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE nssPublic (id PRIMARY KEY UNIQUE ON CONFLICT ABORT, a0, a1, a11, a3)")
    connection.executemany("INSERT INTO nssPublic (a0, a11) VALUES (?, ?)", rows)
    connection.commit()
    connection.close()


def test_the_browsers_own_store_is_read(tmp_path):
    nss(
        tmp_path / "home/user/.pki/nssdb/cert9.db",
        (b"\0\0\0\x01", OFFICE.der), (b"\xce\x53\x43\x53", b"trust"), (b"\0\0\0\x01", None),
    )  # fmt: skip
    item = check_roots(around(a_machine(tmp_path, files=BASE)))
    assert item.facts["added"][0].startswith("~/.pki/nssdb: CN=Office Root")


def test_a_broken_store_is_a_gap(tmp_path):
    files = BASE | {"/home/user/.pki/nssdb/cert9.db": "no database"}
    item = check_roots(around(a_machine(tmp_path, files=files)))
    assert (item.outcome, codes(item)) == (Outcome.UNCHECKED, ["roots.nss_unread"])


def test_without_the_systems_own_list_nothing_is_decided(tmp_path):
    item = check_roots(around(a_machine(tmp_path, files={BUNDLE: SHIPPED.pem})))
    assert (item.outcome, codes(item)) == (Outcome.UNCHECKED, ["roots.no_list"])


def test_changed_files_of_the_package_are_told(tmp_path):
    output = "??5??????   /usr/share/ca-certificates/mozilla/Shipped.crt\n"
    item = check_roots(around(a_machine(tmp_path, files=BASE, outputs={"dpkg --verify": (0, output)})))
    assert (item.outcome, codes(item)) == (Outcome.WARN, ["roots.package_changed"])


@given(st.binary(max_size=200))
def test_foreign_bundles_never_crash(data):
    list(certificates(data))
    list(certificates(b"-----BEGIN CERTIFICATE-----\n" + data + b"\n-----END CERTIFICATE-----"))


@pytest.mark.parametrize(
    ("authority", "outcome", "code"),
    [
        (SHIPPED, Outcome.PASS, "interception.shipped"),
        (OFFICE, Outcome.FAIL, "interception.added"),
        (PROXY, Outcome.WARN, "interception.untrusted"),
    ],
)
def test_a_real_handshake_is_judged_by_the_shipped_roots_first(tmp_path, authority, outcome, code):
    files = {**BASE, "/usr/local/share/ca-certificates/office.crt": OFFICE.pem}
    with tls_server(authority, tmp_path) as port:
        item = check_interception(
            around(a_machine(tmp_path, files=files), Target(host="127.0.0.1", port=port))
        )
    assert (item.outcome, codes(item)) == (outcome, [code])
    issuer = authority.certificate.subject.rfc4514_string()
    assert item.reasons[0].parameters["issuer"] == issuer
    assert item.facts["issuers"] == (f"127.0.0.1:{port} {issuer}",)


def test_without_handshake_nothing_is_decided(tmp_path):
    machine = a_machine(tmp_path, files=BASE)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        item = check_interception(around(machine, Target(host="127.0.0.1", port=closed.getsockname()[1])))
    assert (item.outcome, codes(item)) == (Outcome.UNCHECKED, ["interception.unreached"])
    assert codes(check_interception(around(machine, Target(host="a", port=80)))) == ["no_targets"]
    bare = a_machine(tmp_path / "bare")
    assert codes(check_interception(around(bare, Target(host="a")))) == ["roots.no_list"]


def a_list(*thumbprints: bytes, wrapped: bool = False) -> bytes:
    """A certificate trust list as Windows keeps it: PKCS #7, the list in the explicit tag itself."""

    def tag(number: int, *parts: bytes) -> bytes:
        body = b"".join(parts)
        size = bytes([len(body)]) if len(body) < 128 else b"\x82" + len(body).to_bytes(2, "big")
        return bytes([number]) + size + body

    oid = core.ObjectIdentifier
    subjects = tag(
        0x30, *(tag(0x30, tag(4, item), tag(0x31, tag(0x30, oid("1.2").dump()))) for item in thumbprints)
    )
    usage = tag(0x30, oid("1.3.6.1.4.1.311.10.3.9").dump())
    algorithm = tag(0x30, oid("1.3.14.3.2.26").dump())
    content = tag(
        0x30, usage, tag(4, b"A"), tag(2, b"\x01"), tag(0x17, b"261122083000Z"), algorithm, subjects
    )
    inner = tag(0xA0, tag(4, content) if wrapped else content)
    signed = tag(
        0x30, tag(2, b"\x01"), tag(0x31), tag(0x30, oid("1.3.6.1.4.1.311.10.1").dump(), inner), tag(0x31)
    )  # fmt: skip
    return tag(0x30, oid("1.2.840.113549.1.7.2").dump(), tag(0xA0, signed))


@pytest.mark.parametrize("wrapped", [False, True])
def test_microsofts_list_is_read(wrapped):
    prints = [bytes([number]) * 20 for number in range(40)]
    assert list_thumbprints(a_list(*prints, wrapped=wrapped)) == {item.hex() for item in prints}


@given(st.binary(max_size=120))
def test_foreign_lists_only_raise_our_error(data):
    with pytest.raises(MalformedError):
        list_thumbprints(data)


@given(st.data())
def test_a_damaged_list_never_crashes(data):
    good = bytearray(a_list(b"a" * 20, b"b" * 20))
    good[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        list_thumbprints(bytes(good))
    except MalformedError:
        return


def test_windows_stores_are_divided_by_the_list():
    listed = list_thumbprints(a_list(bytes.fromhex(thumbprint(SHIPPED.der))))
    stores = {
        "CurrentUser\\Root": (OFFICE.der, b"no certificate"),
        "LocalMachine\\Root": (SHIPPED.der, OFFICE.der),
    }
    roots = divide(stores, listed)
    assert roots.shipped == (SHIPPED.der,)
    assert roots.added == (
        ("CurrentUser\\Root", OFFICE.der), ("CurrentUser\\Root", b"no certificate"), ("LocalMachine\\Root", OFFICE.der),
    )  # fmt: skip
    assert (
        thumbprint(SHIPPED.der)
        == x509.load_der_x509_certificate(SHIPPED.der).fingerprint(hashes.SHA1()).hex()
    )


def test_elsewhere_than_on_windows_its_stores_are_gaps(tmp_path):
    roots = windows_roots(around(a_machine(tmp_path, system="windows")))
    assert not roots.shipped
    assert not roots.added
    assert len(roots.gaps) == 3
    item = check_roots(around(a_machine(tmp_path, system="windows")))
    assert item.outcome is Outcome.UNCHECKED
