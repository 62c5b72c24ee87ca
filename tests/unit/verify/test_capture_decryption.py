"""Decoding again: what the archive holds must follow from the streams, whoever made the manifest."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime

import pytest

from evidence_desk import __version__
from evidence_desk.core.capture.redaction import ARCHIVE
from evidence_desk.core.job import Job
from evidence_desk.core.trust import NO_TRUST
from evidence_desk.core.verdict import Status
from evidence_desk.verify.capture import verify_capture
from evidence_desk.wacz.withhold import Wish
from tests.unit.verify.captures import (
    ANSWERS,
    SOFTWARE,
    broken,
    built,
    capture,
    codes,
    copy_of,
    judged,
    recorded,
    sealed,
    spool,
)
from tests.unit.wacz.samples import plain

LIES = {**ANSWERS, "/": plain(b"<p>what was never said", "Content-Type: text/html")}


def check(data: bytes, key_log: bytes | None, bond=None):
    return judged(data, bond, key_log=key_log)


def test_without_keys_it_stays_open():
    found = check(capture().wacz, None)
    assert broken(found) == set()
    assert "capture.decryption.no_keys" in codes(found, Status.UNDETERMINED)


@pytest.mark.parametrize(
    ("key_log", "code"),
    [
        (b"", "capture.decryption.differs"),
        (b"CLIENT_RANDOM zz\n", "capture.decryption.malformed"),
        (recorded(LIES)[1], "capture.decryption.differs"),
    ],
)
def test_other_keys_do_not_pass(key_log, code):
    assert code in broken(check(capture().wacz, key_log))


def test_an_archive_that_does_not_follow_from_the_streams_is_found():
    """Whoever writes the manifest himself gets all digests right; the streams still say something else."""
    streams, key_log = recorded()
    untrue, other = recorded(LIES)
    data, bond = sealed({**streams, **built(untrue, other)}, {"keylog.txt": key_log})
    assert broken(judged(data, bond)) == set(), "nothing else can find it"
    assert broken(check(data, key_log, bond)) == {"capture.decryption.differs"}


@pytest.mark.parametrize(
    "name", ["exchanges.jsonl", "tls.jsonl", "messages.jsonl", "session.pcapng", "differences.json"]
)
def test_lists_that_do_not_follow_are_found(name):
    streams, key_log = recorded()
    made = built(streams, key_log)
    data, bond = sealed({**streams, **made, name: made[name] + b" "}, {"keylog.txt": key_log})
    found = check(data, key_log, bond)
    assert "capture.decryption.differs" in broken(found)
    (told,) = [item for item in found.findings if item.code == "capture.decryption.differs"]
    assert told.parameters["name"] == name


def test_another_program_may_decode_otherwise():
    streams, key_log = recorded()
    other = "Evidence Desk 99.0"
    made = built(streams, key_log, software=other)
    assert SOFTWARE.endswith(__version__)
    data, bond = sealed({**streams, **made, "exchanges.jsonl": b""}, {"keylog.txt": key_log}, other)
    found = check(data, key_log, bond)
    assert broken(found) == set()
    assert "capture.decryption.other_program" in codes(found, Status.UNDETERMINED)
    same, bond = sealed({**streams, **made}, {"keylog.txt": key_log}, other)
    assert "capture.decryption.right" in codes(check(same, key_log, bond), Status.PASSED)


def test_an_archive_deflated_by_another_zlib_is_the_same(monkeypatch):
    streams, key_log = recorded()
    with monkeypatch.context() as patch:
        patch.setattr("evidence_desk.wacz.warc.USUAL", 1)
        made = built(streams, key_log)
    assert made[ARCHIVE] != built(streams, key_log)[ARCHIVE]
    data, bond = sealed({**streams, **made}, {"keylog.txt": key_log})
    assert "capture.decryption.right" in codes(check(data, key_log, bond), Status.PASSED)


def test_streams_that_are_left_out_are_told():
    copy = copy_of(capture(), Wish(names=("stream-000003.bin",)), opened={"keylog.txt": capture().key_log})
    found = judged(copy, capture().bond)
    assert broken(found) == set()
    assert "capture.decryption.withheld" in codes(found, Status.UNDETERMINED)


def test_a_withheld_log_of_the_browser_leaves_the_rest_comparable():
    copy = copy_of(capture(), Wish(names=("network.jsonl",)), opened={"keylog.txt": capture().key_log})
    found = judged(copy, capture().bond)
    assert broken(found) == set()
    assert "capture.decryption.right" in codes(found, Status.PASSED)


class Hesitant(io.BytesIO):
    """Gives other threads a turn between going to a place and reading there, as a disk does."""

    def seek(self, *where: int) -> int:
        place = super().seek(*where)
        time.sleep(0.0002)
        return place


def test_what_is_read_by_two_threads_at_once_is_not_mixed_up():
    """The packet capture is made beside the archive, of the same container."""
    for _ in range(3):
        found = verify_capture(
            Hesitant(capture().wacz), bond=capture().bond, trust=NO_TRUST, now=datetime.now(UTC), job=Job(),
            spool=spool, key_log=capture().key_log,
        )  # fmt: skip
        assert "capture.decryption.right" in codes(found, Status.PASSED)


def test_servers_are_judged_at_the_time_of_the_capture():
    found = check(capture().wacz, None)
    assert "capture.server.expired" in codes(found, Status.FAILED), (
        "made today, for a capture that says February"
    )


def test_streams_that_a_forger_made_are_judged_not_crashed_on():
    """Whoever writes manifest and index can put any bytes before the decoder."""
    streams, key_log = recorded()
    made = built(streams, key_log)
    found = 0
    for step in range(60):
        name = ("stream-000001.bin", "stream-000002.bin", "connections.jsonl", "network.jsonl")[step % 4]
        data = bytearray(streams[name] or b"x")
        data[(step * 7919 + 3) % len(data)] ^= 1 << (step % 8)
        wacz, bond = sealed({**streams, **made, name: bytes(data)}, {"keylog.txt": key_log})
        verdict = check(wacz, key_log, bond)
        found += bool(broken(verdict))
        # a moment that lies before the connection was opened changes nothing that follows from it
        assert broken(verdict) or "capture.decryption.right" in codes(verdict, Status.PASSED), (step, name)
    assert found > 45
