"""Loads PKCS#11 modules, each once a process, and finds tokens in them.

The library initializes modules without locking of their own (PKCS#11 v2.40 §5.4: no pInitArgs means one thread), so
every call into a module is made under its `Module.lock`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pkcs11
from pkcs11.constants import TokenFlag
from pkcs11.exceptions import PKCS11Error

from evidence_desk.errors import ConfigurationError, HostError, UsageError
from evidence_desk.pkcs11.faults import reason

if TYPE_CHECKING:
    from evidence_desk.pkcs11.login import Login

_modules: Final[dict[Path, Module]] = {}
_loading: Final = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenInfo:
    """A token that is present.

    Attributes:
        module: path of the module that sees it. label, serial, manufacturer, model: as the token says.
        ready: initialized, with a PIN set.
        pin_failed: a wrong PIN was given since the last right one. pin_last_try: one more locks it.
        pin_pad: the PIN is typed at the device, never here.
    """

    module: Path
    label: str
    serial: str
    manufacturer: str
    model: str
    ready: bool
    pin_failed: bool
    pin_last_try: bool
    pin_locked: bool
    pin_pad: bool


class Module:
    """One loaded module; use `load`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.logins: list[Login] = []
        try:
            self._library: Any = pkcs11.lib(str(path))
        except (PKCS11Error, UnicodeError) as error:
            told = reason(error) if isinstance(error, PKCS11Error) else type(error).__name__
            raise ConfigurationError("signer.module_unloadable", module=path.name, reason=told) from error

    def tokens(self) -> list[Any]:
        """The library's objects of all tokens present; those that cannot be read are left out. Under the lock."""
        found = []
        try:
            slots = self._library.get_slots(token_present=True)
        except PKCS11Error as error:
            raise HostError("signer.module_failed", module=self.path.name, reason=reason(error)) from error
        for slot in slots:
            with contextlib.suppress(PKCS11Error):  # an empty reader, a card of a kind it cannot read
                found.append(slot.get_token())
        return found

    def start_afresh(self) -> None:
        """Initialize again: ends all sessions, and lets modules see tokens that came or went. Under the lock."""
        for login in list(self.logins):
            login.ended()
        try:
            self._library.reinitialize()
        except PKCS11Error:
            try:
                self._library.initialize()
            except PKCS11Error as error:
                raise HostError(
                    "signer.module_failed", module=self.path.name, reason=reason(error)
                ) from error


def load(path: Path) -> Module:
    """The module at `path`, loaded at its first use.

    Raises:
        UsageError: ``signer.module_missing`` (no absolute path of a file).
        ConfigurationError: ``signer.module_unloadable``.
    """
    with _loading:
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise UsageError("signer.module_missing", module=path.name) from error
        if not path.is_absolute() or not real.is_file():
            raise UsageError("signer.module_missing", module=path.name)
        if real not in _modules:
            _modules[real] = Module(real)
        return _modules[real]


def list_tokens(path: Path) -> tuple[TokenInfo, ...]:
    """Initialized tokens that the module at `path` sees now, by label.

    Raises:
        UsageError, ConfigurationError: as `load`. HostError: ``signer.module_failed``.
    """
    module = load(path)
    with module.lock:
        if not module.logins:
            module.start_afresh()
        infos = [described(path, token) for token in module.tokens() if _initialized(token)]
    return tuple(sorted(infos, key=lambda item: (item.label, item.serial)))


def find(module: Module, *, label: str, serial: str) -> Any:
    """The library's object of the token with this serial number (and label, if given). Under the lock.

    Raises:
        HostError: ``signer.token_missing``.
    """
    for attempt in range(2):
        for token in module.tokens():
            if _initialized(token) and serial_text(token) == serial and label in {"", token.label}:
                return token
        if attempt == 0 and not module.logins:
            module.start_afresh()
    raise HostError("signer.token_missing", token=label or serial)


def choose_token(tokens: Sequence[TokenInfo], wanted: str) -> TokenInfo:
    """The one token with label or serial number `wanted`, or the only one when it is "".

    Raises:
        HostError: ``signer.no_token``, ``signer.token_missing``.
        UsageError: ``signer.token_several``.
    """
    if not tokens:
        raise HostError("signer.no_token")
    fitting = [item for item in tokens if wanted in {"", item.label, item.serial}]
    if not fitting:
        raise HostError("signer.token_missing", token=wanted)
    if len(fitting) > 1:
        names = ", ".join(f"{item.label} ({item.serial})" for item in fitting)
        raise UsageError("signer.token_several", tokens=names[:300])
    return fitting[0]


def described(path: Path, token: Any) -> TokenInfo:
    """What a token says of itself."""
    flags = token.flags
    return TokenInfo(
        module=path,
        label=token.label,
        serial=serial_text(token),
        manufacturer=token.manufacturer_id,
        model=token.model,
        ready=bool(flags & TokenFlag.USER_PIN_INITIALIZED),
        pin_failed=bool(flags & TokenFlag.USER_PIN_COUNT_LOW),
        pin_last_try=bool(flags & TokenFlag.USER_PIN_FINAL_TRY),
        pin_locked=bool(flags & TokenFlag.USER_PIN_LOCKED),
        pin_pad=bool(flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH),
    )


def serial_text(token: Any) -> str:
    """Serial number of a token as text (blank-padded ASCII, PKCS#11 v2.40 §3.2)."""
    return bytes(token.serial).decode("ascii", "replace").strip()


def _initialized(token: Any) -> bool:
    return bool(token.flags & TokenFlag.TOKEN_INITIALIZED)
