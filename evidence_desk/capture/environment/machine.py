"""What the checks read from this machine: files, environment, command outputs; each as a record for the report.

Commands run without shell, from fixed folders, with a fixed language and without the user's ``LD_…`` variables, so that
their outputs can be read strictly.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from evidence_desk.core.capture.environment import STOPPED, Raw, raw_output

MAX_OUTPUT: Final = 8 << 20
"""Bytes of an output or file that are read; what is longer is not used."""
TIMEOUT_S: Final = 6.0
_FOLDERS: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
_CREDENTIALS: Final = re.compile(rb"(//)[^/\s'\"]{0,256}:[^/\s'\"]{0,256}@")
_PASSWORD: Final = re.compile(
    rb"(?im)^([^\n]*password(?:[ \t]*=[ \t]*|[ \t]+(?=['\"])))(?!(?:''|\"\")?[ \t\r]*$)[^\n]+$"
)
"""Settings ``…password=x`` and ``…password 'x'``; a word like passwd in a running text is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A command that ran; `exit_code` is None when it was stopped at its time limit."""

    command: str
    output: bytes
    errors: bytes
    exit_code: int | None

    @property
    def text(self) -> str:
        """Output as text; foreign bytes are kept visible."""
        return self.output.decode("utf-8", "backslashreplace")

    @property
    def raws(self) -> tuple[Raw, ...]:
        """Records of its output, and of its error output if there is any."""
        code = STOPPED if self.exit_code is None else self.exit_code
        output, changed = mask(self.output)
        found = [raw_output(self.command, output, exit_code=code, masked=changed)]
        if self.errors:
            errors, changed = mask(self.errors)
            found.append(raw_output(f"{self.command} (stderr)", errors, exit_code=code, masked=changed))
        return tuple(found)


Run = Callable[[Sequence[str], float], Ran | None]
"""Runs a command within so many seconds; None when there is no such program."""


def mask(data: bytes) -> tuple[bytes, bool]:
    """Bytes with passwords in addresses and settings replaced by ``***``, and whether there were any."""
    safe = _PASSWORD.sub(rb"\1***", _CREDENTIALS.sub(rb"\1***@", data))
    return safe, safe != data


def masked(text: str) -> str:
    """`mask` of a text."""
    return decoded(mask(text.encode("utf-8", "backslashreplace"))[0])


def run_command(command: Sequence[str], timeout: float = TIMEOUT_S) -> Ran | None:
    """Run a program of the system; None when it is not installed or cannot be started."""
    folders = _FOLDERS if sys.platform != "win32" else _windows_folders()
    program = shutil.which(command[0], path=folders)
    if program is None:
        return None
    arguments = [program, *command[1:]]
    shown = shlex.join(arguments) if sys.platform != "win32" else subprocess.list2cmdline(arguments)
    try:
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(  # noqa: S603 - fixed commands, absolute path, no shell
                arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=_environment(folders),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )  # fmt: skip
            output, stopped = _collect(process, timeout)
            errors.seek(0)
            said = errors.read(MAX_OUTPUT)
    except OSError:
        return None
    return Ran(command=shown, output=output, errors=said, exit_code=None if stopped else process.returncode)


def _collect(process: subprocess.Popen[bytes], timeout: float) -> tuple[bytes, bool]:
    """Output up to the limits, and whether one of them stopped the program."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(timeout, stop)
    timer.daemon = True
    timer.start()
    with process:
        try:
            output = process.stdout.read(MAX_OUTPUT + 1) if process.stdout else b""
            if len(output) > MAX_OUTPUT:
                stop()
            process.wait()
        finally:
            timer.cancel()
    return output[:MAX_OUTPUT], late.is_set()


def _environment(folders: str) -> dict[str, str]:
    kept = (
        "HOME",
        "USER",
        "XDG_RUNTIME_DIR",
        "DBUS_SESSION_BUS_ADDRESS",
        "SYSTEMROOT",
        "SYSTEMDRIVE",
        "TEMP",
        "TMP",
    )
    known = {name: os.environ[name] for name in kept if name in os.environ}
    return {**known, "PATH": folders, "LC_ALL": "C", "LANG": "C"}


def _windows_folders() -> str:
    root = os.environ.get("SYSTEMROOT", r"C:\Windows")
    return f"{root}\\System32;{root}\\System32\\WindowsPowerShell\\v1.0"


def _system() -> str:
    return {"win32": "windows"}.get(sys.platform, sys.platform)


def _root() -> Path:
    """Where the system lies; on Windows not the drive that happens to be the current one."""
    return Path(f"{os.environ.get('SYSTEMDRIVE', 'C:')}\\") if sys.platform == "win32" else Path("/")


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """This machine, or a folder with recorded files and outputs of another one.

    Attributes:
        root: where absolute paths start.
        environ: environment of the program.
        home: the user's folder, None when unknown.
    """

    system: str = field(default_factory=_system)
    root: Path = field(default_factory=_root)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    home: Path | None = field(default_factory=_home)
    run: Run = run_command

    def place(self, path: str) -> Path:
        """Where an absolute path of the system lies."""
        return self.root / path.lstrip("/")

    def read(self, path: str) -> bytes | None:
        """Content of a file, None when it is missing, unreadable or longer than `MAX_OUTPUT`."""
        try:
            with self.place(path).open("rb") as file:
                data = file.read(MAX_OUTPUT + 1)
        except (OSError, ValueError):
            return None
        return data if len(data) <= MAX_OUTPUT else None

    def anonymous(self, text: str) -> str:
        """Text with the user's own folder, which bears the user's name, as ``~``."""
        home = "" if self.home is None else str(self.home)
        return text.replace(home, "~") if len(home) > 1 else text

    def names(self, path: str) -> tuple[str, ...]:
        """Names in a folder, sorted; none when it cannot be listed."""
        try:
            return tuple(sorted(entry.name for entry in self.place(path).iterdir()))
        except OSError:
            return ()


def file_raw(path: str, data: bytes) -> Raw:
    """Record of a file's content."""
    data, changed = mask(data)
    return raw_output(path, data, masked=changed)


def call_raw(call: str, lines: Sequence[str]) -> Raw:
    """Record of what a call of the system gave, a line each."""
    data, changed = mask("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))
    return raw_output(call, data, masked=changed)


def decoded(data: bytes) -> str:
    """Text of a file; foreign bytes are kept visible."""
    return data.decode("utf-8", "backslashreplace")


def fault_name(error: Exception) -> str:
    """Name of a system error (``ECONNREFUSED``, ``EAI_NONAME``), else of its kind."""
    number = getattr(error, "errno", None)
    if isinstance(error, socket.gaierror):
        names = {getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_")}
        return names.get(number, "EAI")
    if isinstance(error, ssl.SSLError):
        return getattr(error, "reason", None) or type(error).__name__  # its number is OpenSSL's
    if isinstance(number, int) and number in errno.errorcode:
        return errno.errorcode[number]
    return type(error).__name__
