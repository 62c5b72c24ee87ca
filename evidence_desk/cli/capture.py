"""``evidence-desk capture`` and ``captures``: record web pages as evidence; finish or give up what was cut short."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from evidence_desk.bootstrap.capturing import capture_tools, has_display
from evidence_desk.bootstrap.session import Session
from evidence_desk.cli.describe import exhibit_json, moment_or_none, print_exhibit
from evidence_desk.cli.options import JsonOption, LanguageOption, OperatorOption, VaultOption, session
from evidence_desk.cli.seal import timestamp_now
from evidence_desk.core.capture.environment import Reason
from evidence_desk.core.capture.events import CertificateRefused, Event, Snapped, Visited
from evidence_desk.core.capture.marks import parse_started
from evidence_desk.core.capture.plan import (
    CaptureMode,
    CapturePlan,
    CertificatePolicy,
    completed_address,
    extra_authorities,
)
from evidence_desk.core.capture.rows import CaptureResult, CaptureRow
from evidence_desk.core.moment import format_moment
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.errors import ConfigurationError, NotFoundError, UnreadableError, UsageError
from evidence_desk.services.capture import CaptureControl, CaptureOutcome
from evidence_desk.services.capture import capture as capture_pages
from evidence_desk.services.capture_recover import cut_short, give_up, recover
from evidence_desk.services.register import DEFAULT_CASE
from evidence_desk.services.seal import SealRequest
from evidence_desk.terminal.layout import printable
from evidence_desk.terminal.output import PARTLY, Output, error_json
from evidence_desk.texts import Language

app = typer.Typer(
    help="网页取证的记录：列出、封存中断的、放弃 / captures: list, seal what was cut short, abandon"
)

UNAVAILABLE: Final = 69
"""Exit status when no page could be captured (EX_UNAVAILABLE); what was recorded is sealed all the same."""
_MAX_LIST: Final = 4 << 20
_MAX_CA: Final = 1 << 20


def capture(
    urls: Annotated[list[str] | None, typer.Argument(help="网址 / addresses", metavar="URL…")] = None,
    case: Annotated[str, typer.Option("--case", help="案号 / case number")] = DEFAULT_CASE,
    court: Annotated[str, typer.Option("--court", help="受理法院 / court")] = "",
    cause: Annotated[str, typer.Option("--cause", help="案由 / cause of action")] = "",
    party: Annotated[list[str] | None, typer.Option("--party", help="当事人，可重复 / party, repeatable")] = None,
    title: Annotated[str, typer.Option("--title", help="证据名称 / title")] = "",
    kind: Annotated[ExhibitKind, typer.Option("--kind", help="电子数据类别 / class of data")] = ExhibitKind.PUBLISHED,
    purpose: Annotated[str, typer.Option("--purpose", help="待证事实 / facts to prove")] = "",
    interest: Annotated[str, typer.Option("--interest", help="利害关系声明 / statement of interest")] = "",
    operator: OperatorOption = "",
    listed: Annotated[
        Path | None, typer.Option("--list", help="网址清单文件，每行一个 / file with one address a line")
    ] = None,
    interactive: Annotated[
        bool, typer.Option("--interactive", help="打开取证浏览器，由人浏览和登录 / a person browses and logs in")
    ] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="允许访问本机和内网地址 / this machine and its networks may be reached")
    ] = False,
    extra_ca: Annotated[
        list[Path] | None, typer.Option("--extra-ca", help="另外信任的根证书 PEM，可重复 / further trusted root, repeatable")
    ] = None,
    accept_errors: Annotated[
        bool,
        typer.Option(
            "--accept-certificate-errors", help="证书有误也继续，记录在案 / go on past certificate errors; it is recorded"
        ),
    ] = False,
    no_scroll: Annotated[bool, typer.Option("--no-scroll", help="不滚动页面 / do not scroll through pages")] = False,
    page_seconds: Annotated[int, typer.Option("--page-seconds", help="每页最多秒数 / seconds a page may take")] = 60,
    max_seconds: Annotated[int, typer.Option("--max-seconds", help="总共最多秒数 / seconds in all")] = 1800,
    blind: Annotated[
        bool, typer.Option("--blind", help="盲化：他人不能以摘要查得 / digests cannot be looked up by strangers")
    ] = False,
    leaves_only: Annotated[
        bool, typer.Option("--leaves-only", help="仅摘要：本案只有条目上链 / only leaves of this case go to the network")
    ] = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """网页取证：用取证浏览器打开网页，记录、封存并取时间戳 / Record web pages, seal them, timestamp."""
    with Output(lang, as_json=as_json) as out:
        plan = _plan(
            [*(urls or ()), *_listed(listed)], extra_ca or (), interactive=interactive, allow_private=allow_private,
            accept_errors=accept_errors, scroll=not no_scroll, page_seconds=page_seconds, max_seconds=max_seconds,
        )  # fmt: skip
        request = SealRequest(
            case_number=case, court=court, cause=cause, parties=tuple(party or ()), title=title, kind=kind,
            purpose=purpose, operator={"name": operator} if operator else {},
            interest=interest, blinded=blind, leaves_only=leaves_only,
        )  # fmt: skip
        if interactive and not has_display():
            raise ConfigurationError("capture.no_display")
        with session(out, vault) as opened:
            control = CaptureControl(
                told=lambda event: _told(out, event), troubled=lambda reason: _troubled(out, reason)
            )
            with out.job() as job:  # Ctrl-C ends the recording; what there is is sealed
                outcome = capture_pages(
                    opened.desk, capture_tools(opened, lang), plan, request, job=job, control=control
                )
            _finish(out, opened, outcome)


@app.command("list")
def list_captures(
    case: Annotated[str | None, typer.Option("--case", help="案号 / case number")] = None,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """列出取证，失败和放弃的也在内 / List captures, failed and abandoned ones too."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        rows = opened.vault.captures.captures(case)
        broken = {row.id for row in cut_short(opened.desk, capture_tools(opened, lang).recorder)}
        for row in rows:
            _print(out, row, cut=row.id in broken)
        if not rows:
            out.say("capture.none")
        out.document({"captures": [_row_json(opened, row, cut=row.id in broken) for row in rows]})


