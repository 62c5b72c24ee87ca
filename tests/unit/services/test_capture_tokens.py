"""Tokens over marks: asked for beside the recording, the newest first, again once an authority answers."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from evidence_desk.core.digests import sha256
from evidence_desk.core.rows import TimestampReply
from evidence_desk.errors import HostError, RemoteError
from evidence_desk.services.capture_tokens import TRIES, TokenAsker

DIGESTS = [sha256(b"%d" % number) for number in range(5)]


@dataclass
class Authority:
    """Answers while `answers` is set; `heard` are the digests in order."""

    name: str = "one"
    answers: bool = True
    heard: list[bytes] = field(default_factory=list)
    error: Exception = field(
        default_factory=lambda: RemoteError("client.timeout", authority="one", attempts=1)
    )
    gate: threading.Semaphore | None = None

    def timestamp(self, digest: bytes) -> TimestampReply:
        self.heard.append(digest)
        if self.gate is not None:
            assert self.gate.acquire(timeout=30)
        if not self.answers:
            raise self.error
        return TimestampReply(
            authority=self.name, token=digest, request=b"", response=b"", gen_time=datetime.now(UTC), tsa=b"",
            transport={}, crls=(),
        )  # fmt: skip


@pytest.fixture
def asker_of():
    made: list[TokenAsker] = []

    def make(*authorities: Authority) -> TokenAsker:
        made.append(TokenAsker(authorities))
        return made[-1]

    yield make
    for one in made:
        one.close()


def got(asker: TokenAsker) -> list[int]:
    return sorted(item.index for item in asker.fetch())


def test_wanting_does_not_wait_and_the_newest_goes_first(asker_of):
    gate = threading.Semaphore(0)
    asked = Authority(gate=gate)
    asker = asker_of(asked)
    asker.want(0, DIGESTS[0])
    while not asked.heard:
        assert not asker.wait(0.01)
    for index in (1, 2, 3):
        asker.want(index, DIGESTS[index])
    assert asker.fetch() == []
    gate.release(4)
    assert asker.wait(30)
    assert asked.heard == [DIGESTS[index] for index in (0, 3, 2, 1)]
    assert got(asker) == [0, 1, 2, 3]


def test_what_nobody_answered_is_asked_for_again_when_somebody_does(asker_of):
    asked = Authority(answers=False)
    asker = asker_of(asked)
    for index in (0, 1):
        asker.want(index, DIGESTS[index])
        assert asker.wait(30)
    assert asker.fetch() == []
    asked.answers = True
    asker.want(2, DIGESTS[2])
    assert asker.wait(30)
    assert got(asker) == [0, 1, 2]


def test_it_is_not_asked_for_without_end(asker_of):
    class OnlyOthers(Authority):
        def timestamp(self, digest: bytes) -> TimestampReply:
            self.answers = digest != DIGESTS[0]
            return super().timestamp(digest)

    asked = OnlyOthers()
    asker = asker_of(asked)
    for index in range(5):
        asker.want(index, DIGESTS[index])
        assert asker.wait(30)
    assert got(asker) == [1, 2, 3, 4]
    assert asked.heard.count(DIGESTS[0]) == TRIES


def test_who_answered_last_is_asked_first(asker_of):
    silent, good = Authority(answers=False), Authority(name="two")
    asker = asker_of(silent, good)
    for index in (0, 1):
        asker.want(index, DIGESTS[index])
        assert asker.wait(30)
    assert (len(silent.heard), len(good.heard)) == (1, 2)
    assert [item.reply.authority for item in asker.fetch()] == ["two", "two"]


def test_an_authority_of_ours_without_room_is_one_that_does_not_answer(asker_of):
    asked = Authority(answers=False, error=HostError("host.disk_full", what="serials"))
    asker = asker_of(asked)
    asker.want(0, DIGESTS[0])
    assert asker.wait(30)
    assert asker.fetch() == []


def test_what_should_never_happen_is_not_hidden(asker_of):
    asker = asker_of(Authority(answers=False, error=ValueError("bug")))
    asker.want(0, DIGESTS[0])
    assert asker.wait(30)
    with pytest.raises(ValueError, match="bug"):
        asker.fetch()


def test_nothing_is_asked_for_after_the_end(asker_of):
    gate = threading.Semaphore(0)
    asked = Authority(gate=gate)
    asker = asker_of(asked)
    asker.want(0, DIGESTS[0])
    while not asked.heard:
        asker.wait(0.01)
    asker.want(1, DIGESTS[1])
    asker.close()
    gate.release()
    asker._thread.join(30)
    assert asked.heard == [DIGESTS[0]]


def test_without_authorities_there_is_nothing_to_wait_for(asker_of):
    asker = asker_of()
    asker.want(0, DIGESTS[0])
    assert asker.wait(0)
    assert asker.fetch() == []
