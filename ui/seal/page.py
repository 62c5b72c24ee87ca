"""The page itself."""

from __future__ import annotations

from ui.context import Context
from ui.page import Page, PageName


class SealPage(Page):
    """To be built."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, PageName.SEAL)
