"""The program itself: exit statuses, the JSON document, clean stops, state that survives."""

import json
import signal
import sys
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from evidence_desk.core.digests import sha256, sm3
from evidence_desk.crypto import oids, pki
from tests.integration.tsa.program import evidence_tsa, process, serving, wait_until
from tsa.authority.issue import Issuer, issue
from tsa.authority.keys import make_demo_authority
from tsa.request import build_request
from tsa.response import parse_response

DATA = "电子证据\n".encode()
QUERY = {"Content-Type": "application/timestamp-query"}
START = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def folder(tmp_path):
    """A response with everything beside it."""
    keys = make_demo_authority(pki.KeyKind.P256, now=START)
    request = build_request(hash_oid=oids.SHA256, imprint=sha256(DATA), nonce=99)
    issuer = Issuer(keys.tsa, policy=oids.DEMO_TSA_POLICY, accuracy=timedelta(seconds=1))
    response = issue(issuer, request, serial=5, time=START + timedelta(minutes=5))
    token = parse_response(response).token
    assert token is not None
    for name, content in {
        "data": DATA,
        "other": DATA + b"x",
        "q.tsq": request,
        "r.tsr": response,
        "token.der": token,
        "ca.pem": pki.to_pem(keys.ca.certificate, "CERTIFICATE").encode(),
        "ca.der": keys.ca.certificate,
        "ca.crl": keys.ca.crl,
        "crl.pem": pki.to_pem(keys.ca.crl, "X509 CRL").encode(),
        "stranger.pem": pki.to_pem(
            make_demo_authority(pki.KeyKind.P256, now=START).ca.certificate, "CERTIFICATE"
        ).encode(),
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


TRUSTED = ("--trust", "ca.pem", "--crl", "ca.crl")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--response", "r.tsr", "--data", "data", "--request", "q.tsq"),
        ("--token", "token.der", "--data", "data"),
        ("--token", "token.der", "--digest", "sha256:" + sha256(DATA).hex()),
        ("--token", "token.der", "--digest", "SHA-256:" + sha256(DATA).hex().upper()),
        ("--token", "token.der", "--data", "data", "--policy", "1.2.3", "--policy", oids.DEMO_TSA_POLICY),
    ],
)
def test_passed(folder, arguments):
    done = evidence_tsa("verify", *arguments, *TRUSTED, "--json", cwd=folder)
    assert done.status == 0, done.out + done.err
    document = done.document
    assert document["overall"] == "passed"
    assert {"overall", "findings", "caveats"} <= set(document)
    for item in document["findings"]:
        assert {"dimension", "check", "status", "code", "parameters", "explanation", "who_vouches"} == set(
            item
        )
        assert "{" not in item["explanation"]
    caveats = {item["code"]: item for item in document["caveats"]}
    assert set(caveats) == {"demo.authority", "trust.given"}
    assert "演示" in caveats["demo.authority"]["explanation"]


def test_der_roots_and_pem_lists(folder):
    arguments = ("--response", "r.tsr", "--data", "data", "--trust", "ca.der", "--crl", "crl.pem")
    assert evidence_tsa("verify", *arguments, cwd=folder).status == 0


def test_caveats_count_when_strict(folder):
    arguments = ("--response", "r.tsr", "--data", "data", *TRUSTED, "--strict")
    assert evidence_tsa("verify", *arguments, cwd=folder).status == 2


def test_text_in_both_languages(folder):
    arguments = ("verify", "--response", "r.tsr", "--data", "data", *TRUSTED)
    chinese = evidence_tsa(*arguments, cwd=folder)
    assert (chinese.status, chinese.err) == (0, "")
    for words in ("通过", "完整性", "时间", "演示/非第三方"):
        assert words in chinese.out
    english = evidence_tsa(*arguments, "--lang", "en", cwd=folder)
    assert (english.status, english.err) == (0, "")
    assert "passed" in english.out.lower()
    assert "通过" not in english.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--response", "r.tsr", "--data", "other", *TRUSTED), "token.imprint"),
        (("--response", "r.tsr", "--digest", "sm3:" + sm3(DATA).hex(), *TRUSTED), "token.imprint"),
        (("--response", "r.tsr", "--data", "data", "--trust", "stranger.pem"), "token.chain"),
        (("--response", "r.tsr", "--data", "data", "--policy", "1.2.3", *TRUSTED), "token.policy"),
        (("--response", "r.tsr", "--data", "data", *TRUSTED, "--now", "2020-01-01T00:00:00Z"), "token.time"),
        (("--token", "r.tsr", "--data", "data", *TRUSTED), "token.der"),
    ],
)
def test_failed(folder, arguments, code):
    done = evidence_tsa("verify", *arguments, "--json", cwd=folder)
    assert (done.status, done.document["overall"]) == (1, "failed")
    assert any(name.startswith(code) and status == "failed" for name, status in done.codes.items())


def test_other_request_fails(folder):
    (folder / "q2.tsq").write_bytes(build_request(hash_oid=oids.SHA256, imprint=sha256(DATA), nonce=98))
    arguments = ("--response", "r.tsr", "--data", "data", "--request", "q2.tsq", *TRUSTED, "--json")
    assert evidence_tsa("verify", *arguments, cwd=folder).status == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--response", "r.tsr", "--data", "data"),
        ("--response", "r.tsr", "--data", "data", "--trust", "ca.pem"),
        ("--response", "r.tsr", "--data", "data", *TRUSTED, "--now", "2099-01-01T00:00:00Z"),
    ],
    ids=["no roots", "no revocation list", "expired"],
)
def test_undetermined(folder, arguments):
    done = evidence_tsa("verify", *arguments, "--json", cwd=folder)
    assert (done.status, done.document["overall"]) == (2, "undetermined")
    assert "failed" not in done.codes.values()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--response", "r.tsr"),
        ("--data", "data"),
        ("--response", "r.tsr", "--token", "token.der", "--data", "data"),
        ("--response", "r.tsr", "--data", "data", "--digest", "sha256:" + "0" * 64),
        ("--response", "r.tsr", "--digest", "sha256:00"),
        ("--response", "r.tsr", "--digest", "crc:" + "0" * 64),
        ("--response", "r.tsr", "--digest", "0" * 64),
        ("--response", "r.tsr", "--data", "data", "--now", "yesterday"),
        ("--response", "r.tsr", "--data", "data", "--now", "2026-01-01T00:00:00"),
        ("--bogus",),
        ("--lang", "fr"),
    ],
)
def test_usage(folder, arguments):
    done = evidence_tsa("verify", *arguments, cwd=folder)
    assert (done.status, done.out) == (64, "")
    assert done.err


