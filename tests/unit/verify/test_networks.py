"""Networks of a trust folder: read when the folder is, kept when the desk writes its own anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evidence_desk.bootstrap.trust_folder import TRUST
from evidence_desk.core.canonical import encode
from evidence_desk.core.digests import sha256
from evidence_desk.core.trust import MANIFEST, encode_manifest
from evidence_desk.court.protocol.network_file import encode_network
from evidence_desk.errors import MalformedError
from evidence_desk.verify.court import read_network
from evidence_desk.verify.files import read_trust
from tests.unit.court.network import CHAIN, trust
from tests.unit.verify.evidence import Scene

NETWORK = encode_network(trust())


def write(folder: Path, networks: dict[str, bytes]) -> Path:
    names = {chain_id: f"network-{number}.json" for number, chain_id in enumerate(networks)}
    files = {names[chain_id]: data for chain_id, data in networks.items()}
    manifest = encode_manifest(authorities={}, signers={}, desks={}, files=files, networks=names)
    for name, data in {**files, MANIFEST: manifest}.items():
        (folder / name).write_bytes(data)
    return folder


def test_a_network_is_read_with_its_folder(tmp_path):
    other = encode_network(replace(trust(), chain_id="court-2"))
    read = read_trust(write(tmp_path, {CHAIN: NETWORK, "court-2": other}))
    assert read.networks == {CHAIN: NETWORK, "court-2": other}
    assert read_network(read.networks[CHAIN]) == trust()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (encode_network(replace(trust(), chain_id="court-2")), "malformed.trust"),
        (b"", "malformed.json"),
        (b"{}", "malformed.court_block"),
        (NETWORK + b"\n", "malformed.json_not_canonical"),
        (encode({"v": "trust/1"}), "malformed.court_block"),
    ],
    ids=["other chain", "empty", "object", "line", "other kind"],
)
def test_a_file_that_is_no_trust_in_this_network_spoils_the_folder(tmp_path, data, code):
    with pytest.raises(MalformedError) as caught:
        read_trust(write(tmp_path, {CHAIN: data}))
    assert caught.value.code == code


def test_the_desk_keeps_the_network_it_joined(scene: Scene):
    session, folder = scene.session, scene.session.vault.folder / TRUST
    before = session.trust
    try:
        session.write_trust({CHAIN: NETWORK})
        assert session.trust.networks == {CHAIN: NETWORK}
        session.set_authorities(session.settings)
        assert session.trust.networks == {CHAIN: NETWORK}
        assert (folder / "network-1.json").read_bytes() == NETWORK
    finally:
        session.write_trust({})
    assert not list(folder.glob("network-*"))
    assert session.trust == before
    assert sha256((folder / MANIFEST).read_bytes()).hex() == before.fingerprint
