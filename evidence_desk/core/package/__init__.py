"""Evidence package (``.asice``): canonical ZIP, ASiC-E manifest, index. Pure: streams in, streams out, no paths.

Nothing here decides whether evidence is good; and trust found inside a package is never loaded.
"""

from evidence_desk.core.package.hand_check import hand_check_readme
from evidence_desk.core.package.index import (
    IndexEntry,
    IndexNote,
    index_note_body,
    parse_index,
    parse_index_note,
)
from evidence_desk.core.package.layout import (
    MIMETYPE,
    PackageContent,
    PackageEntry,
    PackageRecord,
    file_name,
    write_package,
)
from evidence_desk.core.package.manifest import EvidenceManifest, ObjectReference, parse_manifest
from evidence_desk.core.package.package import (
    EntryDigest,
    IndexReport,
    Package,
    Problem,
    RecordPart,
    read_package,
)

__all__ = [
    "MIMETYPE",
    "EntryDigest",
    "EvidenceManifest",
    "IndexEntry",
    "IndexNote",
    "IndexReport",
    "ObjectReference",
    "Package",
    "PackageContent",
    "PackageEntry",
    "PackageRecord",
    "Problem",
    "RecordPart",
    "file_name",
    "hand_check_readme",
    "index_note_body",
    "parse_index",
    "parse_index_note",
    "parse_manifest",
    "read_package",
    "write_package",
]
