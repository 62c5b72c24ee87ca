"""The page a person reads: Chinese text with rare characters, pictures, style, script, font, frames."""

from __future__ import annotations

from functools import cache

from tests.sites import images
from tests.sites.answer import Routes, always, content, html, script
from tests.sites.font import subset

RARE = "䶮㛃𬱖𠮷"
TITLE = "证据台取证测试页"

PAGE = f"""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{TITLE}</title>
<link rel="icon" href="/icon.png"><link rel="stylesheet" href="/style.css">
<script src="/page.js" defer></script></head>
<body><h1>{TITLE}</h1>
<p id="rare" class="rare">生僻字：{RARE}（姓名：刘䶮、㛃、陈𬱖、𠮷野）</p>
<p>甲方于二〇二六年三月二日向乙方交付货款人民币壹万元整（￥10,000.00）。“引号”与——破折号。</p>
<p id="script">脚本尚未运行</p>
<p><img src="/red.png" width="120" height="80" alt="红图"><img src="/blue.jpg" width="120" height="80" alt="蓝图">
<img src="/green.webp" width="120" height="80" alt="绿图"><img src="/round.svg" alt="圆">
<img src="/blink.gif" alt="动图"></p>
<iframe src="/frame.html" width="400" height="120" title="内嵌页"></iframe>
<table><tr><th>日期</th><th>金额</th></tr><tr><td>2026-03-02</td><td>10,000.00</td></tr></table>
<p><a href="/second.html">第二页</a></p>
</body></html>
"""

STYLE = """@import url("/more.css");
@font-face { font-family: "Rare"; src: url("/rare.ttf") format("truetype"); unicode-range: U+20000-2FFFF; }
@font-face { font-family: "Text"; src: url("/text.ttf") format("truetype"); }
body { font-family: "Text", "Rare", sans-serif; margin: 24px;
  background: url("/tile.png"); }
.rare { font-family: "Text", "Rare", sans-serif; font-size: 32px; }
table { border-collapse: collapse; } th, td { border: 1px solid #444; padding: 4px 12px; }
"""

SCRIPT = """document.getElementById("script").textContent = "脚本已运行";
fetch("/data.json").then(r => r.json()).then(d => { document.body.dataset.loaded = d["结论"]; });
"""

FRAME = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>内嵌页</title></head>
<body><p>内嵌页的文字。</p><img src="/inner.png" alt="内图"></body></html>
"""

SECOND = f"""<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>第二页</title></head>
<body><h1>第二页</h1><p>{RARE}</p><p><a href="/">返回</a></p></body></html>
"""

LONG = "".join(f"<p>第{number}段。长页面用于整页截图，共四百段。</p>\n" for number in range(1, 401))


@cache
def routes() -> Routes:
    """The page ``/`` and all it asks for."""
    return {
        "/": always(html(PAGE)),
        "/second.html": always(html(SECOND)),
        "/frame.html": always(html(FRAME)),
        "/long.html": always(html(f"<!doctype html><meta charset=utf-8><title>长页面</title>{LONG}")),
        "/gbk.html": always(
            content(
                "text/html; charset=gb18030",
                f"<!doctype html><title>国标编码</title><p>国标编码的页面：{RARE}</p>".encode("gb18030"),
            )
        ),
        "/style.css": always(content("text/css; charset=utf-8", STYLE.encode())),
        "/more.css": always(content("text/css; charset=utf-8", b"h1 { color: #7a1f1f; }\n")),
        "/page.js": always(script(SCRIPT)),
        "/data.json": always(content("application/json", '{"结论": "已加载"}'.encode())),
        "/rare.ttf": always(content("font/ttf", subset("HanaMinB", RARE))),
        "/text.ttf": always(content("font/ttf", subset("NotoSansSC-Regular", PAGE + SECOND + FRAME))),
        "/red.png": always(content("image/png", images.png(120, 80, "#d04040", "red"))),
        "/blue.jpg": always(content("image/jpeg", images.jpeg(120, 80, "#4060d0"))),
        "/green.webp": always(content("image/webp", images.webp(120, 80, "#40a060"))),
        "/round.svg": always(content("image/svg+xml", images.SVG)),
        "/blink.gif": always(content("image/gif", images.gif(("red", "white")))),
        "/tile.png": always(content("image/png", images.plain(64, 64, "#fffdf6"))),
        "/inner.png": always(content("image/png", images.png(60, 40, "#e0c040", "inner"))),
        "/icon.png": always(content("image/png", images.png(32, 32, "#7a1f1f"))),
        "/favicon.ico": always(content("image/png", images.png(16, 16, "#7a1f1f"))),
    }
