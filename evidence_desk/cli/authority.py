"""``evidence-desk authority add|list|remove|test``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.bootstrap.authorities import add_authority, remove_authority, try_authority
from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, session
from evidence_desk.core.moment import format_moment
from evidence_desk.settings import AuthoritySetting
from evidence_desk.terminal.layout import printable
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

app = typer.Typer(help="时间戳机构 / timestamp authorities")
NameArgument = Annotated[str, typer.Argument(help="名称 / name")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="RFC 3161 服务地址 / address of the service")],
    name: Annotated[str, typer.Option("--name", help="名称 / name")] = "",
    trust: Annotated[
        list[Path] | None, typer.Option("--trust", help="机构根证书或吊销列表（PEM）/ CA certificates, CRLs")
    ] = None,
    policy: Annotated[str, typer.Option("--policy", help="要求的策略 OID / policy to ask for")] = "",
    crl: Annotated[list[str] | None, typer.Option("--crl", help="吊销列表地址 / address of a CRL")] = None,
    last: Annotated[bool, typer.Option("--last", help="排在最后 / try it last")] = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """增加时间戳机构，默认排在最前 / Add an authority; it is tried first."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        setting = add_authority(
            opened, url, name=name, trust=trust or (), policy=policy, crl_urls=crl or (), last=last
        )
        out.say("authority_setting.added", name=setting.name)
        if not setting.roots:
            out.say("authority_setting.no_roots")
        out.document({"authority": _json(setting)})


@app.command("list")
def list_authorities(
    vault: VaultOption = None, lang: LanguageOption = Language.ZH, as_json: JsonOption = False
) -> None:
    """列出时间戳机构 / List authorities in order."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        for item in opened.settings:
            kind = out.text(f"authority_setting.kind.{item.kind.value}")
            roots = out.text(f"authority_setting.{'trusted' if item.roots else 'untrusted'}")
            parts = (printable(item.name), printable(item.url), kind, roots)
            out.line("  ".join(part for part in parts if part))
        if not opened.settings:
            out.say("authority_setting.none")
        out.document({"authorities": [_json(item) for item in opened.settings]})


@app.command()
def remove(
    name: NameArgument,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """移除时间戳机构 / Remove an authority."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        left = remove_authority(opened, name)
        kept = any(item.name == name for item in left)
        out.say("authority_setting.retired" if kept else "authority_setting.removed", name=name)
        out.document({"authorities": [_json(item) for item in left]})


@app.command("test")
def try_out(
    name: Annotated[str, typer.Argument(help="名称；不写则第一个 / name, or the first")] = "",
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """向时间戳机构要一枚试验时间戳 / Ask an authority for a trial token."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        reply = try_authority(opened, name)
        milliseconds = int(reply.transport.get("round_trip_ms", 0))
        out.say(
            "authority_setting.answered",
            name=reply.authority, gen_time=format_moment(reply.gen_time), milliseconds=milliseconds,
        )  # fmt: skip
        out.document(
            {
                "authority": reply.authority, "gen_time": format_moment(reply.gen_time),
                "round_trip_ms": milliseconds,
            }
        )  # fmt: skip


def _json(item: AuthoritySetting) -> dict[str, object]:
    return {
        "name": item.name, "kind": item.kind.value, "url": item.url, "policy": item.policy,
        "trusted": bool(item.roots), "crl_urls": list(item.crl_urls),
    }  # fmt: skip
