"""A desk that packs a capture whose manifest says other than its own record: the statement fits, the verdict does not."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from evidence_desk.bootstrap.capturing import report_press
from evidence_desk.core.canonical import encode
from evidence_desk.core.capture.environment import Outcome, because
from evidence_desk.core.capture.environment_codec import parse as parse_environment
from evidence_desk.core.capture.events import PageState
from evidence_desk.core.capture.manifest import FileDigest, Manifest, encode_manifest, parse_manifest
from evidence_desk.core.capture.marks import parse_started
from evidence_desk.core.capture.notice import Notice, NoticeKind, encode_notice
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.moment import format_moment
from evidence_desk.core.trust import NO_TRUST
from evidence_desk.core.verdict import Dimension, Finding, Status
from evidence_desk.verify.capture import verify_capture
from evidence_desk.verify.capture_report import Press
from evidence_desk.verify.captured import Bond, look_into
from evidence_desk.wacz.pack import About, pack_wacz
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.record import Bytes
from evidence_desk.wacz.stored import read_records
from tests.integration.capture.desk.test_capture import bond_of, verdict, wacz_of

pytestmark = pytest.mark.timeout(120)
WARC = "data.warc.gz"


@dataclass
class Forger:
    """Packs the capture anew, with lists, digests and statement to match."""

    session: object
    bond: Bond
    reader: WaczReader
    files: Mapping[str, bytes]

    @property
    def manifest(self) -> Manifest:
        return parse_manifest(self.files["manifest.json"])

    def failed(self, change: Callable[[Manifest], Manifest], files: Mapping[str, bytes | None]) -> set[str]:
        """Codes of what is wrong with the integrity of the forged one."""
        return {
            item.code
            for item in self.judged(change, files)
            if item.status is Status.FAILED and item.dimension is Dimension.INTEGRITY
        }

    def judged(
        self, change: Callable[[Manifest], Manifest], files: Mapping[str, bytes | None], **more: Any
    ) -> Sequence[Finding]:
        """All findings on the forged one."""
        put = {name: data for name, data in {**self.files, **files}.items() if data is not None}
        listed = tuple(
            FileDigest(name=name, size=len(put[name]), digests=DigestPair.of(put[name]))
            for name in sorted(put.keys() - {"manifest.json"})
        )
        put["manifest.json"] = encode_manifest(replace(change(self.manifest), files=listed))
        out = io.BytesIO()
        package = self.reader.package
        pack_wacz(
            out, warc=Bytes(put[WARC]), records=[done for _, done in read_records(io.BytesIO(put[WARC])) if done],
            pages=self.reader.pages, evidence={name: Bytes(data) for name, data in put.items() if name != WARC},
            about=About(title=package.title, created=package.created, software=package.software),
        )  # fmt: skip
        bond = replace(self.bond, manifest=DigestPair.of(put["manifest.json"]))
        return verify_capture(
            io.BytesIO(out.getvalue()), bond=bond, trust=NO_TRUST, now=datetime.now(UTC), job=Job(), **more
        ).findings


@pytest.fixture(scope="module")
def forger(kept) -> Forger:
    session, captured = kept
    reader = WaczReader(io.BytesIO(wacz_of(session, captured.exhibit)))
    files = {name: reader.open(name).read() for name in reader.evidence}
    files[WARC] = reader.open_archive().read()
    return Forger(session, bond_of(session, captured.exhibit), reader, files)


def test_one_that_changes_nothing_is_sound(forger):
    assert forger.failed(lambda manifest: manifest, {}) == set()


YEAR = timedelta(days=365)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Change = Callable[[Manifest], Manifest]
FORGED: dict[str, tuple[Change, str]] = {
    "another page": (
        lambda it: replace(it, pages=(replace(it.pages[0], url="https://bank.example/"), *it.pages[1:])),
        "pages",
    ),
    "another title": (
        lambda it: replace(it, pages=(replace(it.pages[0], title="判决书"), *it.pages[1:])),
        "pages",
    ),
    "a sandbox": (lambda it: replace(it, browser={**it.browser, "sandbox": 7}), "pages"),
    "clean checks": (
        lambda it: replace(it, checks=tuple(replace(one, before=Outcome.PASS) for one in it.checks)),
        "checks",
    ),
    "no checks": (lambda it: replace(it, checks=()), "checks"),
    "earlier tokens": (
        lambda it: replace(it, marks=tuple(replace(one, gen_time=LONG_AGO) for one in it.marks)),
        "gen_time",
    ),
    "tokens concealed": (
        lambda it: replace(it, marks=tuple(replace(one, token=False, gen_time=None) for one in it.marks)),
        "marks",
    ),
    "no end": (lambda it: replace(it, marks=it.marks[:1]), "end"),
    "no marks": (lambda it: replace(it, marks=()), "marks"),
    "marks turned round": (lambda it: replace(it, marks=it.marks[::-1]), "marks"),
    "no report from after": (lambda it: replace(it, after=None), "end"),
    "an earlier beginning": (lambda it: replace(it, begun=it.begun - YEAR), "plan"),
    "other numbers": (lambda it: replace(it, counts={**it.counts, "connections": 1}), "counts"),
}


@pytest.mark.parametrize(("change", "reason"), FORGED.values(), ids=FORGED)
def test_manifests_that_say_other_than_the_record(forger, change, reason):
    assert f"capture.told.{reason}" in forger.failed(change, {})


def test_files_beside_the_action_log(forger):
    plan = json.loads(forger.files["plan.json"]) | {"allow_private": False}
    for name, data, reason in (
        ("page-001.txt", b"other", "files"),
        ("page-001-viewport.png", b"other", "files"),
        ("page-001.pdf", b"other", "files"),
        ("plan.json", encode(plan), "plan"),
        ("actions.jsonl", forger.files["actions.jsonl"] + b"{", "malformed"),
        ("mark-002.json", forger.files["mark-001.json"], "marks"),
    ):
        assert f"capture.told.{reason}" in forger.failed(lambda manifest: manifest, {name: data}), name


def test_a_printed_report_that_its_data_do_not_print(forger):
    """Bytes are compared with what the same program prints; another one cannot tell, and says so."""
    press = report_press()
    name = "cleanliness-report.pdf"
    nicer = press.render(
        replace(parse_environment(forger.files["environment-before.json"]), items=()), None,
        parse_started(forger.files["started.json"]),
    )[0]  # fmt: skip

    def codes(files: Mapping[str, bytes | None], given: Press | None = press) -> set[str]:
        found = forger.judged(lambda manifest: manifest, files, press=given)
        return {item.code for item in found if item.check == "capture.report"}

    assert codes({}) == {"capture.report.right"}
    assert codes({name: nicer}) == codes({name: forger.files[name] + b"\n"}) == {"capture.report.differs"}
    other = replace(press, program=frozenset({"Evidence Desk 99.0"}))
    assert codes({name: nicer}, other) == {"capture.report.other_program"}
    assert codes({}, other) == {"capture.report.right"}
    assert codes({name: nicer}, None) == {"capture.report.not_printed"}
    assert codes({name: None}) == {"capture.report.missing"}


def test_another_program_is_named_in_one_place_only(forger):
    """To have a forged archive called undetermined, a desk would have to name another program everywhere."""
    assert forger.failed(lambda it: replace(it, software="Evidence Desk 99.0"), {}) == {
        "capture.told.program"
    }


def test_files_that_the_action_log_does_not_know_or_that_are_gone(forger):
    for files, reason in (
        ({"page-009-viewport.png": b"a picture from elsewhere"}, "strange"),
        ({"notes.txt": b"x"}, "strange"),
        ({"page-001-viewport.png": None}, "missing"),
        ({"page-002.txt": None}, "missing"),
    ):
        assert f"capture.contents.{reason}" in forger.failed(lambda manifest: manifest, files), files


def test_complete_although_a_connection_was_never_read(forger):
    """Whoever keeps the secrets of one connection back hides what passed in it."""
    lines = [json.loads(line) for line in forger.files["tls.jsonl"].splitlines()]
    lines[0]["fault_server"] = "tls.secret.missing"
    files = {"tls.jsonl": b"".join(encode(line) + b"\n" for line in lines)}
    assert "capture.told.result" in forger.failed(lambda manifest: manifest, files)
    partial = replace(
        forger.manifest, result=CaptureResult.PARTIAL, reasons=(because("capture.reason.time_limit"),)
    )
    assert "capture.told.reasons" in forger.failed(lambda _: partial, files)
    honest = replace(partial, reasons=(because("capture.reason.undecrypted", count=1),))
    assert "capture.told.reasons" not in forger.failed(lambda _: honest, files)


def test_judgments_are_those_that_follow_from_the_record(forger):
    first, second = forger.manifest.pages
    odd = because("capture.snapshot.frames")
    for change, reason in (
        (replace(forger.manifest, pages=(replace(first, reasons=(odd,)), second)), "pages"),
        (replace(forger.manifest, pages=(first, replace(second, state=PageState.PARTIAL))), "pages"),
        (replace(forger.manifest, result=CaptureResult.PARTIAL), "reasons"),
        (replace(forger.manifest, result=CaptureResult.FAILED), "reasons"),
    ):
        assert f"capture.told.{reason}" in forger.failed(lambda _, it=change: it, {})


def test_reports_on_the_machine_that_are_not_about_this_capture(forger):
    """The one from before is committed to in the log; the one from after only to marks, which a desk can make anew."""
    mark = json.loads(forger.files["mark-001.json"])
    after = json.loads(forger.files["environment-after.json"])

    def failed(report: dict[str, Any]) -> set[str]:
        data = encode(report)
        digests = DigestPair.of(data)
        files = {
            "environment-after.json": data,
            "mark-001.json": encode(mark | {"environment_after": {**digests.to_json()}}),
        }
        found = forger.judged(lambda it: replace(it, after=digests), files)
        return {
            item.code
            for item in found
            if item.check == "capture.environment" and item.status is Status.FAILED
        }

    assert not failed(after) & {"capture.environment.when", "capture.environment.targets"}
    assert "capture.environment.when" in failed(after | {"when": "before"})
    assert "capture.environment.targets" in failed(after | {"targets": ["elsewhere.test:443"]})
    assert "capture.environment.targets" in failed(after | {"targets": []})


def test_times_that_tokens_contradict_or_do_not_reach(forger):
    """All of it is told; none of it proves more than that the desk's word stands alone."""

    def told(change: Change, files: Mapping[str, bytes | None]) -> set[str]:
        return {item.code for item in forger.judged(change, files) if item.status is Status.UNDETERMINED}

    ends = json.loads(forger.files["mark-001.json"])
    later = encode(ends | {"at": "2036-01-01T00:00:00.000Z"})
    assert (
        told(lambda it: it, {}) & {"capture.clock.ahead", "capture.clock.late", "capture.marks.sparse"}
        == set()
    )
    assert {"capture.clock.ahead", "capture.marks.sparse", "capture.moments.strange"} <= told(
        lambda it: it, {"mark-001.json": later}
    )
    assert "capture.clock.late" in told(lambda it: replace(it, begun=it.begun - YEAR), {})


