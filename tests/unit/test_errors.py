import inspect

import pytest

from evidence_desk import errors
from evidence_desk.errors import EvidenceDeskError, MalformedError

KINDS = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, EvidenceDeskError)
]


def test_code_and_facts():
    error = MalformedError("malformed.leaf", reason="seq", size=3)
    assert (error.code, error.parameters) == ("malformed.leaf", {"reason": "seq", "size": 3})
    assert str(error) == "malformed.leaf (reason=seq, size=3)"
    assert str(MalformedError("malformed.leaf")) == "malformed.leaf"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_has_a_published_exit_status(kind):
    assert kind.exit_status in {1, 64, 65, 66, 69, 70, 74, 75, 77, 78, 130}
    assert kind("x").exit_status == kind.exit_status
