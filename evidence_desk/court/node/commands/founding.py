"""Making a node, founding a network, joining one."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from evidence_desk.court.node.ceremony import (
    MEMBER_FILE,
    NETWORK_FILE,
    GenesisFile,
    Member,
    check_founding,
    check_network,
    consensus_private,
    fingerprint,
    found,
    parse_member,
    read_genesis,
)
from evidence_desk.court.node.commands.asking import new_passphrase
from evidence_desk.court.node.commands.options import FolderOption, JsonOption, LanguageOption
from evidence_desk.court.node.commands.record import ceremony_record
from evidence_desk.court.node.files import read_input, write_new
from evidence_desk.court.node.gateway.settings import GatewaySettings
from evidence_desk.court.node.governance_key import FILE as GOVERNANCE_FILE
from evidence_desk.court.node.governance_key import make_governance_key
from evidence_desk.court.node.home import (
    MAX_GENESIS,
    NodeHome,
    NodeSettings,
    check_peer,
    create_home,
    install_genesis,
)
from evidence_desk.court.protocol.network_file import MAX_FILE as MAX_NETWORK
from evidence_desk.court.protocol.network_file import parse_network
from evidence_desk.errors import UsageError
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

_MAX_MEMBER = 16 * 1024
_MAX_PEERS = 64 * 1024
PeerOption = Annotated[
    list[str] | None, typer.Option("--peer", help="其他节点 / another node: <id>@<host>:<port>")
]
ListenOption = Annotated[str, typer.Option(help="供其他节点连接的地址 / address for other nodes")]
NameOption = Annotated[str, typer.Option(help="节点名称 / name of the node")]
PortOption = Annotated[int, typer.Option(min=1, max=65535)]
GatewayPortOption = Annotated[
    int, typer.Option(min=0, max=65535, help="网关端口，0 为不设网关 / port of the gateway, 0 for none")
]
GatewayListenOption = Annotated[str, typer.Option(help="网关监听的地址 / address the gateway listens on")]


def init(
    *,
    folder: FolderOption,
    name: NameOption,
    institution: Annotated[
        str,
        typer.Option(help="机构代码（小写字母、数字、连字符）；不填则为观察节点 / code of the institution"),
    ] = "",
    title: Annotated[str, typer.Option(help="机构名称 / display name of the institution")] = "",
    governance_key: Annotated[
        Path | None, typer.Option(help="治理密钥文件，可放在别处 / where to put the governance key")
    ] = None,
    protect: Annotated[
        bool, typer.Option("--protect", help="用口令加密治理密钥 / encrypt the governance key")
    ] = False,
    address: Annotated[
        str, typer.Option(help="其他节点连接本节点的地址 / where others reach this node: <host>:<port>")
    ] = "",
    genesis: Annotated[Path | None, typer.Option(help="创世文件 / genesis document")] = None,
    peer: PeerOption = None,
    listen: ListenOption = "0.0.0.0",  # noqa: S104 - a node is there to be reached
    p2p_port: PortOption = 26656,
    rpc_port: PortOption = 26657,
    gateway_port: GatewayPortOption = 0,
    gateway_listen: GatewayListenOption = "127.0.0.1",
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """创建节点：生成密钥并显示指纹 / make a node: fresh keys, fingerprints printed."""
    with Output(language, as_json=as_json) as out:
        home = create_home(
            folder,
            _settings(name, listen, (p2p_port, rpc_port), peer, _gateway(gateway_listen, gateway_port)),
        )
        if genesis is not None:
            install_genesis(home, genesis)
        document = _told_identity(out, home)
        if institution:
            key_file = governance_key or home.path / GOVERNANCE_FILE
            secret = new_passphrase(out, wanted=protect)
            document |= _told_member(
                out, home, (institution, title or institution, address), (key_file, secret)
            )
        out.document(document)


def _gateway(listen: str, port: int) -> GatewaySettings | None:
    return GatewaySettings(listen=listen, port=port) if port else None


def _settings(
    name: str,
    listen: str,
    ports: tuple[int, int],
    peer: list[str] | None,
    gateway: GatewaySettings | None,
) -> NodeSettings:
    return NodeSettings(
        name=name,
        p2p_port=ports[0],
        rpc_port=ports[1],
        listen=listen,
        peers=tuple(check_peer(item) for item in peer or ()),
        gateway=gateway,
    )


def _told_identity(out: Output, home: NodeHome) -> dict[str, Any]:
    identity = home.identity()
    out.say("node.init.done", path=os.fspath(home.path))
    out.say("node.init.node_id", node_id=identity.node_id)
    out.say("node.init.validator", key=identity.validator_key.hex())
    out.say("node.init.fingerprint", fingerprint=identity.fingerprint)
    return {
        "path": os.fspath(home.path),
        "node_id": identity.node_id,
        "validator_key": identity.validator_key.hex(),
        "fingerprint": identity.fingerprint,
    }


def _told_member(
    out: Output, home: NodeHome, named: tuple[str, str, str], kept: tuple[Path, str]
) -> dict[str, Any]:
    """Make governance key and member file; `named` is code, name, address, `kept` the key's file and passphrase."""
    institution, title, address = named
    key_file, secret = kept
    governance = make_governance_key(key_file, secret)
    identity = home.identity()
    member = Member(
        institution=institution,
        name=title,
        node_id=identity.node_id,
        consensus_key=identity.validator_key,
        governance_key=governance.public_key().public_bytes_raw(),
        peer=f"{identity.node_id}@{address}" if address else "",
    )
    file = home.path / MEMBER_FILE
    write_new(file, member.encode(consensus=consensus_private(home), governance=governance))
    mark = fingerprint(member.governance_key)
    out.say("ceremony.governance", path=os.fspath(key_file), fingerprint=mark)
    if not secret:
        out.errors.print(out.text("ceremony.governance_plain"), style="yellow")
    out.say("ceremony.member", path=os.fspath(file))
    return {
        "member": os.fspath(file),
        "governance_key_file": os.fspath(key_file),
        "governance_key": member.governance_key.hex(),
        "governance_fingerprint": mark,
    }


