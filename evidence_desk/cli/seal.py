"""``evidence-desk seal`` and ``timestamp``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from evidence_desk.bootstrap.session import Session
from evidence_desk.cli.describe import exhibit_json, print_exhibit
from evidence_desk.cli.options import (
    JsonOption,
    LanguageOption,
    OperatorOption,
    VaultOption,
    session,
)
from evidence_desk.core.canonical import JSON
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.errors import EvidenceDeskError, RemoteError, UsageError
from evidence_desk.services.derive import Relation, derived_source
from evidence_desk.services.find import one_exhibit
from evidence_desk.services.register import DEFAULT_CASE
from evidence_desk.services.seal import SealOutcome, SealRequest
from evidence_desk.services.seal import seal as seal_paths
from evidence_desk.services.sources import find_sources
from evidence_desk.services.timestamp import timestamp as timestamp_waiting
from evidence_desk.terminal.output import PARTLY, Output, error_json
from evidence_desk.texts import Language

_MAX_POSITION: Final = 6
"""Digits of a file's position after an evidence number."""


def seal(
    paths: Annotated[
        list[Path], typer.Argument(help="文件或文件夹，每个为一件证据 / each path is one exhibit")
    ],
    case: Annotated[str, typer.Option("--case", help="案号 / case number")] = DEFAULT_CASE,
    court: Annotated[str, typer.Option("--court", help="受理法院 / court")] = "",
    cause: Annotated[str, typer.Option("--cause", help="案由 / cause of action")] = "",
    party: Annotated[
        list[str] | None, typer.Option("--party", help="当事人，可重复 / party, repeatable")
    ] = None,
    title: Annotated[str, typer.Option("--title", help="证据名称 / title")] = "",
    kind: Annotated[
        ExhibitKind, typer.Option("--kind", help="电子数据类别 / class of data")
    ] = ExhibitKind.FILE,
    purpose: Annotated[str, typer.Option("--purpose", help="待证事实 / facts to prove")] = "",
    source: Annotated[str, typer.Option("--source", help="取得方式 / how obtained")] = "",
    from_whom: Annotated[str, typer.Option("--from", help="来源人 / from whom")] = "",
    derived_from: Annotated[
        str, typer.Option("--derived-from", help="衍生自 编号[:第几个文件] / made from NUMBER[:file]")
    ] = "",
    relation: Annotated[
        Relation | None, typer.Option("--relation", help="与来源文件的关系 / what it is to that file")
    ] = None,
    interest: Annotated[str, typer.Option("--interest", help="利害关系声明 / statement of interest")] = "",
    operator: OperatorOption = "",
    each_file: Annotated[
        bool,
        typer.Option(
            "--each-file", help="文件夹内每个文件各为一件证据 / each file of a folder is an exhibit"
        ),
    ] = False,
    blind: Annotated[
        bool,
        typer.Option("--blind", help="盲化：他人不能以摘要查得 / digests cannot be looked up by strangers"),
    ] = False,
    leaves_only: Annotated[
        bool,
        typer.Option(
            "--leaves-only",
            help="仅摘要：本案只有条目上链，不送加密信封 / only leaves of this case go to the network",
        ),
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="本案已有相同文件也再次存证 / seal although the case has the same files"
        ),
    ] = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """存证：登记文件，写入本地日志，并取时间戳 / Seal files: store, log, timestamp."""
    with Output(lang, as_json=as_json) as out:
        request = SealRequest(
            case_number=case, court=court, cause=cause, parties=tuple(party or ()), title=title, kind=kind,
            purpose=purpose, source=_source(source, from_whom), operator={"name": operator} if operator else {},
            interest=interest,
            blinded=blind,
            leaves_only=leaves_only,
            allow_duplicates=again,
        )  # fmt: skip
        with session(out, vault) as opened:
            request = replace(
                request, source={**request.source, **_derivation(opened, derived_from, relation)}
            )
            early, expanded = _expand(paths) if each_file else ([], list(paths))
            with out.job() as job:
                outcomes = early + seal_paths(opened.desk, expanded, request, job=job)
            warning = timestamp_now(out, opened)
            sealed = [
                opened.vault.exhibits.exhibit(item.exhibit.leaf_hash) or item.exhibit
                for item in outcomes
                if item.exhibit is not None
            ]
            joined = bool(opened.networks)
        _tell(out, sealed, outcomes, warning, joined=joined)


