import hashlib
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.time_record import build_batch, path_text

FILES = {"statement.json": b"{}", "0001.txt": "合同".encode(), "0002.txt": b"chat", "0003.txt": b"chat"}


@pytest.fixture
def exhibit():
    own = [hashlib.sha256(data).digest() for data in FILES.values()]
    others = [[hashlib.sha256(bytes([number])).digest()] for number in range(6)]
    return build_batch([others[0], own, *others[1:]])


def _printed_commands(text: str) -> str:
    """The shell lines that the file itself prints."""
    return "\n".join(line[4:] for line in text.splitlines() if line.startswith("#   "))


@pytest.mark.skipif(shutil.which("xxd") is None, reason="xxd is not installed; the printed commands use it")
@pytest.mark.parametrize(("index", "name"), [(0, "timestamp.path.txt"), (1, "timestamp-002.path.txt")])
def test_the_printed_commands_lead_from_the_lists_to_the_token(tmp_path, authority, exhibit, index, name):
    text = path_text(exhibit.trees[index], exhibit.root, name=name)
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "timestamp.preimage").write_bytes(exhibit.preimage)
    (tmp_path / "timestamp.tsr").write_bytes(authority.response(exhibit.root))
    shutil.copy(authority.folder / "ca.pem", tmp_path)
    done = subprocess.run(
        ["sh", "-ec", _printed_commands(text)], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    root = exhibit.root.hex()
    assert done.stdout.splitlines() == [root, f"{root}  timestamp.preimage", "Verification: OK"], done.stderr


def test_the_hashes_of_the_files_stand_in_the_first_list(tmp_path, exhibit):
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    sums = subprocess.run(
        ["sha256sum", *FILES], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    lists = [line for line in path_text(exhibit.trees[1], exhibit.root).splitlines() if line[:1] != "#"]
    assert sorted(line.split()[0] for line in sums.splitlines()) == lists[0].split(" ")


@settings(max_examples=30)
@given(
    st.lists(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=4), min_size=1, max_size=9)
)
def test_lines_are_the_lists_and_the_root(groups):
    batch = build_batch(groups)
    for tree in batch.trees:
        text = path_text(tree, batch.root)
        assert text.endswith("\n")
        assert f"# 根 / root: {batch.root.hex()}\n" in text
        lists = [line for line in text.splitlines() if not line.startswith("#")]
        assert tuple(tuple(map(bytes.fromhex, line.split())) for line in lists) == tree
