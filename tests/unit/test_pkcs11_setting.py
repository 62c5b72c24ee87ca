"""The setting of a key in a token: what is written is read again, anything else is refused."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import encode
from evidence_desk.errors import MalformedError
from evidence_desk.settings import Pkcs11Setting, load_pkcs11, save_pkcs11

NAME = "signer.pkcs11"


class Settings:
    """The part of the store that settings use."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def get_setting(self, name: str) -> bytes | None:
        return self.held.get(name)

    def set_setting(self, name: str, value: bytes) -> None:
        self.held[name] = value


def settings() -> Any:
    return cast("Any", Settings())


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(TEXT, TEXT, TEXT, st.binary(max_size=40), st.lists(st.binary(max_size=40), max_size=3))
def test_round_trip(module, token, key, certificate, chain):
    setting = Pkcs11Setting(
        module=module, token_label=token, token_serial=key, key_label=key, key_id="0a", certificate=certificate,
        chain=tuple(chain),
    )  # fmt: skip
    store = settings()
    assert load_pkcs11(store) is None
    save_pkcs11(store, setting)
    assert load_pkcs11(store) == setting
    save_pkcs11(store, None)
    assert load_pkcs11(store) is None


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        "text",
        {"module": "m", "token_label": "t", "token_serial": "1", "key_label": "k", "key_id": "0a"},
        {
            "module": "m", "token_label": "t", "token_serial": "1", "key_label": "k", "key_id": "0a",
            "certificate": "!", "chain": [],
        },
        {
            "module": "m", "token_label": "t", "token_serial": "1", "key_label": "k", "key_id": "0a",
            "certificate": "", "chain": ["证"],
        },
        {
            "module": "m", "token_label": "t", "token_serial": "1", "key_label": "k", "key_id": "0a",
            "certificate": "", "chain": "none",
        },
    ],
)  # fmt: skip
def test_anything_else_is_refused(value):
    store = settings()
    store.set_setting(NAME, encode(value))
    with pytest.raises(MalformedError):
        load_pkcs11(store)
