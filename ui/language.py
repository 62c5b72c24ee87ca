"""The language of the window: sentences by code, and widgets that follow a change while the program runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from evidence_desk.errors import EvidenceDeskError
from evidence_desk.texts import Language, error_sentences, has, sentence


@dataclass(frozen=True, slots=True)
class _Bound:
    owner: QObject
    key: object
    say: Callable[[], object]


class Tongue(QObject):
    """Says codes in the chosen language. `changed` comes after all bound texts are set."""

    changed = Signal()

    def __init__(self, language: Language = Language.ZH) -> None:
        super().__init__()
        self._language = language
        self._bound: list[_Bound] = []

    @property
    def language(self) -> Language:
        """Language in force."""
        return self._language

    def set_language(self, language: Language) -> None:
        """Say everything bound again, in another language."""
        if language is self._language:
            return
        self._language = language
        self._bound = [item for item in self._bound if isValid(item.owner)]
        for item in list(self._bound):
            if isValid(item.owner):
                item.say()
        self.changed.emit()

    def say(self, code: str, **facts: str | int) -> str:
        """The sentence of a code."""
        return sentence(code, facts, self._language)

    def has(self, code: str) -> bool:
        """Whether there is a sentence for a code."""
        return has(code, self._language)

    def error(self, error: EvidenceDeskError) -> tuple[str, str]:
        """(what happened, what to do next)."""
        return error_sentences(error, self._language)

    def bind(self, owner: QObject, setter: Callable[[str], object], code: str, **facts: str | int) -> None:
        """Set a text now and again at every change, as long as `owner` lives.

        A later call with the same owner and setter replaces the earlier one.
        """
        self._keep(_Bound(owner, setter, lambda: setter(self.say(code, **facts))))

    def follow(self, owner: QObject, say: Callable[[], object]) -> None:
        """Call `say` now and again at every change, as long as `owner` lives; for texts made of several parts."""
        self._keep(_Bound(owner, say, say))

    def _keep(self, bound: _Bound) -> None:
        self._bound = [
            item for item in self._bound if not (item.owner is bound.owner and item.key == bound.key)
        ]  # bound methods compare equal by object and function
        self._bound.append(bound)
        bound.say()