def test_liberties_are_told(forger):
    told = {item.code for item in forger.judged(lambda it: it, {}) if item.check == "capture.choices"}
    assert told >= {"capture.choices.extra_ca", "capture.choices.private"}


def test_notices_that_the_index_does_not_know(forger):
    line = encode_notice(
        Notice(
            at=format_moment(forger.manifest.begun), kind=NoticeKind.REFUSED, reason="loopback", number=99,
            host="localhost", port=80,
        )
    )  # fmt: skip
    assert "capture.notices.differs" in forger.failed(lambda it: it, {"notices.jsonl": line})


def test_pictures_under_the_name_of_others_are_noticed(forger):
    bond = forger.bond
    assert bond.files == ()
    forger.bond = replace(bond, files=tuple((item.name, item.digests) for item in forger.manifest.files))
    assert forger.failed(lambda it: it, {}) == set()
    digests = {item.name: item.digests for item in forger.manifest.files}
    for name, data in (
        ("page-001-viewport.png", digests["page-001.pdf"]),
        ("page-007.png", digests["page-001.pdf"]),
    ):
        forger.bond = replace(bond, files=((name, data), ("site.test.wacz", DigestPair.of(b"x"))))
        assert "capture.names.other" in forger.failed(lambda it: it, {})
    forger.bond = bond


