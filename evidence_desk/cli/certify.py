"""``evidence-desk certify``, ``export``, ``revoke`` and ``correct``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.bootstrap.session import Session
from evidence_desk.cli.describe import certificate_json, exhibit_json, print_certificates
from evidence_desk.cli.files import ForceOption, refuse_existing, written
from evidence_desk.cli.options import JsonOption, LanguageOption, OperatorOption, VaultOption, session
from evidence_desk.cli.person import person_json
from evidence_desk.cli.pin import pin_prompt
from evidence_desk.cli.second_person import unlock_second
from evidence_desk.cli.show import NumberArgument
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import NotFoundError
from evidence_desk.services.certify import CertifyOutcome, issue
from evidence_desk.services.certify import certify as issue_alone
from evidence_desk.services.certify import draft as draft_certificate
from evidence_desk.services.confirm import confirm
from evidence_desk.services.export import export as export_package
from evidence_desk.services.find import one_certificate, one_exhibit
from evidence_desk.services.persons import Unlocked, credential_facts
from evidence_desk.services.revoke import correct as note_correction
from evidence_desk.services.revoke import revoke as revoke_certificate
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language


def certify(
    numbers: Annotated[list[str], typer.Argument(help="存证编号，可多个 / evidence numbers")],
    output: Annotated[Path, typer.Option("-o", "--output", help="证书文件 / certificate file")],
    operator: OperatorOption = "",
    confirm_by: Annotated[
        str, typer.Option("--confirm-by", help="复核人（双人出证）/ the second person, who confirms")
    ] = "",
    confirm_p12: Annotated[
        Path | None, typer.Option("--confirm-p12", help="复核人的 PKCS#12 文件 / his credential")
    ] = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="只写出草稿供核对，不签发 / only a draft to look at")
    ] = False,
    force: ForceOption = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """出具存证证书（PDF）/ Issue a certificate."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        rows = [one_exhibit(opened.desk, number) for number in numbers]
        if draft:
            _write_draft(
                out, opened, rows, output, operator=operator, confirmed=bool(confirm_by), force=force
            )
            return
        refuse_existing(output, force=force)
        second = unlock_second(out, opened, confirm_by, confirm_p12)
        opened.signer.unlock(pin_prompt(out))
        with written(output, force=force) as stream, out.job() as job:
            outcome = _issued(opened, rows, second, operator=operator, job=job)
            stream.write(outcome.certificate.pdf)
        out.say("certify.done", number=outcome.certificate.number, path=str(output))
        if second is not None:
            facts = credential_facts(second.person.certificate)
            out.say("certify.confirmed", name=second.person.name, subject=facts.subject)
        if outcome.unprintable:
            out.say("certify.unprintable", characters=" ".join(outcome.unprintable))
        out.document(
            {
                "certificate": certificate_json(outcome.certificate),
                "path": str(output),
                "unprintable": list(outcome.unprintable),
                "confirmed_by": None if second is None else person_json(second.person),
            }
        )


def _issued(
    opened: Session, rows: Sequence[ExhibitRow], second: Unlocked | None, *, operator: str, job: Job
) -> CertifyOutcome:
    issuer, trust = opened.issuer(), opened.trust
    if second is None:
        return issue_alone(opened.desk, rows, issuer, trust=trust, job=job, operator=operator)
    drafted = draft_certificate(
        opened.desk, rows, issuer, trust=trust, job=job, operator=operator, two_person=True
    )
    return issue(opened.desk, drafted, confirm(opened.desk, drafted, second, issuer), issuer)


def _write_draft(
    out: Output,
    opened: Session,
    rows: Sequence[ExhibitRow],
    output: Path,
    *,
    operator: str,
    confirmed: bool,
    force: bool,
) -> None:
    """A draft on paper or screen: no certificate, nothing is logged."""
    issuer = opened.issuer()
    with written(output, force=force) as stream, out.job() as job:
        drafted = draft_certificate(
            opened.desk, rows, issuer, trust=opened.trust, job=job, operator=operator,
            two_person=confirmed or None,
        )  # fmt: skip
        stream.write(issuer.preview(drafted.certificate))
    out.say("certify.drafted", path=str(output))
    out.document({"draft": drafted.certificate.number, "path": str(output)})


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
