"""Whose key signs certificates: one in the key file (demo CA, PKCS#12) or one in a token (PKCS#11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from evidence_desk.bootstrap import pem_texts
from evidence_desk.core.signing_ports import PinPrompt
from evidence_desk.core.trust import Roots
from evidence_desk.crypto.pki import Identity
from evidence_desk.errors import ConfigurationError
from evidence_desk.settings import (
    Pkcs11Setting,
    load_pkcs11,
    load_signer_roots,
    save_pkcs11,
    save_signer_roots,
)
from evidence_desk.vault.store import Vault

if TYPE_CHECKING:
    from evidence_desk.pkcs11.signing import TokenKey
    from reports.signing import PdfSigner

_IN_KEY_FILE: Final = "pdf.signer"


class CertificateSigner:
    """The configured signing key of a vault; at most one login to a token is kept, until `close`."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._kept: TokenKey | None = None

    @property
    def setting(self) -> Pkcs11Setting | None:
        """The key in a token, None when the key file holds the one in use."""
        return load_pkcs11(self._vault.exhibits)

    def pdf_signer(self, prompt: PinPrompt | None, *, keep: bool) -> PdfSigner:
        """The key, ready to sign; see `Session.issuer`."""
        from reports.signing import PdfSigner  # noqa: PLC0415 - half a second of PDF libraries

        setting = self.setting
        if setting is None:
            return PdfSigner(self._identity())
        return PdfSigner(self._token_key(setting, prompt, keep=keep))

    def unlock(self, prompt: PinPrompt) -> None:
        """Ask for the PIN now, before long work begins, and stay logged in; nothing for a key in the key file.

        Raises:
            EvidenceDeskError: as `TokenKey.sign`.
        """
        setting = self.setting
        if setting is not None:
            self._token_key(setting, prompt, keep=True).unlock()

    def _token_key(self, setting: Pkcs11Setting, prompt: PinPrompt | None, *, keep: bool) -> TokenKey:
        from evidence_desk.pkcs11.signing import TokenKey  # noqa: PLC0415 - native library, for tokens only

        if self._kept is not None and self._kept.setting == setting and self._kept.unlocked:
            return self._kept
        self.close()
        key = TokenKey(setting, prompt, keep=keep)
        if keep:
            self._kept = key
        return key

    def certificate(self) -> bytes:
        """DER certificate of the key; needs neither token nor PIN.

        Raises:
            ConfigurationError: ``certify.no_signer``.
        """
        setting = self.setting
        return self._identity().certificate if setting is None else setting.certificate

    def keep_identity(self, identity: Identity) -> None:
        """Put a key into the key file; one in a token stays in use.

        Raises:
            UserError: ``certificate.key_kind``, ``certificate.signer_name``.
        """
        from reports.signing import PdfSigner  # noqa: PLC0415 - half a second of PDF libraries

        PdfSigner(identity)
        self._vault.set_secret(_IN_KEY_FILE, identity.to_bytes())
        self._know(pem_texts.roots_of(identity))

    def use_token(self, setting: Pkcs11Setting, crls: Sequence[bytes]) -> None:
        """Sign with a key in a token from now on; `crls` are DER revocation lists of its root.

        Raises:
            UserError: ``certificate.signer_name``.
        """
        from evidence_desk.pkcs11.signing import TokenKey  # noqa: PLC0415 - native library, for tokens only
        from reports.signing import PdfSigner  # noqa: PLC0415 - half a second of PDF libraries

        PdfSigner(TokenKey(setting, None))
        self.close()
        root = setting.chain[-1] if setting.chain else setting.certificate
        with self._vault.transaction():
            save_pkcs11(self._vault.exhibits, setting)
        self._know(pem_texts.armored(Roots(name="", certificates=(root,), crls=tuple(crls))))

    def leave_token(self) -> None:
        """Sign with the key file again."""
        self.close()
        with self._vault.transaction():
            save_pkcs11(self._vault.exhibits, None)

    def close(self) -> None:
        """Log out of a token; harmless twice."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _know(self, roots: str) -> None:
        """Keep a root beside those of earlier keys."""
        known = load_signer_roots(self._vault.exhibits)
        if roots not in known:
            with self._vault.transaction():
                save_signer_roots(self._vault.exhibits, (*known, roots))

    def _identity(self) -> Identity:
        data = self._vault.secret(_IN_KEY_FILE)
        if data is None:
            raise ConfigurationError("certify.no_signer")
        return Identity.from_bytes(data)
