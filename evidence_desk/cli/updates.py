"""``evidence-desk updates``: whether a newer version is there. Off unless turned on; needs no vault and opens none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.cli.options import JsonOption, LanguageOption
from evidence_desk.core.verdict import ExitStatus
from evidence_desk.errors import UnreadableError
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language
from evidence_desk.updates import setting as settings

app = typer.Typer(no_args_is_help=True, help="更新检查（默认关闭）/ update check (off by default)")
_MAX_KEY = 1024


@app.command("check")
def check_updates(lang: LanguageOption = Language.ZH, as_json: JsonOption = False) -> None:
    """询问一次是否有新版本；不下载、不安装 / Ask once whether a newer version is there; nothing is downloaded."""
    from evidence_desk.bootstrap.reader import SystemClock  # noqa: PLC0415 - quick start
    from evidence_desk.updates.check import UpdateStatus, check  # noqa: PLC0415 - with httpx

    with Output(lang, as_json=as_json) as out:
        outcome = check(SystemClock())
        out.say(outcome.code, **outcome.facts)
        out.document(
            {
                "status": outcome.status.value, "code": outcome.code, "facts": outcome.facts, "version": outcome.version or None,
            }
        )  # fmt: skip
        if outcome.status is UpdateStatus.UNDETERMINED:
            raise typer.Exit(ExitStatus.UNDETERMINED.value)


@app.command("on")
def turn_on(
    address: Annotated[
        str, typer.Option("--address", help="发布清单的地址 / address of the release list")
    ] = "",
    key: Annotated[
        Path | None, typer.Option("--key", help="发布公钥文件（.vkey）/ file of the release key")
    ] = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """允许检查更新 / Allow the check."""
    with Output(lang, as_json=as_json) as out:
        _tell(out, settings.turn_on(address, _key(key) if key else ""))


@app.command("off")
def turn_off(lang: LanguageOption = Language.ZH, as_json: JsonOption = False) -> None:
    """不再检查更新 / Turn it off."""
    with Output(lang, as_json=as_json) as out:
        _tell(out, settings.turn_off())


def _key(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_MAX_KEY).decode("utf-8", errors="replace")
    except OSError as error:
        raise UnreadableError("input.unreadable", path=path.name, reason=error.strerror or "") from error


def _tell(out: Output, value: settings.UpdateSetting) -> None:
    pinned = settings.pinned_key(value)
    out.say("updates.is_on" if value.on else "updates.is_off")
    out.say("updates.address_is" if value.address else "updates.no_address", address=value.address)
    out.say(
        "updates.key_is" if pinned else "updates.no_key", fingerprint=pinned.fingerprint if pinned else ""
    )
    out.document({"on": value.on, "address": value.address, "key": pinned.fingerprint if pinned else None})
