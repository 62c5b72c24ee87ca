"""Between protobuf messages of ABCI 2.0 and the port's dataclasses. The only module that touches generated code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from evidence_desk.core.digests import sha256
from evidence_desk.court.node.abci.application import (
    Application,
    Block,
    BlockResult,
    Event,
    Genesis,
    Proposal,
    Query,
    TxResult,
    Validator,
)
from evidence_desk.court.node.abci.pb.tendermint.abci import types_pb2 as pb
from evidence_desk.court.node.abci.pb.tendermint.crypto.keys_pb2 import PublicKey
from evidence_desk.court.node.abci.pb.tendermint.types import params_pb2
from evidence_desk.errors import MalformedError

_SECOND: Final = 10**9
_KEY_SIZE: Final = 32


def parse_request(data: bytes) -> pb.Request:
    """Read one request.

    Raises:
        MalformedError: ``malformed.abci_request`` for bytes that are no request, or an empty one.
    """
    request = pb.Request()
    try:
        request.ParseFromString(data)
    except (DecodeError, RecursionError) as error:
        raise MalformedError("malformed.abci_request", kind="") from error
    if request.WhichOneof("value") is None:
        raise MalformedError("malformed.abci_request", kind="")
    return request


def kind_of(request: pb.Request) -> str:
    """Name of the method asked for, as in the engine's proto file."""
    return request.WhichOneof("value") or ""


def exception(text: str) -> pb.Response:
    """The answer that makes the engine stop."""
    return pb.Response(exception=pb.ResponseException(error=text))


def answer(application: Application, request: pb.Request) -> pb.Response:
    """Ask the application and put its answer into a message.

    Raises:
        MalformedError: ``malformed.abci_request`` for a request whose fields cannot be meant.
    """
    return _METHODS[kind_of(request)](application, request)


def _echo(_application: Application, request: pb.Request) -> pb.Response:
    return pb.Response(echo=pb.ResponseEcho(message=request.echo.message))


def _flush(_application: Application, _request: pb.Request) -> pb.Response:
    return pb.Response(flush=pb.ResponseFlush())


def _info(application: Application, _request: pb.Request) -> pb.Response:
    info = application.info()
    return pb.Response(
        info=pb.ResponseInfo(
            data="court-node",
            version=info.version,
            app_version=info.app_version,
            last_block_height=info.height,
            last_block_app_hash=info.app_hash,
        )
    )


def _init_chain(application: Application, request: pb.Request) -> pb.Response:
    asked = request.init_chain
    genesis = Genesis(
        chain_id=asked.chain_id,
        time_ns=_nanoseconds(asked.time),
        validators=tuple(_validator(item) for item in asked.validators),
        app_state=asked.app_state_bytes,
        initial_height=asked.initial_height,
    )
    result = application.init_chain(genesis)
    params = params_pb2.ConsensusParams()
    params.CopyFrom(asked.consensus_params)
    params.version.app = result.app_version
    return pb.Response(
        init_chain=pb.ResponseInitChain(
            app_hash=result.app_hash, consensus_params=params, validators=_updates(result.validators)
        )
    )


def _query(application: Application, request: pb.Request) -> pb.Response:
    asked = request.query
    result = application.query(
        Query(path=asked.path, data=asked.data, height=asked.height, prove=asked.prove)
    )
    return pb.Response(
        query=pb.ResponseQuery(
            code=result.code,
            key=result.key,
            value=result.value,
            height=result.height,
            log=result.log,
            codespace=result.codespace,
        )
    )


def _check_tx(application: Application, request: pb.Request) -> pb.Response:
    asked = request.check_tx
    result = application.check_tx(asked.tx, recheck=asked.type == pb.RECHECK)
    return pb.Response(
        check_tx=pb.ResponseCheckTx(
            code=result.code, data=result.data, log=result.log, codespace=result.codespace
        )
    )


def _prepare_proposal(application: Application, request: pb.Request) -> pb.Response:
    asked = request.prepare_proposal
    proposal = Proposal(
        height=asked.height,
        time_ns=_nanoseconds(asked.time),
        txs=tuple(asked.txs),
        max_bytes=asked.max_tx_bytes,
    )
    txs = application.prepare_proposal(proposal)
    return pb.Response(prepare_proposal=pb.ResponsePrepareProposal(txs=txs))


def _process_proposal(application: Application, request: pb.Request) -> pb.Response:
    asked = request.process_proposal
    proposal = Proposal(height=asked.height, time_ns=_nanoseconds(asked.time), txs=tuple(asked.txs))
    statuses = pb.ResponseProcessProposal
    status = statuses.ACCEPT if application.process_proposal(proposal) else statuses.REJECT
    return pb.Response(process_proposal=statuses(status=status))


