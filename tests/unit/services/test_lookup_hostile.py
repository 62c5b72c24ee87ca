"""A hostile registered desk against look-ups: an honest gateway that shows its leaves is believed all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import pytest

from evidence_desk.cli.lookup import _print_found
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.rows import Submission
from evidence_desk.core.trust import NO_TRUST
from evidence_desk.core.verdict import Status
from evidence_desk.court.protocol.search import SearchAnswer
from evidence_desk.errors import RemoteError
from evidence_desk.services.court_query import Court
from evidence_desk.services.lookup import look_up_digest, look_up_file
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language
from tests.unit.portal.hostile import CERTIFICATE, FILE, Spoiled, half_true

PAIR = DigestPair.of(FILE)


@dataclass
class OneGateway:
    """Answers look-ups out of the network; `lie` changes the answer."""

    net: Spoiled
    lie: Callable[[SearchAnswer], SearchAnswer] = lambda answer: answer
    url: str = "http://one.example"

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> bytes:
        assert not parameters
        return self.lie(self.net.answer(bytes.fromhex(path.removeprefix("/v1/lookup/")))).encode()

    def post(self, path: str, body: bytes) -> bytes:
        raise AssertionError(path, body)

    def submit(self, transaction: bytes) -> Submission:
        raise AssertionError(transaction)

    def keybag(self, method: str, family: str, *, authorization: str, body: bytes = b"") -> bytes:
        raise AssertionError(method, family, authorization, body)


@dataclass
class Now:
    net: Spoiled

    def now(self) -> datetime:
        return self.net.now


@pytest.fixture
def net() -> Spoiled:
    return Spoiled()


def court_of(net: Spoiled, *gateways: OneGateway) -> Court:
    return Court(trust=net.trust, roots=NO_TRUST, gateways=gateways or (OneGateway(net),), clock=Now(net))


def test_a_wrong_note_refutes_no_other_leaf_and_no_gateway(net: Spoiled):
    honest = net.register(net.victim, FILE)
    net.register(net.hostile, FILE, bad_note=True)
    found = look_up_digest(court_of(net), PAIR.sha256)
    assert (found.present, found.entries, found.faults) == (True, 2, [])
    assert [(item.leaf_hash == honest.digest, item.status) for item in found.found] == [
        (True, Status.PASSED),
        (False, Status.FAILED),
    ]


def test_a_false_look_up_is_refused_whole(net: Spoiled):
    net.register(net.victim, FILE)

    def emptied(answer: SearchAnswer) -> SearchAnswer:
        return replace(answer, lookups=tuple(replace(item, entries=()) for item in answer.lookups))

    liar = OneGateway(net, lie=emptied)
    with pytest.raises(RemoteError, match=r"network\.unverified"):
        look_up_digest(court_of(net, liar), PAIR.sha256)


def test_a_half_true_pair_is_not_about_the_file(net: Spoiled):
    net.register(net.hostile, b"", objects=(half_true(FILE),))
    found = look_up_file(court_of(net), PAIR, len(FILE))
    assert (found.present, found.others, found.found) == (None, 1, ())
    honest = net.register(net.victim, FILE)
    found = look_up_file(court_of(net), PAIR, len(FILE))
    assert (found.present, found.others) == (True, 1)
    assert [item.leaf_hash for item in found.found] == [honest.digest]
    net.certify(net.victim)
    certificate = look_up_file(court_of(net), DigestPair.of(CERTIFICATE), len(CERTIFICATE))
    assert (certificate.present, certificate.others, len(certificate.found)) == (True, 0, 1)


def test_what_is_printed(net: Spoiled, capsys: pytest.CaptureFixture[str]):
    net.register(net.hostile, b"", objects=(half_true(FILE),))
    net.register(net.victim, FILE)
    net.register(net.hostile, FILE, bad_note=True)
    hidden = net.register(net.hostile, FILE)
    withholding = OneGateway(net, lie=lambda answer: net.answer(answer.digest, hidden=(hidden,)))
    found = look_up_file(court_of(net, withholding), PAIR, len(FILE))
    with Output(Language.EN, as_json=False) as out:
        _print_found(out, found)
    told = capsys.readouterr().out
    assert told.count("This entry did not pass and does not count") == 1
    assert "another SM3 or size: 1" in told
    assert "Log entries: 4, of which 3 came with their proofs" in told
