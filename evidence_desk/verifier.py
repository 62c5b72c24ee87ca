"""``evidence-verify``: the small offline verifier. No vault, no network, no Qt, no SQLCipher."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from evidence_desk import __version__
from evidence_desk.core.verdict import ExitStatus
from evidence_desk.errors import UsageError
from evidence_desk.terminal.judge import judge
from evidence_desk.terminal.output import ErrorTold, Output
from evidence_desk.terminal.program import run_program
from evidence_desk.texts import Language


class _UsageError(Exception):
    """Arguments that cannot be meant."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _UsageError(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="evidence-verify",
        description="离线核验存证证书、证据包、证明文件和时间戳 / offline verification of evidence",
        epilog="退出码 / exit status: 0 通过 passed, 1 未通过 failed, 2 无法判断 undetermined, 64 用法 usage, 65 不认识的文件 unrecognized",
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="待核验的文件 / what to verify")
    parser.add_argument("--file", metavar="ORIGINAL", action="append", nargs="+", type=Path, default=[],
                        help="原件，可多个 / originals")  # fmt: skip
    parser.add_argument(
        "--trust", metavar="DIR", type=Path, help="信任根文件夹（含 trust.json）/ trust roots"
    )
    parser.add_argument(
        "--strict", action="store_true", help="有提示事项即不算通过 / caveats end in status 2"
    )
    parser.add_argument("--json", action="store_true", help="只输出一个 JSON 文档 / one JSON document only")
    parser.add_argument("--lang", choices=[item.value for item in Language], default=Language.ZH.value)
    parser.add_argument("--vault", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def run() -> None:
    """Entry point."""
    run_program(main)


def main(arguments: list[str]) -> int:
    """Verify and return the exit status."""
    parser = _parser()
    try:
        given = parser.parse_args(arguments)
    except _UsageError as error:
        parser.print_usage(sys.stderr)
        language = Language.EN if "en" in arguments else Language.ZH
        Output(language, as_json="--json" in arguments).fail(UsageError("cli.usage", message=str(error)))
        return ExitStatus.USAGE.value
    originals = [path for group in given.file for path in group]
    try:
        with Output(Language(given.lang), as_json=given.json) as out:
            judged = judge(out, given.paths, files=originals, trust=given.trust, strict=given.strict)
    except ErrorTold as told:
        return told.status
    return judged.status.value
