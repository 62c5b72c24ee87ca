"""Login with cookies, and redirects: chains, loops, to other places."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

from tests.sites.answer import Answer, Request, Routes, always, html, redirect
from tests.sites.pages.active import page

SESSION = "s3cret-7f3a9c"
USER, WORD = "张三", "correct horse"
STATUSES = (301, 302, 303, 307, 308)

_FORM = """<form id="login" method="post" action="/login">
<input name="user" value="张三"><input name="word" type="password" value="correct horse">
<button id="go">登录</button></form>"""


def routes() -> Routes:
    """``/login`` → POST → ``/account``; ``/login-auto.html`` sends the form by itself."""
    return {
        "/login": _login,
        "/login-auto.html": always(
            html(page("自动登录", 'document.getElementById("login").submit();\n', _FORM))
        ),
        "/account": _account,
        "/logout": always(redirect("/login", (b"Set-Cookie", b"session=; Max-Age=0; Path=/"))),
        "/hops/*": _hops,
        "/loop": always(redirect("/loop?again")),
        "/loop-a": always(redirect("/loop-b", status=301)),
        "/loop-b": always(redirect("/loop-a", status=308)),
        "/to": lambda request: redirect(unquote(request.query)),
        "/refresh.html": always(
            html(
                '<!doctype html><meta charset=utf-8><meta http-equiv=refresh content="0; url=/account">转往账户'
            )
        ),
    }


def _login(request: Request) -> Answer:
    if request.method != "POST":
        return html(page("登录", "", _FORM))
    form = parse_qs(request.body.decode())
    if form.get("user") != [USER] or form.get("word") != [WORD]:
        return html(page("登录失败", "", _FORM), status=403)
    return redirect(
        "/account",
        (b"Set-Cookie", f"session={SESSION}; HttpOnly; Path=/; SameSite=Lax".encode()),
        (b"Set-Cookie", b"theme=dark; Path=/; Max-Age=3600"),
        status=303,
    )


def _account(request: Request) -> Answer:
    if f"session={SESSION}" not in request.header("cookie"):
        cookies = [value for name, value in request.headers if name.lower() == b"cookie"]
        if f"session={SESSION}".encode() not in cookies:  # HTTP/2 may split them (RFC 9113 §8.2.3)
            return redirect("/login")
    return html(
        page(
            "我的账户",
            'localStorage.setItem("见过", "是"); say(document.cookie);\n',
            f"<p>{USER}，余额 1,234.50 元</p>",
        )
    )


def _hops(request: Request) -> Answer:
    left = int(request.path.rpartition("/")[2])
    if left == 0:
        return html(page("到了", 'say("转了几次");\n'))
    return redirect(f"/hops/{left - 1}", status=STATUSES[left % len(STATUSES)])
