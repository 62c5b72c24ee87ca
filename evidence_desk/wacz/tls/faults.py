"""How the parts of the decoder say that bytes are wrong; never seen outside this package."""

from __future__ import annotations


class Fault(Exception):  # noqa: N818 - a fact about a recording, not an error of ours
    """Something wrong in one direction of a session; its code goes to `TlsFacts.faults`."""

    def __init__(self, *, code: str) -> None:
        super().__init__(code)
        self.code = code
