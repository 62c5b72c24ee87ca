"""The language of the window: sentences by code, and widgets that follow a change while the program runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from evidence_desk.errors import EvidenceDeskError
from evidence_desk.texts import Language, error_sentences, has, sentence
from ui.plain import lines

_PRUNE: Final = 512
"""Owners after which those that are gone are looked for."""


@dataclass(frozen=True, slots=True, eq=False)
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
        self._bound: dict[int, list[_Bound]] = {}
        self._prune_at = _PRUNE

    @property
    def language(self) -> Language:
        """Language in force."""
        return self._language

    def set_language(self, language: Language) -> None:
        """Say everything bound again, in another language."""
        if language is self._language:
            return
        self._language = language
        self._prune()
        for owner, items in list(self._bound.items()):
            for item in list(items):
                if isValid(item.owner) and item in self._bound.get(
                    owner, ()
                ):  # not replaced by one said before
                    item.say()
        self.changed.emit()

    def say(self, code: str, **facts: str | int) -> str:
        """The sentence of a code; the window's own where the shared one names commands or options."""
        return sentence(self._own(code) or code, facts, self._language)

    def has(self, code: str) -> bool:
        """Whether there is a sentence for a code."""
        return has(code, self._language)

    def error(self, error: EvidenceDeskError) -> tuple[str, str]:
        """(what happened, what to do next); names of files in it cannot turn the line around."""
        what, then = error_sentences(error, self._language)
        own, advice = self._own(error.code), self._own(f"{error.code}.advice")
        return (
            _shown(sentence(own, error.parameters, self._language) if own else what),
            _shown(sentence(advice, error.parameters, self._language) if advice else then),
        )

    def bind(self, owner: QObject, setter: Callable[[str], object], code: str, **facts: str | int) -> None:
        """Set a text now and again at every change, as long as `owner` lives.

        A later call with the same owner and setter replaces the earlier one.
        """
        self._keep(_Bound(owner, setter, lambda: setter(self.say(code, **facts))))

    def follow(self, owner: QObject, say: Callable[[], object]) -> None:
        """Call `say` now and again at every change, as long as `owner` lives; for texts made of several parts."""
        self._keep(_Bound(owner, say, say))

    def _own(self, code: str) -> str:
        """The code of the window's own sentence, empty when there is none."""
        own = f"ui_said.{code}"
        return own if has(own, self._language) else ""

    def _keep(self, bound: _Bound) -> None:
        """By owner, whose wrapper the entry keeps alive: its id is nobody else's."""
        others = [item for item in self._bound.get(id(bound.owner), ()) if item.key != bound.key]
        self._bound[id(bound.owner)] = [*others, bound]  # bound methods compare equal by object and function
        if len(self._bound) > self._prune_at:
            self._prune()
        bound.say()

    def _prune(self) -> None:
        """Forget owners that are gone; now and then, so that pages made anew do not slow each other down."""
        self._bound = {owner: items for owner, items in self._bound.items() if isValid(items[0].owner)}
        self._prune_at = max(_PRUNE, 2 * len(self._bound))


def _shown(text: str) -> str:
    return "\n".join(lines(text))
