"""The examples of docs/spec/court-protocol.md are what the code makes."""

import re
from pathlib import Path

import pytest

from evidence_desk.court.protocol.actions import RevokeDesk
from evidence_desk.court.protocol.registry import CHECKPOINT_RECORD
from evidence_desk.court.protocol.state import LookupKind, events_key, lookup_key, lookup_value
from evidence_desk.court.protocol.transactions import Transaction
from tests.fixed import ORIGIN
from tests.unit.court.network import CHAIN, LEAF_HASH, World, digest, judge

PAGE = Path(__file__).parents[3] / "docs" / "spec" / "court-protocol.md"
_BLOCK = re.compile(r"<!-- example: (court\.[a-z-]+) -->\n```[a-z]*\n(.*?)```\n", re.DOTALL)
WORLD = World(lookups=5, size=3, index=1)


def transaction() -> str:
    revoke = RevokeDesk(origin=ORIGIN, effective_height=90, suspect_from=80)
    body = Transaction(chain_id=CHAIN, expires_height=500, payload=revoke)
    return f"body {body.body().hex()}\nid   {body.id.hex()}\n"


def state() -> str:
    roots = WORLD.roots
    return (
        f"checkpoints  size {roots.checkpoints.size}, root {roots.checkpoints.root.hex()}\n"
        f"desks        {roots.desks.hex()}\n"
        f"governance   {roots.governance.hex()}\n"
        f"lookup       {roots.lookup.hex()}\n"
        f"app_hash     {roots.app_hash.hex()}\n"
        f"record       {CHECKPOINT_RECORD.encode(WORLD.record).hex()}\n"
    )


def lookup() -> str:
    key = lookup_key(LookupKind.OBJECT_SHA256, digest(2))
    value, proof = WORLD.lookup.prove(key)
    absent = events_key(ORIGIN, LEAF_HASH)
    _, absence = WORLD.lookup.prove(absent)
    assert value is not None
    assert lookup_value([]) != value
    return (
        f"key          {key.hex()}\nvalue        {value.hex()}\nproof        {proof.encode().hex()}\n"
        f"absent key   {absent.hex()}\nproof        {absence.encode().hex()}\nroot         {WORLD.lookup.root().hex()}\n"
    )


def verdict() -> str:
    given = judge(WORLD.part())
    return "".join(f"{item.check:18}{item.status:14}{item.code}\n" for item in given.findings)


EXAMPLES = {
    "court.transaction": transaction,
    "court.state": state,
    "court.lookup": lookup,
    "court.verdict": verdict,
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_in_the_page_is_the_one_the_code_makes(name):
    written = {match[1]: match[2] for match in _BLOCK.finditer(PAGE.read_text("utf-8"))}
    assert written[name] == EXAMPLES[name]()
