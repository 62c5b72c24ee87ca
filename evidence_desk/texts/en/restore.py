"""Sentences of the area restore, en: envelopes, copies of the keybag, restore from the network, erasure of cases."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.envelope": "The envelope is not in its form ({reason}).",
    "malformed.envelope.advice": "The data may be damaged, changed, or made by a newer program; fetch it from another gateway, or update the program.",
    "malformed.keybag_request": "The request for a keybag is not in its form ({reason}).",
    "malformed.keybag_request.advice": "Compare program versions; let the desk make the request again.",
    "keybag_request.other": "The signature of the keybag request is about another action, network or content.",
    "keybag_request.other.advice": "Let the desk make the request again.",
    "keybag_request.time": "The time of the keybag request is more than five minutes from the gateway's clock.",
    "keybag_request.time.advice": "Set this machine's clock right and try again.",
    "keybag_request.replayed": "The keybag request is not later than the last change the gateway took; it was not done.",
    "keybag_request.replayed.advice": "Let the desk make the request again; if this goes on, check the clock.",
    "keybag_request.key": "The key of the keybag request is neither the desk's registered key nor the one registered as its successor.",
    "keybag_request.key.advice": "Check that the recovery key belongs to this desk.",
    "keybag_request.signature": "The signature of the keybag request is wrong.",
    "keybag_request.signature.advice": "Let the desk make the request again.",
}
