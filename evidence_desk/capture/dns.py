"""Asking a DNS server for a name's addresses, apart from the system's resolver: over UDP, over TCP where that is cut short."""

from __future__ import annotations

import errno
import secrets
import socket
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from evidence_desk.capture.dns_message import (
    MAX_MESSAGE,
    Answer,
    Kind,
    encode_question,
    parse_answer,
)
from evidence_desk.core.capture.lookup import Lookup, Outcome
from evidence_desk.core.moment import format_moment
from evidence_desk.core.ports import Clock
from evidence_desk.errors import MalformedError

PORT: Final = 53
PATIENCE: Final = 1.5
"""Seconds for an answer over UDP, asked twice, and for the whole of it over TCP."""
_ATTEMPTS: Final = 2
_CODES: Final = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


@dataclass(slots=True)
class _Asking:
    """What is known so far."""

    transport: str = "udp"
    message: bytes | None = None


def ask(host: str, kind: str, server: str, *, clock: Clock, port: int = PORT, patience: float = PATIENCE) -> Lookup:  # fmt: skip
    """One question to one server; never raises, an absent server is an outcome.

    Args:
        host: name in ASCII.
        kind: ``A`` or ``AAAA``.
        server: its address.
        clock: for the moment of asking.
        port: the server's.
        patience: seconds for each attempt.
    """
    asked, started = clock.now(), time.perf_counter_ns()
    asking = _Asking()
    answer, outcome, reason = None, Outcome.ANSWERED, None
    try:
        answer = _exchange(asking, host, Kind[kind], (server, port), patience)
        outcome, reason = _outcome(answer)
    except TimeoutError:
        outcome = Outcome.TIMEOUT
    except MalformedError as error:
        outcome, reason = Outcome.MALFORMED, str(error.parameters["reason"])
    except (OSError, ValueError) as error:
        number = error.errno if isinstance(error, OSError) else None
        outcome, reason = Outcome.UNREACHABLE, errno.errorcode.get(number or 0, "unknown")
    return Lookup(
        host=host, kind=kind, server=f"[{server}]:{port}" if ":" in server else f"{server}:{port}",
        transport=asking.transport, asked_at=format_moment(asked), microseconds=(time.perf_counter_ns() - started) // 1000,
        outcome=outcome, reason=reason, message=asking.message,
        answers=() if answer is None else answer.addresses, aliases=() if answer is None else answer.aliases,
        ttl=None if answer is None else answer.ttl,
    )  # fmt: skip


def _outcome(answer: Answer) -> tuple[Outcome, str | None]:
    if answer.code:
        reason = _CODES.get(answer.code, f"RCODE{answer.code}")
        return (Outcome.UNKNOWN_NAME if answer.code == 3 else Outcome.FAILED), reason
    return (Outcome.ANSWERED if answer.addresses else Outcome.EMPTY), None


def _exchange(asking: _Asking, host: str, kind: Kind, server: tuple[str, int], patience: float) -> Answer:
    identity = secrets.randbelow(1 << 16)
    question = encode_question(identity, host, kind)
    family = socket.AF_INET if ip_address(server[0]).version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.connect(server)  # the system then drops what comes from elsewhere
        answer = _over_udp(asking, sender, question, (identity, host, kind), patience)
    if not answer.truncated:
        return answer
    asking.transport = "tcp"
    due = time.monotonic() + patience
    with socket.create_connection(server, timeout=patience) as stream:
        stream.sendall(len(question).to_bytes(2, "big") + question)
        size = int.from_bytes(_receive(stream, 2, due), "big")
        asking.message = _receive(stream, size, due)
    answer = parse_answer(asking.message, identity, host, kind)
    if answer.truncated:
        raise MalformedError("malformed.dns", reason="truncated")
    return answer


def _over_udp(
    asking: _Asking, sender: socket.socket, question: bytes, wanted: tuple[int, str, Kind], patience: float
) -> Answer:
    """The first message that answers the question; forged and damaged ones are passed over while there is time."""
    fault: MalformedError | None = None
    for _ in range(_ATTEMPTS):
        sender.send(question)
        due = time.monotonic() + patience
        while (left := due - time.monotonic()) > 0:
            sender.settimeout(left)
            try:
                message = sender.recv(MAX_MESSAGE)
            except TimeoutError:
                break
            try:
                answer = parse_answer(message, *wanted)
            except MalformedError as error:
                fault = error
                asking.message = message
                continue
            asking.message = message
            return answer
    raise TimeoutError if fault is None else fault


def _receive(stream: socket.socket, size: int, due: float) -> bytes:
    data = b""
    while len(data) < size:
        left = due - time.monotonic()
        if left <= 0:
            raise TimeoutError
        stream.settimeout(left)
        more = stream.recv(size - len(data))
        if not more:
            raise MalformedError("malformed.dns", reason="short")
        data += more
    return data
