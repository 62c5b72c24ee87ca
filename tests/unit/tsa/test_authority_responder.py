"""The authority at work: audit log, refusals in doubt, keys kept and renewed."""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import x509

from evidence_desk.core.digests import sha256
from evidence_desk.crypto import oids, pki
from evidence_desk.errors import HostError, MalformedError, UnreadableError
from tsa.authority.audit import AuditLog
from tsa.authority.clock_guard import ClockGuard
from tsa.authority.durable import write_durably
from tsa.authority.issue import Issuer
from tsa.authority.keys import make_demo_authority, open_keys, refresh
from tsa.authority.responder import Responder, make_responder
from tsa.authority.serial import SerialNumbers
from tsa.request import build_request
from tsa.response import parse_response, parse_token

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
KEYS = make_demo_authority(pki.KeyKind.P256, now=START)
DIGEST = sha256("证据".encode())
REQUEST = build_request(hash_oid=oids.SHA256, imprint=DIGEST, nonce=5)


class Hand:
    def __init__(self, wall: datetime = START) -> None:
        self.wall = wall

    def now(self) -> datetime:
        return self.wall


def lines(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]


def make(folder, clock: Hand) -> Responder:
    return make_responder(KEYS.tsa, folder, clock, policy=oids.DEMO_TSA_POLICY, accuracy=timedelta(seconds=1))


def test_grants_and_writes_it_down(tmp_path):
    with make(tmp_path / "new" / "folder", Hand()) as responder:
        response = parse_response(responder.respond(REQUEST))
    assert response.status == 0
    assert response.token is not None
    facts = parse_token(response.token)
    (entry,) = lines(tmp_path / "new" / "folder")
    assert entry["event"] == "granted"
    assert int(entry["serial"], 16) == facts.serial
    text = (tmp_path / "new" / "folder" / "audit.jsonl").read_text()
    assert DIGEST.hex() not in text


def test_refusals_are_written_down(tmp_path):
    with make(tmp_path, Hand()) as responder:
        assert parse_response(responder.respond(b"?")).failure == "badDataFormat"
    (entry,) = lines(tmp_path)
    assert (entry["event"], entry["failure"]) == ("refused", "BAD_DATA_FORMAT")


def test_jumping_clock_gets_no_token(tmp_path):
    clock = Hand()
    with make(tmp_path, clock) as responder:
        assert parse_response(responder.respond(REQUEST)).status == 0
        clock.wall += timedelta(hours=1)
        for _ in range(2):
            response = parse_response(responder.respond(REQUEST))
            assert (response.token, response.failure) == (None, "timeNotAvailable")
    assert [entry.get("cause") for entry in lines(tmp_path)] == [None, *["authority.clock_jumped"] * 2]


def test_clock_set_back_between_runs_gets_no_token(tmp_path):
    with make(tmp_path, Hand(START + timedelta(days=1))) as responder:
        responder.respond(REQUEST)
    with make(tmp_path, Hand(START)) as responder:
        assert parse_response(responder.respond(REQUEST)).failure == "timeNotAvailable"


def test_damaged_serial_file_gets_no_token(tmp_path):
    (tmp_path / "serial").write_bytes(b"next five\n")
    with make(tmp_path, Hand()) as responder:
        response = parse_response(responder.respond(REQUEST))
    assert (response.token, response.failure) == (None, "systemFailure")
    assert lines(tmp_path)[0]["cause"] == "authority.serial_file"


def test_no_token_that_cannot_be_written_down(tmp_path):
    audit = AuditLog(tmp_path)
    clock = Hand()
    responder = Responder(
        Issuer(KEYS.tsa, policy=oids.DEMO_TSA_POLICY, accuracy=timedelta(seconds=1)),
        serials=SerialNumbers(tmp_path),
        guard=ClockGuard(clock, tolerance=timedelta(seconds=1)),
        audit=audit,
        clock=clock,
    )
    audit.close()
    response = parse_response(responder.respond(REQUEST))
    assert (response.token, response.failure) == (None, "systemFailure")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /dev/full")
def test_audit_on_a_full_disk(tmp_path):
    (tmp_path / "audit.jsonl").symlink_to("/dev/full")
    audit = AuditLog(tmp_path)
    with pytest.raises(HostError, match=r"authority\.audit_write"):
        audit.append("granted", START, {})
    audit.close()


