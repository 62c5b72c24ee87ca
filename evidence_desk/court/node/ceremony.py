"""The founding of a network: what each institution brings (``member/1``), and the genesis document made of it.

Whoever puts the documents together is not trusted: every institution checks the result against its own keys and reads
the fingerprints aloud with the others.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.digests import parse_hex, sha256
from evidence_desk.court.node.abci.application import Genesis, Validator
from evidence_desk.court.node.abci.messages import validator_address
from evidence_desk.court.node.app.genesis import AppState, app_state, parse_app_state
from evidence_desk.court.node.app.records import Institution
from evidence_desk.court.node.home import MAX_GENESIS, NodeHome, check_peer, genesis_document
from evidence_desk.court.protocol.block import Validator as LightValidator
from evidence_desk.court.protocol.block import ValidatorSet, check_chain_id
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.ed25519 import Judgment, is_sound_key, judge
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.network_file import MAX_NAME, encode_network
from evidence_desk.court.protocol.registry import check_office
from evidence_desk.court.protocol.state import APP_VERSION
from evidence_desk.errors import ConfigurationError, IntegrityError, MalformedError, UsageError

MEMBER_VERSION: Final = "member/1"
MEMBER_FILE: Final = "member.json"
NETWORK_FILE: Final = "network.json"
"""In a node's folder: the trust file of its network."""
_DOMAIN: Final = b"evidence-desk/member/1\x00"
"""Before the signed bytes. A consensus key also signs votes; those begin with their length and 0x08, never like this."""
_MAX_MEMBER: Final = 16 * 1024
_CHAIN_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")
_NODE_ID: Final = re.compile(r"[0-9a-f]{40}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What an institution brings: its code and name, its node, and two keys that it has proven to hold."""

    institution: str
    name: str
    node_id: str
    consensus_key: bytes
    governance_key: bytes
    peer: str = ""

    def __post_init__(self) -> None:
        try:
            check_office(self.institution)
            if self.peer:
                check_peer(self.peer)
        except (MalformedError, UsageError) as error:
            raise MalformedError("malformed.member", reason=error.code) from error
        if not 0 < len(self.name) <= MAX_NAME or not self.name.isprintable():
            raise MalformedError("malformed.member", reason="name")
        if not _NODE_ID.match(self.node_id) or (self.peer and not self.peer.startswith(f"{self.node_id}@")):
            raise MalformedError("malformed.member", reason="node ID")
        if self.consensus_key == self.governance_key:
            raise MalformedError("malformed.member", reason="one key for two purposes")

    @property
    def record(self) -> Institution:
        """As the application knows it."""
        return Institution(
            institution=self.institution,
            consensus_key=self.consensus_key,
            governance_key=self.governance_key,
        )

    def _json(self) -> dict[str, JSON]:
        return {
            "v": MEMBER_VERSION,
            "institution": self.institution,
            "name": self.name,
            "node_id": self.node_id,
            "consensus_key": self.consensus_key.hex(),
            "governance_key": self.governance_key.hex(),
            "peer": self.peer,
        }

    def signed_bytes(self) -> bytes:
        """What both keys sign."""
        return _DOMAIN + encode(self._json())

    def encode(self, *, consensus: Ed25519PrivateKey, governance: Ed25519PrivateKey) -> bytes:
        """``member.json`` with both proofs of possession."""
        message = self.signed_bytes()
        proofs: dict[str, JSON] = {
            "consensus": base64.b64encode(consensus.sign(message)).decode(),
            "governance": base64.b64encode(governance.sign(message)).decode(),
        }
        return encode({**self._json(), "proofs": proofs})


def parse_member(data: bytes) -> Member:
    """Read a ``member.json``: sound keys, right proofs.

    Raises:
        MalformedError: ``malformed.member`` or ``malformed.json``.
        IntegrityError: ``ceremony.key_unsound`` for a key that verifiers would not all accept, ``ceremony.proof`` for a
            key whose holder did not sign.
    """
    value = decode(data, what=MEMBER_FILE, limit=_MAX_MEMBER)
    names = {"v", "institution", "name", "node_id", "consensus_key", "governance_key", "peer", "proofs"}
    if not isinstance(value, dict) or set(value) != names or value["v"] != MEMBER_VERSION:
        raise MalformedError("malformed.member", reason="members")
    proofs = value["proofs"]
    if not isinstance(proofs, dict) or set(proofs) != {"consensus", "governance"}:
        raise MalformedError("malformed.member", reason="proofs")
    member = Member(
        institution=_text(value["institution"]),
        name=_text(value["name"]),
        node_id=_text(value["node_id"]),
        peer=_text(value["peer"]),
        consensus_key=parse_hex(value["consensus_key"], what="consensus_key"),
        governance_key=parse_hex(value["governance_key"], what="governance_key"),
    )
    for key in (member.consensus_key, member.governance_key):
        if not is_sound_key(key):
            raise IntegrityError("ceremony.key_unsound", institution=member.institution, key=key.hex())
    message = member.signed_bytes()
    for key, proof in (
        (member.consensus_key, proofs["consensus"]),
        (member.governance_key, proofs["governance"]),
    ):
        if judge(key, message, _signature(proof)) is not Judgment.RIGHT:
            raise IntegrityError("ceremony.proof", institution=member.institution, key=key.hex())
    return member


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise MalformedError("malformed.member", reason="text")
    return value


def _signature(value: JSON) -> bytes:
    try:
        data = base64.b64decode(_text(value), validate=True)
    except ValueError as error:
        raise MalformedError("malformed.member", reason="base64") from error
    if base64.b64encode(data).decode() != value:
        raise MalformedError("malformed.member", reason="base64")
    return data


def fingerprint(data: bytes) -> str:
    """SHA-256 in groups of four upper-case digits, to be read aloud."""
    digits = sha256(data).hex().upper()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def consensus_private(home: NodeHome) -> Ed25519PrivateKey:
    """The validator's private key.

    Raises:
        ConfigurationError: ``node.keys``.
    """
    try:
        value = json.loads((home.path / "config" / "priv_validator_key.json").read_text("utf-8"))
        raw = base64.b64decode(value["priv_key"]["value"], validate=True)
        return Ed25519PrivateKey.from_private_bytes(raw[:32])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError("node.keys", path=str(home.path)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """A founded network: the two documents all institutions take home."""

    chain_id: str
    genesis: bytes
    network: bytes


def found(name: str, members: Sequence[Member], *, time: str) -> Founding:
    """Documents of a new network.

    Args:
        name: beginning of the chain ID; eight random digits follow, so that no two networks share one.
        members: institutions, in any order.
        time: RFC 3339, UTC; the first block waits for it.

    Raises:
        UsageError: ``ceremony.chain_name``.
        IntegrityError: ``ceremony.duplicate`` when two members share a code, name, key or node.
        MalformedError: ``malformed.time``.
    """
    if not _CHAIN_NAME.match(name):
        raise UsageError("ceremony.chain_name", name=name[:60])
    _refuse_duplicates(members)
    ordered = sorted(members, key=lambda item: item.institution)
    chain_id = check_chain_id(f"{name}-{secrets.token_hex(4)}")
    BlockTime.parse(time, exact=False)
    document = genesis_document(
        chain_id=chain_id,
        time=time,
        validators=[(item.institution, item.consensus_key) for item in ordered],
        app_state=app_state([item.record for item in ordered]),
        app_version=APP_VERSION,
    )
    genesis = (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
    trust = read_genesis(genesis).trust({item.institution: item.name for item in ordered})
    return Founding(chain_id=chain_id, genesis=genesis, network=encode_network(trust))


def _refuse_duplicates(members: Sequence[Member]) -> None:
    if not members:
        raise UsageError("ceremony.no_members")
    seen: set[object] = set()
    for item in members:
        for mark in (
            item.institution,
            ("name", item.name),
            item.node_id,
            item.consensus_key,
            item.governance_key,
        ):
            if mark in seen:
                raise IntegrityError("ceremony.duplicate", institution=item.institution)
            seen.add(mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisFile:
    """A genesis document of exactly the form we write."""

    data: bytes
    machine: Genesis
    time: BlockTime
    state: AppState

    @property
    def chain_id(self) -> str:
        """The network."""
        return self.machine.chain_id

    def trust(self, names: dict[str, str]) -> NetworkTrust:
        """Where a verifier starts; `names` by institution code, the code itself where there is none."""
        members = self.state.institutions.members
        return NetworkTrust(
            chain_id=self.chain_id,
            genesis=ValidatorSet.of(
                [LightValidator(public_key=item.consensus_key, power=1) for item in members]
            ),
            genesis_time=self.time,
            institutions={
                validator_address(item.consensus_key): names.get(item.institution, item.institution)
                for item in members
            },
        )


def read_genesis(data: bytes) -> GenesisFile:
    """Read a genesis document: nothing in it may differ from what `found` writes, unless the rules let it be chosen.

    Raises:
        MalformedError: ``malformed.genesis_document``, ``malformed.genesis_state``, ``malformed.time``.
    """
    if len(data) > MAX_GENESIS:
        raise MalformedError("malformed.too_large", what="genesis.json", limit=MAX_GENESIS)
    try:
        value = json.loads(data)
        pairs = [
            (item["name"], base64.b64decode(item["pub_key"]["value"], validate=True))
            for item in value["validators"]
        ]
        expected = genesis_document(
            chain_id=value["chain_id"],
            time=value["genesis_time"],
            validators=pairs,
            app_state=value["app_state"],
            app_version=APP_VERSION,
        )
        texts = [value["chain_id"], *(name for name, _ in pairs)]
        good = value == expected and all(isinstance(text, str) and text.isprintable() for text in texts)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MalformedError("malformed.genesis_document", reason="form") from error
    if not good:
        raise MalformedError("malformed.genesis_document", reason=_difference(value, expected))
    machine = Genesis(
        chain_id=check_chain_id(value["chain_id"]),
        time_ns=0,  # the rules never look at it
        validators=tuple(Validator(public_key=key, power=1) for _, key in pairs),
        app_state=json.dumps(value["app_state"]).encode(),
        initial_height=1,
    )
    time = BlockTime.parse(value["genesis_time"], exact=False)
    return GenesisFile(data=data, machine=machine, time=time, state=parse_app_state(machine))


def _difference(value: dict[str, Any], expected: dict[str, Any]) -> str:
    """First member that is not as expected."""
    names = sorted({*value, *expected}, key=str)
    return next((str(name)[:40] for name in names if value.get(name) != expected.get(name)), "validators")


def check_founding(genesis: GenesisFile, own: Sequence[Member], network: NetworkTrust | None) -> None:
    """Compare a genesis document with what one brought to the ceremony.

    Args:
        genesis: the document.
        own: one's own member file, or those of all institutions: then nobody else may be in it.
        network: the trust file that was handed out with it.

    Raises:
        IntegrityError: ``ceremony.not_in``, ``ceremony.other_key``, ``ceremony.unexpected``, ``ceremony.network_differs``.
    """
    founders = {item.institution: item for item in genesis.state.institutions.members}
    for member in own:
        present = founders.get(member.institution)
        if present is None:
            raise IntegrityError("ceremony.not_in", institution=member.institution)
        if present != member.record:
            raise IntegrityError("ceremony.other_key", institution=member.institution)
    if len(own) > 1:
        extra = sorted(set(founders) - {item.institution for item in own})
        if extra:
            raise IntegrityError("ceremony.unexpected", institution=", ".join(extra)[:200])
    if network is not None:
        check_network(genesis, own, network)


def check_network(genesis: GenesisFile, own: Sequence[Member], network: NetworkTrust) -> None:
    """Whether a trust file speaks of the network of a genesis document.

    Raises:
        IntegrityError: ``ceremony.network_differs``.
    """
    plain = genesis.trust({})
    same = (plain.chain_id, plain.genesis, plain.genesis_time, plain.initial_height) == (
        network.chain_id, network.genesis, network.genesis_time, network.initial_height,
    )  # fmt: skip
    named = set(plain.institutions) <= set(network.institutions) and all(
        network.institutions[validator_address(item.consensus_key)] == item.name for item in own
    )
    if not same or not named:
        raise IntegrityError("ceremony.network_differs", chain_id=genesis.chain_id)
