"""Answers every request of the browser from the archive, by its debugging protocol's Fetch domain; what is not there fails.

Requests that this domain does not see (WebSockets) have no way out either: see `switches`. They are told from the Network domain.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QObject, Signal

from evidence_desk.wacz.answers import Answer, Miss
from ui.capture_browser.observer import Observer, Params
from ui.capture_replay.archive import Archive

_FETCH: Final = {"patterns": [{"urlPattern": "*", "requestStage": "Request"}], "handleAuthRequests": False}
_LOCAL: Final = frozenset({"data", "blob", "about"})
_WEB: Final = frozenset({"http", "https"})
_MAX_SHOWN: Final = 2000
"""Characters of an address."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that the archive did not answer, or not wholly; `reason` is a code of ``capture_replay.miss``."""

    method: str
    url: str
    reason: str


class Supply(QObject):
    """Stands between browser and archive."""

    unanswered = Signal(object)
    """An `Unanswered`."""
    busy = Signal()
    """Something was asked for."""

    def __init__(self, observer: Observer, archive: Archive) -> None:
        super().__init__()
        self._observer, self._answers = observer, archive.answers
        self.page = ""
        """Chromium's id of the window's page."""
        self.missing_page = ""
        """Address of the last page that was not there, for the window to tell."""
        observer.observed.connect(self._on_observed)

    async def begin(self) -> bool:
        """Take over all requests, of every window, frame and worker; False when the browser refuses."""
        return await self._observer.call("Fetch.enable", _FETCH) is not None

    def _on_observed(self, method: str, params: Params, session: str) -> None:
        if method == "Fetch.requestPaused":
            self.busy.emit()
            self._on_paused(params, session)
        elif method == "Network.webSocketCreated":
            self._tell("GET", str(params.get("url", "")), "websocket")

    def _on_paused(self, params: Params, session: str) -> None:
        request, number = params["request"], params["requestId"]
        method, url = request["method"], request["url"]
        scheme = url.partition(":")[0].lower()
        if scheme in _LOCAL:
            self._observer.tell("Fetch.continueRequest", {"requestId": number}, session)
            return
        reason = "scheme" if scheme not in _WEB else self._answered(params, session)
        if reason:
            if self._is_page(params):
                self.missing_page = url
            self._tell(method, url, reason)
            refused = {"requestId": number, "errorReason": "InternetDisconnected"}
            self._observer.tell("Fetch.failRequest", refused, session)

    def _answered(self, params: Params, session: str) -> str:
        """Give what the archive has; else the reason why not."""
        request = params["request"]
        fields = {name.lower(): value for name, value in request.get("headers", {}).items()}
        if fields.get("service-worker") == "script":
            return "service_worker"  # it would answer in the archive's place
        found = self._answers.answer(
            request["method"], request["url"], part=fields.get("range"), page=self._is_page(params),
            once=params.get("resourceType") == "EventSource",
        )  # fmt: skip
        if isinstance(found, Miss):
            return found.value
        if found.fault is not None:
            self._tell(request["method"], request["url"], "partial")
        self._observer.tell("Fetch.fulfillRequest", _fulfilled(params["requestId"], found), session)
        return ""

    def _is_page(self, params: Params) -> bool:
        return params.get("resourceType") == "Document" and params.get("frameId") == self.page

    def _tell(self, method: str, url: str, reason: str) -> None:
        self.unanswered.emit(Unanswered(method, url[:_MAX_SHOWN], reason))


def _fulfilled(number: str, found: Answer) -> dict[str, Any]:
    fields = b"\0".join(name + b": " + value for name, value in found.fields if b"\0" not in value)
    return {
        "requestId": number,
        "responseCode": found.status,
        "binaryResponseHeaders": base64.b64encode(fields).decode("ascii"),
        "body": base64.b64encode(found.body).decode("ascii"),
    }
