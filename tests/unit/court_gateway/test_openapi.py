"""The description and the routes, compared both ways."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from starlette.routing import Route

from evidence_desk.court.node.gateway.api import Api
from evidence_desk.court.protocol.transactions import MAX_TRANSACTION
from tests.schema import mismatch, resolve

DOCUMENT: dict[str, Any] = json.loads(
    files("evidence_desk.court.node.gateway").joinpath("openapi.json").read_text("utf-8")
)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def routes() -> list[Route]:
    found = Api.__new__(Api).routes()
    assert all(isinstance(item, Route) for item in found)
    return [item for item in found if isinstance(item, Route)]


def test_every_route_is_described_and_every_description_served():
    described = {(path, method) for path, method, _ in operations()}
    served = {(item.path, method) for item in routes() for method in item.methods or () if method != "HEAD"}
    assert served - described == set(), "not described"
    assert described - served == set(), "not served"


def test_parameters_of_the_path_are_named():
    for path, method, operation in operations():
        given = [
            resolve(item["$ref"], DOCUMENT) if "$ref" in item else item
            for item in operation.get("parameters", [])
        ]
        named = {item["name"] for item in given if item["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}, f"{method} {path}"
        assert all(item["required"] is (item["in"] == "path") for item in given)


def test_operations_are_whole():
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    for path, method, operation in operations():
        assert {"400", "429", "503"} <= set(operation["responses"]), f"{method} {path}"
        assert any(status.startswith("2") for status in operation["responses"])
        assert ("requestBody" in operation) is (method in {"POST", "PUT"})


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_references_lead_somewhere_and_nothing_is_left_over():
    used = set(references(DOCUMENT))
    for reference in used:
        assert resolve(reference, DOCUMENT)
    parts = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "parameters", "responses")
        for name in DOCUMENT["components"][kind]
    }
    assert parts - used == set()


def test_limits_are_those_of_the_protocol():
    assert MAX_TRANSACTION == 1 << 20, "the description says 1 MiB"


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ({"id": "0" * 64, "code": 3}, True),
        ({"id": "0" * 64, "code": 1}, False),
        ({"id": "0" * 63, "code": 0}, False),
        ({"id": "0" * 64}, False),
        ({"id": "0" * 64, "code": 0, "more": 1}, False),
        ([], False),
    ],
)
def test_the_schema_check_can_fail(value, fits):
    assert (mismatch(value, {"$ref": "#/components/schemas/Submitted"}, DOCUMENT) == "") is fits
