"""``network.jsonl`` and ``console.jsonl``: what the browser itself says about requests, trimmed to what evidence needs.

Bodies are not kept here, the recorder has them: only their digests, to compare. Moments are microseconds of the Unix epoch.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Callable
from typing import Any, Final

from evidence_desk.core.canonical import JSON
from evidence_desk.core.capture.events import clean
from ui.capture_browser.files import CaptureFolder, Lines
from ui.capture_browser.observer import Observer, Params, Target

BODY_LIMIT: Final = 8 << 20
"""Bytes; digests of larger bodies are not taken."""
_URL: Final = 16_384
_HEADER: Final = 32_768
_OPEN_ENDED: Final = frozenset({"EventSource", "WebSocket", "Ping"})
"""Requests that are not expected to end, or that nobody waits for."""


class Activity:
    """Which requests are under way; for knowing when a page has settled."""

    def __init__(self) -> None:
        self.requests = self.failed = self.console = self.errors = 0
        self.open: dict[str, str] = {}
        """Requests that have not ended, with the session that told of them last: one may begin in a page and end in its frame."""
        self.moved = 0.0
        """When one of them last began or ended, on the monotonic clock."""
        self.failures: list[tuple[str, str]] = []
        """Addresses that failed, with Chromium's name of the error, since the page began."""
        self.status: dict[str, int] = {}
        """HTTP status of the main page, by target."""
        self.media: list[str] = []

    def begin_page(self) -> None:
        """Forget what belongs to the page before."""
        self.open.clear()
        self.failures.clear()
        self.status.clear()
        self.media.clear()


