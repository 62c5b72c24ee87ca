"""A real token of SoftHSM2 in a folder of its own; keys are made inside it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.mechanisms import KeyType
from pkcs11.util.ec import encode_named_curve_parameters

from evidence_desk.core.signing_ports import PinRequest
from evidence_desk.crypto import pki
from evidence_desk.crypto.pki import KeyKind
from evidence_desk.pkcs11.keys import list_keys
from evidence_desk.pkcs11.module import Module, TokenInfo, list_tokens, load

PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
PIN = "739164"
TOKEN = "星湖公证处 UKey"


@dataclass
class Person:
    """Gives these PINs one after the other, the last again and again; remembers what he was told."""

    pins: list[str | None] = field(default_factory=lambda: [PIN])
    asked: list[PinRequest] = field(default_factory=list)

    def __call__(self, request: PinRequest) -> str | None:
        self.asked.append(request)
        return self.pins[min(len(self.asked), len(self.pins)) - 1]


class PublicOnly:
    """In the place of a private key where only its public half is needed."""

    def __init__(self, spki: bytes) -> None:
        self._spki = spki

    def spki(self) -> bytes:
        return self._spki


@dataclass
class Hsm:
    """SoftHSM with its tokens in `folder`."""

    path: Path
    folder: Path
    configuration: Path

    def configure(self, *more: str) -> None:
        (self.folder / "tokens").mkdir(parents=True, exist_ok=True)
        lines = (f"directories.tokendir = {self.folder / 'tokens'}", "objectstore.backend = file", *more)
        self.configuration.write_text("\n".join(lines) + "\n")

    @property
    def module(self) -> Module:
        return load(self.path)

    def add_token(self, label: str = TOKEN, pin: str = PIN) -> None:
        line = [
            "softhsm2-util",
            "--init-token",
            "--free",
            "--label",
            label,
            "--pin",
            pin,
            "--so-pin",
            "12345678",
        ]
        subprocess.run(line, check=True, capture_output=True)

    def token(self, label: str = TOKEN) -> TokenInfo:
        (found,) = [item for item in list_tokens(self.path) if item.label == label]
        return found

    def take_away(self) -> None:
        (self.folder / "tokens").rename(self.folder / "drawer")
        (self.folder / "tokens").mkdir()

    def bring_back(self) -> None:
        (self.folder / "tokens").rmdir()
        (self.folder / "drawer").rename(self.folder / "tokens")

    def open(self, label: str = TOKEN, pin: str = PIN) -> Any:
        """A session of the library, without our code around it."""
        with self.module.lock:
            self.module.start_afresh()
            (found,) = [item for item in self.module.tokens() if item.label == label]
            return found.open(rw=True, user_pin=pin)

    def make_key(
        self,
        kind: KeyKind | str = KeyKind.P256,
        *,
        label: str = "签名",
        key_id: bytes = b"\x01",
        private: dict[Attribute, Any] | None = None,
        token: str = TOKEN,
    ) -> None:
        """Generate a key pair inside the token; `kind` may be the name of another curve."""
        with self.open(token) as session:
            template = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, **(private or {})}
            if kind is KeyKind.RSA:
                session.generate_keypair(
                    KeyType.RSA, 2048, id=key_id, label=label, store=True, private_template=template
                )
                return
            curve = "secp256r1" if kind is KeyKind.P256 else str(kind)
            attributes = {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
            parameters = session.create_domain_parameters(KeyType.EC, attributes, local=True)
            parameters.generate_keypair(id=key_id, label=label, store=True, private_template=template)

    def put_certificate(self, der: bytes, *, label: str = "签名", key_id: bytes = b"\x01") -> None:
        with self.open() as session:
            session.create_object(
                {
                    Attribute.CLASS: ObjectClass.CERTIFICATE,
                    Attribute.CERTIFICATE_TYPE: 0,
                    Attribute.TOKEN: True,
                    Attribute.LABEL: label,
                    Attribute.ID: key_id,
                    Attribute.SUBJECT: b"0\x00",
                    Attribute.VALUE: der,
                }
            )

    def spki(self, label: str = "签名") -> bytes:
        (key,) = [item for item in list_keys(self.token(), PIN) if item.label == label]
        return key.spki


@dataclass(frozen=True)
class Certified:
    """Certificate of a key in the token, issued by a demo CA of ours."""

    certificate: bytes
    ca: pki.Identity

    @property
    def pem(self) -> str:
        parts = [pki.to_pem(item, "CERTIFICATE") for item in (self.ca.certificate, self.certificate)]
        return "".join([*parts, pki.to_pem(self.ca.crl, "X509 CRL")])


def certified(spki: bytes, name: str = "云岚市星湖公证处") -> Certified:
    start = datetime.now(UTC) - timedelta(days=1)
    ca = pki.make_ca("试验根", pki.generate_key(KeyKind.P256), not_before=start, years=5)
    key = cast("Any", PublicOnly(spki))
    made = pki.make_signer_certificate(name, key, ca, not_before=start, years=2)
    return Certified(certificate=made.certificate, ca=ca)


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hsm]:
    found = next((path for path in map(Path, PLACES) if path.is_file()), None)
    if found is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM2 is not installed (Debian: softhsm2)")
    hsm = Hsm(path=found, folder=tmp_path / "hsm", configuration=tmp_path / "softhsm2.conf")
    hsm.configure()
    monkeypatch.setenv("SOFTHSM2_CONF", str(hsm.configuration))
    hsm.add_token()
    yield hsm
    with hsm.module.lock:
        for login in list(hsm.module.logins):
            login.end()
