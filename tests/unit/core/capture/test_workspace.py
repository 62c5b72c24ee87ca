import pytest

from evidence_desk.core.capture.workspace import check_name, is_name
from evidence_desk.errors import BugError


@pytest.mark.parametrize(
    "name", ["plan.json", "stream-000001.bin", "a", "page-001-full-01.png", "data.warc.gz", "0", "a" * 64]
)
def test_names(name: str):
    assert is_name(name)
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a.", ".a", "a..b", "A", "a/b", "a\\b", "../a", "-a", "a b", "é", "a\n", "a" * 65, "a_b", "con:", "a\0"],
)  # fmt: skip
def test_what_is_no_name(name: str):
    assert not is_name(name)
    with pytest.raises(BugError, match=r"bug\.workspace_name"):
        check_name(name)
