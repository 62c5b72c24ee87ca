"""Anonymous files for bytes in the clear that are needed for a moment."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from evidence_desk.errors import HostError


def spools_in(folder: Path) -> Callable[[], BinaryIO]:
    """Maker of anonymous files in `folder`, gone when closed; the vault's own folder is as private as the user's account.

    The maker raises HostError ``output.unwritable``.
    """

    def spool() -> BinaryIO:
        try:
            return cast("BinaryIO", tempfile.TemporaryFile("w+b", dir=folder))
        except OSError as error:
            raise HostError("output.unwritable", path=str(folder), reason=error.strerror or "") from error

    return spool
