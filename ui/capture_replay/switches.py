"""What Chromium is started with, so that nothing leaves it: every way out ends at a port where nobody listens."""

from __future__ import annotations

import os
import socket
import sys
from typing import Final

from evidence_desk.paths import asset
from ui.capture_browser.switches import is_root

_ALWAYS: Final = (
    "--proxy-bypass-list=<-loopback>",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--disable-background-networking",
    "--no-first-run",
    "--no-pings",
)
_INHERITED: Final = ("SSLKEYLOGFILE", "NETLOG", "CHROME_LOG_FILE")


def dead_end() -> socket.socket:
    """A port of 127.0.0.1 that is ours and on which nobody listens, nor can, as long as it is held."""
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.bind(("127.0.0.1", 0))
    return held


def switches(dead_port: int) -> tuple[str, ...]:
    """Command line of Chromium."""
    return (f"--proxy-server=socks5://127.0.0.1:{dead_port}", *_ALWAYS)


def set_environment(debug_port: int, dead_port: int) -> None:
    """Tell Qt and Chromium, before either is loaded. Nothing inherited counts."""
    for name in [name for name in os.environ if name.startswith("QTWEBENGINE") or name in _INHERITED]:
        del os.environ[name]
    if sys.platform == "linux":
        os.environ.setdefault("FONTCONFIG_FILE", str(asset("fonts", "fonts.conf")))
    quoted = (f'"{switch}"' if " " in switch else switch for switch in switches(dead_port))
    os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = " ".join(quoted)
    os.environ["QTWEBENGINE_REMOTE_DEBUGGING"] = f"127.0.0.1:{debug_port}"
    if is_root():
        os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
