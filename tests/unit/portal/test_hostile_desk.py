"""One hostile desk against everybody's look-up: what it registers counts for nothing but itself."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from evidence_desk.core.canonical import encode
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.leaf import BlindedObject, LeafType, PlainObject, objects_root
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.verdict import Status
from evidence_desk.court.node.portal.answer import Questions, Shown
from evidence_desk.court.protocol.actions import ObjectList
from evidence_desk.court.protocol.network_file import encode_network
from evidence_desk.court.protocol.search import FoundVerdict, SearchAnswer, encode_leaf_answer, verify_found
from tests.unit.court.network import judge_token
from tests.unit.portal.engine import Browser
from tests.unit.portal.hostile import CERTIFICATE, FILE, Spoiled, half_true

PAIR = DigestPair.of(FILE)


@pytest.fixture
def net() -> Spoiled:
    return Spoiled()


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def by_file(
    browser: Browser, net: Spoiled, *answers: SearchAnswer, content: bytes = FILE, now: datetime | None = None
) -> Any:
    """Report of the page about a file."""
    pair = DigestPair.of(content)
    given = answers or (net.answer(pair.sha256), net.answer(pair.sm3))
    return browser.ask(
        "report", answers=[_text(item.encode()) for item in given], digests=[_text(pair.sha256), _text(pair.sm3)],
        size=len(content), trust=encode_network(net.trust), now=_milliseconds(now or net.now),
    )["report"]  # fmt: skip


def by_digest(browser: Browser, net: Spoiled, answer: SearchAnswer, now: datetime | None = None) -> Any:
    return browser.ask(
        "report", answers=[_text(answer.encode())], asked=answer.digest, trust=encode_network(net.trust),
        now=_milliseconds(now or net.now),
    )["report"]  # fmt: skip


def by_server(net: Spoiled, digest: bytes, now: datetime | None = None) -> Shown:
    asking = Questions(finder=net, trust=net.trust, now=now or net.now, say=str)
    return asyncio.run(asking.answer(digest.hex()))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def notes(report: Any) -> dict[str, Any]:
    listed = report.notes if isinstance(report, Shown) else report["notes"]
    return {
        item if isinstance(item, str) else item[0]: {} if isinstance(item, str) else dict(item[1])
        for item in listed
    }


def statuses(report: Any) -> list[str]:
    if isinstance(report, Shown):
        return [item.status.value for item in report.records]
    return [item["status"] for item in report["records"]]


def test_a_record_under_a_wrong_note_refutes_no_other(browser: Browser, net: Spoiled):
    honest = net.register(net.victim, FILE)
    net.register(net.hostile, FILE, bad_note=True)
    digest = by_digest(browser, net, net.answer(PAIR.sha256))
    for report in (by_file(browser, net), digest):
        assert (report["outcome"], report["facts"]["height"], report["facts"]["count"]) == (
            "present",
            honest.height,
            1,
        )
        assert statuses(report) == ["passed", "failed"]
        assert notes(report)["portal.note.failed"] == {"count": 1}
    shown = by_server(net, PAIR.sha256)
    assert (shown.outcome, shown.facts["height"], statuses(shown)) == (
        "present",
        honest.height,
        ["passed", "failed"],
    )
    assert notes(shown)["portal.note.failed"] == {"count": 1}


def test_where_nothing_else_is_on_record_the_wrong_one_is_told(browser: Browser, net: Spoiled):
    net.register(net.hostile, FILE, bad_note=True)
    report = by_file(browser, net)
    assert (report["outcome"], report["reason"]["code"]) == ("failed", "court.note.wrong")
    assert by_server(net, PAIR.sha256).outcome == "failed"


def test_a_false_look_up_is_refused_whole(browser: Browser, net: Spoiled):
    net.register(net.victim, FILE)
    good = net.answer(PAIR.sha256)
    emptied = replace(good, lookups=tuple(replace(item, entries=()) for item in good.lookups))
    report = by_file(browser, net, emptied, net.answer(PAIR.sm3))
    assert (report["outcome"], report["records"]) == ("failed", [])
    assert by_digest(browser, net, emptied)["outcome"] == "failed"


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("eldest", [True, False])
def test_a_half_true_pair_is_not_this_file(browser: Browser, net: Spoiled, first: bool, eldest: bool):
    if eldest:
        net.register(net.hostile, b"", objects=(half_true(FILE, first=first),))
    honest = net.register(net.victim, FILE)
    if not eldest:
        net.register(net.hostile, b"", objects=(half_true(FILE, first=first),))
    report = by_file(browser, net)
    assert (report["outcome"], report["facts"]["height"], report["facts"]["count"]) == (
        "present",
        honest.height,
        1,
    )
    assert statuses(report) == ["passed"]
    assert notes(report) == {"portal.note.half": {"count": 1}}


@pytest.mark.parametrize(
    "objects",
    [
        (half_true(FILE), half_true(FILE, first=False)),
        (PlainObject(digests=PAIR, size=len(FILE) + 1),),
    ],
)
def test_both_digests_in_two_objects_or_with_another_size(browser: Browser, net: Spoiled, objects: Any):
    net.register(net.hostile, b"", objects=objects)
    report = by_file(browser, net)
    assert (report["outcome"], report["code"]) == ("absent", "portal.answer.absent.half")
    net.register(net.victim, FILE)
    report = by_file(browser, net)
    assert (report["outcome"], statuses(report)) == ("present", ["passed"])


def test_a_half_true_list(browser: Browser, net: Spoiled):
    entries = (half_true(FILE), PlainObject(digests=DigestPair.of(b"x"), size=1))
    desk = net.hostile
    desk.leaf(b"", objects=(), root=objects_root(entries), count=2)
    lists = (ObjectList(seq=0, objects=tuple(encode(item.to_json()) for item in entries)),)
    assert net.chain.run(desk.submission(0, objects=lists)) == [0]
    honest = net.register(net.victim, FILE)
    net.entered[leaf_hash(desk.leaves[0])] = replace(
        honest, desk=desk, seq=0, height=honest.height - 1, note=desk.note()
    )
    report = by_file(browser, net)
    assert (report["outcome"], statuses(report)) == ("present", ["passed"])
    assert notes(report) == {"portal.note.half": {"count": 1}}


def test_answers_of_different_heights_make_no_half(browser: Browser, net: Spoiled):
    net.register(net.hostile, b"something else")
    early = net.answer(PAIR.sha256)
    net.register(net.victim, FILE)
    report = by_file(browser, net, early, net.answer(PAIR.sm3))
    assert (report["outcome"], statuses(report)) == ("present", ["passed"]), "the leaf itself has both"


def test_an_old_answer_shows_no_absence_beside_a_half(browser: Browser, net: Spoiled):
    net.register(net.hostile, b"", objects=(half_true(FILE),))
    late = net.now + timedelta(minutes=30)
    assert by_file(browser, net, now=late)["code"] == "portal.answer.stale"


def test_nor_where_every_kind_of_either_digest_was_filled(browser: Browser, net: Spoiled):
    for digest in (PAIR.sha256, PAIR.sm3):
        same = DigestPair(sha256=digest, sm3=digest)
        net.register(
            net.hostile, b"", objects=(PlainObject(digests=same, size=1), BlindedObject(blinded=digest))
        )
        net.register(
            net.hostile, b"", type=LeafType.CERTIFICATE_ISSUED, statement=None, objects=(),
            facts={"certificate": {**same.to_json()}},
        )  # fmt: skip
    assert by_file(browser, net)["code"] == "portal.answer.absent.half"
    late = net.now + timedelta(minutes=30)
    assert by_file(browser, net, now=late)["code"] == "portal.answer.stale"


# --- certificates -----------------------------------------------------------------------------------------------


def test_a_hostile_desk_revokes_its_own_copy_only(browser: Browser, net: Spoiled):
    net.certify(net.victim)
    net.revoke(net.certify(net.hostile))
    digest = sha256(CERTIFICATE)
    for report in (by_file(browser, net, content=CERTIFICATE), by_digest(browser, net, net.answer(digest))):
        assert report["outcome"] == "present"
    assert by_server(net, digest).outcome == "present"


def test_a_copy_does_not_outlive_the_revocation(browser: Browser, net: Spoiled):
    own = net.certify(net.victim)
    net.revoke(own)
    net.certify(net.hostile)
    digest = sha256(CERTIFICATE)
    for report in (by_file(browser, net, content=CERTIFICATE), by_digest(browser, net, net.answer(digest))):
        assert (report["outcome"], report["code"]) == ("undetermined", "portal.answer.revoked")
    assert by_server(net, digest).code == "portal.answer.revoked"
    # Nor when the gateway keeps the revoked one back.
    report = by_digest(browser, net, net.answer(digest, hidden=(own,)))
    assert (report["outcome"], report["reason"]["code"]) == ("undetermined", "portal.shown.eldest")


# --- what is not shown ------------------------------------------------------------------------------------------


def test_entries_without_proof_are_told(browser: Browser, net: Spoiled):
    first, second = net.register(net.victim, FILE), net.register(net.hostile, FILE)
    report = by_digest(browser, net, net.answer(PAIR.sha256, hidden=(second,)))
    assert (report["outcome"], report["facts"]["height"]) == ("present", first.height)
    assert notes(report)["portal.note.more"] == {"shown": 1, "count": 2}
    assert "portal.note.earlier" not in notes(report)
    report = by_digest(browser, net, net.answer(PAIR.sha256, hidden=(first,)))
    assert (report["outcome"], report["facts"]["height"]) == ("present", second.height)
    assert notes(report)["portal.note.earlier"] == {"height": first.height}
    report = by_digest(browser, net, net.answer(PAIR.sha256, hidden=(first, second)))
    assert (report["outcome"], report["code"]) == ("present", "portal.answer.present.bare")


def test_failures_all_around_hide_no_presence(browser: Browser, net: Spoiled):
    net.register(net.hostile, FILE, bad_note=True)
    honest = net.register(net.victim, FILE)
    report = by_digest(browser, net, net.answer(PAIR.sha256, hidden=(honest,)))
    assert (report["outcome"], report["code"], report["facts"]["count"]) == (
        "present",
        "portal.answer.present.bare",
        1,
    )


# --- headers without token --------------------------------------------------------------------------------------


def test_an_old_record_is_there_but_its_time_is_open(browser: Browser, net: Spoiled):
    """Neither browser nor page judges tokens: after 30 days today's state still has the entry."""
    honest = net.register(net.victim, FILE)
    net.wait(timedelta(days=31))
    for report in (by_file(browser, net), by_digest(browser, net, net.answer(PAIR.sha256))):
        assert (report["outcome"], report["code"]) == ("present", "portal.answer.present.untimed")
        assert report["facts"] == {"count": 1, "height": honest.height, "asof": net.height}
        assert report["records"][0]["proven"] is None
    shown = by_server(net, PAIR.sha256)
    assert (shown.outcome, shown.code) == ("present", "portal.answer.present.untimed")
    later = net.register(net.hostile, FILE)
    report = by_file(browser, net)
    assert (report["outcome"], report["facts"]["height"]) == ("present", later.height)
    assert notes(report)["portal.note.earlier"] == {"height": honest.height}
    assert notes(by_server(net, PAIR.sha256))["portal.note.earlier"] == {"height": honest.height}


