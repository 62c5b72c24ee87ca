"""Path building: RFC 5280 rules, cross-signed sets, and hostile meshes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from asn1crypto import core, x509

from evidence_desk.core.verdict import Status
from tests.unit.tsa import forge
from tests.unit.tsa.forge import GEN, Key, Pki, extension, name, num, seq, tlv
from tests.unit.tsa.judge import judge, not_passed
from tsa.verify import TokenVerdict

UNTRUSTED = {"token.chain.untrusted": "failed", "token.revocation.unchecked": "undetermined"}
MIDDLE = name("伪造中间")


class Tower:
    """Root, one or two CAs below it, and a signer under the last."""

    def __init__(
        self,
        *middle_extensions: Sequence[bytes],
        root: Sequence[bytes] = forge.ca_extensions(),
        names: Sequence[bytes] = (),
        leaf: Sequence[bytes] = forge.LEAF,
        leaf_name: bytes | None = None,
        **changes: Any,
    ) -> None:
        self.root_key = forge.key("p256", "root")
        self.root_name = name("伪造根")
        self.root = forge.certificate(
            self.root_name, self.root_name, of=self.root_key, by=self.root_key, serial=1, extensions=root
        )
        self.middle: list[bytes] = []
        self.crls = [forge.crl(self.root_name, self.root_key)]
        above: tuple[bytes, Key] = (self.root_name, self.root_key)
        for index, extensions in enumerate(middle_extensions):
            key = forge.key("p256", f"middle {index}")
            called = names[index] if names else name(f"伪造中间 {index}")
            self.middle.append(
                forge.certificate(
                    called, above[0], of=key, by=above[1], serial=20 + index, extensions=extensions, **changes
                )
            )
            above = (called, key)
            self.crls.append(forge.crl(called, key))
        self.pki = Pki()
        self.pki.leaf = forge.certificate(
            leaf_name or self.pki.leaf_name, above[0], of=self.pki.key, by=above[1], extensions=leaf
        )
        self.sid = seq(above[0], num(7))

    def judge(self, *embedded: bytes, **changes: Any) -> TokenVerdict:
        token = forge.token(pki=self.pki, sid=self.sid, certificates=[self.pki.leaf, *self.middle, *embedded])
        trust = self.pki.trust(roots=(self.root,), crls=tuple(self.crls))
        return judge(token, **{"trust": trust, **changes})


def test_two_levels_pass() -> None:
    tower = Tower(forge.ca_extensions(1), forge.ca_extensions(0))
    assert not_passed(tower.judge()) == {}
    assert not_passed(tower.judge(tower.root)) == {}


def test_intermediate_given_as_root_passes() -> None:
    tower = Tower(forge.ca_extensions(1), forge.ca_extensions(0))
    for root in tower.middle:
        trust = tower.pki.trust(roots=(root,), crls=tuple(tower.crls))
        assert not_passed(tower.judge(trust=trust)) == {}


@pytest.mark.parametrize(
    "middle",
    [
        (),
        (extension("2.5.29.19", seq(), critical=True), forge.key_usage(5, 6)),
        (extension("2.5.29.19", seq(b"\x01\x01\xff"), critical=True), forge.key_usage(0, 6)),
        (*forge.ca_extensions(), forge.purposes(forge.CODE_SIGNING, critical=False)),
        (*forge.ca_extensions(), extension("1.3.6.1.4.1.99999.1", b"\x05\x00", critical=True)),
        (*forge.ca_extensions(), extension("2.5.29.36", seq(tlv(0x80, b"\x00")), critical=True)),
    ],
    ids=[
        "no extensions",
        "not a CA",
        "may not sign certificates",
        "other purpose",
        "unknown critical",
        "policy",
    ],
)
def test_intermediate_that_may_not_certify(middle: Sequence[bytes]) -> None:
    assert not_passed(Tower(middle).judge()) == UNTRUSTED


def test_intermediate_for_timestamping_passes() -> None:
    assert not_passed(Tower((*forge.ca_extensions(), forge.purposes(forge.TIME_STAMPING))).judge()) == {}


def test_path_length_is_kept() -> None:
    assert not_passed(Tower(forge.ca_extensions(0), forge.ca_extensions()).judge()) == UNTRUSTED
    assert not_passed(Tower(forge.ca_extensions(), root=forge.ca_extensions(0)).judge()) == UNTRUSTED


def test_expired_intermediate() -> None:
    tower = Tower(forge.ca_extensions(), end=GEN - timedelta(days=1))
    assert not_passed(tower.judge()) == {
        "token.chain.outside_validity": "failed",
        "token.revocation.unchecked": "undetermined",
    }


def test_revoked_intermediate() -> None:
    tower = Tower(forge.ca_extensions())
    tower.crls[0] = forge.crl(tower.root_name, tower.root_key, forge.revoked(20, GEN, 1))
    assert not_passed(tower.judge()) == {"token.revocation.revoked": "failed"}


def test_intermediate_without_revocation_data() -> None:
    tower = Tower(forge.ca_extensions())
    tower.crls.pop(0)
    assert not_passed(tower.judge()) == {"token.revocation.no_source": "undetermined"}


def constraints(*, permitted: Sequence[bytes] = (), excluded: Sequence[bytes] = ()) -> bytes:
    trees = [
        tlv(tag, *(seq(base) for base in bases)) if bases else b""
        for tag, bases in ((0xA0, permitted), (0xA1, excluded))
    ]
    return extension("2.5.29.30", seq(*trees), critical=True)


def directory(*pairs: tuple[str, str]) -> bytes:
    return tlv(0xA4, bytes(x509.Name.build(dict(pairs)).dump()))


OURS = directory(("organization_name", "伪造所"))
OTHERS = directory(("organization_name", "别家"))
URI = tlv(0x86, b".example")
EMAIL = tlv(0x81, b"example.org")


@pytest.mark.parametrize(
    ("constraint", "passes"),
    [
        (constraints(permitted=[OURS]), True),
        (constraints(permitted=[OTHERS]), False),
        (constraints(permitted=[OTHERS, OURS]), True),
        (constraints(excluded=[OTHERS]), True),
        (constraints(excluded=[OURS]), False),
        (constraints(permitted=[URI]), True),
        (constraints(permitted=[EMAIL]), True),
        (extension("2.5.29.30", b"\x30\x01", critical=True), False),
    ],
)
def test_name_constraints(constraint: bytes, passes: bool) -> None:
    found = not_passed(Tower((*forge.ca_extensions(), constraint)).judge())
    assert found == ({} if passes else UNTRUSTED)


def test_constrained_form_that_we_do_not_process_is_refused() -> None:
    leaf = (*forge.LEAF, extension("2.5.29.17", seq(tlv(0x86, b"https://tsa.example"))))
    assert (
        not_passed(Tower((*forge.ca_extensions(), constraints(permitted=[URI])), leaf=leaf).judge())
        == UNTRUSTED
    )
    named = directory(("organization_name", "别家"))
    leaf = (*forge.LEAF, extension("2.5.29.17", seq(named)))
    assert (
        not_passed(Tower((*forge.ca_extensions(), constraints(permitted=[OURS])), leaf=leaf).judge())
        == UNTRUSTED
    )


def test_cross_signed_intermediate_finds_the_pinned_root() -> None:
    tower = Tower(forge.ca_extensions())
    foreign = forge.key("p256", "foreign root")
    cross = forge.certificate(
        name("伪造中间 0"),
        name("外根"),
        of=forge.key("p256", "middle 0"),
        by=foreign,
        serial=77,
        extensions=forge.ca_extensions(),
    )
    assert not_passed(tower.judge(cross)) == {}


def test_names_compare_as_rfc_5280_asks() -> None:
    def encoded(text: str, kind: str, value: type) -> bytes:
        string = x509.DirectoryString(name=kind, value=value(text))
        pair = x509.NameTypeAndValue({"type": "common_name", "value": string})
        rdns = x509.RDNSequence([x509.RelativeDistinguishedName([pair])])
        return bytes(x509.Name(name="", value=rdns).dump())

    called, issued = (
        encoded("Test  ca", "utf8_string", core.UTF8String),
        encoded("TEST CA ", "printable_string", core.PrintableString),
    )
    key = forge.key("p256", "middle 0")
    tower = Tower(forge.ca_extensions(), names=[called])
    tower.pki.leaf = forge.certificate(tower.pki.leaf_name, issued, of=tower.pki.key, by=key)
    assert not_passed(tower.judge()) == {}


def test_mesh_of_cross_certificates_ends() -> None:
    """Thirty CAs, each certified by each neighbor: the number of paths is astronomic, the work must not be."""
    keys = [forge.key("p256", f"mesh {index}") for index in range(6)]
    mesh = [
        forge.certificate(
            name(f"网 {low}"),
            name(f"网 {high}"),
            of=keys[low],
            by=keys[high],
            extensions=forge.ca_extensions(),
        )
        for low in range(6)
        for high in range(6)
        if low != high
    ]
    pki = Pki()
    pki.leaf = forge.certificate(pki.leaf_name, name("网 0"), of=pki.key, by=keys[0])
    token = forge.token(pki=pki, sid=seq(name("网 0"), num(7)), certificates=[pki.leaf, *mesh])
    verdict = judge(token, trust=pki.trust())
    assert verdict.status is Status.FAILED
    chain = next(item for item in verdict.findings if item.check == "token.chain")
    assert chain.parameters["rule"] == "too_many"


def test_too_many_given_certificates() -> None:
    verdict = judge(forge.token(), trust=forge.pki().trust(certificates=(forge.pki().leaf,) * 200))
    assert not_passed(verdict) == UNTRUSTED


def test_longest_path() -> None:
    assert not_passed(Tower(*[forge.ca_extensions()] * 6).judge()) == {}
    assert not_passed(Tower(*[forge.ca_extensions()] * 7).judge()) == UNTRUSTED


def test_constrained_mail_address_in_the_subject_is_refused() -> None:
    named = bytes(x509.Name.build({"common_name": "T", "email_address": "a@example.org"}).dump())
    tower = Tower((*forge.ca_extensions(), constraints(permitted=[EMAIL])), leaf_name=named)
    assert not_passed(tower.judge()) == UNTRUSTED


def test_alternative_name_of_an_unconstrained_form_is_let_be() -> None:
    leaf = (*forge.LEAF, extension("2.5.29.17", seq(tlv(0x86, b"https://tsa.example"))))
    assert (
        not_passed(Tower((*forge.ca_extensions(), constraints(permitted=[EMAIL])), leaf=leaf).judge()) == {}
    )
