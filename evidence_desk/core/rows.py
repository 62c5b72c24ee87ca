"""The rows that cross the ports: plain records of log, exhibits, tokens, certificates and custody. All times are UTC-aware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from evidence_desk.core.digests import DigestPair


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafRow:
    """One stored leaf: its canonical bytes and RFC 6962 leaf hash."""

    seq: int
    type: str
    leaf_hash: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAppend:
    """Everything one append writes: leaves, changed tiles (whole blobs) and the new checkpoint note.

    Attributes:
        tiles: (level, index) → concatenated 32-byte hashes, up to 256 (C2SP tlog-tiles); level 0 holds leaf hashes.
        checkpoint: signed note, UTF-8.
    """

    old_size: int
    leaves: tuple[LeafRow, ...]
    tiles: Mapping[tuple[int, int], bytes]
    checkpoint: bytes

    @property
    def new_size(self) -> int:
        """Size of the log after the append."""
        return self.old_size + len(self.leaves)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An encrypted original in the vault: `name` is its file name in objects/, keyed by the case."""

    name: str
    size: int
    digests: DigestPair


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """One file of an exhibit, in statement order."""

    position: int
    path: str
    media_type: str
    stored: StoredObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitRow:
    """One exhibit as stored. `number` is the evidence number; times are the independent states."""

    leaf_hash: bytes
    seq: int
    number: str
    case_number: str
    exhibit_no: str
    title: str
    kind: str
    statement: bytes
    disclosures: bytes
    objects: tuple[ObjectRow, ...]
    registered: datetime
    logged: datetime
    timestamped: datetime | None = None
    anchored: datetime | None = None
    certified: datetime | None = None
    origin: str = ""

    @property
    def erased(self) -> bool:
        """Whether its case was erased: number, leaf and times are left, all that was said of it is gone."""
        return not self.statement


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """One accepted token with its transport evidence (在线诉讼规则 art. 17(4)).

    Attributes:
        token: DER ContentInfo as received; `token_sha256` is its SHA-256.
        request: DER TimeStampReq; `response`: raw body received.
        transport: canonical JSON of round-trip times, URL, HTTP status.
        preimage: bytes the token covers (sorted hashes under the top node of the batch tree).
        attested_seq: seq of the ``time.attested`` leaf, None before it is appended.
        attested_origin: log of that leaf; given by the store when reading.
    """

    token_sha256: bytes
    token: bytes
    request: bytes
    response: bytes
    transport: bytes
    authority: str
    gen_time: datetime
    preimage: bytes
    crls: tuple[bytes, ...] = ()
    attested_seq: int | None = None
    attested_origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRecordRow:
    """One reduced tree of a batch (RFC 4998 §4.2): of an exhibit's group, or of the batch's checkpoint.

    Attributes:
        leaf_hash: exhibit it belongs to; None for the checkpoint's own tree.
        group: 0-based group of the exhibit (≤ 100 objects a group).
        tree: lists of 32-byte hashes, first the group itself.
        data: for the checkpoint's tree the note bytes, else b"".
    """

    token_sha256: bytes
    leaf_hash: bytes | None
    group: int
    tree: tuple[tuple[bytes, ...], ...]
    data: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRow:
    """One issued certificate; digests of its first signed revision.

    Attributes:
        pdf: b"" when the vault no longer holds it: after an erasure, or a restore from the network.
    """

    number: str
    leaf_hash: bytes
    exhibits: tuple[bytes, ...]
    digests: DigestPair
    pdf: bytes
    issued: datetime
    revoked: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case: folder of exhibits; `details` is canonical JSON (court, parties, cause).

    Attributes:
        leaves_only: 仅哈希, its leaves go to the network without envelopes.
        erased: when its keys were deleted.
    """

    number: str
    details: bytes
    created: datetime
    leaves_only: bool = False
    erased: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyRow:
    """One custody event 保管记录; `leaf_seq` is None until its batch is in the log.

    Attributes:
        action: sealed, opened, decrypted, exported, rechecked, certified, corrected, restored, …
        details: canonical JSON, private.
        leaf_origin: log of the leaf `leaf_seq`; given by the store when reading.
    """

    exhibit: bytes
    at: datetime
    action: str
    operator: str
    details: bytes
    leaf_seq: int | None = None
    id: int = 0
    leaf_origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedPdf:
    """A signed certificate; `unprintable` lists characters no font of ours has, printed as 〔U+XXXXX〕."""

    pdf: bytes
    unprintable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampReply:
    """What an authority answered, kept whole as evidence of transfer.

    Attributes:
        token: DER ContentInfo as received, already strictly verified.
        tsa: SHA-256 of the signer certificate's SubjectPublicKeyInfo.
        transport: JSON-able facts: url, sent, received (UTC strings), status, round_trip_ms.
    """

    authority: str
    token: bytes
    request: bytes
    response: bytes
    gen_time: datetime
    tsa: bytes
    transport: Mapping[str, str | int] = field(default_factory=dict)
    crls: tuple[bytes, ...] = ()


# --- court network --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorRow:
    """One verified answer about an accepted checkpoint of ours.

    Attributes:
        size: of the checkpoint; `height` H that accepted it, `header_time` of header H+1.
        answer: canonical ``anchor/1`` without leaves and without our tokens.
        origin: log of the checkpoint; given by the store when reading.
    """

    chain_id: str
    size: int
    height: int
    header_time: datetime
    answer: bytes
    stored: datetime
    origin: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderRow:
    """A header of the network that wants an RFC 3161 token over its hash."""

    header_hash: bytes
    chain_id: str
    height: int
    header_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitAnchor:
    """What proves one exhibit to the court: the answer, and the events about its leaf (canonical JSON)."""

    anchor: AnchorRow
    events: bytes
    stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictRow:
    """An answer of the network that contradicts our log; kept, never acted upon."""

    found: datetime
    code: str
    size: int
    root: bytes
    answer: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """What the network has yet to be told: open checkpoints, the newest size, attempts at the oldest."""

    waiting: int
    newest: int
    attempts: int
    not_before: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a gateway said about a transaction; `code` 0 taken, 3 known before, else refused by the rules."""

    id: str
    code: int
    reason: str = ""
