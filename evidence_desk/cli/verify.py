"""``evidence-desk verify``: the verdict of the offline verifier, with a report as PDF on request."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.cli.files import ForceOption, refuse_existing, written
from evidence_desk.cli.options import JsonOption, LanguageOption, TrustOption, VaultOption
from evidence_desk.core.job import Job
from evidence_desk.errors import UsageError
from evidence_desk.services.examination import Compared, Examination, Matching
from evidence_desk.services.examine import of_verdict
from evidence_desk.services.question import ask_file
from evidence_desk.terminal.judge import Judged, judge
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language


def verify(
    paths: Annotated[
        list[Path], typer.Argument(help="证书、证据包、证明文件或时间戳 / certificate, package, proof, token")
    ],
    file: Annotated[
        list[Path] | None, typer.Option("--file", help="原件，可重复 / original, repeatable")
    ] = None,
    trust: TrustOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="有提示事项即不算通过 / caveats count")] = False,
    report: Annotated[Path | None, typer.Option("--report", help="核验报告（PDF）/ report as PDF")] = None,
    force: ForceOption = False,
    vault: VaultOption = None,  # noqa: ARG001 - every command takes it; verifying needs none
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """核验证书、证据包、证明文件或时间戳 / Verify; needs no vault and no network."""
    with Output(lang, as_json=as_json) as out:
        if report is not None:
            if len(paths) != 1:
                raise UsageError("verify.report_one")
            refuse_existing(report, force=force)
        judged = judge(out, paths, files=file or (), trust=trust, strict=strict)
        if report is not None:
            from reports.verification import verification_report  # noqa: PLC0415 - PDF libraries load slowly

            pdf = verification_report(_examination(judged), language=lang)
            with written(report, force=force) as stream:
                stream.write(pdf)
            out.say("verify.report", path=str(report))
        raise typer.Exit(judged.status.value)


def _examination(judged: Judged) -> Examination:
    """What was judged, as the report wants it; nothing is looked up."""
    item, given = judged.verdicts[0], judged.originals
    return of_verdict(
        item,
        ask_file(item.path, Job()),
        trust=judged.trust,
        now=judged.now,
        compared=[
            Compared(path=path, file=file, how=Matching.GIVEN)
            for path, file in zip(given.paths, given.given, strict=True)
        ],
    )
