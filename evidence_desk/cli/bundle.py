"""``evidence-desk bundle``: a case as one PDF for filing, numbered through; packages beside it on request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.bootstrap.files import written_folder
from evidence_desk.bootstrap.session import Session
from evidence_desk.cli.files import ForceOption, refuse_existing, written
from evidence_desk.cli.options import JsonOption, LanguageOption, OperatorOption, VaultOption, session
from evidence_desk.core.bundle import PrintedBundle
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import NotFoundError
from evidence_desk.services.bundle import bundle as print_bundle
from evidence_desk.services.export import export
from evidence_desk.terminal.layout import printable
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language


def bundle(
    case: Annotated[str, typer.Argument(help="案号 / case number")],
    output: Annotated[Path, typer.Option("-o", "--output", help="卷宗文件（PDF）/ bundle file")],
    with_packages: Annotated[
        Path | None,
        typer.Option("--with-packages", help="同时把各件证据的证据包写入此文件夹 / folder for the packages"),
    ] = None,
    operator: OperatorOption = "",
    force: ForceOption = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """编制卷宗：一案的目录、证据、证书，连续编页 / Print a case as one bundle for filing."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        from reports.bundle import PdfBundlePrinter  # noqa: PLC0415 - half a second of PDF libraries

        refuse_existing(output, force=force)
        rows = list(opened.vault.exhibits.exhibits(case_number=case))
        if not rows:
            raise NotFoundError("bundle.no_case", case=case)
        with written(output, force=force) as stream, written_folder(with_packages) as folder:
            with out.job() as job:
                printed = print_bundle(
                    opened.desk, rows, stream,
                    trust=opened.trust, printer=PdfBundlePrinter(lang), job=job, operator=operator,
                )  # fmt: skip
            packages = [] if folder is None else _packages(out, opened, rows, folder, operator)
        _tell(out, rows, printed, output, with_packages, packages)


def _packages(
    out: Output, opened: Session, rows: Sequence[ExhibitRow], folder: Path, operator: str
) -> list[str]:
    names = []
    for index, row in enumerate(rows, 1):
        name = f"{index:03d}-{row.number}.asice"
        with written(folder / name, force=False) as stream, out.job() as job:
            export(opened.desk, row, stream, trust=opened.trust, job=job, operator=operator)
        names.append(name)
    return names


def _tell(
    out: Output,
    rows: Sequence[ExhibitRow],
    printed: PrintedBundle,
    output: Path,
    folder: Path | None,
    packages: Sequence[str],
) -> None:
    for row, (first, last) in zip(rows, printed.ranges, strict=True):
        place = out.text("bundle.range", first=first, last=last)
        out.line(f"    {row.number}  {place}  {printable(row.title)}")
    for item in printed.unprinted:
        reason = out.text(f"bundle.reason.{item.reason}")
        out.say("bundle.unprinted", number=item.number, name=item.name, reason=reason)
    if printed.unprinted:
        out.say("bundle.medium")
    if folder is not None:
        out.say("bundle.packages", path=str(folder))
    out.say("bundle.done", path=str(output), pages=printed.pages, count=len(rows))
    out.document(
        {
            "path": str(output),
            "pages": printed.pages,
            "exhibits": [
                {"number": row.number, "first": first, "last": last}
                for row, (first, last) in zip(rows, printed.ranges, strict=True)
            ],
            "unprinted": [
                {"number": item.number, "name": item.name, "reason": item.reason}
                for item in printed.unprinted
            ],
            "packages": [str(folder / name) for name in packages] if folder is not None else [],
        }
    )
