"""Whether and where to ask, and what was seen; beside the window's settings, outside of any vault.

An administrator's file for all users of the machine gives address and key where the user's own has none.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import platformdirs

from evidence_desk.core.release import ReleaseKey, parse_release_key
from evidence_desk.errors import ConfigurationError, HostError, MalformedError, UsageError
from evidence_desk.paths import assets_folder

_FILE: Final = "updates.json"
_LIMIT: Final = 16 * 1024
_MAX_ADDRESS: Final = 2048
_CONFIG: Final = "EVIDENCE_DESK_CONFIG"
_SITE: Final = "EVIDENCE_DESK_SITE_CONFIG"
SHIPPED_KEY: Final = "release.vkey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The newest list that was accepted: its time (as in the list), version, and SHA-256 (hex) of its signed text."""

    issued: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSetting:
    """The setting; `address` and `key` are empty when none is given."""

    on: bool = False
    address: str = ""
    key: str = ""
    seen: Seen | None = None


def load_setting() -> UpdateSetting:
    """The user's setting, completed by the administrator's. Whether it is on, the user alone says.

    Raises:
        ConfigurationError: ``updates.setting`` for a file that cannot be read as one.
    """
    own, site = _read(_user_file()), _read(_site_file())
    return replace(own, address=own.address or site.address, key=own.key or site.key)


def turn_on(address: str = "", key: str = "") -> UpdateSetting:
    """Turn it on; an address or a key that is given replaces the former.

    Raises:
        UsageError: ``updates.address``. MalformedError: ``malformed.vkey``. HostError: ``updates.not_kept``.
    """
    own = _read(_user_file())
    if address:
        check_address(address)
        own = replace(own, address=address)
    if key:
        text = parse_release_key(key).encode().strip()
        own = replace(
            own, key=text, seen=own.seen if own.key == text else None
        )  # seen lists were another's word
    _write(replace(own, on=True))
    return load_setting()


def turn_off() -> UpdateSetting:
    """Turn it off; address, key and what was seen stay."""
    _write(replace(_read(_user_file()), on=False))
    return load_setting()


def keep_seen(seen: Seen) -> None:
    """Remember the newest list."""
    _write(replace(_read(_user_file()), seen=seen))


def pinned_key(setting: UpdateSetting) -> ReleaseKey | None:
    """The key that lists have to be signed by: the given one, else that of the program; None when there is neither.

    Raises:
        MalformedError: ``malformed.vkey``.
    """
    if setting.key:
        return parse_release_key(setting.key)
    shipped = assets_folder() / SHIPPED_KEY
    return parse_release_key(shipped.read_text("utf-8")) if shipped.is_file() else None


def check_address(address: str) -> None:
    """Plain http or https, without name, password, question or fragment: nothing that could carry anything.

    Raises:
        UsageError: ``updates.address``.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        raise UsageError("updates.address") from error
    printable = all(" " < char < "\x7f" for char in address)
    if (
        not printable
        or len(address) > _MAX_ADDRESS
        or parts.scheme not in {"http", "https"}
        or not parts.hostname
        or any(char in address for char in "@?#\\")
    ):
        raise UsageError("updates.address")


def _user_file() -> Path:
    given = os.environ.get(_CONFIG)
    return Path(given or platformdirs.user_config_dir("evidence-desk", appauthor=False)) / _FILE


def _site_file() -> Path:
    given = os.environ.get(_SITE)
    if given is None and sys.platform != "win32":
        given = "/etc/evidence-desk"
    return Path(given or platformdirs.site_config_dir("evidence-desk", appauthor=False)) / _FILE


def _read(path: Path) -> UpdateSetting:
    try:
        with path.open("rb") as stream:
            data = stream.read(_LIMIT + 1)
        if len(data) > _LIMIT:
            raise ConfigurationError("updates.setting", path=str(path))
        return _parse(json.loads(data))
    except FileNotFoundError:
        return UpdateSetting()
    except (OSError, ValueError, KeyError, TypeError, RecursionError, UsageError, MalformedError) as error:
        raise ConfigurationError("updates.setting", path=str(path)) from error


def _parse(value: object) -> UpdateSetting:
    if not isinstance(value, dict) or not set(value) <= {"on", "address", "key", "seen"}:
        raise ValueError
    on, address, key = value.get("on", False), value.get("address", ""), value.get("key", "")
    if not isinstance(on, bool) or not isinstance(address, str) or not isinstance(key, str):
        raise TypeError
    if address:
        check_address(address)
    if key:
        parse_release_key(key)
    seen = value.get("seen")
    made = None if seen is None else Seen(**seen)
    if made is not None and not all(isinstance(item, str) for item in asdict(made).values()):
        raise TypeError
    return UpdateSetting(on=on, address=address, key=key, seen=made)


def _write(setting: UpdateSetting) -> None:
    path = _user_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=".updates-", delete=False
        ) as stream:
            json.dump(asdict(setting), stream, ensure_ascii=False, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        Path(stream.name).replace(path)
    except OSError as error:
        raise HostError("updates.not_kept", path=str(path)) from error
