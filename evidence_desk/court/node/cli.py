"""``court-node``: run a node of the court network, or a whole demonstration network on this machine."""

from __future__ import annotations

import sys
from typing import Final

import structlog
import typer
from typer.exceptions import Abort, TyperException

from evidence_desk.core.verdict import ExitStatus
from evidence_desk.court.node.commands.founding import genesis, init, join
from evidence_desk.court.node.commands.governing import govern, report_equivocation
from evidence_desk.court.node.commands.keeping import backup_node, restore, resync
from evidence_desk.court.node.commands.replaying import replay_chain
from evidence_desk.court.node.commands.running import application, gateway, localnet, start, status
from evidence_desk.court.node.commands.trusting import trust_bundle
from evidence_desk.errors import CanceledError, UsageError
from evidence_desk.terminal.output import ErrorTold, Output
from evidence_desk.terminal.program import run_program
from evidence_desk.texts import Language

_PROGRAM: Final = "court-node"

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for command in (init, genesis, join, start, status, localnet):
    app.command()(command)
app.command("backup")(backup_node)
app.command()(restore)
app.command()(resync)
app.command("replay")(replay_chain)
app.command("trust-bundle")(trust_bundle)
app.command("report-equivocation")(report_equivocation)
app.add_typer(govern, name="govern")
for process in (application, gateway):
    app.command(hidden=True)(process)


@app.callback()
def _root() -> None:
    """法院节点 / node of the court network (CometBFT)."""


def run() -> None:
    """Entry point."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # stdout is for answers
    run_program(main)


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status (docs/spec/exit-codes.md)."""
    try:
        result = app(args=arguments or ["--help"], prog_name=_PROGRAM, standalone_mode=False)
    except ErrorTold as told:
        return told.status
    except TyperException as error:
        Output(Language.ZH, as_json="--json" in arguments).fail(
            UsageError("cli.usage", message=error.format_message())
        )
        return ExitStatus.USAGE.value
    except (Abort, KeyboardInterrupt):
        return CanceledError.exit_status
    return result if isinstance(result, int) else 0
