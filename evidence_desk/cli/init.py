"""``evidence-desk init``: make a vault, open its log, print the recovery key once."""

from __future__ import annotations

import os
import re
from typing import Annotated, Final

import typer

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.trust_folder import TRUST
from evidence_desk.cli.options import (
    PASSPHRASE,
    JsonOption,
    LanguageOption,
    VaultOption,
    passphrase,
    vault_folder,
)
from evidence_desk.errors import UsageError
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

_OFFICE: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")


def init(
    vault: VaultOption = None,
    demo: Annotated[
        bool,
        typer.Option("--demo", help="配置演示时间戳与演示签发证书（非第三方）/ demo authority and signer"),
    ] = False,
    office: Annotated[
        str, typer.Option("--office", help="机构代码，小写字母、数字、连字符 / office code, [a-z0-9-]")
    ] = "local",
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """建立存证库并打开日志 / Make a vault and open its log."""
    with Output(lang, as_json=as_json) as out:
        if not _OFFICE.fullmatch(office):
            raise UsageError("init.office", office=office)
        folder = vault_folder(vault)
        secret = passphrase(out, code="cli.new_passphrase")
        if PASSPHRASE not in os.environ and secret != passphrase(out, code="cli.repeat_passphrase"):
            raise UsageError("cli.passphrases_differ")
        session, recovery_key = init_session(folder, secret, office=office, demo=demo)
        with session.vault:
            origin = session.vault.origin
        out.say("init.done", folder=str(folder))
        out.say("init.recovery_key")
        out.line(f"    {recovery_key}")
        out.say("init.demo" if demo else "init.no_authority")
        out.say("init.trust", folder=str(folder / TRUST))
        out.document(
            {
                "vault": str(folder), "log": origin, "recovery_key": recovery_key,
                "trust": str(folder / TRUST), "demo": demo,
            }
        )  # fmt: skip
