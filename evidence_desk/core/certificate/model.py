"""Everything a certificate says, as data. Sentences live in ``texts``; how it looks lives in ``reports``.

Each value comes from a statement, leaf, token, checkpoint or custody row; nothing here is typed by hand. Facts that
the attached proofs cover and facts that rest on the issuer's word are kept apart (certificate.md, «What a certificate
prints»).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from evidence_desk.core.capture.manifest import Manifest
from evidence_desk.core.capture.rows import CaptureTally
from evidence_desk.core.confirmation import Confirmed, Officer
from evidence_desk.core.derivation import Derivation
from evidence_desk.core.digests import DigestPair


class DemoReason(StrEnum):
    """Why a certificate is marked 演示/非第三方; each is a key of ``texts`` under ``certificate.demo.``."""

    TOKEN = "token"  # noqa: S105 - the name of a reason
    SIGNER = "signer"
    CHAIN = "chain"
    CONFIRMATION = "confirmation"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """One file of an exhibit, in statement order.

    Attributes:
        name: display name (NFC) as in the statement; control and bidi characters are escaped when printed.
        size: bytes.
        modified: modification time that the file system stated, UTC.
    """

    name: str
    size: int
    media_type: str
    digests: DigestPair
    modified: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """The case; every field may be empty."""

    number: str = ""
    court: str = ""
    parties: tuple[str, ...] = ()
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """What an RFC 3161 token states.

    Attributes:
        tsa: subject of the signer certificate, RFC 4514.
        policy: dotted OID. serial: of the token (not of the certificate).
        gen_time: UTC. accuracy_us: microseconds, None when the token states none.
        token_sha256: of the DER ContentInfo as received.
        certificate_sha256: of the signer certificate (DER).
    """

    tsa: str
    policy: str
    serial: int
    gen_time: datetime
    accuracy_us: int | None
    token_sha256: bytes
    certificate_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFacts:
    """The desk's signed tree head that the inclusion path leads to (C2SP tlog-checkpoint)."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtFacts:
    """Anchoring on the court network; `time` is that of header H+1, `height` is H.

    Attributes:
        validators: (institution, signed) in validator order.
    """

    chain_id: str
    height: int
    block_hash: bytes
    time: datetime
    validators: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFacts:
    """The desk's clock at registration: `offset_ms` against `sources`, None when no source answered."""

    zone: str = ""
    offset_ms: int | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Operator or witness; `signed` tells whether they signed the statement's digest themselves."""

    name: str = ""
    role: str = ""
    identification: str = ""
    signed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """How the exhibit was obtained (证据规定 art. 15, 23); empty strings print as 未填写.

    Attributes:
        derivation: the sealed file it was made from; `derived_from`: the same in free words.
    """

    obtained: str = ""
    from_whom: str = ""
    medium: str = ""
    medium_serial: str = ""
    is_original: bool | None = None
    derived_from: str = ""
    derivation: Derivation | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program that took part; `sha256` is of its main file, None when unknown."""

    name: str
    version: str
    sha256: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyEvent:
    """One line of 保管记录, in words for the reader."""

    at: datetime
    action: str
    operator: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One exhibit of a certificate.

    Attributes:
        number: evidence number ``ED-…``. leaf_hash: SHA-256(0x00 ‖ leaf bytes).
        blinded: look-up choice 盲化.
        capture: manifest of a web capture, as the statement commits to it; None for files, and where it is not at hand.
        registered, logged: by the desk's clock, UTC.
        token, court: None while 未盖时间戳, 未上链.
        attachments: names of this exhibit's files in the PDF, in order.
        files_root: RFC 6962 root over the files when the leaf holds one (``objects_root``).
    """

    number: str
    leaf_hash: bytes
    seq: int
    statement: DigestPair
    files: tuple[FileFacts, ...]
    checkpoint: CheckpointFacts
    registered: datetime
    logged: datetime
    token: TokenFacts | None = None
    court: CourtFacts | None = None
    capture: Manifest | None = None
    blinded: bool = False
    exhibit_no: str = ""
    title: str = ""
    kind: str = ""
    purpose: str = ""
    clock: ClockFacts = field(default_factory=ClockFacts)
    operator: Person = field(default_factory=Person)
    witness: Person | None = None
    source: SourceFacts = field(default_factory=SourceFacts)
    tools: tuple[Tool, ...] = ()
    interest: str = ""
    custody: tuple[CustodyEvent, ...] = ()
    medium: str = ""
    last_recheck: datetime | None = None
    next_recheck: datetime | None = None
    attachments: tuple[str, ...] = ()
    files_root: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate as it is about to be printed and signed.

    Attributes:
        number: ``EC-…`` (`certificate_number`). version: 1 for the first issue, +1 for each replacement.
        issued: UTC, by the issuer's clock; the signature timestamp stands beside it.
        language: ``zh`` or ``en``.
        issuer: institution or person that signs, as in the signing certificate.
        keys: (key, who holds it) in words.
        platform: (fact, value) of art. 17(1); empty prints 无.
        failed_captures: failed or abandoned captures of the case; None when not known.
        all_captures: those of the whole desk by its logs, other cases too; None when not counted.
        agreed_method: digests of the parties' agreement (证据规定 art. 94(5)).
        commands: shell lines of the check by hand; they must work on the attachments as named.
        handler: who handles it (承办人) in two-person mode; None when one person issues it.
        confirmed: the second person's confirmation (复核人), None before it and in one-person mode.
        draft: it is printed to be looked at, not issued; `issued` and `confirmed` are not yet known.
    """

    number: str
    version: int
    issued: datetime
    language: str
    issuer: str
    exhibits: tuple[Exhibit, ...]
    case: CaseFacts = field(default_factory=CaseFacts)
    demo: tuple[DemoReason, ...] = ()
    program: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    platform: tuple[tuple[str, str], ...] = ()
    failed_captures: int | None = None
    all_captures: CaptureTally | None = None
    agreed_method: DigestPair | None = None
    commands: tuple[str, ...] = ()
    handler: Officer | None = None
    confirmed: Confirmed | None = None
    draft: bool = False