class Trace:
    """Writes both files from the observer's events."""

    def __init__(self, folder: CaptureFolder, observer: Observer) -> None:
        self._network = Lines(folder, "network.jsonl")
        self._console = Lines(folder, "console.jsonl")
        self._observer, self._activity = observer, Activity()
        self._offset = 0.0
        """Wall clock minus Chromium's monotonic clock, seconds."""
        self._shared: set[str] = set()
        """Ids of shared workers. Requests for their scripts bear them, and end in a session that may begin to listen too late."""
        self._lengths: dict[str, int] = {}
        self._urls: dict[str, str] = {}
        self._handlers: dict[str, Callable[[Params, str], None]] = {
            "Network.requestWillBeSent": self._on_request,
            "Network.requestWillBeSentExtraInfo": self._on_request_extra,
            "Network.responseReceived": self._on_response,
            "Network.responseReceivedExtraInfo": self._on_response_extra,
            "Network.dataReceived": self._on_data,
            "Network.loadingFinished": self._on_finished,
            "Network.loadingFailed": self._on_failed,
            "Network.requestServedFromCache": self._on_cached,
            "Network.eventSourceMessageReceived": self._on_event_source,
            "Network.webSocketCreated": self._on_socket_created,
            "Network.webSocketWillSendHandshakeRequest": self._on_socket_handshake,
            "Network.webSocketHandshakeResponseReceived": self._on_socket_handshake,
            "Network.webSocketFrameSent": self._on_frame,
            "Network.webSocketFrameReceived": self._on_frame,
            "Network.webSocketFrameError": self._on_socket_end,
            "Network.webSocketClosed": self._on_socket_end,
            "Page.frameNavigated": self._on_navigated,
            "Runtime.consoleAPICalled": self._on_console,
            "Runtime.exceptionThrown": self._on_exception,
            "Log.entryAdded": self._on_entry,
        }
        observer.observed.connect(self._on_event)
        observer.attached.connect(self._on_attached)
        observer.detached.connect(self._on_detached)

    @property
    def activity(self) -> Activity:
        """As of now."""
        self._observer.catch_up()
        return self._activity

    @property
    def told(self) -> Activity:
        """As far as it was looked at; costs a loading page nothing."""
        return self._activity

    def flush(self) -> None:
        """Hand what is buffered to the system."""
        self._network.flush()
        self._console.flush()

    def close(self) -> None:
        """Make both files durable; nothing is written afterwards."""
        self._observer.catch_up()
        self._observer.observed.disconnect(self._on_event)
        self._network.close()
        self._console.close()

    def _on_event(self, method: str, params: Params, session: str) -> None:
        if (handler := self._handlers.get(method)) is not None:
            handler(params, session)

    def _line(self, event: str, session: str, params: Params, **members: JSON) -> None:
        line: dict[str, JSON] = {"event": event, "session": session, "at": self._moment(params)}
        if "requestId" in params:
            line["requestId"] = clean(params["requestId"], 200)
        self._network.add(line | members)

    def _moment(self, params: Params) -> int:
        monotonic = params.get("timestamp")
        if not isinstance(monotonic, int | float) or not self._offset:
            came = time.time() - time.monotonic() + self._observer.moment
            return round(came * 1_000_000)
        return round((monotonic + self._offset) * 1_000_000)

    # requests

    def _on_request(self, params: Params, session: str) -> None:
        key, request = params["requestId"], params["request"]
        self._offset = params["wallTime"] - params["timestamp"]
        if (before := params.get("redirectResponse")) is not None:
            self._line("redirected", session, params, **_response(before))
        elif request["url"].startswith("http"):
            self._activity.requests += 1
        if params.get("type") not in _OPEN_ENDED and key not in self._shared:
            self._activity.open[key] = session
            self._activity.moved = self._observer.moment
        self._urls[key] = request["url"]
        self._line(
            "requestWillBeSent", session, params, url=_url(request["url"]), method=clean(request["method"], 100),
            type=_text(params.get("type")), frame=_text(params.get("frameId")), loader=_text(params.get("loaderId")),
            document=_url(params.get("documentURL", "")), initiator=_text(params.get("initiator", {}).get("type")),
            post=bool(request.get("hasPostData", False)), headers=_headers(request["headers"]),
        )  # fmt: skip

    def _on_request_extra(self, params: Params, session: str) -> None:
        self._line("requestWillBeSentExtraInfo", session, params, headers=_headers(params["headers"]))

    def _on_response(self, params: Params, session: str) -> None:
        response, target = params["response"], self._observer.targets.get(session)
        if params["requestId"] in self._activity.open:
            self._activity.open[params["requestId"]] = session
        if target is not None and params.get("type") == "Document" and params.get("frameId") == target.id:
            self._activity.status[target.id] = int(response["status"])
        if params.get("type") == "Media":
            self._activity.media.append(response["url"])
        self._line("responseReceived", session, params, type=_text(params.get("type")), **_response(response))

    def _on_response_extra(self, params: Params, session: str) -> None:
        self._line(
            "responseReceivedExtraInfo", session, params,
            status=int(params["statusCode"]), headers=_headers(params["headers"]),
        )  # fmt: skip

    def _on_data(self, params: Params, _session: str) -> None:
        key = params["requestId"]
        self._lengths[key] = self._lengths.get(key, 0) + int(params["dataLength"])

    def _on_finished(self, params: Params, session: str) -> None:
        length = self._end(params)
        self._line(
            "loadingFinished", session, params, size=length, encoded=max(0, int(params["encodedDataLength"]))
        )
        if length <= BODY_LIMIT:
            given = {"requestId": params["requestId"]}
            self._observer.ask(
                "Network.getResponseBody", given, session, lambda body: self._on_body(params, session, body)
            )

    def _on_body(self, params: Params, session: str, body: Params | None) -> None:
        if body is None:
            self._line("body", session, params, sha256=None, size=None, form="unavailable")
            return
        try:
            raw = bool(body["base64Encoded"])
            data = base64.b64decode(body["body"]) if raw else clean_all(body["body"])
        except binascii.Error:
            return
        form = "bytes" if raw else "text"
        self._line("body", session, params, sha256=_sha256(data), size=len(data), form=form)

    def _on_failed(self, params: Params, session: str) -> None:
        url = self._urls.get(params["requestId"], "")
        length = self._end(params)
        error, blocked = params.get("errorText", ""), params.get("blockedReason", "")
        canceled = bool(params.get("canceled", False))
        if not canceled and blocked in ("", "inspector"):
            self._activity.failed += 1
            self._activity.failures.append((url, error))
        self._line(
            "loadingFailed", session, params, error=_text(error), canceled=canceled, blocked=_text(blocked),
            type=_text(params.get("type")), size=length,
        )  # fmt: skip

    def _end(self, params: Params) -> int:
        key = params["requestId"]
        if self._activity.open.pop(key, None) is not None:
            self._activity.moved = self._observer.moment
        self._urls.pop(key, None)
        return self._lengths.pop(key, 0)

    def _on_cached(self, params: Params, session: str) -> None:
        self._line("requestServedFromCache", session, params)

    # streams

    def _on_event_source(self, params: Params, session: str) -> None:
        data = clean_all(params["data"])
        self._line(
            "eventSourceMessageReceived", session, params, name=_text(params["eventName"]),
            id=_text(params["eventId"]), size=len(data), sha256=_sha256(data),
        )  # fmt: skip

    def _on_socket_created(self, params: Params, session: str) -> None:
        self._activity.requests += 1
        self._line("webSocketCreated", session, params, url=_url(params["url"]))

    def _on_socket_handshake(self, params: Params, session: str) -> None:
        if (response := params.get("response")) is not None:
            self._line(
                "webSocketHandshakeResponseReceived", session, params,
                status=int(response["status"]), headers=_headers(response["headers"]),
            )  # fmt: skip
        else:
            headers = _headers(params["request"]["headers"])
            self._line("webSocketWillSendHandshakeRequest", session, params, headers=headers)

    def _on_frame(self, params: Params, session: str) -> None:
        frame = params["response"]
        opcode = int(frame["opcode"])
        text = frame["payloadData"]
        try:
            data = clean_all(text) if opcode == 1 else base64.b64decode(text)
        except binascii.Error:
            data = clean_all(text)
        event = "webSocketFrameSent" if frame["mask"] else "webSocketFrameReceived"
        self._line(event, session, params, opcode=opcode, size=len(data), sha256=_sha256(data))

    def _on_socket_end(self, params: Params, session: str) -> None:
        error = params.get("errorMessage")
        event = "webSocketClosed" if error is None else "webSocketFrameError"
        self._line(event, session, params, error=_text(error))

    # targets, frames, console

    def _on_attached(self, target: Target) -> None:
        if target.type == "shared_worker":
            self._shared.add(target.id)
            self._activity.open.pop(target.id, None)
        members: dict[str, JSON] = {"target": target.id, "type": target.type, "url": _url(target.url)}
        self._line("attached", target.session, {}, **members)

    def _on_detached(self, session: str) -> None:
        """Requests of a worker or frame that is gone are not waited for."""
        self._activity.open = {key: told for key, told in self._activity.open.items() if told != session}
        self._line("detached", session, {})

    def _on_navigated(self, params: Params, session: str) -> None:
        frame = params["frame"]
        self._line(
            "frameNavigated", session, {}, frame=_text(frame["id"]), parent=_text(frame.get("parentId")),
            url=_url(frame["url"]), loader=_text(frame["loaderId"]), media_type=_text(frame.get("mimeType")),
        )  # fmt: skip

    def _on_console(self, params: Params, session: str) -> None:
        said = " ".join(_argument(item) for item in params.get("args", [])[:20])
        self._say(session, "console", params.get("type", "log"), said, params)

    def _on_exception(self, params: Params, session: str) -> None:
        details = params["exceptionDetails"]
        thrown = details.get("exception", {}).get("description", "")
        said = f"{details.get('text', '')} {thrown}".strip()
        self._say(session, "exception", "error", said, {**details, "timestamp": params.get("timestamp")})

    def _on_entry(self, params: Params, session: str) -> None:
        entry = params["entry"]
        self._say(session, _text(entry.get("source")), entry.get("level", ""), entry.get("text", ""), entry)

    def _say(self, session: str, source: str, level: str, text: str, facts: Params) -> None:
        self._activity.console += 1
        self._activity.errors += level == "error"
        at = facts.get("timestamp")
        self._console.add({
            "at": round(at * 1000) if isinstance(at, int | float) else 0, "session": session, "source": source,
            "level": _text(level), "text": clean(text), "url": _url(facts.get("url", "")),
        })  # fmt: skip


def clean_all(text: str) -> bytes:
    """UTF-8 of a text of any length; lone surrogates become U+FFFD, as in what a browser sends."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _text(value: Any) -> str:
    return clean(value, 500) if isinstance(value, str) else ""


def _url(value: str) -> str:
    """Addresses that hold their own content are cut."""
    return clean(value, 200 if value.startswith("data:") else _URL)


def _headers(headers: Params) -> dict[str, JSON]:
    return {clean(name, 500): clean(str(value), _HEADER) for name, value in headers.items()}


def _response(response: Params) -> dict[str, JSON]:
    return {
        "url": _url(response["url"]), "status": int(response["status"]), "headers": _headers(response["headers"]),
        "media_type": _text(response.get("mimeType")), "protocol": _text(response.get("protocol")),
        "cached": bool(response.get("fromDiskCache", False)),
        "service_worker": bool(response.get("fromServiceWorker", False)),
    }  # fmt: skip


def _argument(item: Params) -> str:
    value = item.get("value", item.get("description", item.get("type", "")))
    return value if isinstance(value, str) else str(value)
