"""``evidence-tsa``: run the embedded timestamp authority, or verify a token by itself."""

from __future__ import annotations

import getpass
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import platformdirs
import typer
from asn1crypto import pem
from cryptography.hazmat.primitives import hashes
from typer.exceptions import TyperException

from evidence_desk.core.digests import sha256
from evidence_desk.core.verdict import TOKEN_POLICY, Caveat, ExitStatus, Verdict
from evidence_desk.crypto import oids
from evidence_desk.crypto.pki import Identity, KeyKind, identity_from_pkcs12, to_pem
from evidence_desk.crypto.suites import DIGESTS
from evidence_desk.errors import CanceledError, EvidenceDeskError, MalformedError, UnreadableError, UsageError
from evidence_desk.terminal.output import ErrorTold, Output
from evidence_desk.terminal.program import run_program
from evidence_desk.terminal.verdict_output import print_verdict, verdict_json
from evidence_desk.texts import Language
from tsa.policy import TokenTrust, is_demo
from tsa.request import REQUEST_LIMIT, TimestampRequest, parse_request
from tsa.response import RESPONSE_LIMIT, parse_response, parse_token
from tsa.verify import TokenVerdict, verify_response, verify_token

PASSPHRASE: Final = "EVIDENCE_TSA_PASSPHRASE"  # noqa: S105 - the name of a variable
_MAX_TRUST: Final = 16 << 20
_CHUNK: Final = 1 << 20
_DIGEST: Final = re.compile(r"([A-Za-z0-9_-]+):([0-9A-Fa-f]+)\Z")
_SEQUENCE: Final = 0x30

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

LanguageOption = Annotated[
    Language, typer.Option("--lang", envvar="EVIDENCE_DESK_LANG", help="语言 / language")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="只输出一个 JSON 文档 / one JSON document and nothing else")
]


class MachineClock:
    """`core.ports.Clock` of this machine."""

    def now(self) -> datetime:
        """Present time, UTC."""
        return datetime.now(UTC)


@app.callback()
def _root() -> None:
    """时间戳服务与时间戳核验 / timestamp authority and token verification (RFC 3161)."""


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="监听地址 / address to serve on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口，0 为自动 / port, 0 for any", min=0, max=65535)] = 0,
    key: Annotated[
        str, typer.Option(help="rsa3072、p256、sm2，或 PKCS#12 文件 / or a PKCS#12 file")
    ] = KeyKind.P256.value,
    state: Annotated[Path | None, typer.Option(help="状态文件夹 / folder for keys, serials, log")] = None,
    policy: Annotated[str, typer.Option(help="策略 OID / policy OID of the tokens")] = oids.DEMO_TSA_POLICY,
    accuracy: Annotated[int, typer.Option(help="声明精度（毫秒）/ stated accuracy, ms")] = 1000,
    ntp: Annotated[
        list[str] | None, typer.Option(help="用于核对的 NTP 服务器 / NTP server to compare with")
    ] = None,
    national: Annotated[
        bool, typer.Option(help="国密内容类型（仅 SM2）/ national content types (SM2 only)")
    ] = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """运行时间戳服务（默认密钥为演示，非第三方）/ run the authority (default keys are a demo, no third party)."""
    with Output(language, as_json=False) as out:
        # The server's libraries are not loaded for verifying.
        from tsa.authority import server  # noqa: PLC0415
        from tsa.authority.responder import make_responder  # noqa: PLC0415
        from tsa.authority.sntp import SntpSource  # noqa: PLC0415

        clock = MachineClock()
        folder = state or platformdirs.user_data_path("evidence-desk", appauthor=False) / "tsa"
        identity, ours = _identity(out, key, folder, clock)
        responder = make_responder(
            identity,
            folder / ("external" if not ours else key),
            clock,
            policy=policy,
            accuracy=timedelta(milliseconds=accuracy),
            national=national,
            sources={name: SntpSource(name) for name in ntp or ()},
        )
        publication = server.Publication(
            ca_pem="".join(to_pem(item, "CERTIFICATE") for item in identity.chain or (identity.certificate,)),
            crl=identity.crl,
            policy=policy,
            accuracy_ms=accuracy,
            demo=ours or is_demo(policy),
        )
        with server.listen(host, port) as listener:
            url = _url(host, listener.getsockname()[1])
            ready = server.create_app(responder, publication, on_ready=lambda: _announce(url))
            server.serve(ready, listener)


