"""Files that commands read and write; the work is `bootstrap.files`."""

from __future__ import annotations

from typing import Annotated

import typer

from evidence_desk.bootstrap.files import read_input, refuse_existing, written

__all__ = ["ForceOption", "read_input", "refuse_existing", "written"]

ForceOption = Annotated[bool, typer.Option("--force", help="覆盖已有文件 / replace an existing file")]
