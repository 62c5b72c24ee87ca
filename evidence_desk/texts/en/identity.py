"""Sentences of the command that shows a case's age identity, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "identity.warning": "Caution: whoever holds the key below and the folder objects can decrypt every original of this "
    "case; once shown, a key cannot be taken back. Showing it is entered in the custody record.",
    "identity.ask": "Show it?",
    "identity.unconfirmed": "Not confirmed; the key was not shown.",
    "identity.unconfirmed.advice": "Run this in a terminal and confirm, or add --yes.",
    "custody.identity_shown": "decryption key of the case shown",
    "certificate.action.identity_shown": "decryption key of the case shown",
}
