"""Copies of keybags: only the holder of the desk's key, only the newest, gone when deleted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from evidence_desk.core.digests import sha256
from evidence_desk.court.protocol.keybag_request import (
    MAX_AGE,
    MAX_KEYBAG,
    KeybagAction,
    KeybagRequest,
    make_keybag_request,
)
from tests.fixed import FixedSigner
from tests.integration.court_gateway.asking import Asker, refusal
from tests.unit.court_node.chain import Desk

pytestmark = pytest.mark.engine


@pytest.fixture
def desk(asker):
    return asker.registered()


def family(desk: Desk) -> str:
    return desk.origin.rpartition("/")[0]


def header(
    desk: Desk,
    action: KeybagAction,
    body: bytes = b"",
    *,
    signer: FixedSigner | None = None,
    at: datetime | None = None,
    **other: str,
) -> dict[str, str]:
    signer = signer or desk.signer
    request = KeybagRequest(
        action=action, chain_id=other.get("chain_id", desk.chain_id), family=other.get("family", family(desk)),
        at=(at or datetime.now(UTC)).replace(microsecond=0), body=sha256(body), key=signer.ed25519_public,
    )  # fmt: skip
    return {"Authorization": make_keybag_request(request, signer.sign_ed25519).header()}


def put(asker: Asker, desk: Desk, body: bytes, **how: Any) -> httpx.Response:
    client = asker.clients[0]
    path = f"/v1/keybags/{family(desk)}"
    return client.put(path, content=body, headers=header(desk, KeybagAction.PUT, body, **how))


def get(asker: Asker, desk: Desk, **how: Any) -> httpx.Response:
    return asker.clients[0].get(f"/v1/keybags/{family(desk)}", headers=header(desk, KeybagAction.GET, **how))


def delete(asker: Asker, desk: Desk, **how: Any) -> httpx.Response:
    client = asker.clients[0]
    return client.delete(f"/v1/keybags/{family(desk)}", headers=header(desk, KeybagAction.DELETE, **how))


def moments(count: int) -> list[datetime]:
    """Rising moments that are all fresh: requests are told apart by their second."""
    now = datetime.now(UTC) - timedelta(seconds=count)
    return [now + timedelta(seconds=number) for number in range(count)]


def test_kept_fetched_replaced_deleted(asker, desk):
    first, second, third = moments(3)
    assert refusal(get(asker, desk)) == (404, "api.no_keybag")
    assert put(asker, desk, b"sealed", at=first).status_code == 204
    assert get(asker, desk).content == b"sealed"
    assert put(asker, desk, b"sealed again", at=second).status_code == 204
    assert get(asker, desk).content == b"sealed again"
    assert delete(asker, desk, at=third).status_code == 204
    assert refusal(get(asker, desk)) == (404, "api.no_keybag")
    assert (
        list(
            (asker.network.home(0).path / "gateway" / "keybags").glob(
                f"{sha256(family(desk).encode()).hex()}*"
            )
        )
        == []
    )


def test_a_desk_without_disk_asks_with_its_next_key(asker, desk):
    assert put(asker, desk, b"sealed").status_code == 204
    assert get(asker, desk, signer=desk.next).content == b"sealed"


def test_others_are_refused(asker, desk):
    assert put(asker, desk, b"sealed").status_code == 204
    other = asker.registered()
    for signer in (other.signer, FixedSigner(b"a stranger")):
        assert refusal(get(asker, desk, signer=signer)) == (403, "keybag_request.key")
    assert refusal(put(asker, desk, b"x", signer=other.signer))[0] == 403
    assert refusal(delete(asker, desk, signer=other.signer))[0] == 403
    assert refusal(get(asker, desk, family=family(other))) == (403, "keybag_request.other")
    assert refusal(get(asker, desk, chain_id="demo-other")) == (403, "keybag_request.other")
    assert get(asker, desk).content == b"sealed"


def test_an_old_request_brings_nothing_back(asker, desk):
    first, second = moments(2)
    stolen = header(desk, KeybagAction.PUT, b"old", at=first)
    path = f"/v1/keybags/{family(desk)}"
    assert asker.clients[0].put(path, content=b"old", headers=stolen).status_code == 204
    assert delete(asker, desk, at=second).status_code == 204
    answer = asker.clients[0].put(path, content=b"old", headers=stolen)
    assert refusal(answer) == (403, "keybag_request.replayed")
    assert refusal(get(asker, desk)) == (404, "api.no_keybag")


def test_another_body_another_time_no_header(asker, desk):
    path = f"/v1/keybags/{family(desk)}"
    signed = header(desk, KeybagAction.PUT, b"one")
    assert refusal(asker.clients[0].put(path, content=b"two", headers=signed)) == (
        403,
        "keybag_request.other",
    )
    late = datetime.now(UTC) - MAX_AGE - timedelta(minutes=1)
    assert refusal(get(asker, desk, at=late)) == (403, "keybag_request.time")
    for value in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "EvidenceDesk !.!"}):
        assert refusal(asker.clients[0].get(path, headers=value))[0] == 400


def test_too_large_and_unregistered(asker, desk):
    assert refusal(put(asker, desk, bytes(MAX_KEYBAG + 1))) == (413, "malformed.too_large")
    assert put(asker, desk, bytes(MAX_KEYBAG)).status_code == 204
    assert len(get(asker, desk).content) == MAX_KEYBAG
    stranger = Desk(name="not registered", chain_id=desk.chain_id)
    assert refusal(get(asker, stranger)) == (403, "api.keybag_family")
    assert refusal(asker.get("/v1/keybags/desk.a.evidence/x"))[0] == 400


def test_gateways_keep_their_own(asker, desk):
    assert put(asker, desk, b"sealed").status_code == 204
    client = asker.clients[1]
    answer = client.get(f"/v1/keybags/{family(desk)}", headers=header(desk, KeybagAction.GET))
    assert refusal(answer) == (404, "api.no_keybag")
