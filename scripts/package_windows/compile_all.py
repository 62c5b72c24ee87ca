"""Compiles sources to ``.pyc`` with the Python that runs this; the same sources give the same bytes.

``compile_all.py FOLDER…`` puts them into ``__pycache__``; ``compile_all.py --zip FOLDER NEW.zip`` makes a library archive.
Run by Python of the embedded version's own minor release, alone, with PYTHONHASHSEED=0; needs nothing but its library.
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
import zipfile
from pathlib import Path

_UNCHECKED = b"\x01\x00\x00\x00"
_TIME = (1980, 1, 1, 0, 0, 0)


def _compiled(source: bytes, name: str) -> bytes:
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    # A round trip, since marshal writes down which objects happened to be shared at that moment.
    body = marshal.dumps(marshal.loads(marshal.dumps(code)))  # noqa: S302 - our own bytes
    return importlib.util.MAGIC_NUMBER + _UNCHECKED + importlib.util.source_hash(source) + body


def _folder(root: Path) -> None:
    tag = sys.implementation.cache_tag
    for path in sorted(root.rglob("*.py")):
        try:
            data = _compiled(path.read_bytes(), path.relative_to(root).as_posix())
        except (SyntaxError, ValueError):
            continue  # templates of other packages, never imported
        folder = path.parent / "__pycache__"
        folder.mkdir(exist_ok=True)
        (folder / f"{path.stem}.{tag}.pyc").write_bytes(data)


def _archive(root: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(root.rglob("*.py")):
            name = path.relative_to(root).as_posix()
            archive.writestr(zipfile.ZipInfo(f"{name}c", _TIME), _compiled(path.read_bytes(), name))


if sys.argv[1] == "--zip":
    _archive(Path(sys.argv[2]), Path(sys.argv[3]))
else:
    for given in sys.argv[1:]:
        _folder(Path(given))
