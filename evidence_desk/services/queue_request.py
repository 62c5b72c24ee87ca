"""A `SealRequest` as canonical JSON and back: what was said about queued files, kept until they are sealed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.errors import MalformedError
from evidence_desk.services.seal import SealRequest

_WHAT: Final = "seal request"
_LIMIT: Final = 1024 * 1024
_TEXTS: Final = ("case_number", "court", "cause", "title", "purpose", "interest")
_FLAGS: Final = ("blinded", "leaves_only", "allow_duplicates")
_MAPPINGS: Final = ("source", "operator")
_NAMES: Final = frozenset({"v", "kind", "parties", "witness", *_TEXTS, *_FLAGS, *_MAPPINGS})


def encode_request(request: SealRequest) -> bytes:
    """Canonical JSON of a request."""
    return encode(
        {
            "v": 1,
            "kind": request.kind.value,
            "parties": list[JSON](request.parties),
            "witness": None if request.witness is None else dict(request.witness),
            **{name: getattr(request, name) for name in (*_TEXTS, *_FLAGS)},
            **{name: dict(getattr(request, name)) for name in _MAPPINGS},
        }
    )


def parse_request(data: bytes) -> SealRequest:
    """The request of `encode_request`.

    Raises:
        MalformedError: ``malformed.json`` and its like.
    """
    value = decode(data, what=_WHAT, limit=_LIMIT)
    if not isinstance(value, dict) or set(value) != _NAMES or value["v"] != 1:
        raise MalformedError("malformed.json", what=_WHAT)
    witness, parties = value["witness"], value["parties"]
    if not isinstance(parties, list) or not isinstance(witness, dict | None):
        raise MalformedError("malformed.json", what=_WHAT)
    texts = {name: _text(value[name]) for name in _TEXTS}
    flags = {name: _flag(value[name]) for name in _FLAGS}
    try:
        kind = ExhibitKind(_text(value["kind"]))
    except ValueError as error:
        raise MalformedError("malformed.json", what=_WHAT) from error
    return SealRequest(
        case_number=texts["case_number"],
        court=texts["court"],
        cause=texts["cause"],
        parties=tuple(_text(item) for item in parties),
        title=texts["title"],
        kind=kind,
        purpose=texts["purpose"],
        source=_mapping(value["source"]),
        operator=_mapping(value["operator"]),
        witness=witness,
        interest=texts["interest"],
        blinded=flags["blinded"],
        leaves_only=flags["leaves_only"],
        allow_duplicates=flags["allow_duplicates"],
    )


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise MalformedError("malformed.json", what=_WHAT)
    return value


def _flag(value: JSON) -> bool:
    if not isinstance(value, bool):
        raise MalformedError("malformed.json", what=_WHAT)
    return value


def _mapping(value: JSON) -> Mapping[str, JSON]:
    if not isinstance(value, dict):
        raise MalformedError("malformed.json", what=_WHAT)
    return value
