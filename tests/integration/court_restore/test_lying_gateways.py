"""Gateways that change, drop or garble what they serve: what they give is not believed, and the next one is asked."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from evidence_desk.core.canonical import decode, encode
from evidence_desk.core.court_ports import CourtGateway
from evidence_desk.core.job import Job
from evidence_desk.core.rows import Submission
from evidence_desk.errors import EvidenceDeskError, RemoteError
from evidence_desk.services.earlier_logs import complete_earlier
from evidence_desk.services.restore import prove_log
from tests.integration.court_restore.office import Office

pytestmark = pytest.mark.engine

Change = Callable[[str, Any], Any]


@dataclass
class Liar:
    """A gateway in between that changes bodies of answers."""

    honest: CourtGateway
    change: Change
    name: str = "liar"

    @property
    def url(self) -> str:
        return f"{self.honest.url}/{self.name}"

    def submit(self, transaction: bytes) -> Submission:
        return self.honest.submit(transaction)

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> bytes:
        value = decode(self.honest.get(path, parameters), what="answer", limit=1 << 25)
        return encode(self.change(path, value))

    def post(self, path: str, body: bytes) -> bytes:
        return self.honest.post(path, body)

    def keybag(self, method: str, family: str, *, authorization: str, body: bytes = b"") -> bytes:
        return self.honest.keybag(method, family, authorization=authorization, body=body)


def other(text: str) -> str:
    data = bytearray(base64.b64decode(text))
    data[len(data) // 2] ^= 1
    return base64.b64encode(bytes(data)).decode()


def on_leaves(change: Callable[[list[Any]], list[Any]]) -> Change:
    def changed(path: str, value: Any) -> Any:
        return {**value, "leaves": change(value["leaves"])} if path.endswith("/leaves") else value

    return changed


def note(path: str, value: Any) -> Any:
    return {**value, "note": other(value["note"])} if "/notes/" in path else value


def silence(path: str, _value: Any) -> Any:
    raise RemoteError("gateway.silent", gateway=path)


def registry(_path: str, value: Any) -> Any:
    return {**value, "entry": None} if value.get("v") == "desk/1" else value


REFUSED: dict[str, Change] = {
    "a leaf changed": on_leaves(lambda leaves: [[other(leaves[0][0]), leaves[0][1]], *leaves[1:]]),
    "leaves in another order": on_leaves(lambda leaves: leaves[::-1]),
    "a leaf left out": on_leaves(lambda leaves: leaves[:-2] + leaves[-1:]),
    "nothing": on_leaves(lambda _: []),
    "too many": on_leaves(lambda leaves: leaves + leaves[-1:]),
    "no pairs": on_leaves(lambda leaves: [leaf for leaf, _ in leaves]),
    "the checkpoint changed": note,
    "not registered": registry,
    "silent": silence,
}
UNOPENED: dict[str, Change] = {
    "no envelopes": on_leaves(lambda leaves: [[leaf, None] for leaf, _ in leaves]),
    "envelopes changed": on_leaves(lambda leaves: [[leaf, box and other(box)] for leaf, box in leaves]),
    "envelopes exchanged": on_leaves(
        lambda leaves: [[leaf, box] for (leaf, _), (_, box) in zip(leaves, leaves[::-1], strict=True)]
    ),
}


@pytest.mark.parametrize("how", [*REFUSED, *UNOPENED])
def test_the_honest_one_is_enough(office: Office, how: str):
    office.seal("early.txt")
    kept = office.backup()
    rows = office.seal("a.txt", "b.txt")
    office.timestamp()
    office.anchor()
    head = office.session.desk.log.note
    office.lose_disk()
    session = office.from_backup(kept, offline=True).session
    court = session.court()
    liar = Liar(court.gateways[0], (REFUSED | UNOPENED)[how])
    outcome = complete_earlier(
        session.desk, replace(court, gateways=(liar, court.gateways[1])), take_copies=None, job=Job()
    )
    assert session.vault.archived_log(session.vault.origins[0]).checkpoint() == head
    prove_log(session.vault.archived_log(session.vault.origins[0]))
    for row in rows:
        found = session.vault.exhibits.exhibit(row.leaf_hash)
        assert found is not None
        assert found.timestamped is not None
        assert found.anchored is not None
    assert bool(outcome.faults) is (how in REFUSED)
    assert {item.gateway for item in outcome.faults} <= {liar.url}


@pytest.mark.parametrize("how", REFUSED)
def test_liars_alone_change_nothing(office: Office, how: str):
    kept = office.backup()
    office.seal("a.txt", "b.txt")
    office.anchor()
    office.lose_disk()
    session = office.from_backup(kept, offline=True).session
    court = session.court()
    origin = session.vault.origins[0]
    before = session.vault.archived_log(origin).size()
    with pytest.raises(EvidenceDeskError):
        complete_earlier(
            session.desk,
            replace(court, gateways=(Liar(court.gateways[0], REFUSED[how]),)),
            take_copies=None,
            job=Job(),
        )
    assert session.vault.archived_log(origin).size() == before
    assert len(list(session.vault.exhibits.exhibits())) == 0
