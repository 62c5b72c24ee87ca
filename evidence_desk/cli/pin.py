"""The PIN of a token, for commands: from the environment for unattended use, else asked for on the terminal."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Final

from evidence_desk.core.signing_ports import PinPrompt, PinRequest
from evidence_desk.errors import PermissionDeniedError
from evidence_desk.terminal.output import Output

PIN: Final = "EVIDENCE_DESK_PIN"


def pin_prompt(out: Output) -> PinPrompt:
    """A prompt that raises PermissionDeniedError: ``signer.pin_needed``, ``signer.pin_unattended``.

    A PIN of the environment is not given to a token that was given a wrong one before: a script in a loop would lock it.
    """

    def ask(request: PinRequest) -> str | None:
        if PIN in os.environ:
            if request.failed_before or request.last_try:
                raise PermissionDeniedError("signer.pin_unattended", token=request.token)
            return os.environ[PIN]
        if not sys.stdin.isatty():
            raise PermissionDeniedError("signer.pin_needed", token=request.token)
        for warned, code in (
            (request.failed_before, "signer.ask_pin_again"),
            (request.last_try, "signer.ask_pin_last"),
        ):
            if warned:
                out.errors.print(out.text(code))
        return getpass.getpass(out.text("signer.ask_pin", token=request.token, serial=request.serial) + " ")

    return ask
