"""Commands of a Markdown page, and running them in order as a reader would, with the real programs.

Every fence ```sh is run by bash, all of a page in one shell; ``exit=N`` behind it is the status that its last command
must have, ``tool=NAME`` a program it needs. A fence ```text right after one is what the command must say: each line in
this order, … standing for anything.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
PASSPHRASE: Final = "手册里的口令-7"
NUMBER: Final = "ED-1111-2222-3333-4444-5"
"""Evidence number as the pages write it; the test puts in the number of the sealed contract."""
CERTIFICATE: Final = "EC-1111-2222-3333-4444-5"
PORT: Final = "3180"
_FENCE: Final = re.compile(r"^```(\w+)?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK: Final = "\u241e"


@dataclass(slots=True)
class Block:
    """One fence of commands."""

    line: int
    commands: str
    status: int = 0
    tool: str = ""
    expected: list[str] = field(default_factory=list)


def blocks(page: Path) -> list[Block]:
    """Fences of a page that are run."""
    text = page.read_text("utf-8")
    found: list[Block] = []
    end = -1
    for match in _FENCE.finditer(text):
        language, options, body = match[1] or "", dict(item.split("=") for item in match[2].split()), match[3]
        assert set(options) <= {"exit", "tool"}, f"{page.name}: {match[2]}"
        if language == "sh":
            found.append(
                Block(
                    line=text.count("\n", 0, match.start()) + 1,
                    commands=body,
                    status=int(options.get("exit", "0")),
                    tool=options.get("tool", ""),
                )
            )
        elif language == "text" and text[end : match.start()].strip() == "" and end >= 0:
            found[-1].expected = [line for line in body.splitlines() if line.strip()]
        end = match.end() if language == "sh" else -1
    return found


def script(todo: list[Block]) -> str:
    """One bash script; a block with an expected status runs in a subshell."""
    parts = ["set -u -o pipefail", "trap 'kill $(jobs -p) 2>/dev/null' EXIT"]
    for number, block in enumerate(todo):
        parts.append(f"printf '%s\\n' '{_MARK}{number}'")
        if block.status:
            parts.append(f"(\n{block.commands})\n[ $? = {block.status} ] || exit 99")
        else:
            parts.append(f"set -e\n{block.commands}\nset +e")
    return "\n".join([*parts, f"printf '%s\\n' '{_MARK}end'", ""])


@dataclass(slots=True)
class Reader:
    """Someone with a folder of files, the programs on the path and a vault."""

    folder: Path
    names: dict[str, str] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        programs = str(Path(sys.executable).parent)
        return {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "EVIDENCE_DESK_VAULT": str(self.folder / "存证库"),
            "EVIDENCE_DESK_PASSPHRASE": PASSPHRASE,
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "COLUMNS": "200",
            "QT_QPA_PLATFORM": "offscreen",
            **self.more,
        }

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """One bash script in the folder."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )

    def follow(self, page: Path) -> set[str]:
        """Do what a page says, compare with what it shows; names of tools that lack."""
        every = blocks(page)
        assert every, f"{page.name} has no commands"
        lacking = {block.tool for block in every if block.tool and shutil.which(block.tool) is None}
        todo = [block for block in every if block.tool not in lacking]
        done = self.run(self.put_in(script(todo)))
        said = re.split(f"^{_MARK}(.*)$\n?", done.stdout, flags=re.MULTILINE)
        reached = said[1::2]
        last = todo[len(reached) - 1] if reached and reached[-1] != "end" else None
        assert reached[-1:] == ["end"], (
            f"{page.name}:{last.line if last else '?'} ended with {done.returncode}\n{done.stdout[-3000:]}"
        )
        for block, output in zip(todo, said[2::2], strict=False):
            self._compare(page, block, output)
        return lacking

    def put_in(self, text: str) -> str:
        """Replace what a reader would replace: example numbers, the example port."""
        for example, real in self.names.items():
            text = text.replace(example, real)
        return text

    def _compare(self, page: Path, block: Block, output: str) -> None:
        position = 0
        for line in block.expected:
            pattern = ".*?".join(re.escape(part) for part in self.put_in(line.strip()).split("…"))
            found = re.compile(pattern).search(output, position)
            assert found, f"{page.name}:{block.line} does not say: {line}\n{output}"
            position = found.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
