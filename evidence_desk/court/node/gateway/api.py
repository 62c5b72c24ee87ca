"""The JSON API (docs/spec/gateway.md, openapi.json)."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from evidence_desk.core.canonical import JSON
from evidence_desk.core.digests import parse_hex
from evidence_desk.court.node.gateway.answers import checked
from evidence_desk.court.node.gateway.context import GatewayContext
from evidence_desk.court.node.gateway.reading import (
    MAX_LEAVES,
    flag,
    leaves_of,
    number_of,
    one_number,
    origin_of,
    query_of,
    read_body,
    read_leaves,
)
from evidence_desk.court.node.gateway.refusals import JSON_TYPE, json_response
from evidence_desk.court.node.gateway.registrations import MAX_REGISTRATION
from evidence_desk.court.protocol.keybag_request import MAX_KEYBAG
from evidence_desk.court.protocol.light_block import from_base64, items, number, to_base64
from evidence_desk.court.protocol.part import timed_json
from evidence_desk.court.protocol.search import encode_leaf_answer, encode_numbers
from evidence_desk.court.protocol.transactions import MAX_TRANSACTION
from evidence_desk.errors import MalformedError, NotFoundError

VERSION: Final = "gateway/1"
_BINARY: Final = "application/octet-stream"
_MAX_PAGE: Final = 1_000
_ORIGIN: Final = "{desk}/{id}/{epoch}"


class Api:
    """Handlers over a gateway's parts."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context
        self._openapi = files(__package__).joinpath("openapi.json").read_bytes()

    def routes(self) -> list[BaseRoute]:
        """All routes, as openapi.json tells them."""
        proofs = f"/v1/proofs/{_ORIGIN}/{{size}}"
        bag = "/v1/keybags/{desk}/{id}"
        return [
            Route("/v1/network", self.network),
            Route("/v1/trust/network.json", self.trust),
            Route("/v1/openapi.json", self.openapi),
            Route("/v1/transactions", self.submit, methods=["POST"]),
            Route("/v1/transactions/{transaction}", self.transaction),
            Route(f"/v1/logs/{_ORIGIN}", self.log),
            Route(f"/v1/logs/{_ORIGIN}/leaves", self.leaves),
            Route(f"/v1/logs/{_ORIGIN}/notes/{{size}}", self.note),
            Route(proofs, self.proof),
            Route(proofs, self.proofs, methods=["POST"]),
            Route("/v1/lookup/{digest}", self.lookup),
            Route("/v1/numbers/{number}", self.numbers),
            Route("/v1/leaves/{leaf}", self.leaf),
            Route("/v1/headers/{height}", self.header),
            Route("/v1/registrations", self.register, methods=["POST"]),
            Route(bag, self.get_keybag),
            Route(bag, self.put_keybag, methods=["PUT"]),
            Route(bag, self.delete_keybag, methods=["DELETE"]),
        ]

    # --- the network ----------------------------------------------------------------------------------------------

    async def network(self, request: Request) -> Response:
        """Which network this is, how far it is, and what this gateway takes."""
        query_of(request, frozenset())
        context = self._context
        tip = await context.chain.tip()
        names = await context.answers.institutions(context.trust.institutions, tip.validators)
        validators: list[JSON] = [
            {
                "address": item.address.hex(),
                "institution": names.get(item.address, ""),
                "power": item.power,
            }
            for item in tip.validators.validators
        ]
        return json_response(
            {
                "v": VERSION,
                "chain_id": context.chain_id,
                "demo": context.trust.demo,
                "height": tip.header.height,
                "time": tip.header.time.text(),
                "registration": "automatic" if context.registrations.automatic else "vote",
                "keybags": context.settings.keybags,
                "limits": {"transaction_bytes": MAX_TRANSACTION, "leaves_per_proof": MAX_LEAVES},
                "validators": validators,
            }
        )

    async def trust(self, request: Request) -> Response:
        """The network file that this gateway starts from; an asker should have his own."""
        query_of(request, frozenset())
        return _bytes(self._context.network)

    async def openapi(self, request: Request) -> Response:
        """Description of this API."""
        query_of(request, frozenset())
        return _bytes(self._openapi)

    async def header(self, request: Request) -> Response:
        """A block with its token, where there is one."""
        query_of(request, frozenset())
        height = number_of(request.path_params["height"], name="height")
        block = await self._context.chain.block(height) if height else None
        if block is None:
            raise NotFoundError("api.not_found")
        return json_response({"v": "header/1", "timed": timed_json(self._context.answers.timed(block))})

    # --- transactions ---------------------------------------------------------------------------------------------

    async def submit(self, request: Request) -> Response:
        """Take a transaction."""
        query_of(request, frozenset())
        await self._context.submissions.admit()
        data = await read_body(request, MAX_TRANSACTION, what="transaction")
        done = await self._context.submissions.submit(data)
        return json_response({"id": done.id.hex(), "code": done.code}, 200 if done.code else 202)

    async def transaction(self, request: Request) -> Response:
        """Whether a transaction was executed, as this node says: not proven."""
        query_of(request, frozenset())
        identity = parse_hex(request.path_params["transaction"], what="transaction")
        executed = await self._context.answers.executed(identity)
        return json_response({"id": identity.hex(), "executed": executed})

    async def register(self, request: Request) -> Response:
        """Take a desk's request to be registered."""
        query_of(request, frozenset())
        data = await read_body(request, MAX_REGISTRATION, what="registration")
        client = request.client.host if request.client else ""
        done = await self._context.registrations.register(data, client)
        if not done.approved:
            return json_response({"status": "pending", "id": done.id.hex()}, 202)
        return json_response({"status": "approved", "demo": True, "id": done.id.hex()}, 202)

    # --- logs -----------------------------------------------------------------------------------------------------

    async def log(self, request: Request) -> Response:
        """A desk's entry, or proof that there is none."""
        query = query_of(request, frozenset({"from"}))
        since = one_number(query, "from", 0)
        return _bytes((await self._context.answers.desk(origin_of(request), since)).encode())

    async def leaves(self, request: Request) -> Response:
        """Leaves with their envelopes; they prove themselves by the log's root."""
        query = query_of(request, frozenset({"start", "count"}))
        origin = origin_of(request)
        start, count = one_number(query, "start", 0), one_number(query, "count", _MAX_PAGE)
        if not 1 <= count <= _MAX_PAGE:
            raise MalformedError("malformed.api_query", name="count")
        data = origin.encode() + b"\n" + start.to_bytes(8, "big") + count.to_bytes(8, "big")
        found = await self._context.answers.row("/leaves", data)
        page = checked(lambda: items(found["leaves"], count))
        return json_response({"v": "leaves/1", "origin": origin, "start": start, "leaves": page})

    async def note(self, request: Request) -> Response:
        """The smallest accepted checkpoint of at least a size."""
        query_of(request, frozenset())
        size = number_of(request.path_params["size"], name="size")
        data = origin_of(request).encode() + b"\n" + size.to_bytes(8, "big")
        found = await self._context.answers.row("/note", data)
        size, note = checked(lambda: (number(found["size"]), to_base64(from_base64(found["note"]))))
        return json_response({"v": "note/1", "size": size, "note": note})

    async def proof(self, request: Request) -> Response:
        """An accepted checkpoint with the events of leaves named in the URL."""
        return await self._proof(request, leaves_of(query_of(request, _PROOF)))

    async def proofs(self, request: Request) -> Response:
        """The same for leaves named in the body."""
        query_of(request, _PROOF - {"leaf"})
        return await self._proof(request, await read_leaves(request))

    async def _proof(self, request: Request, leaves: list[bytes]) -> Response:
        query = query_of(request, _PROOF)
        size = number_of(request.path_params["size"], name="size")
        answer = await self._context.answers.anchor(
            origin_of(request), size, leaves, since=one_number(query, "from", 0), fresh=flag(query, "fresh")
        )
        return _bytes(answer.encode())

    # --- look-ups -------------------------------------------------------------------------------------------------

    async def lookup(self, request: Request) -> Response:
        """Occurrences of a digest."""
        query_of(request, frozenset())
        digest = parse_hex(request.path_params["digest"], what="digest")
        return _bytes((await self._context.finder.search(digest)).encode())

    async def numbers(self, request: Request) -> Response:
        """Leaves with an evidence number."""
        query_of(request, frozenset())
        text, found = await self._context.finder.numbers(request.path_params["number"])
        return _bytes(encode_numbers(text, found))

    async def leaf(self, request: Request) -> Response:
        """A leaf with its proof."""
        query_of(request, frozenset())
        digest = parse_hex(request.path_params["leaf"], what="leaf")
        return _bytes(encode_leaf_answer(await self._context.finder.leaf(digest)))

    # --- keybags --------------------------------------------------------------------------------------------------

    async def get_keybag(self, request: Request) -> Response:
        """The copy of a keybag, to who holds the desk's key."""
        family, authorization = self._keybag(request)
        found = await self._context.keybags.get(family, authorization, request.state.charge)
        return _bytes(found, _BINARY)

    async def put_keybag(self, request: Request) -> Response:
        """Keep a copy."""
        family, authorization = self._keybag(request)
        data = await read_body(request, MAX_KEYBAG, what="keybag")
        await self._context.keybags.put(family, authorization, data, request.state.charge)
        return Response(status_code=204)

    async def delete_keybag(self, request: Request) -> Response:
        """Delete the copy."""
        family, authorization = self._keybag(request)
        await self._context.keybags.delete(family, authorization, request.state.charge)
        return Response(status_code=204)

    def _keybag(self, request: Request) -> tuple[str, str]:
        query_of(request, frozenset())
        if not self._context.settings.keybags:
            raise NotFoundError("api.no_keybags")
        family = f"{request.path_params['desk']}/{request.path_params['id']}"
        return family, request.headers.get("authorization", "")


_PROOF: Final = frozenset({"leaf", "from", "fresh"})


def _bytes(data: bytes, kind: str = JSON_TYPE) -> Response:
    return Response(data, media_type=kind)
