"""``evidence-desk signer use|show``: whose key signs certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from asn1crypto import x509

from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, passphrase, session
from evidence_desk.core.digests import sha256
from evidence_desk.crypto.pki import identity_from_pkcs12
from evidence_desk.errors import MalformedError, UnreadableError
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
        out.document(
            {"signer": issuer.name, "demo": issuer.demo, "until": until, "certificate_sha256": fingerprint}
        )


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            data = stream.read(_LIMIT + 1)
    except OSError as error:
        raise UnreadableError("input.unreadable", path=file.name, reason=error.strerror or "") from error
    if len(data) > _LIMIT:
        raise MalformedError("malformed.too_large", what=file.name, limit=_LIMIT)
    return data
