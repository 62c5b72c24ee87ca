"""``court-node trust-bundle``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.core.trust import MANIFEST, MAX_FILE, MAX_MANIFEST
from evidence_desk.court.node.abci.messages import validator_address
from evidence_desk.court.node.bundle import (
    OLD_TRUST,
    bundle_files,
    extend,
    is_stale,
    started_from,
    trust_age,
)
from evidence_desk.court.node.ceremony import Member, fingerprint, parse_member, read_genesis
from evidence_desk.court.node.commands.asking import confirm
from evidence_desk.court.node.commands.options import JsonOption, LanguageOption
from evidence_desk.court.node.door import Door, NodeDoor, open_door
from evidence_desk.court.node.files import read_input, write_new
from evidence_desk.court.node.governing import read_governance
from evidence_desk.court.node.home import MAX_GENESIS, NodeHome
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.network_file import parse_network
from evidence_desk.errors import IntegrityError, UsageError
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

_MAX_MEMBER = 16 * 1024


def trust_bundle(
    *,
    out_folder: Annotated[Path, typer.Option("--out", help="输出文件夹 / folder to write")],
    folder: Annotated[
        Path | None, typer.Option("--dir", help="本机节点文件夹 / the own node's folder")
    ] = None,
    gateway: Annotated[str, typer.Option("--gateway", help="网关地址 / address of a gateway")] = "",
    trust: Annotated[
        Path | None, typer.Option("--trust", help="已有的信任文件夹 / trust folder to start from")
    ] = None,
    genesis: Annotated[
        Path | None, typer.Option(help="当面核对过的创世文件 / genesis document compared at the ceremony")
    ] = None,
    member: Annotated[
        list[Path] | None, typer.Option(help="机构文件，用于显示名称 / member files, for names")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问（脚本用）/ do not ask (for scripts)")] = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """更新信任包：逐级核验验证者的变更，加入新的区块头 / make a newer trust bundle by light verification."""
    with Output(language, as_json=as_json) as out:
        door = open_door(None if folder is None else NodeHome.open(folder), gateway)
        members = [parse_member(read_input(path, _MAX_MEMBER)) for path in member or []]
        now = datetime.now(UTC)
        start, manifest = _start(trust, genesis, members, door.standing().chain_id)
        if gateway and trust_age(start, now) > OLD_TRUST:
            out.errors.print(out.text("bundle.old_trust", days=trust_age(start, now).days), style="yellow")
            confirm(out, yes=yes)
        found = extend(start, door, door.standing().height, now=now)
        named = _named(found.trust, members, door)
        files = bundle_files(named, manifest, _reader(trust))
        for name, data in files.items():
            write_new(out_folder / name, data)
        if is_stale(found.newest, now):
            out.errors.print(out.text("bundle.stale", time=found.newest.time.text()), style="yellow")
        mark = fingerprint(files[MANIFEST])
        signers = [named.institutions.get(address, address.hex()) for address in found.signers]
        facts: dict[str, str | int] = {
            "height": found.newest.height,
            "time": found.newest.time.text(),
            "added": found.added,
        }
        out.say("bundle.made", chain_id=named.chain_id, path=os.fspath(out_folder), **facts)
        out.say("bundle.signers", names=", ".join(signers), count=len(signers))
        out.say("bundle.fingerprint", fingerprint=mark)
        out.document(
            {
                "chain_id": named.chain_id,
                **facts,
                "signers": signers,
                "trust_fingerprint": mark,
                "path": os.fspath(out_folder),
            }
        )


def _start(
    trust: Path | None, genesis: Path | None, members: list[Member], chain_id: str
) -> tuple[NetworkTrust, bytes | None]:
    """What is trusted before, and the manifest it came with."""
    if trust is not None and genesis is None:
        manifest = read_input(trust / MANIFEST, MAX_MANIFEST)
        return parse_network(started_from(manifest, _reader(trust), chain_id)), manifest
    if genesis is None or trust is not None:
        raise UsageError("bundle.no_start")
    document = read_genesis(read_input(genesis, MAX_GENESIS))
    if document.chain_id != chain_id:
        raise IntegrityError("bundle.other_network", chain_id=document.chain_id, found=chain_id)
    return document.trust({item.institution: item.name for item in members}), None


def _reader(folder: Path | None) -> Callable[[str], bytes]:
    def read(name: str) -> bytes:
        if folder is None:
            raise UsageError("bundle.no_start")
        return read_input(folder / name, MAX_FILE)

    return read


def _named(trust: NetworkTrust, members: list[Member], door: Door) -> NetworkTrust:
    """Names of institutions that joined later: from their member files, else their codes as the own node knows them."""
    names: dict[bytes, str] = {}
    if isinstance(door, NodeDoor):
        shown = read_governance(door.governance(), trust.chain_id)
        names = {validator_address(item.consensus_key): item.institution for item in shown.members.members}
    names |= trust.institutions
    names |= {validator_address(item.consensus_key): item.name for item in members}
    return replace(trust, institutions=names)
