"""Pages that do things: workers, service workers (one lies), server-sent events, WebSocket, popups, dialogs, console."""

from __future__ import annotations

from collections.abc import Iterator

from tests.sites import images
from tests.sites.answer import Answer, Pause, Piece, Request, Routes, always, content, html, script, text

TRUTH = "服务器说的真话\n"
LIE = "服务工作线程编的谎话\n"


def page(title: str, code: str, body: str = "") -> str:
    """A page whose script writes what happened into ``#out``."""
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title></head>'
        f'<body><h1>{title}</h1><pre id="out"></pre>{body}<script>\n'
        'const say = t => { document.getElementById("out").textContent += t + "\\n"; };\n'
        f"{code}</script></body></html>\n"
    )


_WORKER_PAGE = page(
    "工作线程",
    """const w = new Worker("/worker.js");
w.onmessage = e => { say("工作线程：" + e.data); document.body.dataset.done = "1"; };
w.postMessage(20);
const s = new SharedWorker("/shared.js"); s.port.onmessage = e => say("共享线程：" + e.data); s.port.start();
""",
)
_WORKER = """importScripts("/worker-part.js");
onmessage = async e => {
  const r = await fetch("/worker-data.json"); const d = await r.json();
  postMessage(fib(e.data) + " " + d.word);
};
"""
_SERVICE_PAGE = page(
    "服务工作线程",
    """(async () => {
  await navigator.serviceWorker.register("/sw.js"); await navigator.serviceWorker.ready;
  if (!navigator.serviceWorker.controller)
    await new Promise(r => navigator.serviceWorker.addEventListener("controllerchange", r));
  say("经由线程：" + await (await fetch("/through.txt")).text());
  say("缓存所出：" + await (await fetch("/cached.txt")).text());
  say("缓存再出：" + await (await fetch("/cached.txt")).text());
  document.body.dataset.done = "1";
})().catch(e => say("失败：" + e));
""",
)
_SERVICE = """self.addEventListener("install", e => e.waitUntil(
  caches.open("v1").then(c => c.add("/cached.txt")).then(() => self.skipWaiting())));
self.addEventListener("activate", e => e.waitUntil(self.clients.claim()));
self.addEventListener("fetch", e => {
  const path = new URL(e.request.url).pathname;
  if (path === "/cached.txt") e.respondWith(caches.match("/cached.txt").then(r => r || fetch(e.request)));
  else if (path === "/through.txt") e.respondWith(fetch(e.request));
});
"""
_LIAR_PAGE = page(
    "说谎的服务工作线程",
    """(async () => {
  await navigator.serviceWorker.register("/liar/sw.js"); await navigator.serviceWorker.ready;
  const ours = () => { const c = navigator.serviceWorker.controller; return c && c.scriptURL.endsWith("/liar/sw.js"); };
  while (!ours())
    await new Promise(r => navigator.serviceWorker.addEventListener("controllerchange", r, {once: true}));
  say(await (await fetch("/liar/truth.txt")).text());
  const i = new Image(); i.onload = () => { document.body.append(i); document.body.dataset.done = "1"; };
  i.src = "/liar/picture.png";
})().catch(e => say("失败：" + e));
""",
)
_LIAR = f"""self.addEventListener("install", e => e.waitUntil(self.skipWaiting()));
self.addEventListener("activate", e => e.waitUntil(self.clients.claim()));
self.addEventListener("fetch", e => {{
  const path = new URL(e.request.url).pathname;
  if (path === "/liar/truth.txt") e.respondWith(
    new Response({LIE!r}, {{headers: {{"Content-Type": "text/plain; charset=utf-8"}}}}));
  if (path === "/liar/picture.png") e.respondWith(fetch("/liar/other.png"));
}});
"""
_EVENTS_PAGE = page(
    "服务器推送",
    """const s = new EventSource("/events");
s.onmessage = e => say(e.lastEventId + " " + e.data);
s.addEventListener("end", () => { s.close(); say("结束"); document.body.dataset.done = "1"; });
""",
)
_SOCKET_PAGE = page(
    "双向通信",
    """const q = new URLSearchParams(location.search);
for (const path of ["/echo", "/deflate", "/fragments"]) {
  const s = new WebSocket((q.get("at") || location.origin.replace("http", "ws")) + path);
  s.binaryType = "arraybuffer"; let n = 0;
  s.onopen = () => { s.send("第一条：䶮"); s.send(new Uint8Array(5000).fill(7)); s.send("长".repeat(70000)); };
  s.onmessage = e => {
    n++; say(path + " " + (typeof e.data === "string" ? e.data.slice(0, 12) : e.data.byteLength));
    if (n === (path === "/fragments" ? 5 : 4)) s.send("bye");
  };
  s.onclose = e => { say(path + " 关闭 " + e.code + " " + e.reason);
    document.body.dataset.closed = +(document.body.dataset.closed || 0) + 1; };
}
""",
)
_POPUP_PAGE = page(
    "弹出窗口",
    """const w = window.open("/popped.html", "_blank", "width=300,height=200"); say("自行弹出：" + (w ? "有" : "无"));
document.getElementById("link").click();
""",
    '<a id="link" href="/popped.html?link" target="_blank" rel="opener">另开窗口</a>',
)
_POPPED = page("弹出的窗口", 'say(window.opener ? "由他页打开" : "无来源");\n')
_DIALOG_PAGE = page(
    "对话框",
    """alert("请注意：䶮"); say("确认：" + confirm("是否继续？")); say("输入：" + prompt("姓名？", "张三"));
window.addEventListener("beforeunload", e => { e.preventDefault(); e.returnValue = "尚未保存"; });
document.body.dataset.done = "1";
""",
)
_CONSOLE_PAGE = page(
    "控制台",
    """console.log("普通消息", {a: 1}); console.warn("警告：𠮷"); console.error("错误消息");
setTimeout(() => { 未定义的函数(); }, 0); Promise.reject(new Error("无人处理"));
fetch("/missing.json").then(r => say(r.status)); fetch("http://nowhere.invalid/").catch(e => say(String(e)));
document.body.dataset.done = "1";
""",
    '<img src="/broken.png" alt="坏图"><script src="/syntax.js"></script>',
)
_ASKING_PAGE = page(
    "索取权限",
    """navigator.geolocation.getCurrentPosition(() => say("位置：有"), e => say("位置：" + e.code));
navigator.mediaDevices && navigator.mediaDevices.getUserMedia({audio: true, video: true})
  .then(() => say("摄像头：有"), e => say("摄像头：" + e.name));
Notification.requestPermission().then(r => say("通知：" + r));
document.body.dataset.done = "1";
""",
)


