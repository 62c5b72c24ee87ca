"""What Chromium is started with. Each switch keeps something from getting past the recorder; see docs/spec/capture-browser.md."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from evidence_desk.core.capture.messages import Setup
from evidence_desk.paths import asset

KEY_LOG: Final = "keylog.txt"
_ALWAYS: Final = (
    "--proxy-bypass-list=<-loopback>",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--disable-background-networking",
    "--no-first-run",
    "--no-pings",
)


def switches(setup: Setup) -> tuple[str, ...]:
    """Command line of Chromium for one capture."""
    return (
        f"--proxy-server=socks5://127.0.0.1:{setup.proxy_port}",
        f"--ssl-key-log-file={Path(setup.folder) / KEY_LOG}",
        *_ALWAYS,
    )


def is_root() -> bool:
    """Whether this process is the superuser, for whom Chromium's sandbox does not work."""
    return sys.platform != "win32" and os.geteuid() == 0


def set_environment(setup: Setup) -> bool:
    """Tell Qt and Chromium, before either is loaded; returns whether the sandbox is on.

    Nothing inherited counts: an environment variable could add switches, another debugging port, or a key log elsewhere.
    """
    for name in [name for name in os.environ if name.startswith("QTWEBENGINE")]:
        del os.environ[name]
    for name in ("SSLKEYLOGFILE", "NETLOG", "CHROME_LOG_FILE"):
        os.environ.pop(name, None)
    if sys.platform == "linux":
        os.environ.setdefault("FONTCONFIG_FILE", str(asset("fonts", "fonts.conf")))
    quoted = " ".join(f'"{switch}"' if " " in switch else switch for switch in switches(setup))
    os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = quoted
    os.environ["QTWEBENGINE_REMOTE_DEBUGGING"] = f"127.0.0.1:{setup.debug_port}"
    if is_root():
        os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
    return not is_root()
