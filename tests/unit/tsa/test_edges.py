"""Corners of the authority and its client that need the world to misbehave."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from evidence_desk.core.digests import sha256
from evidence_desk.crypto.pki import KeyKind, PrivateKey, identity_from_pkcs12
from evidence_desk.errors import HostError, MalformedError, RemoteError
from tests.fixed import refusal
from tsa import asn1_types
from tsa.acceptance import accept, make_question
from tsa.authority.audit import AuditLog
from tsa.authority.clock_guard import steady
from tsa.policy import TokenTrust

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_an_empty_answer_is_told_apart():
    question = make_question(sha256(b"x"), policy=None, now=NOW)
    with refusal("client.empty", RemoteError):
        accept(question, b"", authority="a", trust=TokenTrust(), received=NOW)


def test_a_line_cut_short_by_the_disk_hands_out_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    log = AuditLog(tmp_path)
    monkeypatch.setattr(os, "write", lambda _descriptor, data: len(data) - 1)
    with refusal("authority.audit_write", HostError):
        log.append("token", NOW, {})
    monkeypatch.undo()
    log.close()
    log.close()


def test_a_system_without_boot_time_uses_its_monotonic_clock(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    before = time.monotonic()
    assert before <= steady() <= time.monotonic()


def test_a_frozen_program_imports_the_types_by_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(asn1_types, "find_spec", lambda _: None)
    assert asn1_types._load().TSTInfo().componentType.keys() == asn1_types.TSTInfo().componentType.keys()


def test_keys_of_another_kind_are_refused():
    key = ed25519.Ed25519PrivateKey.generate()
    pkcs8 = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with refusal("pki.key_kind"):
        PrivateKey(kind=KeyKind.P256, pkcs8=pkcs8).signer()


def test_a_pkcs12_that_the_library_cannot_read(monkeypatch: pytest.MonkeyPatch):
    def unsupported(_data: bytes, _passphrase: bytes | None) -> None:
        raise TypeError

    monkeypatch.setattr(pkcs12, "load_key_and_certificates", unsupported)
    with refusal("pki.pkcs12", MalformedError):
        identity_from_pkcs12(b"", None)
