"""The authority inside the desk's process, all keys, through the strict verification."""

from datetime import UTC, datetime, timedelta

import pytest

from evidence_desk.core.digests import sha256
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.core.verdict import Status
from evidence_desk.crypto import oids, pki
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.errors import RemoteError
from tsa.authority.embedded import EmbeddedAuthority
from tsa.authority.keys import AuthorityKeys, make_demo_authority
from tsa.policy import TokenTrust
from tsa.request import parse_request
from tsa.response import parse_response, parse_token
from tsa.verify import verify_token

START = datetime(2026, 3, 4, 5, 6, 7, 250_000, tzinfo=UTC)
DIGEST = sha256("证据".encode())
KEYS = {kind: make_demo_authority(kind, now=START) for kind in pki.KeyKind}


class Hand:
    def __init__(self) -> None:
        self.wall = START + timedelta(days=3)

    def now(self) -> datetime:
        return self.wall


def make(keys: AuthorityKeys, folder, clock: Hand | None = None) -> EmbeddedAuthority:
    return EmbeddedAuthority(keys.tsa, folder, clock or Hand(), name="演示")


@pytest.mark.parametrize("kind", list(pki.KeyKind))
def test_token_passes_the_strict_verification(kind, tmp_path):
    keys = KEYS[kind]
    clock = Hand()
    authority: TimestampAuthority = make(keys, tmp_path, clock)
    reply = authority.timestamp(DIGEST)
    trust = TokenTrust(
        roots=(keys.ca.certificate,), crls=reply.crls, policies=frozenset({oids.DEMO_TSA_POLICY})
    )
    verdict = verify_token(
        reply.token,
        hash_oid=oids.SHA256,
        imprint=DIGEST,
        trust=trust,
        now=clock.now(),
        request=parse_request(reply.request),
        sent=clock.now(),
    )
    assert {item.status for item in verdict.findings} == {Status.PASSED}
    assert [item.code for item in verdict.caveats] == ["demo.authority"]
    facts = parse_token(reply.token)
    assert facts.signer_spki_sha256 == reply.tsa
    assert facts.crls == ()
    assert parse_response(reply.response).token == reply.token
    assert reply.gen_time == clock.now()
    assert reply.transport["url"] == "embedded:"
    assert authority.name == "演示"


@pytest.mark.parametrize("kind", list(pki.KeyKind))
def test_strict_verification_refuses_a_changed_token(kind, tmp_path):
    keys = KEYS[kind]
    clock = Hand()
    token = make(keys, tmp_path, clock).timestamp(DIGEST).token
    trust = TokenTrust(roots=(keys.ca.certificate,), crls=(keys.ca.crl,))
    step = 1 if kind is pki.KeyKind.P256 else 37
    for position in range(0, len(token), step):
        changed = bytearray(token)
        changed[position] ^= 0x01
        verdict = verify_token(
            bytes(changed), hash_oid=oids.SHA256, imprint=DIGEST, trust=trust, now=clock.now()
        )
        assert verdict.status is not Status.PASSED, position


def test_serials_differ_between_openings(tmp_path):
    clock = Hand()
    serials = set()
    for _ in range(3):
        authority = make(KEYS[pki.KeyKind.P256], tmp_path, clock)
        serials |= {parse_token(authority.timestamp(DIGEST).token).serial for _ in range(3)}
        authority.close()
    assert len(serials) == 9


def test_jumping_clock_is_a_clear_error(tmp_path):
    clock = Hand()
    authority = make(KEYS[pki.KeyKind.P256], tmp_path, clock)
    clock.wall += timedelta(minutes=5)
    with pytest.raises(RemoteError, match=r"client\.rejected") as caught:
        authority.timestamp(DIGEST)
    assert caught.value.parameters["failure"] == "timeNotAvailable"


def test_revoked_key_is_refused_by_its_own_desk(tmp_path):
    keys = KEYS[pki.KeyKind.P256]
    serial = load_certificate(keys.tsa.certificate).serial
    revoked = pki.make_crl(
        keys.ca,
        this_update=START + timedelta(days=1),
        next_update=START + timedelta(days=90),
        number=2,
        revoked=(pki.Revoked(serial=serial, at=START + timedelta(days=1), reason="key_compromise"),),
    )
    identity = pki.Identity(
        key=keys.tsa.key, certificate=keys.tsa.certificate, chain=keys.tsa.chain, crl=revoked
    )
    authority = EmbeddedAuthority(identity, tmp_path, Hand())
    with pytest.raises(RemoteError, match=r"client\.token_refused"):
        authority.timestamp(DIGEST)
