"""What the program is asked to do when it is started: by a person, a file manager, or a second start that hands it on."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence_desk.errors import MalformedError

MAX_BYTES: Final = 1024 * 1024
"""Of a handed-on request."""
_MAX_PATHS: Final = 10_000
_MAX_PATH: Final = 4096
_VERSION: Final = 1
_TO_VERIFY: Final = frozenset({".asice", ".pdf"})
_PAGES: Final = ("seal", "verify")
_LISTS: Final = (*_PAGES, "paths")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Files given at the start, as absolute paths.

    Attributes:
        paths: files whose use follows from their kind and the user's role.
        vault: folder of the vault to open, None for the one used last.
        page: ``seal`` or ``verify`` when that was asked for without files, else empty.
    """

    seal: tuple[Path, ...] = ()
    verify: tuple[Path, ...] = ()
    paths: tuple[Path, ...] = ()
    vault: Path | None = None
    page: str = ""

    def sorted(self, *, judge: bool) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """(to seal, to verify): a certificate or package is verified, everything else as the role has it."""
        verify = [path for path in self.paths if judge or path.suffix.lower() in _TO_VERIFY]
        seal = [path for path in self.paths if path not in set(verify)]
        return (*self.seal, *seal), (*self.verify, *verify)


def parse_arguments(arguments: Sequence[str]) -> Request:
    """Read the command line; ends the process with usage when it cannot be meant."""
    parser = argparse.ArgumentParser(prog="evidence-desk-gui", description="证据台 / Evidence Desk")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="文件 / files to seal or to verify")
    parser.add_argument("--seal", nargs="*", action="extend", metavar="PATH", help="存证 / seal")
    parser.add_argument("--verify", nargs="*", action="extend", metavar="PATH", help="核验 / verify")
    parser.add_argument("--vault", metavar="FOLDER", help="存证库 / folder of the vault")
    given = parser.parse_args(list(arguments))
    page = next((name for name in _PAGES if getattr(given, name) == []), "")
    if sum(len(getattr(given, name) or ()) for name in _LISTS) > _MAX_PATHS:
        parser.error(f"more than {_MAX_PATHS} paths")
    return Request(
        seal=_absolute(given.seal or ()),
        verify=_absolute(given.verify or ()),
        paths=_absolute(given.paths),
        vault=_absolute([given.vault])[0] if given.vault else None,
        page=page,
    )


def encode_request(request: Request) -> bytes:
    """One line of JSON."""
    value = {
        "v": _VERSION,
        **{name: [str(path) for path in getattr(request, name)] for name in _LISTS},
        "vault": "" if request.vault is None else str(request.vault),
        "page": request.page,
    }
    return json.dumps(value).encode("ascii") + b"\n"


def decode_request(data: bytes) -> Request:
    """Strict reader of what another start of the program handed on.

    Raises:
        MalformedError: ``malformed.request`` for anything that `encode_request` does not write.
    """
    try:
        if len(data) > MAX_BYTES:
            raise MalformedError("malformed.request", what="size")
        value = json.loads(data.decode("ascii"))
        request = _checked(value)
    except (ValueError, RecursionError, TypeError) as error:
        raise MalformedError("malformed.request", what="json") from error
    if encode_request(request) != data:
        raise MalformedError("malformed.request", what="form")
    return request


def _checked(value: object) -> Request:
    if not isinstance(value, dict) or set(value) != {"v", "vault", "page", *_LISTS} or value["v"] != _VERSION:
        raise MalformedError("malformed.request", what="members")
    lists = {name: value[name] for name in _LISTS}
    if not all(isinstance(item, list) for item in lists.values()) or not isinstance(value["vault"], str):
        raise MalformedError("malformed.request", what="members")
    if value["page"] not in {"", *_PAGES}:
        raise MalformedError("malformed.request", what="page")
    if sum(map(len, lists.values())) > _MAX_PATHS:
        raise MalformedError("malformed.request", what="count")
    paths = {name: tuple(_path(text) for text in texts) for name, texts in lists.items()}
    vault = _path(value["vault"]) if value["vault"] else None
    return Request(
        seal=paths["seal"], verify=paths["verify"], paths=paths["paths"], vault=vault, page=value["page"]
    )


def _path(text: object) -> Path:
    if not isinstance(text, str) or len(text) > _MAX_PATH or "\0" in text or not Path(text).is_absolute():
        raise MalformedError("malformed.request", what="path")
    os.fsencode(text)  # a lone surrogate that no file name gives is a ValueError
    return Path(text)


def _absolute(texts: Sequence[str]) -> tuple[Path, ...]:
    return tuple(Path(os.path.abspath(text)) for text in texts)  # noqa: PTH100 - links are not followed yet
