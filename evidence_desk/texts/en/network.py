"""Sentences of the area network, en: joining the court network, anchoring, look-up through gateways."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    # Gateways.
    "gateway.url": "The gateway address “{url}” cannot be used.",
    "gateway.url.advice": "Give an address that begins with http:// or https://, without path, query or password, e.g. https://gateway.court.example.",
    "gateway.silent": "Gateway {gateway} did not answer in time.",
    "gateway.silent.advice": "Check the network or try again later; what is sealed is not affected, and what waits goes on waiting.",
    "gateway.unreachable": "Gateway {gateway} cannot be reached.",
    "gateway.unreachable.advice": "Check address and network, or use another gateway; what is sealed is not affected, and what waits goes on waiting.",
    "gateway.busy": "Gateway {gateway} cannot take this at the moment (status {status}).",
    "gateway.busy.advice": "Try again later; what waits goes on waiting.",
    "gateway.not_found": "Gateway {gateway} has not got what was asked for.",
    "gateway.not_found.advice": "Check what was asked for, or try again later.",
    "gateway.too_large": "The answer of gateway {gateway} is larger than {limit} bytes and was not taken.",
    "gateway.too_large.advice": "Use another gateway and tell the institution that runs this one.",
    "gateway.malformed": "The answer of gateway {gateway} is not in its form ({reason}) and was not believed.",
    "gateway.malformed.advice": "Use another gateway and tell the institution that runs this one.",
    "gateway.refused": "Gateway {gateway} did not accept this (status {status}, {reason}).",
    "gateway.refused.advice": "Check the request and the version of the program, or use another gateway.",
}
