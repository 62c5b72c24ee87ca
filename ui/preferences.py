"""What the program remembers about its user, outside the vault: language, look, folders. Nothing about evidence."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

import platformdirs

from evidence_desk.texts import Language
from ui.look.tokens import SCALES, Scheme

_LIMIT: Final = 256 * 1024
MAX_RECENT: Final = 8
MAX_GATEWAYS: Final = 16
E_ = TypeVar("E_", bound=StrEnum)


class Role(StrEnum):
    """Who uses the program; sets the page it opens with, nothing else."""

    LAWYER = "lawyer"
    NOTARY = "notary"
    JUDGE = "judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """Settings of this user on this machine.

    Attributes:
        scale: percent on top of the screen's own.
        vault: folder of the vault opened last; `recent_vaults` of those before.
        trust: folder of trust roots that the page Verify goes by; empty for the open vault's own.
        gateways: addresses that it asks about files; empty for those of the joined network. `look_up`: whether it asks.
        idle_minutes: minutes without input after which the vault locks; 0 for never.
        folder: where files were chosen last; `home`: where every choice begins instead, when it is set.
    """

    language: Language = Language.ZH
    scheme: Scheme = Scheme.AUTO
    scale: int = 100
    role: Role | None = None
    vault: str = ""
    recent_vaults: tuple[str, ...] = ()
    trust: str = ""
    gateways: tuple[str, ...] = ()
    look_up: bool = True
    folder: str = ""
    home: str = ""
    idle_minutes: int = 10
    remember_passphrase: bool = False
    notify: bool = True
    geometry: str = ""


def preferences_file() -> Path:
    """Where they are kept; ``EVIDENCE_DESK_CONFIG`` names another folder."""
    given = os.environ.get("EVIDENCE_DESK_CONFIG")
    folder = Path(given) if given else Path(platformdirs.user_config_dir("evidence-desk", appauthor=False))
    return folder / "desktop.json"


def load_preferences(path: Path) -> Preferences:
    """Preferences of a file; whatever in it is missing or cannot be meant takes its default."""
    try:
        with path.open("rb") as stream:
            value = json.loads(stream.read(_LIMIT))
    except (OSError, ValueError, RecursionError):
        return Preferences()
    return _parse(value) if isinstance(value, dict) else Preferences()


def save_preferences(path: Path, preferences: Preferences) -> None:
    """Write them, whole or not at all; OSError is the caller's to tell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(asdict(preferences), ensure_ascii=False, indent=1), "utf-8")
    temporary.replace(path)


class PreferenceStore:
    """The preferences in force; changes are written at once."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or preferences_file()
        self._value = load_preferences(self._path)

    @property
    def value(self) -> Preferences:
        """In force."""
        return self._value

    def change(self, **changes: Any) -> None:
        """Change some and write; a disk that refuses costs only the remembering."""
        self._value = replace(self._value, **changes)
        with contextlib.suppress(OSError):
            save_preferences(self._path, self._value)

    def remember_vault(self, folder: Path) -> None:
        """The vault in use, and the list of recent ones."""
        others = [item for item in self._value.recent_vaults if item != str(folder)]
        self.change(vault=str(folder), recent_vaults=(str(folder), *others)[:MAX_RECENT])


def _parse(value: dict[str, Any]) -> Preferences:
    base = Preferences()
    scale = value.get("scale")
    idle = value.get("idle_minutes")
    recent, gateways = value.get("recent_vaults"), value.get("gateways")
    role = value.get("role")
    return Preferences(
        language=_one(Language, value.get("language"), base.language),
        scheme=_one(Scheme, value.get("scheme"), base.scheme),
        scale=scale if isinstance(scale, int) and scale in SCALES else base.scale,
        role=Role(role) if isinstance(role, str) and role in set(Role) else None,
        vault=_text(value.get("vault")),
        recent_vaults=tuple(_text(item) for item in recent[:MAX_RECENT]) if isinstance(recent, list) else (),
        trust=_text(value.get("trust")),
        gateways=tuple(item for item in gateways[:MAX_GATEWAYS] if isinstance(item, str)) if isinstance(gateways, list) else (),
        look_up=value.get("look_up") is not False,
        folder=_text(value.get("folder")),
        home=_text(value.get("home")),
        idle_minutes=idle if isinstance(idle, int) and not isinstance(idle, bool) and 0 <= idle <= 720 else base.idle_minutes,
        remember_passphrase=value.get("remember_passphrase") is True,
        notify=value.get("notify") is not False,
        geometry=_text(value.get("geometry")),
    )  # fmt: skip


def _one(kind: Callable[[str], E_], value: object, default: E_) -> E_:
    try:
        return kind(value) if isinstance(value, str) else default
    except ValueError:
        return default


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