@app.command("recover")
def recover_capture(
    capture_id: Annotated[str, typer.Argument(help="取证编号 / id of the capture", metavar="ID")],
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """封存一次中断的取证中已记录的内容 / Seal what was recorded of a capture that was cut short."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        with out.job() as job:
            outcome = recover(opened.desk, capture_tools(opened, lang), _id(opened, capture_id), job=job)
        _finish(out, opened, outcome)


@app.command("abandon")
def abandon_capture(
    capture_id: Annotated[str, typer.Argument(help="取证编号 / id of the capture", metavar="ID")],
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """放弃一次中断的取证：删除已记录的内容，放弃一事记入日志 / Abandon it: the log says so."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        row = give_up(opened.desk, capture_tools(opened, lang).recorder, _id(opened, capture_id))
        _print(out, row, cut=False)
        out.document({"captures": [_row_json(opened, row, cut=False)]})


def _plan(
    given: Sequence[str], cas: Sequence[Path], *, interactive: bool, allow_private: bool, accept_errors: bool,
    scroll: bool, page_seconds: int, max_seconds: int,
) -> CapturePlan:  # fmt: skip
    urls = tuple(completed_address(text) for text in given)
    if not urls and not interactive:
        raise UsageError("capture.no_address")
    if interactive and len(urls) > 1:
        raise UsageError("capture.one_address")
    return CapturePlan(
        urls=urls,
        mode=CaptureMode.INTERACTIVE if interactive else CaptureMode.AUTOMATIC,
        scroll=scroll,
        page_seconds=page_seconds,
        max_seconds=max_seconds,
        allow_private=allow_private,
        extra_ca=extra_authorities([_read(path, _MAX_CA) for path in cas]),
        certificate_errors=CertificatePolicy.ACCEPT if accept_errors else CertificatePolicy.REFUSE,
    )


def _listed(path: Path | None) -> list[str]:
    if path is None:
        return []
    text = _read(path, _MAX_LIST).decode("utf-8", "replace")
    lines = (line.strip().removeprefix("\ufeff") for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as source:
            data = source.read(limit + 1)
    except OSError as error:
        raise UnreadableError("input.unreadable", path=str(path), reason=type(error).__name__) from error
    if len(data) > limit:
        raise UnreadableError("input.unreadable", path=str(path), reason="size")
    return data


def _told(out: Output, event: Event) -> None:
    """One line for what a person should see at once, on the error stream."""
    match event:
        case Visited():
            out.hint(f"capture.told.{event.state.value}", url=printable(event.url), status=event.status)
        case Snapped():
            out.hint("capture.told.snapshot", number=event.number, url=printable(event.url))
        case CertificateRefused():
            said = "accepted" if event.accepted else "refused"
            out.hint(f"capture.told.certificate.{said}", host=printable(event.host), error=event.error)
        case _:
            return


def _troubled(out: Output, reason: Reason) -> None:
    """The recording cannot go on: why, and what to do, before all of it is put away."""
    out.hint(reason.code, **reason.parameters)
    out.hint(f"{reason.code}.advice", **reason.parameters)


def _finish(out: Output, opened: Session, outcome: CaptureOutcome) -> None:
    """Timestamp, tell, leave with the status that says how it came out."""
    warning = None if outcome.exhibit is None else timestamp_now(out, opened)
    row = outcome.exhibit
    if row is not None:
        row = opened.vault.exhibits.exhibit(row.leaf_hash) or row
        print_exhibit(out, row, files=True, joined=bool(opened.networks))
    reasons = [*outcome.reasons, *(item for page in outcome.pages for item in page.reasons)]
    _print(out, outcome.capture, cut=False, reasons=_once(reasons))
    document: dict[str, Any] = {
        "exhibits": [] if row is None else [exhibit_json(row)],
        "captures": [
            {
                **_row_json(opened, outcome.capture, cut=False),
                "reasons": [_reason_json(out, item) for item in outcome.reasons],
                "pages": [
                    {
                        "url": page.url,
                        "reached": page.reached,
                        "title": page.title,
                        "state": page.state.value,
                        "reasons": [_reason_json(out, item) for item in page.reasons],
                    }
                    for page in outcome.pages
                ],
            }
        ],
    }
    if warning is not None:
        document["warnings"] = [error_json(warning, out.language)]
        out.warn(warning)
    out.document(document)
    if outcome.result is CaptureResult.PARTIAL:
        raise typer.Exit(PARTLY)
    if outcome.result is CaptureResult.FAILED:
        raise typer.Exit(UNAVAILABLE)


def _print(out: Output, row: CaptureRow, *, cut: bool, reasons: Sequence[Reason] = ()) -> None:
    state = "cut" if cut else row.state.value if row.result is None else row.result.value
    out.say(
        f"capture.row.{state}", id=row.id.hex(), case=printable(row.case_number),
        started=format_moment(row.started), url=printable(_first_url(row)),
    )  # fmt: skip
    for reason in reasons:
        out.say("capture.row.reason", reason=out.text(reason.code, **reason.parameters))


def _row_json(opened: Session, row: CaptureRow, *, cut: bool) -> dict[str, Any]:
    exhibit = None if row.ended_leaf is None else opened.vault.exhibits.exhibit(row.ended_leaf)
    return {
        "id": row.id.hex(), "case": row.case_number, "started": format_moment(row.started),
        "started_leaf_sha256": row.started_leaf.hex(), "state": row.state.value,
        "result": None if row.result is None else row.result.value, "ended": moment_or_none(row.ended),
        "cut_short": cut, "number": None if exhibit is None else exhibit.number,
        "url": _first_url(row),
    }  # fmt: skip


def _once(reasons: Sequence[Reason]) -> list[Reason]:
    """Each reason once; those with facts cannot be hashed."""
    found: list[Reason] = []
    for reason in reasons:
        if reason not in found:
            found.append(reason)
    return found


def _first_url(row: CaptureRow) -> str:
    if not row.document:
        return ""
    urls = parse_started(row.document).plan.urls
    return urls[0] if urls else ""


def _reason_json(out: Output, reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code, "parameters": dict(reason.parameters),
        "text": out.text(reason.code, **reason.parameters),
    }  # fmt: skip


def _id(opened: Session, text: str) -> bytes:
    """A capture by the beginning of its id, at least six digits."""
    wanted = text.strip().lower()
    found = [row.id for row in opened.vault.captures.captures() if row.id.hex().startswith(wanted)]
    if len(wanted) < 6 or len(found) != 1:
        raise NotFoundError("capture.unknown", number=text[:40])
    return found[0]
