"""docs/spec/abci.md says what the program does."""

import re
from pathlib import Path

from evidence_desk.court.node.abci.framing import FRAME_LIMIT
from evidence_desk.court.node.app.commitments import KEPT
from evidence_desk.court.node.app.index_queries import INDEXES
from evidence_desk.court.node.app.queries import _PATHS, QueryCode
from evidence_desk.court.protocol.transactions import TransactionType
from evidence_desk.court.protocol.tx_codes import TxCode

PAGE = (Path(__file__).parents[3] / "docs" / "spec" / "abci.md").read_text("utf-8")


def test_codes_of_transactions():
    named = {int(number): name for number, name in re.findall(r"\| (\d+) \| ([A-Z_]+)", PAGE)}
    assert named == {code.value: code.name for code in TxCode if code}


def test_types_and_paths():
    for kind in TransactionType:
        assert f"| {kind.name.title().replace('_', '')} |" in PAGE
    assert set(re.findall(r"`(/[a-z]+)`", PAGE)) == {*_PATHS, *INDEXES}
    codes = re.findall(r"(\d) ([a-z]+)", PAGE.rpartition("Not answered:")[2])
    assert codes == [(str(code.value), code.name.partition("_")[0].lower()) for code in QueryCode]


def test_limits():
    assert f"at most {FRAME_LIMIT >> 20} MiB" in PAGE
    assert f"the last {KEPT} blocks" in PAGE