def _events(request: Request) -> Answer:
    endless = request.query == "endless"

    def pieces() -> Iterator[Piece]:
        number = 0
        while endless or number < 5:
            number += 1
            yield f"id: {number}\ndata: 第{number}条\n\n".encode()
            yield Pause(0.05)
        yield b"event: end\ndata: \n\n"

    return Answer(
        headers=((b"Content-Type", b"text/event-stream"), (b"Cache-Control", b"no-store")), body=pieces
    )


def routes() -> Routes:
    """All of them; the WebSocket page takes ``?at=wss://socket.test:PORT``."""
    once = (b"Cache-Control", b"no-store")
    return {
        "/worker.html": always(html(_WORKER_PAGE)),
        "/worker.js": always(script(_WORKER)),
        "/worker-part.js": always(
            script("function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }\n")
        ),
        "/worker-data.json": always(content("application/json", '{"word": "线程所取"}'.encode())),
        "/shared.js": always(
            script(
                'onconnect = e => fetch("/through.txt").then(r => r.text()).then(t => e.ports[0].postMessage(t));\n'
            )
        ),
        "/sw.html": always(html(_SERVICE_PAGE)),
        "/sw.js": always(script(_SERVICE, once)),
        "/through.txt": always(text("穿过线程\n", once)),
        "/cached.txt": always(text("进了缓存\n", once)),
        "/liar/": always(html(_LIAR_PAGE)),
        "/liar/sw.js": always(script(_LIAR, once)),
        "/liar/truth.txt": always(text(TRUTH, once)),
        "/liar/picture.png": always(content("image/png", images.png(40, 40, "#ffffff", "true"))),
        "/liar/other.png": always(content("image/png", images.png(40, 40, "#000000", "false"))),
        "/events.html": always(html(_EVENTS_PAGE)),
        "/events": _events,
        "/socket.html": always(html(_SOCKET_PAGE)),
        "/popup.html": always(html(_POPUP_PAGE)),
        "/popped.html": always(html(_POPPED)),
        "/dialog.html": always(html(_DIALOG_PAGE)),
        "/console.html": always(html(_CONSOLE_PAGE)),
        "/syntax.js": always(script("let let = ;\n")),
        "/asking.html": always(html(_ASKING_PAGE)),
        "/busy.html": always(html(page("不停运算", "setTimeout(() => { for (;;) {} }, 100);\n"))),
    }
