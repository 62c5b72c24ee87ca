"""``evidence-desk captures replay``: show a captured page again, offline, from the capture alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from evidence_desk.bootstrap.replaying import open_replay
from evidence_desk.cli import capture_disclose
from evidence_desk.cli.options import JsonOption, LanguageOption, OperatorOption, VaultOption, session
from evidence_desk.cli.show import NumberArgument
from evidence_desk.core.capture.replay import ReplayMessage, ReplayShown
from evidence_desk.errors import HostError, UsageError
from evidence_desk.services.find import one_exhibit
from evidence_desk.terminal.layout import printable
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

captures = capture_disclose.captures
"""The group of commands about captures, with the one of this module."""
LIST: Final = "replay.json"


@captures.command("replay")
def replay_capture(
    number: NumberArgument,
    page: Annotated[
        int | None, typer.Option("--page", min=1, help="从第几页开始 / page to begin with")
    ] = None,
    no_scripts: Annotated[
        bool, typer.Option("--no-scripts", help="不运行网页的脚本 / scripts of the pages do not run")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save",
            metavar="FOLDER",
            help="不开窗口，把每页回放所见存入文件夹 / no window: save what pages show",
        ),
    ] = None,
    operator: OperatorOption = "",
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """离线回放一次网页取证：内容只来自取证档案 / Show captured pages again, offline, from the capture alone."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as desk:
        folder = None if save is None else _new_folder(save)
        shown: list[ReplayShown] = []

        def told(message: ReplayMessage) -> None:
            if isinstance(message, ReplayShown):
                shown.append(message)

        with out.job() as job:
            replay = open_replay(
                desk, one_exhibit(desk.desk, number), out.language, page=page or (1 if save is None else 0),
                scripts=not no_scripts, save=folder, job=job, operator=operator, told=told,
            )  # fmt: skip
        if folder is None:
            out.hint("capture_replay.opened")
        try:
            replay.wait()
        finally:
            replay.close()
        for item in shown:
            out.say(
                "capture_replay.saved",
                page=item.page,
                title=printable(item.title),
                unanswered=item.unanswered,
            )
        out.document({"replayed": True, "pages": [] if folder is None else _listed(folder)})


def _new_folder(path: Path) -> Path:
    """An empty folder of this user."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError("output.exists", path=str(path))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HostError("output.unwritable", path=str(path), reason=error.strerror or "") from error
    return path


def _listed(folder: Path) -> list[Any]:
    try:
        return list(json.loads((folder / LIST).read_bytes())["pages"])
    except (OSError, ValueError, KeyError) as error:
        raise HostError("host.io", what=LIST, reason=type(error).__name__) from error
