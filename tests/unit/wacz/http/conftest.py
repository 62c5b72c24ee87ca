"""Recorded bytes, fed as they came or cut anywhere."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import pytest

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.http.ledger import End
from evidence_desk.wacz.http.limits import DEFAULT_LIMITS, Limits
from evidence_desk.wacz.http.reader import HttpReader, HttpResult

IN, OUT = Direction.IN, Direction.OUT
Turns = Sequence[tuple[Direction, bytes]]


class Desk:
    """Reads recorded turns and gives the spool files back."""

    def __init__(self) -> None:
        self._results: list[HttpResult] = []

    def read(
        self,
        turns: Iterable[tuple[Direction, bytes]],
        *,
        alpn: str | None = None,
        end: End = End.ORDERLY,
        scheme: str = "https",
        port: int = 443,
        limits: Limits = DEFAULT_LIMITS,
    ) -> HttpResult:
        """Turn `n` comes at moment `n` thousand."""
        reader = HttpReader(
            number=7,
            scheme=scheme,
            host="a.test",
            port=port,
            spool=tempfile.TemporaryFile,
            limits=limits,
        )
        reader.choose(alpn)
        for index, (direction, data) in enumerate(turns):
            reader.feed(direction, 1000 * index, data)
        self._results.append(result := reader.finish(end))
        return result

    def read_cut(self, turns: Turns, cuts: Sequence[int], *, end: End) -> HttpResult:
        """The same with the bytes cut at these places; the parts of a turn come at its moment."""
        reader = HttpReader(number=7, scheme="https", host="a.test", port=443, spool=tempfile.TemporaryFile)
        start = 0
        for index, (direction, data) in enumerate(turns):
            places = [0, *(cut - start for cut in cuts if 0 < cut - start < len(data)), len(data)]
            for one, two in pairwise(places):
                reader.feed(direction, 1000 * index, data[one:two])
            start += len(data)
        self._results.append(result := reader.finish(end))
        return result

    def close(self) -> None:
        for result in self._results:
            result.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()
