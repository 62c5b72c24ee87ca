"""Which program this is: name, version and one digest over its own source files, for statements (证据规定 art. 23)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from evidence_desk import __version__
from evidence_desk.core.digests import DigestPair, PairHasher

NAME: Final = "Evidence Desk"
_PACKAGES: Final = ("evidence_desk", "reports", "tsa", "ui")
_COUNTED: Final = frozenset({".py", ".sql"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The running program; `digests` are over its files as `program` defines."""

    name: str
    version: str
    digests: DigestPair


@cache
def program() -> Program:
    """Name, version and digests.

    The digests cover, for every ``.py`` and ``.sql`` file of the four packages in order of its path: the path with
    ``/``, a zero byte, the size in decimal, a zero byte, the content.
    """
    hasher = PairHasher()
    for name in _PACKAGES:
        spec = find_spec(name)
        for place in spec.submodule_search_locations or () if spec else ():
            root = Path(place)
            files = {path.relative_to(root.parent).as_posix(): path for path in root.rglob("*")}
            for shown in sorted(files):
                if files[shown].suffix in _COUNTED:
                    data = files[shown].read_bytes()
                    hasher.update(f"{shown}\0{len(data)}\0".encode() + data)
    return Program(name=NAME, version=__version__, digests=hasher.digest())
