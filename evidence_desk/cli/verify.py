"""``evidence-desk verify``: the verdict of the offline verifier, with a report as PDF on request."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.cli.files import ForceOption, refuse_existing, written
from evidence_desk.cli.options import JsonOption, LanguageOption, TrustOption, VaultOption
from evidence_desk.errors import UsageError
from evidence_desk.terminal.judge import judge
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

            pdf = verification_report(
                judged.verdicts[0],
                originals=judged.originals.given,
                trust=judged.trust,
                at=judged.now,
                language=lang,
            )
            with written(report, force=force) as stream:
                stream.write(pdf)
            out.say("verify.report", path=str(report))
        raise typer.Exit(judged.status.value)