@pytest.mark.parametrize("name", ["data", "ca.pem", "empty"])
def test_not_a_token(folder, name):
    (folder / "empty").write_bytes(b"")
    done = evidence_tsa("verify", "--response", name, "--data", "data", "--json", cwd=folder)
    assert done.status == 65
    assert done.document["error"]["code"] == "authority.not_a_token"
    assert done.document["error"]["advice"]


@pytest.mark.parametrize("option", ["--trust", "--crl"])
def test_roots_that_are_none(folder, option):
    done = evidence_tsa(
        "verify", "--response", "r.tsr", "--data", "data", option, "data", "--json", cwd=folder
    )
    assert (done.status, done.document["error"]["code"]) == (65, "authority.not_pem")


@pytest.mark.parametrize("option", ["--response", "--data", "--trust", "--crl", "--request"])
def test_missing_files(folder, option):
    arguments = {"--response": "r.tsr", "--data": "data", option: "nowhere"}
    words = [word for pair in arguments.items() for word in pair]
    assert evidence_tsa("verify", *words, cwd=folder).status == 66


def test_fifty_megabytes(folder):
    (folder / "big").write_bytes(b"\x30\x84\x03\x00\x00\x00" + bytes(50 << 20))
    done = evidence_tsa("verify", "--response", "big", "--data", "data", "--json", cwd=folder)
    assert (done.status, done.document["overall"]) == (1, "failed")


def test_as_a_process(folder):
    arguments = ("verify", "--response", "r.tsr", "--data", "data", *TRUSTED, "--json")
    done = process(*arguments, cwd=folder)
    assert (done.status, done.err) == (0, "")
    assert done.document == evidence_tsa(*arguments, cwd=folder).document
    assert process("verify", "--bogus", cwd=folder).status == 64


def test_unknown_command_and_help(tmp_path):
    assert evidence_tsa("bogus", cwd=tmp_path).status == 64
    assert evidence_tsa("--help", cwd=tmp_path).status == 0
    for command in ("serve", "verify"):
        assert evidence_tsa(command, "--help", cwd=tmp_path).status == 0


# --- serve ----------------------------------------------------------------------------------------------------


def stamp(url: str) -> bytes:
    request = build_request(hash_oid=oids.SHA256, imprint=sha256(DATA), nonce=5)
    answer = httpx.post(url, content=request, headers=QUERY, trust_env=False)
    assert answer.status_code == 200
    response = parse_response(answer.content)
    assert response.token is not None
    return response.token


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly(tmp_path, number):
    with serving(tmp_path) as server:
        stamp(server.url)
        assert server.stop(number) == 0
        assert server.process.stdout is not None
        assert server.process.stdout.read() == ""
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""


def test_state_survives_kill_9(tmp_path):
    serials = set()
    roots = set()
    for _ in range(3):
        with serving(tmp_path) as server:
            roots.add(httpx.get(f"{server.url}ca.pem", trust_env=False).text)
            stamp(server.url)
            server.process.kill()
    lines = [json.loads(line) for line in (tmp_path / "p256" / "audit.jsonl").read_text().splitlines()]
    serials = {int(item["serial"], 16) >> 64 for item in lines}
    assert (len(roots), len(lines), len(serials)) == (1, 3, 3)


def test_two_processes_share_a_state_folder(tmp_path):
    with serving(tmp_path) as first:
        stamp(first.url)
        with serving(tmp_path) as second:
            for _ in range(5):
                stamp(first.url)
                stamp(second.url)
    lines = [json.loads(line) for line in (tmp_path / "p256" / "audit.jsonl").read_text().splitlines()]
    assert len({int(item["serial"], 16) >> 64 for item in lines}) == 11


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--key", "nowhere.p12"), 66),
        (("--key", "data"), 77),
        (("--policy", "no-oid"), 78),
        (("--accuracy", "0"), 78),
        (("--national",), 78),
        (("--port", "70000"), 64),
        (("--host", "no-such-host.invalid"), 74),
    ],
)
def test_serve_that_cannot_be_meant(folder, arguments, status):
    done = evidence_tsa("serve", "--state", "state", *arguments, cwd=folder)
    assert (done.status, done.out) == (status, "")
    assert done.err


def test_clock_set_back_stops_the_authority(tmp_path):
    with serving(tmp_path) as server:
        stamp(server.url)
    audit = tmp_path / "p256" / "audit.jsonl"
    entry = json.loads(audit.read_text())
    entry["at"] = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    audit.write_text(json.dumps(entry) + "\n")
    with serving(tmp_path) as server:
        request = build_request(hash_oid=oids.SHA256, imprint=sha256(DATA), nonce=5)
        answer = httpx.post(server.url, content=request, headers=QUERY, trust_env=False)
        assert parse_response(answer.content).failure == "timeNotAvailable"
        wait_until(lambda: "authority.clock_went_back" in audit.read_text())
