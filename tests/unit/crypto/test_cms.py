"""SignedData: shape is checked, order and number are bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.crypto import oids
from evidence_desk.crypto.cms import SignedData, ess_identifiers, parse_signed_data
from evidence_desk.errors import MalformedError
from tests.unit.tsa import forge
from tests.unit.tsa.forge import num, seq, tlv

TOKEN = forge.token()


def read(**changes: object) -> SignedData:
    return parse_signed_data(forge.token(**changes), what="token", limit=1 << 20)


def rule(**changes: object) -> object:
    with pytest.raises(MalformedError) as caught:
        read(**changes)
    return caught.value.parameters.get("rule")


def test_fields() -> None:
    signed = read(crls=[forge.pki().crl])
    assert (signed.national, signed.version, signed.content_type) == (False, 3, oids.TST_INFO)
    assert signed.content == forge.tst_info()
    assert (signed.certificates, signed.crls, signed.ocsps) == ((forge.pki().leaf,), (forge.pki().crl,), ())
    (signer,) = signed.signers
    assert (signer.serial, signer.key_id, signer.digest_oid) == (7, None, oids.SHA256)
    assert signer.signed_bytes[0] == 0x31
    assert not signer.unsigned


@pytest.mark.parametrize("version", [1, 3])
def test_national_outer_type(version: int) -> None:
    assert read(outer_type=forge.NATIONAL, version=version).national
    assert rule(outer_type=forge.NATIONAL, version=5) == "version"


def test_versions() -> None:
    assert rule(version=5) == "version"
    assert read(ocsps=[seq()], version=5).ocsps == (seq(),)
    assert read(ocsps=[seq()], version=3).version == 3
    assert rule(signer_version=3) == "signer_version"
    assert rule(sid=tlv(0x80, b"id")) == "signer_version"
    assert read(sid=tlv(0x80, b"id"), signer_version=3).signers[0].key_id == b"id"


def test_bounds() -> None:
    assert rule(certificates=[seq(num(item)) for item in range(33)]) == "count"
    assert rule(crls=[seq(num(item)) for item in range(17)]) == "count"
    many = [forge.attribute(f"1.2.3.{item}", num(item)) for item in range(40)]
    assert rule(more_attributes=many) == "count"
    assert rule(signers=17) == "count"
    assert rule(unsigned=tlv(0xA1, forge.attribute("1.2.3", forge.octets(bytes(600_000))))) == "count"
    assert rule(certificates=[seq(bytes(2 * 32768))]) == "certificate"
    assert rule(certificates=[tlv(0xA1, num(1))]) == "certificate"


def test_attribute_values_are_told_by_occurrence() -> None:
    extra = forge.attribute(oids.SIGNING_TIME, num(1), num(2))
    (signer,) = read(more_attributes=[extra]).signers
    assert signer.values(oids.SIGNING_TIME) == ((num(1), num(2)),)
    assert signer.values("1.2.3") == ()


def test_ess_identifiers() -> None:
    leaf = forge.pki().leaf
    named = forge.issuer_serial(forge.pki().root_name, 7)
    (signer,) = read(ess=[forge.ess_v1(leaf), forge.ess_v2(leaf, issuer_serial=named)]).signers
    first, second = ess_identifiers(signer)
    assert (first.hash_oid, first.digest, first.issuer) == (oids.SHA1, forge.digest(forge.SHA1, leaf), None)
    assert (second.hash_oid, second.digest) == (oids.SHA256, forge.digest(forge.SHA256, leaf))
    assert second.serial == 7
    assert second.issuer is not None
    assert second.issuer.encoded == forge.pki().root_name


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_signed_data(data, what="token", limit=1000)


@given(st.data())
def test_any_change_is_read_or_refused(data: st.DataObject) -> None:
    token = TOKEN
    at = data.draw(st.integers(0, len(token) - 1))
    changed = token[:at] + data.draw(st.binary(max_size=3)) + token[at + data.draw(st.integers(0, 3)) :]
    try:
        parse_signed_data(changed, what="token", limit=1 << 20)
    except MalformedError:
        return
