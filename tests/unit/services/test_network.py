"""Joining and status against gateways made by hand; anchoring by file."""

from __future__ import annotations

import json

import pytest

from evidence_desk.core.canonical import encode
from evidence_desk.core.job import Job
from evidence_desk.court.protocol.carried import OutboxFile, parse_outbox
from evidence_desk.court.protocol.network_file import encode_network
from evidence_desk.errors import ConfigurationError, IntegrityError, MalformedError, RemoteError, UsageError
from evidence_desk.services.anchor import anchor
from evidence_desk.services.carry import carry, export_outbox, import_answers
from evidence_desk.services.network import agreed_chain, introduce, register, status
from evidence_desk.services.revoke import correct
from tests.unit.court_node.chain import CHAIN
from tests.unit.services.conftest import seal_files
from tests.unit.services.court import HandMadeGateway, court_of, forged


def still(_seconds: float) -> None:
    """Nobody waits in a test."""


def codes(found) -> list[str]:
    return list(found.advice)


def test_registration_waits_for_the_institutions(session, network):
    slow = HandMadeGateway(network, automatic=False)
    court = court_of(network, slow)
    outcome = register(session.desk, court, session.registry_keys(), job=Job(), pause=still)
    assert (outcome.status, outcome.entry, outcome.demo) == ("pending", None, True)
    assert codes(status(session.desk, court)) == ["network.advice.register", "network.advice.one_gateway"]
    network.approve(
        parse_outbox(
            export_outbox(session.desk, court, session.registry_keys(), job=Job()).encode()
        ).registration
    )
    again = register(session.desk, court, session.registry_keys(), job=Job(), pause=still)
    assert again.status == "registered"
    assert again.entry is not None


def test_another_desk_under_our_name_is_told(joined, network, gateway):
    keys = joined.registry_keys()
    joined.vault._desk_keys.prepare(joined.vault.origin, bytes(32), *_sm2())
    joined.vault._desk_keys.promote(joined.vault.origin)
    joined.vault._signer = None
    with pytest.raises(ConfigurationError, match=r"anchor\.other_keys"):
        register(joined.desk, court_of(network, gateway), keys, job=Job(), pause=still)


def _sm2() -> tuple[bytes, bytes]:
    from evidence_desk.crypto.guomi import generate_sm2  # noqa: PLC0415

    return generate_sm2()


def test_status_names_what_is_wrong(joined, network, gateway, tmp_path):
    seal_files(joined, tmp_path, "a.txt")
    liar = HandMadeGateway(network, url="http://liar.example", mend=forged("/v1/logs/"))
    deaf = HandMadeGateway(network, url="http://deaf.example", deaf=True)
    found = status(joined.desk, court_of(network, liar, deaf, gateway))
    assert [item.fault is not None and item.fault.lied for item in found.gateways] == [True, False, False]
    assert found.agrees is True
    assert (found.ours, found.anchored, found.outbox.waiting) == (2, 0, 2)
    assert codes(found) == ["network.advice.anchor", "network.advice.lied"]
    assert codes(status(joined.desk, court_of(network, deaf))) == [
        "network.advice.unreachable",
        "network.advice.one_gateway",
    ]
    assert codes(status(joined.desk, court_of(network))) == ["network.advice.off_line"]


def test_chains_must_be_those_of_the_trust_root(network, gateway):
    given = encode_network(network.trust)
    assert agreed_chain([gateway], {CHAIN: given, "other": b""}, []) == CHAIN
    assert agreed_chain([], {CHAIN: given}, []) == CHAIN
    for gateways, networks, code in (
        ([gateway], {}, "network.no_trust"),
        ([gateway], {"other": given}, "network.other_chain"),
        ([], {CHAIN: given, "other": given}, "network.which"),
    ):
        with pytest.raises(UsageError, match=code):
            agreed_chain(gateways, networks, [])
    with pytest.raises(RemoteError, match=r"gateway\.silent"):
        agreed_chain([HandMadeGateway(network, deaf=True)], {CHAIN: given}, [])


@pytest.mark.parametrize("body", [b"[]", b"{}", b"not json", b'{"v":"gateway/2"}'])
def test_an_introduction_in_another_form_is_refused(network, body):
    with pytest.raises(RemoteError, match=r"gateway\.malformed"):
        introduce(HandMadeGateway(network, mend=lambda _path, _data: body))


# --- by file --------------------------------------------------------------------------------------------------


def taken(session, network, gateway) -> tuple[OutboxFile, bytes]:
    court = court_of(network)
    outbox = export_outbox(session.desk, court, session.registry_keys(), job=Job())
    outcome = carry(outbox.encode(), court_of(network, gateway), job=Job(), pause=still)
    assert outcome.answers is not None
    assert outcome.missing == 0
    return outbox, outcome.answers.encode()


