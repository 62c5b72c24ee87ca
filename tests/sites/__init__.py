"""Web sites for tests and figures: real servers on loopback, real TLS under an authority of their own.

They send what they are told, byte for byte, and log it (`SiteLog`), so that a capture can be held against it.
"""

from tests.sites.answer import Answer, Ending, Framing, Handler, Pause, Raw, Request, Routes, Upgrade
from tests.sites.authority import Leaf, SiteCa
from tests.sites.http1 import Http1Site
from tests.sites.http2 import Http2Site
from tests.sites.record import Sent, SiteLog
from tests.sites.server import TLS12, TLS13, Server, Tls
from tests.sites.town import Town

__all__ = [
    "TLS12",
    "TLS13",
    "Answer",
    "Ending",
    "Framing",
    "Handler",
    "Http1Site",
    "Http2Site",
    "Leaf",
    "Pause",
    "Raw",
    "Request",
    "Routes",
    "Sent",
    "Server",
    "SiteCa",
    "SiteLog",
    "Tls",
    "Town",
    "Upgrade",
]
