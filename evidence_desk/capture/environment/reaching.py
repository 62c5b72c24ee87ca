"""Names and ways to the targets: hosts file, answers of resolvers, connection, route."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from evidence_desk.capture.environment.machine import call_raw, decoded, fault_name, file_raw
from evidence_desk.capture.environment.surroundings import Findings, Surroundings
from evidence_desk.core.capture.environment import Check, Item, Outcome, Target, because, values
from evidence_desk.errors import EvidenceDeskError

CONNECT_S: Final = 5.0
TRACE_S: Final = 14.0
_USUAL: Final = frozenset({
    "localhost", "localhost.localdomain", "localhost4", "localhost6", "localhost4.localdomain4",
    "localhost6.localdomain6", "ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix", "ip6-allnodes",
    "ip6-allrouters", "ip6-allhosts", "broadcasthost",
})  # fmt: skip
_TRACERS: Final = (
    ("traceroute", "-n", "-q", "1", "-w", "1", "-m", "20"),
    ("tracepath", "-n", "-m", "20"),
)
_WINDOWS_TRACERS: Final = (("tracert.exe", "-d", "-w", "500", "-h", "20"),)


def check_hosts(around: Surroundings, *, own: str = "") -> Item:
    """Entries of the hosts file: about a target, it fails; about other names, it is told. `own` is this machine's name."""
    found = Findings(Check.HOSTS)
    path = "/etc/hosts"
    if around.machine.system == "windows":
        path = "/Windows/System32/drivers/etc/hosts"
    data = around.machine.read(path)
    if data is None:
        found.tell(Outcome.UNCHECKED, because("environment.hosts.unread", path=path))
        return found.item()
    found.raws.append(file_raw(path, data))
    entries = list(_entries(decoded(data)))
    wanted = {_plain(target.host) for target in around.targets}
    names = own or socket.gethostname()
    usual = _USUAL | {names.lower(), names.lower().partition(".")[0]}
    hit = [f"{address} {name}" for address, name in entries if _plain(name) in wanted and name not in usual]
    other = [f"{address} {name}" for address, name in entries if _plain(name) not in usual]
    found.facts["entries"] = values(other)
    if hit:
        found.tell(Outcome.FAIL, because("environment.hosts.target", entries="; ".join(hit)))
    if len(other) > len(hit):
        found.tell(Outcome.WARN, because("environment.hosts.other", count=len(other) - len(hit)))
    if not other:
        found.tell(Outcome.PASS, because("environment.hosts.plain"))
    return found.item()