def test_audit_folder_missing(tmp_path):
    with pytest.raises(HostError, match=r"authority\.audit_write"):
        AuditLog(tmp_path / "none")


def test_audit_passes_over_damaged_lines(tmp_path):
    audit = AuditLog(tmp_path)
    assert audit.newest_token() is None
    audit.append("granted", START, {})
    audit.append("refused", START + timedelta(days=3), {})
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b'{"event":"granted"}\n[]\n{"event":"granted","at":"2030-01-01T00:00:00"}\n')
        file.write(b'{"event":"granted","at":7}\n' + b"[" * 5000 + b"\n\xff\n")
    assert audit.newest_token() == START
    (tmp_path / "audit.jsonl").unlink()
    with pytest.raises(HostError):
        audit.newest_token()
    audit.close()


def test_state_folder_that_is_a_file(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(HostError, match=r"authority\.state"):
        make(tmp_path / "state", Hand())
    with pytest.raises(HostError, match=r"authority\.state"):
        open_keys(tmp_path / "state", pki.KeyKind.P256, now=START)


def test_keys_are_made_once_and_kept_private(tmp_path):
    first = open_keys(tmp_path / "state", pki.KeyKind.P256, now=START)
    second = open_keys(tmp_path / "state", pki.KeyKind.P256, now=START + timedelta(hours=1))
    assert first == second
    if sys.platform != "win32":
        for name in ("ca.identity", "tsa.identity"):
            assert (tmp_path / "state" / name).stat().st_mode & 0o077 == 0


def test_incomplete_or_damaged_keys_are_not_replaced(tmp_path):
    open_keys(tmp_path, pki.KeyKind.P256, now=START)
    (tmp_path / "tsa.identity").write_bytes(b"x")
    with pytest.raises(MalformedError, match=r"pki\.identity"):
        open_keys(tmp_path, pki.KeyKind.P256, now=START)
    (tmp_path / "tsa.identity").unlink()
    with pytest.raises(UnreadableError, match=r"authority\.keys_incomplete"):
        open_keys(tmp_path, pki.KeyKind.P256, now=START)


def test_revocation_list_is_renewed_and_keeps_its_entries():
    revoked = (
        pki.Revoked(serial=9, at=START, reason="key_compromise"),
        pki.Revoked(serial=10, at=START),
    )
    listed = pki.make_crl(
        KEYS.ca, this_update=START, next_update=START + timedelta(days=9), number=41, revoked=revoked
    )
    keys = replace(KEYS, ca=replace(KEYS.ca, crl=listed))
    assert refresh(keys, now=START + timedelta(days=6)) is keys
    assert refresh(keys, now=START - timedelta(days=60)) is keys
    later = START + timedelta(days=8)
    renewed = refresh(keys, now=later)
    assert renewed.ca.crl == renewed.tsa.crl
    body = asn1_crl.CertificateList.load(renewed.ca.crl)["tbs_cert_list"]
    assert body["this_update"].native == later
    assert body["next_update"].native > later + timedelta(days=360)
    assert [
        (item["user_certificate"].native, item.crl_reason_value) for item in body["revoked_certificates"]
    ] == [
        (9, asn1_crl.CRLReason("key_compromise")),
        (10, None),
    ]
    numbers = [
        item["extn_value"].parsed.native
        for item in body["crl_extensions"]
        if item["extn_id"].native == "crl_number"
    ]
    assert numbers == [42]


def test_certificate_near_its_end_is_replaced(tmp_path):
    open_keys(tmp_path, pki.KeyKind.P256, now=START)
    later = START + timedelta(days=365 * 9 + 10)
    renewed = open_keys(tmp_path, pki.KeyKind.P256, now=later)
    assert x509.Certificate.load(renewed.tsa.certificate).not_valid_after > later + timedelta(days=3000)
    assert open_keys(tmp_path, pki.KeyKind.P256, now=later) == renewed


def test_durable_write_leaves_nothing_behind_on_failure(tmp_path):
    (tmp_path / "target").mkdir()
    with pytest.raises(OSError, match="target"):
        write_durably(tmp_path / "target", b"x")
    assert [item.name for item in tmp_path.iterdir()] == ["target"]
