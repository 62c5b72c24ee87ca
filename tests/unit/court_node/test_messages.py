import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.court.node.abci.messages import (
    METHODS,
    answer,
    exception,
    kind_of,
    parse_request,
    validator_address,
)
from evidence_desk.court.node.abci.pb.tendermint.abci import types_pb2 as pb
from evidence_desk.court.node.abci.pb.tendermint.crypto.keys_pb2 import PublicKey
from evidence_desk.court.protocol.state import APP_VERSION
from evidence_desk.errors import MalformedError
from tests.unit.court_node.chain import CHAIN, Chain, Desk


def engine_genesis(chain: Chain) -> pb.Request:
    document = chain.document
    request = pb.Request()
    asked = request.init_chain
    asked.chain_id = document.chain_id
    asked.initial_height = 1
    asked.app_state_bytes = document.app_state
    asked.consensus_params.block.max_bytes = 4 << 20
    for item in document.validators:
        asked.validators.append(
            pb.ValidatorUpdate(pub_key=PublicKey(ed25519=item.public_key), power=item.power)
        )
    return request


def ask(chain: Chain, request: pb.Request) -> pb.Response:
    """By way of the wire, as the engine would."""
    response = answer(chain.machine, parse_request(request.SerializeToString()))
    return pb.Response.FromString(response.SerializeToString())


def test_our_methods_are_those_of_abci_2():
    assert {field.name for field in pb.Request.DESCRIPTOR.oneofs_by_name["value"].fields} == METHODS


@pytest.mark.parametrize(
    "method", sorted(METHODS - {"extend_vote", "init_chain", "commit", "finalize_block"})
)
def test_every_method_is_answered_by_its_response(method):
    chain = Chain()
    chain.block()
    request = pb.Request()
    getattr(request, method).SetInParent()
    assert ask(chain, request).WhichOneof("value") == method


def test_a_block_by_way_of_messages():
    chain, desk = Chain(), Desk()
    started = ask(chain, engine_genesis(chain)).init_chain
    assert started.app_hash == chain.genesis_hash
    assert started.consensus_params.version.app == APP_VERSION
    assert started.consensus_params.block.max_bytes == 4 << 20
    good, bad = chain.approved(desk.registration()), b"no transaction"
    assert ask(chain, pb.Request(check_tx=pb.RequestCheckTx(tx=good))).check_tx.code == 0
    assert ask(chain, pb.Request(check_tx=pb.RequestCheckTx(tx=bad))).check_tx.code == 1
    proposed = pb.Request(prepare_proposal=pb.RequestPrepareProposal(txs=[good, bad], max_tx_bytes=1 << 20))
    txs = list(ask(chain, proposed).prepare_proposal.txs)
    assert txs == [good, bad]
    judged = ask(chain, pb.Request(process_proposal=pb.RequestProcessProposal(txs=txs, height=1)))
    assert judged.process_proposal.status == pb.ResponseProcessProposal.ACCEPT
    done = ask(chain, pb.Request(finalize_block=pb.RequestFinalizeBlock(txs=txs, height=1))).finalize_block
    assert [item.code for item in done.tx_results] == [0, 1]
    assert done.app_hash != started.app_hash
    assert not done.HasField("consensus_param_updates")
    assert ask(chain, pb.Request(commit=pb.RequestCommit())).commit.retain_height == 0
    info = ask(chain, pb.Request(info=pb.RequestInfo())).info
    assert (info.last_block_height, info.last_block_app_hash) == (1, done.app_hash)
    assert info.app_version == APP_VERSION
    query = pb.RequestQuery(path="/desk", data=desk.origin.encode())
    answered = ask(chain, pb.Request(query=query)).query
    assert (answered.code, answered.height) == (0, 1)
    assert desk.office.encode() not in answered.log.encode()


def test_snapshots_and_vote_extensions_are_declined():
    chain = Chain()
    offered = ask(chain, pb.Request(offer_snapshot=pb.RequestOfferSnapshot(app_hash=b"x")))
    assert offered.offer_snapshot.result == pb.ResponseOfferSnapshot.ABORT
    assert not ask(chain, pb.Request(list_snapshots=pb.RequestListSnapshots())).list_snapshots.snapshots
    applied = ask(chain, pb.Request(apply_snapshot_chunk=pb.RequestApplySnapshotChunk(chunk=b"x")))
    assert applied.apply_snapshot_chunk.result == pb.ResponseApplySnapshotChunk.ABORT
    asked = pb.Request(verify_vote_extension=pb.RequestVerifyVoteExtension(height=1))
    assert ask(chain, asked).verify_vote_extension.status == pb.ResponseVerifyVoteExtension.REJECT
    with pytest.raises(MalformedError) as caught:
        ask(chain, pb.Request(extend_vote=pb.RequestExtendVote(height=1)))
    assert caught.value.parameters == {"kind": "extend_vote"}


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused_or_are_a_request(data):
    try:
        outcome = kind_of(parse_request(data))
    except MalformedError as error:
        outcome = error.code
    assert outcome in METHODS | {"malformed.abci_request"}


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x0a\x05ab", b"\x0a\x04\x0a\x02\xff\xfe", b"\xfa\x3f\x00"])
def test_no_request(data):
    with pytest.raises(MalformedError):
        parse_request(data)


def test_deep_nesting_is_refused():
    with pytest.raises(MalformedError):
        parse_request(b"\x0b" * 5000)


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 33])
def test_a_genesis_with_other_validator_keys_is_refused(key):
    chain = Chain()
    request = engine_genesis(chain)
    request.init_chain.validators[0].pub_key.ed25519 = key
    with pytest.raises(MalformedError):
        ask(chain, request)


def test_exception_names_the_reason():
    assert exception("node.store").exception.error == "node.store"


def test_addresses_are_the_engines():
    # From `cometbft init` of the pinned version.
    public = bytes.fromhex("fd14d454bad6aa83c0df44669c475ec9a213cdfb0482c5a56f9d0ec555c2526d")
    assert validator_address(public).hex().upper() == "B15E81D7CF644A4DFC776A2132856124081E3D5F"
    assert CHAIN.startswith("demo-")
