"""Time record (RFC 4998 EvidenceRecord): tree of a batch, DER codec, text. Must not verify tokens (``verify`` does)."""

from evidence_desk.core.time_record.algorithms import HashAlgorithm, find_algorithm
from evidence_desk.core.time_record.codec import (
    MAX_RECORD_SIZE,
    ArchiveTimeStamp,
    ArchiveTimeStampChain,
    DigestAlgorithm,
    EvidenceRecord,
    encode_record,
    encode_sequence,
    issue_record,
    parse_record,
)
from evidence_desk.core.time_record.text import path_text
from evidence_desk.core.time_record.token import (
    TokenImprint,
    splice_crls,
    token_crls,
    token_differs_only_in_crls,
    token_imprint,
)
from evidence_desk.core.time_record.tree import (
    MAX_GROUP,
    Batch,
    ReducedTree,
    build_batch,
    reduced_preimage,
    reduced_root,
)

__all__ = [
    "MAX_GROUP",
    "MAX_RECORD_SIZE",
    "ArchiveTimeStamp",
    "ArchiveTimeStampChain",
    "Batch",
    "DigestAlgorithm",
    "EvidenceRecord",
    "HashAlgorithm",
    "ReducedTree",
    "TokenImprint",
    "build_batch",
    "encode_record",
    "encode_sequence",
    "find_algorithm",
    "issue_record",
    "parse_record",
    "path_text",
    "reduced_preimage",
    "reduced_root",
    "splice_crls",
    "token_crls",
    "token_differs_only_in_crls",
    "token_imprint",
]
