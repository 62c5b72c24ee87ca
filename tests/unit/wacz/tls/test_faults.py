"""Damaged recordings: told, never a wrong byte of plaintext, never an exception."""

import random
import ssl
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.tls import KeyLog, Plain, TlsDecoder, TlsFacts
from tests.unit.wacz.tls.ends import Contexts, Flight, Tapped, decode, keep, said
from tests.unit.wacz.tls.forge import IN, OUT, Forge, Key, vector

KINDS = (
    "13",
    "13 retry",
    "13 early",
    "13 updates",
    "12 gcm",
    "12 cbc",
    "12 resumed",
    "12 client",
    "12 chacha",
)
REQUEST = b"GET / HTTP/1.1\r\nHost: site.test\r\n\r\n"
ANSWER = random.Random(1).randbytes(40_000)
SLOW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def tapped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sessions")
    pem = keep(folder, "p256")

    @cache
    def make(kind: str) -> Tapped:
        if kind in ("13 early", "13 updates"):
            return forged(Forge(pem), kind)
        client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(pem)
        client.load_verify_locations(pem)
        client.minimum_version = client.maximum_version = (
            ssl.TLSVersion.TLSv1_3 if kind.startswith("13") else ssl.TLSVersion.TLSv1_2
        )
        log = folder / f"{kind.replace(' ', '-')}.log"
        client.keylog_filename = str(log)
        contexts = Contexts(client, server, log)
        match kind:
            case "13 retry":
                server.set_ecdh_curve("secp384r1")
            case "12 cbc":
                client.set_ciphers("ECDHE-ECDSA-AES128-SHA")
                server.set_ciphers("ECDHE-ECDSA-AES128-SHA")
            case "12 chacha":
                client.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305")
            case "12 client":
                server.verify_mode = ssl.CERT_REQUIRED
                server.load_verify_locations(pem)
                client.load_cert_chain(pem)
            case "12 resumed":
                return contexts.record(REQUEST, ANSWER, session=contexts.record(REQUEST, b"").session)
            case _:
                pass
        return contexts.record(REQUEST, ANSWER)

    return make


def forged(forge: Forge, kind: str) -> Tapped:
    if kind == "13 early":
        forge.known.add("early")
        ticket = vector(vector(b"ticket", 2) + bytes(4), 2) + vector(vector(bytes(32), 1), 2)
        forge.client_hello({42: b"", 41: ticket})
        forge.keys[OUT] = Key(forge.suite, forge.secrets["early"])
        forge.data(OUT, REQUEST[:9])
        forge.server_hello({41: b"\0\0", 51: b"\x00\x1d" + vector(bytes(32), 2)})
        forge.encrypted_extensions({42: b""})
        forge.finish(IN)
        forge.data(OUT, REQUEST[9:12])
        forge.say(OUT, 5, b"")
        forge.client_flight()
        forge.data(OUT, REQUEST[12:])
    else:
        forge.shake()
        forge.data(OUT, REQUEST)
        forge.update(IN)
    for at in range(0, len(ANSWER), 9000):
        forge.data(IN, ANSWER[at : at + 9000], padding=3)
        if kind == "13 updates":
            forge.update(IN)
            forge.update(OUT)
    forge.close()
    return Tapped(flights=forge.flights, keylog=forge.keylog, sent=REQUEST, received=ANSWER)


def check(tapped: Tapped, plain: list[Plain], facts: TlsFacts, whole: TlsFacts) -> bool:
    """What was damaged gives a beginning of the truth; whether the damage was seen."""
    sent, received = said(plain, OUT), said(plain, IN)
    assert tapped.sent.startswith(sent)
    assert tapped.received.startswith(received)
    if facts.faults or not facts.complete:
        return True
    if (facts.ended, facts.ended_client) != (whole.ended, whole.ended_client):
        return True
    assert (sent, received) == (tapped.sent, tapped.received)
    assert facts == whole
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_whole(tapped, kind):
    plain, facts = tapped(kind).decode()
    assert facts.faults == ()
    assert facts.complete
    assert said(plain, OUT) == REQUEST
    assert said(plain, IN) == ANSWER
    assert facts.ended == facts.ended_client == "close_notify"


def places(flights: list[Flight]) -> list[tuple[int, int]]:
    """Every byte of the handshake, and some of the bulk."""
    found = []
    for number, (_, _, data) in enumerate(flights):
        found += [(number, at) for at in range(0, len(data), 1 if len(data) < 3000 else 397)]
    return found


def clear_minor_versions(flights: list[Flight]) -> set[tuple[int, int]]:
    """Last bytes of record versions: nothing protects those of records in the clear (RFC 8446 §5.1)."""
    found = set()
    for number, (_, _, data) in enumerate(flights):
        at = 0
        while at < len(data):
            found.add((number, at + 2))
            at += 5 + int.from_bytes(data[at + 3 : at + 5])
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_flipped_bit_is_seen(tapped, kind):
    session = tapped(kind)
    whole = session.decode()[1]
    rng = random.Random(kind)
    free = clear_minor_versions(session.flights)
    for number, at in places(session.flights):
        direction, moment, data = session.flights[number]
        damaged = bytearray(data)
        damaged[at] ^= 1 << rng.randrange(8)
        flights = [*session.flights]
        flights[number] = direction, moment, bytes(damaged)
        plain, facts = decode(flights, session.keylog)
        assert check(session, plain, facts, whole) or (number, at) in free, (number, at, facts)


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_is_seen(tapped, kind):
    session = tapped(kind)
    whole = session.decode()[1]
    for number, at in places(session.flights):
        direction, moment, data = session.flights[number]
        flights = [*session.flights[:number], (direction, moment, data[:at])]
        plain, facts = decode(flights, session.keylog)
        assert check(session, plain, facts, whole) or number == len(session.flights) - 1
        assert facts.ended != "close_notify" or facts.ended_client != "close_notify"


