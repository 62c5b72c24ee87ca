"""The peer of a capture: the same engine, profile and window size, without proxy, key log, debugging port or observer.

``python -m tests.bench.capture_bare ORDER``: addresses as JSON, visited one after the other, each from an empty page.
"""

from __future__ import annotations

import base64
import json
import os
import sys

ORDER = json.loads(sys.argv[1])
FLAGS = (
    '"--host-resolver-rules=MAP *.test 127.0.0.1 , MAP * ~NOTFOUND"', "--disable-quic", "--disable-background-networking",
    "--no-first-run", "--no-pings", "--no-proxy-server",
)  # fmt: skip
os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = " ".join(ORDER.get("flags", FLAGS))
if os.geteuid() == 0:
    os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"

from PySide6.QtCore import QTimer, QUrl  # noqa: E402 - Qt reads the variables when it is loaded
from PySide6.QtWebEngineCore import QWebEnginePage  # noqa: E402
from PySide6.QtWebEngineWidgets import QWebEngineView  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from evidence_desk.core.capture.plan import CapturePlan  # noqa: E402
from tests.bench.capture_sites import MARK  # noqa: E402
from ui.capture_browser.profile import make_profile  # noqa: E402

PATIENCE_MS = 60_000


def main() -> int:
    """Visit all; status 1 when one does not come to its end."""
    application = QApplication(["bare"])
    plan = CapturePlan(urls=tuple(ORDER["urls"]), extra_ca=(base64.b64decode(ORDER["root"]),))
    profile = make_profile(plan)
    page = QWebEnginePage(profile)
    view = QWebEngineView()
    view.setPage(page)
    view.resize(*plan.viewport)
    view.show()
    left = list(plan.urls)

    def titled(title: str) -> None:
        if title.endswith(MARK):
            page.load(QUrl("about:blank"))

    def loaded(_good: bool) -> None:
        if page.url() == QUrl("about:blank"):
            if left:
                page.load(QUrl(left.pop(0)))
            else:
                application.exit(0)

    page.titleChanged.connect(titled)
    page.loadFinished.connect(loaded)
    QTimer.singleShot(PATIENCE_MS, lambda: application.exit(1))
    page.load(QUrl("about:blank"))
    status = application.exec()
    view.deleteLater()
    view.setPage(None)  # type: ignore[arg-type]
    return status


if __name__ == "__main__":
    status = main()
    os._exit(status)
