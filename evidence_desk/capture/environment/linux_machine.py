"""Linux: virtual machine and container, remote desktop, injected libraries, antivirus, system version, updates."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import PurePosixPath
from typing import Final

from evidence_desk.capture.environment.machine import Machine, call_raw, decoded, file_raw
from evidence_desk.capture.environment.programs import PROTECTING, REMOTE, matching, processes
from evidence_desk.capture.environment.surroundings import Findings, Surroundings
from evidence_desk.core.capture.environment import Check, Item, Outcome, because, values

_MAPPED: Final = re.compile(r"\s(/[^\n]*\.so(?:\.[0-9.]+)?)(?: \(deleted\))?$", re.MULTILINE)
_OWN_FOLDERS: Final = (
    "/usr/lib",
    "/lib",
    "/usr/local/lib",
    "/usr/lib64",
    "/lib64",
    "/usr/lib32",
    "/nix/store",
    "/snap",
)
_PRELOADS: Final = (
    "LD_PRELOAD",
    "LD_AUDIT",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONHOME",
    "QT_PLUGIN_PATH",
)
_DMI: Final = ("sys_vendor", "product_name", "board_vendor", "bios_vendor")
_VIRTUAL: Final = (
    "vmware", "virtualbox", "innotek", "qemu", "kvm", "xen", "parallels", "microsoft corporation virtual", "virtual machine",
    "bochs", "bhyve", "openstack", "alibaba cloud", "tencent cloud", "amazon ec2", "google compute", "firecracker", "hyper-v",
)  # fmt: skip
STALE_DAYS: Final = 14
_WRITE_NOTHING: Final = (
    "-o", "Debug::NoLocking=true", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
)  # fmt: skip
"""A check leaves no lock and no cache behind."""


def check_machine(around: Surroundings) -> Item:
    """Signs of a virtual machine or container: told as a fact, not as a fault."""
    found, machine = Findings(Check.MACHINE), around.machine
    signs = list(_detected(found, machine))
    cpu = machine.read("/proc/cpuinfo")
    if cpu is not None:
        flags = next((line for line in decoded(cpu).splitlines() if line.startswith("flags")), "")
        found.raws.append(call_raw("/proc/cpuinfo: flags", [flags]))
        signs += ["CPU hypervisor"] if " hypervisor" in flags else []
    dmi = {name: machine.read(f"/sys/class/dmi/id/{name}") for name in _DMI}
    shown = {name: decoded(value).strip() for name, value in dmi.items() if value is not None}
    if shown:
        found.raws.append(call_raw("/sys/class/dmi/id", [f"{name}={value}" for name, value in shown.items()]))
        text = " ".join(shown.values()).lower()
        signs += [f"DMI {' '.join(shown.values())}"] if any(word in text for word in _VIRTUAL) else []
    for path in ("/.dockerenv", "/run/.containerenv"):
        signs += [path] if machine.read(path) is not None else []
    if machine.read("/proc/sys/fs/binfmt_misc/WSLInterop") is not None:
        signs.append("WSL")
    found.facts["signs"] = values(signs)
    if signs:
        found.tell(
            Outcome.WARN, because("environment.machine.virtual", signs="; ".join(dict.fromkeys(signs)))
        )
    elif cpu is None and not shown:
        found.tell(Outcome.UNCHECKED, because("environment.machine.unread"))
    else:
        found.tell(Outcome.PASS, because("environment.machine.none"))
    return found.item()


def _detected(found: Findings, machine: Machine) -> Iterator[str]:
    ran = machine.run(("systemd-detect-virt",), 4.0)
    if ran is not None:
        found.raws.extend(ran.raws)
        word = ran.text.strip()
        if ran.exit_code == 0 and word and word != "none":
            yield f"systemd-detect-virt {word}"


def check_remote(around: Surroundings) -> Item:
    """Remote control: sessions over SSH, remote desktop programs, a display of another machine."""
    found, machine = Findings(Check.REMOTE), around.machine
    listed = processes(machine)
    signs = [name for name in ("SSH_CONNECTION", "SSH_TTY", "XRDP_SESSION") if machine.environ.get(name)]
    display = machine.environ.get("DISPLAY", "")
    if display and not display.startswith((":", "unix:", "/", "localhost:", "wayland")):
        signs.append(f"DISPLAY={display}")
    if display.startswith("localhost:"):
        signs.append("X11 forwarding")
    running = matching(listed or (), REMOTE)
    found.raws.append(call_raw("environ, /proc", [*signs, *running]))
    found.facts["signs"] = values([*signs, *running])
    if signs or running:
        shown = "; ".join([*signs, *running])
        found.tell(Outcome.WARN, because("environment.remote.found", signs=shown))
    if listed is None:
        found.tell(Outcome.UNCHECKED, because("environment.processes.unread"))
    elif not signs and not running:
        found.tell(Outcome.PASS, because("environment.remote.none", count=len(REMOTE)))
    return found.item()


def check_injection(around: Surroundings) -> Item:
    """Libraries put into this process from outside, and debuggers attached to it."""
    found, machine = Findings(Check.INJECTION), around.machine
    status, maps = machine.read("/proc/self/status"), machine.read("/proc/self/maps")
    preload = machine.read("/etc/ld.so.preload")
    set_up = [f"{name}={machine.environ[name]}" for name in _PRELOADS if machine.environ.get(name)]
    variables = [machine.anonymous(line) for line in set_up]
    found.raws.append(call_raw("environ", variables))
    if preload is not None:
        found.raws.append(file_raw("/etc/ld.so.preload", preload))
        variables += [f"/etc/ld.so.preload {line}" for line in decoded(preload).split()]
    found.facts["preloaded"] = values(variables)
    if variables:
        found.tell(Outcome.WARN, because("environment.injection.preloaded", names="; ".join(variables)))
    if status is None or maps is None:
        found.tell(Outcome.UNCHECKED, because("environment.injection.unread"))
        return found.item()
    tracer = next(
        (line.split()[1] for line in decoded(status).splitlines() if line.startswith("TracerPid:")), "0"
    )
    found.raws.append(call_raw("/proc/self/status: TracerPid", [tracer]))
    if tracer != "0":
        found.tell(Outcome.FAIL, because("environment.injection.debugger", pid=tracer))
    mapped = sorted(set(_MAPPED.findall(decoded(maps))))
    foreign = [machine.anonymous(path) for path in mapped if not _own(path)]
    found.raws.append(call_raw("/proc/self/maps: libraries", [machine.anonymous(path) for path in mapped]))
    found.facts["modules"] = values(foreign)
    if foreign:
        found.tell(
            Outcome.WARN,
            because("environment.injection.modules", names="; ".join(foreign[:8]), count=len(foreign)),
        )
    if not found.outcomes:
        found.tell(Outcome.PASS, because("environment.injection.none"))
    return found.item()


def _own(path: str) -> bool:
    """Whether a library lies with the system or with this program and its Python."""
    folders = (*_OWN_FOLDERS, sys.prefix, sys.base_prefix, os.path.realpath(sys.base_prefix))
    return any(PurePosixPath(path).is_relative_to(folder) for folder in folders)


def check_antivirus(around: Surroundings) -> Item:
    """Programs of protection that run, and the age of ClamAV's signatures."""
    found, machine = Findings(Check.ANTIVIRUS), around.machine
    listed = processes(machine)
    if listed is None:
        found.tell(Outcome.UNCHECKED, because("environment.processes.unread"))
        return found.item()
    running = matching(listed, PROTECTING)
    signatures = list(_signatures(machine))
    found.raws.append(call_raw("/proc, /var/lib/clamav", [*running, *signatures]))
    found.facts["running"], found.facts["signatures"] = values(running), values(signatures)
    if running:
        found.tell(Outcome.PASS, because("environment.antivirus.running", names=", ".join(running)))
    else:
        found.tell(Outcome.WARN, because("environment.antivirus.none", count=len(PROTECTING)))
    return found.item()


