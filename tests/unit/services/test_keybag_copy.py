"""Copies that cannot be sent hinder nothing."""

from __future__ import annotations

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.services import keybag_copy
from evidence_desk.services.keybag_copy import send_copies
from tests.unit.services.court import HandMadeCourt, HandMadeGateway, court_of


def test_too_large(
    joined: Session, network: HandMadeCourt, gateway: HandMadeGateway, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(keybag_copy, "MAX_KEYBAG", 100)
    outcome = send_copies(joined.desk, court_of(network, gateway))
    assert [(item.code, item.lied) for item in outcome.faults] == [("keybag_copy.too_large", False)]
    assert outcome.sent == []
    assert not outcome.whole
