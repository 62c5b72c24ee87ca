"""Windows: virtual machine, remote desktop, injected modules, antivirus, system version, updates.

Not run on real Windows yet. Facts come from the registry, the kernel's API and JSON from PowerShell.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Callable
from pathlib import PureWindowsPath
from typing import Any, Final

from evidence_desk.capture.environment.linux_machine import STALE_DAYS
from evidence_desk.capture.environment.machine import call_raw
from evidence_desk.capture.environment.programs import REMOTE, matching, processes
from evidence_desk.capture.environment.surroundings import Findings, Surroundings
from evidence_desk.capture.environment.windows_network import asked
from evidence_desk.capture.environment.windows_registry import Registry, registry
from evidence_desk.core.capture.environment import Check, Item, Outcome, because, values

_BIOS: Final = r"HARDWARE\DESCRIPTION\System\BIOS"
_VERSION: Final = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_INIT: Final = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Windows"
_REMOTE_SESSION: Final = 0x1000
"""SM_REMOTESESSION."""
_VIRTUAL: Final = (
    "vmware", "virtualbox", "innotek", "qemu", "kvm", "xen", "parallels", "virtual machine", "bochs", "alibaba", "tencent",
    "amazon ec2", "google compute",
)  # fmt: skip
_AV_ON: Final = 0x1000
"""Bit of a product's state in the security center: it is switched on (0x10 tells outdated signatures)."""
_AV_OLD: Final = 0x10


def check_machine(around: Surroundings) -> Item:
    """Signs of a virtual machine in the BIOS's names."""
    del around
    found = Findings(Check.MACHINE)
    judge_machine(found, registry())
    return found.item()


def judge_machine(found: Findings, keys: Registry) -> None:
    """Outcome from what the registry says of the BIOS."""
    names = ("SystemManufacturer", "SystemProductName", "BIOSVendor", "BaseBoardManufacturer")
    told = {name: value for name in names if isinstance(value := keys.value("HKLM", _BIOS, name), str)}
    found.raws.append(call_raw(f"HKLM\\{_BIOS}", [f"{name}={value}" for name, value in told.items()]))
    text = " ".join(told.values())
    signs = [text] if any(word in text.lower() for word in _VIRTUAL) else []
    found.facts["signs"] = values(signs)
    if not told:
        found.tell(Outcome.UNCHECKED, because("environment.machine.unread"))
    elif signs:
        found.tell(Outcome.WARN, because("environment.machine.virtual", signs="; ".join(signs)))
    else:
        found.tell(Outcome.PASS, because("environment.machine.none"))


def check_remote(around: Surroundings) -> Item:
    """Remote desktop session, and programs of remote control."""
    found = Findings(Check.REMOTE)
    listed = processes(around.machine)
    try:
        session = bool(ctypes.WinDLL("user32").GetSystemMetrics(_REMOTE_SESSION))  # type: ignore[attr-defined,unused-ignore]
    except (OSError, AttributeError):
        found.tell(Outcome.UNCHECKED, because("environment.remote.session_unread"))
        session = False
    signs = [*(["SM_REMOTESESSION"] if session else []), *matching(listed or (), REMOTE)]
    found.raws.append(call_raw("GetSystemMetrics, tasklist", signs))
    found.facts["signs"] = values(signs)
    if signs:
        found.tell(Outcome.WARN, because("environment.remote.found", signs="; ".join(signs)))
    if listed is None:
        found.tell(Outcome.UNCHECKED, because("environment.processes.unread"))
    elif not signs:
        found.tell(Outcome.PASS, because("environment.remote.none", count=len(REMOTE)))
    return found.item()


def check_injection(around: Surroundings) -> Item:
    """Modules of this process from elsewhere, an attached debugger, and libraries that Windows puts into every program."""
    found = Findings(Check.INJECTION)
    listed = registry().value("HKLM", _INIT, "AppInit_DLLs")
    active = registry().value("HKLM", _INIT, "LoadAppInit_DLLs")
    preloaded = listed if active == 1 and isinstance(listed, str) else ""
    modules = _modules()
    judge_injection(
        found, modules=modules, debugged=_debugged(), preloaded=preloaded, anonymous=around.machine.anonymous
    )
    return found.item()


def judge_injection(
    found: Findings,
    *,
    modules: tuple[str, ...] | None,
    debugged: bool | None,
    preloaded: str,
    anonymous: Callable[[str], str] = str,
) -> None:
    """Outcome from what was read; None is what could not be asked."""
    found.raws.append(
        call_raw(
            "EnumProcessModulesEx, CheckRemoteDebuggerPresent",
            [*map(anonymous, modules or ()), f"{debugged}", preloaded],
        )
    )
    foreign = [anonymous(path) for path in modules or () if not _own(path)]
    found.facts["modules"], found.facts["preloaded"] = (
        values(foreign),
        values([preloaded] if preloaded else []),
    )
    if modules is None or debugged is None:
        found.tell(Outcome.UNCHECKED, because("environment.injection.unread"))
    if debugged:
        found.tell(Outcome.FAIL, because("environment.injection.debugger", pid="?"))
    if preloaded:
        found.tell(Outcome.WARN, because("environment.injection.preloaded", names=preloaded))
    if foreign:
        found.tell(
            Outcome.WARN,
            because("environment.injection.modules", names="; ".join(foreign[:8]), count=len(foreign)),
        )
    if not found.outcomes:
        found.tell(Outcome.PASS, because("environment.injection.none"))


