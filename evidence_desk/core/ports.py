"""Ports: what use cases need from the world, as Protocols; the rows that cross them are in ``rows``. No implementation.

Adapters (``vault``, ``tsa.client``, ``reports``) implement them; ``bootstrap`` wires them. All times are UTC-aware.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO, Protocol

from evidence_desk.core.browse_ports import BrowseStore
from evidence_desk.core.capture.rows import CaptureStore
from evidence_desk.core.certificate.model import Certificate
from evidence_desk.core.court_ports import CourtStore
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.envelope import Box
from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import QueueStore
from evidence_desk.core.rows import (
    CaseRow,
    CertificateRow,
    CustodyRow,
    ExhibitRow,
    IssuedPdf,
    LeafRow,
    LogAppend,
    StoredObject,
    TimeRecordRow,
    TimestampReply,
    TokenRow,
)


class Clock(Protocol):
    """The desk's clock."""

    def now(self) -> datetime:
        """Current time, UTC-aware, microseconds."""
        ...


# --- log ------------------------------------------------------------------------------------------------------


class TileSource(Protocol):
    """Read access to tiles."""

    def tile(self, level: int, index: int) -> bytes:
        """Stored hashes of a tile, b"" when there is none yet."""
        ...


class LogStore(TileSource, Protocol):
    """Durable log. Writes happen only inside `Store.transaction`."""

    def write(self, append: LogAppend) -> None:
        """Store an append; refuses (IntegrityError) when `old_size` is not the stored size."""
        ...

    def size(self) -> int:
        """Number of leaves."""
        ...

    def checkpoint(self) -> bytes:
        """Newest checkpoint note, b"" for an empty log."""
        ...

    def checkpoints(self) -> Iterator[tuple[int, bytes]]:
        """All (size, note) in order of size."""
        ...

    def checkpoint_at(self, size: int) -> bytes:
        """Checkpoint note of exactly this size, b"" when none was signed."""
        ...

    def nearest_checkpoint(self, above: int, most: int) -> tuple[int, bytes] | None:
        """Greatest (size, note) with above < size ≤ most."""
        ...

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Store a checkpoint of an earlier size of this log, signed later; one that is there stays."""
        ...

    def leaf(self, seq: int) -> LeafRow:
        """One leaf by sequence number; NotFoundError."""
        ...

    def leaf_by_hash(self, leaf_hash: bytes) -> LeafRow | None:
        """One leaf by leaf hash."""
        ...

    def rotations(self) -> Iterator[LeafRow]:
        """All ``key.rotated`` leaves, in order."""
        ...

    def captures(self) -> Iterator[LeafRow]:
        """All leaves of captures (begun, sealed, abandoned), in order."""
        ...

    def leaves(self, start: int, stop: int) -> Iterator[LeafRow]:
        """Leaves start ≤ seq < stop in order, streamed."""
        ...


class LogSigner(Protocol):
    """The desk's checkpoint keys (Ed25519 and SM2); the private parts never leave the implementation."""

    @property
    def ed25519_public(self) -> bytes:
        """32-byte raw public key."""
        ...

    @property
    def sm2_public(self) -> bytes:
        """65-byte uncompressed point 04‖x‖y."""
        ...

    def sign_ed25519(self, message: bytes) -> bytes:
        """64-byte signature (RFC 8032)."""
        ...

    def sign_sm2(self, message: bytes) -> bytes:
        """DER ECDSA-Sig-Value, SM2 with SM3, user ID 1234567812345678 (GM/T 0009)."""
        ...


# --- exhibits -------------------------------------------------------------------------------------------------


