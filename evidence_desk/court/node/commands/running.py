"""Running a node or a demonstration network, and looking at it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from evidence_desk.court.node.commands.options import FolderOption, JsonOption, LanguageOption
from evidence_desk.court.node.engine import find_engine
from evidence_desk.court.node.gateway.settings import GatewaySettings
from evidence_desk.court.node.home import NodeHome
from evidence_desk.court.node.localnet import open_localnet, run_localnet, run_node
from evidence_desk.court.node.rpc import engine_status, gateway_answers, peers
from evidence_desk.court.node.service import serve_application
from evidence_desk.court.node.supervisor import Running, read_running
from evidence_desk.court.protocol.history import DEMO_PREFIX
from evidence_desk.errors import ConfigurationError, RemoteError
from evidence_desk.terminal.output import ErrorTold, Output
from evidence_desk.texts import Language


def start(*, folder: FolderOption, language: LanguageOption = Language.ZH) -> None:
    """运行节点直至收到 SIGTERM / run the node until SIGTERM: application, engine and gateway; what ends is restarted."""
    with Output(language, as_json=False):
        home = NodeHome.open(folder)
        if not home.genesis_file.is_file():
            raise ConfigurationError("node.no_genesis", path=os.fspath(home.genesis_file))
        asyncio.run(run_node(home, find_engine()))


def status(
    *, folder: FolderOption, as_json: JsonOption = False, language: LanguageOption = Language.ZH
) -> None:
    """查看节点或本机演示网络的状态 / state of a node, or of all nodes of a localnet."""
    with Output(language, as_json=as_json) as out:
        homes = _homes(folder)
        found = asyncio.run(_statuses(homes))
        for item in found:
            code = "node.status.running" if item["running"] else "node.status.silent"
            out.say(code, **{key: value for key, value in item.items() if isinstance(value, str | int)})
            if item["running"]:
                out.line(
                    "  " + out.text("node.status.votes" if item["validator"] else "node.status.observes")
                )
            if item["gateway"] is not None:
                answers = item["gateway"]["answers"]
                out.say(
                    "node.status.gateway" if answers else "node.status.gateway_silent",
                    url=item["gateway"]["url"],
                )
        out.document({"nodes": found})
        if not any(item["running"] for item in found):
            raise ErrorTold(RemoteError.exit_status)


def localnet(
    count: Annotated[int, typer.Argument(metavar="N", help="节点数 / number of validators")],
    *,
    folder: FolderOption,
    base_port: Annotated[
        int, typer.Option(help="起始端口，0 为自动 / first port, 0 for free ones", min=0, max=65000)
    ] = 0,
    until_eof: Annotated[
        bool,
        typer.Option(
            "--until-eof",
            help="标准输入关闭时停止 / stop when standard input closes, with the program that started it",
        ),
    ] = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """在本机运行 N 个验证节点（演示/非第三方）/ run N validators on this machine (demo, no third party)."""
    with Output(language, as_json=False) as out:
        engine = find_engine()
        net = open_localnet(folder, count, base_port=base_port)

        def ready() -> None:
            line = {"gateways": net.gateways, "trust": os.fspath(net.trust), "chain_id": net.chain_id}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
            out.errors.print(out.text("node.localnet.ready", count=count, chain_id=net.chain_id))

        asyncio.run(run_localnet(net, engine, ready, until_eof=until_eof))


def application(
    *,
    folder: Annotated[Path, typer.Option("--home")],
    supervised: Annotated[bool, typer.Option()] = True,
    language: LanguageOption = Language.ZH,
) -> None:
    """状态机进程，由 start 启动 / the state machine's process, started by `start`."""
    with Output(language, as_json=False):
        serve_application(NodeHome.open(folder), supervised=supervised)


def gateway(
    *,
    folder: Annotated[Path, typer.Option("--home")],
    supervised: Annotated[bool, typer.Option()] = True,
    language: LanguageOption = Language.ZH,
) -> None:
    """网关进程，由 start 启动 / the gateway's process, started by `start`."""
    with Output(language, as_json=False):
        from evidence_desk.court.node.gateway.serve import serve_gateway  # noqa: PLC0415 - a fifth of a second

        serve_gateway(NodeHome.open(folder), supervised=supervised)


def _homes(folder: Path) -> list[NodeHome]:
    if (folder / "node0").is_dir():
        nodes = sorted(folder.glob("node[0-9]*"), key=lambda path: int(path.name[4:] or 0))
        return [NodeHome.open(path) for path in nodes]
    return [NodeHome.open(folder)]


async def _statuses(homes: list[NodeHome]) -> list[dict[str, Any]]:
    return list(await asyncio.gather(*(_status(home) for home in homes)))


async def _gateway(settings: GatewaySettings | None, running: Running) -> dict[str, Any] | None:
    if settings is None:
        return None
    return {
        "url": settings.url,
        "answers": await gateway_answers(settings),
        "restarts": running.gateway_restarts,
    }


async def _status(home: NodeHome) -> dict[str, Any]:
    settings, running = home.settings(), read_running(home)
    found: dict[str, Any] = {
        "name": settings.name,
        "demo": settings.name.startswith(DEMO_PREFIX),
        "node_id": home.identity().node_id,
        "rpc": settings.rpc_url,
        "processes": {
            "application": running.application,
            "engine": running.engine,
            "gateway": running.gateway,
        },
        "restarts": running.restarts,
        "gateway": await _gateway(settings.gateway, running),
        "running": False,
    }
    try:
        engine = await engine_status(settings.rpc_url)
        found |= {
            "running": True,
            "chain_id": engine.network,
            "height": engine.height,
            "time": engine.block_time,
            "app_hash": engine.app_hash,
            "block_hash": engine.block_hash,
            "catching_up": engine.catching_up,
            "validator": engine.power > 0,
            "peers": await peers(settings.rpc_url),
        }
    except RemoteError:
        found["running"] = False
    return found
