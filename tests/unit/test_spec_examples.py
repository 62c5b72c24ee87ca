import base64
import json
import re

import pytest

from evidence_desk.core.canonical import encode
from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.evidence_number import Prefix, parse_number
from evidence_desk.core.leaf import parse_leaf
from evidence_desk.core.merkle import leaf_hash, root_from_inclusion
from evidence_desk.core.note import NoteCheck, check_note, parse_keys
from evidence_desk.core.proof import parse_proof
from evidence_desk.core.statement import match_disclosures, parse_disclosures, parse_statement
from evidence_desk.core.trust import parse_trust
from tests.fixed import KEYS, ORIGIN
from tests.spec_examples import CREDENTIAL, EXAMPLES, PAGES, blocks, proof, statement

WRITTEN = {
    name: (path.name, text)
    for path in sorted(PAGES.glob("*.md"))
    for name, text in blocks(path.read_text("utf-8")).items()
}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_example_in_the_page_is_the_one_the_code_makes(name):
    assert name in WRITTEN, "no page shows this example"
    page, text = WRITTEN[name]
    assert text == EXAMPLES[name](), f"docs/spec/{page}: run python -m tests.spec_examples --write"


def test_every_page_is_listed_and_every_link_leads_somewhere():
    index = (PAGES / "README.md").read_text("utf-8")
    linked = set(re.findall(r"\]\(([a-z-]+\.md)\)", index))
    assert linked == {path.name for path in PAGES.glob("*.md")} - {"README.md"}


def test_a_reader_can_follow_the_examples_through():
    """From the printed checkpoint and proof alone, as a stranger would."""
    keys = parse_keys(WRITTEN["log.vkey"][1])
    checkpoint, note = parse_checkpoint(WRITTEN["log.checkpoint"][1].encode())
    assert check_note(note, keys) == NoteCheck(ed25519=True, sm2=True)
    shown = parse_proof(proof().encode())
    assert base64.b64encode(shown.checkpoint).decode() in WRITTEN["proof"][1]
    leaf = parse_leaf(shown.leaf.leaf)
    digest = leaf_hash(shown.leaf.leaf)
    root = root_from_inclusion(index=leaf.seq, size=checkpoint.size, digest=digest, path=shown.leaf.path)
    assert root == checkpoint.root
    assert parse_number(shown.number, Prefix.EVIDENCE) == digest[:10]
    data, disclosures, _ = statement()
    assert leaf.statement is not None
    assert match_disclosures(parse_statement(data), parse_disclosures(disclosures)).wrong == ()


def test_the_trust_folder_of_the_page_is_read_as_written():
    files = {"desk.vkey": WRITTEN["log.vkey"][1], "person-1.pem": WRITTEN["trust.person"][1]}
    manifest = encode(json.loads(WRITTEN["trust"][1]))
    trust = parse_trust(manifest, lambda name: files[name].encode())
    root = CREDENTIAL.with_name("root.der").read_bytes()
    assert [item.certificates for item in trust.persons] == [(root,)]
    assert trust.signers == ()
    assert trust.desks == {ORIGIN: KEYS}
