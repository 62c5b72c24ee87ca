"""What every request passes; failures look alike and tell nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from evidence_desk.court.node.gateway import door
from evidence_desk.court.node.gateway.app import HANDLERS
from evidence_desk.court.node.gateway.door import Door
from evidence_desk.court.node.gateway.limits import RateLimit
from evidence_desk.errors import IntegrityError, MalformedError, PermissionDeniedError
from tests.unit.court_gateway.test_limits import Time

SECRET = "name of a party"


async def fine(_: Request) -> Response:
    return PlainTextResponse("fine", headers={"Content-Security-Policy": "mine"})


async def bug(_: Request) -> Response:
    raise RuntimeError(SECRET)


async def slow(_: Request) -> Response:
    await asyncio.sleep(60)
    return PlainTextResponse("late")


async def breaks(_: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"begun"
        raise RuntimeError(SECRET)

    return StreamingResponse(parts())


async def malformed(_: Request) -> Response:
    raise MalformedError("malformed.too_large", what="x", limit=1)


async def denied(_: Request) -> Response:
    raise PermissionDeniedError("keybag_request.key")


async def wrong(_: Request) -> Response:
    raise IntegrityError("court.inclusion", index=1)


async def dear(request: Request) -> Response:
    for _ in range(3):
        request.state.charge(10)
    return PlainTextResponse("done")


ENDPOINTS = (fine, bug, slow, breaks, malformed, denied, wrong, dear)


def behind(burst: int = 100) -> Door:
    routes = [Route(f"/{item.__name__}", item) for item in ENDPOINTS]
    inner = Starlette(routes=routes, exception_handlers=HANDLERS)
    return Door(inner, RateLimit(1, burst, Time()), tls=True)


def ask(*paths: str, burst: int = 100, method: str = "GET", **how: object) -> list[httpx.Response]:
    app = behind(burst)

    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
            return [await client.request(method, f"/{path}", **how) for path in paths]  # type: ignore[arg-type]

    return asyncio.run(run())


def test_headers_are_added_and_none_is_replaced():
    [answer] = ask("fine")
    assert answer.text == "fine"
    assert answer.headers["content-security-policy"] == "mine"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "max-age" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("malformed", 413, "malformed.too_large"),
        ("denied", 403, "keybag_request.key"),
        ("wrong", 503, "court.inclusion"),
    ],
)
def test_our_errors(path, status, code):
    [answer] = ask(path)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert ("retry-after" in answer.headers) is (status == 503)


def test_a_bug_tells_nothing():
    with structlog.testing.capture_logs() as logs:
        [answer] = ask("bug")
    assert (answer.status_code, answer.json()["error"]) == (500, "bug")
    assert SECRET not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert SECRET not in json.dumps(logs)
    assert [item["kind"] for item in logs] == ["RuntimeError"]


def test_an_answer_that_breaks_off_stays_broken():
    """It is not made whole by something else; the server then ends the connection."""
    sent: list[dict[str, object]] = []

    async def send(message: MutableMapping[str, object]) -> None:
        sent.append(dict(message))

    async def receive() -> MutableMapping[str, object]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    scope: dict[str, object] = {
        "type": "http", "method": "GET", "path": "/breaks", "query_string": b"", "headers": [], "client": None,
    }  # fmt: skip
    asyncio.run(behind()(scope, receive, send))
    assert [item["type"] for item in sent] == ["http.response.start", "http.response.body"]
    assert sent[-1]["more_body"] is True


def test_nothing_takes_forever(monkeypatch):
    monkeypatch.setattr(door, "REQUEST_SECONDS", 0.05)
    [answer] = ask("slow")
    assert (answer.status_code, answer.json()["error"]) == (503, "api.timeout")


def test_too_many():
    answers = ask(*["fine"] * 4, burst=3)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json()["parameters"] == {"seconds": 1}
    assert answers[3].headers["retry-after"] == "1"


def test_work_that_shows_while_it_is_done_is_charged_to_the_client():
    done, refused, other = ask("dear", "dear", "fine", burst=50)
    assert done.status_code == 200
    assert (refused.status_code, refused.json()["error"]) == (429, "api.too_many")
    assert other.status_code == 200
    assert [answer.status_code for answer in ask("dear", "fine", "fine", burst=32)] == [200, 200, 429]


def test_a_refused_body_is_read_to_its_end_only_when_that_is_near():
    near, far = (
        ask("fine", "fine", burst=1, method="POST", headers={"content-length": str(size)})[1]
        for size in (10 << 20, 10 << 30)
    )
    assert "connection" not in near.headers
    assert far.headers["connection"] == "close"
