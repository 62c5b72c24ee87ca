"""Making a node."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.court.node.commands.options import FolderOption, JsonOption, LanguageOption
from evidence_desk.court.node.home import NodeSettings, check_peer, create_home, install_genesis
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language


def init(
    *,
    folder: FolderOption,
    name: Annotated[str, typer.Option(help="节点名称 / name of the node")],
    genesis: Annotated[Path | None, typer.Option(help="创世文件 / genesis document")] = None,
    peer: Annotated[
        list[str] | None, typer.Option(help="其他节点 / another node: <id>@<host>:<port>")
    ] = None,
    listen: Annotated[str, typer.Option(help="供其他节点连接的地址 / address for other nodes")] = "0.0.0.0",  # noqa: S104
    p2p_port: Annotated[int, typer.Option(min=1, max=65535)] = 26656,
    rpc_port: Annotated[int, typer.Option(min=1, max=65535)] = 26657,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """创建节点：生成密钥并显示指纹 / make a node: fresh keys, fingerprints printed."""
    with Output(language, as_json=as_json) as out:
        settings = NodeSettings(
            name=name,
            p2p_port=p2p_port,
            rpc_port=rpc_port,
            listen=listen,
            peers=tuple(check_peer(item) for item in peer or ()),
        )
        home = create_home(folder, settings)
        if genesis is not None:
            install_genesis(home, genesis)
        identity = home.identity()
        out.say("node.init.done", path=os.fspath(home.path))
        out.say("node.init.node_id", node_id=identity.node_id)
        out.say("node.init.validator", key=identity.validator_key.hex())
        out.say("node.init.fingerprint", fingerprint=identity.fingerprint)
        out.document(
            {
                "path": os.fspath(home.path),
                "node_id": identity.node_id,
                "validator_key": identity.validator_key.hex(),
                "fingerprint": identity.fingerprint,
            }
        )
