"""Downloads: kept in the capture's folder under a number, never under the name a page suggests, never opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtWebEngineCore import QWebEngineDownloadRequest, QWebEngineProfile

from evidence_desk.core.capture.events import Downloaded, Event, Fault, clean
from ui.capture_browser.files import CaptureFolder
from ui.capture_browser.page import shown

MAX_DOWNLOADS: Final = 200
_State = QWebEngineDownloadRequest.DownloadState
_SAID: Final = {
    _State.DownloadCompleted: "completed",
    _State.DownloadInterrupted: "interrupted",
    _State.DownloadCancelled: "canceled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How many downloads had begun, and how many were left out, at some moment."""

    begun: int
    left_out: int


class Downloads:
    """Takes the downloads of a profile, as many as there is room for.

    Args:
        max_bytes: of all downloads together, as they lie in the folder; few bytes on the wire can become many there.
    """

    def __init__(
        self, profile: QWebEngineProfile, folder: CaptureFolder, max_bytes: int, say: Callable[[Event], None]
    ) -> None:
        self._folder, self._max_bytes, self._say = folder, max_bytes, say
        self.begun = self.left_out = 0
        self._kept = 0
        """Bytes of those that have ended."""
        self.running: dict[str, QWebEngineDownloadRequest] = {}
        self._failed: list[int] = []
        profile.downloadRequested.connect(self._on_requested)

    @property
    def mark(self) -> Mark:
        """How many there were by now."""
        return Mark(begun=self.begun, left_out=self.left_out)

    def running_since(self, mark: Mark) -> bool:
        """Whether one that began later is under way."""
        return any(_number(name) > mark.begun for name in self.running)

    def failed_since(self, mark: Mark) -> bool:
        """Whether one that began later did not come whole."""
        return any(failed > mark.begun for failed in self._failed)

    def end(self) -> None:
        """What is still under way ends here."""
        for name, request in list(self.running.items()):
            self._cancel(name, request)

    def end_endless(self) -> None:
        """As `end`, but those of a size that the server told go on."""
        for name, request in list(self.running.items()):
            if request.totalBytes() <= 0:
                self._cancel(name, request, "NoEnd")

    def _on_requested(self, request: QWebEngineDownloadRequest) -> None:
        if request.isSavePageDownload():
            request.cancel()
            return
        if self.begun >= MAX_DOWNLOADS:
            request.cancel()
            self.left_out += 1
            if self.left_out == 1:
                self._say(Fault(code="capture.browser_downloads", detail=shown(request.url())))
            return
        self.begun += 1
        name = f"download-{self.begun:03}.bin"
        request.setDownloadDirectory(str(self._folder.path(name).parent))
        request.setDownloadFileName(name)
        self.running[name] = request
        request.stateChanged.connect(lambda _state: self._on_changed(name, request))
        request.receivedBytesChanged.connect(lambda: self._weigh(name, request))
        self._tell(name, request, "started")
        request.accept()

    def _on_changed(self, name: str, request: QWebEngineDownloadRequest) -> None:
        said = _SAID.get(request.state())
        if said is not None and self.running.pop(name, None) is not None:
            self._tell(name, request, said)

    def _weigh(self, name: str, request: QWebEngineDownloadRequest) -> None:
        size = self._kept + sum(item.receivedBytes() for item in self.running.values())
        if size > self._max_bytes and name in self.running:
            self._cancel(name, request, "TooLarge")

    def _cancel(self, name: str, request: QWebEngineDownloadRequest, reason: str = "") -> None:
        del self.running[name]
        request.cancel()
        self._tell(name, request, "canceled", reason)

    def _tell(self, name: str, request: QWebEngineDownloadRequest, state: str, reason: str = "") -> None:
        size, digest = 0, ""
        if state != "started":
            try:
                size, digest = self._folder.digest(name)
            except OSError:
                reason = reason or "NoFile"
        self._kept += size
        if state not in ("started", "completed"):
            self._failed.append(_number(name))
        if state == "interrupted":
            reason = f"{request.interruptReason().name}"
        self._say(
            Downloaded(
                name=name, url=shown(request.url()), suggested=clean(request.suggestedFileName(), 300),
                media_type=clean(request.mimeType(), 200), state=state, reason=reason, size=size, sha256=digest,
            )
        )  # fmt: skip


def _number(name: str) -> int:
    return int(name.removeprefix("download-").removesuffix(".bin"))