@pytest.mark.parametrize("kind", KINDS)
def test_lost_swapped_and_repeated_pieces_are_seen(tapped, kind):
    session = tapped(kind)
    whole = session.decode()[1]
    flights = session.flights
    for number in range(len(flights)):
        for changed in (
            flights[:number] + flights[number + 1 :],
            [*flights[:number], flights[number], *flights[number:]],
        ):
            plain, facts = decode(changed, session.keylog)
            if facts.client_random is not None:  # else the hello is lost, and it is no TLS
                assert check(session, plain, facts, whole)
    for number in range(len(flights) - 1):
        if flights[number][0] is flights[number + 1][0]:
            changed = [*flights]
            changed[number], changed[number + 1] = changed[number + 1], changed[number]
            assert check(session, *decode(changed, session.keylog), whole)


def resplit(flights: list[Flight], sizes: list[int]) -> list[Flight]:
    pieces = []
    turn = 0
    for direction, at, data in flights:
        start = 0
        while start < len(data):
            size = sizes[turn % len(sizes)]
            turn += 1
            pieces.append((direction, at, data[start : start + size]))
            start += size
    return pieces


@pytest.mark.parametrize("kind", KINDS)
@SLOW
@given(sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_any_splitting_gives_the_same(tapped, kind, sizes):
    session = tapped(kind)
    plain, facts = session.decode()
    again, refound = decode(resplit(session.flights, sizes), session.keylog)
    assert refound == facts
    for direction in Direction:
        assert said(again, direction) == said(plain, direction)
    assert moments(again) == moments(plain)


def moments(plain: list[Plain]) -> list[tuple[Direction, int, bool, bytes]]:
    """Data of neighboring records of one moment put together."""
    joined: list[Plain] = []
    for piece in plain:
        last = joined[-1] if joined else None
        if last and (last.direction, last.at, last.early) == (piece.direction, piece.at, piece.early):
            joined[-1] = replace(last, data=last.data + piece.data)
        else:
            joined.append(piece)
    return [(piece.direction, piece.at, piece.early, piece.data) for piece in joined]


@pytest.mark.parametrize("kind", KINDS)
def test_single_bytes(tapped, kind):
    session = tapped(kind)
    plain, facts = session.decode()
    again, refound = decode(resplit(session.flights, [1]), session.keylog)
    assert refound == facts
    assert moments(again) == moments(plain)


@pytest.mark.parametrize("kind", KINDS)
@SLOW
@given(data=st.data())
def test_hostile_changes_raise_nothing(tapped, kind, data):
    session = tapped(kind)
    whole = session.decode()[1]
    flights = [*session.flights]
    for _ in range(data.draw(st.integers(1, 4))):
        number = data.draw(st.integers(0, len(flights) - 1))
        direction, at, content = flights[number]
        start = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 40))
        new = data.draw(st.binary(max_size=60))
        flights[number] = direction, at, content[:start] + new + content[start + length :]
    plain, facts = decode(flights, session.keylog)
    if facts.client_random is not None:
        check(session, plain, facts, whole)


@SLOW
@given(
    pieces=st.lists(
        st.tuples(st.sampled_from(Direction), st.integers(0, 2**63), st.binary(max_size=300)), max_size=20
    ),
    hello=st.booleans(),
)
def test_random_bytes_raise_nothing(tapped, pieces, hello):
    session = tapped("13")
    decoder = TlsDecoder(KeyLog.parse(session.keylog))
    for flight in [*session.flights[: 1 if hello else 0], *pieces]:
        assert decoder.feed(*flight) == []
    decoder.finish()
    assert isinstance(decoder.facts.to_json(), dict)


@SLOW
@given(
    kind=st.sampled_from([1, 2, 8, 11, 13, 15, 20, 24, 25, 4, 5, 12, 14, 16, 22]),
    body=st.binary(max_size=400),
)
@pytest.mark.parametrize("suite", [0x1301, 0xC02F])
def test_random_messages_raise_nothing(identity, suite, kind, body):
    forge = Forge(identity("p256"))
    forge.client_hello(suites=b"\x13\x01\xc0\x2f")
    if suite == 0x1301:
        forge.server_hello()
        forge.say(IN, kind, body)
        forge.change(OUT, "client")
        forge.say(OUT, kind, body)
    else:
        forge.suite = suite
        forge.hello(bytes(32), {})
        for direction in (IN, OUT):
            forge.put(direction, b"\x16\3\3" + vector(bytes([kind]) + vector(body, 3), 2))
    plain, facts = decode(forge.flights, forge.keylog)
    assert plain == []
    assert not facts.complete
