"""EvidenceRecord in DER: strict reader, writer, issue (RFC 4998 §3, §4.1; ASN.1 module with IMPLICIT tags)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NoReturn

from evidence_desk.core.time_record.algorithms import find_algorithm
from evidence_desk.core.time_record.token import splice_crls, token_imprint
from evidence_desk.core.time_record.tree import ReducedTree, reduced_root
from evidence_desk.crypto import der
from evidence_desk.errors import IntegrityError, MalformedError

MAX_RECORD_SIZE: Final = 16 * 1024 * 1024
"""Bytes; revocation lists of some authorities run to megabytes."""
MAX_CHAINS: Final = 64
MAX_STAMPS: Final = 256
"""Archive timestamps of one chain."""
MAX_LISTS: Final = 64
"""Lists of one reduced tree: a binary tree of 2^63 groups."""
_HASH_SIZES: Final = frozenset((20, 28, 32, 48, 64))
_TAG_0, _TAG_1, _TAG_2 = 0xA0, 0xA1, 0xA2
_NULL: Final = b"\x05\x00"
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
            MalformedError: see `token_imprint`, when the token has to be read and is not a token.
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
        MalformedError: ``malformed.der`` or ``malformed.time_record`` when the token or a list is not DER.
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
        _optional(_TAG_0, record.crypto_infos),
        _optional(_TAG_1, record.encryption_info),
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
        MalformedError: ``malformed.too_large``, ``malformed.der``, or ``malformed.time_record`` (with ``where``).
    """
    fields = der.Fields(der.parse(record, what="EvidenceRecord", limit=MAX_RECORD_SIZE))
    if fields.take().encoded != _VERSION:
        _refuse("version")
    algorithms = fields.take(der.SEQUENCE)
    crypto_infos = fields.maybe(_TAG_0)
    encryption_info = fields.maybe(_TAG_1)
    sequence = fields.take(der.SEQUENCE)
    fields.done()
    parsed = EvidenceRecord(
        digests=_algorithms(algorithms),
        crypto_infos=_attributes(crypto_infos, "cryptoInfos"),
        encryption_info=_encryption_info(encryption_info),
        chains=_chains(sequence),
    )
    if (
        encode_record(parsed) != record
    ):  # pragma: no cover - the reader above leaves no room; this keeps it so
        _refuse("EvidenceRecord")
    return parsed


def _refuse(where: str) -> NoReturn:
    raise MalformedError("malformed.time_record", where=where)


def _algorithms(element: der.Element) -> tuple[DigestAlgorithm, ...]:
    where = "digestAlgorithms"
    items = element.children()
    if not 1 <= len(items) <= MAX_CHAINS:
        _refuse(where)
    return tuple(_algorithm(der.expect(item, der.SEQUENCE), where) for item in items)


def _algorithm(element: der.Element, where: str) -> DigestAlgorithm:
    fields = der.Fields(element)
    oid = der.oid(fields.take())
    parameters = fields.maybe(der.NULL)
    fields.done()
    if parameters and parameters.encoded != _NULL:
        _refuse(where)
    return DigestAlgorithm(oid=oid, null_parameters=parameters is not None)


def _chains(element: der.Element) -> tuple[ArchiveTimeStampChain, ...]:
    where = "archiveTimeStampSequence"
    chains = element.children()
    if not 1 <= len(chains) <= MAX_CHAINS:
        _refuse(where)
    return tuple(_chain(chain, f"{where}/{number}") for number, chain in enumerate(chains, start=1))


def _chain(element: der.Element, where: str) -> ArchiveTimeStampChain:
    stamps = der.expect(element, der.SEQUENCE).children()
    if not 1 <= len(stamps) <= MAX_STAMPS:
        _refuse(where)
    return tuple(_stamp(stamp, f"{where}/{number}") for number, stamp in enumerate(stamps, start=1))


def _stamp(element: der.Element, where: str) -> ArchiveTimeStamp:
    fields = der.Fields(der.expect(element, der.SEQUENCE))
    digest, attributes, tree = fields.maybe(_TAG_0), fields.maybe(_TAG_1), fields.maybe(_TAG_2)
    token = fields.take(der.SEQUENCE)
    fields.done()
    return ArchiveTimeStamp(
        digest=_algorithm(digest, f"{where}/digestAlgorithm") if digest else None,
        attributes=_attributes(attributes, f"{where}/attributes"),
        tree=_tree(tree, f"{where}/reducedHashtree") if tree else None,
        token=token.encoded,
    )


def _tree(element: der.Element, where: str) -> ReducedTree:
    lists = element.children()
    if not 1 <= len(lists) <= MAX_LISTS:
        _refuse(where)
    tree = tuple(
        tuple(
            der.expect(value, der.OCTET_STRING).content for value in der.expect(item, der.SEQUENCE).children()
        )
        for item in lists
    )
    # One tree has one hash algorithm: values of mixed length could slide against each other when concatenated.
    sizes = {len(value) for values in tree for value in values}
    if not all(tree) or len(sizes) != 1 or not sizes <= _HASH_SIZES:
        _refuse(where)
    return tree


def _attributes(element: der.Element | None, where: str) -> bytes | None:
    """Content of a SIZE (1..MAX) OF Attribute; the form is checked (RFC 5652 §5.3), the values are kept unread."""
    if element is None:
        return None
    items = element.children()
    if not items:
        _refuse(where)
    for item in items:
        fields = der.Fields(der.expect(item, der.SEQUENCE))
        der.oid(fields.take())
        fields.take(der.SET)
        fields.done()
    der.check(element)
    return element.content


def _encryption_info(element: der.Element | None) -> bytes | None:
    """Content of an EncryptionInfo (RFC 4998 §6.1), kept unread."""
    if element is None:
        return None
    fields = der.Fields(element)
    der.oid(fields.take())
    fields.take()
    fields.done()
    der.check(element)
    return element.content


def _encode_algorithm(tag: int, algorithm: DigestAlgorithm) -> bytes:
    return der.encode(tag, _encode_oid(algorithm.oid), _NULL if algorithm.null_parameters else b"")


@lru_cache(maxsize=256)
def _encode_oid(dotted: str) -> bytes:
    """DER of an OBJECT IDENTIFIER (X.690 §8.19)."""
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return der.encode(der.OID, bytes(content))


def _encode_stamp(stamp: ArchiveTimeStamp) -> bytes:
    tree = b""
    if stamp.tree is not None:
        lists = (
            der.encode(der.SEQUENCE, *(der.encode(der.OCTET_STRING, h) for h in part)) for part in stamp.tree
        )
        tree = der.encode(_TAG_2, *lists)
    return der.encode(
        der.SEQUENCE,
        _encode_algorithm(_TAG_0, stamp.digest) if stamp.digest else b"",
        _optional(_TAG_1, stamp.attributes),
        tree,
        stamp.token,
    )


def _optional(tag: int, content: bytes | None) -> bytes:
    return b"" if content is None else der.encode(tag, content)
