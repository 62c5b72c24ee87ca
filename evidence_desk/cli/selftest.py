"""``evidence-desk selftest``: the program tries itself on this machine."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from evidence_desk.bootstrap.selftest.parts import PARTS
from evidence_desk.bootstrap.selftest.steps import Outcome, Result, run, temporary_folder
from evidence_desk.bootstrap.selftest.whole_job import WholeJob
from evidence_desk.cli.files import ForceOption, refuse_existing, written
from evidence_desk.cli.options import JsonOption, LanguageOption
from evidence_desk.errors import ConfigurationError, UsageError
from evidence_desk.launch import packaged
from evidence_desk.program import program
from evidence_desk.terminal.layout import printable
from evidence_desk.terminal.output import Output, error_json
from evidence_desk.texts import Language

_FINE: Final = frozenset({Result.PASSED, Result.SKIPPED})


def selftest(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="把结果（JSON）写入文件 / write the result as JSON")
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option("--skip", metavar="STEP", help="略过一步，可重复 / leave a step out, repeatable")
    ] = None,
    force: ForceOption = False,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """自检：在本机逐项试用程序的各部分和整个流程 / Try every part and the whole job on this machine."""
    with Output(lang, as_json=as_json) as out:
        job = WholeJob(lang)
        steps = (*PARTS, *job.steps())
        for name in set(skip or ()) - {step.name for step in steps}:
            raise UsageError("selftest.step", step=name, steps=", ".join(step.name for step in steps))
        if output is not None:
            refuse_existing(output, force=force)
        out.say("selftest.begin")
        outcomes: list[Outcome] = []
        with temporary_folder() as folder:
            try:
                for outcome in run(steps, folder, skip=skip or ()):
                    outcomes.append(outcome)
                    _tell(out, outcome)
            finally:
                job.close()
        document = _document(out, outcomes)
        if output is not None:
            with written(output, force=force) as stream:
                stream.write(
                    json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", errors="replace")
                    + b"\n"
                )
        failed = [item for item in outcomes if item.result not in _FINE]
        left = sum(item.result is Result.SKIPPED for item in outcomes)
        if failed:
            out.say("selftest.failed", count=len(failed))
        else:
            out.say("selftest.skipped" if left else "selftest.passed", count=left)
        out.document(document)
        if failed:
            raise typer.Exit(ConfigurationError.exit_status)


def _tell(out: Output, outcome: Outcome) -> None:
    result = out.text(f"selftest.result.{outcome.result.value}")
    name = out.text(f"selftest.{outcome.name}")
    out.line(f"{result} {outcome.seconds:6.2f} s  {name}  {printable(outcome.fact)}")


def _document(out: Output, outcomes: list[Outcome]) -> dict[str, Any]:
    ours = program()
    return {
        "program": {
            "name": ours.name, "version": ours.version, "packaged": packaged(), "digests": ours.digests.to_json(),
            "python": platform.python_version(), "platform": platform.platform(),
        },
        "passed": all(item.result in _FINE for item in outcomes),
        "seconds": round(sum(item.seconds for item in outcomes), 3),
        "steps": [
            {
                "name": item.name, "title": out.text(f"selftest.{item.name}"), "result": item.result.value,
                "seconds": round(item.seconds, 3), "fact": item.fact,
                **({} if item.error is None else {"error": error_json(item.error, out.language)}),
            }
            for item in outcomes
        ],
    }  # fmt: skip
