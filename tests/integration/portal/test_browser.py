"""The portal in headless Chromium, as a judge uses it; the gateway is hand-made, so that it can also lie."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.core.canonical import encode
from evidence_desk.core.digests import DigestPair, sha256, sm3
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.leaf import PlainObject, blind, objects_root
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.package.zip_writer import ZipWriter
from evidence_desk.core.proof import Proof, ProvenLeaf
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.network_file import encode_network
from tests.fixed import sealed_leaf
from tests.integration.portal.chromium import Chromium, Page
from tests.integration.portal.gateway import HandGateway, Serving, just_now
from tests.unit.court.network import nodes
from tests.unit.portal.answers import CERTIFICATE, CONTENT, State, correction, revocation

READY = "document.documentElement.dataset.ready === 'true'"


def opened(chromium: Chromium, gateway: HandGateway, **options: object) -> Page:
    page = chromium.page(**options)  # type: ignore[arg-type]
    page.open(gateway.url)
    page.wait(READY)
    return page


def answered(page: Page) -> str:
    page.wait("document.querySelector('#answer article') !== null")
    return str(page.evaluate("document.querySelector('#answer article').dataset.outcome"))


def ask(page: Page, text: str) -> str:
    page.evaluate(
        f"document.querySelector('#answer').replaceChildren(); document.querySelector('#q').value = {json.dumps(text)};"
        "document.querySelector('#ask').requestSubmit()"
    )
    return answered(page)


def give(page: Page, path: Path) -> str:
    page.evaluate("document.querySelector('#answer').replaceChildren()")
    page.choose("#file", path)
    return answered(page)


def file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def checks(page: Page, status: str) -> list[str]:
    found = page.evaluate(
        f"[...document.querySelectorAll('.checks .{status}')].map((item) => item.dataset.code)"
    )
    return [str(code) for code in found]


# --- what is true ------------------------------------------------------------------------------------------------


def test_a_file(chromium: Chromium, gateway: HandGateway, tmp_path: Path):
    page = opened(chromium, gateway)
    assert give(page, file(tmp_path, "合同.txt", CONTENT)) == "present"
    text = page.text("#answer")
    for said in (
        "已登记",
        "演示/非第三方",
        sha256(CONTENT).hex(),
        sm3(CONTENT).hex(),
        "7 字节",
        "共 4 个节点，出示签名 4 个",
    ):
        assert said in text
    block = gateway.state.block().header
    for fact in (block.last_block_id.hash.hex(), "北京互联网法院（演示）", gateway.state.digests[1].hex()):
        assert fact in text
    assert "portal.pair.right" in checks(page, "passed")
    assert checks(page, "failed") + checks(page, "undetermined") == []
    assert page.complaints() == []
    assert page.hosts() == {gateway.url.removeprefix("http://")}
    assert not any(CONTENT.decode() in path for path in gateway.asked)


def test_a_dropped_file(chromium: Chromium, gateway: HandGateway):
    page = opened(chromium, gateway)
    page.evaluate(
        "const data = new DataTransfer();"
        f"data.items.add(new File([{json.dumps(CONTENT.decode())}], 'x.txt'));"
        "document.dispatchEvent(new DragEvent('drop', {dataTransfer: data, cancelable: true}))"
    )
    assert answered(page) == "present"


def test_a_file_that_is_not_on_record(chromium: Chromium, gateway: HandGateway, tmp_path: Path):
    page = opened(chromium, gateway)
    assert give(page, file(tmp_path, "other.txt", b"other")) == "absent"
    assert "截至第 40 号区块" in page.text("#answer")
    assert "court.lookup.absent" in checks(page, "passed")


def test_a_certificate_whatever_its_name(chromium: Chromium, gateway: HandGateway, tmp_path: Path):
    page = opened(chromium, gateway, language="en")
    assert give(page, file(tmp_path, "EC-0000-0000-0000-0000-0.pdf", CERTIFICATE)) == "present"
    text = page.text("#answer")
    assert "This file is a certificate on record" in text
    assert format_number(Prefix.EVIDENCE, gateway.state.digests[2]) in text


def test_numbers_digests_and_codes(chromium: Chromium, gateway: HandGateway):
    page = opened(chromium, gateway)
    leaf = gateway.state.digests[1]
    number = format_number(Prefix.EVIDENCE, leaf)
    assert ask(page, number.lower().replace("-", " ")) == "present"
    assert "仅核对编号、摘要、时间" in page.text("#answer")
    assert ask(page, f"SHA-256：{sha256(CONTENT).hex()}".replace("：", ": ")) == "present"
    assert ask(page, leaf.hex()) == "present"
    code = f"ED1 leaf={leaf.hex()} chain=demo-court-7f3a"
    assert ask(page, code) == "present"
    assert ask(page, f"https://look-alike.example/?q={code.replace(' ', '%20')}") == "present"
    assert page.hosts() == {gateway.url.removeprefix("http://")}
    assert ask(page, code.replace("7f3a", "0000")) == "input"
    assert ask(page, number[:-1] + ("0" if number[-1] != "0" else "1")) == "input"
    assert "校验码不符" in page.text("#answer")
    assert ask(page, format_number(Prefix.CERTIFICATE, bytes(10))) == "input"
    assert ask(page, format_number(Prefix.EVIDENCE, bytes(10))) == "undetermined"
    assert ask(page, "<img src=x onerror=alert(1)>") == "input"
    assert page.evaluate("document.querySelector('#answer img') === null")


def test_the_address_asks_too(chromium: Chromium, gateway: HandGateway):
    page = chromium.page()
    page.open(f"{gateway.url}/?q={sha256(CONTENT).hex()}")
    page.wait("document.querySelector('#answer article')?.dataset.outcome === 'present'")
    assert "未独立核验" not in page.text("#answer")


def test_without_script_the_server_answers_and_says_so(chromium: Chromium, gateway: HandGateway):
    page = chromium.page(script=False)
    page.open(f"{gateway.url}/?q={format_number(Prefix.EVIDENCE, gateway.state.digests[1])}")
    page.until(lambda: "未独立核验" in page.text("#answer"), "answer")
    assert "已登记" in page.text("#answer")
    assert "本页未运行脚本" in page.text("main")
    assert not page.evaluate("document.querySelector('#drop').checkVisibility()")


def test_events(chromium: Chromium, tmp_path: Path):
    for event, outcome, said in (
        (revocation(), "undetermined", "已被撤销"),
        (correction(), "present", "更正说明"),
    ):
        gateway = HandGateway(just_now(events=(event,)))
        with Serving(gateway):
            page = opened(chromium, gateway)
            assert give(page, file(tmp_path, "a.txt", CONTENT)) == outcome
            assert said in page.text("#answer")


def test_an_old_answer_is_undetermined(chromium: Chromium, tmp_path: Path):
    gateway = HandGateway(State(time=BlockTime.of(datetime.now(UTC) - timedelta(minutes=25))))
    with Serving(gateway):
        page = opened(chromium, gateway)
        assert give(page, file(tmp_path, "a.txt", b"other")) == "undetermined"
        assert "已超过 20 分钟" in page.text("#answer")
        # What is there stays there; whether it was revoked since is not known.
        assert give(page, file(tmp_path, "a.txt", CONTENT)) == "undetermined"
        assert checks(page, "undetermined") == ["portal.recent.stale", "court.lookup.stale"]


# --- packages ----------------------------------------------------------------------------------------------------


def package(state: State, **changes: bytes) -> bytes:
    leaf = state.leaves[1]
    proof = Proof(
        number=format_number(Prefix.EVIDENCE, leaf_hash(leaf)), leaf=ProvenLeaf(leaf=leaf, seq=1, path=()),
        checkpoint=state.note, times=(),
    )  # fmt: skip
    entries = {
        "mimetype": b"application/vnd.etsi.asic-e+zip",
        "files/0001.txt": CONTENT,
        "statement.json": b"statement",
        "proof.json": proof.encode(),
        "certificate.pdf": CERTIFICATE,
        **{name.replace("__", "/").replace("_", "."): content for name, content in changes.items()},
    }
    out = io.BytesIO()
    writer = ZipWriter(out)
    for name, content in entries.items():
        writer.add(name, io.BytesIO(content), len(content))
    writer.finish()
    return out.getvalue()


def test_a_package(chromium: Chromium, gateway: HandGateway, tmp_path: Path):
    page = opened(chromium, gateway)
    assert give(page, file(tmp_path, "证据包.asice", package(gateway.state))) == "present"
    passed = checks(page, "passed")
    assert {
        "portal.files.right",
        "portal.statement.right",
        "portal.pair.certificate",
        "court.events.none",
    } <= set(passed)
    assert format_number(Prefix.EVIDENCE, gateway.state.digests[2]) in page.text("#answer")


def test_packages_that_were_changed(chromium: Chromium, gateway: HandGateway, tmp_path: Path):
    page = opened(chromium, gateway)
    for changes, code in (
        ({"files__0001_txt": b"Content"}, "portal.files.wrong"),
        ({"files__0002_txt": b"more"}, "portal.files.number"),
        ({"statement_json": b"Statement"}, "portal.statement.wrong"),
    ):
        assert give(page, file(tmp_path, "p.asice", package(gateway.state, **changes))) == "failed"
        assert code in checks(page, "failed")
    assert give(page, file(tmp_path, "p.asice", package(gateway.state)[:-1])) == "failed"


def test_a_package_that_is_not_on_chain(chromium: Chromium, gateway: HandGateway, tmp_path: Path):
    page = opened(chromium, gateway)
    state = just_now()
    state.leaves[1] = state.leaves[1].replace(b"2026-03-02", b"2026-03-03")
    assert give(page, file(tmp_path, "p.asice", package(state))) == "undetermined"
    assert "可能尚未上链" in page.text("#answer")


SALT = bytes(range(32))
STATEMENT = encode({"salt": SALT.hex()})
SECOND = b"second file"
PLAIN = tuple(PlainObject(digests=DigestPair.of(item), size=len(item)) for item in (CONTENT, SECOND))
BLINDED = tuple(blind(item.digests, SALT) for item in PLAIN)
FORMS: dict[str, dict[str, Any]] = {
    "listed": {"objects": PLAIN},
    "blinded": {"objects": BLINDED},
    "root": {"root": objects_root(PLAIN), "count": 2},
    "root of blinded": {"root": objects_root(BLINDED), "count": 2},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_leaf(chromium: Chromium, tmp_path: Path, form: str):
    made = {"objects": (), **FORMS[form], "statement": DigestPair.of(STATEMENT)}
    gateway = HandGateway(just_now(exhibit=replace(sealed_leaf(1), **made)))
    with Serving(gateway):
        page = opened(chromium, gateway)
        right = {"statement_json": STATEMENT, "files__0002_txt": SECOND}
        assert give(page, file(tmp_path, "p.asice", package(gateway.state, **right))) == "present"
        other_salt = {**right, "statement_json": encode({"salt": bytes(32).hex()})}
        wrong = {**right, "files__0002_txt": b"Second file"}
        for changes in (wrong, {**right, "files__0001_txt": SECOND, "files__0002_txt": CONTENT}, other_salt):
            assert give(page, file(tmp_path, "p.asice", package(gateway.state, **changes))) == "failed"
        assert "portal.statement.wrong" in checks(page, "failed")
        assert ("portal.files.wrong" in checks(page, "failed")) is ("blinded" in form)


# --- lies --------------------------------------------------------------------------------------------------------

Lie = Callable[[bytes], bytes]


def edited(old: bytes, new: bytes) -> Lie:
    def lie(body: bytes) -> bytes:
        assert old in body
        return body.replace(old, new, 1)

    return lie


def _flip(body: bytes) -> bytes:
    at = body.index(b'"signature') if b'"signature' in body else len(body) // 2
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def _without_entries(body: bytes) -> bytes:
    value = json.loads(body)
    for answer in value["answers"]:
        answer["entries"] = []
    value["found"] = []
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


LIES: dict[str, Lie] = {
    "a flipped bit": _flip,
    "another height": edited(b'"height":41', b'"height":42'),
    "another time": edited(b'"time":"20', b'"time":"21'),
    "nothing there, it says": _without_entries,
    "no JSON": lambda _: b"<html>login</html>",
    "empty": lambda _: b"",
    "not canonical": lambda body: body + b"\n",
}


@pytest.mark.parametrize("name", LIES)
def test_a_lying_gateway_is_caught_in_the_browser(
    chromium: Chromium, gateway: HandGateway, tmp_path: Path, name: str
):
    gateway.spoil = lambda path, body: LIES[name](body) if path.startswith("/v1/lookup/") else body
    page = opened(chromium, gateway)
    assert give(page, file(tmp_path, "a.txt", CONTENT)) == "failed"
    text = page.text("#answer")
    assert "未通过" in text
    assert "不能采信" in text
    assert "已登记" not in text


def test_an_answer_to_another_question(chromium: Chromium, gateway: HandGateway, tmp_path: Path):
    other = gateway.state.search(b"\x00" * 32).encode()
    gateway.spoil = lambda path, body: other if path.startswith("/v1/lookup/") else body
    page = opened(chromium, gateway)
    assert give(page, file(tmp_path, "a.txt", CONTENT)) == "failed"


def test_another_network_under_the_trust_root(chromium: Chromium, gateway: HandGateway, tmp_path: Path):
    others = encode_network(replace(gateway.trust, genesis=nodes(5, 6, 7, 8), institutions={}))
    gateway.spoil = lambda path, body: others if path.endswith("network.json") else body
    page = opened(chromium, gateway)
    assert give(page, file(tmp_path, "a.txt", CONTENT)) == "undetermined"
    assert "court.trust_unreached" in checks(page, "undetermined")
    page.evaluate(
        f"document.querySelector('#paper').value = '{sha256(gateway.network).hex()}';"
        "document.querySelector('#paper').dispatchEvent(new Event('input'))"
    )
    assert "不一致" in page.text("#same")


def test_a_browser_without_ed25519_shows_nothing_as_passed(
    chromium: Chromium, gateway: HandGateway, tmp_path: Path
):
    page = chromium.page()
    page.call(
        "Page.addScriptToEvaluateOnNewDocument",
        source="crypto.subtle.importKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'))",
    )
    page.open(gateway.url)
    page.wait(READY)
    assert give(page, file(tmp_path, "a.txt", CONTENT)) == "undetermined"
    assert "不支持 Ed25519" in page.text("#answer")
    assert "已登记" not in page.text("#answer")


def test_a_silent_gateway(chromium: Chromium, tmp_path: Path):
    gateway = HandGateway(just_now())
    with Serving(gateway):
        page = opened(chromium, gateway)
    assert give(page, file(tmp_path, "a.txt", CONTENT)) == "undetermined"
    assert "无法取得答复" in page.text("#answer")


# --- large files, paper, telephone -------------------------------------------------------------------------------


def test_a_large_file_can_be_canceled(chromium: Chromium, gateway: HandGateway, tmp_path: Path):
    path = tmp_path / "large.bin"
    with path.open("wb") as out:
        out.truncate(8 * 1024**3)
    page = opened(chromium, gateway)
    page.choose("#file", path)
    page.wait("document.querySelector('#progress progress')?.value > 0")
    assert "MB" in page.text("#progress")
    page.evaluate("document.querySelector('#progress button').click()")
    assert answered(page) == "undetermined"
    assert "已取消" in page.text("#answer")
    assert not [path for path in gateway.asked if path.startswith("/v1/lookup")]


def test_a_file_of_many_pieces(chromium: Chromium, gateway: HandGateway, tmp_path: Path):
    content = bytes(range(256)) * 4096 * 9 + b"end"
    page = opened(chromium, gateway)
    assert give(page, file(tmp_path, "pieces.bin", content)) == "absent"
    assert [path.rpartition("/")[2] for path in gateway.asked if "/lookup/" in path] == [
        sha256(content).hex(),
        sm3(content).hex(),
    ]


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_nothing_is_wider_than_the_screen(
    chromium: Chromium, gateway: HandGateway, tmp_path: Path, width: int
):
    page = opened(chromium, gateway, width=width)
    assert give(page, file(tmp_path, "a.txt", CONTENT)) == "present"
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_language_is_kept_when_switched(chromium: Chromium, gateway: HandGateway):
    page = opened(chromium, gateway, language="en")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.evaluate("document.querySelector('.language').click()")
    page.wait("document.documentElement.lang === 'zh-CN' && document.readyState === 'complete'")
