"""``evidence-desk lookup``: find a file, digest or number in this desk and, when asked to, in the court network.

A question to the network shows the gateway what is looked for; so it is asked only when `--gateway`, `--trust` or
`--network` says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from evidence_desk.bootstrap.reader import open_court, open_gateway
from evidence_desk.bootstrap.session import Session
from evidence_desk.cli.describe import (
    certificate_json,
    exhibit_json,
    fault_json,
    moment_or_none,
    print_certificates,
    print_exhibit,
    print_faults,
)
from evidence_desk.cli.network import GatewayOption
from evidence_desk.cli.options import JsonOption, LanguageOption, TrustOption, VaultOption, session
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.moment import format_moment
from evidence_desk.core.rows import CertificateRow, ExhibitRow
from evidence_desk.core.verdict import ExitStatus
from evidence_desk.court.protocol.search import FoundVerdict
from evidence_desk.errors import NotFoundError, UsageError
from evidence_desk.services.court_query import Court, GatewayFault
from evidence_desk.services.find import as_digest, by_number, one_certificate
from evidence_desk.services.lookup import (
    LookupOutcome,
    look_up_digest,
    look_up_file,
    look_up_leaf,
    look_up_number,
)
from evidence_desk.services.network import agreed_chain
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language
from evidence_desk.verify.files import hash_original, read_trust


def lookup(
    what: Annotated[str, typer.Argument(help="文件、摘要或编号 / a file, a digest or a number")],
    network: Annotated[
        bool, typer.Option("--network", help="同时向已加入的网络查询 / ask the joined network too")
    ] = False,
    gateway: GatewayOption = None,
    trust: TrustOption = None,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """查找文件、摘要、存证编号或证书编号；可同时向法院节点网络查询 / Look up here and in the network."""
    with Output(lang, as_json=as_json) as out:
        rows: list[ExhibitRow] = []
        certificates: list[CertificateRow] = []
        found: LookupOutcome | None = None
        faults: list[GatewayFault] = []
        if gateway and trust is not None:
            with _foreign(trust, gateway, faults) as court:
                found = _ask(out, court, what)
        else:
            with session(out, vault, read_only=True) as opened:
                rows, certificates = _find(out, opened, what)
                _print_own(out, opened, rows, certificates)
                if network or gateway or trust is not None:
                    with _joined(opened, gateway or (), trust) as court:
                        found = _ask(out, court, what)
        if found is None and not rows and not certificates:
            raise NotFoundError("lookup.nothing")
        if found is not None:
            found.faults[:0] = faults
            _print_found(out, found)
        out.document(
            {
                "exhibits": [exhibit_json(row) for row in rows],
                "certificates": [certificate_json(item) for item in certificates],
                "network": None if found is None else _network_json(out, found),
            }
        )
        if found is not None and not (rows or certificates or found.present):
            missing = NotFoundError.exit_status if found.present is False else ExitStatus.UNDETERMINED.value
            raise typer.Exit(missing)


@contextmanager
def _foreign(folder: Path, gateways: Sequence[str], faults: list[GatewayFault]) -> Iterator[Court]:
    """A network of a trust folder, without any vault."""
    import httpx  # noqa: PLC0415 - a fifth of a second

    roots = read_trust(folder)
    with httpx.Client(follow_redirects=False) as http:
        chain_id = agreed_chain([open_gateway(url, http) for url in gateways], roots.networks, faults)
    with open_court(roots, chain_id, gateways) as court:
        yield court


@contextmanager
def _joined(opened: Session, gateways: Sequence[str], folder: Path | None) -> Iterator[Court]:
    """The joined network, with other gateways or other trust roots when given."""
    present = opened.court()
    if folder is None and not gateways:
        yield present
        return
    roots = opened.trust if folder is None else read_trust(folder)
    if present.chain_id not in roots.networks:
        raise UsageError("network.no_trust")
    urls = gateways or [item.url for item in present.gateways]
    with open_court(roots, present.chain_id, urls) as court:
        yield court


def _ask(out: Output, court: Court, what: str) -> LookupOutcome:
    path = Path(what)
    digest = as_digest(what)
    if digest is None and path.is_file():
        with out.job() as job:
            given = hash_original(path, job)
        digests = DigestPair(sha256=given.sha256 or b"", sm3=given.sm3 or b"")
        return look_up_file(court, digests, given.size or 0)
    if digest is None:
        return look_up_number(court, what)
    found = look_up_digest(court, digest)
    if found.present is not True and ":" not in what:
        leaf = look_up_leaf(court, digest)
        return leaf if leaf.found else found
    return found


# --- this desk ------------------------------------------------------------------------------------------------


def _print_own(
    out: Output, opened: Session, rows: Sequence[ExhibitRow], certificates: Sequence[CertificateRow]
) -> None:
    for row in rows:
        print_exhibit(out, row, files=True, joined=bool(opened.networks))
    print_certificates(out, certificates)
    if rows or certificates:
        out.say("lookup.scope")


def _find(out: Output, opened: Session, what: str) -> tuple[list[ExhibitRow], list[CertificateRow]]:
    desk = opened.desk
    path = Path(what)
    compact = what.strip().upper()
    if compact.startswith(Prefix.CERTIFICATE) and not path.is_file():
        certificate = one_certificate(desk, what)
        found = (desk.store.exhibits.exhibit(item) for item in certificate.exhibits)
        return [row for row in found if row is not None], [certificate]
    if (digest := as_digest(what)) is not None:
        return _by_digest(opened, digest)
    if path.is_file():
        with out.job() as job:
            given = hash_original(path, job)
        return _by_digest(opened, given.sha256 or b"")
    return list(by_number(desk, what)), []


def _by_digest(opened: Session, digest: bytes) -> tuple[list[ExhibitRow], list[CertificateRow]]:
    """Exhibits holding a file with the digest, and certificates whose first signed revision it is of."""
    store = opened.vault.exhibits
    certificates = [
        item for item in store.certificates() if digest in {item.digests.sha256, item.digests.sm3}
    ]
    return list(store.by_digest(digest)), certificates


# --- the network ----------------------------------------------------------------------------------------------


def _print_found(out: Output, found: LookupOutcome) -> None:
    time = "" if found.time is None else format_moment(found.time)
    if found.present is None and not found.others:
        code = "court.lookup.stale" if found.stale else "lookup.network.unknown"
        out.say(code, height=found.height, time=time)
    elif found.present is False:
        out.say("court.lookup.absent", height=found.height, time=time)
        if len(found.asked) < 2:
            out.say("lookup.network.one_gateway")
    for item in found.occurrences:
        out.say(f"lookup.kind.{item.kind.name.lower()}", count=item.count, height=found.height, time=time)
    for leaf in found.found:
        _print_leaf(out, leaf)
    if found.others:
        out.say("lookup.network.others", count=found.others)
    if len(found.found) + found.others < found.entries:
        out.say("lookup.network.shown", shown=len(found.found) + found.others, count=found.entries)
    for caveat in found.caveats:
        out.line(out.text(caveat.code, **caveat.parameters))
    print_faults(out, found.faults)


def _print_leaf(out: Output, item: FoundVerdict) -> None:
    leaf, court = item.leaf, item.court
    number = format_number(Prefix.EVIDENCE, item.leaf_hash)
    status = out.text(f"report.status.{item.status.value}")
    what = "" if leaf is None else f"{leaf.type.value}  {leaf.log} #{leaf.seq}  "
    out.line(f"{number}  {what}{status}")
    if not item.counts:
        out.line(f"    {out.text('lookup.network.discounted')}")
    if item.counts and court is not None and court.anchored_at is not None:
        place = out.text(
            "lookup.network.leaf",
            chain=court.chain_id, height=court.height, time=format_moment(court.anchored_at),
        )  # fmt: skip
        out.line(f"    {place}")
    for finding in (*item.findings, *(() if court is None else court.findings)):
        if finding.status.value != "passed":
            out.line(f"    {out.text(finding.code, **finding.parameters)}")


def _network_json(out: Output, found: LookupOutcome) -> dict[str, Any]:
    return {
        "chain_id": found.chain_id,
        "present": found.present,
        "status": found.status.value,
        "height": found.height or None,
        "time": moment_or_none(found.time),
        "asked": found.asked,
        "occurrences": [{"kind": item.kind.name.lower(), "count": item.count} for item in found.occurrences],
        "entries": found.entries,
        "found": [_leaf_json(out, item) for item in found.found],
        "others": found.others,
        "caveats": [
            {"code": item.code, "explanation": out.text(item.code, **item.parameters)}
            for item in found.caveats
        ],
        "faults": [fault_json(out, item) for item in found.faults],
    }


def _leaf_json(out: Output, item: FoundVerdict) -> dict[str, Any]:
    leaf, court = item.leaf, item.court
    return {
        "number": format_number(Prefix.EVIDENCE, item.leaf_hash),
        "leaf_sha256": item.leaf_hash.hex(),
        "log": None if leaf is None else leaf.log,
        "seq": None if leaf is None else leaf.seq,
        "type": None if leaf is None else leaf.type.value,
        "status": item.status.value,
        "counts": item.counts,
        "height": None if court is None else court.height,
        "anchored_at": None if court is None else moment_or_none(court.anchored_at),
        "findings": [
            {
                "check": one.check,
                "status": one.status.value,
                "code": one.code,
                "explanation": out.text(one.code, **one.parameters),
            }
            for one in (*item.findings, *(court.findings if court is not None else ()))
        ],
    }
