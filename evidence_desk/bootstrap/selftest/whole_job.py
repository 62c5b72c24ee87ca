"""The whole main job on invented files, with the embedded authority and demo keys (演示/非第三方), and its failure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_urlsafe
from threading import Thread
from typing import Final

from evidence_desk.bootstrap.selftest.steps import Step, expect
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.verdict import Status
from evidence_desk.texts import Language

_CASE: Final = "（2026）自检0001号"
_TITLE: Final = "自检网页"
_PAGE: Final = f"<!doctype html><meta charset=utf-8><title>{_TITLE}</title><h1>证据台</h1><p>只为自检。"
_CERTIFICATE: Final = "存证证书.pdf"
_PACKAGE: Final = "证据包.asice"


class WholeJob:
    """One desk in the temporary folder; its steps are to be run in order. `close` it."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._session: Session | None = None
        self._exhibit: ExhibitRow | None = None

    def steps(self) -> tuple[Step, ...]:
        """From the vault to the flipped byte, and a web page."""
        sealed = ("vault", "seal", "token")
        made = (*sealed, "certificate", "package")
        return (
            Step(name="vault", work=self._vault),
            Step(name="seal", work=self._seal, needs=("vault",)),
            Step(name="token", work=self._token, needs=("vault", "seal")),
            Step(name="certificate", work=self._certify, needs=sealed),
            Step(name="package", work=self._export, needs=sealed),
            Step(name="verify", work=self._verify, needs=made),
            Step(name="flipped", work=self._flip, needs=(*made, "verify")),
            Step(name="capture", work=self._capture, needs=("vault",)),
        )

    def close(self) -> None:
        """Close the vault; harmless twice."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    @property
    def _open(self) -> Session:
        expect(self._session, "no vault")
        assert self._session is not None  # noqa: S101 - expected above
        return self._session

    @property
    def _sealed(self) -> ExhibitRow:
        expect(self._exhibit, "no exhibit")
        assert self._exhibit is not None  # noqa: S101 - expected above
        return self._open.vault.exhibits.exhibit(self._exhibit.leaf_hash) or self._exhibit

    def _vault(self, folder: Path) -> str:
        from evidence_desk.bootstrap.opening import init_session, unlocked  # noqa: PLC0415 - see parts

        passphrase, place = token_urlsafe(24), folder / "存证库"
        made, _ = init_session(place, passphrase, office="selftest", demo=True)
        made.close()
        self._session = unlocked(place, passphrase)
        return self._session.desk.origin

    def _seal(self, folder: Path) -> str:
        from evidence_desk.services.seal import SealRequest, seal  # noqa: PLC0415

        originals = folder / "原件"
        originals.mkdir()
        (originals / "聊天记录.txt").write_text("证据台自检" * 1000, "utf-8")
        (originals / "视频.bin").write_bytes(bytes(range(256)) * 8192)
        request = SealRequest(case_number=_CASE, title="自检证据", operator={"name": "自检"})
        (outcome,) = seal(self._open.desk, [originals], request, job=Job())
        if outcome.error is not None:
            raise outcome.error
        self._exhibit = outcome.exhibit
        return self._sealed.number

    def _token(self, _folder: Path) -> str:
        from evidence_desk.services.timestamp import timestamp  # noqa: PLC0415

        outcome = timestamp(self._open.desk, self._open.authorities, job=Job())
        expect(self._sealed.leaf_hash in {row.leaf_hash for row in outcome.exhibits}, "no token")
        return outcome.authority

    def _certify(self, folder: Path) -> str:
        from evidence_desk.services.certify import certify  # noqa: PLC0415

        opened = self._open
        outcome = certify(opened.desk, [self._sealed], opened.issuer(), trust=opened.trust, job=Job())
        (folder / _CERTIFICATE).write_bytes(outcome.certificate.pdf)
        return outcome.certificate.number

    def _export(self, folder: Path) -> str:
        from evidence_desk.services.export import export  # noqa: PLC0415

        with (folder / _PACKAGE).open("w+b") as stream:
            export(self._open.desk, self._sealed, stream, trust=self._open.trust, job=Job())
            return f"{stream.tell() >> 10} KiB"

    def _judged(self, path: Path, folder: Path, originals: list[Path]) -> Status:
        from evidence_desk.bootstrap.trust_folder import TRUST  # noqa: PLC0415
        from evidence_desk.verify.files import Originals, read_trust, verify_path  # noqa: PLC0415

        trust = read_trust(folder / "存证库" / TRUST)
        given = Originals(originals, Job())
        return verify_path(
            path, originals=given, trust=trust, now=datetime.now(UTC), job=Job()
        ).verdict.overall

    def _verify(self, folder: Path) -> str:
        originals = sorted((folder / "原件").iterdir())
        for name in (_PACKAGE, _CERTIFICATE):
            status = self._judged(folder / name, folder, originals if name == _CERTIFICATE else [])
            expect(status is Status.PASSED, f"{name}: {status.value}")
        return Status.PASSED.value

    def _flip(self, folder: Path) -> str:
        spoiled = folder / "改动"
        spoiled.mkdir()
        original = folder / "原件" / "聊天记录.txt"
        for source in (folder / _PACKAGE, folder / _CERTIFICATE, original):
            data = bytearray(source.read_bytes())
            data[len(data) // 2] ^= 1
            target = spoiled / source.name
            target.write_bytes(data)
            if source == original:
                status = self._judged(folder / _CERTIFICATE, folder, [target])
            else:
                status = self._judged(target, folder, [])
            expect(status is Status.FAILED, f"{source.name}: {status.value}")
        return Status.FAILED.value

    def _capture(self, _folder: Path) -> str:
        from evidence_desk.bootstrap.capturing import capture_tools  # noqa: PLC0415
        from evidence_desk.core.capture.plan import CapturePlan  # noqa: PLC0415
        from evidence_desk.core.capture.rows import CaptureResult  # noqa: PLC0415
        from evidence_desk.services.capture import capture  # noqa: PLC0415
        from evidence_desk.services.seal import SealRequest  # noqa: PLC0415

        opened = self._open
        tools = capture_tools(opened, self._language, ntp=(), dns=())
        with _site() as address:
            plan = CapturePlan(
                urls=(address,), settle_ms=300, page_seconds=60, max_seconds=120, allow_private=True
            )
            outcome = capture(opened.desk, tools, plan, SealRequest(case_number=_CASE), job=Job())
        shown = [page.title for page in outcome.pages]
        reasons = ", ".join(reason.code for reason in outcome.reasons)
        expect(outcome.result is CaptureResult.COMPLETE, f"{outcome.result} {reasons} {shown}")
        expect(shown == [_TITLE], f"{shown}")
        return "" if outcome.exhibit is None else outcome.exhibit.number


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = _PAGE.encode() if self.path == "/" else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 - its name there
        """Nothing on stderr."""


@contextmanager
def _site() -> Iterator[str]:
    """One page on this machine alone; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
