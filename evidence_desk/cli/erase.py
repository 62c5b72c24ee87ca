"""``evidence-desk erase``: delete a case for good; what cannot be erased is said plainly."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from evidence_desk.cli.describe import fault_json, print_faults
from evidence_desk.cli.options import JsonOption, LanguageOption, OperatorOption, VaultOption, session
from evidence_desk.errors import CanceledError, UsageError
from evidence_desk.services.erase import EraseOutcome
from evidence_desk.services.erase import erase as erase_case
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language


def erase(
    case: Annotated[str, typer.Argument(help="案号 / case number")],
    reason: Annotated[str, typer.Option("--reason", help="事由 / reason")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 / don't ask")] = False,
    operator: OperatorOption = "",
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """删除案件：删除其密钥与原件，日志保留墓碑 / Erase a case: its keys and originals; a tombstone stays."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        if not yes:
            _confirm(out, case)
        court = opened.court() if opened.networks else None
        outcome = erase_case(opened.desk, case, reason=reason, operator=operator, court=court)
        _tell(out, outcome)
        copies = outcome.copies
        out.document(
            {
                "case": case,
                "exhibits": outcome.exhibits,
                "certificates": list(outcome.certificates),
                "keybag": None
                if copies is None
                else {
                    "replaced": copies.sent,
                    "faults": [fault_json(out, item) for item in copies.faults],
                },
                "remains": [out.text(code) for code in _remains(outcome)],
            }
        )


def _confirm(out: Output, case: str) -> None:
    """The case number typed again; without a terminal only ``--yes`` will do.

    Raises:
        UsageError: ``erase.not_confirmed``. CanceledError: ``erase.canceled``.
    """
    if not sys.stdin.isatty() or out.as_json:
        raise UsageError("erase.not_confirmed")
    out.say("erase.warning", case=case)
    if input(out.text("erase.ask") + " ").strip() != case:
        raise CanceledError("erase.canceled")


def _tell(out: Output, outcome: EraseOutcome) -> None:
    out.say("erase.done", case=outcome.case_number, count=outcome.exhibits)
    copies = outcome.copies
    if copies is not None:
        if copies.whole:
            out.say("erase.copies", count=len(copies.sent) + len(copies.current))
        else:
            out.say("erase.copies_waiting", count=len(copies.faults))
            print_faults(out, copies.faults)
    for code in _remains(outcome):
        out.say(code)


def _remains(outcome: EraseOutcome) -> tuple[str, ...]:
    """Codes of what an erasure cannot reach."""
    found = ["erase.remains.log", "erase.remains.backups"]
    if outcome.copies is not None:
        found.append("erase.remains.gateways")
    if outcome.certificates:
        found.append("erase.remains.certificates")
    return tuple(found)
