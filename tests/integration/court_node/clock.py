"""The engine with a clock that is off: built from the same source, with a `time.Now` that adds an offset.

Go programs that are linked statically ask the kernel themselves, so nothing can be preloaded; a build overlay of Go's
own package `time` reaches every place that reads the clock. Only for tests; cached beside the engine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from evidence_desk.court.node.engine import ENGINE_VERSION, cached_engine

OFFSET = "CLOCK_OFFSET_SECONDS"
_MODULE = "github.com/cometbft/cometbft/cmd/cometbft"
_NOW = "sec, nsec, mono := runtimeNow()\n"
_ADDED = """
var clockOffset = func() int64 {
	text, _ := syscall.Getenv("CLOCK_OFFSET_SECONDS")
	sign, value := int64(1), int64(0)
	for _, char := range []byte(text) {
		if char == '-' {
			sign = -1
		} else if char >= '0' && char <= '9' {
			value = value*10 + int64(char-'0')
		}
	}
	return sign * value
}()
"""


def clock_engine() -> Path | None:
    """The binary; None where it cannot be built (no Go of a kind that is known, no modules)."""
    binary = cached_engine().with_name("clock") / "cometbft"
    go = shutil.which("go")
    if binary.is_file() or go is None:
        return binary if binary.is_file() else None
    root = Path(
        subprocess.run([go, "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    )
    source = root / "src" / "time" / "time.go"
    text = source.read_text("utf-8")
    if text.count(_NOW) != 1:
        return None
    changed = text.replace(_NOW, f"{_NOW}\tsec += clockOffset\n") + _ADDED
    changed = changed.replace("import (\n", 'import (\n\t"syscall"\n', 1)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "time.go").write_text(changed, "utf-8")
        overlay = Path(folder) / "overlay.json"
        overlay.write_text(json.dumps({"Replace": {str(source): f"{folder}/time.go"}}))
        environment = {
            **os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOBIN": f"{folder}/bin",
        }  # fmt: skip
        done = subprocess.run(
            [go, "install", "-trimpath", f"-overlay={overlay}", f"{_MODULE}@v{ENGINE_VERSION}"],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            return None
        binary.parent.mkdir(exist_ok=True)
        shutil.copy2(f"{folder}/bin/cometbft", binary)
    return binary