def _announce(url: str) -> None:
    sys.stdout.write(url + "\n")
    sys.stdout.flush()


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _identity(out: Output, key: str, folder: Path, clock: MachineClock) -> tuple[Identity, bool]:
    """The key to serve with, and whether it is one of our own demo keys."""
    from tsa.authority.keys import open_keys  # noqa: PLC0415

    if key in {kind.value for kind in KeyKind}:
        return open_keys(folder / key, KeyKind(key), now=clock.now()).tsa, True
    data = _read(Path(key), _MAX_TRUST)
    if PASSPHRASE in os.environ:
        passphrase = os.environ[PASSPHRASE]
    elif sys.stdin.isatty():
        passphrase = getpass.getpass(out.text("authority.ask_passphrase") + " ")
    else:
        passphrase = ""
    return identity_from_pkcs12(data, passphrase.encode() or None), False


@app.command()
def verify(
    *,
    response: Annotated[Path | None, typer.Option(help="应答文件 / TimeStampResp (.tsr)")] = None,
    token: Annotated[Path | None, typer.Option(help="时间戳文件 / TimeStampToken")] = None,
    data: Annotated[Path | None, typer.Option(help="原始文件 / the file itself")] = None,
    digest: Annotated[str | None, typer.Option(help="ALG:HEX，如 sha256:… 或 sm3:…")] = None,
    request: Annotated[Path | None, typer.Option(help="请求文件 / TimeStampReq (.tsq)")] = None,
    trust: Annotated[
        list[Path] | None, typer.Option(help="信任的根证书（PEM/DER）/ trusted CA certificates")
    ] = None,
    crl: Annotated[list[Path] | None, typer.Option(help="吊销列表 / revocation lists")] = None,
    policy: Annotated[list[str] | None, typer.Option(help="允许的策略 OID / allowed policies")] = None,
    now: Annotated[
        str | None, typer.Option(help="核验时间，如 2026-11-22T08:00:00Z / time of judgment")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="有注意事项即返回 2 / caveats give status 2")
    ] = False,
    language: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """核验时间戳：0 通过，1 未通过，2 无法判断 / verify a token: 0 passed, 1 failed, 2 undetermined."""
    with Output(language, as_json=as_json) as out:
        moment = _moment(now)
        kind, encoded = _evidence(response, token)
        hash_oid, imprint = _subject(kind, encoded, data, digest)
        roots = _trusted(trust or [])
        judged = _judge(
            kind,
            encoded,
            hash_oid=hash_oid,
            imprint=imprint,
            trust=TokenTrust(
                roots=roots,
                crls=tuple(item for path in crl or [] for item in _blocks(path, "X509 CRL")),
                policies=frozenset(policy) if policy else None,
            ),
            now=moment,
            request=None if request is None else parse_request(_read(request, REQUEST_LIMIT)),
        )
        caveats = judged.caveats + _given(roots)
        verdict = Verdict(policy=TOKEN_POLICY, findings=judged.findings, caveats=caveats)
        out.document(verdict_json(verdict, language))
        if not as_json:
            print_verdict(verdict, language, out.console)
        raise typer.Exit(int(verdict.exit_status(strict=strict)))


def _judge(
    kind: str,
    encoded: bytes,
    *,
    hash_oid: str,
    imprint: bytes,
    trust: TokenTrust,
    now: datetime,
    request: TimestampRequest | None,
) -> TokenVerdict:
    judge = verify_response if kind == "response" else verify_token
    return judge(encoded, hash_oid=hash_oid, imprint=imprint, trust=trust, now=now, request=request)


