"""A hostile desk's records in the page, as a judge sees them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from evidence_desk.core.digests import DigestPair
from evidence_desk.court.node.portal.answer import Finder
from evidence_desk.court.protocol.network_file import encode_network
from tests.integration.portal.chromium import Chromium
from tests.integration.portal.gateway import HandGateway, Serving, just_now
from tests.integration.portal.test_browser import ask, checks, file, give, opened, package
from tests.unit.portal.answers import CONTENT, State
from tests.unit.portal.hostile import CERTIFICATE, FILE, Spoiled, half_true


class SpoiledGateway(HandGateway):
    """Serves a network with a hostile desk."""

    def __init__(self, net: Spoiled) -> None:
        super().__init__(just_now())
        self.net = net
        self.trust = net.trust
        self.network = encode_network(net.trust)

    @property
    def finder(self) -> Finder:  # type: ignore[override]
        return cast("Finder", self.net)


def test_a_wrong_and_a_half_true_record_beside_the_right_one(chromium: Chromium, tmp_path: Path):
    net = Spoiled(datetime.now(UTC) - timedelta(minutes=5))
    honest = net.register(net.victim, FILE)
    wrong = net.register(net.hostile, FILE, bad_note=True)
    net.register(net.hostile, b"", objects=(half_true(FILE),))
    gateway = SpoiledGateway(net)
    with Serving(gateway):
        page = opened(chromium, gateway)
        assert give(page, file(tmp_path, "a.txt", FILE)) == "present"
        text = page.text("#answer")
        for said in (
            "共 1 条日志条目",
            f"第 {honest.height} 号区块",
            "不予计入",
            "登记的不是该文件",
            honest.digest.hex(),
        ):
            assert said in text
        assert wrong.digest.hex() not in text, "nothing of a record that failed"
        assert checks(page, "failed") == ["court.note.wrong"]
        assert page.evaluate("document.querySelectorAll('#answer .record').length") == 3
        assert ask(page, DigestPair.of(FILE).sm3.hex()) == "present"
        assert page.complaints() == []
        bare = chromium.page(script=False)
        bare.open(f"{gateway.url}/?q={DigestPair.of(FILE).sha256.hex()}")
        bare.until(lambda: "不予计入" in bare.text("#answer"), "answer")
        assert "已登记" in bare.text("#answer")


def test_of_a_packages_certificate_only_its_own_desk_speaks(chromium: Chromium, tmp_path: Path):
    net = Spoiled(datetime.now(UTC) - timedelta(minutes=5))
    sealed = net.register(net.victim, CONTENT)
    given = package(
        cast("State", SimpleNamespace(leaves=[b"", net.victim.leaves[0]], note=sealed.note)),
        statement_json=b"statement " + CONTENT, certificate_pdf=CERTIFICATE,
    )  # fmt: skip
    path = file(tmp_path, "p.asice", given)
    net.revoke(net.certify(net.hostile))
    gateway = SpoiledGateway(net)
    with Serving(gateway):
        page = opened(chromium, gateway)
        assert give(page, path) == "present"
        assert "与证据包的登记单位不同" in page.text("#answer")
        net.revoke(net.certify(net.victim))
        assert give(page, path) == "undetermined"
        assert "已被撤销" in page.text("#answer")
