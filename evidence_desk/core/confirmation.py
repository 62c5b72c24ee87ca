"""``confirmation.json``: what the second of two persons (复核人) signs before a certificate is issued. Pure.

It names the certificate and both persons, and holds the digests of ``certificate.json``, the exact text of every page and
every printed value, and of everything else that is attached. See docs/spec/confirmation.md.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.digests import DIGEST_SIZE, DigestPair, parse_hex
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.crypto.x509 import Certificate
from evidence_desk.errors import BugError, MalformedError

NAME: Final = "confirmation.json"
SIGNATURE_NAME: Final = "confirmation.p7s"
VERSION: Final = "confirmation/1"
LIMIT: Final = 16 << 20
"""Greatest size in bytes: some 100,000 attachments."""
SIGNATURE_LIMIT: Final = 256 << 10
_COMMON_NAME: Final = "2.5.4.3"
MAX_TEXT: Final = 512
"""Characters of a name, role, identification, subject or case number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """A person of the office who handles or confirms a certificate; `identification` says how he was identified."""

    name: str
    role: str = ""
    identification: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFacts:
    """The certificate that a confirmation is signed with.

    Attributes:
        subject: distinguished name as one line. serial: of the certificate.
        sha256: of the certificate (DER). demo: it stands under the demo policy (演示).
    """

    subject: str
    serial: int
    sha256: bytes
    demo: bool

    @property
    def serial_text(self) -> str:
        """Serial in hexadecimal as ``openssl x509 -serial`` prints it."""
        digits = f"{self.serial:X}"
        return f"0{digits}" if len(digits) % 2 else digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """Who confirmed, with which credential, when (whole seconds, UTC): what the certificate prints of it."""

    officer: Officer
    credential: CredentialFacts
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """One confirmation.

    Attributes:
        number, version, case: of the certificate.
        exhibits: leaf hashes, in the certificate's order.
        document: digests of ``certificate.json`` as it is going to be attached.
        attachments: digests of all other attachments but `NAME` and `SIGNATURE_NAME`, by name.
        first: who handled it (承办人).
    """

    number: str
    version: int
    case: str
    exhibits: tuple[bytes, ...]
    document: DigestPair
    attachments: Mapping[str, DigestPair]
    first: Officer
    confirmed: Confirmed

    def encode(self) -> bytes:
        """Canonical bytes, which the second person signs.

        Raises:
            BugError: ``bug.confirmation`` when a reader would refuse it.
        """
        data = encode(
            {
                "v": VERSION,
                "number": self.number,
                "version": self.version,
                "case": self.case,
                "exhibits": [item.hex() for item in self.exhibits],
                "document": dict[str, JSON](self.document.to_json()),
                "attachments": [
                    {"name": name, **self.attachments[name].to_json()} for name in sorted(self.attachments)
                ],
                **printed_members(self.first, self.confirmed),
            }
        )
        try:
            same = parse_confirmation(data) == self
        except MalformedError as error:
            raise BugError("bug.confirmation") from error
        if not same:
            raise BugError("bug.confirmation")
        return data


def printed_members(first: Officer, confirmed: Confirmed) -> dict[str, JSON]:
    """Members that the certificate prints as well: both persons, the credential, the time."""
    credential = confirmed.credential
    return {
        "first": _officer_json(first),
        "second": _officer_json(confirmed.officer),
        "credential": {
            "subject": credential.subject,
            "serial": credential.serial_text,
            "sha256": credential.sha256.hex(),
            "demo": credential.demo,
        },
        "at": format_moment(confirmed.at),
    }


def _officer_json(officer: Officer) -> JSON:
    return {"name": officer.name, "role": officer.role, "identification": officer.identification}


