"""EvidenceRecord in DER: strict reader, writer, issue (RFC 4998 §3, §4.1; ASN.1 module with IMPLICIT tags)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.time_record import der
from evidence_desk.core.time_record.algorithms import find_algorithm
from evidence_desk.core.time_record.der import Element, refuse
from evidence_desk.core.time_record.token import splice_crls, token_imprint
from evidence_desk.core.time_record.tree import ReducedTree, reduced_root
from evidence_desk.errors import IntegrityError, MalformedError

MAX_RECORD_SIZE: Final = 16 * 1024 * 1024
"""Bytes; revocation lists of some authorities run to megabytes."""
MAX_CHAINS: Final = 64
MAX_STAMPS: Final = 256
"""Archive timestamps of one chain."""
MAX_LISTS: Final = 64
"""Lists of one reduced tree: a binary tree of 2^63 groups."""
MAX_HASH_SIZE: Final = 64
_VERSION: Final = der.encode(der.INTEGER, b"\x01")


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestAlgorithm:
    """AlgorithmIdentifier of a hash; RFC 5754 §2 has parameters absent or NULL, both are read."""

    oid: str
    null_parameters: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveTimeStamp:
    """One archive timestamp (RFC 4998 §4.1).

    Attributes:
        digest: digestAlgorithm; None when absent: then the token's messageImprint names the hash.
        attributes: DER content of ``[1] Attributes``, unread; None when absent.
        tree: reduced hash tree; None when the token covers the hash itself.
        token: DER ContentInfo, unverified.
    """

    digest: DigestAlgorithm | None
    attributes: bytes | None
    tree: ReducedTree | None
    token: bytes

    @property
    def algorithm_oid(self) -> str:
        """OID of the hash of this archive timestamp, from its field or else from the token (RFC 4998 §4.1).

        Raises:
            MalformedError: ``malformed.time_record`` when the token has to be read and is not a token.
        """
        return self.digest.oid if self.digest else token_imprint(self.token).oid


ArchiveTimeStampChain = tuple[ArchiveTimeStamp, ...]
"""Archive timestamps that renew each other under one hash algorithm, oldest first (RFC 4998 §5.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRecord:
    """A parsed record (RFC 4998 §3.1).

    Attributes:
        digests: digestAlgorithms, every hash algorithm used.
        crypto_infos: DER content of ``[0] CryptoInfos``, unread and never used; None when absent.
        encryption_info: DER content of ``[1] EncryptionInfo``, unread; None when absent.
        chains: archiveTimeStampSequence; a second chain means a hash-tree renewal.
    """

    digests: tuple[DigestAlgorithm, ...]
    chains: tuple[ArchiveTimeStampChain, ...]
    crypto_infos: bytes | None = None
    encryption_info: bytes | None = None

    @property
    def first(self) -> ArchiveTimeStamp:
        """The initial archive timestamp."""
        return self.chains[0][0]


def issue_record(tree: ReducedTree, token: bytes, *, crls: Sequence[bytes] = ()) -> bytes:
    """EvidenceRecord v1 of one group, DER, with one archive timestamp (RFC 4998 §4.2).

    Args:
        tree: reduced tree from `build_batch`.
        token: DER ContentInfo over the batch's root; its messageImprint names the hash algorithm.
        crls: DER certificate lists, put into SignedData.crls of the record's copy of the token.

    Raises:
        MalformedError: ``malformed.time_record`` when the token or a list is not DER.
        IntegrityError: ``integrity.time_record`` when the tree does not lead to the token's imprint.
    """
    imprint = token_imprint(token)
    algorithm = find_algorithm(imprint.oid)
    if algorithm is None or reduced_root(tree, algorithm) != imprint.value:
        raise IntegrityError("integrity.time_record")
    digest = DigestAlgorithm(oid=algorithm.oid)
    stamp = ArchiveTimeStamp(digest=digest, attributes=None, tree=tree, token=splice_crls(token, crls))
    return encode_record(EvidenceRecord(digests=(digest,), chains=((stamp,),)))


def encode_record(record: EvidenceRecord) -> bytes:
    """DER of a record."""
    return der.encode(
        der.SEQUENCE,
        _VERSION,
        der.encode(der.SEQUENCE, *(_encode_algorithm(der.SEQUENCE, item) for item in record.digests)),
        _optional(der.CONTEXT_0, record.crypto_infos),
        _optional(der.CONTEXT_1, record.encryption_info),
        encode_sequence(record.chains),
    )


def encode_sequence(chains: Sequence[ArchiveTimeStampChain]) -> bytes:
    """DER of an ArchiveTimeStampSequence; a hash-tree renewal covers that of all older chains (RFC 4998 §5.2)."""
    return der.encode(
        der.SEQUENCE, *(der.encode(der.SEQUENCE, *map(_encode_stamp, chain)) for chain in chains)
    )


def parse_record(record: bytes) -> EvidenceRecord:
    """Read a record strictly: what is read must re-encode to the same bytes.

    Tokens are cut out, not read; read them with `token_imprint` and judge them with ``tsa.verify``.

    Raises:
        MalformedError: ``malformed.time_record_size`` or ``malformed.time_record`` (with ``where``).
    """
    if len(record) > MAX_RECORD_SIZE:
        raise MalformedError("malformed.time_record_size", limit=MAX_RECORD_SIZE)
    fields = der.members(record, der.whole(record, der.SEQUENCE, "EvidenceRecord"), "EvidenceRecord")
    if len(fields) < 3 or record[fields[0].start : fields[0].stop] != _VERSION:
        refuse("EvidenceRecord.version")
    if [item.tag for item in fields[2:-1]] not in ([], [0xA0], [0xA1], [0xA0, 0xA1]):
        refuse("EvidenceRecord")
    optional = {item.tag: _unread(record, item, "EvidenceRecord") for item in fields[2:-1]}
    parsed = EvidenceRecord(
        digests=_algorithms(record, fields[1]),
        crypto_infos=optional.get(der.CONTEXT_0),
        encryption_info=optional.get(der.CONTEXT_1),
        chains=_chains(record, fields[-1]),
    )
    if encode_record(parsed) != record:
        refuse("EvidenceRecord")
    return parsed


def _algorithms(data: bytes, item: Element) -> tuple[DigestAlgorithm, ...]:
    where = "digestAlgorithms"
    inner = der.members(data, item, where) if item.tag == der.SEQUENCE else []
    if not 1 <= len(inner) <= MAX_CHAINS or any(part.tag != der.SEQUENCE for part in inner):
        refuse(where)
    return tuple(_algorithm(data, part, where) for part in inner)


def _algorithm(data: bytes, item: Element, where: str) -> DigestAlgorithm:
    inner = der.members(data, item, where)
    if not 1 <= len(inner) <= 2 or inner[0].tag != der.OBJECT_IDENTIFIER:
        refuse(where)
    if len(inner) == 2 and data[inner[1].start : inner[1].stop] != b"\x05\x00":
        refuse(where)
    oid = der.decode_oid(data[inner[0].body : inner[0].stop], where)
    return DigestAlgorithm(oid=oid, null_parameters=len(inner) == 2)


def _chains(data: bytes, item: Element) -> tuple[ArchiveTimeStampChain, ...]:
    where = "archiveTimeStampSequence"
    chains = der.members(data, item, where) if item.tag == der.SEQUENCE else []
    if not 1 <= len(chains) <= MAX_CHAINS:
        refuse(where)
    return tuple(_chain(data, chain, f"{where}/{number}") for number, chain in enumerate(chains))


def _chain(data: bytes, item: Element, where: str) -> ArchiveTimeStampChain:
    stamps = der.members(data, item, where) if item.tag == der.SEQUENCE else []
    if not 1 <= len(stamps) <= MAX_STAMPS:
        refuse(where)
    return tuple(_stamp(data, stamp, f"{where}/{number}") for number, stamp in enumerate(stamps))


def _stamp(data: bytes, item: Element, where: str) -> ArchiveTimeStamp:
    fields = der.members(data, item, where) if item.tag == der.SEQUENCE else []
    if not fields or fields[-1].tag != der.SEQUENCE:
        refuse(f"{where}/timeStamp")
    tags = [field.tag for field in fields[:-1]]
    if tags != sorted(set(tags) & {der.CONTEXT_0, der.CONTEXT_1, der.CONTEXT_2}):
        refuse(where)
    optional = {field.tag: field for field in fields[:-1]}
    digest, attributes, tree = (optional.get(tag) for tag in (der.CONTEXT_0, der.CONTEXT_1, der.CONTEXT_2))
    return ArchiveTimeStamp(
        digest=_algorithm(data, digest, f"{where}/digestAlgorithm") if digest else None,
        attributes=_unread(data, attributes, f"{where}/attributes") if attributes else None,
        tree=_tree(data, tree, f"{where}/reducedHashtree") if tree else None,
        token=data[fields[-1].start : fields[-1].stop],
    )


def _tree(data: bytes, item: Element, where: str) -> ReducedTree:
    lists = der.members(data, item, where)
    if not 1 <= len(lists) <= MAX_LISTS:
        refuse(where)
    tree: list[tuple[bytes, ...]] = []
    for part in lists:
        values = der.members(data, part, where) if part.tag == der.SEQUENCE else []
        hashes = tuple(data[value.body : value.stop] for value in values)
        if not hashes or any(value.tag != der.OCTET_STRING for value in values):
            refuse(where)
        tree.append(hashes)
    sizes = {len(value) for hashes in tree for value in hashes}
    # One tree has one hash algorithm: values of mixed length could slide against each other when concatenated.
    if len(sizes) != 1 or not 0 < sizes.pop() <= MAX_HASH_SIZE:
        refuse(where)
    return tuple(tree)


def _unread(data: bytes, item: Element, where: str) -> bytes:
    """Content of a field that we keep but do not read; it must hold something and be well-formed."""
    if item.body == item.stop:
        refuse(where)
    der.check_nested(data, item, where)
    return data[item.body : item.stop]


def _encode_algorithm(tag: int, algorithm: DigestAlgorithm) -> bytes:
    oid = der.encode(der.OBJECT_IDENTIFIER, der.encode_oid(algorithm.oid))
    return der.encode(tag, oid, b"\x05\x00" if algorithm.null_parameters else b"")


def _encode_stamp(stamp: ArchiveTimeStamp) -> bytes:
    tree = b""
    if stamp.tree is not None:
        lists = (
            der.encode(der.SEQUENCE, *(der.encode(der.OCTET_STRING, h) for h in part)) for part in stamp.tree
        )
        tree = der.encode(der.CONTEXT_2, *lists)
    return der.encode(
        der.SEQUENCE,
        _encode_algorithm(der.CONTEXT_0, stamp.digest) if stamp.digest else b"",
        _optional(der.CONTEXT_1, stamp.attributes),
        tree,
        stamp.token,
    )


def _optional(tag: int, content: bytes | None) -> bytes:
    return b"" if content is None else der.encode(tag, content)