def _own(path: str) -> bool:
    """Whether a module lies with Windows or with this program and its Python."""
    windows = os.environ.get("SYSTEMROOT", r"C:\Windows")
    own = (f"{windows}\\System32", f"{windows}\\WinSxS", f"{windows}\\SysWOW64", sys.prefix, sys.base_prefix)
    return any(PureWindowsPath(path).is_relative_to(PureWindowsPath(folder)) for folder in own)


def _modules() -> tuple[str, ...] | None:
    """Paths of the modules in this process, None when they cannot be asked."""
    try:
        kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
        psapi = ctypes.WinDLL("psapi")  # type: ignore[attr-defined,unused-ignore]
    except (OSError, AttributeError):
        return None
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(kernel.GetCurrentProcess())
    handles, needed = (ctypes.c_void_p * 1024)(), ctypes.c_uint32()
    if not psapi.EnumProcessModulesEx(process, handles, ctypes.sizeof(handles), ctypes.byref(needed), 3):
        return None
    found = []
    for handle in handles[: min(len(handles), needed.value // ctypes.sizeof(ctypes.c_void_p))]:
        name = ctypes.create_unicode_buffer(32_768)
        if psapi.GetModuleFileNameExW(process, ctypes.c_void_p(handle), name, len(name)):
            found.append(name.value)
    return tuple(sorted(found))


def _debugged() -> bool | None:
    try:
        kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    except (OSError, AttributeError):
        return None
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    present = ctypes.c_int()
    asked_well = kernel.CheckRemoteDebuggerPresent(
        ctypes.c_void_p(kernel.GetCurrentProcess()), ctypes.byref(present)
    )
    return bool(present.value or kernel.IsDebuggerPresent()) if asked_well else None


def check_antivirus(around: Surroundings) -> Item:
    """Products in the security center, whether they are on and their signatures current."""
    found = Findings(Check.ANTIVIRUS)
    script = "Get-CimInstance -Namespace root/SecurityCenter2 -ClassName AntiVirusProduct | Select-Object displayName,productState"
    listed = asked(found, around.machine, script)
    if listed is None:  # Windows Server has no security center
        found.tell(Outcome.UNCHECKED, because("environment.antivirus.unread"))
        return found.item()
    known = [(str(item.get("displayName")), item.get("productState")) for item in listed]
    on = [(name, state) for name, state in known if isinstance(state, int) and state & _AV_ON]
    old = [name for name, state in on if state & _AV_OLD]
    found.facts["running"] = values(name for name, _ in on)
    if not on:
        found.tell(
            Outcome.WARN,
            because("environment.antivirus.off", names=", ".join(name for name, _ in known) or "—"),
        )
    elif len(old) == len(on):
        found.tell(Outcome.WARN, because("environment.antivirus.old", names=", ".join(old)))
    else:
        found.tell(
            Outcome.PASS, because("environment.antivirus.running", names=", ".join(name for name, _ in on))
        )
    return found.item()


def check_system(around: Surroundings) -> Item:
    """Edition, version and build."""
    del around
    found = Findings(Check.SYSTEM)
    judge_system(found, registry())
    return found.item()


def judge_system(found: Findings, keys: Registry) -> None:
    """Outcome from the registry's version key; from build 22000 on it is Windows 11, whatever the name there says."""
    names = ("ProductName", "DisplayVersion", "CurrentBuildNumber", "UBR", "InstallationType")
    told: dict[str, Any] = {name: keys.value("HKLM", _VERSION, name) for name in names}
    build = told["CurrentBuildNumber"]
    found.raws.append(call_raw(f"HKLM\\{_VERSION}", [f"{name}={value}" for name, value in told.items()]))
    if not isinstance(build, str) or not build.isdecimal():
        found.tell(Outcome.UNCHECKED, because("environment.system.unread"))
        return
    name = str(told["ProductName"])
    if int(build) >= 22_000 and told["InstallationType"] != "Server":
        name = name.replace("Windows 10", "Windows 11")
    shown, kernel = (
        f"{name} {told['DisplayVersion'] or ''}".strip(),
        f"{build}.{told['UBR']} {platform.machine()}",
    )
    found.facts["system"] = values([shown, kernel], ordered=True)
    found.tell(Outcome.PASS, because("environment.system.is", system=shown, kernel=kernel))


def check_updates(around: Surroundings) -> Item:
    """The newest installed update, and whether a restart is due. Missing updates are not asked for: that takes minutes."""
    found = Findings(Check.UPDATES)
    script = (
        "Get-HotFix | Where-Object InstalledOn | Sort-Object InstalledOn | Select-Object -Last 1 HotFixID,"
        "@{n='Days';e={[int]((Get-Date) - $_.InstalledOn).TotalDays}},"
        "@{n='Reboot';e={Test-Path 'HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired'}}"
    )
    listed = asked(found, around.machine, script)
    newest = listed[0] if listed else {}
    days = newest.get("Days")
    if type(days) is not int:
        found.tell(Outcome.UNCHECKED, because("environment.updates.unknown"))
        return found.item()
    found.facts["newest"] = values([str(newest.get("HotFixID"))])
    if newest.get("Reboot") is True:
        found.tell(Outcome.WARN, because("environment.updates.reboot"))
    code = "environment.updates.long_ago" if days > 2 * STALE_DAYS + 17 else "environment.updates.recent"
    outcome = Outcome.WARN if days > 2 * STALE_DAYS + 17 else Outcome.PASS
    found.tell(outcome, because(code, days=days, update=str(newest.get("HotFixID"))))
    return found.item()
