"""Sentences of the area package, en."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "malformed.package": (
        "The structure of the evidence package is not canonical ({reason}: {name}); it was not read. "
        "A canonical package has no byte that could be changed freely."
    ),
    "malformed.package.advice": (
        "Ask the submitter for the original package; don't save it again with an archiver, add or remove files."
    ),
    "malformed.index": "The package's index (index.json, or its note index.note) is malformed ({reason}).",
    "malformed.index.advice": "Ask the submitter for the original package; only the program that made it writes the index.",
    "package.source_changed": "File {name} was not as long as registered while the package was written; no package was made.",
    "package.source_changed.advice": "Run recheck on the stored originals, then export again.",
    "package.too_many": "The package would hold more than {limit} files; it was not made.",
    "package.too_many.advice": "Seal and export the material as several exhibits.",
    "package.part_too_large": "{name} would exceed {limit} bytes; the package was not made.",
    "package.part_too_large.advice": "Seal and export the material as several exhibits.",
    "bug.package": "Internal error: the evidence package could not be made ({reason}).",
    "bug.package.advice": "Send this message and the log to the maintainers.",
    "package.entry.crc": "{name} does not have the checksum the container records: changed after it was made, or damaged.",
    "package.entry.size": "{name} is not as long as the index says.",
    "package.entry.digest": "The digests of {name} differ from the index: not the content the package was made with.",
    "package.manifest.digest": (
        "The digest of {name} differs from the time record's manifest: not the content the record covers."
    ),
    "package.index.digest": "The digests of {name} differ from those the desk signed: the index was changed or replaced.",
}
