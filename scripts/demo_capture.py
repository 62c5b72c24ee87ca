"""The demo's part on web pages: a site of this machine over TLS, captured by the real browser, then taken off and verified."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from scripts.demo import Demo

HOST: Final = "localhost"
_UNABLE: Final = (69, 78)
"""Exit statuses of a machine without what Chromium needs, see docs/spec/exit-codes.md."""
_LASTS: Final = timedelta(days=2)
_STYLE: Final = "body{font-family:sans-serif;max-width:42em;margin:3em auto;line-height:1.7}img{width:100%}"
_PAGE: Final = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>山间摄影 · 作品页</title>
<link rel="stylesheet" href="/style.css"></head><body><h1>《晨雾》原图发布页</h1>
<p>作者：张三。首次发布于二〇二六年三月十二日。未经许可不得转载。</p><img src="/picture.svg" alt="晨雾">
<p id="views">正在读取浏览次数……</p><script src="/views.js"></script></body></html>"""
_PICTURE: Final = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 300"><rect width="600" height="300" fill="#cfd8dc"/>
<path d="M0 300 180 90 300 230 420 60 600 300Z" fill="#546e7a"/><circle cx="500" cy="70" r="34" fill="#fff3c4"/></svg>"""
_FILES: Final = {
    "/": ("text/html; charset=utf-8", _PAGE),
    "/style.css": ("text/css", _STYLE),
    "/picture.svg": ("image/svg+xml", _PICTURE),
    "/views.js": (
        "text/javascript",
        "fetch('/views.json').then(r=>r.json()).then(v=>{document.getElementById('views').textContent='浏览次数：'+v.count})",
    ),
    "/views.json": ("application/json", '{"count": 1024}'),
}


class _Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        kind, content = _FILES.get(self.path, ("text/plain", ""))
        body = content.encode()
        self.send_response(200 if self.path in _FILES else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the library
        """Say nothing."""


@contextmanager
def site(folder: Path) -> Iterator[tuple[str, Path]]:
    """A site with a root of its own for the length of a block: (address, PEM of the root)."""
    folder.mkdir()
    root, chain = folder / "site-root.pem", folder / "site.pem"
    _issue(root, chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://{HOST}:{server.server_port}/", root
        server.shutdown()


def capture(demo: Demo, case: dict[str, Any], folder: Path) -> str | None:
    """Capture the page; its exhibit's number, None where no browser can run, which is said."""
    with site(folder) as (url, root):
        command = ("evidence-desk", "capture", url, "--allow-private", "--extra-ca", root, "--case", case["case_number"],
                   "--title", "作品发布页", "--operator", case["operator"])  # fmt: skip
        done = demo.json(*command, expect=(0, *_UNABLE))
    (told,) = done.get("captures", [{"result": "failed", "reasons": [done.get("error")]}])
    if told["result"] != "complete":
        demo.say(f"  跳过：本机不能运行取证浏览器 / skipped, no capture browser here: {told['reasons']}")
        return None
    (sealed,) = done["exhibits"]
    demo.say(f"  {sealed['number']}  {sealed['title']}  {sealed['states']['timestamped']}")
    return str(sealed["number"])


def _issue(root: Path, chain: Path) -> None:
    """A root, and a certificate for `HOST` with its key."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "演示网站根证书 demo site root")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(root_key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - _LASTS).not_valid_after(now + _LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(root_key, hashes.SHA256())
    )  # fmt: skip
    leaf = (
        x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])).issuer_name(name)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - _LASTS).not_valid_after(now + _LASTS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False).sign(root_key, hashes.SHA256())
    )  # fmt: skip
    root.write_bytes(made.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain.write_bytes(private + leaf.public_bytes(Encoding.PEM))
