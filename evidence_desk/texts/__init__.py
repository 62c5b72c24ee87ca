"""Every sentence a person reads (findings, errors, certificates, help), in zh and en, keyed by code.

An error code ``x`` has two sentences: ``x`` says what happened, ``x.advice`` what to do next; bugs may share those of
``bug``. Finding and caveat codes have one. Templates are filled with `str.format` from the parameters. Each area is a module in ``zh`` and in ``en``
with the same keys (a test compares them, and looks for every code that the program uses).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import Final, cast

from evidence_desk.errors import EvidenceDeskError, IntegrityError

AREAS: Final = (
    "core",
    "tsa",
    "time",
    "vault",
    "certificate",
    "package",
    "verify",
    "cli",
    "identity",
    "token_keys",
    "node",
    "operation",
    "court",
    "restore",
    "network",
    "api",
    "portal",
    "documents",
    "browse",
    "confirm",
    "examine",
    "capture",
    "capture_disclose",
    "capture_replay",
    "environment",
    "wacz",
    "queue",
    "bundle",
    "ui",
    "ui_seal",
    "ui_capture",
    "ui_verify",
    "ui_certify",
    "ui_cases",
    "ui_status",
    "ui_settings",
    "ui_start",
    "ui_said",
    "selftest",
    "updates",
)
"""Modules in each language folder."""


class Language(StrEnum):
    """Languages of the product."""

    ZH = "zh"
    EN = "en"


@cache
def sentences(language: Language) -> Mapping[str, str]:
    """All sentences of a language, by code."""
    merged: dict[str, str] = {}
    for area in AREAS:
        module = import_module(f"{__name__}.{language.value}.{area}")
        merged.update(cast("Mapping[str, str]", module.SENTENCES))
    return merged


def has(code: str, language: Language) -> bool:
    """Whether a sentence exists."""
    return code in sentences(language)


def sentence(code: str, parameters: Mapping[str, str | int], language: Language) -> str:
    """The filled sentence of `code`; the bare code with its facts when there is none (never an exception)."""
    template = sentences(language).get(code)
    if template is None:
        return f"{code} {dict(parameters)}" if parameters else code
    return template.format_map(_Facts(parameters))


def error_sentences(error: EvidenceDeskError, language: Language) -> tuple[str, str]:
    """(what happened, what to do next) of an error; a ``bug.…`` code without its own takes the general ones."""
    code = error.code
    if code.startswith("bug.") and not has(code, language):
        code = "bug"
    facts = {**error.parameters, "code": str(error)} if code == "bug" else error.parameters
    advice = f"{code}.advice"
    if isinstance(error, IntegrityError) and not has(advice, language):
        advice = "integrity.advice"  # a finding about what came from elsewhere
    return (
        sentence(code, facts, language),
        sentence(advice, facts, language) if has(advice, language) else "",
    )


class _Facts(dict[str, str | int]):
    """Parameters; one that is missing leaves a dash in the sentence."""

    def __missing__(self, name: str) -> str:
        return "—"
