"""What no software token can be brought to say: locked, expired and unset PINs, refusals at the device."""

from __future__ import annotations

import pytest
from pkcs11 import exceptions as told

from evidence_desk.errors import EvidenceDeskError, HostError, PermissionDeniedError, UsageError
from evidence_desk.pkcs11.faults import token_faults
from evidence_desk.pkcs11.module import TokenInfo, choose_token
from evidence_desk.texts import Language, error_sentences


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (told.PinLocked(), PermissionDeniedError, "signer.pin_locked"),
        (told.PinExpired(), PermissionDeniedError, "signer.pin_expired"),
        (told.UserPinNotInitialized(), PermissionDeniedError, "signer.pin_unset"),
        (told.FunctionCancelled(), PermissionDeniedError, "signer.refused_at_token"),
        (told.FunctionRejected(), PermissionDeniedError, "signer.refused_at_token"),
        (told.MechanismInvalid(), PermissionDeniedError, "signer.key_cannot_sign"),
        (told.PKCS11Error("Unmapped error code 0x68"), PermissionDeniedError, "signer.key_cannot_sign"),
        (told.DeviceRemoved(), HostError, "signer.token_removed"),
        (told.TokenNotPresent(), HostError, "signer.token_removed"),
        (told.SessionHandleInvalid(), HostError, "signer.token_removed"),
        (told.DeviceError(), HostError, "signer.token_failed"),
        (told.PKCS11Error("Unmapped error code 0x80000001"), HostError, "signer.token_failed"),
    ],
)
def test_answers_of_a_module(answer, kind, code):
    with pytest.raises(EvidenceDeskError) as caught, token_faults("UKey"):
        raise answer
    assert (type(caught.value), caught.value.code) == (kind, code)
    for language in Language:
        what, advice = error_sentences(caught.value, language)
        assert "UKey" in what
        assert advice


def test_errors_of_ours_pass_through():
    with pytest.raises(UsageError), token_faults("UKey"):
        raise UsageError("signer.key_several")


def test_choosing_a_token(tmp_path):
    def token(label: str, serial: str) -> TokenInfo:
        return TokenInfo(
            module=tmp_path, label=label, serial=serial, manufacturer="", model="", ready=True, pin_failed=False,
            pin_last_try=False, pin_locked=False, pin_pad=False,
        )  # fmt: skip

    first, second, twin = token("甲", "1"), token("乙", "2"), token("甲", "3")
    assert choose_token([first], "") is first
    assert choose_token([first, second], "乙") is second
    assert choose_token([first, second, twin], "3") is twin
    for tokens, wanted, code in [
        ([], "", "signer.no_token"),
        ([first, second], "", "signer.token_several"),
        ([first, second, twin], "甲", "signer.token_several"),
        ([first], "丙", "signer.token_missing"),
    ]:
        with pytest.raises(EvidenceDeskError) as caught:
            choose_token(tokens, wanted)
        assert caught.value.code == code
