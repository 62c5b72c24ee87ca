"""What opening a PKCS#12 file costs: it says itself how often its passphrase is hashed, and nobody can stop that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from asn1crypto import pkcs12

MAX_ITERATIONS: Final = 10_000_000
"""About a second; programs write 2,048 to 600,000."""


def most_iterations(data: bytes) -> int:
    """Greatest iteration count that can be read without the passphrase (RFC 7292 §4); 0 when none can be read."""
    counts = [0]
    try:
        counts.extend(_counts(data))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return max(counts)  # what is wrong is said by the library that opens it
    return max(counts)


def _counts(data: bytes) -> Iterator[int]:
    file: Any = pkcs12.Pfx.load(data)
    if file["mac_data"].native is not None:
        yield int(file["mac_data"]["iterations"].native)
    for part in file.authenticated_safe:
        if part["content_type"].native == "encrypted_data":
            content = part["content"]["encrypted_content_info"]
            yield int(content["content_encryption_algorithm"].kdf_iterations)
        elif part["content_type"].native == "data":
            for bag in pkcs12.SafeContents.load(part["content"].native):
                if bag["bag_id"].native == "pkcs8_shrouded_key_bag":
                    yield int(bag["bag_value"]["encryption_algorithm"].kdf_iterations)
