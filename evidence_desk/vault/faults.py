"""What the operating system and SQLCipher report, translated into our errors. Nothing of theirs leaves the vault."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlcipher3 import dbapi2

from evidence_desk.errors import BugError, BusyError, EvidenceDeskError, HostError, IntegrityError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_PRIMARY_CODE: Final = 0xFF
_SQLITE_CORRUPT: Final = 11
_SQLITE_NOTADB: Final = 26
_WITHOUT_CODE: Final = {
    "file is not a database": _SQLITE_NOTADB,
    "database disk image is malformed": _SQLITE_CORRUPT,
}


def host_fault(error: OSError, what: str) -> HostError:
    """Our error for a failed file operation; `what` names the vault's part, never evidence."""
    if error.errno in _FULL:
        return HostError("host.disk_full", what=what)
    if error.errno == errno.EFBIG:
        return HostError("host.file_too_large", what=what)
    if error.errno in _DENIED:
        return HostError("host.read_only", what=what)
    return HostError("host.io", what=what, reason=errno.errorcode.get(error.errno or 0, "unknown"))


def database_fault(error: dbapi2.Error) -> EvidenceDeskError:
    """Our error for one of SQLCipher's (result codes of sqlite.org/rescode.html)."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & _PRIMARY_CODE if isinstance(code, int) else _WITHOUT_CODE.get(str(error))
    match primary:
        case 5 | 6:
            return BusyError("vault.busy")
        case 13:
            return HostError("host.disk_full", what="vault.db")
        case 3 | 8:
            return HostError("host.read_only", what="vault.db")
        case 10 | 14:
            name = getattr(error, "sqlite_errorname", "SQLITE_IOERR")
            return HostError("host.io", what="vault.db", reason=str(name))
        case 11 | 26:
            return IntegrityError("vault.damaged", what="vault.db")
        case 19:
            return IntegrityError("vault.constraint", reason=str(error)[:200])
        case _:
            return BugError("bug.database", reason=f"{type(error).__name__}: {str(error)[:200]}")


@contextmanager
def host_faults(what: str) -> Iterator[None]:
    """Translate an OSError of the block."""
    try:
        yield
    except OSError as error:
        raise host_fault(error, what) from error


@contextmanager
def database_faults() -> Iterator[None]:
    """Translate an SQLCipher error of the block."""
    try:
        yield
    except dbapi2.Error as error:
        raise database_fault(error) from error
    except (OverflowError, UnicodeError) as error:
        raise BugError("bug.database", reason=type(error).__name__) from error
