"""Sentences of the area time, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.time_record": "The time record is malformed (at {where}): not a strictly encoded RFC 4998 record.",
    "malformed.time_record.advice": "Get the original file of the record again; do not open or save it in an editor.",
    "integrity.time_record": "The token does not cover the root of this batch's hash tree; no time record was made.",
    "integrity.time_record.advice": "This token cannot be used; request a new one. If it recurs, ask the authority.",
    "bug.time_record": "Internal error: a time record could not be built ({what}).",
    "bug.time_record.advice": "Please send this message and the run log to the maintainers.",
    "record.form.passed": "The time record follows RFC 4998 and holds {stamps} archive timestamps.",
    "record.form.wrong": "The time record is malformed (at {where}); its content cannot be relied on.",
    "record.algorithm.passed": "All hash algorithms of the record are listed and agree with its tokens.",
    "record.algorithm.unknown": "Archive timestamp {stamp} uses an unknown or broken hash algorithm ({oid}).",
    "record.algorithm.other_in_token": "The hash algorithm of archive timestamp {stamp} is not its token's ({oid}).",
    "record.algorithm.unlisted": "Archive timestamp {stamp} uses a hash algorithm that is not listed ({oid}).",
    "record.algorithm.changed": "Archive timestamp {stamp} changes the hash algorithm within a chain ({oid}).",
    "record.group.passed": "The first list of the record agrees with the {objects} objects checked.",
    "record.group.missing": "Of the {objects} objects checked, {count} are not in the time record.",
    "record.group.extra": "The time record holds {count} more hashes than the {objects} objects checked.",
    "record.group.unknown": "Of the {objects} objects checked, {count} lack the hash needed; cannot be determined.",
    "record.group.nothing": "There is no object to check, so what the time record covers cannot be determined.",
    "record.renewed_group.passed": "Archive timestamp {stamp} (hash-tree renewal) covers all {objects} objects and the older record again.",
    "record.renewed_group.missing": "Archive timestamp {stamp} (hash-tree renewal) leaves out {count} of {objects} objects, or the older record.",
    "record.renewed_group.extra": "Archive timestamp {stamp} (hash-tree renewal) holds {count} more hashes than the {objects} objects checked.",
    "record.renewed_group.unknown": "Hashes of {count} objects under the algorithm of archive timestamp {stamp} are lacking; cannot be determined.",
    "record.renewed_group.nothing": "There is no object to check archive timestamp {stamp} (hash-tree renewal) against.",
    "record.renewal.passed": "Archive timestamp {stamp} covers the token before it (timestamp renewal).",
    "record.renewal.wrong": "Archive timestamp {stamp} does not cover the token before it: the renewal is broken.",
    "record.renewal.unknown": "The hash algorithm of archive timestamp {stamp} is unknown; its renewal cannot be determined.",
    "record.tree.passed": "The hash path of archive timestamp {stamp} leads to the root that its token covers.",
    "record.tree.wrong": "The hash path of archive timestamp {stamp} does not lead to the hash that its token covers.",
    "record.tree.unknown": "The hash algorithm of archive timestamp {stamp} is unknown; its path cannot be computed.",
    "record.order.passed": "The archive timestamps are in the order of time.",
    "record.order.wrong": "Archive timestamp {stamp} is older than the one before it.",
}