def test_there_and_back(session, network, gateway, tmp_path):
    (row,) = seal_files(session, tmp_path, "a.txt")
    outbox, answers = taken(session, network, gateway)
    assert (bool(outbox.registration), len(outbox.transactions)) == (True, 1)
    outcome = import_answers(session.desk, court_of(network), answers, (), job=Job())
    assert (outcome.size, outcome.waiting, outcome.proofs) == (2, 0, 1)
    found = session.vault.exhibits.exhibit(row.leaf_hash)
    assert found is not None
    assert found.anchored is not None
    correct(session.desk, row, note="页码有误")
    outbox, answers = taken(session, network, gateway)
    assert not outbox.registration
    import_answers(session.desk, court_of(network), answers, (), job=Job())
    # What the correction changes is known when it is on chain: the next file asks for the exhibit's proof again.
    outbox, answers = taken(session, network, gateway)
    assert [item.size for item in outbox.wanted] == [2]
    import_answers(session.desk, court_of(network), answers, (), job=Job())
    kept = session.vault.court.exhibit_anchor(row.leaf_hash)
    assert kept is not None
    assert not kept.stale
    assert len(json.loads(kept.events)["leaves"]) == 1


def test_a_carrier_does_not_miss_a_correction(session, network, gateway, tmp_path):
    """Neither because a gateway lags behind, nor because the exhibit's own state still does not know of it."""
    (row,) = seal_files(session, tmp_path, "a.txt")
    _, answers = taken(session, network, gateway)
    import_answers(session.desk, court_of(network), answers, (), job=Job())
    asked = encode({"leaves": [row.leaf_hash.hex()]})
    old = gateway.post(f"/v1/proofs/{session.desk.origin}/2?fresh=1", asked)
    late = HandMadeGateway(
        network, url="http://late.example", mend=lambda path, data: old if "/v1/proofs/" in path else data
    )
    correct(session.desk, row, note="页码有误")
    _, answers = taken(session, network, gateway)
    import_answers(session.desk, court_of(network), answers, (), job=Job())
    outbox = export_outbox(session.desk, court_of(network), session.registry_keys(), job=Job())
    assert ([item.size for item in outbox.wanted], outbox.transactions) == ([2], ())
    outcome = carry(outbox.encode(), court_of(network, late, gateway), job=Job(), pause=still)
    assert outcome.answers is not None
    (answer,) = outcome.answers.anchors
    assert len(answer.part(row.leaf_hash).events.events) == 1


def test_answers_are_verified_again(session, network, gateway, tmp_path):
    (row,) = seal_files(session, tmp_path, "a.txt")
    _, answers = taken(session, network, gateway)
    value = json.loads(answers)
    value["anchors"][0]["index"] += 1
    with pytest.raises(IntegrityError):
        import_answers(session.desk, court_of(network), encode(value), (), job=Job())
    for changed in ({"chain_id": "demo-other-1"}, {"origin": session.desk.origin[:-1] + "2"}):
        other = json.loads(answers) | changed
        with pytest.raises(MalformedError, match="outbox"):
            import_answers(session.desk, court_of(network), encode(other), (), job=Job())
    kept = session.vault.exhibits.exhibit(row.leaf_hash)
    assert kept is not None
    assert kept.anchored is None
    import_answers(session.desk, court_of(network), answers, (), job=Job())


def test_a_carrier_goes_on_where_it_stopped(session, network, gateway, tmp_path):
    seal_files(session, tmp_path, "a.txt")
    outbox = export_outbox(session.desk, court_of(network), session.registry_keys(), job=Job()).encode()
    slow = HandMadeGateway(network, automatic=False)
    first = carry(outbox, court_of(network, slow), job=Job(), pause=still)
    assert (first.registered, first.missing) == (False, 1)
    thief = HandMadeGateway(network, withholds=True)
    second = carry(outbox, court_of(network, thief), job=Job(), pause=still)
    assert (second.registered, second.missing) == (True, 1)
    for _ in range(2):
        assert carry(outbox, court_of(network, gateway), job=Job(), pause=still).sizes == [2]


def test_a_carrier_refuses_what_is_not_an_outbox(joined, network, gateway, tmp_path):
    seal_files(joined, tmp_path, "a.txt")
    good = export_outbox(joined.desk, court_of(network), joined.registry_keys(), job=Job())
    from dataclasses import replace  # noqa: PLC0415

    other = good.origin.replace("desk.test", "desk.best")
    for wrong in (
        replace(good, origin=other),
        replace(good, transactions=(good.registration,)),
        replace(good, registration=good.transactions[0]),
        replace(good, transactions=(b"\x00",)),
    ):
        with pytest.raises(MalformedError):
            carry(wrong.encode(), court_of(network, gateway), job=Job(), pause=still)


def test_a_desk_that_was_offline_goes_on_line(session, network, gateway, tmp_path):
    seal_files(session, tmp_path, "a.txt")
    _, answers = taken(session, network, gateway)
    outcome = anchor(session.desk, court_of(network, gateway), (), wait=True, job=Job(), pause=still)
    assert (outcome.before, outcome.size, outcome.proofs) == (2, 2, 1)
    import_answers(session.desk, court_of(network), answers, (), job=Job())
