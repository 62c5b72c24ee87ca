"""``evidence-desk restore``: from a backup, from the court network, and missing originals afterwards."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from evidence_desk.bootstrap.restoring import (
    Restored,
    Secret,
    registered_entry,
    restore_backup,
    restore_network,
)
from evidence_desk.bootstrap.session import Session
from evidence_desk.cli.describe import fault_json, print_faults
from evidence_desk.cli.options import (
    RECOVERY_KEY,
    JsonOption,
    LanguageOption,
    TrustOption,
    VaultOption,
    passphrase,
    session,
    vault_folder,
)
from evidence_desk.core.checkpoint import check_origin
from evidence_desk.core.job import Job
from evidence_desk.court.protocol.registry import DeskStatus
from evidence_desk.errors import CanceledError, MalformedError, UsageError
from evidence_desk.services.court_query import GatewayFault
from evidence_desk.services.earlier_marks import unopened
from evidence_desk.services.keybag_copy import CopyOutcome
from evidence_desk.services.originals import fill_from_folder
from evidence_desk.settings import AuthorityKind
from evidence_desk.terminal.output import PARTLY, Output, error_json
from evidence_desk.texts import Language
from evidence_desk.vault.backup import ORIGINALS, fill_from_backup, missing_originals
from evidence_desk.vault.building import refuse_occupied
from evidence_desk.verify.files import read_trust


def restore(
    file: Annotated[Path | None, typer.Argument(help="备份文件 / backup file")] = None,
    from_network: Annotated[
        bool,
        typer.Option(
            "--from-network", help="由法院节点网络恢复，不用备份 / from the court network, without a backup"
        ),
    ] = False,
    gateway: Annotated[
        list[str] | None,
        typer.Option("--gateway", help="网关地址，可重复 / address of a gateway, repeatable"),
    ] = None,
    trust: TrustOption = None,
    origin: Annotated[str, typer.Option("--origin", help="原日志的名称 / origin of the lost log")] = "",
    originals: Annotated[
        Path | None,
        typer.Option(
            "--originals", help="由备份文件或文件夹补回原件 / missing originals from a backup or folder"
        ),
    ] = None,
    by_recovery_key: Annotated[
        bool, typer.Option("--recovery-key", help="用恢复密钥而不用口令 / by recovery key, not passphrase")
    ] = False,
    further_epoch: Annotated[
        bool,
        typer.Option(
            "--further-epoch", help="取代先前的另一次恢复 / take the place of an earlier restore elsewhere"
        ),
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="暂不向网络查询 / don't ask the network now")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="原终端不再使用，不再询问 / the old desk is out of use, don't ask")
    ] = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """恢复到新的文件夹并开启后继日志；或补回缺失的原件 / Restore into a new folder, or fill in missing originals."""
    with Output(lang, as_json=as_json) as out:
        if from_network:
            if file is not None or not gateway or trust is None or not origin:
                raise UsageError("restore.network_options")
            restored = _from_network(out, vault_folder(vault), origin, gateway, trust, yes=yes)
        elif file is not None:
            refuse_occupied(vault_folder(vault))
            given = RECOVERY_KEY in os.environ or by_recovery_key
            secret = Secret(recovery_key=_paper(out)) if given else Secret(passphrase=passphrase(out))
            with out.job() as job:
                restored = restore_backup(
                    file, vault_folder(vault), secret, job=job, offline=offline, further_epoch=further_epoch
                )
        elif originals is not None:
            with session(out, vault) as opened:
                out.document({"vault": str(vault_folder(vault)), "originals": _fill(out, opened, originals)})
            return
        else:
            raise UsageError("restore.nothing")
        try:
            document = _tell(out, restored, vault_folder(vault))
            if originals is not None:
                document["originals"] = _fill(out, restored.session, originals)
            elif from_network:
                document["originals"] = _missing(out, restored.session)
        finally:
            restored.session.close()
        out.document(document)
        if restored.earlier is not None and restored.earlier.withheld:
            raise typer.Exit(PARTLY)


def _paper(out: Output) -> str:
    return passphrase(out, code="cli.ask_recovery_key", variable=RECOVERY_KEY)


def _from_network(
    out: Output, folder: Path, origin: str, urls: list[str], trust: Path, *, yes: bool
) -> Restored:
    """Everything that can be refused without the recovery key is refused before it is asked for."""
    try:
        check_origin(origin)
    except MalformedError as error:
        raise UsageError("restore.origin", origin=origin) from error
    refuse_occupied(folder)
    roots = read_trust(trust)
    if len(roots.networks) != 1:
        raise UsageError(
            "network.which" if roots.networks else "network.no_trust", chains=", ".join(roots.networks)
        )
    chain_id = next(iter(roots.networks))
    newest = registered_entry(roots, chain_id, urls, origin)
    if newest.status is DeskStatus.ACTIVE and not yes:
        _confirm(out, newest.origin)
    paper = _paper(out)
    with out.job() as job:
        return restore_network(
            folder, origin=origin, recovery_key=paper, gateways=urls, trust=roots, chain_id=chain_id, job=job
        )


def _confirm(out: Output, origin: str) -> None:
    """That nobody uses the log any more; without a terminal only ``--yes`` will do.

    Raises:
        UsageError: ``restore.not_confirmed``. CanceledError: ``restore.canceled``.
    """
    if not sys.stdin.isatty() or out.as_json:
        raise UsageError("restore.not_confirmed", origin=origin)
    out.say("restore.active", origin=origin)
    if input(out.text("restore.active_ask") + " ").strip().lower() not in {"y", "yes", "是"}:
        raise CanceledError("restore.canceled")


# --- telling --------------------------------------------------------------------------------------------------


def _tell(out: Output, restored: Restored, folder: Path) -> dict[str, Any]:
    vault = restored.session.vault
    count = sum(1 for _ in vault.exhibits.exhibits())
    out.say("restore.done", folder=str(folder), count=count)
    earlier = restored.earlier
    if earlier is not None:
        out.say("restore.completed", leaves=earlier.leaves)
        for code, number in (
            ("restore.closed", earlier.closed),
            ("restore.withheld", earlier.withheld),
            ("restore.untimed", sum(item.untimed for item in earlier.logs.values())),
            ("restore.refused", sum(item.refused for item in earlier.logs.values())),
        ):
            if number:
                out.say(code, count=number)
        for case_number in earlier.erased:
            out.say("restore.erased", case=case_number)
    erased = sorted(vault.erased_cases())
    if erased:
        out.say("restore.tombstones", count=len(erased))
    for name in restored.absent:
        out.say("restore.absent", origin=name)
    out.say("restore.successor", origin=vault.origin)
    if any(item.kind is AuthorityKind.EMBEDDED for item in restored.session.settings):
        out.say("restore.demo")
    tell_network(out, restored)
    return {
        "vault": str(folder),
        "log": vault.origin,
        "exhibits": count,
        "erased": erased,
        "network": network_json(out, restored),
    }


def tell_copies(out: Output, copies: CopyOutcome) -> None:
    """Which gateways have the present copy of the keybag; nothing when all had it."""
    if copies.sent:
        out.say("keybag_copy.sent", count=len(copies.sent))
    if copies.faults:
        out.say("keybag_copy.waiting", count=len(copies.faults))
        print_faults(out, copies.faults)


def tell_network(out: Output, restored: Restored) -> None:
    """How the successor's registration stands, and which gateways failed."""
    joined = restored.joined
    if restored.offline is not None:
        out.warn(restored.offline)
        out.say("restore.offline")
    elif joined is not None and joined.entry is None:
        out.say("network.registration.pending", origin=restored.session.vault.origin)
    elif joined is not None:
        code = "network.registration.automatic" if joined.automatic else "network.registration.registered"
        out.say(code, origin=restored.session.vault.origin, height=joined.height)
        if joined.succeeds:
            out.say("network.registration.succeeds", origin=joined.succeeds)
    print_faults(out, _faults(restored))


