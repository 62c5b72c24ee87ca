"""``court-node backup``, ``restore`` and ``resync``."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer

from evidence_desk.court.client import HttpGateway
from evidence_desk.court.node.backup import (
    MARGIN,
    backup,
    dated_name,
    restore_node,
    restore_state,
    rotate,
    wipe,
)
from evidence_desk.court.node.commands.asking import BACKUP_PASSPHRASE, confirm, new_passphrase, passphrase
from evidence_desk.court.node.commands.options import FolderOption, JsonOption, LanguageOption
from evidence_desk.court.node.door import GatewayDoor
from evidence_desk.court.node.home import NodeHome
from evidence_desk.errors import UsageError
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language


def backup_node(
    file: Annotated[
        Path, typer.Argument(help="备份文件，或存放备份的已有文件夹 / file, or an existing folder")
    ],
    *,
    folder: FolderOption,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="包含密钥（以口令加密）/ keys too, encrypted by a passphrase")
    ] = False,
    keep: Annotated[
        int, typer.Option(min=0, help="文件夹中只保留最新几份，0 为全部 / keep the newest n")
    ] = 0,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """备份节点，运行中也可 / back up a node, also while it runs."""
    with Output(language, as_json=as_json) as out:
        home = NodeHome.open(folder)
        node_id = home.identity().node_id
        target = (
            file / dated_name(node_id, datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
            if file.is_dir()
            else file
        )
        secret = new_passphrase(out, BACKUP_PASSPHRASE, wanted=True) if with_keys else ""
        made = backup(home, target, passphrase=secret)
        gone = rotate(file, node_id, keep) if file.is_dir() else []
        out.say("backup.made", path=os.fspath(target), height=made.height)
        if not with_keys:
            out.say("backup.without_keys")
        out.document(
            {
                "path": os.fspath(target),
                "chain_id": made.chain_id,
                "height": made.height,
                "app_hash": made.app_hash.hex(),
                "with_keys": made.with_keys,
                "deleted": [path.name for path in gone],
            }
        )


def restore(
    file: Annotated[Path, typer.Argument(help="备份文件 / the backup")],
    *,
    folder: FolderOption,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="恢复验证密钥；原节点须已永久停机 / restore the keys as well")
    ] = False,
    gateway: Annotated[
        list[str] | None,
        typer.Option("--gateway", help="用于得知网络高度的网关 / tells the network's height"),
    ] = None,
    height: Annotated[int, typer.Option(min=0, help="原节点停机后得知的网络高度 / the network's height")] = 0,
    state_only: Annotated[
        bool, typer.Option("--state", help="只替换已停机节点的状态库 / only the state of a stopped node")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问（脚本用）/ do not ask (for scripts)")] = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """由备份恢复节点；区块从其他节点补齐 / restore a node; its blocks come from the others."""
    with Output(language, as_json=as_json) as out:
        if state_only:
            done = restore_state(file, NodeHome.open(folder))
            out.say("backup.state_restored", height=done.height)
            out.document({"path": os.fspath(folder), "height": done.height})
            return
        secret, newest = "", height
        if with_keys:
            out.errors.print(out.text("backup.key_warning"), style="yellow")
            confirm(out, yes=yes)
            newest = max([height, *(_height(url) for url in gateway or ())])
            if not newest:
                raise UsageError("backup.height_needed", least=1, found=0)
            secret = passphrase(out, BACKUP_PASSPHRASE)
        home = restore_node(file, folder, passphrase=secret, network_height=newest)
        identity = home.identity()
        out.say("backup.restored", path=os.fspath(home.path), node_id=identity.node_id)
        code = "backup.signs_again" if with_keys else "backup.fresh_keys"
        out.say(code, height=newest + MARGIN)
        out.document(
            {
                "path": os.fspath(home.path),
                "node_id": identity.node_id,
                "validator_key": identity.validator_key.hex(),
                "signs_after": newest + MARGIN if with_keys else None,
            }
        )


def _height(url: str) -> int:
    http = httpx.Client(follow_redirects=False)
    try:
        return GatewayDoor(HttpGateway(url, http)).standing().height
    finally:
        http.close()


def resync(
    *,
    folder: FolderOption,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问（脚本用）/ do not ask (for scripts)")] = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """清空已停机节点的区块与状态，启动后从其他节点重新同步 / wipe a stopped node; it follows anew from the others."""
    with Output(language, as_json=as_json) as out:
        home = NodeHome.open(folder)
        out.errors.print(out.text("backup.wipe_warning", path=os.fspath(home.path)), style="yellow")
        confirm(out, yes=yes)
        wipe(home)
        out.say("backup.wiped")
        out.document({"path": os.fspath(home.path)})
