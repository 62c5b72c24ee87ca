"""Downloads: kept in the capture's folder under a number, never under the name a page suggests, never opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtWebEngineCore import QWebEngineDownloadRequest, QWebEngineProfile

from evidence_desk.core.capture.events import Downloaded, Event, clean
from ui.capture_browser.files import CaptureFolder
from ui.capture_browser.page import shown

MAX_DOWNLOADS: Final = 200
_State = QWebEngineDownloadRequest.DownloadState
_SAID: Final = {
    _State.DownloadCompleted: "completed",
    _State.DownloadInterrupted: "interrupted",
    _State.DownloadCancelled: "canceled",
}


class Downloads:
    """Takes every download of a profile."""

    def __init__(
        self, profile: QWebEngineProfile, folder: CaptureFolder, say: Callable[[Event], None]
    ) -> None:
        self._folder, self._say = folder, say
        self.begun = 0
        self.running: dict[str, QWebEngineDownloadRequest] = {}
        self._failed: list[int] = []
        profile.downloadRequested.connect(self._on_requested)

    def running_since(self, number: int) -> bool:
        """Whether one after the first `number` is under way."""
        return any(_number(name) > number for name in self.running)

    def failed_since(self, number: int) -> bool:
        """Whether one after the first `number` did not come whole."""
        return any(failed > number for failed in self._failed)

    def end(self) -> None:
        """What is still under way ends here; what came of it stays."""
        for name, request in list(self.running.items()):
            del self.running[name]
            request.cancel()
            self._tell(name, request, "canceled")

    def _on_requested(self, request: QWebEngineDownloadRequest) -> None:
        if request.isSavePageDownload() or self.begun >= MAX_DOWNLOADS:
            request.cancel()
            return
        self.begun += 1
        name = f"download-{self.begun:03}.bin"
        request.setDownloadDirectory(str(self._folder.path(name).parent))
        request.setDownloadFileName(name)
        self.running[name] = request
        request.stateChanged.connect(lambda _state: self._on_changed(name, request))
        self._tell(name, request, "started")
        request.accept()

    def _on_changed(self, name: str, request: QWebEngineDownloadRequest) -> None:
        said = _SAID.get(request.state())
        if said is not None and self.running.pop(name, None) is not None:
            self._tell(name, request, said)

    def _tell(self, name: str, request: QWebEngineDownloadRequest, state: str) -> None:
        size, digest, reason = 0, "", ""
        if state != "started":
            try:
                size, digest = self._folder.digest(name)
            except OSError:
                reason = "NoFile"
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
