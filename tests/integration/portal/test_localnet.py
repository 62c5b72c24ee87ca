"""The portal of a real network's gateway: four validators agree, a browser verifies, a proxy in between lies."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from evidence_desk.core.digests import DigestPair, sha256, sm3
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.leaf import LeafType
from evidence_desk.core.merkle import leaf_hash
from tests.integration.court_gateway.asking import Asker
from tests.integration.portal.chromium import Chromium, Page
from tests.integration.portal.gateway import App, Serving
from tests.integration.portal.test_browser import READY, answered, ask, checks, file, give

pytestmark = pytest.mark.engine
CONTENT = "买卖合同，一式两份。".encode()
CERTIFICATE = b"%PDF-1.7 certificate"


def opened(chromium: Chromium, url: str) -> Page:
    page = chromium.page()
    page.open(url)
    page.wait(READY)
    return page


def test_a_judge_before_a_real_network(chromium: Chromium, asker: Asker, tmp_path: Path):
    desk = asker.registered()
    issued = {"certificate": {**DigestPair.of(CERTIFICATE).to_json()}}
    desk.leaf(CONTENT)
    sealed = leaf_hash(desk.leaves[0])
    certificate = leaf_hash(
        desk.leaf(b"", type=LeafType.CERTIFICATE_ISSUED, statement=None, objects=(), facts=issued)
    )
    desk.leaf(b"another file")
    assert asker.post("/v1/transactions", desk.submission(0)).status_code == 202
    record = asker.final(desk).record

    page = opened(chromium, asker.network.ready["gateways"][1])
    assert give(page, file(tmp_path, "合同.txt", CONTENT)) == "present"
    text = page.text("#answer")
    for said in (str(record.height), sealed.hex(), "演示/非第三方", "demo-court-0", sm3(CONTENT).hex()):
        assert said in text
    assert checks(page, "failed") + checks(page, "undetermined") == []
    assert give(page, file(tmp_path, "nothing.txt", b"nobody's")) == "absent"
    assert ask(page, format_number(Prefix.EVIDENCE, sealed)) == "present"
    assert ask(page, f"ED1 leaf={sealed.hex()} chain={asker.network.chain_id}") == "present"
    assert ask(page, sha256(b"another file").hex()) == "present"
    assert give(page, file(tmp_path, "证书.pdf", CERTIFICATE)) == "present"
    assert "存证证书" in page.text("#answer")
    assert page.complaints() == []

    # Revoked: the next look-up says so, whatever was true when the certificate was anchored.
    revoked = {**issued}
    desk.leaf(
        b"", type=LeafType.CERTIFICATE_REVOKED, statement=None, objects=(), facts=revoked, ref=certificate
    )
    assert asker.post("/v1/transactions", desk.submission(3)).status_code == 202
    asker.final(desk)
    page.until(lambda: give(page, file(tmp_path, "证书.pdf", CERTIFICATE)) == "undetermined", "revocation")
    assert "已被撤销" in page.text("#answer")


def test_a_proxy_that_flips_a_byte(chromium: Chromium, asker: Asker, tmp_path: Path):
    asker.anchored(asker.registered(), CONTENT)
    origin = asker.network.ready["gateways"][0]

    def passed_on(request: Request) -> Response:
        answer = httpx.get(f"{origin}{request.url.path}", params=request.query_params, timeout=60)
        body = answer.content
        if request.url.path.startswith("/v1/lookup/"):
            at = body.index(b'"app_hash":"') + 20
            body = body[:at] + (b"A" if body[at : at + 1] != b"A" else b"B") + body[at + 1 :]
        kept = {name: answer.headers[name] for name in ("content-type", "content-security-policy")}
        return Response(body, status_code=answer.status_code, headers=kept)

    proxy = App(app=Starlette(routes=[Route("/{path:path}", passed_on)]))
    with Serving(proxy):
        page = opened(chromium, proxy.url)
        page.choose("#file", file(tmp_path, "合同.txt", CONTENT))
        assert answered(page) == "failed"
        text = page.text("#answer")
        assert "未通过" in text
        assert "已登记" not in text
        assert "court.commit_signature" in checks(page, "failed")
