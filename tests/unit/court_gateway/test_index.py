"""What a gateway keeps on disk, and what it does with a file that is not what it wrote."""

import sqlite3

import pytest

from evidence_desk.court.node.gateway.chain import Chain
from evidence_desk.court.node.gateway.engine_client import EngineClient
from evidence_desk.court.node.gateway.index import GatewayIndex
from evidence_desk.court.node.gateway.tokens import Tokens
from evidence_desk.court.node.home import NodeHome
from evidence_desk.court.node.localnet import open_localnet
from evidence_desk.court.protocol.network_file import parse_network
from evidence_desk.errors import HostError

CHAIN = "demo-a-00000000"


def test_kept_over_a_restart(tmp_path):
    index = GatewayIndex(tmp_path / "gateway" / "index.db", CHAIN)
    assert (index.cursor, index.changes(), index.token(b"h"), index.keybag_change("f")) == (0, [], b"", "")
    index.advance(40, {30: b"thirty", 7: b"seven"})
    index.add_token(b"h", b"first")
    index.add_token(b"h", b"second")
    index.set_keybag_change("f", "2026-03-02T01:30:00Z")
    index.close()
    again = GatewayIndex(tmp_path / "gateway" / "index.db", CHAIN)
    assert (again.cursor, again.changes()) == (40, [b"seven", b"thirty"])
    assert (again.token(b"h"), again.keybag_change("f")) == (b"first", "2026-03-02T01:30:00Z")
    again.forget()
    assert (again.cursor, again.changes(), again.token(b"h")) == (0, [], b"first")
    again.close()


def test_a_file_of_another_network_is_begun_again(tmp_path):
    index = GatewayIndex(tmp_path / "index.db", CHAIN)
    index.advance(40, {7: b"seven"})
    index.add_token(b"h", b"token")
    index.close()
    other = GatewayIndex(tmp_path / "index.db", "demo-b-00000000")
    assert (other.cursor, other.changes(), other.token(b"h")) == (0, [], b"")
    other.close()


def test_a_file_that_is_none(tmp_path):
    (tmp_path / "index.db").write_bytes(b"garbage " * 1000)
    with pytest.raises(HostError):
        GatewayIndex(tmp_path / "index.db", CHAIN)
    index = GatewayIndex(tmp_path / "other.db", CHAIN)
    index.close()
    for use in (lambda: index.cursor, index.changes, lambda: index.advance(1, {}), lambda: index.token(b"h")):
        with pytest.raises(HostError):
            use()


@pytest.fixture
def home(tmp_path) -> NodeHome:
    return open_localnet(tmp_path / "net", 1).homes[0]


@pytest.mark.parametrize("stored", [b"garbage", b"{}"])
def test_stored_blocks_are_not_believed(home, tmp_path, stored):
    trust = parse_network((home.path.parent / "trust" / "network.json").read_bytes())
    index = GatewayIndex(tmp_path / "index.db", trust.chain_id)
    index.advance(9, {9: stored})
    chain = Chain(EngineClient("http://127.0.0.1:1"), trust, index)
    assert chain.changes == []
    assert index.cursor == 0, "the chain is looked through again"
    index.close()


def test_tokens_are_read_from_the_file(tmp_path):
    index = GatewayIndex(tmp_path / "index.db", CHAIN)
    index.add_token(b"h", b"token")
    tokens = Tokens(index, None)
    assert (tokens.known(b"h"), tokens.known(b"other")) == (b"token", b"")
    index.close()
    with pytest.raises(HostError):
        tokens.known(b"another")
    assert tokens.known(b"h") == b"token", "in memory"


def test_the_file_is_ours_alone(tmp_path):
    index = GatewayIndex(tmp_path / "gateway" / "index.db", CHAIN)
    assert (tmp_path / "gateway").stat().st_mode & 0o077 == 0
    index.close()
    with sqlite3.connect(tmp_path / "gateway" / "index.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