def timestamp(
    vault: VaultOption = None, lang: LanguageOption = Language.ZH, as_json: JsonOption = False
) -> None:
    """为尚无时间戳的证据取时间戳 / Timestamp what still waits."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        with out.job() as job:
            outcome = timestamp_waiting(opened.desk, opened.authorities, job=job)
        rows = [opened.vault.exhibits.exhibit(item.leaf_hash) or item for item in outcome.exhibits]
        for row in rows:
            print_exhibit(out, row, files=False, joined=bool(opened.networks))
        if rows:
            out.say("timestamp.done", count=len(rows), authority=outcome.authority)
        else:
            out.say("timestamp.none")
        out.document({"exhibits": [exhibit_json(row) for row in rows], "authority": outcome.authority})


def _source(obtained: str, from_whom: str) -> dict[str, JSON]:
    given = {"obtained": obtained, "from_whom": from_whom}
    return {name: value for name, value in given.items() if value}


def _derivation(opened: Session, derived_from: str, relation: Relation | None) -> dict[str, JSON]:
    """The source's part about NUMBER[:N]; empty when neither option is given.

    Raises:
        UsageError: ``derive.both`` and what `derived_source` refuses.
    """
    if not derived_from and relation is None:
        return {}
    if not derived_from or relation is None:
        raise UsageError("derive.both")
    number, colon, position = derived_from.rpartition(":")
    if not colon or not (position.isascii() and position.isdecimal() and len(position) <= _MAX_POSITION):
        number, position = derived_from, "1"
    return derived_source(opened.desk, one_exhibit(opened.desk, number), int(position), relation)


def _expand(paths: Sequence[Path]) -> tuple[list[SealOutcome], list[Path]]:
    """Each file of each folder by itself; a folder that cannot be read is an outcome of its own."""
    failed: list[SealOutcome] = []
    files: list[Path] = []
    for path in paths:
        try:
            files += [item.path for item in find_sources(path)]
        except EvidenceDeskError as error:
            failed.append(SealOutcome(path=path, error=error))
    return failed, files


def timestamp_now(out: Output, opened: Session) -> RemoteError | None:
    """Try at once; when the authority is away the exhibits wait, sealed all the same."""
    try:
        with out.job() as job:
            timestamp_waiting(opened.desk, opened.authorities, job=job)
    except RemoteError as error:
        return error
    return None


def _shown(path: Path) -> str:
    return str(path).encode(errors="replace").decode()


def _tell(
    out: Output,
    sealed: list[ExhibitRow],
    outcomes: list[SealOutcome],
    warning: RemoteError | None,
    *,
    joined: bool,
) -> None:
    errors = [(item.path, item.error) for item in outcomes if item.error is not None]
    twins = [(_shown(item.path), item.duplicate.number) for item in outcomes if item.duplicate is not None]
    document: dict[str, Any] = {"exhibits": [exhibit_json(row) for row in sealed]}
    if twins:
        document["duplicates"] = [{"path": path, "number": number} for path, number in twins]
    if errors:
        document["errors"] = [
            {"path": _shown(path), **error_json(error, out.language)} for path, error in errors
        ]
    if warning is not None:
        document["warnings"] = [error_json(warning, out.language)]
    for row in sealed:
        print_exhibit(out, row, files=False, joined=joined)
    for path, number in twins:
        out.say("seal.duplicate", path=path, number=number)
    for _path, error in errors:
        out.warn(error)
    if sealed:
        out.say("seal.done", count=len(sealed))
    if errors:
        out.say("seal.failed", count=len(errors))
    if warning is not None and sealed:
        out.warn(warning)
        out.say("seal.waiting")
    out.document(document)
    if errors:
        raise typer.Exit(PARTLY if sealed else errors[0][1].exit_status)
