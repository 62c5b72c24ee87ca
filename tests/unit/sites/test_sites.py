"""The test sites themselves: what arrives is what they say they sent."""

import socket
import ssl

import pytest

from tests.sites import TLS12, TLS13, Http1Site, SiteCa, Tls
from tests.sites.pages import reading


@pytest.fixture(scope="module")
def ca() -> SiteCa:
    return SiteCa()


def client(ca: SiteCa, *, alpn: tuple[str, ...] = ("http/1.1",)) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca.root_pem.decode())
    context.set_alpn_protocols(list(alpn))
    return context


def fetch(site: Http1Site, ca: SiteCa | None, target: str, extra: bytes = b"") -> bytes:
    """All bytes the site sends for one request."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as plain:
        connection = plain if ca is None else client(ca).wrap_socket(plain, server_hostname=site.name)
        connection.sendall(
            f"GET {target} HTTP/1.1\r\nHost: {site.name}:{site.port}\r\nConnection: close\r\n".encode()
            + extra
            + b"\r\n"
        )
        data = b""
        while block := connection.recv(1 << 16):
            data += block
        connection.close()
        return data


@pytest.mark.parametrize("versions", [None, TLS12, TLS13])
def test_what_arrives_is_what_was_logged(ca, versions):
    tls = None if versions is None else Tls(leaf=ca.leaf("site.test"), versions=versions)
    routes = reading.routes(b"font")
    with Http1Site("site.test", routes, tls=tls) as site:
        arrived = {target: fetch(site, None if tls is None else ca, target) for target in routes}
    assert reading.RARE.encode() in arrived["/"]
    for sent in site.log.sent:
        assert sent.completed
        assert sent.head is not None
        assert sent.head + sent.body.data == arrived[sent.target.decode()]
    assert len(site.log.sent) == len(routes)
