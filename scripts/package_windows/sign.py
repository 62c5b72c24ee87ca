"""Authenticode signatures of what we build, when a certificate is given: ``python -m scripts.package_windows.sign FILE…``.

``EVIDENCE_DESK_SIGN_P12`` names the PKCS #12 file, ``EVIDENCE_DESK_SIGN_PASSWORD_FILE`` the file with its passphrase, and
``EVIDENCE_DESK_SIGN_TIMESTAMP`` an RFC 3161 authority; without one a signature ends with its certificate.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from scripts.package_windows.inputs import ROOT, BuildError

_CERTIFICATE: Final = "EVIDENCE_DESK_SIGN_P12"
_PASSWORD: Final = "EVIDENCE_DESK_SIGN_PASSWORD_FILE"  # noqa: S105 - the name of a variable
_AUTHORITY: Final = "EVIDENCE_DESK_SIGN_TIMESTAMP"


def is_signing() -> bool:
    """Whether a certificate is given."""
    return _CERTIFICATE in os.environ


def signer_command() -> str:
    """What NSIS runs to sign the uninstaller, which it alone makes; the file's name goes behind."""
    return f"env PYTHONPATH={ROOT} {sys.executable} -m scripts.package_windows.sign"


def sign(files: Iterable[Path]) -> None:
    """Sign in place; nothing without a certificate.

    Raises:
        BuildError: osslsigncode does not sign.
    """
    if not is_signing():
        return
    words = ["-pkcs12", os.environ[_CERTIFICATE], "-h", "sha256", "-n", "Evidence Desk"]
    if _PASSWORD in os.environ:
        words += ["-readpass", os.environ[_PASSWORD]]
    if _AUTHORITY in os.environ:
        words += ["-ts", os.environ[_AUTHORITY]]
    for path in files:
        signed = path.with_name(f"{path.name}.signed")
        done = subprocess.run(
            ["osslsigncode", "sign", *words, "-in", str(path), "-out", str(signed)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise BuildError(f"{path.name}: not signed: {(done.stdout + done.stderr)[-500:]}")
        signed.replace(path)


if __name__ == "__main__":
    sign(map(Path, sys.argv[1:]))
