from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.qr_payload import MAX_PAYLOAD, CodePayload, is_code, parse_code
from evidence_desk.errors import BugError, MalformedError

LEAF = bytes(range(32))
ORIGIN = "desk.example.evidence/11111111-2222-4333-8444-555555555555/1"
CHAIN = "demo-court-7f3a"


@pytest.mark.parametrize(
    "payload", [CodePayload(leaf_hash=LEAF, chain_id=CHAIN), CodePayload(leaf_hash=LEAF, origin=ORIGIN)]
)
def test_round_trip(payload):
    assert parse_code(payload.encode()) == payload
    assert is_code(payload.encode())


def test_the_host_of_an_address_counts_for_nothing():
    text = CodePayload(leaf_hash=LEAF, chain_id=CHAIN).encode()
    for host in ("court.example", "court.examp1e", "[::1]:8080"):
        for written in (quote(text), quote_plus(text)):
            assert parse_code(f"https://{host}/portal?lang=zh&q={written}") == parse_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "ED1", f"ED1 leaf={LEAF.hex()}", f"ED1 leaf={LEAF.hex().upper()} chain={CHAIN}", f"ED1 leaf={LEAF.hex()[:-2]} chain={CHAIN}",
        f"ED1  leaf={LEAF.hex()} chain={CHAIN}", f" ED1 leaf={LEAF.hex()} chain={CHAIN}", f"ED1 leaf={LEAF.hex()} chain={CHAIN}\n",
        f"ED1 leaf={LEAF.hex()} chain={CHAIN} chain=x", f"ED1 leaf={LEAF.hex()} chain=", f"ED1 leaf={LEAF.hex()} chain={'c' * 51}",
        f"ED1 leaf={LEAF.hex()} chain=法院", f"ED1 leaf={LEAF.hex()} log=desk", f"ED2 leaf={LEAF.hex()} chain={CHAIN}",
        "https://court.example/", f"https://court.example/?q={LEAF.hex()}", "https://[/?q=1", "x" * (MAX_PAYLOAD + 1),
        f"https://e/?q=ED1+leaf%3D{LEAF.hex()}+chain%3Dc&q=ED1+leaf%3D{LEAF.hex()}+chain%3Dd", "https://e/?" + "&".join(["q=1"] * 9),
    ],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(MalformedError, match=r"malformed\.code"):
        parse_code(text)


@pytest.mark.parametrize(
    "members", [{}, {"chain_id": CHAIN, "origin": ORIGIN}, {"chain_id": CHAIN, "leaf_hash": b""}]
)
def test_a_payload_names_one_place(members):
    with pytest.raises(BugError):
        CodePayload(**({"leaf_hash": LEAF} | members))


@given(
    st.one_of(
        st.text(),
        st.text().map(lambda tail: f"ED1 leaf={LEAF.hex()} {tail}"),
        st.text().map(lambda tail: f"https://{tail}"),
    )
)
def test_never_crashes_and_reads_only_what_it_writes(text):
    try:
        found = parse_code(text)
    except MalformedError:
        return
    assert parse_code(found.encode()) == found


@given(st.binary(min_size=32, max_size=32), st.from_regex(r"[!-~]{1,50}", fullmatch=True))
def test_every_chain(leaf, chain):
    payload = CodePayload(leaf_hash=leaf, chain_id=chain)
    assert parse_code(payload.encode()) == payload
