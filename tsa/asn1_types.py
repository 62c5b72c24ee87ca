"""The ASN.1 types of rfc3161ng without its HTTP client.

Importing the package brings ``requests`` with it: a network library, and a fifth of a second, in a verifier that must
work offline. Its module of types stands by itself and is loaded alone.
"""

from __future__ import annotations

from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any, Final


def _load() -> ModuleType:
    package = find_spec("rfc3161ng")
    places = package.submodule_search_locations if package else None
    spec = PathFinder.find_spec("rfc3161ng.types", places) if places else None
    if spec is None or spec.loader is None:  # a frozen program keeps its modules elsewhere
        return import_module("rfc3161ng.types")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_TYPES: Final[Any] = _load()
TimeStampReq: Final[Any] = _TYPES.TimeStampReq
"""RFC 3161 §2.4.1."""
TSTInfo: Final[Any] = _TYPES.TSTInfo
"""RFC 3161 §2.4.2."""
AlgorithmIdentifier: Final[Any] = _TYPES.AlgorithmIdentifier
"""RFC 5280 §4.1.1.2."""