def genesis(
    *,
    chain: Annotated[str, typer.Option(help="网络名称，后接随机数 / name; random digits follow")] = "",
    member: Annotated[
        list[Path] | None, typer.Option(help="机构文件 member.json / an institution's file")
    ] = None,
    out_folder: Annotated[Path | None, typer.Option("--out", help="输出文件夹 / folder to write to")] = None,
    time: Annotated[str, typer.Option(help="创世时间（UTC，RFC 3339）/ time of genesis")] = "",
    check: Annotated[
        Path | None, typer.Option(help="核对已有的创世文件 / compare a genesis document")
    ] = None,
    network: Annotated[Path | None, typer.Option(help="一并核对 network.json / compare it as well")] = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """由各机构文件生成创世文件，或以 --check 核对 / found a network, or compare what was founded."""
    with Output(language, as_json=as_json) as out:
        members = [parse_member(read_input(path, _MAX_MEMBER)) for path in member or []]
        if check is not None:
            _check(out, check, members, network)
        elif chain and out_folder is not None:
            _found(out, (chain, time), members, out_folder)
        else:
            raise UsageError("ceremony.usage")


def _found(out: Output, named: tuple[str, str], members: list[Member], folder: Path) -> None:
    chain, time = named
    made = found(chain, members, time=time or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    genesis = read_genesis(made.genesis)
    write_new(folder / "genesis.json", made.genesis)
    write_new(folder / NETWORK_FILE, made.network)
    write_new(folder / "peers.txt", "".join(f"{item.peer}\n" for item in members if item.peer).encode())
    for language in Language:
        text = ceremony_record(made, genesis, members, language)
        write_new(folder / f"ceremony.{language.value}.txt", text.encode())
    out.say("ceremony.founded", chain_id=made.chain_id, path=os.fspath(folder))
    if len(members) < 4:
        out.errors.print(out.text("ceremony.few", count=len(members)), style="yellow")
    _told_fingerprints(out, genesis, made.network, members)


def _check(out: Output, file: Path, members: list[Member], network: Path | None) -> None:
    if not members:
        raise UsageError("ceremony.usage")
    genesis = read_genesis(read_input(file, MAX_GENESIS))
    data = b"" if network is None else read_input(network, MAX_NETWORK)
    check_founding(genesis, members, parse_network(data) if data else None)
    out.say("ceremony.checked", chain_id=genesis.chain_id, institution=members[0].institution)
    _told_fingerprints(out, genesis, data, members)


def _told_fingerprints(out: Output, genesis: GenesisFile, network: bytes, members: list[Member]) -> None:
    names = {item.institution: item.name for item in members}
    out.say("ceremony.genesis_fingerprint", fingerprint=fingerprint(genesis.data))
    if network:
        out.say("ceremony.network_fingerprint", fingerprint=fingerprint(network))
    listed = []
    for item in genesis.state.institutions.members:
        marks = {
            "consensus": fingerprint(item.consensus_key),
            "governance": fingerprint(item.governance_key),
        }
        out.say(
            "ceremony.institution",
            institution=item.institution,
            name=names.get(item.institution, "—"),
            **marks,
        )
        listed.append({"institution": item.institution, "name": names.get(item.institution, ""), **marks})
    out.document(
        {
            "chain_id": genesis.chain_id,
            "time": genesis.time.text(),
            "genesis_fingerprint": fingerprint(genesis.data),
            "network_fingerprint": fingerprint(network) if network else None,
            "institutions": listed,
        }
    )


def join(
    *,
    folder: FolderOption,
    genesis: Annotated[Path, typer.Option(help="创世文件 / genesis document")],
    network: Annotated[Path, typer.Option(help="网络信任文件 network.json / the network's trust file")],
    name: Annotated[str, typer.Option(help="节点名称（新建时）/ name of a new node")] = "",
    peer: PeerOption = None,
    peers: Annotated[
        Path | None, typer.Option(help="节点地址清单，一行一个 / file of addresses, one a line")
    ] = None,
    listen: ListenOption = "0.0.0.0",  # noqa: S104 - a node is there to be reached
    p2p_port: PortOption = 26656,
    rpc_port: PortOption = 26657,
    gateway_port: GatewayPortOption = 0,
    gateway_listen: GatewayListenOption = "127.0.0.1",
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """加入网络：创始成员的节点，或没有表决权的观察节点 / join a network: a founder's node, or an observer without a vote."""
    with Output(language, as_json=as_json) as out:
        document = read_genesis(read_input(genesis, MAX_GENESIS))
        data = read_input(network, MAX_NETWORK)
        check_network(document, [], parse_network(data))
        listed = read_input(peers, _MAX_PEERS).decode("utf-8", "replace").split() if peers else []
        known = (folder / "node.toml").is_file()
        home = (
            NodeHome.open(folder)
            if known
            else create_home(
                folder,
                _settings(
                    name or folder.name,
                    listen,
                    (p2p_port, rpc_port),
                    [],
                    _gateway(gateway_listen, gateway_port),
                ),
            )
        )
        _take_up(home, genesis, data, [*(peer or []), *listed])
        told = _told_identity(out, home)
        founders = {item.consensus_key for item in document.state.institutions.members}
        validator = home.identity().validator_key in founders
        code = "ceremony.joined_validator" if validator else "ceremony.joined"
        out.say(code, chain_id=document.chain_id)
        out.say("ceremony.genesis_fingerprint", fingerprint=fingerprint(document.data))
        out.document(
            {
                **told,
                "chain_id": document.chain_id,
                "validator": validator,
                "genesis_fingerprint": fingerprint(document.data),
            }
        )


def _take_up(home: NodeHome, genesis: Path, network: bytes, peers: list[str]) -> None:
    """Put the network's documents and peers into a node's folder; a node never changes its network."""
    own = home.identity().node_id
    others = tuple(check_peer(item) for item in peers if not item.startswith(f"{own}@"))
    if not others:
        raise UsageError("ceremony.no_peer")
    if home.genesis_file.exists() and home.genesis_file.read_bytes() != genesis.read_bytes():
        raise UsageError("ceremony.other_network", path=os.fspath(home.path))
    install_genesis(home, genesis)
    trust = home.path / NETWORK_FILE
    if not trust.exists():
        write_new(trust, network)
    home.write_settings(replace(home.settings(), peers=tuple(dict.fromkeys(others))))
