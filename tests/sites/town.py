"""All test sites together, each on its own name and port, under one authority."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tests.sites.answer import Answer, Handler, Request, Routes, Upgrade, always, html
from tests.sites.authority import Leaf, SiteCa
from tests.sites.http1 import Http1Site
from tests.sites.http2 import Http2Site
from tests.sites.pages import account, active, bulk, hostile, media, odd, reading
from tests.sites.record import Sent
from tests.sites.server import TLS12, TLS13, Server, Tls

SITE, OLD, PLAIN, MODERN, MODERN_OLD, SOCKET = (
    "site.test", "old.test", "plain.test", "modern.test", "modern-old.test", "socket.test",
)  # fmt: skip
AGAIN, STAPLED, PADDED = "again.test", "stapled.test", "padded.test"
EXPIRED, SELF_SIGNED, WRONG_HOST = "expired.test", "self-signed.test", "wrong-host.test"
GOOD = (SITE, OLD, PLAIN, MODERN, MODERN_OLD, AGAIN, STAPLED, PADDED)
BAD = (EXPIRED, SELF_SIGNED, WRONG_HOST)


class Town:
    """Starts and stops all sites.

    | name | what |
    |---|---|
    | site.test | HTTP/1.1, TLS 1.3 |
    | old.test | HTTP/1.1, TLS 1.2 (ECDHE-RSA-AES128-GCM-SHA256) |
    | plain.test | HTTP/1.1 without TLS |
    | modern.test | HTTP/2, TLS 1.3 |
    | modern-old.test | HTTP/2, TLS 1.2 (ChaCha20) |
    | again.test | HTTP/1.1, TLS 1.3 after HelloRetryRequest (P-384) |
    | stapled.test | HTTP/1.1, TLS 1.3, RSA, with an OCSP staple |
    | padded.test | HTTP/2, every DATA frame padded |
    | socket.test | WebSocket: /echo, /deflate, /fragments (HTTP/1.1, TLS 1.3) |
    | expired.test, self-signed.test, wrong-host.test | certificates that must be refused |
    """

    def __init__(self, ca: SiteCa | None = None) -> None:
        self.ca = ca or SiteCa()
        self._stack = ExitStack()
        self.sites: dict[str, Server] = {}
        self.addresses = {"rebind.test": ("127.0.0.1",)}
        """What a resolver is to answer, by name."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for site in self._made():
                self.sites[site.name] = stack.enter_context(site)
                self.addresses[site.name] = ("127.0.0.1",)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for site in self.sites.values():
            site.stop_soon()
        self._stack.close()

    @property
    def hosts(self) -> dict[str, tuple[str, int]]:
        """Address and port of every name."""
        return {name: ("127.0.0.1", site.port) for name, site in self.sites.items()}

    def url(self, name: str, target: str = "/") -> str:
        """Address of a page as a browser asks for it."""
        return self.sites[name].url(target)

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What all sites sent."""
        return tuple(sent for site in self.sites.values() for sent in site.log.sent)

    def _made(self) -> list[Server]:
        ca = self.ca
        both = {
            **reading.routes(), **active.routes(), **media.routes(), **account.routes(), **odd.both(),
            **hostile.routes(), **bulk.routes(), "/crossing.html": self._crossing,
            "/frames.html": self._frames,
        }  # fmt: skip
        first: Routes = {
            **both,
            **odd.http1(),
            **odd.wrong(),
            **odd.wrong_page(odd.wrong()),
            **hostile.http1(),
            **sockets(),
        }
        warned = {
            "/*": always(html("<!doctype html><meta charset=utf-8><title>证书有误</title>证书有误的网站"))
        }
        return [
            Http1Site(SITE, first, tls=Tls(leaf=ca.leaf(SITE), versions=TLS13)),
            Http1Site(OLD, first, tls=_old(ca.leaf(OLD, kind="rsa"), "ECDHE-RSA-AES128-GCM-SHA256")),
            Http1Site(PLAIN, first),
            Http2Site(MODERN, both, tls=Tls(leaf=ca.leaf(MODERN), versions=TLS13)),
            Http2Site(MODERN_OLD, both, tls=_old(ca.leaf(MODERN_OLD), "ECDHE-ECDSA-CHACHA20-POLY1305")),
            Http1Site(AGAIN, first, tls=Tls(leaf=ca.leaf(AGAIN), versions=TLS13, group="secp384r1")),
            Http1Site(
                STAPLED, first, tls=Tls(leaf=ca.leaf(STAPLED, kind="rsa", staple=True), versions=TLS13)
            ),
            Http2Site(PADDED, both, tls=Tls(leaf=ca.leaf(PADDED), versions=TLS13), padding=100),
            Http1Site(
                SOCKET,
                {**sockets(), "/red.png": both["/red.png"]},
                tls=Tls(leaf=ca.leaf(SOCKET), versions=TLS13),
            ),
            Http1Site(EXPIRED, warned, tls=Tls(leaf=ca.leaf(EXPIRED, expired=True))),
            Http1Site(SELF_SIGNED, warned, tls=Tls(leaf=ca.self_signed(SELF_SIGNED))),
            Http1Site(WRONG_HOST, warned, tls=Tls(leaf=ca.leaf("other.test"))),
        ]

    def _crossing(self, _request: Request) -> Answer:
        """A page with a picture from every site, bad ones too."""
        pictures = "".join(
            f'<p>{name} <img src="{self.url(name, "/red.png?from")}" width="120" height="80" alt="{name}"></p>'
            for name in (*GOOD, *BAD)
        )
        return html(f"<!doctype html><meta charset=utf-8><title>跨站</title><h1>跨站</h1>{pictures}")

    def _frames(self, _request: Request) -> Answer:
        """A page with one frame of its own site, one of another, in which is one of the first again, and one that is not shown."""
        own, other = self.url(SITE, "/frame.html"), self.url(MODERN, "/second.html")
        nested = f"<p>框中的文字</p><iframe src='{own}?nested' width='200' height='80'></iframe>"
        return html(
            f"""<!doctype html><meta charset=utf-8><title>内嵌页面</title><p>外层的文字</p>
<iframe src="/frame.html"></iframe><iframe src="{other}"></iframe><iframe srcdoc="{nested}"></iframe>
<iframe src="/frame.html?hidden" style="display:none"></iframe>"""
        )


def sockets() -> Routes:
    """WebSocket conversations."""
    return {
        "/echo": _speak("echo"),
        "/deflate": _speak("echo", deflate=True),
        "/fragments": _speak("fragments"),
    }


def _speak(kind: str, *, deflate: bool = False) -> Handler:
    upgrade = Upgrade(speak=kind, deflate=deflate)
    return always(upgrade)


def _old(leaf: Leaf, cipher: str) -> Tls:
    return Tls(leaf=leaf, versions=TLS12, ciphers=cipher)