class ExhibitStore(Protocol):
    """Exhibits, cases, tokens, certificates, custody. Writes happen only inside `Store.transaction`."""

    def add_case(self, case: CaseRow) -> None:
        """Insert a case unless its number is known."""
        ...

    def cases(self) -> Sequence[CaseRow]:
        """All cases by creation."""
        ...

    def case(self, number: str) -> CaseRow | None:
        """One case by number."""
        ...

    def set_leaves_only(self, number: str) -> None:
        """From now on the leaves of a case go to the network without envelopes (仅哈希)."""
        ...

    def erase_rows(self, case_number: str, at: datetime) -> None:
        """Delete what the rows of a case tell: statements, names, files, trees, certificates; mark it erased.

        Numbers, leaf hashes, times and custody stay.
        """
        ...

    def next_exhibit_index(self, case_number: str) -> int:
        """1-based index for the next exhibit of a case."""
        ...

    def add_exhibit(self, exhibit: ExhibitRow) -> None:
        """Insert a sealed exhibit with its objects."""
        ...

    def exhibit(self, leaf_hash: bytes) -> ExhibitRow | None:
        """One exhibit by leaf hash."""
        ...

    def by_number(self, number: str) -> Sequence[ExhibitRow]:
        """All exhibits with an evidence number (an address, not a proof)."""
        ...

    def by_digest(self, digest: bytes) -> Sequence[ExhibitRow]:
        """Exhibits holding a file with this SHA-256 or SM3, or whose leaf hash it is."""
        ...

    def with_files(self, case_number: str, files: Sequence[DigestPair]) -> ExhibitRow | None:
        """The oldest exhibit of a case that has exactly these files, whatever their names and order."""
        ...

    def exhibits(self, *, case_number: str | None = None) -> Iterator[ExhibitRow]:
        """All exhibits in log order."""
        ...

    def awaiting_timestamp(self) -> Sequence[ExhibitRow]:
        """Exhibits without a token, in log order."""
        ...

    def count_awaiting(self) -> int:
        """How many `awaiting_timestamp` would give."""
        ...

    def add_token(self, token: TokenRow, records: Sequence[TimeRecordRow]) -> None:
        """Store an accepted token with the reduced trees of its batch; sets `timestamped`."""
        ...

    def add_records(self, token: TokenRow, records: Sequence[TimeRecordRow]) -> None:
        """Add to a stored token the reduced trees (and preimage) that are not there; sets `timestamped`. NotFoundError."""
        ...

    def set_attested(self, token_sha256: bytes, seq: int) -> None:
        """Record the seq of a token's ``time.attested`` leaf."""
        ...

    def token(self, token_sha256: bytes) -> TokenRow:
        """One token; NotFoundError."""
        ...

    def tokens(self) -> Iterator[TokenRow]:
        """All tokens, oldest first."""
        ...

    def time_records(self, leaf_hash: bytes) -> Sequence[TimeRecordRow]:
        """Reduced trees of an exhibit, by token then group."""
        ...

    def checkpoint_record(self, token_sha256: bytes) -> TimeRecordRow | None:
        """The checkpoint's reduced tree in a token's batch."""
        ...

    def add_certificate(self, certificate: CertificateRow) -> None:
        """Store an issued certificate; sets `certified` of its exhibits."""
        ...

    def certificate_numbers(self, case_number: str) -> Sequence[str]:
        """Numbers of the certificates over exhibits of a case, revoked ones too, oldest first."""
        ...

    def token_attested_at(self, seq: int) -> TokenRow | None:
        """The token that leaf `seq` of the active log attests."""
        ...

    def token_owners(self, token_sha256: bytes) -> Sequence[bytes]:
        """Leaf hashes of the exhibits in a token's batch, in the order of their registration."""
        ...

    def certificate_of_leaf(self, leaf_hash: bytes) -> CertificateRow | None:
        """The certificate that a ``certificate.issued`` leaf is about."""
        ...

    def revoke_certificate(self, number: str, at: datetime, reason: str) -> None:
        """Mark a certificate revoked; exhibits without another are certified no more. NotFoundError."""
        ...

    def certificate(self, number: str) -> CertificateRow | None:
        """One certificate by number."""
        ...

    def certificates(self, leaf_hash: bytes | None = None) -> Sequence[CertificateRow]:
        """All certificates, or those of one exhibit, oldest first."""
        ...

    def add_custody(self, events: Sequence[CustodyRow]) -> None:
        """Append custody events."""
        ...

    def custody(self, leaf_hash: bytes) -> Sequence[CustodyRow]:
        """Custody events of an exhibit, oldest first."""
        ...

    def last_action(self, actions: Sequence[str]) -> datetime | None:
        """When one of these actions was last recorded of any exhibit."""
        ...

    def custody_of_leaf(self, seq: int) -> Sequence[CustodyRow]:
        """Custody events that leaf `seq` of the active log commits to, oldest first."""
        ...

    def pending_custody(self) -> Sequence[CustodyRow]:
        """Events not yet in the log, oldest first."""
        ...

    def set_custody_seq(self, ids: Sequence[int], seq: int) -> None:
        """Record the leaf that commits to these events."""
        ...

    def get_setting(self, name: str) -> bytes | None:
        """A stored setting (canonical JSON)."""
        ...

    def set_setting(self, name: str, value: bytes) -> None:
        """Store a setting."""
        ...

    def settings(self) -> Mapping[str, bytes]:
        """All settings by name."""
        ...


class ObjectBatch(Protocol):
    """Objects stored within one block of `ObjectStore.batch`."""

    def settle(self, kept: Iterable[StoredObject]) -> None:
        """Make these durable, so that rows may refer to them, and remove the others that the block stored."""
        ...


