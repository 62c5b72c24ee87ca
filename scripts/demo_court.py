"""The demo's part on the court network: four nodes on loopback, an anchored log, a judge who looks a file up."""

from __future__ import annotations

import hashlib
import html
import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scripts.demo import Demo

NODES: Final = 4
_STOP_SECONDS: Final = 60


@dataclass(frozen=True)
class Court:
    """A running network."""

    gateways: tuple[str, ...]
    trust: Path
    chain_id: str

    @property
    def options(self) -> list[str | Path]:
        """``--gateway`` of each, and the trust root."""
        return [*(word for url in self.gateways for word in ("--gateway", url)), "--trust", self.trust]


@contextmanager
def network(demo: Demo, folder: Path) -> Iterator[Court]:
    """``court-node localnet 4`` for the length of a block."""
    demo.title(f"启动 {NODES} 个法院节点（本机，CometBFT）", f"start {NODES} court nodes on loopback")
    demo.say(f"  $ court-node localnet {NODES} --dir build/demo/court &")
    command = [str(demo.programs / "court-node"), "localnet", str(NODES), "--dir", str(folder)]
    with (
        folder.with_suffix(".log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=demo.environment
        ) as process,
    ):
        try:
            if process.stdout is None or not (line := process.stdout.readline()):
                sys.exit(f"the court nodes did not start; see {log.name}")
            ready = json.loads(line)
            demo.say(f"  {ready['chain_id']}: {NODES} 个节点 nodes，演示/非第三方 demo, not a third party")
            yield Court(tuple(ready["gateways"]), Path(ready["trust"]), ready["chain_id"])
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def join(demo: Demo, court: Court) -> None:
    """The desk registers itself; only a demo network approves by itself."""
    joined = demo.json("evidence-desk", "network", "join", *court.options)
    registration = joined["registration"]
    demo.say(f"  {registration['status']}（演示网络自动批准 automatic on a demo network）: {joined['log']}")


def anchor(demo: Demo) -> None:
    """The whole log, accepted and light-verified."""
    done = demo.json("evidence-desk", "anchor", "--wait")
    newest = done["anchored"][-1]
    demo.say(f"  已上链 anchored: {done['size']} entries, block {newest['height']}, {newest['time']}")


def look_up(demo: Demo, court: Court, original: Path, folder: Path) -> None:
    """A judge with a file, the network's trust root, and neither a vault nor the desk."""
    found = demo.json("evidence-desk", "lookup", original, *court.options)["network"]
    (leaf,) = found["found"]
    demo.say(
        f"  {leaf['status']}: {original.name}: {leaf['number']}, block {leaf['height']}, {leaf['anchored_at']}"
    )
    nothing = folder / "never-sealed.txt"
    nothing.write_text("A file that nobody sealed.\n", encoding="utf-8")
    absent = demo.json("evidence-desk", "lookup", nothing, *court.options, expect=(66,))["network"]
    demo.say(f"  {absent['status']}: {nothing.name}: present={absent['present']}, block {absent['height']}")
    digest = hashlib.sha256(original.read_bytes()).hexdigest()
    url = f"{court.gateways[-1]}/?lang=zh&q={digest}"
    demo.say(f"  $ curl '{court.gateways[-1]}/?q=<SHA-256>'      # the portal's page without script")
    with urllib.request.urlopen(url, timeout=30) as response:
        demo.say(f"  门户 portal: {_answer(response.read().decode())}")


def _answer(page: str) -> str:
    """The page's one-sentence answer."""
    begin = page.index('id="answer"')
    words = [html.unescape(part).strip() for part in re.findall(r">([^<]+)<", page[begin:])]
    return " ".join(_sentences(words))


def _sentences(words: Sequence[str]) -> list[str]:
    return [word for word in words if word][:4]
