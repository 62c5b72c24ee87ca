"""Chooses a key in a token and its certificate for signing, and proves with a trial signature that they belong together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from evidence_desk.core.signing_ports import PinPrompt
from evidence_desk.crypto.pki import kind_of, ordered_chain
from evidence_desk.errors import MalformedError, PermissionDeniedError, UsageError
from evidence_desk.pkcs11.keys import (
    KeyInfo,
    choose_key,
    public_key_of,
    read_certificates,
    read_keys,
    spki_of,
)
from evidence_desk.pkcs11.login import ask_and_log_in
from evidence_desk.pkcs11.module import choose_token, list_tokens, load
from evidence_desk.pkcs11.signing import AskedOnce, signature
from evidence_desk.settings import Pkcs11Setting

_TRIAL: Final = b"Evidence Desk: trial signature, says nothing"


def choose_signer(
    module: Path,
    prompt: PinPrompt,
    *,
    token: str = "",
    key: str = "",
    certificates: Sequence[bytes] = (),
) -> Pkcs11Setting:
    """Setting of a key that has just signed a trial message.

    Args:
        module: absolute path of the PKCS#11 module.
        prompt: asks for the PIN.
        token: label or serial number, "" for the only one.
        key: label or ID (hex), "" for the only one that can sign.
        certificates: DER of the key's certificate and of those above it, in any order; none takes the token's.

    Raises:
        UsageError, ConfigurationError, HostError: module and token, see `module.load`, `module.choose_token`.
        PermissionDeniedError, CanceledError: PIN and key, see `login.ask_and_log_in`, `keys.choose_key`;
            ``signer.no_certificate``, ``signer.certificate_other_key``. MalformedError: ``signer.certificate``.
    """
    loaded = load(module)
    info = choose_token(list_tokens(module), token)
    asked = AskedOnce(prompt)
    login = ask_and_log_in(loaded, info, asked)
    try:
        chosen = choose_key(read_keys(login), key, token=info.label)
        others = tuple(certificates) or read_certificates(login)
        certificate = _certificate(chosen, certificates, token=info.label)
        public = public_key_of(certificate)
        if public is None or kind_of(public) is None:
            raise UsageError("signer.key_kind", key=chosen.name)
        signature(login, public, _TRIAL, asked, label=chosen.label, key_id=chosen.key_id)
    finally:
        login.end()
    return Pkcs11Setting(
        module=str(module),
        token_label=info.label,
        token_serial=info.serial,
        key_label=chosen.label,
        key_id=chosen.key_id,
        certificate=certificate,
        chain=ordered_chain(certificate, [item for item in others if item != certificate]),
    )


def _certificate(key: KeyInfo, given: Sequence[bytes], *, token: str) -> bytes:
    """The key's certificate: from those given, else the token's own."""
    if not given:
        if not key.certificate:
            raise PermissionDeniedError("signer.no_certificate", token=token, key=key.name)
        return key.certificate
    for item in given:
        public = public_key_of(item)
        if public is None:
            raise MalformedError("signer.certificate")
        if key.spki and spki_of(public) == key.spki:
            return item
    if key.spki:
        raise PermissionDeniedError("signer.certificate_other_key", token=token)
    return given[0]  # the token does not show the public key: the trial signature decides
