"""``evidence-desk document``: the documents of a case beside the certificate, as PDF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from evidence_desk.cli.files import ForceOption, refuse_existing, written
from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, session
from evidence_desk.core.documents import CaseDocument
from evidence_desk.services import documents
from evidence_desk.services.find import one_exhibit
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

app: Final = typer.Typer(help="制作文书：来源说明、证据目录、保管记录、取证笔录 / documents of a case")
_TITLES: Final = {
    "source": "documents.source", "catalog": "documents.catalog", "custody": "documents.custody.title",
    "record": "documents.record",
}  # fmt: skip

NumbersArgument = Annotated[list[str], typer.Argument(help="存证编号，可多个 / evidence numbers")]
OutputOption = Annotated[Path, typer.Option("-o", "--output", help="PDF 文件 / PDF file")]


@app.command("source")
def source(
    numbers: NumbersArgument,
    output: OutputOption,
    force: ForceOption = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """来源和制作经过说明 / Statement of source and making."""
    _make("source", documents.source_statement, numbers, output, force, vault, lang, as_json=as_json)


@app.command("catalog")
def catalog(
    numbers: NumbersArgument,
    output: OutputOption,
    force: ForceOption = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """证据目录 / List of exhibits for filing."""
    _make("catalog", documents.catalog, numbers, output, force, vault, lang, as_json=as_json)


@app.command("custody")
def custody(
    numbers: NumbersArgument,
    output: OutputOption,
    force: ForceOption = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """保管记录 / Custody record."""
    _make("custody", documents.custody_record, numbers, output, force, vault, lang, as_json=as_json)


@app.command("record")
def record(
    numbers: NumbersArgument,
    output: OutputOption,
    force: ForceOption = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """取证笔录 / Record of obtaining evidence."""
    _make("record", documents.obtaining_record, numbers, output, force, vault, lang, as_json=as_json)


def _make(
    kind: str,
    build: Callable[..., CaseDocument],
    numbers: list[str],
    output: Path,
    force: bool,  # noqa: FBT001 - handed through from the option
    vault: Path | None,
    lang: Language,
    *,
    as_json: bool,
) -> None:
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        from reports.documents import render_document  # noqa: PLC0415 - half a second of PDF libraries

        refuse_existing(output, force=force)
        rows = [one_exhibit(opened.desk, number) for number in numbers]
        with out.job() as job:
            made = build(opened.desk, rows, trust=opened.trust, job=job)
        rendered = render_document(made, lang)
        with written(output, force=force) as stream:
            stream.write(rendered.pdf)
        out.say("document.done", title=out.text(_TITLES[kind]), path=str(output))
        if rendered.unprintable:
            out.say("document.unprintable", characters=" ".join(rendered.unprintable))
        out.document(
            {
                "document": kind,
                "exhibits": [row.number for row in rows],
                "pages": rendered.pages,
                "path": str(output),
                "unprintable": list(rendered.unprintable),
            }
        )