class ObjectStore(Protocol):
    """Encrypted originals (age), one identity and one name key a case."""

    def put(self, source: BinaryIO, *, case_number: str, size: int, job: Job) -> StoredObject:
        """Encrypt a stream while hashing it, decrypt and re-hash, then make it durable under its final name.

        Nothing is left behind on failure. `size` is the expected size in bytes for progress only.
        """
        ...

    def batch(self) -> AbstractContextManager[ObjectBatch]:
        """Defer making objects durable: one sync for many small files.

        When the block fails, its objects that no row refers to are removed.
        """
        ...

    def open(self, stored: StoredObject, *, case_number: str) -> BinaryIO:
        """Plain bytes of an original as a stream.

        A stream only counts as good after its last chunk was read without error (age authenticates in chunks).
        """
        ...

    def present(self, stored: StoredObject) -> bool:
        """Whether there is a file for an original, be it sound or not."""
        ...

    def wrap(self, data: bytes, *, case_number: str) -> bytes:
        """An age file that only the keys of a case open, for secrets that travel inside an exhibit; NotFoundError."""
        ...

    def unwrap(self, data: bytes, *, case_number: str) -> bytes:
        """Plain bytes of what `wrap` made; IntegrityError ``vault.object_damaged``, NotFoundError."""
        ...

    def check(self, stored: StoredObject, *, case_number: str, job: Job) -> bool:
        """Decrypt and compare size and both digests; False when they differ or it cannot be decrypted."""
        ...


class Store(Protocol):
    """One open vault."""

    @property
    def log(self) -> LogStore:
        """The log's tables."""
        ...

    @property
    def exhibits(self) -> ExhibitStore:
        """The other tables."""
        ...

    @property
    def court(self) -> CourtStore:
        """What the court network accepted."""
        ...

    @property
    def browse(self) -> BrowseStore:
        """Lists, tags, notes, links."""
        ...

    @property
    def queue(self) -> QueueStore:
        """Files waiting to be sealed, and drafts of forms."""
        ...

    @property
    def captures(self) -> CaptureStore:
        """Web captures."""
        ...

    @property
    def objects(self) -> ObjectStore:
        """Encrypted originals."""
        ...

    @property
    def signer(self) -> LogSigner:
        """Checkpoint keys."""
        ...

    def archived_log(self, origin: str) -> LogStore:
        """Read access to a log from before a restore; NotFoundError."""
        ...

    def rebuilding(self, origin: str) -> Store:
        """The same store with a log from before a restore in the active one's place, to be filled from the network.

        It has no signer, and what its log takes does not go to the outbox. NotFoundError, ConfigurationError for the active log.
        """
        ...

    def keybag_copy(self) -> tuple[bytes, bytes]:
        """(digest that changes with the content, encrypted copy of the keybag and what else a desk without disk needs)."""
        ...

    def seal_box(self, case_number: str | None, leaf_hash: bytes, plain: bytes) -> Box | None:
        """Box for a leaf's envelope under the key of a case, or of the desk; None when the case has no key."""
        ...

    def open_box(self, leaf_hash: bytes, box: Box) -> tuple[str | None, bytes] | None:
        """(case or None for the desk, plain bytes) of a box, None when none of our keys opens it."""
        ...

    def stored_object(self, digests: DigestPair, size: int, *, case_number: str) -> StoredObject | None:
        """Where an original with these digests lies or would lie; None when the case has no keys."""
        ...

    @property
    def origins(self) -> Sequence[str]:
        """Origins of all logs, oldest first; the last is the active one's."""
        ...

    def erase_case(self, case_number: str) -> None:
        """Delete the keys of a case, its originals, and what its rows tell; leaves and custody stay. HostError."""
        ...

    def erased_cases(self) -> frozenset[str]:
        """Numbers of cases whose keys were deleted."""
        ...

    def exclusive(self) -> AbstractContextManager[None]:
        """No other thread of this process reads or writes tables within the block; re-entrant. Keep it short."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """One durable SQL transaction (synchronous=FULL), rolled back on any exception; not nestable."""
        ...

    def secret(self, name: str) -> bytes | None:
        """A wrapped private key blob (demo CA, demo authority, PKCS#12) from the key file, never from the database."""
        ...

    def set_secret(self, name: str, value: bytes) -> None:
        """Store a private key blob in the key file."""
        ...


# --- time -----------------------------------------------------------------------------------------------------


class CertificateIssuer(Protocol):
    """Who signs certificates, and how they are printed."""

    @property
    def name(self) -> str:
        """Subject of the signing certificate, for people."""
        ...

    @property
    def demo(self) -> bool:
        """Whether the signing certificate is a demonstration (by its policy OID)."""
        ...

    @property
    def certificate(self) -> bytes:
        """DER of the signing certificate."""
        ...

    def printed(self, certificate: Certificate) -> bytes:
        """``certificate.json`` exactly as `issue` is going to attach it."""
        ...

    def preview(self, certificate: Certificate) -> bytes:
        """PDF of a draft to look at (草稿), unsigned and without attachments: no certificate."""
        ...

    def issue(self, certificate: Certificate, attachments: Mapping[str, bytes]) -> IssuedPdf:
        """Print, attach, sign and timestamp (PAdES B-T).

        Raises:
            RemoteError: the signature could not be timestamped.
        """
        ...


class TimestampAuthority(Protocol):
    """An RFC 3161 authority."""

    @property
    def name(self) -> str:
        """Name given by the person who configured it."""
        ...

    def timestamp(self, digest: bytes) -> TimestampReply:
        """Token over a SHA-256 digest, strictly verified before it is returned.

        Raises:
            RemoteError: silent, slow, refusing or wrong authority.
        """
        ...
