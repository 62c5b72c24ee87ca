"""``evidence-desk certify``, ``export``, ``revoke`` and ``correct``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.cli.describe import certificate_json, exhibit_json, print_certificates
from evidence_desk.cli.files import ForceOption, written
from evidence_desk.cli.options import JsonOption, LanguageOption, OperatorOption, VaultOption, session
from evidence_desk.cli.pin import pin_prompt
from evidence_desk.cli.show import NumberArgument
from evidence_desk.errors import NotFoundError
from evidence_desk.services.certify import certify as issue
from evidence_desk.services.export import export as export_package
from evidence_desk.services.find import one_certificate, one_exhibit
from evidence_desk.services.revoke import correct as note_correction
from evidence_desk.services.revoke import revoke as revoke_certificate
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language


def certify(
    numbers: Annotated[list[str], typer.Argument(help="存证编号，可多个 / evidence numbers")],
    output: Annotated[Path, typer.Option("-o", "--output", help="证书文件 / certificate file")],
    operator: OperatorOption = "",
    force: ForceOption = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """出具存证证书（PDF）/ Issue a certificate."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        rows = [one_exhibit(opened.desk, number) for number in numbers]
        opened.signer.unlock(pin_prompt(out))
        with written(output, force=force) as stream, out.job() as job:
            outcome = issue(
                opened.desk, rows, opened.issuer(), trust=opened.trust, job=job, operator=operator
            )
            stream.write(outcome.certificate.pdf)
        out.say("certify.done", number=outcome.certificate.number, path=str(output))
        if outcome.unprintable:
            out.say("certify.unprintable", characters=" ".join(outcome.unprintable))
        out.document(
            {
                "certificate": certificate_json(outcome.certificate),
                "path": str(output),
                "unprintable": list(outcome.unprintable),
            }
        )


def reprint(
    number: Annotated[str, typer.Argument(help="证书编号 / certificate number")],
    output: Annotated[Path, typer.Option("-o", "--output", help="证书文件 / certificate file")],
    force: ForceOption = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """再次写出已签发的证书，逐字节相同 / Write an issued certificate again, byte for byte."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        row = one_certificate(opened.desk, number)
        if not row.pdf:
            raise NotFoundError("certificate.not_held", number=row.number)
        with written(output, force=force) as stream:
            stream.write(row.pdf)
        out.say("reprint.done", number=row.number, path=str(output))
        if row.revoked is not None:
            print_certificates(out, [row])
        out.document({"certificate": certificate_json(row), "path": str(output)})


def export(
    number: NumberArgument,
    output: Annotated[Path, typer.Option("-o", "--output", help="证据包文件（.asice）/ package file")],
    operator: OperatorOption = "",
    force: ForceOption = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """导出证据包（原件与证明）/ Export an evidence package."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        row = one_exhibit(opened.desk, number)
        with written(output, force=force) as stream, out.job() as job:
            export_package(opened.desk, row, stream, trust=opened.trust, job=job, operator=operator)
        out.say("export.done", path=str(output))
        if row.timestamped is None:
            out.say("export.no_time")
        out.document({"exhibit": exhibit_json(row), "path": str(output)})


def revoke(
    number: Annotated[str, typer.Argument(help="证书编号 / certificate number")],
    why: Annotated[str, typer.Option("--why", help="理由 / reason")],
    operator: OperatorOption = "",
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """撤销证书 / Revoke a certificate."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        row = revoke_certificate(
            opened.desk, one_certificate(opened.desk, number), why=why, operator=operator
        )
        out.say("revoke.done", number=row.number)
        out.document({"certificate": certificate_json(row)})


def correct(
    number: NumberArgument,
    note: Annotated[str, typer.Option("--note", help="更正内容 / the correction")],
    operator: OperatorOption = "",
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """登记更正（原登记不变）/ Note a correction; the exhibit stays as sealed."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        row = one_exhibit(opened.desk, number)
        note_correction(opened.desk, row, note=note, operator=operator)
        out.say("correct.done", number=row.number)
        out.document({"exhibit": exhibit_json(row), "note": note})
