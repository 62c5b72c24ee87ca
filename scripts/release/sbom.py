"""CycloneDX 1.6 lists of components, checked against the published schema before they are written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.spdx import is_expression, is_supported_id
from cyclonedx.validation.json import JsonStrictValidator

from scripts.release.components import Component
from scripts.release.listing import ReleaseError


def make_sbom(package: str, version: str, components: Sequence[Component]) -> bytes:
    """The list of a package, the same bytes for the same components.

    Raises:
        ReleaseError: what comes out is no CycloneDX 1.6.
    """
    main = {"type": "application", "name": package, "version": version, "bom-ref": "package"}
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": main},
        "components": [_component(item) for item in components],
    }
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    check_sbom(text)
    return text.encode()


def check_sbom(text: str) -> None:
    """Raise ReleaseError unless `text` is CycloneDX 1.6."""
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise ReleaseError(f"no CycloneDX 1.6: {str(error)[:500]}")


def _component(item: Component) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": item.kind, "name": item.name, "bom-ref": item.purl or f"{item.name}@{item.version}", "licenses": [_license(item.license)],
    }  # fmt: skip
    if item.version:
        made["version"] = item.version
    if item.purl:
        made["purl"] = item.purl
    if item.sha256:
        made["hashes"] = [{"alg": "SHA-256", "content": item.sha256}]
    return made


def _license(told: str) -> dict[str, Any]:
    if is_supported_id(told):
        return {"license": {"id": told}}
    return {"expression": told} if is_expression(told) else {"license": {"name": told}}
