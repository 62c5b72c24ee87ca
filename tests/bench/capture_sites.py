"""Test sites in a process of their own, so that serving takes nothing from the recorder: ``python -m tests.bench.capture_sites``.

On standard output: first a line about the sites, then one for each page's own measure of its load, and the digests of
everything sent when standard input says ``sent``.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
from dataclasses import replace

from tests.sites import TLS13, Answer, Handler, Http1Site, Http2Site, Request, Routes, SiteCa, Tls
from tests.sites.answer import always, text
from tests.sites.pages import bulk, hostile, media, odd, reading
from tests.sites.server import Server

OLD, NEW = "bench1.test", "bench2.test"
"""HTTP/1.1 and HTTP/2."""
MARK = "✓"
"""At the end of the title, once a page has told how long it took."""
_SCRIPT = """<script>addEventListener("load", () => setTimeout(async () => {
  const whole = () => !location.pathname.startsWith("/bulk") || document.body.dataset.done;
  while (!whole()) await new Promise(r => setTimeout(r, 1));
  const ms = location.pathname.startsWith("/bulk") ? performance.now() : performance.timing.loadEventEnd - performance.timing.fetchStart;
  await fetch("/timing", {method: "POST", body: JSON.stringify({url: location.href, ms})});
  document.title += "%s";
}, 0));</script></body>""".replace("%s", MARK)
_saying = threading.Lock()


def main() -> None:
    """Serve until standard input ends."""
    ca = SiteCa()
    both: Routes = {
        **reading.routes(), **bulk.routes(), **media.routes(), **odd.both(), **hostile.routes(), "/timing": _told,
    }  # fmt: skip
    both = {**both, **{path: _timed(both[path]) for path in ("/", "/bulk.html")}}
    with (
        Http1Site(OLD, {**both, **odd.http1()}, tls=Tls(leaf=ca.leaf(OLD), versions=TLS13)) as old,
        Http2Site(NEW, both, tls=Tls(leaf=ca.leaf(NEW), versions=TLS13)) as new,
    ):
        sites: tuple[Server, ...] = (old, new)
        root = base64.b64encode(ca.root_der).decode()
        _say({"ports": {site.name: site.port for site in sites}, "root": root})
        for line in sys.stdin:
            if line.strip() == "sent":
                _say(
                    {"sent": [_sent(site, number) for site in sites for number in range(len(site.log.sent))]}
                )
        for site in sites:
            site.stop_soon()


def _sent(site: Server, number: int) -> dict[str, object]:
    sent = site.log.sent[number]
    sent.settled.wait(10)
    return {
        "url": site.url(sent.target.decode()),
        "completed": sent.completed,
        "size": sent.body.size,
        "sha256": sent.body.sha256.hex(),
    }


def _timed(handler: Handler) -> Handler:
    """A page that measures itself."""

    def answered(request: Request) -> Answer:
        answer = handler(request)
        assert isinstance(answer, Answer)
        assert isinstance(answer.body, bytes)
        body = answer.body.replace(b"</body>", _SCRIPT.encode())
        assert body != answer.body
        return replace(answer, body=body)

    return answered


def _told(request: Request) -> Answer:
    _say({"timing": json.loads(request.body)})
    return always(text("好\n"))(request)  # type: ignore[return-value]


def _say(value: object) -> None:
    with _saying:
        print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
