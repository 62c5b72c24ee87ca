"""What found entries say together, beside a hostile desk that registers, copies and revokes what it likes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.qr_payload import CodePayload
from evidence_desk.core.trust import NO_TRUST
from evidence_desk.core.verdict import Status
from evidence_desk.court.protocol.search import SearchAnswer
from evidence_desk.errors import UsageError
from evidence_desk.services.examination import LookedUp, Outcome
from evidence_desk.services.lookup import look_up
from evidence_desk.services.places import Places
from evidence_desk.services.question import Question, QuestionKind
from evidence_desk.services.standing import network_answer, network_findings
from evidence_desk.verify.answer import Result
from tests.unit.portal.hostile import CERTIFICATE, FILE, Spoiled, half_true
from tests.unit.services.test_lookup_hostile import OneGateway, court_of


def asked(content: bytes) -> Question:
    return Question(kind=QuestionKind.FILE, digests=DigestPair.of(content), size=len(content))


@pytest.fixture
def net() -> Spoiled:
    return Spoiled()


def places(net: Spoiled, *gateways: OneGateway) -> Places:
    return Places(trust=NO_TRUST, now=net.now, court=court_of(net, *gateways))


def answered(net: Spoiled, content: bytes, *gateways: OneGateway) -> tuple[str, Result, LookedUp]:
    looked = places(net, *gateways).ask(asked(content))
    network = looked.court.network
    assert network is not None
    answer = network_answer(looked.question, network)
    return answer.said.code.removeprefix("examination.answer."), answer.result, looked


def test_a_file_since_when(net: Spoiled):
    first = net.register(net.victim, FILE)
    net.register(net.hostile, FILE)
    code, result, looked = answered(net, FILE)
    assert (code, result, looked.court.outcome) == ("court.file", Result.PRESENT, Outcome.FOUND)
    network = looked.court.network
    assert network is not None
    said = network_answer(looked.question, network).said
    assert (said.parameters["height"], said.parameters["count"]) == (first.height, 2)
    found = network_findings(looked.question, network)
    assert [item.status for item in found if item.check == "examination.file"] == [Status.PASSED]


def test_a_half_true_entry_is_about_another_file(net: Spoiled):
    net.register(net.hostile, b"", objects=(half_true(FILE),))
    looked = places(net).ask(asked(FILE))
    assert (looked.court.outcome, looked.court.why.code) == (Outcome.UNDETERMINED, "examination.court.others")


def test_absence_is_told_with_its_height(net: Spoiled):
    looked = places(net).ask(asked(b"never"))
    assert (looked.court.outcome, looked.court.why.code) == (Outcome.ABSENT, "court.lookup.absent")
    assert looked.court.why.parameters["height"]


def test_a_certificate_is_what_its_own_desk_says(net: Spoiled):
    made = net.certify(net.victim)
    net.certify(net.hostile)
    assert answered(net, CERTIFICATE)[:2] == ("court.certificate", Result.PRESENT)
    net.revoke(made)
    assert answered(net, CERTIFICATE)[:2] == ("revoked", Result.UNDETERMINED)


def test_a_copy_revokes_nothing(net: Spoiled):
    net.certify(net.victim)
    net.revoke(net.certify(net.hostile))
    assert answered(net, CERTIFICATE)[:2] == ("court.certificate", Result.PRESENT)


def test_the_eldest_entry_of_a_certificate_must_be_shown(net: Spoiled):
    made = net.certify(net.victim)
    net.certify(net.hostile)
    net.revoke(made)
    hiding = OneGateway(net, lie=lambda answer: net.answer(answer.digest, hidden=(made,)))
    assert answered(net, CERTIFICATE, hiding)[:2] == ("eldest", Result.UNDETERMINED)


def test_lies_and_silence_read_apart(net: Spoiled):
    net.register(net.victim, FILE)

    def emptied(answer: SearchAnswer) -> SearchAnswer:
        return replace(answer, lookups=tuple(replace(item, entries=()) for item in answer.lookups))

    false = places(net, OneGateway(net, lie=emptied)).ask(asked(FILE)).court
    assert (false.outcome, false.why.code) == (Outcome.UNDETERMINED, "examination.court.false")
    assert [item.lied for item in false.faults] == [True]
    none = Places(trust=NO_TRUST, now=net.now).ask(asked(FILE)).court
    assert (none.outcome, none.why.code) == (Outcome.NOT_ASKED, "examination.court.none")
    offline = Places(trust=NO_TRUST, now=net.now, why_no_court=UsageError("examination.offline"))
    assert offline.ask(asked(FILE)).court.why.code == "examination.offline"


def test_what_the_network_cannot_be_asked(net: Spoiled):
    number = Question(kind=QuestionKind.CERTIFICATE_NUMBER, number="EC-0000-0000-0000-0000-0")
    assert places(net).ask(number).court.why.code == "lookup.certificate_number"
    code = CodePayload(leaf_hash=bytes(32), chain_id="demo-another")
    other = places(net).ask(Question(kind=QuestionKind.CODE, code=code)).court
    assert (other.outcome, other.why.code) == (Outcome.NOT_ASKED, "lookup.other_chain")
    assert other.why.parameters["chain"] == "demo-another"


def test_a_failing_entry_does_not_count(net: Spoiled):
    net.register(net.hostile, FILE, bad_note=True)
    outcome = look_up(court_of(net), asked(FILE))
    assert outcome.present is True
    answer = network_answer(asked(FILE), outcome)
    assert (answer.said.code, answer.result) == ("examination.answer.court.untimed", Result.PRESENT)
