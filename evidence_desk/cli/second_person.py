"""The second person at the keyboard: whose credential confirms, and his passphrase."""

from __future__ import annotations

from pathlib import Path

from evidence_desk.bootstrap import persons as office
from evidence_desk.bootstrap.session import Session
from evidence_desk.cli.options import passphrase
from evidence_desk.cli.person import PERSON_PASSPHRASE, read_credential
from evidence_desk.errors import UsageError
from evidence_desk.services import persons
from evidence_desk.services.persons import Unlocked
from evidence_desk.terminal.output import Output


def unlock_second(out: Output, opened: Session, name: str, p12: Path | None) -> Unlocked | None:
    """His credential, from the vault or from a PKCS#12 file; None when nobody is to confirm.

    Raises:
        UsageError: ``confirm.no_second`` for a file without a name. NotFoundError: ``person.unknown``.
    """
    if not name:
        if p12 is not None:
            raise UsageError("confirm.no_second")
        return None
    person = persons.one_person(opened.desk, name)
    if p12 is not None:
        return persons.unlock_given(person, read_credential(out, p12))
    secret = passphrase(out, code="person.ask_passphrase", variable=PERSON_PASSPHRASE)
    return persons.unlock(office.person_keys(opened), person, secret)
