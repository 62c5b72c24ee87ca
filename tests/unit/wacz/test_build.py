"""What is made of a recording is made in two threads: neither is left alone, neither's fault is lost."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Self, cast

import pytest

from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError, HostError, MalformedError
from evidence_desk.wacz.build import BUILT, PACKETS, WARC_NAME, build
from tests.unit.verify.captures import Memory, built, recorded


def threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("capture-packets")]


class Full(Memory):
    """Has no room for one file."""

    name = ""

    def create(self, name: str) -> BinaryIO:
        if name == self.name:
            raise HostError("host.disk_full", what=name)
        return super().create(name)


@pytest.mark.parametrize("name", [PACKETS, WARC_NAME])
def test_a_file_that_cannot_be_written_is_told(name):
    streams, key_log = recorded()
    workspace = Full({**streams, "keylog.txt": key_log})
    workspace.name = name
    with pytest.raises(HostError, match=r"host\.disk_full"):
        build(workspace, software="test", at=0, job=Job())
    assert threads() == []


def test_a_stream_that_is_damaged_is_told():
    streams, key_log = recorded()
    streams["stream-000001.bin"] = b"?" + streams["stream-000001.bin"][1:]
    with pytest.raises(MalformedError, match=r"malformed\.stream"):
        build(Memory({**streams, "keylog.txt": key_log}), software="test", at=0, job=Job())
    assert threads() == []


class Endless(Memory):
    """The packets' thread finds no end of a stream."""

    def open(self, name: str) -> BinaryIO:
        stream = super().open(name)
        if not threading.current_thread().name.startswith("capture-packets"):
            return stream
        return cast("BinaryIO", Again(stream))


@dataclass
class Again:
    """Begins anew at its end."""

    stream: BinaryIO

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stream.close()

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        if not data:
            self.stream.seek(0)
            data = self.stream.read(size)
        return data


def test_who_cancels_waits_for_no_packets():
    streams, key_log = recorded()
    job = Job()
    job.cancel()
    with pytest.raises(CanceledError):
        build(Endless({**streams, "keylog.txt": key_log}), software="test", at=0, job=job)
    assert threads() == []


def test_the_same_streams_give_the_same_files():
    streams, key_log = recorded()

    def made() -> Mapping[str, bytes]:
        return built(streams, key_log)

    first = made()
    assert set(first) == set(BUILT)
    assert all(made() == first for _ in range(5))