def _signatures(machine: Machine) -> Iterator[str]:
    for name in machine.names("/var/lib/clamav"):
        if name.endswith((".cvd", ".cld")):
            try:
                changed = machine.place(f"/var/lib/clamav/{name}").stat().st_mtime
            except OSError:
                continue
            yield f"{name} {datetime.fromtimestamp(changed, UTC):%Y-%m-%d}"


def check_system(around: Surroundings) -> Item:
    """Distribution, kernel, architecture; told when the distribution's own end of support has passed."""
    found, machine = Findings(Check.SYSTEM), around.machine
    data, kernel = machine.read("/etc/os-release"), machine.run(("uname", "-s", "-r", "-v", "-m"), 4.0)
    if data is None or kernel is None:
        found.tell(Outcome.UNCHECKED, because("environment.system.unread"))
        return found.item()
    found.raws += [file_raw("/etc/os-release", data), *kernel.raws]
    told = dict(line.split("=", 1) for line in decoded(data).splitlines() if "=" in line)
    name = told.get("PRETTY_NAME", told.get("NAME", "?")).strip("\"'")
    version = machine.read("/etc/debian_version")
    shown = f"{name} ({decoded(version).strip()})" if version else name
    found.facts["system"] = values([shown, kernel.text.strip()], ordered=True)
    ends = told.get("SUPPORT_END", "").strip("\"'")
    if ends and _passed(ends):
        found.tell(Outcome.WARN, because("environment.system.unsupported", system=shown, date=ends))
    else:
        found.tell(Outcome.PASS, because("environment.system.is", system=shown, kernel=kernel.text.strip()))
    return found.item()


