"""``evidence-desk signer use|pkcs11|tokens|show``: whose key signs certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from asn1crypto import x509

from evidence_desk.bootstrap.pem_texts import certificates_of
from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, passphrase, session
from evidence_desk.cli.pin import pin_prompt
from evidence_desk.core.digests import sha256
from evidence_desk.crypto.pki import identity_from_pkcs12
from evidence_desk.errors import MalformedError, UnreadableError, UsageError
from evidence_desk.pkcs11.choosing import choose_signer
from evidence_desk.pkcs11.module import list_tokens
from evidence_desk.settings import Pkcs11Setting
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

app = typer.Typer(no_args_is_help=True, help="出证签名密钥 / the key that signs certificates")
KEY_PASSPHRASE = "EVIDENCE_DESK_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
_LIMIT = 1 << 20


@app.command()
def use(
    file: Annotated[Path, typer.Argument(help="PKCS#12 文件（.p12/.pfx），含证书链 / with its chain")],
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """以机构的密钥签发证书 / Sign certificates with an institution's key (RSA or P-256)."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        data = _read(file)
        secret = passphrase(out, code="signer.ask_passphrase", variable=KEY_PASSPHRASE)
        opened.set_signer(identity_from_pkcs12(data, secret.encode() or None))
        issuer = opened.issuer()
        out.say("signer.done", name=issuer.name)
        out.document({"signer": issuer.name, "demo": issuer.demo})


ModuleOption = Annotated[
    Path, typer.Option("--module", help="PKCS#11 模块文件（.so、.dll）/ PKCS#11 module of the vendor")
]


@app.command()
def pkcs11(
    module: Annotated[
        Path | None,
        typer.Option("--module", help="PKCS#11 模块文件（.so、.dll）/ PKCS#11 module of the vendor"),
    ] = None,
    token: Annotated[
        str, typer.Option("--token", help="密码设备的标签或序列号 / label or serial number of the token")
    ] = "",
    key: Annotated[str, typer.Option("--key", help="密钥的标签或 ID / label or ID of the key")] = "",
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--certificate", help="证书文件，含上级证书；不写则用设备中的 / certificates, else the token's"
        ),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="不再使用密码设备 / stop using the token")] = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """以密码设备中的密钥签发证书 / Sign certificates with a key in a security token (PKCS#11)."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        if remove:
            opened.signer.leave_token()
            out.say("signer.removed")
            out.document({"removed": True})
            return
        if module is None:
            raise UsageError("signer.module_missing", module="--module")
        certificates, crls = ((), ()) if certificate is None else certificates_of(_read(certificate))
        setting = choose_signer(
            module.absolute(), pin_prompt(out), token=token, key=key, certificates=certificates
        )
        opened.set_token_signer(setting, crls)
        issuer = opened.issuer()
        out.say("signer.done", name=issuer.name)
        _say_token(out, setting)
        out.document({"signer": issuer.name, "demo": issuer.demo, "token": _token_json(setting)})


@app.command()
def tokens(module: ModuleOption, lang: LanguageOption = Language.ZH, as_json: JsonOption = False) -> None:
    """列出密码设备 / List security tokens."""
    with Output(lang, as_json=as_json) as out:
        found = list_tokens(module.absolute())
        if not found:
            out.say("signer.no_token")
        for item in found:
            out.say(
                "signer.token", label=item.label, serial=item.serial, manufacturer=item.manufacturer,
                model=item.model,
            )  # fmt: skip
            if item.pin_locked or not item.ready:
                state = "signer.token_locked" if item.pin_locked else "signer.token_unready"
                out.line(f"    {out.text(state)}")
        out.document(
            {
                "tokens": [
                    {
                        "label": item.label, "serial": item.serial, "manufacturer": item.manufacturer,
                        "model": item.model, "ready": item.ready, "pin_failed": item.pin_failed,
                        "pin_last_try": item.pin_last_try, "pin_locked": item.pin_locked, "pin_pad": item.pin_pad,
                    }
                    for item in found
                ]
            }
        )  # fmt: skip


@app.command()
def show(vault: VaultOption = None, lang: LanguageOption = Language.ZH, as_json: JsonOption = False) -> None:
    """显示出证签名证书 / Show the signing certificate."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        der = opened.signer_certificate()
        certificate = x509.Certificate.load(der)
        issuer = opened.issuer()
        until = certificate.not_valid_after.isoformat()
        fingerprint = sha256(der).hex()
        out.say("signer.shown", name=issuer.name, until=until, fingerprint=fingerprint)
        if issuer.demo:
            out.say("signer.demo")
        setting = opened.signer.setting
        document: dict[str, Any] = {
            "signer": issuer.name, "demo": issuer.demo, "until": until, "certificate_sha256": fingerprint,
        }  # fmt: skip
        if setting is not None:
            _say_token(out, setting)
            document["token"] = _token_json(setting)
        out.document(document)


def _say_token(out: Output, setting: Pkcs11Setting) -> None:
    out.say(
        "signer.in_token", token=setting.token_label, serial=setting.token_serial,
        key=setting.key_label or setting.key_id, module=setting.module,
    )  # fmt: skip


def _token_json(setting: Pkcs11Setting) -> dict[str, str]:
    return {
        "module": setting.module, "label": setting.token_label, "serial": setting.token_serial,
        "key_label": setting.key_label, "key_id": setting.key_id,
    }  # fmt: skip


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            data = stream.read(_LIMIT + 1)
    except OSError as error:
        raise UnreadableError("input.unreadable", path=file.name, reason=error.strerror or "") from error
    if len(data) > _LIMIT:
        raise MalformedError("malformed.too_large", what=file.name, limit=_LIMIT)
    return data
