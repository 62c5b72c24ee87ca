"""Every reason for not printing has its sentence."""

import pytest

from evidence_desk.texts import Language, has
from reports.bundle.problem import Reason


@pytest.mark.parametrize("language", Language)
def test_every_reason_has_a_sentence(language):
    assert [reason for reason in Reason if not has(f"bundle.reason.{reason.value}", language)] == []
