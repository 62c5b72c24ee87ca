"""``evidence-desk audit``, ``recheck``, ``backup`` and ``passphrase``."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.bootstrap.reader import SystemClock
from evidence_desk.cli.files import ForceOption, refuse_existing
from evidence_desk.cli.options import (
    NEW_PASSPHRASE,
    RECOVERY_KEY,
    JsonOption,
    LanguageOption,
    OperatorOption,
    VaultOption,
    passphrase,
    session,
    vault_folder,
)
from evidence_desk.errors import HostError, IntegrityError, UsageError
from evidence_desk.keyring_store import KeyringStore, secure_backend
from evidence_desk.services.audit import MAX_FAULTS
from evidence_desk.services.audit import audit as audit_log
from evidence_desk.services.find import one_exhibit
from evidence_desk.services.recheck import recheck as recheck_originals
from evidence_desk.terminal.output import PARTLY, Output
from evidence_desk.texts import Language
from evidence_desk.vault.backup import backup as backup_vault
from evidence_desk.vault.passphrase import change_passphrase, check_passphrase, reset_passphrase
from evidence_desk.vault.vault_file import VaultFile


def audit(vault: VaultOption = None, lang: LanguageOption = Language.ZH, as_json: JsonOption = False) -> None:
    """重新计算整个日志 / Recompute the whole log."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        with out.job() as job:
            outcome = audit_log(opened.desk, job=job)
        for fault in outcome.faults:
            out.say(fault.code, seq=fault.seq)
        many = "audit.faults_many" if len(outcome.faults) >= MAX_FAULTS else "audit.faults"
        out.say(
            many if outcome.faults else "audit.sound",
            size=outcome.size, checkpoints=outcome.checkpoints, exhibits=outcome.exhibits,
            count=len(outcome.faults),
        )  # fmt: skip
        out.document(
            {
                "log": outcome.origin,
                "size": outcome.size,
                "root": outcome.root.hex(),
                "checkpoints": outcome.checkpoints,
                "exhibits": outcome.exhibits,
                "faults": [
                    {"code": fault.code, "seq": fault.seq, "explanation": out.text(fault.code, seq=fault.seq)}
                    for fault in outcome.faults
                ],
            }
        )
        if outcome.faults:
            raise typer.Exit(IntegrityError.exit_status)


def recheck(
    numbers: Annotated[
        list[str] | None, typer.Argument(help="存证编号；不写则全部 / numbers, or all")
    ] = None,
    operator: OperatorOption = "",
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """复核原件：解密并重新计算摘要 / Decrypt and re-hash originals."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        rows = (
            [one_exhibit(opened.desk, number) for number in numbers]
            if numbers
            else list(opened.vault.exhibits.exhibits())
        )
        with out.job() as job:
            outcomes = recheck_originals(opened.desk, rows, job=job, operator=operator)
        damaged = [item for item in outcomes if item.damaged]
        erased = sum(item.erased for item in outcomes)
        for item in damaged:
            names = (item.exhibit.objects[position].path for position in item.damaged)
            out.say(
                "recheck.missing" if item.action == "missing" else "recheck.damaged",
                number=item.exhibit.number, count=len(item.damaged), files=", ".join(names),
            )  # fmt: skip
        if outcomes:
            total = len(outcomes) - erased
            out.say("recheck.done", count=total - len(damaged), total=total)
        else:
            out.say("recheck.none")
        if erased:
            out.say("recheck.erased", count=erased)
        out.document(
            {
                "exhibits": [
                    {
                        "number": item.exhibit.number,
                        "sound": not item.damaged and not item.erased,
                        "damaged": list(item.damaged),
                        "missing": list(item.missing),
                        "erased": item.erased,
                    }
                    for item in outcomes
                ]
            }
        )
        if damaged:
            raise typer.Exit(IntegrityError.exit_status if len(damaged) == len(outcomes) - erased else PARTLY)


def backup(
    file: Annotated[Path, typer.Argument(help="备份文件 / backup file")],
    force: ForceOption = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """备份存证库，可在使用中进行 / Back up the vault, also while in use."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        refuse_existing(file, force=force)
        with out.job() as job:
            backup_vault(opened.vault, file, job=job)
        out.say("backup.done", path=str(file), size=file.stat().st_size)
        out.document({"path": str(file), "size": file.stat().st_size})


def change(
    by_recovery_key: Annotated[
        bool,
        typer.Option("--recovery-key", help="忘记口令时用恢复密钥 / by recovery key, when it is forgotten"),
    ] = False,
    remember: Annotated[
        bool,
        typer.Option(
            "--remember", help="不更换，将口令存入系统密钥环 / keep it in the keyring, without a change"
        ),
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="不更换，从系统密钥环删除口令 / remove it from the keyring")
    ] = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """更换口令；忘记口令时凭恢复密钥重设 / Change the passphrase, or set it anew by the recovery key."""
    with Output(lang, as_json=as_json) as out:
        if by_recovery_key + remember + forget > 1:
            raise UsageError("passphrase.one_thing")
        folder = vault_folder(vault)
        if remember:
            _remember(out, folder)
        elif forget:
            gone = KeyringStore().forget(VaultFile.read(folder).vault_id)
            out.say("keyring.forgotten" if gone else "keyring.not_remembered")
            out.document({"remembered": False})
        else:
            new = _changed(out, folder, by_recovery_key=by_recovery_key)
            out.say("passphrase.done")
            _follow(out, folder, new)
            out.document({"changed": True})


def _changed(out: Output, folder: Path, *, by_recovery_key: bool) -> str:
    """Change the passphrase; the new one."""
    if by_recovery_key:
        paper = passphrase(out, code="cli.ask_recovery_key", variable=RECOVERY_KEY)
        new = _new_passphrase(out)
        reset_passphrase(folder, paper, new, clock=SystemClock())
    else:
        old = passphrase(out)
        new = _new_passphrase(out)
        change_passphrase(folder, old, new, clock=SystemClock())
    return new


def _remember(out: Output, folder: Path) -> None:
    """Put the passphrase into the keyring, once it has opened the vault."""
    vault_id = VaultFile.read(folder).vault_id
    secure_backend()  # before anything is asked for
    secret = passphrase(out)
    check_passphrase(folder, secret, clock=SystemClock())
    backend = KeyringStore().remember(vault_id, secret)
    out.say("keyring.remembered", backend=backend)
    out.document({"remembered": True, "backend": backend})


def _follow(out: Output, folder: Path, new: str) -> None:
    """After a change: the keyring of a vault that is remembered gets the new passphrase, or at least loses the old."""
    store, vault_id = KeyringStore(), VaultFile.read(folder).vault_id
    if not store.remembers(vault_id):
        return
    try:
        out.say("keyring.remembered", backend=store.remember(vault_id, new))
    except HostError as error:
        out.warn(error)
        with suppress(HostError):
            store.forget(vault_id)


def _new_passphrase(out: Output) -> str:
    """The new passphrase, typed twice unless it comes from the environment."""
    new = passphrase(out, code="cli.new_passphrase", variable=NEW_PASSPHRASE)
    unattended = NEW_PASSPHRASE in os.environ
    if not unattended and new != passphrase(out, code="cli.repeat_passphrase", variable=NEW_PASSPHRASE):
        raise UsageError("cli.passphrases_differ")
    return new
