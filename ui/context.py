"""What every page is given. There are no globals."""

from __future__ import annotations

from dataclasses import dataclass

from evidence_desk.texts import Language
from ui.demo_network import DemoNetwork
from ui.desk import OpenDesk
from ui.language import Tongue
from ui.look.look import Look
from ui.look.tokens import Scheme
from ui.messages import Messages
from ui.preferences import PreferenceStore
from ui.tasks import Tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The program's parts, made once by `ui.app`."""

    tasks: Tasks
    tongue: Tongue
    messages: Messages
    desk: OpenDesk
    preferences: PreferenceStore
    look: Look
    demo: DemoNetwork

    def choose_language(self, language: Language) -> None:
        """Speak it from now on, and at the next start."""
        self.preferences.change(language=language)
        self.tongue.set_language(language)

    def choose_scheme(self, scheme: Scheme) -> None:
        """Look so from now on, and at the next start."""
        self.preferences.change(scheme=scheme)
        self.look.set_scheme(scheme)