def _passed(text: str) -> bool:
    try:
        return date.fromisoformat(text) < datetime.now(UTC).date()
    except ValueError:
        return False


def check_updates(around: Surroundings) -> Item:
    """Updates known to the package manager's own lists; lists that are old or missing decide nothing."""
    found, machine = Findings(Check.UPDATES), around.machine
    for reason in (machine.read("/run/reboot-required"), machine.read("/var/run/reboot-required")):
        if reason is not None:
            found.tell(Outcome.WARN, because("environment.updates.reboot"))
            break
    if machine.names("/var/lib/dpkg/info"):
        _debian(found, machine)
    else:
        ran = machine.run(("dnf", "-q", "--cacheonly", "check-update"), 8.0)
        if ran is None or ran.exit_code not in {0, 100}:
            found.tell(Outcome.UNCHECKED, because("environment.updates.unknown"))
        else:
            found.raws.extend(ran.raws)
            _waiting(found, [line.split()[0] for line in ran.text.splitlines() if len(line.split()) == 3], 0)
    return found.item()


def _debian(found: Findings, machine: Machine) -> None:
    lists = [
        machine.place(f"/var/lib/apt/lists/{name}")
        for name in machine.names("/var/lib/apt/lists")
        if "_dists_" in name
    ]
    times = []
    for path in lists:
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    days = int((time.time() - max(times)) // 86400) if times else None
    found.raws.append(call_raw("/var/lib/apt/lists", [f"{len(lists)} lists", f"age: {days} days"]))
    ran = machine.run(("apt-get", "-s", *_WRITE_NOTHING, "upgrade"), 15.0)
    if ran is not None:
        found.raws.extend(ran.raws)
    if days is None or ran is None or ran.exit_code != 0:
        found.tell(Outcome.UNCHECKED, because("environment.updates.unknown"))
        return
    waiting = [line for line in ran.text.splitlines() if line.startswith("Inst ")]
    if days > STALE_DAYS:
        found.tell(Outcome.UNCHECKED, because("environment.updates.stale", days=days, count=len(waiting)))
        return
    _waiting(found, [line.split()[1] for line in waiting], sum("ecurity" in line for line in waiting))


def _waiting(found: Findings, waiting: list[str], security: int) -> None:
    found.facts["waiting"] = values(waiting)
    if waiting:
        found.tell(
            Outcome.WARN, because("environment.updates.waiting", count=len(waiting), security=security)
        )
    else:
        found.tell(Outcome.PASS, because("environment.updates.none"))
