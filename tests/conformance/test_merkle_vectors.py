"""transparency-dev/merkle testdata: RFC 6962 inclusion and consistency proofs, good and mutated."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.core.merkle import root_from_inclusion, verify_consistency
from evidence_desk.errors import MalformedError

FOLDER = Path(os.environ.get("EVIDENCE_VECTORS", Path(__file__).parents[3] / "shared" / "vectors")) / "merkle"


def vectors(kind: str) -> list[Any]:
    found = sorted((FOLDER / kind).rglob("*.json"))
    if not found:
        reason = pytest.mark.skip(
            reason=f"conformance vectors are not beside the checkout ({FOLDER.name}/{kind})"
        )
        return [pytest.param(None, marks=reason)]
    return [pytest.param(path, id=str(path.relative_to(FOLDER))) for path in found]


def nodes(vector: dict[str, Any]) -> list[bytes]:
    return [base64.b64decode(node) for node in vector["proof"] or []]


def root(text: str | None) -> bytes:
    return base64.b64decode(text or "")


@pytest.mark.parametrize("path", vectors("inclusion"))
def test_inclusion(path):
    vector = json.loads(path.read_text())
    try:
        computed = root_from_inclusion(
            index=vector["leafIdx"],
            size=vector["treeSize"],
            digest=root(vector["leafHash"]),
            path=nodes(vector),
        )
    except MalformedError:
        computed = b"refused"
    assert (computed != root(vector["root"])) == vector["wantErr"]


@pytest.mark.parametrize("path", vectors("consistency"))
def test_consistency(path):
    vector = json.loads(path.read_text())
    holds = verify_consistency(
        old_size=vector["size1"],
        new_size=vector["size2"],
        old_root=root(vector["root1"]),
        new_root=root(vector["root2"]),
        path=nodes(vector),
    )
    assert holds == (not vector["wantErr"])
