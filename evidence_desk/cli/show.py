"""``evidence-desk list``, ``show``, ``lookup`` and ``custody``: reading only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from evidence_desk.bootstrap import Session
from evidence_desk.cli.describe import (
    certificate_json,
    custody_json,
    exhibit_json,
    print_certificates,
    print_exhibit,
)
from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, session
from evidence_desk.core.evidence_number import Prefix
from evidence_desk.core.rows import CertificateRow, ExhibitRow
from evidence_desk.errors import NotFoundError
from evidence_desk.services.find import as_digest, by_number, one_certificate, one_exhibit
from evidence_desk.terminal.layout import printable
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language
from evidence_desk.verify.files import hash_original

NumberArgument = Annotated[str, typer.Argument(help="存证编号或完整条目哈希 / evidence number or leaf hash")]


def list_exhibits(
    case: Annotated[str | None, typer.Option("--case", help="只列此案 / of one case")] = None,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """列出证据 / List exhibits."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        rows = list(opened.vault.exhibits.exhibits(case_number=case))
        for row in rows:
            print_exhibit(out, row, files=False)
        if rows:
            out.say("list.count", count=len(rows))
        else:
            out.say("list.empty")
        out.document({"exhibits": [exhibit_json(row) for row in rows]})


def show(
    number: NumberArgument,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """显示一件证据 / Show one exhibit."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        row = one_exhibit(opened.desk, number)
        certificates = opened.vault.exhibits.certificates(row.leaf_hash)
        print_exhibit(out, row, files=True)
        print_certificates(out, certificates)
        out.document({**exhibit_json(row), "certificates": [certificate_json(item) for item in certificates]})


def lookup(
    what: Annotated[str, typer.Argument(help="文件、摘要或编号 / a file, a digest or a number")],
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """在本终端查找：文件、摘要、存证编号或证书编号 / Look up in this desk."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        rows, certificates = _find(out, opened, what)
        if not rows and not certificates:
            raise NotFoundError("lookup.nothing")
        for row in rows:
            print_exhibit(out, row, files=True)
        print_certificates(out, certificates)
        out.say("lookup.scope")
        out.document(
            {
                "exhibits": [exhibit_json(row) for row in rows],
                "certificates": [certificate_json(item) for item in certificates],
            }
        )


def custody(
    number: NumberArgument,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """显示保管记录 / Show the custody record."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        row = one_exhibit(opened.desk, number)
        events: list[dict[str, Any]] = [
            {"at": exhibit_json(row)["states"]["logged"], "action": "sealed", "operator": "", "details": {},
             "seq": row.seq}
        ]  # fmt: skip
        events += [custody_json(event) for event in opened.vault.exhibits.custody(row.leaf_hash)]
        print_exhibit(out, row, files=False)
        for event in events:
            _print_event(out, event)
        out.document({"number": row.number, "events": events})


def _print_event(out: Output, event: Mapping[str, Any]) -> None:
    place = "custody.pending" if event["seq"] is None else "custody.place"
    parts = (
        event["at"],
        out.text(f"custody.{event['action']}"),
        printable(event["operator"]),
        *(
            printable(str(event["details"][name]))
            for name in ("certificate", "why", "note")
            if name in event["details"]
        ),
        out.text(place, seq=event["seq"] or 0),
    )
    out.line("    " + "  ".join(part for part in parts if part))


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