def test_an_old_record_that_was_revoked_is_revoked(browser: Browser, net: Spoiled):
    own = net.certify(net.victim)
    net.wait(timedelta(days=31))
    net.revoke(own)
    assert by_file(browser, net, content=CERTIFICATE)["code"] == "portal.answer.revoked"
    assert by_server(net, sha256(CERTIFICATE)).code == "portal.answer.revoked"


def test_a_fresh_header_does_not_vouch_for_a_forged_old_one(browser: Browser, net: Spoiled):
    """Leaked keys of retired validators sign an old header H+1 and one dated today: both verifiers refuse the old one."""
    forged = net.register(net.hostile, FILE)
    net.wait(timedelta(days=31))
    item = net.found(forged)
    assert item.court.current is not None
    verdict = verify_found(item, trust=net.trust, token=judge_token, now=net.now)
    assert _doubts(verdict) == {"court.token.missing"}
    assert verdict.court is not None
    assert verdict.court.anchored_at is None
    told = browser.ask(
        "leaf", data=encode_leaf_answer(item), asked=forged.digest, trust=encode_network(net.trust),
        now=_milliseconds(net.now),
    )["answer"]  # fmt: skip
    assert {one["code"] for one in told["findings"] if one["status"] != "passed"} == {"court.token.missing"}
    assert told["proven"] is None


def _doubts(verdict: FoundVerdict) -> set[str]:
    found = (*verdict.findings, *(verdict.court.findings if verdict.court else ()))
    return {item.code for item in found if item.status is not Status.PASSED}
