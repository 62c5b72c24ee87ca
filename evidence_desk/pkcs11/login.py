"""Being logged in to a token: one login a token, never the same refused PIN twice.

PKCS#11 knows one login an application and token (v2.40 §5.6); a second would be answered without looking at its PIN.
So whoever logs in ends the earlier login first.
"""

from __future__ import annotations

import contextlib
import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pkcs11.exceptions import PKCS11Error
from pkcs11.types import PROTECTED_AUTH

from evidence_desk.core.signing_ports import PinPrompt, PinRequest
from evidence_desk.errors import CanceledError, HostError, PermissionDeniedError
from evidence_desk.pkcs11.faults import WRONG_PIN, token_faults
from evidence_desk.pkcs11.module import Module, TokenInfo, described, find

_key: Final = os.urandom(32)
_refused: Final[dict[tuple[str, str], bytes]] = {}
"""(module, serial) → keyed digest of the PIN that the token refused last, so that no program tries it again."""


class Login:
    """An open session in which the person is logged in; use `log_in`."""

    def __init__(self, module: Module, token: TokenInfo, session: Any) -> None:
        self.module = module
        self.token = token
        self._session: Any = session
        module.logins.append(self)

    @property
    def session(self) -> Any:
        """The library's session. Under the lock.

        Raises:
            HostError: ``signer.token_removed`` when it was ended, by another login for example.
        """
        if self._session is None:
            raise HostError("signer.token_removed", token=self.token.label)
        return self._session

    @property
    def alive(self) -> bool:
        """Whether it was not ended; the token may be gone all the same."""
        return self._session is not None

    def end(self) -> None:
        """Log out and close; harmless twice."""
        with self.module.lock:
            session = self._session
            self.ended()
            if session is not None:
                with contextlib.suppress(PKCS11Error):  # the token may be gone, and the session with it
                    session.close()

    def ended(self) -> None:
        """Note that the module closed the session."""
        self._session = None
        with contextlib.suppress(ValueError):
            self.module.logins.remove(self)


def ask_and_log_in(module: Module, token: TokenInfo, prompt: PinPrompt | None) -> Login:
    """Ask for the PIN (unless the device does itself) and log in with it, once.

    Raises:
        CanceledError: ``signer.pin_canceled``.
        PermissionDeniedError: ``signer.pin_needed`` without a prompt; else as `log_in`.
    """
    with module.lock:
        token = described(token.module, find(module, label=token.label, serial=token.serial))
    if token.pin_locked:
        raise PermissionDeniedError("signer.pin_locked", token=token.label)
    return log_in(module, token, "" if token.pin_pad else ask(token, prompt))


def ask(token: TokenInfo, prompt: PinPrompt | None) -> str:
    """The PIN from a person. Never under the lock: he may take his time.

    Raises:
        CanceledError: ``signer.pin_canceled``. PermissionDeniedError: ``signer.pin_needed``.
    """
    if prompt is None:
        raise PermissionDeniedError("signer.pin_needed", token=token.label)
    request = PinRequest(
        token=token.label,
        serial=token.serial,
        failed_before=token.pin_failed,
        last_try=token.pin_last_try,
    )
    pin = prompt(request)
    if not pin:
        raise CanceledError("signer.pin_canceled", token=token.label)
    return pin


def log_in(module: Module, token: TokenInfo, pin: str) -> Login:
    """Log in with `pin`; it is given to the token once, and never when the token refused it before.

    Raises:
        PermissionDeniedError: ``signer.pin_wrong``, ``signer.pin_wrong_last``, ``signer.pin_refused_before``,
            ``signer.pin_locked``, ``signer.pin_expired``, ``signer.pin_unset``.
        HostError: ``signer.token_missing``, ``signer.token_removed``, ``signer.token_failed``.
    """
    with module.lock:
        for other in list(module.logins):
            if other.token.serial == token.serial:
                other.end()
        found = find(module, label=token.label, serial=token.serial)
        with token_faults(token.label), trying(module, token, pin):
            session = found.open(user_pin=PROTECTED_AUTH if token.pin_pad else pin)
        return Login(module, token, session)


@contextmanager
def trying(module: Module, token: TokenInfo, pin: str) -> Iterator[None]:
    """Give the token a PIN inside this block, under the lock; errors as `log_in`."""
    place = (str(module.path), token.serial)
    try:
        digest = hmac.digest(_key, pin.encode(), "sha256")
    except UnicodeEncodeError as error:  # no PIN that could be given to a token
        raise PermissionDeniedError("signer.pin_wrong", token=token.label) from error
    if not token.pin_pad and hmac.compare_digest(_refused.get(place, b""), digest):
        raise PermissionDeniedError("signer.pin_refused_before", token=token.label)
    try:
        yield
    except WRONG_PIN as error:
        _refused[place] = digest
        raise _wrong(module, token) from error
    _refused.pop(place, None)


def _wrong(module: Module, token: TokenInfo) -> PermissionDeniedError:
    """What to say after a wrong PIN: how near the token is to locking, as far as it says so."""
    if not module.logins:
        module.start_afresh()  # the library leaves the session open in which logging in failed
    try:
        now = described(token.module, find(module, label=token.label, serial=token.serial))
    except HostError:
        now = token
    if now.pin_locked:
        return PermissionDeniedError("signer.pin_locked", token=token.label)
    code = "signer.pin_wrong_last" if now.pin_last_try else "signer.pin_wrong"
    return PermissionDeniedError(code, token=token.label)
