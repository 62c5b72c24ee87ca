"""Root certificates that somebody added to this machine, and whether a target's certificate depends on them."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from cryptography import x509

from evidence_desk.capture.environment.linux_roots import linux_roots
from evidence_desk.capture.environment.machine import call_raw, fault_name
from evidence_desk.capture.environment.surroundings import Findings, Surroundings
from evidence_desk.capture.environment.trust_stores import Roots
from evidence_desk.capture.environment.windows_roots import windows_roots
from evidence_desk.core.capture.environment import Check, Item, Outcome, Reason, Target, because, values
from evidence_desk.core.digests import sha256

HANDSHAKE_S: Final = 5.0
INSPECTORS: Final = (
    "fiddler", "mitmproxy", "charles proxy", "portswigger", "burp", "zscaler", "netskope", "blue coat", "bluecoat", "fortinet",
    "fortigate", "palo alto", "checkpoint", "check point", "sangfor", "深信服", "qianxin", "奇安信", "topsec", "天融信",
    "kaspersky", "avast", "avg technologies", "eset ssl", "bitdefender", "adguard", "superfish", "komodia", "proxyman",
    "http toolkit", "reqable", "sunnynet", "cisco umbrella", "forcepoint", "websense", "sophos", "untangle", "squid",
)  # fmt: skip
"""Words in the names of certificates that inspecting proxies and programs are known to install."""


def read_roots(around: Surroundings) -> Roots:
    """The stores of this system."""
    if around.machine.system == "windows":
        return windows_roots(around)
    return linux_roots(around)


def check_roots(around: Surroundings) -> Item:
    """Roots beyond those that came with the system."""
    found = Findings(Check.ROOTS)
    roots = read_roots(around)
    found.raws.extend(roots.raws)
    found.facts["added"] = values(f"{place}: {described(der)}" for place, der in roots.added)
    found.facts["shipped"] = (str(len(roots.shipped)),)
    for gap in roots.gaps:
        found.tell(Outcome.UNCHECKED, gap)
    for doubt in roots.doubts:
        found.tell(Outcome.WARN, doubt)
    inspecting = [described(der) for _, der in roots.added if inspector(der)]
    if roots.added:
        names = "; ".join(sorted({name(der) for _, der in roots.added}))
        distinct = len({der for _, der in roots.added})
        found.tell(Outcome.WARN, because("environment.roots.added", count=distinct, names=names))
    if inspecting:
        found.tell(
            Outcome.WARN, because("environment.roots.inspector", names="; ".join(sorted(set(inspecting))))
        )
    if not roots.shipped and not roots.gaps:
        found.tell(Outcome.UNCHECKED, because("environment.roots.no_list"))
    if not found.outcomes:
        found.tell(Outcome.PASS, because("environment.roots.shipped_only", count=len(roots.shipped)))
    return found.item()


def check_interception(around: Surroundings) -> Item:
    """A TLS handshake with every target, judged first by the shipped roots alone, then with the added ones."""
    found = Findings(Check.INTERCEPTION)
    targets = tuple(target for target in around.targets if target.port != 80)
    if not targets:
        found.tell(Outcome.UNCHECKED, because("environment.no_targets"))
        return found.item()
    roots = read_roots(around)
    if not roots.shipped:
        found.tell(Outcome.UNCHECKED, because("environment.roots.no_list"))
        return found.item()
    added = tuple(dict.fromkeys(der for _, der in roots.added))
    with ThreadPoolExecutor(min(8, len(targets))) as pool:
        met = list(pool.map(lambda target: _handshakes(target, roots.shipped, added), targets))
    lines = []
    for target, (outcome, reason, leaf) in zip(targets, met, strict=True):
        found.tell(outcome, reason)
        shown = described(leaf) if leaf else "-"
        lines.append(f"{target} {reason.code} {shown} {'' if not leaf else issuer(leaf)}".rstrip())
    found.facts["issuers"] = values(
        f"{target} {issuer(leaf)}" for target, (_, _, leaf) in zip(targets, met, strict=True) if leaf
    )
    found.raws.append(call_raw("TLS handshake", lines))
    found.tell_rest(around)
    return found.item()


def _handshakes(
    target: Target, shipped: tuple[bytes, ...], added: tuple[bytes, ...]
) -> tuple[Outcome, Reason, bytes]:
    facts = {"target": str(target)}
    leaf, error = handshake(target, shipped)
    if leaf:
        return Outcome.PASS, because("environment.interception.shipped", issuer=issuer(leaf), **facts), leaf
    if not isinstance(error, ssl.SSLCertVerificationError):
        return (
            Outcome.UNCHECKED,
            because("environment.interception.unreached", reason=_why(error), **facts),
            b"",
        )
    if added:
        leaf, _ = handshake(target, (*shipped, *added))
        if leaf:
            return Outcome.FAIL, because("environment.interception.added", issuer=issuer(leaf), **facts), leaf
    leaf, _ = handshake(target, None)
    reason = because(
        "environment.interception.untrusted",
        issuer=issuer(leaf) if leaf else "—",
        reason=_why(error),
        **facts,
    )
    return Outcome.WARN, reason, leaf


def _why(error: Exception | None) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    return "—" if error is None else fault_name(error)


def handshake(target: Target, trusted: Iterable[bytes] | None) -> tuple[bytes, Exception | None]:
    """(leaf certificate, None), or (b"", why not); None as `trusted` looks without judging."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if trusted is None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        else:
            context.load_verify_locations(cadata=b"".join(trusted))
        with (
            socket.create_connection((target.host, target.port), timeout=HANDSHAKE_S) as channel,
            context.wrap_socket(channel, server_hostname=target.host) as secured,
        ):
            return secured.getpeercert(binary_form=True) or b"", None
    except (OSError, ValueError) as error:
        return b"", error


def parsed(der: bytes) -> x509.Certificate | None:
    """A certificate, None when it cannot be read; odd ones in a store are still listed by digest."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return x509.load_der_x509_certificate(der)
        except ValueError:
            return None


def _subject(found: x509.Certificate | None, *, issued_by: bool = False) -> str:
    if found is None:
        return "?"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return (found.issuer if issued_by else found.subject).rfc4514_string() or "—"
        except ValueError:
            return "?"


def name(der: bytes) -> str:
    """Subject of a certificate, RFC 4514."""
    return _subject(parsed(der))


def issuer(der: bytes) -> str:
    """Issuer of a certificate, RFC 4514."""
    return _subject(parsed(der), issued_by=True)


def described(der: bytes) -> str:
    """Subject and SHA-256 of a certificate."""
    return f"{name(der)} SHA-256 {sha256(der).hex()}"


def inspector(der: bytes) -> bool:
    """Whether the certificate bears the name of a known inspecting proxy."""
    subject = name(der).lower()
    return any(word in subject for word in INSPECTORS)
