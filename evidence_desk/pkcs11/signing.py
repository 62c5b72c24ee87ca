"""Signs with a key inside a token; what comes back is checked under the certificate before anybody sees it."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from pkcs11.mechanisms import Mechanism

from evidence_desk.core.digests import sha256
from evidence_desk.core.signing_ports import PinPrompt, PinRequest
from evidence_desk.crypto.pki import KeyKind, kind_of
from evidence_desk.errors import PermissionDeniedError, UsageError
from evidence_desk.pkcs11.faults import token_faults
from evidence_desk.pkcs11.keys import PublicKey, asks_every_time, find_key, public_key_of
from evidence_desk.pkcs11.login import Login, ask, ask_and_log_in, trying
from evidence_desk.pkcs11.module import described, find, load
from evidence_desk.settings import Pkcs11Setting

_DIGEST_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256 without the digest (RFC 8017 §9.2, note 1)."""


class TokenKey:
    """`core.signing_ports.SigningKey` over a configured key; threads may share it, signatures are made one by one.

    Keeps no PIN. With `keep` it stays logged in until `close`, else it logs out after each signature.
    """

    def __init__(self, setting: Pkcs11Setting, prompt: PinPrompt | None, *, keep: bool = False) -> None:
        """Touches neither module nor token.

        Raises:
            UsageError: ``signer.key_kind`` for a certificate of another kind of key.
        """
        public = public_key_of(setting.certificate)
        kind = None if public is None else kind_of(public)
        if public is None or kind is None:
            raise UsageError("signer.key_kind", key=setting.key_label or setting.key_id)
        self.setting = setting
        self._public = public
        self._kind = kind
        self._prompt = prompt
        self._keep = keep
        self._login: Login | None = None
        self._turn = threading.Lock()

    @property
    def kind(self) -> KeyKind:
        """RSA or P-256."""
        return self._kind

    @property
    def certificate(self) -> bytes:
        """DER."""
        return self.setting.certificate

    @property
    def chain(self) -> tuple[bytes, ...]:
        """DER certificates above it, the nearest first."""
        return self.setting.chain

    @property
    def unlocked(self) -> bool:
        """Whether it is logged in, so that a signature will not ask for the PIN."""
        login = self._login
        return login is not None and login.alive

    def sign(self, message: bytes) -> bytes:
        """Have the token sign `message`.

        Raises:
            UsageError, ConfigurationError: the module is not what it was.
            HostError: ``signer.token_missing``, ``signer.token_removed``, ``signer.token_failed``.
            PermissionDeniedError: PIN (see `login.log_in`), ``signer.key_missing``, ``signer.key_cannot_sign``,
                ``signer.certificate_other_key``.
            CanceledError: ``signer.pin_canceled``.
        """
        with self._turn:
            prompt = self._prompt and AskedOnce(self._prompt)
            login = self._logged_in(prompt)
            try:
                setting = self.setting
                return signature(
                    login, self._public, message, prompt, label=setting.key_label, key_id=setting.key_id
                )
            except BaseException:
                login.end()
                raise
            finally:
                if not self._keep:
                    login.end()

    def unlock(self) -> None:
        """Ask for the PIN now and stay logged in; errors as `sign`."""
        with self._turn:
            self._logged_in(self._prompt)
            self._keep = True

    def close(self) -> None:
        """Log out; harmless twice."""
        login, self._login = self._login, None
        if login is not None:
            login.end()

    def _logged_in(self, prompt: PinPrompt | None) -> Login:
        login = self._login
        if login is None or not login.alive:
            path = Path(self.setting.module)
            module = load(path)
            with module.lock:
                found = find(module, label=self.setting.token_label, serial=self.setting.token_serial)
                token = described(path, found)
            login = self._login = ask_and_log_in(module, token, prompt)
        return login


class AskedOnce:
    """A prompt that asks once for one signature, though a key may want the PIN twice (login and signature)."""

    def __init__(self, prompt: PinPrompt) -> None:
        self._prompt = prompt
        self._answer: str | None = None

    def __call__(self, request: PinRequest) -> str | None:
        """The answer to the first question."""
        if self._answer is None:
            self._answer = self._prompt(request)
        return self._answer


def signature(
    login: Login, public: PublicKey, message: bytes, prompt: PinPrompt | None, *, label: str, key_id: str
) -> bytes:
    """Signature of the key `label`, `key_id` over `message`, sound under `public`; errors as `TokenKey.sign`."""
    token, module = login.token, login.module
    with module.lock, token_faults(token.label):
        key = find_key(login, label=label, key_id=key_id)
        again = asks_every_time(key)
    pin = None
    if again:
        if token.pin_pad:
            raise PermissionDeniedError("signer.key_cannot_sign", token=token.label)
        pin = ask(token, prompt)
    with module.lock, token_faults(token.label):
        allowed = trying(module, token, pin) if pin is not None else nullcontext()
        with allowed:
            raw = _raw(key, public, message, pin)
    return _checked(raw, public, message, token.label)


def _raw(key: Any, public: PublicKey, message: bytes, pin: str | None) -> bytes:
    """What the token answers: RSA PKCS#1 v1.5, or r ‖ s."""
    if isinstance(public, ec.EllipticCurvePublicKey):
        return bytes(key.sign(sha256(message), mechanism=Mechanism.ECDSA, pin=pin))
    if Mechanism.SHA256_RSA_PKCS in key.session.token.slot.get_mechanisms():
        return bytes(key.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS, pin=pin))
    return bytes(key.sign(_DIGEST_INFO + sha256(message), mechanism=Mechanism.RSA_PKCS, pin=pin))


def _checked(raw: bytes, public: PublicKey, message: bytes, token: str) -> bytes:
    """The signature in the form that CMS wants, after it was verified."""
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(raw, message, padding.PKCS1v15(), hashes.SHA256())
            return raw
        half = len(raw) // 2
        value = utils.encode_dss_signature(
            int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        )
        public.verify(value, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise PermissionDeniedError("signer.certificate_other_key", token=token) from error
    return value
