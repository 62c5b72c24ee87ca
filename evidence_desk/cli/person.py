"""``evidence-desk person add|list|passphrase|retire``: who may confirm certificates, each with a credential of his own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.bootstrap import persons as office
from evidence_desk.cli.files import read_input
from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, passphrase, session
from evidence_desk.core.canonical import JSON
from evidence_desk.core.confirmation import Officer
from evidence_desk.core.moment import format_moment
from evidence_desk.core.person import OfficePerson
from evidence_desk.core.signing_ports import SigningKey
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.errors import UsageError
from evidence_desk.services import persons
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

app = typer.Typer(
    no_args_is_help=True, help="人员：双人出证的复核人及其凭据 / persons who confirm certificates"
)
PERSON_PASSPHRASE = "EVIDENCE_DESK_PERSON_PASSPHRASE"  # noqa: S105 - the name of a variable
NEW_PERSON_PASSPHRASE = "EVIDENCE_DESK_NEW_PERSON_PASSPHRASE"  # noqa: S105 - the name of a variable
_LIMIT = 1 << 20

NameArgument = Annotated[str, typer.Argument(help="姓名 / name")]


@app.command()
def add(
    name: NameArgument,
    role: Annotated[str, typer.Option("--role", help="职务 / role")] = "",
    identification: Annotated[
        str, typer.Option("--identification", help="身份识别方式 / how the person was identified")
    ] = "",
    p12: Annotated[
        Path | None,
        typer.Option(
            "--p12", help="本人的 PKCS#12 文件；不给出则生成演示凭据 / own credential; else a demo one"
        ),
    ] = None,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """登记人员及其凭据（口令由本人输入）/ Enroll a person; the passphrase is his own."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        officer = Officer(name=name.strip(), role=role.strip(), identification=identification.strip())
        if p12 is None:
            person = office.enroll_demo(opened, officer, _new_passphrase(out))
            out.say("person.demo")
        else:
            person = office.enroll_given(opened, officer, read_credential(out, p12))
        certificate = load_certificate(person.certificate)
        until = certificate.not_after.date().isoformat()
        out.say("person.added", name=person.name, subject=certificate.subject.text, until=until)
        out.document({"person": person_json(person)})


@app.command("list")
def list_persons(
    vault: VaultOption = None, lang: LanguageOption = Language.ZH, as_json: JsonOption = False
) -> None:
    """列出人员，已停用的也在内 / List persons, retired ones too."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        everybody = persons.persons(opened.desk)
        for person in everybody:
            subject = load_certificate(person.certificate).subject.text
            if person.retired is None:
                out.say("person.line", name=person.name, role=person.role, subject=subject)
            else:
                out.say("person.line.retired", name=person.name, role=person.role, subject=subject)
        if not everybody:
            out.say("person.none")
        out.document({"persons": [person_json(person) for person in everybody]})


@app.command("passphrase")
def change(
    name: NameArgument,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """更改凭据口令（由本人操作）/ Change the passphrase of a person's credential."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        person = persons.one_person(opened.desk, name)
        old = passphrase(out, code="person.ask_passphrase", variable=PERSON_PASSPHRASE)
        persons.change_passphrase(office.person_keys(opened), person, old, _new_passphrase(out))
        out.say("person.changed", name=person.name)
        out.document({"changed": True})


@app.command()
def retire(
    name: NameArgument,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """停用人员：不再复核，登记保留 / Retire a person; the entry stays."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        person = persons.one_person(opened.desk, name)
        gone = persons.retire(opened.desk, office.person_keys(opened), person)
        out.say("person.retired", name=gone.name)
        out.document({"person": person_json(gone)})


def read_credential(out: Output, file: Path) -> SigningKey:
    """The credential in a PKCS#12 file, with the passphrase its holder gives."""
    data = read_input(file, _LIMIT)
    return office.pkcs12_key(data, passphrase(out, code="person.ask_passphrase", variable=PERSON_PASSPHRASE))


def person_json(person: OfficePerson) -> dict[str, JSON]:
    """One person for ``--json``."""
    facts = persons.credential_facts(person.certificate)
    return {
        "name": person.name,
        "role": person.role,
        "identification": person.identification,
        "credential": {
            "kind": person.kind.value,
            "subject": facts.subject,
            "serial": facts.serial_text,
            "sha256": facts.sha256.hex(),
            "demo": facts.demo,
        },
        "enrolled": format_moment(person.enrolled),
        "retired": None if person.retired is None else format_moment(person.retired),
    }


def _new_passphrase(out: Output) -> str:
    """A new passphrase, typed twice unless it comes from the environment."""
    new = passphrase(out, code="person.ask_new_passphrase", variable=NEW_PERSON_PASSPHRASE)
    unattended = NEW_PERSON_PASSPHRASE in os.environ
    if not unattended and new != passphrase(
        out, code="cli.repeat_passphrase", variable=NEW_PERSON_PASSPHRASE
    ):
        raise UsageError("cli.passphrases_differ")
    return new
