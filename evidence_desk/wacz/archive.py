"""Puts what was decoded of a capture into a WARC file: exchanges as they were on the wire, and what belongs to them.

Nothing is left out: requests without answer, answers cut short, refused connections have records of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.capture.connection import Connection, Fate
from evidence_desk.core.digests import sha256
from evidence_desk.core.moment import parse_moment
from evidence_desk.wacz.http.exchange import Exchange
from evidence_desk.wacz.http.heads import HEAD_END
from evidence_desk.wacz.record import (
    EMPTY,
    HTTP,
    MAX_URI,
    Bytes,
    Record,
    RecordType,
    Source,
    Truncated,
    archive_uri,
)
from evidence_desk.wacz.tls.facts import TlsFacts
from evidence_desk.wacz.warc import WarcWriter, Written

FILENAME: Final = "data.warc.gz"
URN: Final = "urn:x-evidence-desk:"
_RAW: Final = "application/octet-stream"


class DecodedConnection(Protocol):
    """What is needed of a decoded connection."""

    @property
    def connection(self) -> Connection:
        """The line of the index."""
        ...

    @property
    def tls(self) -> TlsFacts | None:
        """None for plain HTTP."""
        ...

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """In the order of their requests."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something that was not on the wire: screenshot, text, DOM.

    Attributes:
        uri: ``urn:view:URL`` for a screenshot, ``urn:text:URL`` for text, as other archives name them.
        at: microseconds of the Unix epoch.
    """

    uri: str
    content_type: str
    at: int
    source: Source


def write_warc(
    out: BinaryIO,
    decoded: Iterable[DecodedConnection],
    resources: Iterable[Resource] = (),
    *,
    software: str,
    at: int,
    about: Mapping[str, str] | None = None,
) -> tuple[Written, ...]:
    """Write the whole file; what was written, for the index. Connections are asked for one after the other.

    Args:
        out: stands at the beginning of the file.
        decoded: connections in their order.
        resources: what else belongs into the file.
        software: name and version.
        at: beginning of the capture, microseconds of the Unix epoch.
        about: more fields of the warcinfo record.

    Raises:
        UnreadableError: ``package.source_changed`` when a body is not as long as it says.
    """
    writer = WarcWriter(out)
    written = [writer.write_info(software=software, filename=FILENAME, at=at, about=dict(about or {}))]
    told: set[str] = set()
    for item in decoded:
        written += [writer.write(record) for record in _surroundings(item, told)]
        for exchange in item.exchanges:
            written += _write_exchange(writer, item, exchange)
    for resource in resources:
        record = Record(
            type=RecordType.RESOURCE, at=resource.at, uri=target(resource.uri),
            content_type=resource.content_type, body=resource.source,
        )  # fmt: skip
        written.append(writer.write(record))
    return tuple(written)


def target(url: str) -> str:
    """Target URI for a URL: `archive_uri`, or the digest of one that is too long."""
    uri = archive_uri(url)
    return uri if len(uri) <= MAX_URI else f"{URN}url:sha256:{sha256(uri.encode()).hex()}"


def _surroundings(item: DecodedConnection, told: set[str]) -> Iterable[Record]:
    """What a connection tells besides its exchanges: resolver answers, failure, certificates; each thing once."""
    connection = item.connection
    at = _moment(connection.opened_at)
    for uri, content_type, data in (*_resolved(connection), *_certificates(item.tls)):
        if uri + data.hex() not in told:
            told.add(uri + data.hex())
            yield Record(
                type=RecordType.RESOURCE, at=at, uri=uri, content_type=content_type, body=Bytes(data)
            )
    if connection.fate is not Fate.OPENED:
        yield Record(
            type=RecordType.METADATA, at=at, uri=f"{URN}connection:{connection.number}",
            content_type="application/json", body=Bytes(encode(connection.to_json())),
        )  # fmt: skip


def _resolved(connection: Connection) -> Iterable[tuple[str, str, bytes]]:
    """Answers of the system's resolver, which tells no TTL (RFC 4027; master file format, RFC 1035 §5)."""
    if not connection.answers or connection.host in connection.answers:
        return
    name = connection.host.removesuffix(".")
    stamp = "".join(char for char in connection.opened_at[:19] if char.isdecimal())
    lines = [f"{name}. IN {'AAAA' if ':' in answer else 'A'} {answer}\r\n" for answer in connection.answers]
    yield archive_uri(f"dns:{name}"), "text/dns", f"{stamp}\r\n{''.join(lines)}".encode()


