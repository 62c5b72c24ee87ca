"""A page of 300 resources, for figures."""

from __future__ import annotations

from functools import cache

from tests.sites.answer import Answer, Routes, always, content, html, noise, script
from tests.sites.images import png
from tests.sites.pages.active import page

COUNT = 300
_LOADED = """let left = document.images.length; say("图片 " + left);
addEventListener("load", async () => {
  await Promise.all([...Array(60).keys()].map(n => fetch(`/bulk/${240 + n}.json`).then(r => r.json())));
  document.body.dataset.done = "1"; say("全部载入");
});
"""


@cache
def routes() -> Routes:
    """``/bulk.html`` with 30 styles, 30 scripts, 180 pictures and 60 data sets, about 5 MB."""
    links = "".join(f'<link rel="stylesheet" href="/bulk/{at}.css">' for at in range(30))
    scripts = "".join(f'<script src="/bulk/{at}.js"></script>' for at in range(30, 60))
    pictures = "".join(f'<img src="/bulk/{at}.png" width="32" height="32" alt="">' for at in range(60, 240))
    return {
        "/bulk.html": always(html(page("三百项资源", _LOADED, links + pictures + scripts))),
        **{f"/bulk/{at}.{_kind(at)}": always(_resource(at)) for at in range(COUNT)},
    }


def _kind(at: int) -> str:
    return "css" if at < 30 else "js" if at < 60 else "png" if at < 240 else "json"


def _resource(at: int) -> Answer:
    filler = b"".join(noise(f"bulk {at}", 500 + at * 7919 % 12_000)).hex()
    match _kind(at):
        case "css":
            return content("text/css", f".c{at} {{ color: #{at:06x}; }}\n/* {filler} */\n".encode())
        case "js":
            return script(f"window.r{at} = {at};\n// {filler}\n")
        case "png":
            # after IEND: kept by servers, not read by decoders
            return content("image/png", png(32, 32, f"hsl({at}, 60%, 60%)") + bytes.fromhex(filler))
        case _:
            return content("application/json", f'{{"number": {at}, "filler": "{filler}"}}'.encode())