def _finalize_block(application: Application, request: pb.Request) -> pb.Response:
    asked = request.finalize_block
    block = Block(
        height=asked.height,
        time_ns=_nanoseconds(asked.time),
        txs=tuple(asked.txs),
        block_hash=asked.hash,
        misbehaving=tuple(item.validator.address for item in asked.misbehavior),
    )
    return pb.Response(finalize_block=_block_result(application.finalize_block(block)))


def _block_result(result: BlockResult) -> pb.ResponseFinalizeBlock:
    response = pb.ResponseFinalizeBlock(
        app_hash=result.app_hash,
        tx_results=[_tx_result(item) for item in result.results],
        validator_updates=_updates(result.validators),
        events=[_event(item) for item in result.events],
    )
    if result.app_version is not None:
        response.consensus_param_updates.version.app = result.app_version
    return response


def _commit(application: Application, _request: pb.Request) -> pb.Response:
    return pb.Response(commit=pb.ResponseCommit(retain_height=application.commit()))


def _extend_vote(_application: Application, _request: pb.Request) -> pb.Response:
    """Our consensus parameters never enable extensions; an engine that asks follows other rules than ours."""
    raise MalformedError("malformed.abci_request", kind="extend_vote")


def _verify_vote_extension(_application: Application, _request: pb.Request) -> pb.Response:
    statuses = pb.ResponseVerifyVoteExtension
    return pb.Response(verify_vote_extension=statuses(status=statuses.REJECT))


def _list_snapshots(_application: Application, _request: pb.Request) -> pb.Response:
    return pb.Response(list_snapshots=pb.ResponseListSnapshots())


def _offer_snapshot(_application: Application, _request: pb.Request) -> pb.Response:
    results = pb.ResponseOfferSnapshot
    return pb.Response(offer_snapshot=results(result=results.ABORT))


def _load_snapshot_chunk(_application: Application, _request: pb.Request) -> pb.Response:
    return pb.Response(load_snapshot_chunk=pb.ResponseLoadSnapshotChunk())


def _apply_snapshot_chunk(_application: Application, _request: pb.Request) -> pb.Response:
    results = pb.ResponseApplySnapshotChunk
    return pb.Response(apply_snapshot_chunk=results(result=results.ABORT))


_METHODS: Final[dict[str, Callable[[Application, pb.Request], pb.Response]]] = {
    "echo": _echo,
    "flush": _flush,
    "info": _info,
    "init_chain": _init_chain,
    "query": _query,
    "check_tx": _check_tx,
    "commit": _commit,
    "list_snapshots": _list_snapshots,
    "offer_snapshot": _offer_snapshot,
    "load_snapshot_chunk": _load_snapshot_chunk,
    "apply_snapshot_chunk": _apply_snapshot_chunk,
    "prepare_proposal": _prepare_proposal,
    "process_proposal": _process_proposal,
    "extend_vote": _extend_vote,
    "verify_vote_extension": _verify_vote_extension,
    "finalize_block": _finalize_block,
}
METHODS: Final = frozenset(_METHODS)
"""Names of all methods of ABCI 2.0."""


def _nanoseconds(time: Timestamp) -> int:
    return time.seconds * _SECOND + time.nanos


def _validator(update: pb.ValidatorUpdate) -> Validator:
    key = update.pub_key.ed25519
    if len(key) != _KEY_SIZE or update.power < 0:
        raise MalformedError("malformed.abci_request", kind="validator")
    return Validator(public_key=key, power=update.power)


def _updates(validators: Iterable[Validator]) -> list[pb.ValidatorUpdate]:
    return [
        pb.ValidatorUpdate(pub_key=PublicKey(ed25519=item.public_key), power=item.power)
        for item in validators
    ]


def _tx_result(result: TxResult) -> pb.ExecTxResult:
    return pb.ExecTxResult(
        code=result.code,
        data=result.data,
        log=result.log,
        codespace=result.codespace,
        events=[_event(item) for item in result.events],
    )


def _event(event: Event) -> pb.Event:
    attributes = [pb.EventAttribute(key=key, value=value, index=True) for key, value in event.attributes]
    return pb.Event(type=event.type, attributes=attributes)


def validator_address(public_key: bytes) -> bytes:
    """Address of a consensus key: the first 20 bytes of its SHA-256."""
    return sha256(public_key)[:20]
