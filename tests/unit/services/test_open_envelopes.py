"""What an envelope says is compared with its leaf, whatever it says; only faults of the vault itself come through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence_desk.core.browse_ports import ExhibitQuery
from evidence_desk.core.canonical import JSON
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.envelope import encode_envelope, pack
from evidence_desk.core.leaf import Leaf, LeafType, PlainObject
from evidence_desk.core.log import TrustedLog, note_keys
from evidence_desk.core.statement import make_statement
from evidence_desk.services.open_envelopes import PRIVATE, open_envelope, refill
from evidence_desk.services.refill import Opened, Refill
from evidence_desk.vault.store import Vault
from tests.fixed import AT, FILES, FixedRandom, draft
from tests.unit.vault.rows import CASE, CHEAP, ORIGIN, PASSPHRASE, StandingClock

STATEMENT, DISCLOSURES, _ = make_statement(draft(), FixedRandom())
OBJECTS = tuple(PlainObject(digests=DigestPair.of(content), size=len(content)) for _, content in FILES)
DIGESTS: dict[str, JSON] = {**DigestPair.of(b"x").to_json()}
FACTS: dict[LeafType, dict[str, JSON]] = {
    LeafType.TIME_ATTESTED: {
        "token_sha256": "00" * 32, "gen_time": "2026-03-02T01:30:00.123Z", "tsa": "00" * 32, "ranges": [[1, 1]],
    },
    LeafType.CAPTURE_STARTED: {"commitment": DIGESTS},
    LeafType.CUSTODY_EVENT: {"events": {"count": 1, "root": "00" * 32}},
    LeafType.CERTIFICATE_ISSUED: {"certificate": DIGESTS},
    LeafType.CERTIFICATE_REVOKED: {"certificate": DIGESTS},
}  # fmt: skip
WORDS = st.sampled_from(
    ["exhibit/1", "capture/1", "nodes/1", "custody/1", "time/1", "certificate/1", "revocation/1", "", "00" * 32, "{}", "erased",
     "2026-03-02T01:30:00.123456Z", "AAAA", CASE, DISCLOSURES.decode(), '{"case":"案"}']
)  # fmt: skip
VALUES: st.SearchStrategy[JSON] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**53 - 1) | WORDS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=10,
)
NAMES = (
    "v", "case", "statement", "disclosures", "registered", "logged", "nodes", "token", "checkpoint", "members", "events",
    "number", "exhibits", "issued", "at", "reason", "document", "started",
)  # fmt: skip


def leaf_of(kind: LeafType, seq: int) -> Leaf:
    if kind in {LeafType.EXHIBIT_SEALED, LeafType.CAPTURE_SEALED}:
        ref = bytes(32) if kind is LeafType.CAPTURE_SEALED else None
        return Leaf(
            log=ORIGIN,
            seq=seq,
            type=kind,
            at=AT,
            statement=DigestPair.of(STATEMENT),
            objects=OBJECTS,
            ref=ref,
        )
    ref = bytes(32) if kind is LeafType.CERTIFICATE_REVOKED else None
    return Leaf(log=ORIGIN, seq=seq, type=kind, at=AT, facts=FACTS[kind], ref=ref)


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """A vault with a log of one leaf of each private type, and a successor."""
    folder: Path = tmp_path_factory.mktemp("refill") / "vault"
    vault, _ = Vault.create(folder, PASSPHRASE, clock=StandingClock(), origin=ORIGIN, kdf=CHEAP)
    with vault:
        vault.envelope_key(CASE)
        log = TrustedLog.open(vault.log, note_keys(ORIGIN, vault.signer))
        _, append = log.append([leaf_of(kind, seq) for seq, kind in enumerate(sorted(PRIVATE))], vault.signer)
        with vault.transaction():
            vault.log.write(append)
        vault.set_origin(ORIGIN[:-1] + "2")
        yield vault


class _EnoughError(Exception):
    """Takes back what one example wrote."""


def tried(vault: Vault, kind: LeafType, case: str | None, content: dict[str, JSON]) -> Refill:
    store = vault.rebuilding(ORIGIN)
    state = Refill(store=store, stores=[store])
    row = next(item for item in store.log.leaves(0, store.log.size()) if item.type == kind)
    with suppress(_EnoughError), vault.transaction():
        refill(state, row, Opened(contents=[(case, content)], whole=True))
        raise _EnoughError
    return state


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(PRIVATE)),
    case=st.sampled_from([CASE, None]),
    content=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=len(NAMES)),
)
def test_any_content_is_taken_or_refused(archived, kind, case, content):
    tried(archived, kind, case, content)


def exhibit(**changes: JSON) -> dict[str, JSON]:
    return {
        "v": "exhibit/1",
        "case": {"number": CASE, "details": "{}", "created": "2026-03-02T01:30:00.123456Z"},
        "statement": STATEMENT.decode(),
        "disclosures": DISCLOSURES.decode(),
        "registered": "2026-03-02T01:30:00.123456Z",
        "logged": "2026-03-02T01:30:00.123456Z",
        **changes,
    }


def test_the_right_one_is_taken(archived):
    state = tried(archived, LeafType.EXHIBIT_SEALED, CASE, exhibit())
    assert (state.exhibits, state.refused) == (1, 0)


@pytest.mark.parametrize(
    "content",
    [
        exhibit(statement=STATEMENT.decode().replace("2026", "2027")),
        exhibit(statement="{}"),
        exhibit(disclosures="{}"),
        exhibit(registered="2026-03-02T01:30:00Z"),
        exhibit(case=[]),
        exhibit(v="exhibit/2"),
    ],
)
def test_another_is_refused(archived, content):
    state = tried(archived, LeafType.EXHIBIT_SEALED, CASE, content)
    assert (state.exhibits, state.refused) == (0, 1)


def test_boxes_of_others_are_closed(archived):
    leaf_hash = bytes(32)
    mine = archived.seal_box(CASE, leaf_hash, pack({"a": 1}))
    other = archived.seal_box(None, bytes(31) + b"\1", pack({}))
    assert mine is not None
    assert other is not None
    both = open_envelope(archived, leaf_hash, encode_envelope([mine, other]))
    assert (both.contents, both.whole) == ([(CASE, {"a": 1})], False)
    assert open_envelope(archived, leaf_hash, encode_envelope([mine])).whole
    for nothing in (None, b"", b"\x01", b"\x02" + bytes(700), encode_envelope([other])):
        found = open_envelope(archived, leaf_hash, nothing)
        assert (list(found.contents), found.whole) == ([], False)


def test_what_comes_back_is_listed_and_found(archived):
    store = archived.rebuilding(ORIGIN)
    row = next(item for item in store.log.leaves(0, store.log.size()) if item.type == LeafType.EXHIBIT_SEALED)
    with suppress(_EnoughError), archived.transaction():
        refill(Refill(store=store, stores=[store]), row, Opened(contents=[(CASE, exhibit())], whole=True))
        assert [line.title for line in store.browse.page(ExhibitQuery(text="聊天记录 张三"), 0, 9)] == [
            draft().title
        ]
        raise _EnoughError
    assert archived.browse.count(ExhibitQuery()) == 0
