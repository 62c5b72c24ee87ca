"""``evidence-desk authority add|list|remove|test``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer
from asn1crypto import crl as revocation
from asn1crypto import pem, x509

from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, session
from evidence_desk.core.digests import sha256
from evidence_desk.core.moment import format_moment
from evidence_desk.errors import MalformedError, NotFoundError, UnreadableError, UsageError
from evidence_desk.settings import AuthorityKind, AuthoritySetting
from evidence_desk.terminal.layout import printable
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

app = typer.Typer(help="时间戳机构 / timestamp authorities")
_LIMIT = 1 << 20
_DER: Final = {"CERTIFICATE": x509.Certificate, "X509 CRL": revocation.CertificateList}
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
        setting = AuthoritySetting(
            name=name or url, kind=AuthorityKind.HTTP, url=url, policy=policy,
            roots="".join(_pem(path) for path in trust or ()), crl_urls=tuple(crl or ()),
        )  # fmt: skip
        present = opened.settings
        if any(item.name == setting.name for item in present):
            raise UsageError("authority_setting.exists", name=setting.name)
        opened.authority(setting)
        opened.set_authorities((*present, setting) if last else (setting, *present))
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
        if not any(item.name == name for item in opened.settings):
            raise NotFoundError("authority_setting.unknown", name=name)
        left = tuple(
            replace(item, kind=AuthorityKind.RETIRED) if item.name == name else item
            for item in opened.settings
            if item.name != name or item.roots
        )
        opened.set_authorities(left)
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
        active = [item for item in opened.settings if item.kind is not AuthorityKind.RETIRED]
        found = [item for item in active if not name or item.name == name]
        if not found:
            raise NotFoundError("authority_setting.unknown", name=name or "-")
        authority = opened.authority(found[0])
        reply = authority.timestamp(sha256(b"evidence-desk authority test"))
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


def _pem(path: Path) -> str:
    """PEM text of certificates and CRLs, read strictly; DER files are taken too."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_LIMIT + 1)
    except OSError as error:
        code = "input.missing" if isinstance(error, FileNotFoundError) else "input.unreadable"
        raise UnreadableError(code, path=path.name, reason=error.strerror or "") from error
    if len(data) > _LIMIT:
        raise MalformedError("malformed.too_large", what=path.name, limit=_LIMIT)
    if pem.detect(data):
        return _checked(data)
    for label, kind in _DER.items():
        try:
            kind.load(data, strict=True).native  # noqa: B018 - parsing is the point
        except (ValueError, TypeError):
            continue
        armored: bytes = pem.armor(label, data)
        return armored.decode()
    raise MalformedError("malformed.pem")


def _checked(data: bytes) -> str:
    """PEM text with nothing but certificates and revocation lists in it, written anew: no key gets into the settings."""
    parts: list[bytes] = []
    try:
        for label, _headers, der in pem.unarmor(data, multiple=True):
            _DER[label].load(der, strict=True).native  # noqa: B018 - parsing is the point
            parts.append(pem.armor(label, der))
    except (ValueError, TypeError, KeyError) as error:
        raise MalformedError("malformed.pem") from error
    return b"".join(parts).decode()


def _json(item: AuthoritySetting) -> dict[str, object]:
    return {
        "name": item.name, "kind": item.kind.value, "url": item.url, "policy": item.policy,
        "trusted": bool(item.roots), "crl_urls": list(item.crl_urls),
    }  # fmt: skip
