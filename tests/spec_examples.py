"""Worked examples of docs/spec: made here from fixed keys, clock and random bytes, and compared by a test.

``python -m tests.spec_examples --write`` puts the present ones into the pages. A block of a page stands between
``<!-- example: NAME -->`` and the end of the fenced block after it.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from asn1crypto import pem

from evidence_desk.capture.dns_message import Kind, parse_answer
from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.capture.actions import START, Action
from evidence_desk.core.capture.connection import Connection, Ending, Fate, encode_connection, parse_index
from evidence_desk.core.capture.environment import (
    Check,
    EnvironmentReport,
    Item,
    When,
    because,
    raw_output,
)
from evidence_desk.core.capture.environment import Outcome as CheckOutcome
from evidence_desk.core.capture.environment_codec import encode as encode_environment
from evidence_desk.core.capture.events import Deed, Done, Ended, Event, Step
from evidence_desk.core.capture.lookup import Lookup, Outcome, encode_lookup
from evidence_desk.core.capture.marks import Mark, MarkKind, StreamMark, encode_mark
from evidence_desk.core.capture.notice import Notice, NoticeKind, encode_notice
from evidence_desk.core.capture.plan import CapturePlan, encode_plan
from evidence_desk.core.capture.redaction import Redaction, Why, Withheld, encode_redaction
from evidence_desk.core.capture.stream import Chunk, Direction, encode_chunk
from evidence_desk.core.certificate import VERSION as CERTIFICATE_VERSION
from evidence_desk.core.certificate import Printed
from evidence_desk.core.confirmation import Confirmation, Confirmed, CredentialFacts, Officer
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.leaf import Leaf, LeafType, PlainObject, blind, objects_root
from evidence_desk.core.log import TrustedLog
from evidence_desk.core.merkle import TileTree, leaf_hash
from evidence_desk.core.moment import format_moment
from evidence_desk.core.proof import Proof, ProvenLeaf, TimeProof
from evidence_desk.core.statement import make_statement
from evidence_desk.core.trust import encode_manifest
from evidence_desk.core.verdict import (
    CERTIFICATE_POLICY,
    DATA_POLICY,
    Caveat,
    Dimension,
    Finding,
    Policy,
    Status,
    Verdict,
)
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.wacz.archive import write_warc
from evidence_desk.wacz.decode import decode_connection
from evidence_desk.wacz.tls import KeyLog
from tests.fixed import (
    AT,
    FILES,
    KEYS,
    ORIGIN,
    SIGNER,
    FixedRandom,
    MemoryLog,
    draft,
    opened_leaf,
    sealed_leaf,
)

PAGES = Path(__file__).parents[1] / "docs" / "spec"
CREDENTIAL = Path(__file__).parent / "vectors" / "confirmation" / "credential.der"
"""Certificate of an invented person; its private key was thrown away."""
_BLOCK = re.compile(r"(<!-- example: ([a-z0-9.-]+) -->\n```[a-z]*\n)(.*?)(```\n)", re.DOTALL)


@cache
def statement() -> tuple[bytes, bytes, bytes]:
    return make_statement(draft(), FixedRandom())


@cache
def sealed() -> Leaf:
    data, _, _ = statement()
    objects = tuple(PlainObject(digests=DigestPair.of(content), size=len(content)) for _, content in FILES)
    return Leaf(
        log=ORIGIN, seq=1, type=LeafType.EXHIBIT_SEALED, at=AT, statement=DigestPair.of(data), objects=objects
    )


@cache
def log() -> tuple[MemoryLog, TrustedLog]:
    store = MemoryLog()
    trusted = TrustedLog.open(store, KEYS)
    heartbeat = Leaf(log=ORIGIN, seq=2, type=LeafType.HEARTBEAT, at=AT)
    for leaves in ([opened_leaf()], [sealed(), heartbeat], [sealed_leaf(seq) for seq in (3, 4)]):
        trusted, append = trusted.append(leaves, SIGNER)
        store.write(append)
    return store, trusted


@cache
def proof() -> Proof:
    store, trusted = log()
    data = sealed().encode()
    return Proof(
        number=format_number(Prefix.EVIDENCE, leaf_hash(data)),
        leaf=ProvenLeaf(leaf=data, seq=1, path=TileTree(store, trusted.size).inclusion(1)),
        checkpoint=trusted.note,
        times=(
            TimeProof(
                records=(b"DER EvidenceRecord",), token=b"DER ContentInfo", attested=None, checkpoint=None
            ),
        ),
    )


@cache
def confirmed_document() -> bytes:
    """A ``certificate.json`` of one page, as short as one can be."""
    pages = (("存证证书", "承办人 钱知微", "复核人 刘子熙"),)
    declared: JSON = {"case": "（2026）浙0192民初1号", "version": 1}
    return Printed(
        version=CERTIFICATE_VERSION, number=_CERTIFICATE, language="zh", pages=pages,
        values={"declared": declared, "exhibits": [{"leaf_sha256": leaf_hash(sealed().encode()).hex()}]},
    ).to_bytes()  # fmt: skip


_CERTIFICATE = format_number(Prefix.CERTIFICATE, bytes(range(32)))


@cache
def trust_files() -> dict[str, bytes]:
    root = CREDENTIAL.with_name("root.der").read_bytes()
    return {"desk.vkey": KEYS.encode().encode(), "person-1.pem": pem.armor("CERTIFICATE", root)}


def trust_example() -> bytes:
    return encode_manifest(
        authorities={}, signers={}, persons={"persons 1": ("person-1.pem",)}, desks={ORIGIN: "desk.vkey"},
        files=trust_files(),
    )  # fmt: skip


@cache
def confirmation() -> Confirmation:
    encoded = CREDENTIAL.read_bytes()
    certificate = load_certificate(encoded)
    return Confirmation(
        number=_CERTIFICATE,
        version=1,
        case="（2026）浙0192民初1号",
        exhibits=(leaf_hash(sealed().encode()),),
        document=DigestPair.of(confirmed_document()),
        attachments={"proof-001.json": DigestPair.of(proof().encode())},
        first=Officer(name="钱知微", role="公证员助理", identification="工作证"),
        confirmed=Confirmed(
            officer=Officer(name="刘子熙", role="公证员", identification="工作证"),
            credential=CredentialFacts(
                subject=certificate.subject.text, serial=certificate.serial, sha256=sha256(encoded), demo=True
            ),
            at=AT.replace(microsecond=0),
        ),
    )


def pretty(data: bytes) -> str:
    """For the eye; the document itself has no white space."""
    return json.dumps(json.loads(data), ensure_ascii=False, indent=1) + "\n"


def lines(*pairs: tuple[str, object]) -> str:
    return "".join(f"{name:<12} {value}\n" for name, value in pairs)


def digests_example() -> str:
    content = FILES[0][1]
    pair = DigestPair.of(content)
    return lines(
        ("bytes", base64.b64encode(content).decode()), ("size", len(content)), ("sha256", pair.sha256.hex()),
        ("sm3", pair.sm3.hex()),
    )  # fmt: skip


def canonical_example() -> str:
    value: JSON = {"\ufb00": 1, "\U0001f600": 2, "名": "证据\n", "b": [True, None, -1], "a": 9007199254740991}
    return encode(value).decode() + "\n"


def blinded_example() -> str:
    salt, pair = statement()[2], DigestPair.of(FILES[0][1])
    entries = tuple(PlainObject(digests=DigestPair.of(content), size=len(content)) for _, content in FILES)
    return lines(
        ("salt", salt.hex()),
        ("blinded", blind(pair, salt).blinded.hex()),
        ("objects_root", objects_root(entries).hex()),
    )


def tiles_example() -> str:
    store, trusted = log()
    rows = [(f"leaf {row.seq}", row.leaf_hash.hex()) for row in store.rows]
    path = [(f"path of 1, {at}", node.hex()) for at, node in enumerate(proof().leaf.path)]
    assert trusted.checkpoint is not None
    return lines(*rows, *path, ("root", trusted.checkpoint.root.hex()))


def checkpoint_example() -> str:
    return log()[1].note.decode()


def numbers_example() -> str:
    digest = leaf_hash(sealed().encode())
    return lines(
        ("leaf hash", digest.hex()), ("first 80 bit", digest[:10].hex()),
        ("evidence", format_number(Prefix.EVIDENCE, digest)),
        ("certificate", format_number(Prefix.CERTIFICATE, digest)),
    )  # fmt: skip


def verdict_example() -> str:
    statuses = {
        "–": None,
        "passed": Status.PASSED,
        "undetermined": Status.UNDETERMINED,
        "failed": Status.FAILED,
    }
    rows: list[tuple[Policy, str, str, str, str]] = [
        (DATA_POLICY, "passed", "passed", "–", "–"),
        (DATA_POLICY, "passed", "undetermined", "–", "passed"),
        (DATA_POLICY, "passed", "passed", "failed", "undetermined"),
        (DATA_POLICY, "passed", "passed", "–", "failed"),
        (DATA_POLICY, "failed", "undetermined", "–", "–"),
        (CERTIFICATE_POLICY, "passed", "passed", "–", "passed"),
        (CERTIFICATE_POLICY, "passed", "passed", "passed", "undetermined"),
        (CERTIFICATE_POLICY, "undetermined", "passed", "passed", "passed"),
    ]
    form = "{:<14} {:<13} {:<13} {:<8} {:<13} {:<13} {:<5} {}\n"
    text = form.format(
        "policy", "integrity", "time", "signer", "log", "overall", "exit", "exit, caveat, --strict"
    )
    for policy, *words in rows:
        columns = (Dimension.INTEGRITY, Dimension.TIME, Dimension.SIGNER, Dimension.LOG)
        findings = tuple(
            Finding(dimension=dimension, check="x", status=status, code="x")
            for dimension, word in zip(columns, words, strict=True)
            if (status := statuses[word]) is not None
        )
        verdict = Verdict(policy=policy, findings=findings, caveats=(Caveat(code="x"),))
        exits = [verdict.exit_status(strict=strict).value for strict in (False, True)]
        text += form.format(policy.name, *words, verdict.overall.value, *exits)
    return text


def exit_codes_example() -> str:
    def kinds(kind: type[EvidenceDeskError]) -> list[type[EvidenceDeskError]]:
        return [kind, *(below for child in kind.__subclasses__() for below in kinds(child))]

    rows = {(kind.exit_status, kind.__name__, (kind.__doc__ or "").split("\n")[0]) for kind in kinds(EvidenceDeskError)
            if kind.__module__ == "evidence_desk.errors" and kind is not EvidenceDeskError}  # fmt: skip
    return "".join(f"{status:<4} {name:<22} {what}\n" for status, name, what in sorted(rows))


def capture_stream() -> tuple[Chunk, Chunk]:
    moment = (AT - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return (
        Chunk(direction=Direction.OUT, at=moment, data=b"GET / HTTP/1.0\r\n\r\n"),
        Chunk(direction=Direction.IN, at=moment + 20_301, data=b"HTTP/1.0 204 No Content\r\n\r\n"),
    )


def capture_mark_example() -> str:
    """A mark of two streams."""
    streams = tuple(
        StreamMark(
            number=number, sent=len(sent), received=len(received), sent_sha256=sha256(sent), received_sha256=sha256(received)
        )
        for number, sent, received in ((1, b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n"), (2, b"", b""))
    )  # fmt: skip
    mark = Mark(
        kind=MarkKind.RUNNING, started=sha256(b"started.json"), at="2026-03-02T01:31:00.000Z", streams=streams, actions=4,
        head=sha256(b"last action"),
    )  # fmt: skip
    return encode_mark(mark).decode() + "\n"


def capture_stream_example() -> str:
    return "".join(encode_chunk(chunk).hex() + "\n" for chunk in capture_stream())


def capture_connection_example() -> str:
    sent, received = capture_stream()
    line = Connection(
        number=1, host="example.com", port=80, answers=("192.0.2.7", "2001:db8::7"), address="192.0.2.7",
        local="198.51.100.4:50412", fate=Fate.OPENED, reason=None, opened_at=format_moment(AT),
        closed_at=format_moment(AT + timedelta(milliseconds=31)), ending=Ending.CLOSED,
        sent=len(sent.data), received=len(received.data), sent_sha256=sha256(sent.data), received_sha256=sha256(received.data),
    )  # fmt: skip
    return encode_connection(line).decode()


def capture_lookup_example() -> str:
    system = Lookup(
        host="example.com", kind="system", server=None, transport="system", asked_at=format_moment(AT), microseconds=8_120,
        outcome=Outcome.ANSWERED, answers=("192.0.2.7", "2001:db8::7"),
    )  # fmt: skip
    message = bytes.fromhex(
        "4e5a81800001000100000000076578616d706c6503636f6d0000010001c00c000100010000003c0004c0000207"
    )
    answer = parse_answer(message, 0x4E5A, "example.com", Kind.A)
    independent = Lookup(
        host="example.com", kind="A", server="192.0.2.53:53", transport="udp", asked_at=format_moment(AT), microseconds=20_301,
        outcome=Outcome.ANSWERED, answers=answer.addresses, ttl=answer.ttl, message=message,
    )  # fmt: skip
    return (encode_lookup(system) + encode_lookup(independent)).decode()


def capture_environment_example() -> str:
    """A report of two checks."""
    hosts = b"127.0.0.1 localhost\n203.0.113.9 intranet.example\n"
    private = raw_output("/proc", b"1\tinit\t/sbin/init\n", attachment="environment-before-processes.txt")
    report = EnvironmentReport(
        when=When.BEFORE,
        system="linux",
        started=AT,
        finished=AT,
        uptime_ms=86_400_000,
        targets=("www.example.com:443",),
        items=(
            Item(
                check=Check.HOSTS,
                outcome=CheckOutcome.WARN,
                reasons=(because("environment.hosts.other", count=1),),
                facts={"entries": ("203.0.113.9 intranet.example",)},
                raws=(raw_output("/etc/hosts", hosts),),
            ),
            Item(
                check=Check.PROCESSES,
                outcome=CheckOutcome.PASS,
                reasons=(because("environment.processes.none", count=1),),
                facts={"told": ()},
                raws=(private,),
                duration_ms=8,
            ),
        ),
    )
    return pretty(encode_environment(report))


def capture_records_example() -> str:
    """The records of the stream above, unpacked."""
    connection = parse_index(capture_connection_example().encode())[0]
    secrets, out = KeyLog.parse(b""), io.BytesIO()
    decoded = decode_connection(connection, capture_stream(), secrets, io.BytesIO)
    at = decoded.exchanges[0].started_at
    write_warc(out, [decoded], software="Evidence Desk 0.1.0", at=at)
    decoded.close()
    return gzip.decompress(out.getvalue()).decode().replace("\r\n", "\n").rstrip("\n") + "\n"


def capture_notice_example() -> str:
    stranger = Notice(
        at=format_moment(AT),
        kind=NoticeKind.STRANGER,
        reason="other-process",
        number=7,
        host="example.org",
        port=443,
    )
    jump = Notice(at=format_moment(AT), kind=NoticeKind.CLOCK_JUMP, reason="-3600002")
    return (encode_notice(stranger) + encode_notice(jump)).decode()


def capture_redaction_example() -> str:
    record = "<urn:uuid:e126a015-41ef-5a6a-8a9f-8a095e3a8cd8>"
    redaction = Redaction(
        manifest=DigestPair.of(b"manifest"), at=AT, reason="账户凭据与本案无关",
        files=(
            Withheld(name="network.jsonl", why=Why.CREDENTIALS), Withheld(name="secrets.age", why=Why.CREDENTIALS),
            Withheld(name="session.pcapng", why=Why.REPEATS), Withheld(name="stream-000001.bin", why=Why.REPEATS),
        ),
        records=(Withheld(name=record, why=Why.CREDENTIALS),), opened=(),
    )  # fmt: skip
    return pretty(encode_redaction(redaction))


def capture_plan_example() -> str:
    return encode_plan(CapturePlan(urls=("https://www.example.com/判决?编号=1",))).decode() + "\n"


def capture_actions_example() -> str:
    typed = Step(
        number=1, tab=1, deed=Deed.TYPE, url="https://www.example.com/login", target="input[password] “密码”"
    )
    done = Done(reason=Ended.FINISHED, steps=1, snapshots=1, requests=12, failed=0)
    events: tuple[Event, ...] = (typed, done)
    lines, head = "", START
    for number, event in enumerate(events, 1):
        line = encode(Action(number=number, at=format_moment(AT), event=event, previous=head).to_json())
        lines, head = f"{lines}{line.decode()}\n", sha256(line)
    return lines


EXAMPLES: dict[str, Callable[[], str]] = {
    "digests": digests_example,
    "canonical": canonical_example,
    "statement": lambda: pretty(statement()[0]),
    "disclosures": lambda: pretty(statement()[1]),
    "leaf.opened": lambda: opened_leaf().encode().decode() + "\n",
    "leaf.sealed": lambda: sealed().encode().decode() + "\n",
    "leaf.blinded": blinded_example,
    "log.tiles": tiles_example,
    "log.checkpoint": checkpoint_example,
    "log.vkey": KEYS.encode,
    "proof": lambda: pretty(proof().encode()),
    "numbers": numbers_example,
    "trust": lambda: pretty(trust_example()),
    "trust.person": trust_files()["person-1.pem"].decode,
    "verdict": verdict_example,
    "exit-codes": exit_codes_example,
    "confirmation.document": lambda: confirmed_document().decode() + "\n",
    "capture.plan": capture_plan_example,
    "capture.actions": capture_actions_example,
    "capture.mark": capture_mark_example,
    "capture.stream": capture_stream_example,
    "capture.connection": capture_connection_example,
    "capture.lookup": capture_lookup_example,
    "capture.notice": capture_notice_example,
    "capture.records": capture_records_example,
    "capture.redaction": capture_redaction_example,
    "capture.environment": capture_environment_example,
    "confirmation": lambda: pretty(confirmation().encode()),
}


def blocks(page: str) -> dict[str, str]:
    """Example blocks of a page by name."""
    return {match[2]: match[3] for match in _BLOCK.finditer(page)}


def renewed(page: str) -> str:
    """The page with its known blocks made anew."""
    return _BLOCK.sub(lambda m: m[1] + (EXAMPLES[m[2]]() if m[2] in EXAMPLES else m[3]) + m[4], page)


def main() -> None:
    """Write the examples into the pages, or name the pages that differ."""
    for path in sorted(PAGES.glob("*.md")):
        page = path.read_text("utf-8")
        if renewed(page) != page:
            print(path.name)
            if "--write" in sys.argv[1:]:
                path.write_text(renewed(page), "utf-8")


if __name__ == "__main__":
    main()
