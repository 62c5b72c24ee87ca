"""Running programs by name, and the names that matter: interception, remote control, debugging, protection.

A name tells what a program calls itself, no more: nothing found is no proof that nothing is there, and the report says so.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from evidence_desk.capture.environment.machine import Machine, decoded

INTERCEPTING: Final = (
    "mitmproxy", "mitmdump", "mitmweb", "charles", "fiddler", "fiddlereverywhere", "burpsuite", "burp", "zaproxy",
    "httptoolkit", "proxyman", "reqable", "sunnynet", "wireshark", "tshark", "dumpcap", "tcpdump", "ettercap", "bettercap",
    "proxifier", "clash", "clash-verge", "mihomo", "v2ray", "v2rayn", "xray", "sing-box", "trojan", "shadowsocks", "ss-local",
    "privoxy", "squid", "redsocks", "tun2socks", "http debugger", "whistle",
)  # fmt: skip
REMOTE: Final = (
    "xrdp", "xrdp-sesman", "xvnc", "vncserver", "winvnc", "x11vnc", "tightvncserver", "tvnserver", "anydesk", "teamviewer",
    "teamviewerd", "teamviewer_service", "rustdesk", "sunloginclient", "todesk", "todesk_service", "nxserver", "nxd",
    "chrome-remote-desktop-host", "remoting_host", "gnome-remote-desktop-daemon", "gnome-remote-de", "krfb", "oray", "radmin",
    "rserver3", "screenconnect.clientservice", "dwagent", "meshagent", "splashtop", "srserver", "qyclient",
)  # fmt: skip
DEBUGGING: Final = (
    "gdb", "lldb", "strace", "ltrace", "frida", "frida-server", "radare2", "ida", "ida64", "x64dbg", "x32dbg", "ollydbg",
    "windbg", "cheatengine", "cheatengine-x86_64", "dnspy", "processhacker",
)  # fmt: skip
PROTECTING: Final = (
    "clamd", "freshclam", "clamonacc", "msmpeng", "mdatp", "wdavdaemon", "kesl", "avp", "ekrn", "eea", "esets_daemon",
    "360tray", "360sd", "zhudongfangyu", "hipsdaemon", "hipstray", "qqpctray", "qqpcrtp", "kxetray", "ravmond", "sophos-av",
    "savd", "falcon-sensor", "sentinelone", "ds_agent", "avast", "avastsvc", "bdservicehost", "mcshield", "rtvscan", "ccsvchst",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One running process; `command` may hold personal data and stays private."""

    pid: int
    name: str
    command: str


def processes(machine: Machine) -> tuple[Process, ...] | None:
    """Every process that this user can see, by number; None when they cannot be listed."""
    return _windows(machine) if machine.system == "windows" else _linux(machine)


def _linux(machine: Machine) -> tuple[Process, ...] | None:
    found = []
    for name in machine.names("/proc"):
        if not name.isdecimal():
            continue
        comm, command = machine.read(f"/proc/{name}/comm"), machine.read(f"/proc/{name}/cmdline")
        if comm is not None:  # else it ended meanwhile
            shown = decoded((command or b"").rstrip(b"\0").replace(b"\0", b" "))
            found.append(Process(pid=int(name), name=decoded(comm).strip(), command=shown))
    return tuple(sorted(found, key=lambda item: item.pid)) or None


def _windows(machine: Machine) -> tuple[Process, ...] | None:
    """From ``tasklist``: CSV whose columns do not depend on the language."""
    ran = machine.run(("tasklist.exe", "/fo", "csv", "/nh"), 8.0)
    if ran is None or ran.exit_code != 0:
        return None
    rows = [row for row in csv.reader(io.StringIO(ran.text)) if len(row) >= 2 and row[1].isdecimal()]
    return tuple(Process(pid=int(row[1]), name=row[0], command="") for row in rows) or None


def running(machine: Machine, names: Sequence[str]) -> tuple[str, ...]:
    """Which of these programs run."""
    return matching(processes(machine) or (), names)


def matching(found: Iterable[Process], names: Sequence[str]) -> tuple[str, ...]:
    """Names of processes that are in a list; Linux cuts a process name to 15 characters."""
    wanted = {name.lower() for name in names} | {name.lower()[:15] for name in names}
    return tuple(sorted({item.name for item in found if _plain(item) & wanted}))


def _plain(process: Process) -> set[str]:
    """Spellings of a process name: as it is, without suffix, and of the program in its command line."""
    program = process.command.split(" ", 1)[0].replace("\\", "/").rpartition("/")[2]
    return {
        text.lower().removesuffix(".exe").removesuffix(".bin") for text in (process.name, program) if text
    }


def changes(earlier: bytes, later: bytes) -> tuple[list[str], list[str]]:
    """(started, ended) between two lists: name and command line, whatever the number; foreign lines count as they are."""
    counted = [
        Counter(line.partition("\t")[2] or line for line in decoded(data).splitlines())
        for data in (earlier, later)
    ]
    return sorted((counted[1] - counted[0]).elements()), sorted((counted[0] - counted[1]).elements())


def listing(found: Iterable[Process]) -> bytes:
    """The private list: number, name and command line, a line each."""
    lines = (f"{item.pid}\t{item.name}\t{item.command}".replace("\n", " ") for item in found)
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
