"""Look-up through gateways: presence by one proof, absence by two, old answers undetermined, liars named."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from evidence_desk.core.canonical import encode
from evidence_desk.core.digests import sha256
from evidence_desk.core.job import Job
from evidence_desk.court.protocol.state import LookupKind
from evidence_desk.errors import RemoteError
from evidence_desk.services.anchor import anchor
from evidence_desk.services.lookup import look_up_digest
from tests.unit.services.conftest import seal_files
from tests.unit.services.court import CourtClock, HandMadeGateway, court_of, forged


@pytest.fixture
def digests(joined, network, gateway, tmp_path):
    (row,) = seal_files(joined, tmp_path, "a.txt")
    anchor(joined.desk, court_of(network, gateway), (), wait=True, job=Job(), pause=lambda _: None)
    return row.objects[0].stored.digests


def test_presence(digests, network, gateway):
    found = look_up_digest(court_of(network, gateway), digests.sm3)
    assert (found.present, found.asked) == (True, [gateway.url])
    assert [(item.kind, item.count) for item in found.occurrences] == [(LookupKind.OBJECT_SM3, 1)]
    assert [item.code for item in found.caveats] == ["demo.chain"]


@pytest.mark.usefixtures("digests")
def test_absence_is_asked_of_two(network, gateway):
    other = HandMadeGateway(network, url="http://two.example")
    third = HandMadeGateway(network, url="http://three.example")
    found = look_up_digest(court_of(network, gateway, other, third), sha256(b"never"))
    assert (found.present, found.asked) == (False, [gateway.url, other.url])
    assert third.asked == []
    assert found.height == network.height - 1


def test_one_that_lags_behind_cannot_hide_what_is_there(network, gateway, joined, tmp_path):
    early = HandMadeGateway(network, url="http://late.example", frozen=network.height - 1)
    (row,) = seal_files(joined, tmp_path, "late.txt")
    anchor(joined.desk, court_of(network, gateway), (), wait=True, job=Job(), pause=lambda _: None)
    digest = row.objects[0].stored.digests.sha256
    assert look_up_digest(court_of(network, early), digest).present is False, "proven for its height"
    assert look_up_digest(court_of(network, early, gateway), digest).present is True


class Later(CourtClock):
    def now(self) -> datetime:
        return super().now() + timedelta(hours=1)


def test_an_old_answer_leaves_absence_undetermined(network, gateway, digests):
    court = replace(court_of(network, gateway), clock=Later(network))
    found = look_up_digest(court, sha256(b"never"))
    assert (found.present, found.stale) == (None, True)
    assert look_up_digest(court, digests.sha256).present is True, "presence does not age"


def left_out(path: str, data: bytes) -> bytes:
    value = json.loads(data)
    if "/v1/lookup/" in path:
        value["answers"] = value["answers"][1:]
    return encode(value)


def emptied(path: str, data: bytes) -> bytes:
    value = json.loads(data)
    if "/v1/lookup/" in path:
        for item in value["answers"]:
            item["entries"] = []
    return encode(value)


@pytest.mark.parametrize("mend", [forged("/v1/lookup/"), left_out, emptied])
def test_liars_are_named_and_not_believed(network, gateway, digests, mend):
    liar = HandMadeGateway(network, url="http://liar.example", mend=mend)
    found = look_up_digest(court_of(network, liar, gateway), digests.sha256)
    assert found.present is True
    assert [(item.gateway, item.lied) for item in found.faults] == [(liar.url, True)]
    with pytest.raises(RemoteError, match=r"network\.unverified"):
        look_up_digest(court_of(network, liar), digests.sha256)
