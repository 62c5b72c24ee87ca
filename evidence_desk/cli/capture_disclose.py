"""``evidence-desk captures disclose`` and ``captures check``: copies with parts left out; decode again and compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from evidence_desk.bootstrap.capturing import report_press
from evidence_desk.bootstrap.spools import spools_in
from evidence_desk.cli import capture
from evidence_desk.cli.files import ForceOption, read_input, refuse_existing, written
from evidence_desk.cli.options import JsonOption, LanguageOption, OperatorOption, VaultOption, session
from evidence_desk.cli.show import NumberArgument
from evidence_desk.core.capture.plan import extra_authorities
from evidence_desk.services.capture_check import check_capture
from evidence_desk.services.capture_disclose import Disclosed, DisclosureWish, disclose
from evidence_desk.services.find import one_exhibit
from evidence_desk.terminal.output import Output
from evidence_desk.terminal.verdict_output import print_verdict, verdict_json
from evidence_desk.texts import Language

MAX_ROOTS: Final = 16 << 20
captures = capture.app
"""The group of commands about captures, with those of this module."""


@captures.command("disclose")
def disclose_capture(
    number: NumberArgument,
    output: Annotated[Path, typer.Option("-o", "--output", help="副本文件（WACZ）/ file of the copy")],
    withhold_credentials: Annotated[
        bool,
        typer.Option(
            "--withhold-credentials", help="不含登录凭据：Cookie、授权、提交的内容 / leave out cookies, tokens, what was sent"
        ),
    ] = False,
    withhold: Annotated[
        list[str] | None, typer.Option("--withhold", metavar="NAME", help="不含此文件，可重复 / leave out a file, repeatable")
    ] = None,
    withhold_url: Annotated[
        list[str] | None,
        typer.Option(
            "--withhold-url", metavar="PATTERN", help="不含这些网址的记录（* 代表任意），可重复 / leave out records by address"
        ),
    ] = None,
    open_secrets: Annotated[
        bool, typer.Option("--open-secrets", help="公开会话密钥、Cookie、存储 / key log, cookies and storage lie open")
    ] = False,
    opened: Annotated[
        list[str] | None, typer.Option("--open", metavar="NAME", help="公开此加密文件，可重复 / open a private file, repeatable")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="理由，写入副本 / why; it stands in the copy")] = "",
    operator: OperatorOption = "",
    force: ForceOption = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """制作网页取证的披露副本：略去或公开一部分，其余仍可核验 / Copy of a capture with parts left out or opened."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as desk:
        refuse_existing(output, force=force)
        wish = DisclosureWish(
            credentials=withhold_credentials, names=tuple(withhold or ()), addresses=tuple(withhold_url or ()),
            open_secrets=open_secrets, opened=tuple(opened or ()), reason=reason,
        )  # fmt: skip
        with written(output, force=force) as stream, out.job() as job:
            done = disclose(
                desk.desk, one_exhibit(desk.desk, number), wish, stream,
                trust=desk.trust, spool=spools_in(desk.vault.folder), job=job, operator=operator,
            )  # fmt: skip
        _tell(out, done, output)


@captures.command("check")
def check(
    number: NumberArgument,
    ca: Annotated[
        list[Path] | None,
        typer.Option(
            "--ca",
            help="网站证书应追溯到的根证书 PEM，可重复 / roots of the servers' certificates, repeatable",
        ),
    ] = None,
    operator: OperatorOption = "",
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """复核一次网页取证：用会话密钥重新解密，与封存内容逐项比对 / Check a capture: decode its streams again and compare."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as desk:
        roots = extra_authorities([read_input(path, MAX_ROOTS) for path in ca or ()])
        with out.job() as job:
            verdict = check_capture(
                desk.desk, one_exhibit(desk.desk, number),
                trust=desk.trust, spool=spools_in(desk.vault.folder), job=job, operator=operator, roots=roots,
                press=report_press(),
            )  # fmt: skip
        if not out.as_json:
            print_verdict(verdict, out.language, out.console)
        out.document(verdict_json(verdict, out.language))
        raise typer.Exit(verdict.exit_status(strict=False).value)


def _tell(out: Output, done: Disclosed, path: Path) -> None:
    redaction = done.redaction
    out.say(
        "capture_disclose.done", path=str(path),
        files=len(redaction.files), records=len(redaction.records), opened=len(redaction.opened),
    )  # fmt: skip
    if redaction.opened:
        out.say("capture_disclose.opened", names=", ".join(redaction.opened))
    if redaction.files or redaction.records:
        out.say("capture_disclose.look")
    out.document(
        {
            "path": str(path), "size": done.size, "sha256": done.sha256.hex(),
            "manifest_sha256": redaction.manifest.sha256.hex(), "reason": redaction.reason,
            "files": [{"name": item.name, "why": item.why.value} for item in redaction.files],
            "records": [{"id": item.name, "why": item.why.value} for item in redaction.records],
            "opened": list(redaction.opened),
        }
    )  # fmt: skip