def parse_confirmation(data: bytes) -> Confirmation:
    """Read ``confirmation.json``.

    Raises:
        MalformedError: ``malformed.confirmation`` {what}, ``malformed.json``, ``malformed.json_not_canonical``,
            ``malformed.too_large``, ``malformed.digest``, ``malformed.time``.
    """
    value = _members(
        decode(data, what=NAME, limit=LIMIT),
        {"v", "number", "version", "case", "exhibits", "document", "attachments", "first", "second", "credential", "at"},
        "members",
    )  # fmt: skip
    if value["v"] != VERSION:
        raise _wrong("v")
    version = value["version"]
    if type(version) is not int or version < 1:
        raise _wrong("version")
    at = parse_moment(value["at"], what="at")
    if at.microsecond:
        raise _wrong("at")
    return Confirmation(
        number=_text(value["number"], "number", empty=False),
        version=version,
        case=_text(value["case"], "case"),
        exhibits=_exhibits(value["exhibits"]),
        document=DigestPair.from_json(value["document"], what="document"),
        attachments=_attachments(value["attachments"]),
        first=_officer(value["first"], "first"),
        confirmed=Confirmed(
            officer=_officer(value["second"], "second"), credential=_credential(value["credential"]), at=at
        ),
    )


def same_person(one: str, other: str) -> bool:
    """Whether two names are one: width, case and white space do not tell people apart."""
    return _bare(one) == _bare(other)


def names_person(certificate: Certificate, name: str) -> bool:
    """Whether a certificate's common name holds a person's name as a whole word: ``刘子熙``, ``051@刘子熙@1``."""
    bare = _bare(name)
    for rdn in certificate.subject.key:
        for kind, value in rdn:
            if kind == _COMMON_NAME and isinstance(value, str) and bare and _holds(_bare(value), bare):
                return True
    return False


def _holds(text: str, word: str) -> bool:
    """`word` in `text`, with no letter or digit right before or behind it."""
    start = text.find(word)
    while start >= 0:
        before, behind = text[start - 1 : start], text[start + len(word) : start + len(word) + 1]
        if not (before.isalnum() or behind.isalnum()):
            return True
        start = text.find(word, start + 1)
    return False


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _wrong(what: str) -> MalformedError:
    return MalformedError("malformed.confirmation", what=what)


def _members(value: JSON, names: set[str], what: str) -> dict[str, JSON]:
    if not isinstance(value, dict) or set(value) != names:
        raise _wrong(what)
    return value


def _text(value: JSON, what: str, *, empty: bool = True) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or not (empty or value.strip()):
        raise _wrong(what)
    return value


def _exhibits(value: JSON) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not value:
        raise _wrong("exhibits")
    found = tuple(parse_hex(item, what="exhibits") for item in value)
    if len(set(found)) != len(found):
        raise _wrong("exhibits")
    return found


def _attachments(value: JSON) -> dict[str, DigestPair]:
    """Entries in ascending order of names, none twice."""
    if not isinstance(value, list):
        raise _wrong("attachments")
    found: dict[str, DigestPair] = {}
    last = ""
    for item in value:
        entry = _members(item, {"name", "sha256", "sm3"}, "attachments")
        name = _text(entry["name"], "attachments", empty=False)
        if name <= last or name in (NAME, SIGNATURE_NAME):
            raise _wrong("attachments")
        last = name
        found[name] = DigestPair.from_json(
            {"sha256": entry["sha256"], "sm3": entry["sm3"]}, what="attachments"
        )
    return found


def _officer(value: JSON, what: str) -> Officer:
    entry = _members(value, {"name", "role", "identification"}, what)
    return Officer(
        name=_text(entry["name"], what, empty=False),
        role=_text(entry["role"], what),
        identification=_text(entry["identification"], what),
    )


def _credential(value: JSON) -> CredentialFacts:
    entry = _members(value, {"subject", "serial", "sha256", "demo"}, "credential")
    serial, demo = entry["serial"], entry["demo"]
    if not isinstance(demo, bool) or not isinstance(serial, str) or not 0 < len(serial) <= 2 * DIGEST_SIZE:
        raise _wrong("credential")
    try:
        number = int(serial, 16)
    except ValueError as error:
        raise _wrong("credential") from error
    facts = CredentialFacts(
        subject=_text(entry["subject"], "credential", empty=False),
        serial=number,
        sha256=parse_hex(entry["sha256"], what="credential"),
        demo=demo,
    )
    if number < 0 or facts.serial_text != serial:
        raise _wrong("credential")
    return facts
