"""``VAULT/trust/``: what the desk verifies itself with, and what it hands to others apart from the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from evidence_desk.core.log import note_keys
from evidence_desk.core.trust import MANIFEST, encode_manifest
from evidence_desk.errors import HostError
from evidence_desk.services.log_keys import key_generations
from evidence_desk.settings import load_authorities, load_networks, load_person_roots, load_signer_roots
from evidence_desk.vault.durable import write_atomically
from evidence_desk.vault.store import Vault
from evidence_desk.verify.files import read_trust

TRUST: Final = "trust"
"""Name of the folder."""


def write(vault: Vault, networks: Mapping[str, bytes] | None = None) -> None:
    """``VAULT/trust/``: roots of authorities, signers and persons, the desk's keys and court networks under one manifest.

    Args:
        vault: open for writing.
        networks: chain ID → ``network/1`` bytes; None keeps those joined and those that the folder names.
    """
    files: dict[str, bytes] = {}
    authorities: dict[str, tuple[str, ...]] = {}
    for number, setting in enumerate(load_authorities(vault.exhibits), start=1):
        if setting.roots:
            name = f"tsa-{number}.pem"
            files[name] = setting.roots.encode()
            authorities[setting.name] = (name,)
    for number, (name, roots) in enumerate(_network_authorities(vault), start=1):
        file = f"network-tsa-{number}.pem"
        files[file] = roots.encode()
        authorities.setdefault(name, ())
        authorities[name] = (*authorities[name], file)
    signers = _pem_files("signer-{}.pem", load_signer_roots(vault.exhibits))
    persons = _pem_files("person-{}.pem", load_person_roots(vault.exhibits))
    files |= signers | persons
    desks: dict[str, str] = {}
    former: dict[str, tuple[str, ...]] = {}
    for origin in vault.origins:
        name = "desk.vkey" if origin == vault.origin else f"desk-{origin.rpartition('/')[2]}.vkey"
        generations = _desk_keys(vault, origin)
        if not generations:
            continue
        present, *replaced = generations
        files[name] = present
        desks[origin] = name
        for number, keys in enumerate(replaced, start=1):
            old = f"former-{origin.rpartition('/')[2]}-{number}.vkey"
            files[old] = keys
            former[origin] = (*former.get(origin, ()), old)
    known = _known_networks(vault) if networks is None else networks
    chains = {chain_id: f"network-{number}.json" for number, chain_id in enumerate(known, start=1)}
    files |= {chains[chain_id]: data for chain_id, data in known.items()}
    manifest = encode_manifest(
        authorities=authorities,
        signers={f"certificates {number}": (name,) for number, name in enumerate(signers, start=1)},
        persons={f"persons {number}": (name,) for number, name in enumerate(persons, start=1)},
        desks=desks,
        files=files,
        networks=chains,
        former=former,
    )
    _write_folder(vault.folder / TRUST, {**files, MANIFEST: manifest})


def _pem_files(pattern: str, texts: tuple[str, ...]) -> dict[str, bytes]:
    """A file for each PEM text, numbered from 1."""
    return {pattern.format(number): text.encode() for number, text in enumerate(texts, start=1)}


def _known_networks(vault: Vault) -> Mapping[str, bytes]:
    folder = vault.folder / TRUST
    found = read_trust(folder).networks if (folder / MANIFEST).exists() else {}
    return {**found, **{item.chain_id: item.network for item in load_networks(vault.exhibits)}}


def _network_authorities(vault: Vault) -> list[tuple[str, str]]:
    """Names and roots, each root once: several networks may trust one authority."""
    known = {item.roots for item in load_authorities(vault.exhibits)}
    found = {
        roots: name
        for item in load_networks(vault.exhibits)
        for name, roots in item.authorities
        if roots not in known
    }
    return [(name, roots) for roots, name in found.items()]


def _desk_keys(vault: Vault, origin: str) -> list[bytes]:
    """Verifier keys of a log, the newest first: the active one's from its signer, the others as its leaves name them."""
    log = vault.archived_log(origin)
    generations = key_generations(log, origin) if log.size() else ()
    found = [item.keys for item in reversed(generations)]
    if origin == vault.origin:
        found[:1] = [note_keys(origin, vault.signer)]
    return [item.encode().encode() for item in found]


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    try:
        folder.mkdir(exist_ok=True)
        for name, data in files.items():
            write_atomically(folder / name, data)
        for stale in folder.iterdir():
            ours = stale.suffix in {".pem", ".vkey"} or stale.match("network-*.json")
            if stale.name not in files and ours:
                stale.unlink()
    except OSError as error:
        raise HostError("trust.write", reason=error.strerror or "") from error