def _certificates(tls: TlsFacts | None) -> Iterable[tuple[str, str, bytes]]:
    if tls is None:
        return
    for certificate in (*tls.certificates, *tls.client_certificates):
        yield f"{URN}certificate:sha256:{sha256(certificate).hex()}", "application/pkix-cert", certificate
    if tls.ocsp is not None:
        yield f"{URN}ocsp:sha256:{sha256(tls.ocsp).hex()}", "application/ocsp-response", tls.ocsp


def _write_exchange(writer: WarcWriter, item: DecodedConnection, exchange: Exchange) -> Iterable[Written]:
    """Response, request, and what neither can hold; all with the moment at which the request began (ISO 28500 §5.4)."""
    written: list[Written] = []
    if exchange.response_head or (exchange.response_body and exchange.response_body.size):
        written.append(writer.write(_message(item, exchange, RecordType.RESPONSE, ())))
    ids = [one.id for one in written]
    written.append(writer.write(_message(item, exchange, RecordType.REQUEST, ids)))
    facts = _facts(exchange)
    if facts:
        record = Record(
            type=RecordType.METADATA, at=exchange.started_at, uri=target(exchange.url),
            content_type="application/json", concurrent=[one.id for one in written],
            body=Bytes(encode({"connection": exchange.connection, "stream": exchange.stream, **facts})),
        )  # fmt: skip
        written.append(writer.write(record))
    return written


def _message(
    item: DecodedConnection, exchange: Exchange, kind: RecordType, concurrent: Sequence[str]
) -> Record:
    asked = kind is RecordType.REQUEST
    head = exchange.request_head if asked else exchange.response_head or b""
    body = exchange.request_body if asked else exchange.response_body
    payload = exchange.request_payload if asked else exchange.payload
    whole = _is_head(head)
    same = body is None or (payload is not None and payload.sha256 == body.sha256)
    digest = (sha256(b"") if body is None else body.sha256) if same and whole else None
    return Record(
        type=kind, at=exchange.started_at, uri=target(exchange.url), head=head, body=EMPTY if body is None else body,
        content_type=f"{HTTP}; msgtype={kind.value}" if whole else _RAW, payload=digest,
        address=item.connection.address, protocols=_protocols(exchange, item.tls),
        cipher_suite=None if item.tls is None else item.tls.suite, concurrent=concurrent,
        truncated=None if asked or exchange.complete else _truncated(exchange),
    )  # fmt: skip


def _is_head(head: bytes) -> bool:
    """Whether `head` ends where a reader would end it."""
    end = HEAD_END.search(head)
    return end is not None and end.end() == len(head)


def _protocols(exchange: Exchange, tls: TlsFacts | None) -> list[str]:
    names = [exchange.protocol]
    if tls is not None and tls.version is not None:
        names.append(tls.version.lower().replace(" ", "/"))
    return names


def _truncated(exchange: Exchange) -> Truncated:
    return Truncated.UNSPECIFIED if exchange.fault is None else Truncated.DISCONNECT


def _facts(exchange: Exchange) -> dict[str, JSON]:
    """What is worth a record of its own: failure, heads before the answer, fields after it, a push, an upgrade."""
    facts: dict[str, JSON] = {}
    if exchange.fault is not None or not exchange.complete:
        facts |= {"complete": exchange.complete, "fault": exchange.fault, "reset": exchange.reset}
    if exchange.informational:
        facts["informational"] = [head.decode("latin-1") for head in exchange.informational]
    for name, trailers in (("trailers", exchange.trailers), ("request_trailers", exchange.request_trailers)):
        if trailers:
            facts[name] = [[key.decode("latin-1"), value.decode("latin-1")] for key, value in trailers]
    if exchange.pushed:
        facts["pushed"] = True
    if exchange.upgraded is not None:
        facts["upgraded"] = exchange.upgraded
    return facts


def _moment(text: str) -> int:
    moment = parse_moment(text, what="connections")
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
