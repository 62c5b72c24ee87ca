from pathlib import Path

import pytest

from tests.unit.core.time_record.openssl_tsa import OpensslTsa


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpensslTsa:
    return OpensslTsa(Path(tmp_path_factory.mktemp("tsa")) / "first")
