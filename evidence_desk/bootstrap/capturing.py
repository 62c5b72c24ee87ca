"""Capture pages with the adapters of this machine: what the command line and the window call."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from evidence_desk.bootstrap.session import Session
from evidence_desk.capture.conductor import BrowserCommand, FolderRecorder
from evidence_desk.capture.dns import ask
from evidence_desk.capture.environment import (
    NTP_SERVERS,
    AuthorityClock,
    ClockSources,
    ProgramFacts,
    check_environment,
)
from evidence_desk.capture.environment.own_state import check_program
from evidence_desk.capture.environment.surroundings import Surroundings
from evidence_desk.core.capture.environment import Target, When
from evidence_desk.core.capture.environment_codec import encode, parse
from evidence_desk.core.capture.marks import KnownHeader, Started
from evidence_desk.core.digests import sha256
from evidence_desk.core.job import Job
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.court.protocol.anchor import parse_anchor_answer
from evidence_desk.launch import Role, command_for
from evidence_desk.program import program
from evidence_desk.services.capture import CaptureTools
from evidence_desk.settings import AuthorityKind
from evidence_desk.texts import Language
from evidence_desk.verify.capture_report import Press

if TYPE_CHECKING:
    from evidence_desk.capture.resolver import Resolver

DNS_SERVERS: Final = ("223.5.5.5", "119.29.29.29")
"""Public resolvers of Aliyun and Tencent."""
PROCESSES_BEFORE: Final = "environment-before-processes.txt"
_COMPONENTS: Final = (
    "PySide6_Essentials", "PySide6_Addons", "cryptography", "hpack", "brotli", "zstandard", "reportlab", "pikepdf",
)  # fmt: skip
_DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
WITHOUT_DISPLAY: Final = {"QT_QPA_PLATFORM": "offscreen"}
"""For a browser that nobody looks at."""
FOLDER: Final = "captures"
"""In the vault's folder: recordings until they are sealed. Not encrypted while they are made."""


def capture_tools(
    session: Session,
    language: Language,
    *,
    ntp: Sequence[str] = NTP_SERVERS,
    dns: Sequence[str] = DNS_SERVERS,
    resolver: Resolver | None = None,
) -> CaptureTools:
    """Recorder, environment checks and authorities of an open desk.

    Args:
        session: the desk.
        language: of the browser's window and of the printed report.
        ntp: time servers to compare the clock with.
        dns: addresses of DNS servers that are asked beside the system's; they learn the names.
        resolver: of names, by default the system's.
    """
    return CaptureTools(
        recorder=FolderRecorder(
            session.vault.folder / FOLDER,
            BrowserCommand(
                arguments=command_for(Role.CAPTURE_BROWSER),
                tongue=language.value,
                environment=None if has_display() else WITHOUT_DISPLAY,
            ),
            session.clock,
            resolver=resolver,
            dns_servers=tuple(dns),
        ),
        environment=MachineChecker(session, language, tuple(ntp), tuple(dns)),
        authorities=session.authorities,
        header=newest_header(session),
    )


def components() -> dict[str, str]:
    """Versions of what records, decodes, shows and prints."""
    found: dict[str, str] = {"zlib": zlib.ZLIB_RUNTIME_VERSION}
    for name in _COMPONENTS:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def report_press() -> Press:
    """Prints environment reports again, to compare them with what a capture holds."""
    from reports.cleanliness import render_cleanliness  # noqa: PLC0415 - half a second of PDF libraries

    around = Surroundings(
        when=When.AFTER, targets=(), clocks=ClockSources(ntp=(), authorities=()), program=_program_facts()
    )
    facts = check_program(around).facts
    return Press(
        program=frozenset((*facts["program"], *facts["components"])),
        render=lambda before, after, started: [
            render_cleanliness(before, after, language, started=started) for language in Language
        ],
    )


def _program_facts() -> ProgramFacts:
    running = program()
    return ProgramFacts(
        name=running.name, version=running.version, digests=running.digests, components=components()
    )


def has_display() -> bool:
    """Whether a window can be shown here; without one pages are drawn in memory, and nobody can browse in them."""
    return not sys.platform.startswith("linux") or any(os.environ.get(name) for name in _DISPLAYS)


def newest_header(session: Session) -> KnownHeader | None:
    """The newest header of the joined court network that an answer stored here proved."""
    networks = session.networks
    anchors = session.vault.court.anchors(networks[0].chain_id) if networks else ()
    if not anchors:
        return None
    newest = max(anchors, key=lambda item: item.height)
    header = parse_anchor_answer(newest.answer).views[-1].header.block.header
    return KnownHeader(chain_id=newest.chain_id, height=header.height, digest=header.hash)


@dataclass(frozen=True, slots=True)
class MachineChecker:
    """The checks of this machine (`core.capture.ports.EnvironmentChecker`)."""

    session: Session
    language: Language
    ntp: tuple[str, ...]
    dns: tuple[str, ...]

    def check(
        self,
        when: When,
        targets: Sequence[Target],
        job: Job,
        *,
        profile: Sequence[str] | None = None,
        earlier: Mapping[str, bytes] | None = None,
    ) -> tuple[bytes, Mapping[str, bytes]]:
        """Report and private outputs."""
        private: dict[str, bytes] = {}
        report = check_environment(
            when,
            targets,
            sources=ClockSources(ntp=self.ntp, authorities=self._clocks()),
            job=job,
            folder=self.session.vault.folder,
            program=_program_facts(),
            resolvers={server: partial(self._resolve, server) for server in self.dns},
            profile=profile,
            earlier=(earlier or {}).get(PROCESSES_BEFORE),
            keep=private.__setitem__,
        )
        return encode(report), private

    def render(self, before: bytes, after: bytes | None, started: Started) -> bytes:
        """The reports as PDF."""
        from reports.cleanliness import render_cleanliness  # noqa: PLC0415 - half a second of PDF libraries

        last = None if after is None else parse(after)
        return render_cleanliness(parse(before), last, self.language, started=started)

    def _resolve(self, server: str, host: str) -> Sequence[str]:
        """Addresses of a name by an independent server; none when it does not answer."""
        return [
            answer
            for kind in ("A", "AAAA")
            for answer in ask(host, kind, server, clock=self.session.clock).answers
        ]

    def _clocks(self) -> tuple[AuthorityClock, ...]:
        demo = {item.name for item in self.session.settings if item.kind is AuthorityKind.EMBEDDED}
        return tuple(
            AuthorityClock(name=item.name, ask=_clock_of(item), demo=item.name in demo)
            for item in self.session.authorities
        )


def _clock_of(authority: TimestampAuthority) -> Callable[[], datetime]:
    return lambda: authority.timestamp(sha256(b"evidence-desk clock")).gen_time