def tell_withheld(out: Output, restored: Restored) -> None:
    """That another gateway may still open what is closed; nothing when all is opened or settled."""
    if restored.earlier is not None and restored.earlier.withheld:
        out.say("restore.withheld", count=restored.earlier.withheld)


def network_json(out: Output, restored: Restored) -> dict[str, Any] | None:
    """What the network added to a restored desk; None when it was not asked."""
    earlier, joined = restored.earlier, restored.joined
    if earlier is None and joined is None and restored.offline is None:
        return None
    logs = {} if earlier is None else earlier.logs
    return {
        "leaves": 0 if earlier is None else earlier.leaves,
        "closed": 0 if earlier is None else earlier.closed,
        "withheld": 0 if earlier is None else earlier.withheld,
        "logs": {
            name: {
                "exhibits": item.exhibits, "tokens": item.tokens, "certificates": item.certificates,
                "events": item.events, "closed": item.closed, "withheld": item.withheld,
                "untimed": item.untimed, "refused": item.refused,
            }
            for name, item in logs.items()
        },
        "absent": list(restored.absent),
        "registration": None
        if joined is None
        else {"status": joined.status, "automatic": joined.automatic, "succeeds": joined.succeeds or None},
        "keybag": None if restored.copies is None else {"whole": restored.copies.whole},
        "offline": None if restored.offline is None else error_json(restored.offline, out.language),
        "faults": [fault_json(out, item) for item in _faults(restored)],
    }  # fmt: skip


def _faults(restored: Restored) -> list[GatewayFault]:
    found = list(restored.faults)
    for part in (restored.earlier, restored.joined, restored.copies):
        found += [] if part is None else part.faults
    return found


# --- originals ------------------------------------------------------------------------------------------------


def _fill(out: Output, opened: Session, path: Path) -> dict[str, int]:
    with out.job() as job:
        came = _came(opened, path, job)
    out.say("restore.originals", count=came)
    found = _missing(out, opened)
    if not found["missing"] and opened.vault.exhibits.get_setting(ORIGINALS) == b"true":
        with opened.vault.transaction():
            opened.vault.exhibits.set_setting(ORIGINALS, b"false")
    return {"filled": came, **found}


def _came(opened: Session, path: Path, job: Job) -> int:
    if path.is_file():
        with contextlib.suppress(MalformedError):
            return fill_from_backup(opened.vault, path, job=job)
    return fill_from_folder(opened.desk, path, job=job)


def _missing(out: Output, opened: Session) -> dict[str, int]:
    missing = sum(1 for _ in missing_originals(opened.vault))
    closed = unopened(opened.desk)
    if missing:
        out.say("restore.originals_missing", count=missing)
    elif closed:
        out.say("restore.originals_unknown", count=closed)
    else:
        out.say("restore.originals_whole")
    return {"missing": missing}
