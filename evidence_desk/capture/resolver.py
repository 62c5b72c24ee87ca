"""Names to addresses by the system's resolver, each answer as it came, with the time it took."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Final, Protocol

from evidence_desk.core.capture.lookup import Lookup, Outcome
from evidence_desk.core.moment import format_moment
from evidence_desk.core.ports import Clock

MAX_ANSWERS: Final = 64


class Resolver(Protocol):
    """Who turns a name into addresses. Called in threads of the recorder."""

    def resolve(self, host: str, port: int) -> Lookup:
        """What is answered for a name; never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemResolver:
    """getaddrinfo: hosts file, system DNS and what else this system asks, in the order of RFC 6724."""

    clock: Clock

    def resolve(self, host: str, port: int) -> Lookup:
        """What the system answers."""
        asked, started = self.clock.now(), time.perf_counter_ns()
        answers: tuple[str, ...] = ()
        reason = None
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            answers = tuple(dict.fromkeys(str(item[4][0]) for item in found))[:MAX_ANSWERS]
            outcome = Outcome.ANSWERED if answers else Outcome.EMPTY
        except socket.gaierror as error:
            outcome, reason = _failed(error)
        except (OSError, UnicodeError, ValueError) as error:
            outcome, reason = Outcome.FAILED, type(error).__name__
        return Lookup(
            host=host, kind="system", server=None, transport="system", asked_at=format_moment(asked),
            microseconds=(time.perf_counter_ns() - started) // 1000, outcome=outcome, reason=reason, answers=answers,
        )  # fmt: skip


_EAI_NAMES: Final = {
    getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_") and name != "EAI_MAX"
}


def _failed(error: socket.gaierror) -> tuple[Outcome, str]:
    reason = _EAI_NAMES.get(error.errno or 0, str(error.errno))
    if error.errno == socket.EAI_NONAME:
        return Outcome.UNKNOWN_NAME, reason
    if error.errno == getattr(socket, "EAI_NODATA", None):
        return Outcome.EMPTY, reason
    return Outcome.FAILED, reason
