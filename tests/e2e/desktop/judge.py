"""The judge: no vault. Drops the PDF and the files, sees every dimension; a flipped byte; a number looked up in the network."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from evidence_desk.services.examination import Examination, Outcome
from evidence_desk.texts import Language
from tests.e2e.desktop.hands import Hands
from ui.app import Program
from ui.look.tokens import Scheme
from ui.page import PageName
from ui.start.guide import Guide
from ui.verify.page import VerifyPage


def judge(hands: Hands, program: Program, folder: Path) -> dict[str, Any]:
    """Returns what the page said of each."""
    guide = program.window.gate.guide
    assert isinstance(guide, Guide)
    hands.press("法官", within=guide)
    hands.press(guide.next)
    page = program.window.page
    assert isinstance(page, VerifyPage)
    assert program.context.desk.session is None
    hands.picture("12-verify-empty-zh-light")
    certificate, originals = folder / "存证证书.pdf", sorted((folder / "证据").iterdir())
    _drop(hands, page, [certificate, *originals])
    blind = _examined(page)
    hands.picture("13-verify-no-trust-zh-light")
    page.clear()

    trust = folder / "信任根"
    shutil.copytree(folder / "存证库" / "trust", trust)  # handed over by another way
    page.basis.take_folder(trust)
    _settle(hands, page)
    _drop(hands, page, [certificate, *originals])
    passed = _examined(page)
    hands.picture("14-verify-passed-zh-light")
    program.context.tongue.set_language(Language.EN)
    program.context.look.set_scheme(Scheme.DARK)
    hands.picture("15-verify-passed-en-dark")
    program.context.tongue.set_language(Language.ZH)
    page.clear()

    _drop(hands, page, [_flipped(certificate, folder), *originals])
    failed = _examined(page)
    hands.picture("16-verify-failed-zh-dark")
    page.clear()

    sealed = json.loads((folder / "lawyer.json").read_text("utf-8"))
    program.context.preferences.change(gateways=tuple(sealed["gateways"]))
    page.shown()
    _settle(hands, page)
    hands.drop(page.intake, [originals[0]])
    _settle(hands, page)
    found = _examined(page)
    hands.picture("17-verify-found-zh-dark")
    assert program.window.show_page(PageName.VERIFY) is page
    return {
        "blind": blind.result.value,
        "dimensions": {row.dimension.value: row.status.value for row in passed.rows},
        "flipped": failed.result.value,
        "number_found": found.looked_up[0].court.outcome is Outcome.FOUND,
    }


def _drop(hands: Hands, page: VerifyPage, paths: list[Path]) -> None:
    hands.drop(page, paths)
    _settle(hands, page)


def _settle(hands: Hands, page: VerifyPage) -> None:
    hands.until(
        lambda: not page.context.tasks.running and not page.progress.lines, 90, "the examination ends"
    )


def _examined(page: VerifyPage) -> Examination:
    entry = page.model.entries[0]
    return entry.examination


def _flipped(certificate: Path, folder: Path) -> Path:
    data = bytearray(certificate.read_bytes())
    data[data.index(b"stream\n") + 40] ^= 1
    path = folder / "改动一个字节.pdf"
    path.write_bytes(data)
    return path
