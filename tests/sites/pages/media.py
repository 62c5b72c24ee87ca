"""Films with Range requests (RFC 9110 §14), and downloads."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import quote

from tests.sites import video
from tests.sites.answer import Answer, Handler, Request, Routes, always, content, html, noise
from tests.sites.pages.active import page

NAME = "合同（终稿）䶮.pdf"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"


def ranged(kind: str, data: bytes) -> Handler:
    """Serves one range, or the whole."""

    def handler(request: Request) -> Answer:
        common = ((b"Content-Type", kind.encode()), (b"Accept-Ranges", b"bytes"), (b"ETag", b'"film-1"'))
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.header("range"))
        if asked is None or asked.groups() == ("", ""):
            return Answer(headers=common, body=data)
        first, last = asked.groups()
        start = int(first) if first else max(0, len(data) - int(last))
        stop = min(len(data), int(last) + 1) if first and last else len(data)
        if start >= stop:
            return Answer(status=416, headers=(*common, (b"Content-Range", b"bytes */%d" % len(data))))
        place = (b"Content-Range", b"bytes %d-%d/%d" % (start, stop - 1, len(data)))
        return Answer(status=206, headers=(*common, place), body=data[start:stop])

    return handler


_FILM = page(
    "视频",
    """const v = document.querySelector("video");
v.onplaying = () => say("播放"); v.onended = () => { say("放完"); document.body.dataset.done = "1"; };
v.onerror = () => { say("不能播放 " + v.error.code); document.body.dataset.done = "1"; };
v.querySelectorAll("source").forEach(s => s.onerror = () => { say("无可用编码"); document.body.dataset.done = "1"; });
v.play().catch(e => say(e.name));
fetch("/clip.webm", {headers: {Range: "bytes=100-199"}}).then(r => say("分段 " + r.status));
""",
    "<video muted controls width=320>%s</video>",
)


def _film(inside: str) -> Handler:
    return always(
        html(_FILM.replace("<video muted controls width=320>%s", f"<video muted controls width=320 {inside}"))
    )


def _tail(size: int) -> bytes:
    """Matroska's Void element: length for a film so that players ask for ranges."""
    return b"\xec" + (size | 1 << 56).to_bytes(8, "big") + b"".join(noise("void", size))


@cache
def routes() -> Routes:
    """Films: ``/video.html`` (WebM), ``/h264.html`` (H.264 alone, bytes are fetched), ``/h264-typed.html`` (refused unseen)."""
    webm, mp4 = video.webm() + _tail(300_000), video.h264()
    attached = f"attachment; filename=\"contract.pdf\"; filename*=UTF-8''{quote(NAME)}".encode()
    return {
        "/video.html": _film('src="/clip.webm">'),
        "/h264.html": _film('src="/film.mp4">'),
        "/h264-typed.html": _film('><source src="/film.mp4" type=\'video/mp4; codecs="avc1.42000A"\'>'),
        "/clip.webm": ranged("video/webm", webm),
        "/film.mp4": ranged("video/mp4", mp4),
        "/download.html": always(
            html(
                page(
                    "下载",
                    'document.getElementById("one").click();\n',
                    '<a id="one" href="/contract.pdf">合同</a> <a href="/data.bin" download="数据.bin">数据</a>',
                )
            )
        ),
        "/contract.pdf": always(content("application/pdf", PDF, (b"Content-Disposition", attached))),
        "/data.bin": always(content("application/octet-stream", b"".join(noise("data", 500_000)))),
    }
