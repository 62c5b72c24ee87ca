"""Which records a capture becomes."""

from __future__ import annotations

import io
from dataclasses import replace

from evidence_desk.core.canonical import decode
from evidence_desk.core.digests import sha256
from evidence_desk.wacz.archive import URN, target, write_warc
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.record import MAX_URI, RecordType
from evidence_desk.wacz.stored import StoredRecord, read_records
from tests.unit.wacz.samples import ANSWERS, H2, decoded, pack, sample
from tests.unit.wacz.tls_recording import AT


def records(warc: bytes) -> list[tuple[StoredRecord, bytes]]:
    return [(record, record.body.read()) for record, done in read_records(io.BytesIO(warc)) if done is None]


RECORDS = records(sample().warc)


def of(uri: str) -> dict[RecordType, tuple[StoredRecord, bytes]]:
    return {record.header.type: (record, body) for record, body in RECORDS if record.header.uri == uri}


def facts(uri: str) -> dict[str, object]:
    value = decode(of(uri)[RecordType.METADATA][1], what="", limit=10**6)
    assert isinstance(value, dict)
    return dict(value)


def test_protocols_and_addresses() -> None:
    tls = of("https://site.test/br")[RecordType.RESPONSE][0].header
    assert (tls.address, tls.protocols) == ("203.0.113.7", ("http/1.1", "tls/1.3"))
    assert tls.cipher_suite == "TLS_AES_256_GCM_SHA384"
    over_h2 = of("https://site.test/h2/page")[RecordType.RESPONSE][0].header
    assert over_h2.protocols == ("h2", "tls/1.3")
    plain = of("http://plain.test/silent")[RecordType.REQUEST][0].header
    assert (plain.protocols, plain.cipher_suite) == (("http/1.1",), None)


def test_requests_lead_to_their_responses() -> None:
    for path in ("/br", "/chunked", "/early"):
        found = of(f"https://site.test{path}")
        request, response = found[RecordType.REQUEST][0].header, found[RecordType.RESPONSE][0].header
        assert request.concurrent == (response.id,)
        assert request.date == response.date


def test_digests_of_payloads() -> None:
    """None for chunk framing: other tools would take it of the framed bytes."""
    for record, body in RECORDS:
        header = record.header
        if header.type is RecordType.RESPONSE and header.uri != "https://site.test/chunked":
            assert header.payload_digest == f"sha256:{sha256(body).hex()}"
        elif header.type is not RecordType.REQUEST:
            assert header.payload_digest is None


def test_bodies_of_requests_are_there() -> None:
    record, body = of("https://site.test/form")[RecordType.REQUEST]
    assert record.head.startswith(b"POST /form HTTP/1.1\r\n")
    assert body == b"a=%E8%AF%81"


def test_what_a_message_cannot_hold_has_a_record_of_its_own() -> None:
    assert facts("https://site.test/early")["informational"] == [
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    ]
    assert facts("https://site.test/h2/page")["trailers"] == [["x-after", "yes"]]
    assert RecordType.METADATA not in of("https://site.test/br")


def test_failures_are_told() -> None:
    cut, silent = of("http://plain.test/cut"), of("http://plain.test/silent")
    assert cut[RecordType.RESPONSE][0].header.truncated is not None
    assert facts("http://plain.test/cut")["complete"] is False
    assert cut[RecordType.METADATA][0].header.concurrent == tuple(
        cut[kind][0].header.id for kind in (RecordType.RESPONSE, RecordType.REQUEST)
    )
    assert set(silent) == {RecordType.REQUEST, RecordType.METADATA}
    assert facts(f"{URN}connection:5")["reason"] == "private"
    assert facts(f"{URN}connection:6")["fate"] == "unresolved"


def test_certificates_and_resolver_answers_once() -> None:
    of_certificates = [
        (record, body) for record, body in RECORDS if record.header.content_type == "application/pkix-cert"
    ]
    assert len(of_certificates) == 1
    record, body = of_certificates[0]
    assert record.header.uri == f"{URN}certificate:sha256:{sha256(body).hex()}"
    names = [body for record, body in RECORDS if record.header.uri == "dns:site.test"]
    assert names == [b"20260202024000\r\nsite.test. IN A 203.0.113.7\r\n"]


def test_nothing_else() -> None:
    """Every exchange, one record for each thing; so nothing is there twice or missing."""
    kinds = [record.header.type for record, _ in RECORDS]
    exchanges = len(ANSWERS) + len(H2) + 2
    assert kinds.count(RecordType.REQUEST) == exchanges
    assert kinds.count(RecordType.RESPONSE) == exchanges - 1
    assert (
        kinds.count(RecordType.METADATA) == 1 + len(H2) + 2 + 2 + 1
    )  # early, trailers, failures, connections, trailer of chunks


def test_heads_without_end_and_answers_without_head() -> None:
    """HTTP/0.9, and what no reader would take for a head, is kept as bytes."""
    items = decoded()
    odd = items[0]
    exchange = odd.exchanges[0]
    changed = [
        replace(exchange, response_head=None, status=None, protocol="http/0.9"),
        replace(exchange, request_head=b"GET / HTTP/1.1\r\nHost:"),
    ]
    out = io.BytesIO()
    done = write_warc(out, [replace(odd, exchanges=tuple(changed))], software="x", at=AT)
    read = {record.header.id: (record, body) for record, body in records(out.getvalue())}
    old, cut = [one for one in done if one.header.type in (RecordType.RESPONSE, RecordType.REQUEST)][::3]
    for one in (old, cut):
        assert one.header.content_type == "application/octet-stream"
        assert read[one.id][0].head == b""
    assert read[cut.id][1] == b"GET / HTTP/1.1\r\nHost:"
    assert WaczReader(io.BytesIO(pack(out.getvalue(), done))).check() == len(done)
    for item in items:
        item.close()


def test_addresses_that_are_too_long_are_named_by_digest() -> None:
    url = "https://site.test/?" + "x" * MAX_URI
    assert target(url) == f"{URN}url:sha256:{sha256(url.encode()).hex()}"
    assert target("https://site.test/#a") == "https://site.test/"
