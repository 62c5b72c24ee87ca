"""Proof: everything a verifier needs for one exhibit, in one canonical JSON file. Never a secret."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.errors import MalformedError

VERSION: Final = "proof/1"
MAX_PROOF_FILE: Final = 64 * 1024 * 1024
MAX_PATH: Final = 64
MAX_TIMES: Final = 64
MAX_RECORDS: Final = 2_000
MAX_COURT: Final = 8 * 1024 * 1024
"""Bytes of a court part, the bound that its own format sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenLeaf:
    """Leaf bytes with their index and inclusion path in the proof's checkpoint."""

    leaf: bytes
    seq: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenNote:
    """A checkpoint that was in the batch: its bytes and its own evidence record.

    Attributes:
        path: consistency path (RFC 6962 §2.1.2) from it to the proof's checkpoint; empty when they are of one size.
    """

    data: bytes
    record: bytes
    path: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeProof:
    """One token over the exhibit.

    Attributes:
        records: DER EvidenceRecord a group, in order of groups.
        token: DER ContentInfo as received.
        attested: the ``time.attested`` leaf, None while it is not in the log.
        checkpoint: lower bound in time: the checkpoint in the same batch.
    """

    records: tuple[bytes, ...]
    token: bytes
    attested: ProvenLeaf | None
    checkpoint: ProvenNote | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Proof of one exhibit.

    Attributes:
        court: court part (docs/spec/court-protocol.md) as a JSON object, read by ``verify``; None while 未上链.
    """

    number: str
    leaf: ProvenLeaf
    checkpoint: bytes
    times: tuple[TimeProof, ...]
    court: JSON = None

    def encode(self) -> bytes:
        """Canonical bytes of proof.json."""
        return encode(
            {
                "v": VERSION,
                "number": self.number,
                "leaf": _leaf_json(self.leaf),
                "checkpoint": _b64(self.checkpoint),
                "times": [_time_json(item) for item in self.times],
                "court": self.court,
            }
        )


def parse_proof(data: bytes) -> Proof:
    """Read proof.json strictly.

    Raises:
        MalformedError: ``malformed.proof`` or ``malformed.json``.
    """
    value = decode(data, what="proof", limit=MAX_PROOF_FILE)
    top = _members(value, {"v", "number", "leaf", "checkpoint", "times", "court"})
    if top["v"] != VERSION:
        raise MalformedError("malformed.proof", reason="version")
    number = top["number"]
    if not isinstance(number, str):
        raise MalformedError("malformed.proof", reason="number")
    return Proof(
        number=number,
        leaf=_leaf(top["leaf"]),
        checkpoint=_bytes(top["checkpoint"]),
        times=tuple(_time(item) for item in _list(top["times"], MAX_TIMES)),
        court=_court(top["court"]),
    )


def _leaf_json(item: ProvenLeaf) -> dict[str, JSON]:
    return {"leaf": _b64(item.leaf), "seq": item.seq, "path": [_b64(node) for node in item.path]}


def _time_json(item: TimeProof) -> dict[str, JSON]:
    return {
        "records": [_b64(record) for record in item.records],
        "token": _b64(item.token),
        "attested": None if item.attested is None else _leaf_json(item.attested),
        "checkpoint": None
        if item.checkpoint is None
        else {
            "data": _b64(item.checkpoint.data),
            "record": _b64(item.checkpoint.record),
            "path": [_b64(node) for node in item.checkpoint.path],
        },
        "header": None,
    }


def _leaf(value: JSON) -> ProvenLeaf:
    item = _members(value, {"leaf", "seq", "path"})
    seq = item["seq"]
    if type(seq) is not int or seq < 0:
        raise MalformedError("malformed.proof", reason="seq")
    return ProvenLeaf(
        leaf=_bytes(item["leaf"]), seq=seq, path=tuple(_bytes(node) for node in _list(item["path"], MAX_PATH))
    )


def _time(value: JSON) -> TimeProof:
    item = _members(value, {"records", "token", "attested", "checkpoint", "header"})
    if item["header"] is not None:
        raise MalformedError("malformed.proof", reason="header")
    checkpoint = item["checkpoint"]
    note = None
    if checkpoint is not None:
        parts = _members(checkpoint, {"data", "record", "path"})
        note = ProvenNote(
            data=_bytes(parts["data"]),
            record=_bytes(parts["record"]),
            path=tuple(_bytes(node) for node in _list(parts["path"], 2 * MAX_PATH)),
        )
    records = tuple(_bytes(record) for record in _list(item["records"], MAX_RECORDS))
    if not records:
        raise MalformedError("malformed.proof", reason="records")
    return TimeProof(
        records=records,
        token=_bytes(item["token"]),
        attested=None if item["attested"] is None else _leaf(item["attested"]),
        checkpoint=note,
    )


def _court(value: JSON) -> JSON:
    """Its form is the court protocol's matter; here only that it is an object of bounded size."""
    if value is not None and (not isinstance(value, dict) or len(encode(value)) > MAX_COURT):
        raise MalformedError("malformed.proof", reason="court")
    return value


def _members(value: JSON, names: set[str]) -> dict[str, JSON]:
    if not isinstance(value, dict) or set(value) != names:
        raise MalformedError("malformed.proof", reason="members")
    return value


def _list(value: JSON, limit: int) -> list[JSON]:
    if not isinstance(value, list) or len(value) > limit:
        raise MalformedError("malformed.proof", reason="list")
    return value


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(value: JSON) -> bytes:
    """Base64 with exactly one spelling: unused bits must be zero."""
    if not isinstance(value, str):
        raise MalformedError("malformed.proof", reason="base64")
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError as error:
        raise MalformedError("malformed.proof", reason="base64") from error
    if _b64(data) != value:
        raise MalformedError("malformed.proof", reason="base64")
    return data