def _given(roots: tuple[bytes, ...]) -> tuple[Caveat, ...]:
    """Trust that the person brought along is told, with its fingerprint."""
    return tuple(Caveat(code="trust.given", parameters={"fingerprint": sha256(item).hex()}) for item in roots)


def _evidence(response: Path | None, token: Path | None) -> tuple[str, bytes]:
    given = [(kind, path) for kind, path in (("response", response), ("token", token)) if path is not None]
    if len(given) != 1:
        raise UsageError("authority.usage_evidence")
    kind, path = given[0]
    encoded = _read(path, RESPONSE_LIMIT)
    if encoded[:1] != bytes([_SEQUENCE]):
        raise MalformedError("authority.not_a_token", file=path.name[:80])
    return kind, encoded


def _subject(kind: str, encoded: bytes, data: Path | None, digest: str | None) -> tuple[str, bytes]:
    """Digest algorithm and digest that the token must speak of."""
    if digest is not None and data is None:
        return _given_digest(digest)
    if data is None or digest is not None:
        raise UsageError("authority.usage_subject")
    oid = _algorithm_of(kind, encoded)
    return oid, _hash_file(data, DIGESTS[oid].primitive)


def _given_digest(text: str) -> tuple[str, bytes]:
    found = _DIGEST.match(text)
    if found is not None:
        name = found[1].lower().replace("-", "").replace("_", "")
        for oid, known in DIGESTS.items():
            if known.name.replace("_", "") == name and len(found[2]) == 2 * known.size:
                return oid, bytes.fromhex(found[2])
    raise UsageError("authority.usage_digest")


def _algorithm_of(kind: str, encoded: bytes) -> str:
    """The token's own algorithm; SHA-256 when it can't be told, and the verification says why."""
    try:
        inner = parse_response(encoded).token if kind == "response" else encoded
        oid = oids.SHA256 if inner is None else parse_token(inner).hash_oid
    except EvidenceDeskError:
        return oids.SHA256
    return oid if oid in DIGESTS else oids.SHA256


def _hash_file(path: Path, primitive: hashes.HashAlgorithm) -> bytes:
    hasher = hashes.Hash(primitive)
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                hasher.update(chunk)
    except OSError as error:
        raise _unreadable(path, error) from error
    return hasher.finalize()


def _moment(text: str | None) -> datetime:
    if text is None:
        return MachineClock().now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError("authority.usage_now") from error
    if moment.tzinfo is None:
        raise UsageError("authority.usage_now")
    return moment.astimezone(UTC)


def _trusted(paths: list[Path]) -> tuple[bytes, ...]:
    return tuple(item for path in paths for item in _blocks(path, "CERTIFICATE"))


def _blocks(path: Path, label: str) -> list[bytes]:
    """DER objects of a PEM or DER file; at least one of the wanted kind."""
    content = _read(path, _MAX_TRUST)
    if content[:1] == bytes([_SEQUENCE]):
        return [content]
    try:
        blocks = [body for name, _, body in pem.unarmor(content, multiple=True) if name == label]
    except (ValueError, TypeError) as error:
        raise MalformedError("authority.not_pem", file=path.name[:80], label=label) from error
    if not blocks:
        raise MalformedError("authority.not_pem", file=path.name[:80], label=label)
    return blocks


def _read(path: Path, limit: int) -> bytes:
    """At most one byte more than `limit`: what is too large is then told by its reader."""
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> UnreadableError:
    code = "input.missing" if isinstance(error, FileNotFoundError) else "input.unreadable"
    return UnreadableError(code, path=path.name[:80], reason=error.strerror or type(error).__name__)


def run() -> None:
    """Entry point of ``evidence-tsa``."""
    run_program(main)


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status; wrong usage is 64."""
    try:
        result = app(args=arguments, prog_name="evidence-tsa", standalone_mode=False)
    except ErrorTold as told:
        return told.status
    except (typer.Abort, KeyboardInterrupt):
        return CanceledError.exit_status
    except TyperException as error:
        sys.stderr.write(f"{error.format_message()}\n")
        return ExitStatus.USAGE.value
    return result if isinstance(result, int) else 0
