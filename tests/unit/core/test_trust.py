import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.digests import sha256
from evidence_desk.core.trust import MAX_FILE, encode_manifest, parse_trust
from evidence_desk.errors import MalformedError
from tests.fixed import KEYS, ORIGIN, mutations, refusal

KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "演示 CA")])
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CERTIFICATE = (
    x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(KEY.public_key()).serial_number(1)
    .not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1)).sign(KEY, hashes.SHA256())
)  # fmt: skip
CRL = (
    x509.CertificateRevocationListBuilder().issuer_name(NAME).last_update(NOW).next_update(NOW + timedelta(days=1))
    .sign(KEY, hashes.SHA256())
)  # fmt: skip
FILES = {
    "tsa.pem": CERTIFICATE.public_bytes(Encoding.PEM) + CRL.public_bytes(Encoding.PEM),
    "signer.pem": CERTIFICATE.public_bytes(Encoding.PEM),
    "desk.vkey": KEYS.encode().encode(),
    "network.json": b'{"v":"network/1"}',
}
MANIFEST = encode_manifest(
    authorities={"演示机构": ("tsa.pem",)},
    signers={"CA": ("signer.pem",)},
    desks={ORIGIN: "desk.vkey"},
    networks={"demo-court-7f3a": "network.json"},
    files=FILES,
)


WITH_PERSONS = encode_manifest(
    authorities={}, signers={}, persons={"复核人": ("tsa.pem",)}, desks={}, files=FILES,
)  # fmt: skip


def changed(**members: Any) -> bytes:
    return encode({**json.loads(MANIFEST), **members})


def test_a_folder_as_we_write_it():
    trust = parse_trust(MANIFEST, FILES.__getitem__)
    assert trust.desks == {ORIGIN: KEYS}
    assert trust.networks == {"demo-court-7f3a": FILES["network.json"]}
    assert trust.fingerprint == sha256(MANIFEST).hex()
    (authority,), (signer,) = trust.authorities, trust.signers
    der = CERTIFICATE.public_bytes(Encoding.DER)
    assert (authority.name, authority.certificates, signer.certificates) == ("演示机构", (der,), (der,))
    assert (authority.crls, signer.crls) == ((CRL.public_bytes(Encoding.DER),), ())


def test_roots_of_persons_are_kept_apart():
    assert "persons" not in json.loads(MANIFEST), "absent while nobody is enrolled"
    assert parse_trust(MANIFEST, FILES.__getitem__).persons == ()
    trust = parse_trust(WITH_PERSONS, FILES.__getitem__)
    (roots,) = trust.persons
    assert (roots.name, len(roots.certificates), len(roots.crls)) == ("复核人", 1, 1)
    assert (trust.signers, trust.authorities) == ((), ())


def test_persons_are_read_as_strictly_as_the_rest():
    absent: JSON = {"name": "x", "files": ["absent"]}
    more: JSON = {"name": "x", "files": [], "": 1}
    wrongs: list[JSON] = [None, 1, "x", {}, [1], [{}], [absent], [more]]
    for wrong in wrongs:
        with refusal("malformed.trust"):
            parse_trust(changed(persons=wrong), FILES.__getitem__)
    for other in ("person", "Persons", ""):
        with refusal("malformed.trust"):
            parse_trust(changed(**{other: []}), FILES.__getitem__)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_changed_file_is_refused(name):
    with refusal("malformed.trust_digest"):
        parse_trust(MANIFEST, {**FILES, name: FILES[name] + b"\n"}.__getitem__)


@pytest.mark.parametrize("name", sorted(json.loads(MANIFEST)))
def test_every_member_is_needed_and_checked(name):
    value = json.loads(MANIFEST)
    with refusal("malformed.trust"):
        parse_trust(
            encode({other: item for other, item in value.items() if other != name}), FILES.__getitem__
        )
    wrongs: list[JSON] = [None, 1, "x", {"x": 1}, [1], [{}], [{"name": 1, "files": []}], [{"name": "x", "files": 1}],
                          [{"name": "x", "files": [1]}], [{"name": "x", "files": ["absent"]}], [{"origin": ORIGIN, "file": None}]]  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(MalformedError):
            parse_trust(changed(**{name: wrong}), FILES.__getitem__)


@pytest.mark.parametrize(
    "name",
    ["../x", "/x", "..", ".", "", ".x", "a/b", "a\\b", "C:x", "x.pem:stream", "a\x00b", "a\n", "x" * 300],
)
def test_names_that_lead_elsewhere_are_never_read(name):
    asked: list[str] = []

    def read(path: str) -> bytes:
        asked.append(path)
        return b"x"

    manifest = encode_manifest(authorities={"x": (name,)}, signers={}, desks={}, files={name: b"x"})
    with refusal("malformed.trust"):
        parse_trust(manifest, read)
    assert asked == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "malformed.trust"), (b"nothing", "malformed.trust"), (b"\xff\xfe", "malformed.trust"),
        (b"-----BEGIN CERTIFICATE-----\n", "malformed.trust"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "malformed.trust"),
        (b"x" * (MAX_FILE + 1), "malformed.trust_digest"),
    ],
    ids=["empty", "text", "binary", "cut", "key", "large"],
)  # fmt: skip
def test_files_that_are_no_certificates(data, code):
    manifest = encode_manifest(authorities={"x": ("f.pem",)}, signers={}, desks={}, files={"f.pem": data})
    with refusal(code):
        parse_trust(manifest, lambda _name: data)


@given(st.binary(max_size=100) | st.text(alphabet="-BEGINDCERTFAx\n =:", max_size=80).map(str.encode))
@settings(max_examples=400)
def test_any_file_is_read_or_refused(data):
    for kind in ({"authorities": {"x": ("f",)}, "desks": {}}, {"authorities": {}, "desks": {ORIGIN: "f"}}):
        manifest = encode_manifest(signers={}, files={"f": data}, **kind)
        try:
            parse_trust(manifest, lambda _name: data)
        except MalformedError:
            continue


def test_no_change_of_a_key_file_gives_the_same_keys():
    for data in mutations(FILES["desk.vkey"]):
        manifest = encode_manifest(authorities={}, signers={}, desks={ORIGIN: "k"}, files={"k": data})
        try:
            trust = parse_trust(manifest, {"k": data}.__getitem__)
        except MalformedError:
            continue
        assert trust.desks[ORIGIN] != KEYS


def test_a_desk_has_one_key_file_and_its_own_name():
    desk = {"origin": ORIGIN, "file": "desk.vkey"}
    with refusal("malformed.trust"):
        parse_trust(changed(desks=[desk, desk]), FILES.__getitem__)
    with refusal("malformed.trust"):
        parse_trust(changed(desks=[{**desk, "origin": ORIGIN[:-1] + "2"}]), FILES.__getitem__)


def test_a_network_is_named_once_by_a_chain_id():
    """Whether the file is a network's, and of this chain, is told by ``verify.files.read_trust``."""
    for chain_id in ("", "x" * 51, "a b", "法院", "a\n", 7, None):
        with refusal("malformed.trust"):
            parse_trust(changed(networks=[{"chain_id": chain_id, "file": "network.json"}]), FILES.__getitem__)
    one = {"chain_id": "court-1", "file": "network.json"}
    assert parse_trust(changed(networks=[one]), FILES.__getitem__).networks.keys() == {"court-1"}
    for several in ([one, one], [{**one, "extra": 1}], [{**one, "file": "../network.json"}]):
        with refusal("malformed.trust"):
            parse_trust(changed(networks=several), FILES.__getitem__)
