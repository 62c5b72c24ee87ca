"""Connections of a real client and server (the h2 library), recorded turn by turn."""

import random

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, ResponseReceived
from h2.settings import SettingCodes

from evidence_desk.core.capture.stream import Direction

IN, OUT = Direction.IN, Direction.OUT


class Pair:
    """A client and a server with a tap between them."""

    def __init__(self) -> None:
        self.client = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self.server = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self.turns: list[tuple[Direction, bytes]] = []
        self.asked: dict[int, list[tuple[bytes, bytes]]] = {}
        self.answered: dict[int, list[tuple[bytes, bytes]]] = {}
        self.client.initiate_connection()
        self.client.update_settings({SettingCodes.HEADER_TABLE_SIZE: 65536})
        self.server.initiate_connection()

    def carry(self) -> None:
        """Let everything pass, and give back what flow control takes."""
        while True:
            out, back = self.client.data_to_send(), self.server.data_to_send()
            if not out and not back:
                return
            for direction, data, end in ((OUT, out, self.server), (IN, back, self.client)):
                if not data:
                    continue
                self.turns.append((direction, data))
                for event in end.receive_data(data):
                    if isinstance(event, RequestReceived):
                        self.asked[event.stream_id] = [(name, value) for name, value in event.headers]
                    elif isinstance(event, ResponseReceived):
                        self.answered[event.stream_id] = [(name, value) for name, value in event.headers]
                    elif isinstance(event, DataReceived) and event.flow_controlled_length:
                        end.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def send(self, end: H2Connection, stream: int, body: bytes, *, pad: int | None) -> None:
        while body:
            room = min(
                end.local_flow_control_window(stream) - (pad or 0) - 1, end.max_outbound_frame_size - 256
            )
            if room <= 0:
                self.carry()
                continue
            end.send_data(stream, body[:room], pad_length=pad)
            body = body[room:]
        end.end_stream(stream)


@pytest.mark.parametrize("seed", range(6))
def test_everything_a_real_pair_said_is_read(desk, seed):
    chance = random.Random(seed)
    pair, bodies, uploads = Pair(), {}, {}
    for number in range(20):
        stream = pair.client.get_next_available_stream_id()
        uploads[stream] = chance.randbytes(chance.choice([0, 10, 70_000]))
        pair.client.send_headers(
            stream,
            [
                (b":method", b"POST"),
                (b":scheme", b"https"),
                (b":authority", b"a.test"),
                (b":path", b"/%d" % number),
                (b"x-token", b"%032x" % chance.getrandbits(128)),
                (b"cookie", b"same=for-all"),
            ],
            priority_weight=chance.choice([None, 7]),
        )
        pair.send(pair.client, stream, uploads[stream], pad=chance.choice([None, 0, 9]))
        if chance.random() < 0.5:
            pair.carry()
    pair.carry()
    order = list(uploads)
    chance.shuffle(order)
    for stream in order:
        bodies[stream] = chance.randbytes(chance.choice([0, 100, 200_000]))
        pair.server.send_headers(
            stream,
            [
                (b":status", b"200"),
                (b"content-length", b"%d" % len(bodies[stream])),
                (b"x-y", b"z" * chance.randrange(3000)),
            ],
        )
    for stream in order:
        pair.send(pair.server, stream, bodies[stream], pad=chance.choice([None, 0, 200]))
    pair.carry()
    pair.server.close_connection()
    pair.carry()

    result = desk.read(pair.turns, alpn="h2")
    assert result.faults == ()
    assert [item.stream for item in result.exchanges] == sorted(uploads)
    for item in result.exchanges:
        assert item.complete
        assert item.fault is None
        assert item.request_body.open().read() == uploads[item.stream]
        assert item.response_body.open().read() == bodies[item.stream]
        told = [pair_ for pair_ in pair.answered[item.stream] if not pair_[0].startswith(b":")]
        assert item.response_headers == told
        asked = [pair_ for pair_ in pair.asked[item.stream] if not pair_[0].startswith(b":")]
        assert item.request_headers == [(b"host", b"a.test"), *asked]
