"""What the packages hold. Imported by the PyInstaller specs in installers/linux and by the tests of the packages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
Entry = tuple[str, str, str]
"""As PyInstaller lists it: (place in the package, file here, kind)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One folder of programs that share their libraries.

    Attributes:
        name: of the folder.
        programs: names of `evidence_desk.launch.PROGRAMS`.
        modules: of ours that go in whole; of the rest what they import.
        whole: with all files that are no modules, and with what is shown about packages of others.
        excludes: modules of others that are reached and not needed.
    """

    name: str
    programs: tuple[str, ...]
    modules: tuple[str, ...]
    whole: bool
    excludes: tuple[str, ...]


_NEVER: Final = (
    "tkinter", "_tkinter", "unittest", "pydoc", "pydoc_data", "test", "IPython", "setuptools", "pip", "readline", "PyInstaller",
)  # fmt: skip
"""readline would bring in a library under GPL."""
OURS: Final = ("evidence_desk", "tsa", "reports", "ui")
DESKTOP: Final = Bundle(
    name="evidence-desk",
    programs=("evidence-desk-gui", "evidence-desk", "evidence-verify", "evidence-tsa", "court-node"),
    modules=OURS,
    whole=True,
    excludes=_NEVER,
)
SERVER: Final = Bundle(
    name="court-node",
    programs=("court-node",),
    modules=("evidence_desk.court", "evidence_desk.texts"),
    whole=False,
    excludes=(*_NEVER, "PySide6", "shiboken6", "ui", "PIL", "sqlcipher3"),
)
BUNDLES: Final = {item.name: item for item in (DESKTOP, SERVER)}

QT_LIBRARIES: Final = frozenset({
    "Core", "DBus", "EglFSDeviceIntegration", "EglFsKmsSupport", "EglFsKmsGbmSupport", "Gui", "Network", "OpenGL", "OpenGLWidgets",
    "Positioning", "PrintSupport", "Qml", "QmlMeta", "QmlModels", "QmlWorkerScript", "Quick", "QuickWidgets", "Svg",
    "WaylandClient", "WaylandEglClientHwIntegration", "WebChannel", "WebEngineCore", "WebEngineWidgets", "WebSockets", "Widgets",
    "WlShellIntegration", "XcbQpa",
})  # fmt: skip
"""All under LGPL-3.0. What the wheels hold beside them is not needed, or under GPL alone (docs/licenses.md)."""
_QT_PLUGINS: Final = frozenset({
    "iconengines", "imageformats", "networkinformation", "platforminputcontexts", "platforms", "platformthemes", "printsupport",
    "tls", "wayland-decoration-client", "wayland-graphics-integration-client", "wayland-shell-integration", "xcbglintegrations",
})  # fmt: skip
_NOT_PLUGINS: Final = re.compile(
    r"virtualkeyboard|libqpdf\.so|eglfs|libqvnc|libqlinuxfb|libqminimalegl|libqvkkhr"
)
_TRANSLATIONS: Final = re.compile(
    r"(qt|qtbase|qtwebengine)_(zh_CN|en)\.qm|qtwebengine_locales/(en-US|zh-CN|zh-TW)\.pak"
)
_SYSTEM: Final = re.compile(r"lib.+\.(so[.\d]*|chk)")
_SYSTEM_KEPT: Final = re.compile(
    r"lib(python3|ffi|ssl|crypto|bz2|lzma|uuid|sqlite3|expat|xcb-(cursor|icccm|image|keysyms|render-util|util|xkb)|xkbcommon-x11)[.\d]*\.so.*"
)
"""Of the building machine's own libraries: what Python is linked with, and what desktops often lack. Everything else is the
target's, which mends it; the Debian packages name it."""
UNWANTED_HOOKS: Final = frozenset({"pyi_rth_pyside6", "pyi_rth_setuptools", "pyi_rth_pkgres"})
"""PyInstaller's own starting code that would load Qt in every program, also in the verifier and before a role is known."""
_METADATA: Final = (
    "asn1crypto", "brotli", "cryptography", "gmssl", "gmssl-pyx", "hpack", "httpx", "keyring", "pikepdf", "pyhanko",
    "pyrage", "pyside6-addons", "pyside6-essentials", "reportlab", "rfc3161ng", "sqlcipher3", "zstandard",
)  # fmt: skip
"""Packages whose version the program tells, or that find their parts by metadata."""


def settings(bundle: Bundle) -> dict[str, Any]:
    """Arguments of PyInstaller's `Analysis` for a bundle."""
    from PyInstaller.utils.hooks import collect_submodules, copy_metadata  # noqa: PLC0415 - only where it is packed

    ours = [name for package in bundle.modules for name in collect_submodules(package)]
    metadata = [item for name in _METADATA for item in copy_metadata(name)] if bundle.whole else []
    return {
        "pathex": [str(ROOT)],
        "hiddenimports": [*ours, "rfc3161ng.types"],
        "datas": [*metadata, *_files(bundle)],
        "excludes": list(bundle.excludes),
        "module_collection_mode": dict.fromkeys((*OURS, "rfc3161ng"), "py"),
        "noarchive": True,
    }  # fmt: skip


def _files(bundle: Bundle) -> list[tuple[str, str]]:
    """Our files that are no modules."""
    folders = [*OURS, "assets"] if bundle.whole else [name.replace(".", "/") for name in bundle.modules]
    skipped = {".py", ".pyc", ".pyi", ".sh", ".proto"}
    found = [
        path
        for name in folders
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.suffix not in skipped
    ]
    return [(str(path), str(path.relative_to(ROOT).parent)) for path in found]


def keep(entries: Iterable[Entry]) -> list[Entry]:
    """What of PyInstaller's findings goes in."""
    return [item for item in entries if _wanted(item[0], item[2])]


def _wanted(place: str, kind: str) -> bool:
    if kind == "SYMLINK" and "/" not in place:
        return (
            False  # Qt would take the folder of the link for its own; its libraries find each other without
        )
    if _SYSTEM.fullmatch(place):
        return _SYSTEM_KEPT.fullmatch(place) is not None
    if not place.startswith("PySide6/"):
        return True
    if library := re.fullmatch(r"PySide6/Qt/lib/libQt6(\w+)\.so.*", place):
        return library[1] in QT_LIBRARIES
    if module := re.fullmatch(r"PySide6/Qt(\w+)\.abi3\.so", place):
        return module[1] in QT_LIBRARIES
    if place.startswith("PySide6/Qt/plugins/"):
        return place.split("/")[3] in _QT_PLUGINS and not _NOT_PLUGINS.search(place)
    if place.startswith("PySide6/Qt/translations/"):
        return _TRANSLATIONS.fullmatch(place.removeprefix("PySide6/Qt/translations/")) is not None
    return not place.startswith(("PySide6/Qt/qml/", "PySide6/Qt/metatypes/")) and "devtools" not in place
