"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.texts import Language

LanguageOption = Annotated[
    Language, typer.Option("--lang", envvar="EVIDENCE_DESK_LANG", help="语言 / language")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="只输出一个 JSON 文档 / one JSON document and nothing else")
]
FolderOption = Annotated[Path, typer.Option("--dir", help="节点文件夹 / the node's folder")]
