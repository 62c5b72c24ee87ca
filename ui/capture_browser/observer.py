"""The observing client: speaks Chromium's debugging protocol to the very browser it runs in, and watches every target.

Attached on an empty page; the port is closed before anything is fetched (`listener`). New targets (windows, frames of
other sites, workers, service workers) wait until they are observed; replies are never waited for there, or targets would block each other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtNetwork import QNetworkAccessManager, QNetworkProxy, QNetworkReply, QNetworkRequest
from PySide6.QtWebSockets import QWebSocket

from ui.capture_browser.backlog import Backlog
from ui.capture_browser.flow import Reply, within

Params = Mapping[str, Any]

_ATTACH: Final = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
_NETWORK: Final = {
    "maxPostDataSize": 65536,
    "maxResourceBufferSize": 8 << 20,
    "maxTotalBufferSize": 48 << 20,
}
_CONNECT_MS: Final = 10_000
_MESSAGE: Final = 512 << 20
_ANSWER: Final = '{"id":'
_WATCHED: Final = tuple(f'{{"method":"{domain}.' for domain in ("Network", "Runtime", "Log", "Page"))
"""How events begin that nobody waits for."""
_LEAVING: Final = ('{"method":"Network.requestWillBeSent"', '"type":"Document"')
"""A page is about to be left: what it was told must be asked for while it is there."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something observed: its session, Chromium's id, type (page, iframe, worker, service_worker, shared_worker…), address."""

    session: str
    id: str
    type: str
    url: str
    parent: str = ""
    """Session of the page or frame that it was found in; "" for the browser."""


class Observer(QObject):
    """One connection to the whole browser, sessions flattened into it."""

    attached = Signal(object)
    """A `Target`."""
    detached = Signal(str)
    """Session that is gone."""
    observed = Signal(str, object, str)
    """Method, parameters, session."""
    lost = Signal()
    """The connection broke."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self._number = 0
        self._waiting: dict[int, Reply[Params | None]] = {}
        self.targets: dict[str, Target] = {}
        self.moment = 0.0
        """When what is being told came, on the monotonic clock."""
        self._backlog = Backlog(self._take, self)
        self._socket = QWebSocket(parent=self)
        self._socket.setProxy(QNetworkProxy(QNetworkProxy.ProxyType.NoProxy))
        self._socket.setMaxAllowedIncomingMessageSize(_MESSAGE)
        self._socket.setMaxAllowedIncomingFrameSize(_MESSAGE)
        self._socket.textMessageReceived.connect(self._on_message)

    async def connect_to_browser(self) -> bool:
        """Find the browser's own address at the port and attach; False when that fails."""
        address = await within(self._ask_address(), _CONNECT_MS)
        if not address:
            return False
        connected: Reply[bool] = Reply()
        self._socket.connected.connect(lambda: connected.give(True))
        self._socket.errorOccurred.connect(lambda _error: connected.give(False))
        self._socket.open(QUrl(address))
        if not await within(connected, _CONNECT_MS):
            return False
        self._socket.disconnected.connect(self.lost)
        if await self.call("Target.setAutoAttach", _ATTACH) is None:
            return False
        for session in list(
            self.targets
        ):  # what they were told on attaching is in force once they answer this
            if await self.call("Runtime.evaluate", {"expression": "0"}, session) is None:
                return False
        return bool(self.targets)

    async def call(
        self, method: str, params: Params | None = None, session: str = "", *, wait: int = 10_000
    ) -> Params | None:
        """Result of a command, None when it was refused or did not come within `wait` milliseconds."""
        number = self._send(method, params, session)
        reply: Reply[Params | None] = Reply()
        self._waiting[number] = reply
        result = await within(reply, wait)
        self._waiting.pop(number, None)
        return result

    def ask(self, method: str, params: Params, session: str, then: Callable[[Params | None], None]) -> None:
        """Call `then` with the result of a command, or with None."""
        number = self._send(method, params, session)
        reply: Reply[Params | None] = Reply()
        self._waiting[number] = reply
        reply.when_come(lambda: then(reply.value))

    def request(self, method: str, params: Params, session: str) -> Reply[Params | None]:
        """Result of a command, None when it was refused; whoever waits for it sets the limit."""
        reply: Reply[Params | None] = Reply()
        self.ask(method, params, session, reply.give)
        return reply

    def tell(self, method: str, params: Params | None = None, session: str = "") -> None:
        """Send a command whose result nobody needs."""
        self._send(method, params, session)

    def catch_up(self) -> None:
        """Tell of everything that has come."""
        self._backlog.catch_up()

    def session_of(self, target: str) -> str:
        """Session of a target by Chromium's id, "" when it is not observed."""
        return next((item.session for item in self.targets.values() if item.id == target), "")

    def _ask_address(self) -> Reply[str]:
        found: Reply[str] = Reply()
        network = QNetworkAccessManager(self)
        network.setProxy(QNetworkProxy(QNetworkProxy.ProxyType.NoProxy))
        answer = network.get(QNetworkRequest(QUrl(f"http://127.0.0.1:{self._port}/json/version")))

        def read() -> None:
            try:
                value = json.loads(bytes(answer.readAll().data())) if _good(answer) else {}
            except ValueError:
                value = {}
            found.give(str(value.get("webSocketDebuggerUrl", "")))
            network.deleteLater()

        answer.finished.connect(read)
        return found

    def _send(self, method: str, params: Params | None, session: str) -> int:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        self._socket.sendTextMessage(json.dumps(message))
        return self._number

    def _on_message(self, text: str) -> None:
        if text.startswith(_WATCHED):
            self._backlog.add(text)
            if text.startswith(_LEAVING[0]) and _LEAVING[1] in text:
                self._backlog.catch_up()
            return
        if not text.startswith(_ANSWER):
            self._backlog.catch_up()
        self._take(text, time.monotonic())

    def _take(self, text: str, moment: float) -> None:
        message, self.moment = json.loads(text), moment
        if (number := message.get("id")) is not None:
            if (reply := self._waiting.pop(number, None)) is not None:
                reply.give(message.get("result"))
            return
        method, params = message.get("method", ""), message.get("params", {})
        if method == "Target.attachedToTarget":
            self._on_attached(params, message.get("sessionId", ""))
        elif method == "Target.detachedFromTarget":
            self.targets.pop(params["sessionId"], None)
            self.detached.emit(params["sessionId"])
        else:
            self.observed.emit(method, params, message.get("sessionId", ""))

    def _on_attached(self, params: Params, parent: str) -> None:
        session, info = params["sessionId"], params["targetInfo"]
        known = self.session_of(info["targetId"])
        if not known:  # a service worker is offered by the browser and again by each of its pages
            target = Target(session, info["targetId"], info["type"], info["url"], parent)
            self.targets[session] = target
            self.tell("Network.enable", _NETWORK, session)
            self.tell("Runtime.enable", {}, session)
            self.tell("Log.enable", {}, session)
            if target.type in ("page", "iframe"):
                self.tell("Page.enable", {}, session)
            self.tell("Target.setAutoAttach", _ATTACH, session)
            self.attached.emit(target)
        self.tell("Runtime.runIfWaitingForDebugger", {}, session)


def _good(answer: QNetworkReply) -> bool:
    return answer.error() is QNetworkReply.NetworkError.NoError
