"""The notes of a release: docs/release.md with sizes, digests and the key filled in; what was checked where stands in one place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from evidence_desk.core.release import ReleaseFile, ReleaseKey
from scripts.release.components import ROOT
from scripts.release.listing import ReleaseError

TEMPLATE: Final = ROOT / "docs" / "release.md"
WINDOWS: Final = ROOT / "installers" / "windows" / "README.md"
_BEGIN: Final = "<!-- notes -->\n"
_FIELD: Final = re.compile(r"\{\{(\w+)\}\}")
_DEMONSTRATION: Final = "**演示：本清单用当场生成的演示密钥签署，不是正式发布。/ Signed with a demonstration key made on the spot: no release.**"
_PARTIAL: Final = "**Not all packages are in this release.**"


def make_notes(version: str, files: Sequence[ReleaseFile], key: ReleaseKey, *, partial: bool) -> str:
    """The text for dist/.

    Raises:
        ReleaseError: the template asks for something unknown, or the table about Windows is gone.
    """
    demonstration = key.name.endswith(".demo")
    marks = [_DEMONSTRATION] * demonstration + [_PARTIAL] * partial
    facts = {
        "version": version,
        "marks": "\n\n".join(marks),
        "files": "\n".join(f"| {item.name} | {item.size / 1e6:,.1f} | `{item.sha256}` |" for item in files),
        "key_name": key.name,
        "fingerprint": key.fingerprint,
        "windows": _checked_on_windows(),
    }
    body = TEMPLATE.read_text("utf-8").partition(_BEGIN)[2]
    if unknown := set(_FIELD.findall(body)) - facts.keys():
        raise ReleaseError(f"docs/release.md: {sorted(unknown)}")
    return _FIELD.sub(lambda found: facts[found[1]], body)


def _checked_on_windows() -> str:
    section = WINDOWS.read_text("utf-8").partition("## What was checked where\n")[2].partition("\n## ")[0]
    if "Nothing was run on real Windows" not in section and "real Windows" not in section:
        raise ReleaseError(f"{WINDOWS.name}: no section about what was checked where")
    return section.strip()
