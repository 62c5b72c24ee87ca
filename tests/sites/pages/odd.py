"""Answers that are allowed but rare, and some that are not allowed, as exact bytes (HTTP/1.1)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tests.sites.answer import Answer, Ending, Framing, Pause, Raw, Request, Routes, always, html, noise
from tests.sites.http1 import chunk
from tests.sites.pages.active import page
from tests.sites.record import Header

BODY = "正文：䶮㛃𬱖𠮷\n".encode()
LONG = b"".join(noise("header", 15_000)).hex().encode()
KIND: Header = (b"Content-Type", b"text/plain; charset=utf-8")


def _raw(lines: str, body: bytes = BODY, **more: object) -> Raw:
    head = "\r\n".join([*lines.split("\n"), "", ""]).encode("latin-1")
    return Raw(head=head, body=body, **more)  # type: ignore[arg-type]


_OK = "HTTP/1.1 200 OK\nContent-Type: text/plain; charset=utf-8\n"
_LENGTH = f"Content-Length: {len(BODY)}"


def both() -> Routes:
    """Oddities that HTTP/2 knows too."""
    hint: Header = (b"Link", b"</style.css>; rel=preload; as=style")
    return {
        "/odd/duplicates": always(
            Answer(headers=(KIND, (b"X-Same", b"1"), (b"x-same", b"2"), (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"),
                            (b"X-Same", b"1"), (b"Vary", b"Accept"), (b"Vary", b"Cookie")), body=BODY)
        ),
        "/odd/long": always(Answer(headers=(KIND, (b"X-Long", LONG)), body=BODY)),
        "/odd/many": always(
            Answer(headers=(KIND, *((b"X-Number-%d" % at, b"%d" % (at * at)) for at in range(300))), body=BODY)
        ),
        "/odd/non-ascii": always(
            Answer(headers=(KIND, (b"X-Chinese", "证据".encode()), (b"X-Latin", b"caf\xe9"), (b"X-Empty", b"")), body=BODY)
        ),
        "/odd/trailers": always(
            Answer(headers=(KIND, (b"Trailer", b"X-Sum, X-Word")), body=BODY * 3,
                   trailers=((b"x-sum", b"42"), (b"x-word", "尾".encode())))
        ),
        "/odd/early-hints": always(
            Answer(headers=(KIND,), body=BODY, informational=((103, (hint,)), (103, (hint, (b"X-Second", b"1")))))
        ),
        "/odd/no-content": always(Answer(status=204, headers=((b"X-Why", b"nothing"),))),
        "/odd/empty": always(Answer(headers=(KIND,), body=b"")),
        "/odd/status": always(Answer(status=299, headers=(KIND,), body=BODY)),
        "/odd/not-modified": _not_modified,
        "/odd/drops": always(
            Answer(headers=(KIND,), body=lambda: (item for at in range(20) for item in (b"%d\n" % at, Pause(0.01))))
        ),
        "/odd/last": always(Answer(headers=(KIND,), body=BODY, ending=Ending.CLOSE)),
        "/odd/echo": lambda request: Answer(headers=(KIND,), body=request.body),
    }  # fmt: skip


def _not_modified(request: Request) -> Answer:
    tag: Header = (b"ETag", b'"one"')
    if request.header("if-none-match") == '"one"':
        return Answer(status=304, headers=(tag,))
    return Answer(headers=(KIND, tag, (b"Cache-Control", b"no-cache")), body=BODY)


def http1() -> Routes:
    """Oddities of HTTP/1.1 alone; all but those of `wrong` are understood by browsers."""
    extended = chunk(BODY[:7], b';name="v;\\"x"') + chunk(BODY[7:], b" ; a=b;c") + b"000;last\r\n\r\n"
    trailed = chunk(BODY) + b"0\r\nX-Sum: 42\r\nX-Folded: a\r\nX-Sum: 43\r\n\r\n"
    upper = b"0000000A\r\n" + BODY[:10] + b"\r\n" + chunk(BODY[10:]) + b"0\r\n\r\n"
    hints = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n",
    )
    return {
        "/odd/folded": always(_raw(_OK + f"X-Folded: one\n two\n\tthree\n{_LENGTH}")),
        "/odd/spelled": always(_raw(f"HTTP/1.1 200 OK\nCONTENT-type:text/plain;charset=utf-8\ncontent-LENGTH:   {len(BODY)}  \nx:")),
        "/odd/no-reason": always(_raw(f"HTTP/1.1 200 \nContent-Type: text/plain; charset=utf-8\n{_LENGTH}")),
        "/odd/reason": always(_raw(f"HTTP/1.1 200 caf\xe9 is fine\nContent-Type: text/plain\n{_LENGTH}")),
        "/odd/bare-lf": always(
            Raw(head=f"HTTP/1.1 200 OK\nContent-Type: text/plain\n{_LENGTH}\n\n".encode(), body=BODY, ending=Ending.CLOSE)
        ),
        "/odd/http10": always(
            _raw("HTTP/1.0 200 OK\nContent-Type: text/plain; charset=utf-8", ending=Ending.CLOSE)
        ),
        "/odd/until-close": always(Answer(headers=(KIND,), body=BODY, framing=Framing.CLOSE)),
        "/odd/extensions": always(_raw(_OK + "Transfer-Encoding: chunked", extended, payload=BODY)),
        "/odd/raw-trailers": always(
            _raw(_OK + "Transfer-Encoding: chunked", trailed, payload=BODY,
                 trailers=((b"X-Sum", b"42"), (b"X-Folded", b"a"), (b"X-Sum", b"43")))
        ),
        "/odd/upper-chunks": always(_raw(_OK + "Transfer-Encoding: Chunked", upper, payload=BODY)),
        "/odd/same-lengths": always(_raw(_OK + f"{_LENGTH}\n{_LENGTH}")),
        "/odd/length-and-chunked": always(
            _raw(_OK + "Content-Length: 5\nTransfer-Encoding: chunked", chunk(BODY) + b"0\r\n\r\n", payload=BODY)
        ),
        "/odd/informational": always(_raw(_OK + _LENGTH, before=hints)),
        "/odd/one-byte-chunks": always(
            _raw(_OK + "Transfer-Encoding: chunked", b"".join(chunk(bytes([one])) for one in BODY) + b"0\r\n\r\n", payload=BODY)
        ),
        "/odd/extra-after": always(_raw(_OK + _LENGTH, BODY + b"what follows the body", payload=BODY, ending=Ending.CLOSE)),
    }  # fmt: skip


def wrong_page(targets: Iterable[str]) -> Routes:
    """``/wrong.html``: fetches these one after the other and tells what became of each."""
    code = """(async () => { for (const target of TARGETS)
  await fetch(target).then(r => r.text()).then(t => say(target + " " + t.length), e => say(target + " " + e));
  say("完"); })();
""".replace("TARGETS", json.dumps(sorted(targets)))
    return {"/wrong.html": always(html(page("出错的回答", code)))}


def wrong() -> Routes:
    """Answers a browser refuses or that end too early (HTTP/1.1)."""
    return {
        "/wrong/lengths": always(_raw(_OK + f"{_LENGTH}\nContent-Length: 3", ending=Ending.CLOSE)),
        "/wrong/short": always(_raw(_OK + "Content-Length: 100000", ending=Ending.CLOSE)),
        "/wrong/cut": always(_raw(_OK + "Content-Length: 100000", ending=Ending.CUT)),
        "/wrong/chunk-cut": always(_raw(_OK + "Transfer-Encoding: chunked", chunk(BODY) + b"ff\r\nhalf", ending=Ending.CUT)),
        "/wrong/chunk-size": always(_raw(_OK + "Transfer-Encoding: chunked", b"zz\r\nbody\r\n0\r\n\r\n", ending=Ending.CLOSE)),
        "/wrong/no-http": always(Raw(head=b"", body=b"SSH-2.0-OpenSSH_9.6\r\n", ending=Ending.CLOSE)),
        "/wrong/nothing": always(Raw(head=b"", ending=Ending.CLOSE)),
    }  # fmt: skip