def test_streams_in_the_place_of_others_are_noticed(forger):
    """With an index to match; the marks tell. A wrong place must not keep the verifier for ever."""
    lines = [json.loads(line) for line in forger.files["connections.jsonl"].splitlines()]
    swapped = {1: 2, 2: 1}
    for line in lines:
        line["number"] = swapped.get(line["number"], line["number"])
    assert "capture.streams.differs" in forger.failed(
        lambda manifest: manifest,
        {
            "connections.jsonl": b"".join(encode(line) + b"\n" for line in lines),
            "stream-000001.bin": forger.files["stream-000002.bin"],
            "stream-000002.bin": forger.files["stream-000001.bin"],
        },
    )


def test_complete_in_spite_of_contradictions(forger):
    found = json.loads(forger.files["differences.json"])
    found["differences"] = [{
        "reason": "body", "url": "https://site.test/", "method": "GET", "request": "1", "connection": 1, "stream": None,
        "ours": "a", "theirs": "b",
    }]  # fmt: skip
    failed = forger.failed(
        lambda it: replace(it, counts={**it.counts, "differences": 1}), {"differences.json": encode(found)}
    )
    assert failed == {"capture.told.result"}


def test_files_beside_a_capture_are_those_inside_it(forger, kept):
    session, captured = kept
    files = []
    for item in captured.exhibit.objects:
        with session.vault.objects.open(item.stored, case_number=captured.exhibit.case_number) as stream:
            files.append(bytes(stream.read()))

    def codes(*given: bytes) -> set[str]:
        openers = [partial(io.BytesIO, data) for data in given]
        found, _ = look_into(openers, forger.bond, trust=session.trust, now=datetime.now(UTC), job=Job())
        return {item.code for item in found if item.check == "capture.beside"}

    assert codes(*files) == {"capture.beside.right"}
    assert codes(files[0], b"another picture") == {"capture.beside.other"}


def test_the_beginning_comes_before_the_exhibit_in_the_log(forger, kept):
    session, captured = kept
    started = session.vault.log.leaf_by_hash(captured.capture.started_leaf)
    for seq, failed in ((captured.exhibit.seq, False), (started.seq, True)):
        bond = replace(forger.bond, log=session.desk.origin, seq=seq)
        found = verdict(session, wacz_of(session, captured.exhibit), bond)
        assert ("capture.started.order" in {item.code for item in found.findings}) is failed


def test_no_folder_of_this_machine_is_named(forger, kept):
    session, _ = kept
    folder = str(session.vault.folder).encode()
    assert [name for name, data in forger.files.items() if folder in data] == []
