"""JSON Schema 2020-12, the part that our OpenAPI file uses; an unknown keyword is an error, not a pass."""

from __future__ import annotations

import re
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None),
}  # fmt: skip
_KNOWN = {
    "$ref", "type", "properties", "required", "additionalProperties", "items", "prefixItems", "minItems", "maxItems",
    "pattern", "enum", "const", "oneOf", "minimum", "maximum", "maxLength", "description", "format",
}  # fmt: skip


def mismatch(value: Any, schema: dict[str, Any], document: dict[str, Any], at: str = "$") -> str:
    """Where and why a value is not of a schema; "" when it is."""
    assert set(schema) <= _KNOWN, f"{at}: {set(schema) - _KNOWN}"
    if "$ref" in schema:
        return mismatch(value, resolve(schema["$ref"], document), document, at)
    if "oneOf" in schema:
        outcomes = [mismatch(value, item, document, at) for item in schema["oneOf"]]
        return "" if outcomes.count("") == 1 else f"{at}: {outcomes}"
    if "const" in schema and value != schema["const"]:
        return f"{at}: not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{at}: {value!r}"
    if "type" in schema:
        kind = _TYPES[schema["type"]]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            return f"{at}: no {schema['type']}"
    return _inside(value, schema, document, at)


def _inside(value: Any, schema: dict[str, Any], document: dict[str, Any], at: str) -> str:
    match value:
        case str():
            if "pattern" in schema and not re.search(schema["pattern"], value):
                return f"{at}: {value[:60]!r}"
            return f"{at}: too long" if len(value) > schema.get("maxLength", len(value)) else ""
        case int():
            low, high = schema.get("minimum", value), schema.get("maximum", value)
            return "" if low <= value <= high else f"{at}: {value}"
        case list():
            return _list(value, schema, document, at)
        case dict():
            return _object(value, schema, document, at)
    return ""


def _list(value: list[Any], schema: dict[str, Any], document: dict[str, Any], at: str) -> str:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return f"{at}: {len(value)} items"
    first = schema.get("prefixItems", [])
    for index, item in enumerate(value):
        rule = first[index] if index < len(first) else schema.get("items", {})
        if rule is False:
            return f"{at}[{index}]: one too many"
        found = mismatch(item, rule, document, f"{at}[{index}]")
        if found:
            return found
    return ""


def _object(value: dict[str, Any], schema: dict[str, Any], document: dict[str, Any], at: str) -> str:
    missing = set(schema.get("required", [])) - set(value)
    if missing:
        return f"{at}: without {sorted(missing)}"
    more = schema.get("additionalProperties", True)
    for name, item in value.items():
        rule = schema.get("properties", {}).get(name, more)
        if rule is False:
            return f"{at}: unknown {name}"
        found = mismatch(item, {} if rule is True else rule, document, f"{at}.{name}")
        if found:
            return found
    return ""


def resolve(reference: str, document: dict[str, Any]) -> dict[str, Any]:
    """What ``#/a/b`` names."""
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    assert isinstance(found, dict)
    return found
