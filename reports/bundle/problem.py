"""Why a file is not printed. Never leaves the bundle: it becomes a page that says so."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Keys of ``texts`` under ``bundle.reason.``."""

    KIND = "kind"
    ENCRYPTED = "encrypted"
    BROKEN = "broken"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    ENCODING = "encoding"
    TOO_MANY_PAGES = "too_many_pages"
    DYNAMIC_FORM = "dynamic_form"


class UnprintableError(Exception):
    """The file cannot be printed, or not from here on."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
