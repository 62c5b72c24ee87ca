"""The portal's modules under node: one process, JSON lines in and out."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from evidence_desk.court.node import portal
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.network_file import encode_network

NODE = shutil.which("node")
STATIC = Path(portal.__file__).parent / "static"
_JUDGE = Path(__file__).parent / "judge.mjs"


class Browser:
    """Stands for a browser where only its arithmetic matters."""

    def __init__(self) -> None:
        assert NODE is not None
        command = [NODE, "--no-warnings", str(_JUDGE), STATIC.as_uri()]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def ask(self, op: str, **given: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        plain = {name: _plain(value) for name, value in given.items()}
        self._process.stdin.write(json.dumps({"op": op, **plain}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "bug" not in answer, answer["bug"]
        return answer

    def search(self, data: bytes, asked: bytes, trust: NetworkTrust, now: int) -> Any:
        return self.ask("search", data=data, asked=asked, trust=encode_network(trust), now=now)


def _plain(value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
