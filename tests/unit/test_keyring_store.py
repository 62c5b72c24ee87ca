"""The keyring: a secure one made for the tests, the insecure ones of the library itself, and this machine's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from evidence_desk.errors import ConfigurationError, EvidenceDeskError, HostError
from evidence_desk.keyring_store import SERVICE, KeyringStore, secure_backend

VAULT = "0123456789abcdef" * 2


class InMemory(KeyringBackend):
    """An encrypted keyring as far as anybody can see."""

    priority = 5.0
    viable = False  # never chosen by itself

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.held:
            raise PasswordDeleteError
        del self.held[service, username]


class Plain(InMemory):
    """What the package keyrings.alt says of its plain-text file."""

    priority = 0.5


class Forgetful(InMemory):
    def set_password(self, service: str, username: str, password: str) -> None:
        pass


Alternative = type("PlaintextKeyring", (InMemory,), {"__module__": "keyrings.alt.file"})


@pytest.fixture(autouse=True)
def _own_keyring() -> Iterator[None]:
    before = keyring.core._keyring_backend
    yield
    keyring.core._keyring_backend = before


@pytest.fixture
def memory() -> InMemory:
    backend = InMemory()
    keyring.set_keyring(backend)
    return backend


@pytest.fixture
def store(tmp_path: Path) -> KeyringStore:
    return KeyringStore(tmp_path / "config" / "keyring")


def test_remember_recall_forget(store, memory, tmp_path):
    assert not store.remembers(VAULT)
    assert store.recall(VAULT) is None
    assert store.remember(VAULT, "口令 one").endswith("InMemory")
    assert memory.held == {(SERVICE, VAULT): "口令 one"}
    assert store.remembers(VAULT)
    assert store.recall(VAULT) == "口令 one"
    store.remember(VAULT, "two")
    assert KeyringStore(tmp_path / "config" / "keyring").recall(VAULT) == "two"
    assert store.forget(VAULT)
    assert memory.held == {}
    assert not store.remembers(VAULT)
    assert not store.forget(VAULT)
    assert b"two" not in b"".join(item.read_bytes() for item in tmp_path.rglob("*") if item.is_file())


def test_what_nobody_asked_for_is_not_looked_up(store, memory):
    memory.held[SERVICE, VAULT] = "of another program"
    memory.locked = True
    assert store.recall(VAULT) is None


def test_gone_from_the_keyring(store, memory):
    store.remember(VAULT, "one")
    memory.held.clear()
    assert store.recall(VAULT) is None
    assert store.forget(VAULT)


@pytest.mark.parametrize(
    ("backend", "code"),
    [
        (fail.Keyring, "keyring.none"),
        (null.Keyring, "keyring.insecure"),
        (Plain, "keyring.insecure"),
        (Alternative, "keyring.insecure"),
    ],
)
def test_insecure_keyrings_are_refused(store, backend, code):
    keyring.set_keyring(backend())
    with pytest.raises(ConfigurationError) as caught:
        store.remember(VAULT, "one")
    assert caught.value.code == code
    assert not store.remembers(VAULT)


def test_of_a_chain_only_a_secure_one_is_used(store, monkeypatch):
    secure, plain = InMemory(), Plain()
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [plain, secure])
    keyring.set_keyring(chainer.ChainerBackend())  # type: ignore[no-untyped-call]
    store.remember(VAULT, "one")
    assert (plain.held, list(secure.held.values())) == ({}, ["one"])
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [plain])
    with pytest.raises(ConfigurationError, match=r"keyring\.insecure"):
        store.recall(VAULT)
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [])
    with pytest.raises(ConfigurationError, match=r"keyring\.none"):
        secure_backend()


def test_keyring_that_fails(store, memory, tmp_path):
    memory.locked = True
    with pytest.raises(HostError) as caught:
        store.remember(VAULT, "one")
    assert (caught.value.code, caught.value.parameters) == ("keyring.failed", {"reason": "KeyringLocked"})
    keyring.set_keyring(Forgetful())
    with pytest.raises(HostError, match=r"keyring\.failed"):
        store.remember(VAULT, "one")
    assert not store.remembers(VAULT)
    keyring.set_keyring(InMemory())
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(HostError, match=r"keyring\.marker"):
        KeyringStore(tmp_path / "file").remember(VAULT, "one")
    assert keyring.get_password(SERVICE, VAULT) is None
    store.remember(VAULT, "one")
    memory.locked = True
    keyring.set_keyring(memory)
    with pytest.raises(HostError):
        store.forget(VAULT)
    assert not store.remembers(VAULT)  # not asked again all the same


@pytest.mark.parametrize("vault_id", ["", "../../etc/passwd", VAULT.upper(), VAULT + "\n"])
def test_no_vault_id(store, memory, vault_id):
    with pytest.raises(EvidenceDeskError, match=r"keyring\.vault_id"):
        store.remember(vault_id, "one")
    assert memory.held == {}


def real_machine(tmp_path: Path, **more: str) -> str:
    """The code told by a process of its own, in a session without any keyring service."""
    code = (
        "from evidence_desk.errors import EvidenceDeskError\n"
        "from evidence_desk.keyring_store import secure_backend\n"
        "try: secure_backend()\n"
        "except EvidenceDeskError as error: print(error.code)\n"
        "else: print('found')\n"
    )
    kept = {name: value for name, value in os.environ.items() if "DBUS" not in name and "DISPLAY" not in name}
    environment = {
        **kept, "XDG_RUNTIME_DIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path), **more,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="Windows and macOS always have a keyring")
def test_machine_without_a_keyring(tmp_path):
    assert real_machine(tmp_path) == "keyring.none"
    assert (
        real_machine(tmp_path, PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring") == "keyring.insecure"
    )
    assert real_machine(tmp_path, PYTHON_KEYRING_BACKEND="no.such.Backend") == "keyring.none"
