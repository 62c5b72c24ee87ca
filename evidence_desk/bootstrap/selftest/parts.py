"""Every native part by itself, so that a fault is named: each does real work whose result is known beforehand."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from evidence_desk.bootstrap.selftest.steps import SelftestError, Step, expect
from evidence_desk.errors import ConfigurationError, IntegrityError
from evidence_desk.launch import Role, command_for

_WORDS: Final = "证据台自检 𠮷 ABC 123"
_PLAIN: Final = _WORDS.encode() * 1000
_SM3_ABC: Final = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
"""GB/T 32905, annex A.1."""
_SECONDS: Final = 120


def _sqlcipher(folder: Path) -> str:
    from evidence_desk.vault.database import Database  # noqa: PLC0415 - each part is loaded by its own step

    path, key = folder / "加密数据库.db", bytes(range(32))
    database = Database.create(path, key)
    with database.transaction():
        database.write("CREATE TABLE 词 (内容 TEXT)")
        database.write("INSERT INTO 词 VALUES (?)", (_WORDS,))
    database.close()
    expect(_WORDS.encode() not in path.read_bytes(), "plain text in the file")
    database = Database.open(path, key, read_only=True)
    expect(database.rows("SELECT 内容 FROM 词") == [(_WORDS,)], "another content")
    ((cipher,),) = database.rows("PRAGMA cipher_version")
    database.close()
    try:
        Database.open(path, bytes(32), read_only=True).close()
    except IntegrityError:
        return f"SQLCipher {cipher}"
    raise SelftestError("a wrong key opens it")


@contextmanager
def _without_chatter() -> Iterator[None]:
    """GmSSL's C code writes to the process's stderr where a signature is wrong, as it has to be here."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as sink:
            os.dup2(sink.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _guomi(_folder: Path) -> str:
    from evidence_desk.crypto import guomi, oids, suites  # noqa: PLC0415

    expect(suites.digest(oids.SM3, b"abc").hex() == _SM3_ABC, "SM3")
    private, public = guomi.generate_sm2()
    signature = guomi.sign_sm2(private, _PLAIN)
    expect(guomi.verify_sm2(public, _PLAIN, signature), "SM2: own signature refused")
    with _without_chatter():
        expect(not guomi.verify_sm2(public, _PLAIN + b"x", signature), "SM2: signature over another text")
    return f"GmSSL {version('gmssl-pyx')}, gmssl {version('gmssl')}"


def _ciphers(_folder: Path) -> str:
    from cryptography.hazmat.backends.openssl import backend  # noqa: PLC0415

    from evidence_desk.vault.keys import unwrap, wrap  # noqa: PLC0415

    key = bytes(range(32))
    box = wrap(key, _PLAIN, b"aad")
    expect(unwrap(key, box, b"aad") == _PLAIN, "AES-GCM")
    expect(unwrap(key, box[:-1] + bytes([box[-1] ^ 1]), b"aad") is None, "AES-GCM: a flipped bit")
    return str(backend.openssl_version_text())


def _certificates(_folder: Path) -> str:
    from evidence_desk.crypto import der, suites  # noqa: PLC0415
    from evidence_desk.crypto.pki import KeyKind, generate_key, make_ca  # noqa: PLC0415
    from evidence_desk.crypto.x509 import load_certificate  # noqa: PLC0415

    for kind in KeyKind:
        key = generate_key(kind)
        made = make_ca("自检", key, not_before=datetime.now(UTC), years=1)
        read = load_certificate(made.certificate)
        encoded = key.signature_algorithm().dump()
        algorithm = suites.read_algorithm(der.parse(encoded, what="AlgorithmIdentifier", limit=len(encoded)))
        signature = key.signer()(_PLAIN)
        for message, right in ((_PLAIN, suites.Outcome.RIGHT), (_PLAIN + b"x", suites.Outcome.WRONG)):
            with _without_chatter():
                checked = suites.verify_signature(
                    algorithm=algorithm, spki=read.spki, message=message, signature=signature
                )
            expect(checked.outcome is right, f"{kind.value}: {checked.outcome.value}")
    return f"{', '.join(KeyKind)}; asn1crypto {version('asn1crypto')}"


def _age(_folder: Path) -> str:
    import pyrage  # noqa: PLC0415
    from pyrage import x25519  # noqa: PLC0415

    identity, sealed, plain = x25519.Identity.generate(), io.BytesIO(), io.BytesIO()
    pyrage.encrypt_io(io.BytesIO(_PLAIN), sealed, [identity.to_public()])
    expect(_PLAIN[:100] not in sealed.getvalue(), "plain text")
    sealed.seek(0)
    pyrage.decrypt_io(sealed, plain, [identity])
    expect(plain.getvalue() == _PLAIN, "another content")
    return f"pyrage {version('pyrage')}"


def _pdf(folder: Path) -> str:
    import pikepdf  # noqa: PLC0415
    import pypdfium2  # noqa: PLC0415
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    from evidence_desk.paths import asset  # noqa: PLC0415

    path = folder / "测试.pdf"
    canvas = Canvas(str(path))
    _register_font(asset("fonts", "NotoSansSC-Regular.ttf"))
    canvas.setFont("selftest", 24)
    canvas.drawString(72, 700, "证据台自检")
    canvas.save()
    copy = folder / "测试-qpdf.pdf"
    with pikepdf.open(path) as opened:
        opened.save(copy, linearize=True)
    document = pypdfium2.PdfDocument(copy.read_bytes())
    try:
        page = document[0]
        expect("证据台自检" in page.get_textpage().get_text_range(), "text of the page")
        darkest, _ = page.render(scale=1).to_pil().convert("L").getextrema()
        expect(darkest < 128, "an empty page")
    finally:
        document.close()
    return f"reportlab {version('reportlab')}, qpdf {pikepdf.__libqpdf_version__}, PDFium {pypdfium2.PYPDFIUM_INFO.version}"


def _register_font(path: Path) -> None:
    from reportlab.pdfbase import pdfmetrics, ttfonts  # noqa: PLC0415

    pdfmetrics.registerFont(ttfonts.TTFont("selftest", str(path)))


def _pictures(_folder: Path) -> str:
    import segno  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    from evidence_desk.qr import read_codes  # noqa: PLC0415

    drawn = io.BytesIO()
    segno.make(_WORDS, error="m").save(drawn, kind="png", scale=4)
    with Image.open(drawn) as picture:
        for kind in ("JPEG", "TIFF", "WEBP", "PNG"):
            again = io.BytesIO()
            picture.convert("RGB").save(again, kind)
            with Image.open(again) as copy:
                gray = copy.convert("L")
                expect(read_codes(gray.tobytes(), *gray.size) == (_WORDS,), kind)
    return f"Pillow {version('pillow')}, zxing-cpp {version('zxing-cpp')}"


def _archives(_folder: Path) -> str:
    import brotli  # noqa: PLC0415
    import hpack  # noqa: PLC0415
    import zstandard  # noqa: PLC0415

    expect(brotli.decompress(brotli.compress(_PLAIN)) == _PLAIN, "brotli")
    expect(zstandard.ZstdDecompressor().decompress(zstandard.compress(_PLAIN)) == _PLAIN, "zstandard")
    decoded = hpack.Decoder().decode(hpack.Encoder().encode([(":path", "/证据")]))
    expect([(str(name), str(value)) for name, value in decoded] == [(":path", "/证据")], "hpack")
    return f"brotli {version('brotli')}, zstandard {version('zstandard')}"


def _connections(_folder: Path) -> str:
    import ssl  # noqa: PLC0415

    import httpx  # noqa: PLC0415

    with httpx.Client() as client:  # its roots are read here
        expect(client.headers["user-agent"], "httpx")
    roots = ssl.create_default_context()
    roots.load_default_certs()
    return f"{ssl.OPENSSL_VERSION}, httpx {version('httpx')}"


def _tokens(folder: Path) -> str:
    """Keys in tokens: without a token there is only the loader, which has to say so in our words."""
    from evidence_desk.pkcs11.module import list_tokens  # noqa: PLC0415

    path = folder / "不是模块.so"
    path.write_bytes(b"no library")
    try:
        list_tokens(path)
    except ConfigurationError as error:
        expect(error.code == "signer.module_unloadable", error.code)
        return f"python-pkcs11 {version('python-pkcs11')}"
    raise SelftestError("loads what is no library")


def _window(_folder: Path) -> str:
    """The window's part has a process of its own: this program knows no Qt."""
    done = subprocess.run(  # noqa: S603 - our own program
        command_for(Role.SELFTEST_WINDOW),
        capture_output=True,
        timeout=_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    said = done.stderr.decode(errors="replace").strip()[-200:]
    expect(done.returncode == 0, f"{done.returncode} {said}")
    found = json.loads(done.stdout)
    return f"Qt {found['qt']}, {found['platform']}, {found['font']}"


PARTS: Final = (
    Step(name="sqlcipher", work=_sqlcipher),
    Step(name="guomi", work=_guomi),
    Step(name="ciphers", work=_ciphers),
    Step(name="certificates", work=_certificates),
    Step(name="age", work=_age),
    Step(name="pdf", work=_pdf),
    Step(name="pictures", work=_pictures),
    Step(name="archives", work=_archives),
    Step(name="connections", work=_connections),
    Step(name="tokens", work=_tokens),
    Step(name="window", work=_window),
)
