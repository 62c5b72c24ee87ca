"""The page as served: languages, headers, escaping, the server's answer for readers without script."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from evidence_desk.core.digests import sha256
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.court.node.portal.markup import join, tag
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.texts import Language, sentence, sentences
from tests.integration.portal.gateway import HandGateway, Serving, just_now
from tests.unit.portal.answers import CERTIFICATE, CONTENT, State, revocation
from tests.unit.portal.engine import STATIC


def page(gateway: HandGateway, *, headers: dict[str, str] | None = None, **query: str) -> httpx.Response:
    return httpx.get(gateway.url, params=query, headers=headers)


def test_language_by_parameter_then_header_then_chinese(gateway: HandGateway):
    assert '<html lang="zh-CN">' in page(gateway).text
    assert '<html lang="en">' in page(gateway, lang="en", headers={"Accept-Language": "zh-CN"}).text
    assert '<html lang="en">' in page(gateway, headers={"Accept-Language": "fr, en-GB;q=0.8, zh;q=0.3"}).text
    assert '<html lang="zh-CN">' in page(gateway, headers={"Accept-Language": "zh;q=0.9, en;q=0.8"}).text
    assert '<html lang="zh-CN">' in page(gateway, lang="xx", headers={"Accept-Language": "q;;=;"}).text


def test_policy_forbids_everything_foreign(gateway: HandGateway):
    paths = [
        "/",
        "/portal/static/app.js",
        "/portal/static/portal.css",
        "/portal/texts/zh.json",
        "/portal/static/no",
    ]
    for path in paths:
        headers = httpx.get(gateway.url + path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_nothing_inline_and_nothing_from_elsewhere(gateway: HandGateway):
    text = page(gateway).text
    assert re.findall(r"<script(?![^>]* src=\"/portal/static/)", text) == []
    assert re.findall(r"<style| style=| on[a-z]+=", text) == []
    for file in STATIC.rglob("*"):
        if file.is_file():
            foreign = re.findall(r"https?://[^\s\"')]+", file.read_text("utf-8"))
            assert set(foreign) <= {"http://www.w3.org/2000/svg"}, file.name


def test_static_files_are_only_those_of_the_folder(gateway: HandGateway):
    for path in ("../routes.py", "%2e%2e/routes.py", "light/../../routes.py", "", "light"):
        assert httpx.get(f"{gateway.url}/portal/static/{path}").status_code == 404
    first = httpx.get(f"{gateway.url}/portal/static/light/sm3.js")
    assert first.headers["content-type"].startswith("text/javascript")
    again = httpx.get(
        f"{gateway.url}/portal/static/light/sm3.js", headers={"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "typed", ['"><script>alert(1)</script>', "'<img src=x onerror=a>", "&lt;b&gt;", "\u202e<", "\x00<b>"]
)
def test_what_is_typed_never_becomes_markup(gateway: HandGateway, typed: str):
    text = page(gateway, q=typed).text
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "<b>" not in text


def test_markup_escapes():
    assert tag("p", "<&\"'", title='"<').text == '<p title="&quot;&lt;">&lt;&amp;&quot;&#x27;</p>'
    assert tag("input", disabled=True, hidden=False, aria_label=None).text == "<input disabled>"
    assert join("<", tag("br"), None, 1).text == "&lt;<br>1"


# --- the server's answer ----------------------------------------------------------------------------------------


def told(gateway: HandGateway, typed: str, lang: str = "zh") -> tuple[str, str]:
    """(outcome, text) of the answer."""
    text = page(gateway, q=typed, lang=lang).text
    found = re.search(r'class="headline ([a-z]+)"', text)
    assert found
    return found[1], text


def test_number_and_digest_without_script(gateway: HandGateway):
    number = format_number(Prefix.EVIDENCE, gateway.state.digests[1])
    outcome, text = told(gateway, number.lower())
    assert outcome == "present"
    assert number in text
    assert sentence("portal.note.server", {}, Language.ZH) in text
    assert "仅核对编号、摘要、时间" in text
    assert "演示/非第三方" in text
    for asked in (sha256(CONTENT).hex(), "SHA-256: " + sha256(CERTIFICATE).hex().upper()):
        outcome, text = told(gateway, asked)
        assert outcome == "present"
        assert "未独立核验" in text
    outcome, text = told(gateway, gateway.state.digests[1].hex(), "en")
    assert outcome == "present"
    assert "Not independently verified" in text


def test_absence_without_script(gateway: HandGateway):
    outcome, text = told(gateway, "00" * 32)
    assert outcome == "absent"
    assert "截至第 40 号区块" in text
    assert told(gateway, format_number(Prefix.EVIDENCE, bytes(10)))[0] == "undetermined"


def test_wrong_input_is_told(gateway: HandGateway):
    number = format_number(Prefix.EVIDENCE, gateway.state.digests[1])
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    assert told(gateway, wrong) == ("input", told(gateway, wrong)[1])
    assert "校验码不符" in told(gateway, wrong)[1]
    assert "证书编号不上链" in told(gateway, format_number(Prefix.CERTIFICATE, bytes(10)))[1]
    leaf = gateway.state.digests[1].hex()
    assert told(gateway, f"ED1 leaf={leaf} chain=demo-court-7f3a")[0] == "present"
    assert "另一个网络" in told(gateway, f"ED1 leaf={leaf} chain=other")[1]


def test_revoked_and_stale_without_script():
    revoked = HandGateway(just_now(events=(revocation(),)))
    with Serving(revoked):
        outcome, text = told(revoked, sha256(CONTENT).hex())
        assert outcome == "undetermined"
        assert "已被撤销" in text
    old = BlockTime.of(datetime.now(UTC) - timedelta(minutes=25))
    stale = HandGateway(State(time=old))
    with Serving(stale):
        outcome, text = told(stale, "00" * 32)
        assert outcome == "undetermined"
        assert "已超过 20 分钟" in text


# --- sentences --------------------------------------------------------------------------------------------------


def test_every_sentence_the_script_asks_for_is_served(gateway: HandGateway):
    script = "\n".join(file.read_text("utf-8") for file in STATIC.rglob("*.js"))
    literal = set(re.findall(r"[\"'`]((?:portal|court|malformed|demo)\.[a-z0-9_.]+[a-z0-9_])[\"'`]", script))
    made = {
        f"{check}.{reason}"
        for check, reason in re.findall(r'finding\("([a-z.]+)", [A-Z]+, "([a-z_0-9]+)"', script)
    }
    chosen = re.findall(r'finding\("([a-z.]+)", [^"]*"([a-z_0-9]+)" : "([a-z_0-9]+)"', script)
    made |= {f"{check}.{reason}" for check, *reasons in chosen for reason in reasons}
    assert {"court.lookup.stale", "portal.pair.right", "court.note.wrong", "court.chain.other"} <= made
    checks = {
        code
        for code in literal
        if code in {"portal.pair", "portal.object", "portal.files", "portal.statement"}
    }
    checks |= {code for code in literal if any(other.startswith(f"{code}.") for other in made)}
    for language in Language:
        served = httpx.get(f"{gateway.url}/portal/texts/{language.value}.json").json()
        prefixes = {code for code in literal if any(name.startswith(f"{code}.") for name in served)}
        assert (literal | made) - checks - prefixes - set(served) == set()
        assert set(served) <= set(sentences(language))
