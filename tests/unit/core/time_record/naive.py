"""A second, naive reading of RFC 4998 §4.2 and §4.3, written from its text alone; shares no code with the program."""

from __future__ import annotations

import hashlib


def verifies(tree, digest: bytes, imprint: bytes, algorithm: str = "sha256") -> bool:
    """§4.3: search the first list, then fold list after list up to the time-stamped hash."""
    first = [value.hex() for value in tree[0]]
    if digest.hex() not in first:
        return False
    carried = first
    rest = [[value.hex() for value in part] for part in tree[1:]]
    while True:
        # Only "groups containing more than one document" are hashed (§4.2 step 3).
        node = carried[0] if len(carried) == 1 else _hash(carried, algorithm)
        if not rest:
            return node == imprint.hex()
        carried = [*rest.pop(0), node]


def group_node(digests: list[bytes], algorithm: str = "sha256") -> bytes:
    """§4.2 step 3."""
    return digests[0] if len(digests) == 1 else bytes.fromhex(_hash([d.hex() for d in digests], algorithm))


def pair_root(nodes: list[bytes], algorithm: str = "sha256") -> bytes:
    """§4.2 step 4 with groups of two, recursively; the odd one goes up as it is."""
    if len(nodes) == 1:
        return nodes[0]
    pairs = [nodes[at : at + 2] for at in range(0, len(nodes), 2)]
    return pair_root([group_node(pair, algorithm) for pair in pairs], algorithm)


def _hash(values: list[str], algorithm: str) -> str:
    return hashlib.new(algorithm, bytes.fromhex("".join(sorted(values)))).hexdigest()
