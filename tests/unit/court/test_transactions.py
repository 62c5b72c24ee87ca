"""Transactions: one canonical form, bound to a network, never crashing on foreign bytes."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.digests import sha256
from evidence_desk.court.protocol.actions import (
    SUBMIT_CHECKPOINT,
    AddValidator,
    Envelope,
    Govern,
    ObjectList,
    Parameter,
    Proposal,
    RegisterDesk,
    RemoveValidator,
    ReportEquivocation,
    RevokeDesk,
    RotateDeskKeys,
    SetParameter,
    SubmitCheckpoint,
    Upgrade,
    Vote,
)
from evidence_desk.court.protocol.registry import DESK_ENTRY, DeskEntry, DeskKeys, DeskStatus, desk_family
from evidence_desk.court.protocol.transactions import (
    DOMAIN,
    MAX_TRANSACTION,
    Payload,
    SignatureScheme,
    Transaction,
    TransactionSignature,
    TransactionType,
    parse_closed,
    parse_transaction,
)
from evidence_desk.court.protocol.wire import (
    bytes_field,
    message_field,
    read_fields,
    string_field,
    uint_field,
    varint,
)
from evidence_desk.errors import BugError, IntegrityError, MalformedError
from tests.fixed import ORIGIN, SIGNER
from tests.unit.court.network import CHAIN, KEYS, World, digest

NEXT = f"{ORIGIN[:-1]}2"
REGISTER = RegisterDesk(origin=ORIGIN, office="example", keys=KEYS)
ROTATE = RotateDeskKeys(origin=ORIGIN, keys=KEYS)
REVOKE = RevokeDesk(origin=ORIGIN, effective_height=90, suspect_from=80)
SUBMIT = SubmitCheckpoint(
    note=b"note",
    old_size=3,
    leaves=(b"{}", b"[]", b"1"),
    objects=(ObjectList(seq=4, objects=(b"a" * 64, b"b" * 64)),),
    envelopes=(Envelope(seq=3, ciphertext=b"c"), Envelope(seq=5, ciphertext=b"d")),
)
PAYLOADS: list[Payload] = [
    REGISTER,
    replace(REGISTER, origin=NEXT, succeeds=ORIGIN),
    ROTATE,
    REVOKE,
    SUBMIT,
    SubmitCheckpoint(note=b"note", old_size=0, leaves=(b"{}",)),
    ReportEquivocation(first=b"one"),
    ReportEquivocation(first=b"one", second=b"two"),
    Govern(vote=Vote(proposal=digest("proposal"))),
    Govern(propose=Proposal(number=0, register=REGISTER)),
    Govern(propose=Proposal(number=1, rotate=ROTATE)),
    Govern(propose=Proposal(number=2, revoke=REVOKE)),
    Govern(
        propose=Proposal(
            number=3,
            add=AddValidator(consensus_key=digest(1), governance_key=digest(2), institution="court-1"),
        )
    ),
    Govern(propose=Proposal(number=4, remove=RemoveValidator(consensus_key=digest(1)))),
    Govern(propose=Proposal(number=5, parameter=SetParameter(parameter=Parameter.LOOKUP_QUOTA, value=0))),
    Govern(propose=Proposal(number=6, upgrade=Upgrade(height=1000, app_version=2))),
]
KEY = Ed25519PrivateKey.from_private_bytes(digest("institution"))


def plain(payload: Payload) -> Transaction:
    return Transaction(chain_id=CHAIN, expires_height=500, payload=payload)


def sign(transaction: Transaction) -> Transaction:
    message = transaction.body()
    return replace(
        transaction,
        signatures=(
            TransactionSignature(
                scheme=SignatureScheme.ED25519,
                key=KEY.public_key().public_bytes_raw(),
                signature=KEY.sign(message),
            ),
            TransactionSignature(
                scheme=SignatureScheme.SM2, key=SIGNER.sm2_public, signature=SIGNER.sign_sm2(message)
            ),
        ),
    )


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: type(payload).__name__)
def test_round_trip(payload):
    transaction = sign(plain(payload))
    read = parse_transaction(transaction.encode(), chain_id=CHAIN)
    assert read == transaction
    assert read.id == transaction.id == plain(payload).id
    read.check_signatures()


def test_bodies_begin_with_domain_chain_type_and_expiry():
    body = plain(REVOKE).body()
    start = b"\x0a\x18" + DOMAIN.encode() + b"\x12\x0f" + CHAIN.encode() + b"\x18\x03\x20\xf4\x03\x2a"
    assert body.startswith(start)
    payload = b"\x0a" + bytes([len(ORIGIN)]) + ORIGIN.encode() + b"\x10\x5a\x18\x50"
    assert body == start + bytes([len(payload)]) + payload


def test_all_types_are_covered():
    assert {plain(payload).type for payload in PAYLOADS} == set(TransactionType)


def test_nothing_replays_on_another_network_or_under_another_expiry():
    transaction = sign(plain(REVOKE))
    with pytest.raises(MalformedError):
        parse_transaction(transaction.encode(), chain_id="court-9c2e")
    for change in (
        {"chain_id": "court-9c2e"},
        {"expires_height": 501},
        {"payload": replace(REVOKE, suspect_from=1)},
    ):
        with pytest.raises(IntegrityError):
            replace(transaction, **change).check_signatures()


@pytest.mark.parametrize("bits", [1, pytest.param(8, marks=pytest.mark.full)])
def test_each_flip_is_refused(bits):
    """One bit of each byte, or all eight."""
    data = sign(plain(REVOKE)).encode()
    for at in range(len(data)):
        for bit in range(at % 8, at % 8 + bits):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit % 8
            with pytest.raises((MalformedError, IntegrityError)):
                parse_transaction(bytes(flipped), chain_id=CHAIN).check_signatures()


def test_signatures_have_one_order_and_no_repeats():
    first, second = sign(plain(REVOKE)).signatures
    transaction = replace(plain(REVOKE), signatures=(second, first))
    assert transaction.encode() == sign(plain(REVOKE)).encode()
    for order in ((second, first), (first, first)):
        forged = bytes_field(1, transaction.body()) + b"".join(
            message_field(
                2,
                uint_field(1, item.scheme) + bytes_field(2, item.key) + bytes_field(3, item.signature),
            )
            for item in order
        )
        with pytest.raises(MalformedError):
            parse_transaction(forged, chain_id=CHAIN)


def envelope(payload: bytes, kind: int = 3, domain: str = DOMAIN, extra: bytes = b"") -> bytes:
    body = string_field(1, domain) + string_field(2, CHAIN) + uint_field(3, kind) + uint_field(4, 9)
    return message_field(1, body + bytes_field(5, payload) + extra)


REVOKED = string_field(1, ORIGIN) + b"\x10\x5a" + b"\x18\x50"


def test_the_hand_made_envelope_is_read():
    assert parse_transaction(envelope(REVOKED), chain_id=CHAIN).payload == REVOKE


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (envelope(string_field(1, ORIGIN) + b"\x10\xda\x00" + b"\x18\x50"), "varint longer than needed"),
        (envelope(string_field(1, ORIGIN) + b"\x18\x50" + b"\x10\x5a"), "fields out of order"),
        (envelope(REVOKED + b"\x18\x50"), "field twice"),
        (envelope(REVOKED + b"\x20\x01"), "unknown field"),
        (envelope(REVOKED[:-1] + b"\x00"), "zero written out"),
        (envelope(REVOKED[:-2]), "field missing"),
        (envelope(REVOKED[:-1] + b"\x5b"), "suspect after effect"),
        (envelope(REVOKED[:-2] + b"\x1a\x01\x50"), "number as bytes"),
        (envelope(REVOKED[:-2] + b"\x1d\x50\x00\x00\x00"), "fixed32"),
        (envelope(REVOKED, kind=7), "unknown type"),
        (envelope(REVOKED, kind=1), "payload of another type"),
        (envelope(REVOKED, domain="evidence-desk/court/tx/2"), "other domain"),
        (envelope(REVOKED, extra=uint_field(6, 1)), "more in the body"),
        (envelope(REVOKED) + b"\x00", "trailing byte"),
        (envelope(string_field(1, ORIGIN.upper()) + b"\x10\x5a\x18\x50"), "origin"),
        (envelope(b"\x0a\x02\xff\xfe" + b"\x10\x5a\x18\x50"), "not UTF-8"),
        (b"", "nothing"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "length beyond the end"),
        (b"\x0a" + b"\x80" * 20, "endless varint"),
        (b"x" * (MAX_TRANSACTION + 1), "too large"),
        (b"\x0a\x01x" + b"\x12\x00" * 500_000, "signatures without number"),
        (envelope(b"\x0a\x01a" + b"\x1a\x01x" * 4_097, kind=4), "a leaf more than allowed"),
        (envelope(b"\x0a" + bytes([0xC0, 0x84, 0x3D]) + b"x" * 1_000_000, kind=5), "too large for its type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_only_the_canonical_form_is_read(data, why):
    assert why
    with pytest.raises(MalformedError):
        parse_transaction(data, chain_id=CHAIN)


@pytest.mark.parametrize(
    "make",
    [
        lambda: RegisterDesk(origin=ORIGIN, office="other", keys=KEYS),
        lambda: RegisterDesk(origin=ORIGIN, office="Example", keys=KEYS),
        lambda: replace(REGISTER, succeeds=ORIGIN),
        lambda: replace(REGISTER, origin=f"{ORIGIN[:-1]}3", succeeds=ORIGIN),
        lambda: replace(REGISTER, origin=NEXT, succeeds=ORIGIN.replace("5f0c", "5f0d")),
        lambda: DeskKeys(ed25519=bytes(32), sm2=b"\x04" + bytes(64), next_ed25519=b"", next_sm2=b""),
        lambda: replace(SUBMIT, leaves=()),
        lambda: replace(SUBMIT, old_size=4),
        lambda: replace(SUBMIT, envelopes=SUBMIT.envelopes[::-1]),
        lambda: replace(SUBMIT, objects=SUBMIT.objects * 2),
        lambda: ObjectList(seq=1, objects=()),
        lambda: ReportEquivocation(first=b"one", second=b"one"),
        Govern,
        lambda: Govern(propose=Proposal(number=0, register=REGISTER), vote=Vote(proposal=digest(1))),
        lambda: Proposal(number=0),
        lambda: Proposal(number=0, register=REGISTER, rotate=ROTATE),
        lambda: AddValidator(consensus_key=digest(1), governance_key=digest(1), institution="court-1"),
        lambda: replace(World().entry, status=DeskStatus.REVOKED),
        lambda: replace(World().entry, suspect_from=5),
        lambda: replace(World().entry, successor=NEXT),
        lambda: replace(World().entry, size=0),
        lambda: replace(World().entry, registered=9),
        lambda: replace(World().entry, office="other"),
    ],
)
def test_what_contradicts_itself_cannot_be_made(make):
    with pytest.raises(MalformedError):
        make()


def test_desk_entry_round_trip():
    entry = World().entry
    fresh = replace(entry, size=0, root=b"")
    followed = replace(entry, status=DeskStatus.REVOKED, suspect_from=7, successor=NEXT)
    for item in (entry, fresh, followed):
        assert DESK_ENTRY.decode(DESK_ENTRY.encode(item)) == item
    assert isinstance(DESK_ENTRY.decode(DESK_ENTRY.encode(entry)), DeskEntry)
    assert desk_family(ORIGIN) == desk_family(NEXT) == ORIGIN[:-2]


class Counting(bytes):
    """Bytes that count how often they are looked at."""

    looks = 0

    def __getitem__(self, at: Any) -> Any:
        Counting.looks += 1
        return super().__getitem__(at)


def test_items_beyond_their_number_are_not_read():
    Counting.looks = 0
    with pytest.raises(MalformedError):
        SUBMIT_CHECKPOINT.decode(Counting(b"\x0a\x01a" + b"\x1a\x01x" * 300_000))
    assert Counting.looks < 20_000


def test_a_payload_is_read_last():
    closed = parse_closed(envelope(b"no payload"), chain_id=CHAIN)
    assert closed.id == sha256(closed.data)
    with pytest.raises(MalformedError):
        closed.open()


@given(st.binary(max_size=300))
def test_reader_never_crashes(data):
    try:
        transaction = parse_transaction(data, chain_id=CHAIN)
    except MalformedError:
        return
    assert transaction.encode() == data


@given(st.integers(1, 6), st.data())
def test_reader_never_crashes_behind_a_good_body(kind, data):
    payload = PAYLOADS[data.draw(st.integers(0, len(PAYLOADS) - 1))]
    good = bytearray(plain(payload).body()[48:])
    for _ in range(data.draw(st.integers(0, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(good[: data.draw(st.integers(0, len(good)))])
    try:
        parse_transaction(envelope(cut, kind=kind), chain_id=CHAIN)
    except MalformedError:
        return


def test_wrong_keys_are_wrong_signatures_not_crashes():
    for scheme, key in (
        (SignatureScheme.SM2, bytes(65)),
        (SignatureScheme.SM2, bytes(32)),
        (SignatureScheme.ED25519, bytes(65)),
    ):
        item = TransactionSignature(scheme=scheme, key=key, signature=bytes(64))
        assert not item.holds(b"message")


# --- wire ------------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**64 - 1))
def test_varints(value):
    data = uint_field(1, value)
    assert [item.value for item in read_fields(data, what="x")] == ([value] if value else [])


def test_varints_out_of_range():
    for value in (-1, 2**64):
        with pytest.raises(BugError):
            varint(value)
    for data in (b"\x08" + b"\xff" * 9 + b"\x02", b"\x08\x80\x00", b"\x08", b"\x00\x01", b"\x0b"):
        with pytest.raises(MalformedError):
            list(read_fields(data, what="x"))
