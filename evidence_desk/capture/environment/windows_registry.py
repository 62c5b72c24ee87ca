"""Read access to the Windows registry; elsewhere every value is missing."""

from __future__ import annotations

import importlib
from typing import Any, Final, Protocol

Value = str | int | bytes | list[str] | None
_ROOTS: Final = {"HKLM": "HKEY_LOCAL_MACHINE", "HKCU": "HKEY_CURRENT_USER"}


class Registry(Protocol):
    """Values by root (``HKLM``, ``HKCU``), key and name."""

    def value(self, root: str, key: str, name: str) -> Value:
        """One value, None when it is missing or cannot be read."""
        ...


class WindowsRegistry:
    """The registry of this machine, by `winreg`."""

    def __init__(self, module: Any) -> None:
        self._winreg = module

    def value(self, root: str, key: str, name: str) -> Value:
        """One value of the 64-bit view, None when it is missing or cannot be read."""
        winreg = self._winreg
        access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
        try:
            with winreg.OpenKey(getattr(winreg, _ROOTS[root]), key, 0, access) as opened:
                found = winreg.QueryValueEx(opened, name)[0]
        except OSError:
            return None
        return found if isinstance(found, str | int | bytes | list) else None


class NoRegistry:
    """Elsewhere than on Windows."""

    def value(self, root: str, key: str, name: str) -> Value:
        """Always None."""
        del root, key, name
        return None


def registry() -> Registry:
    """The registry of this machine."""
    try:
        return WindowsRegistry(importlib.import_module("winreg"))
    except ImportError:
        return NoRegistry()
