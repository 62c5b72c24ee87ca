"""Authenticode: every PE file of the runtime, and the catalog of its library, to the roots that Windows trusts."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from asn1crypto import cms

from scripts.package_windows.inputs import BuildError

_PE: Final = frozenset({".dll", ".exe", ".pyd"})
_SIGNER: Final = re.compile(r"Signer's certificate:\s+-+\s+Signer #0:\s+Subject: (.*)")
_BAD: Final = re.compile(r"MISMATCH|verification: failed")
_OCTETS_32: Final = b"\x04\x20"
_ORGANIZATION: Final = re.compile(r"/O=([^/]*)")


def is_program(path: Path) -> bool:
    """Whether a file is a PE file, by its name."""
    return path.suffix.lower() in _PE


def check_signature(path: Path, roots: Path, signers: Sequence[str]) -> str:
    """Name of the organization that signed the file, which is one of `signers`.

    The signature's timestamp has to be right as well. Lists of revoked certificates are not fetched.

    Raises:
        BuildError: no signature, one that does not fit the file or ends at no root, or another signer.
    """
    ends = ["-CAfile", str(roots), "-TSA-CAfile", str(roots), "-ignore-cdp", "-ignore-crl"]
    done = subprocess.run(
        ["osslsigncode", "verify", *ends, "-in", str(path)], capture_output=True, text=True, check=False
    )
    # It takes a file for good when one of several signatures is; here all have to be.
    if done.returncode != 0 or _BAD.search(done.stdout + done.stderr):
        raise BuildError(f"{path.name}: signature not verified: {done.stderr.strip()[-300:]}")
    subject = _SIGNER.search(done.stdout)
    organization = _ORGANIZATION.search(subject.group(1)) if subject else None
    if organization is None or organization.group(1) not in signers:
        raise BuildError(
            f"{path.name}: signed by {subject.group(1) if subject else 'nobody'}, not by {signers}"
        )
    return organization.group(1)


def check_signatures(files: Iterable[Path], roots: Path, signers: Sequence[str]) -> dict[str, str]:
    """`check_signature` of every PE file; (name, signer) of each."""
    return {path.name: check_signature(path, roots, signers) for path in files if is_program(path)}


def catalog_content(catalog: Path, roots: Path, signers: Sequence[str]) -> bytes:
    """The signed list of digests of a catalog file, DER.

    Raises:
        BuildError: as `check_signature`.
    """
    check_signature(catalog, roots, signers)
    signed = cms.ContentInfo.load(catalog.read_bytes())["content"]
    return bytes(signed["encap_content_info"]["content"].dump())


def check_listed(files: Mapping[str, bytes], content: bytes, unlisted: Mapping[str, str]) -> None:
    """Every file's SHA-256 stands in the catalog as an OCTET STRING, or is the one pinned for it in `unlisted` (hex).

    A file without content needs no vouching.

    Raises:
        BuildError: one does not.
    """
    for name, data in files.items():
        digest = hashlib.sha256(data)
        if data and _OCTETS_32 + digest.digest() not in content and unlisted.get(name) != digest.hexdigest():
            raise BuildError(f"{name}: not in the signed catalog")
