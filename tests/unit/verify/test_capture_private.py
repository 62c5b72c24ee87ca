"""Private files, their envelope and the limits: with and without the keys of the case."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.capture.manifest import SECRETS, FileDigest, Manifest
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.verdict import Status
from evidence_desk.errors import MalformedError
from evidence_desk.verify.age_envelope import private_size, read_envelope
from tests.unit.verify.captures import (
    SOFTWARE,
    broken,
    built,
    codes,
    enveloped,
    judged,
    recorded,
    sealed,
    zipped,
)

STREAMS, KEYLOG = recorded()
PRIVATE = {"cookies.json": b"[]", "keylog.txt": KEYLOG}
REAL = (
    b"age-encryption.org/v1\n-> X25519 wte7tsdlg1Yi78DxX9SQADDYgTIEQ2yxCAIUC44jKWo\n"
    b"ROWb+II9z2N2yXs8RfSia/nSgQRXgzszOq70zT/Qb+I\n-> RGVR-grease j ,u\nRs1+tjcOqX5wFA\n"
    b"--- ywzeeOeGssy9XOzcQI57+fQ+tHUZaqe6ddTR3DN/9+A\n"
) + bytes(16 + 100 + 16)
MADE = {**STREAMS, **built(STREAMS, KEYLOG)}


def item(name: str, data: bytes) -> FileDigest:
    return FileDigest(name=name, size=len(data), digests=DigestPair.of(data))


def verdict(
    files: dict[str, bytes] | None = None,
    change: Callable[[Manifest], Manifest] = lambda manifest: manifest,
    secrets: bytes | None = None,
    **more: Any,
):
    data, bond = sealed({**MADE, **(files or {})}, PRIVATE, change=change, **more)
    return judged(data, bond, secrets=secrets)


def test_with_the_keys_of_the_case_every_private_file_is_compared_and_the_key_log_used():
    found = verdict(secrets=zipped(PRIVATE))
    assert broken(found) == set()
    assert {"capture.private.right", "capture.decryption.right"} <= codes(found, Status.PASSED)


def test_without_them_the_envelope_fits_and_nothing_more_is_said():
    found = verdict()
    assert broken(found) == set()
    assert "capture.private.closed" in codes(found, Status.UNDETERMINED)


@pytest.mark.parametrize(
    "secrets",
    [
        b"",
        b"junk",
        zipped({**PRIVATE, "cookies.json": b"[1"}),
        zipped({"keylog.txt": KEYLOG}),
        zipped({**PRIVATE, "storage.json": b""}),
    ],
    ids=["does not open", "no container", "other content", "one less", "one more"],
)
def test_secrets_that_are_not_those_of_the_manifest(secrets):
    assert broken(verdict(secrets=secrets)) & {"capture.private.contents", "capture.private.malformed"}


WRONG: dict[str, tuple[dict[str, bytes], Callable[[Manifest], Manifest], str]] = {
    "no age file": ({SECRETS: b"age"}, lambda it: it, "malformed"),
    "for two keys": ({SECRETS: enveloped(zipped(PRIVATE), keys=2)}, lambda it: it, "recipients"),
    "longer than what is listed": ({SECRETS: enveloped(zipped(PRIVATE) + b" ")}, lambda it: it, "size"),
    "shorter": ({SECRETS: enveloped(b"")}, lambda it: it, "size"),
    "cut": ({SECRETS: enveloped(zipped(PRIVATE))[:-1]}, lambda it: it, "size"),
    "nothing private is listed": ({}, lambda it: replace(it, private=()), "secrets"),
    "something else is private": (
        {},
        lambda it: replace(it, private=(*it.private, item("page-001.png", b"x"))),
        "names",
    ),
    "the key log lies open": ({"keylog.txt": KEYLOG}, lambda it: it, "public"),
}


@pytest.mark.parametrize(("files", "change", "reason"), WRONG.values(), ids=WRONG)
def test_a_manifest_whose_private_files_cannot_be(files, change, reason):
    assert f"capture.private.{reason}" in broken(verdict(files, change))


def test_a_capture_without_secrets_says_nothing_of_them():
    data, bond = sealed(MADE, {})
    found = judged(data, bond)
    assert broken(found) == set()
    assert not {one.code for one in found.findings if one.check == "capture.private"}


def test_limits_that_a_certificate_has_to_print_are_not_left_out():
    def bold(it: Manifest) -> Manifest:
        return replace(it, limits=it.limits[1:])

    assert broken(verdict(change=bold)) == {"capture.limits.missing"}
    other = SOFTWARE.replace("0.1.0", "99.0")
    found = verdict(change=bold, software=other)
    assert "capture.limits.other_program" in codes(found, Status.UNDETERMINED)
    more = verdict(change=lambda it: replace(it, limits=(*it.limits, "capture.limit.more")))
    assert "capture.limits.right" in codes(more, Status.PASSED)


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073, 200_000])
def test_the_envelope_tells_how_much_is_inside(size):
    data = enveloped(bytes(size), keys=3)
    found = read_envelope(io.BytesIO(data), len(data))
    assert (found.recipients, found.content) == (3, size)


@pytest.mark.parametrize("names", [(), ("a.txt",), ("a.txt", "b.json", "environment-before-processes.txt")])
def test_the_size_of_the_container_is_known_from_names_and_sizes(names):
    files = {name: bytes(at * 1000 + 7) for at, name in enumerate(names)}
    assert private_size([item(name, files[name]) for name in sorted(files)]) == len(zipped(files))


@given(st.data())
def test_foreign_envelopes_are_refused_and_not_crashed_on(data):
    real = bytearray(REAL)
    kind = data.draw(st.sampled_from(["junk", "flip", "cut", "insert"]))
    place = data.draw(st.integers(0, len(real) - 1))
    if kind == "junk":
        real[:] = data.draw(st.binary(max_size=300))
    elif kind == "flip":
        real[place] ^= data.draw(st.integers(1, 255))
    elif kind == "cut":
        del real[place:]
    else:
        real[place:place] = data.draw(st.binary(max_size=80))
    try:
        found = read_envelope(io.BytesIO(bytes(real)), len(real))
    except MalformedError as error:
        assert error.code == "malformed.age"  # noqa: PT017
    else:
        assert found.recipients >= 0
        assert found.content >= 0
