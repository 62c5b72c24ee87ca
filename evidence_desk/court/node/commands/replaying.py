"""``court-node replay``."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.court.node.ceremony import read_genesis
from evidence_desk.court.node.commands.options import JsonOption, LanguageOption
from evidence_desk.court.node.door import NodeDoor
from evidence_desk.court.node.files import read_input
from evidence_desk.court.node.home import MAX_GENESIS, NodeHome
from evidence_desk.court.node.replay import Executed, read_chain, replay, write_chain
from evidence_desk.errors import HostError, UsageError
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language


def replay_chain(
    *,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="运行中的本机节点 / the own node, running")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="已导出的链文件 / an exported chain")] = None,
    export: Annotated[Path | None, typer.Option("--export", help="另存为链文件 / export to a file")] = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """自创世起重新执行全部区块，逐块核对哈希 / execute the whole chain again and compare every hash."""
    with Output(language, as_json=as_json) as out:
        if (folder is None) is (file is None) or (export is not None and folder is None):
            raise UsageError("replay.source")
        if folder is not None:
            home = NodeHome.open(folder)
            data = read_input(home.genesis_file, MAX_GENESIS)
            genesis, blocks = read_genesis(data), node_blocks(NodeDoor(home))
            if export is not None:
                _export(export, data, blocks)
                genesis, blocks = read_chain(export)
        else:
            genesis, blocks = read_chain(file or Path())
        done = replay(genesis, blocks)
        facts: dict[str, str | int] = {
            "height": done.height,
            "transactions": done.transactions,
            "python": platform.python_version(),
        }
        out.say("replay.done", chain_id=done.chain_id, app_hash=done.app_hash.hex(), **facts)
        out.document({"chain_id": done.chain_id, "app_hash": done.app_hash.hex(), **facts})


def node_blocks(door: NodeDoor) -> Iterator[Executed]:
    """All blocks but the newest, whose outcome no header states yet."""
    top = door.standing().height
    txs = door.block(1).txs
    for height in range(1, top):
        following = door.block(height + 1)
        yield Executed(
            height=height, txs=txs, app_hash=following.app_hash, results_hash=following.results_hash
        )
        txs = following.txs


def _export(file: Path, genesis: bytes, blocks: Iterator[Executed]) -> None:
    staging = file.with_name(f".{file.name}.new")
    if file.exists():
        raise UsageError("operation.exists", path=os.fspath(file))
    try:
        with staging.open("wb") as stream:
            write_chain(stream, genesis, blocks)
        staging.replace(file)
    except OSError as error:
        raise HostError("operation.unwritable", path=os.fspath(file)) from error
    finally:
        staging.unlink(missing_ok=True)
