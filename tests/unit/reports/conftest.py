from datetime import UTC, datetime

import pytest

from tests.unit.reports.samples import Signing, make_signing


@pytest.fixture(scope="session")
def signing() -> Signing:
    return make_signing(datetime.now(UTC))