def _entries(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        for name in words[1:]:
            yield words[0], name.lower()


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


def check_answers(around: Surroundings, resolve: Callable[[str], Sequence[str]] | None = None) -> Item:
    """Addresses of the targets from the system's resolver and from independent ones, side by side."""
    found = Findings(Check.ANSWERS)
    hosts = tuple(dict.fromkeys(target.host for target in around.targets))
    if not hosts:
        found.tell(Outcome.UNCHECKED, because("environment.no_targets"))
    for host in hosts:
        if _is_address(host):
            found.tell(Outcome.PASS, because("environment.answers.literal", host=host))
        else:
            _answers(found, around, host, resolve or system_answers)
    found.tell_rest(around)
    return found.item()


def _answers(
    found: Findings, around: Surroundings, host: str, resolve: Callable[[str], Sequence[str]]
) -> None:
    askers = {"system": resolve, **around.resolvers}
    with ThreadPoolExecutor(len(askers)) as pool:
        asked = {name: pool.submit(_asked, asker, host) for name, asker in askers.items()}
    told = {name: future.result() for name, future in asked.items()}
    found.raws.append(
        call_raw(
            f"getaddrinfo / DNS {host}", [f"{name}: {', '.join(a) or why}" for name, (a, why) in told.items()]
        )
    )
    ours, why = told.pop("system")
    before = found.facts.get("answers", ())
    found.facts["answers"] = values([*before, *(f"{host} {address}" for address in ours)])
    if not ours:
        found.tell(Outcome.FAIL, because("environment.answers.none", host=host, reason=why))
        return
    inner = [
        address for address in ours if _is_address(address) and not ipaddress.ip_address(address).is_global
    ]
    if inner:
        found.tell(
            Outcome.WARN, because("environment.answers.private", host=host, addresses=", ".join(inner))
        )
    others = {name: set(answers) for name, (answers, _) in told.items() if answers}
    if not others:
        found.tell(
            Outcome.UNCHECKED, because("environment.answers.uncompared", host=host, addresses=", ".join(ours))
        )
    for name, answers in others.items():
        same = bool(answers & set(ours))
        code = "environment.answers.same" if same else "environment.answers.differ"
        found.tell(Outcome.PASS if same else Outcome.WARN, because(code, host=host, resolver=name))


def _asked(resolve: Callable[[str], Sequence[str]], host: str) -> tuple[tuple[str, ...], str]:
    try:
        return tuple(sorted(dict.fromkeys(resolve(host)))), ""
    except EvidenceDeskError as error:
        return (), error.code
    except (OSError, UnicodeError) as error:
        return (), fault_name(error)


def system_answers(host: str) -> tuple[str, ...]:
    """Addresses from the system's resolver, in its order; OSError when there are none."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(place[0]) for *_, place in found))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def check_reach(around: Surroundings) -> Item:
    """A TCP connection to every target, with the time it took and the own address that was used."""
    found = Findings(Check.REACH)
    if not around.targets:
        found.tell(Outcome.UNCHECKED, because("environment.no_targets"))
        return found.item()
    with ThreadPoolExecutor(min(16, len(around.targets))) as pool:
        reached = list(pool.map(_connect, around.targets))
    found.raws.append(
        call_raw(
            "connect()", [f"{one} {said}" for one, (_, _, said) in zip(around.targets, reached, strict=True)]
        )
    )
    found.facts["via"] = values(local for local, _, _ in reached if local)
    for target, (local, elapsed, said) in zip(around.targets, reached, strict=True):
        if local:
            found.tell(
                Outcome.PASS, because("environment.reach.reached", target=str(target), elapsed=elapsed)
            )
        else:
            found.tell(Outcome.FAIL, because("environment.reach.failed", target=str(target), reason=said))
    found.tell_rest(around)
    return found.item()


def _connect(target: Target) -> tuple[str, int, str]:
    """(own address or "", milliseconds, what to record)."""
    started = time.monotonic()
    try:
        with socket.create_connection((target.host, target.port), timeout=CONNECT_S) as channel:
            elapsed = round((time.monotonic() - started) * 1000)
            local, peer = channel.getsockname()[0], channel.getpeername()
    except (OSError, UnicodeError) as error:
        return "", 0, fault_name(error)
    return str(local), elapsed, f"{local} -> {peer[0]}:{peer[1]} {elapsed} ms"


def check_trace(around: Surroundings) -> Item:
    """Route to the first target, when the system has a program for it."""
    found = Findings(Check.TRACE)
    target = next(iter(around.targets), None)
    if target is None:
        found.tell(Outcome.UNCHECKED, because("environment.no_targets"))
        return found.item()
    if target.host.startswith("-"):  # would be an option
        found.tell(Outcome.UNCHECKED, because("environment.trace.unfinished", host=target.host))
        return found.item()
    for command in _WINDOWS_TRACERS if around.machine.system == "windows" else _TRACERS:
        ran = around.machine.run((*command, target.host), TRACE_S)
        if ran is None:
            continue
        found.raws.extend(ran.raws)
        hops = sum(
            line.split(maxsplit=1)[0].rstrip(":").isdecimal()
            for line in ran.text.splitlines()
            if line.split()
        )
        if ran.exit_code == 0 and hops:
            found.tell(Outcome.PASS, because("environment.trace.ran", host=target.host, hops=hops))
            if len(around.targets) + around.rest > 1:
                found.reasons.append(because("environment.trace.first_only"))
        else:
            found.tell(Outcome.UNCHECKED, because("environment.trace.unfinished", host=target.host))
        return found.item()
    found.tell(Outcome.UNCHECKED, because("environment.trace.no_tool"))
    return found.item()
