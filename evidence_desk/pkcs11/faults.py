"""What a PKCS#11 module answers, in our errors (PKCS#11 v2.40 §11.1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pkcs11 import exceptions as told

from evidence_desk.errors import EvidenceDeskError, HostError, PermissionDeniedError

WRONG_PIN: Final = (told.PinIncorrect, told.PinInvalid, told.PinLenRange)
_GONE: Final = (
    told.DeviceRemoved,
    told.KeyHandleInvalid,
    told.ObjectHandleInvalid,
    told.SessionClosed,
    told.SessionHandleInvalid,
    told.SlotIDInvalid,
    told.TokenNotPresent,
    told.TokenNotRecognised,
    told.UserNotLoggedIn,
)
"""How modules say that the token, and with it the session, is no longer there."""
_NOT_PERMITTED: Final = "0x68"
"""CKR_KEY_FUNCTION_NOT_PERMITTED, which the library does not name."""


@contextmanager
def token_faults(token: str) -> Iterator[None]:
    """Turn what the module answers about the token of this label into our errors."""
    try:
        yield
    except told.PKCS11Error as error:
        raise _ours(error, token) from error


def _ours(error: told.PKCS11Error, token: str) -> EvidenceDeskError:
    match error:
        case told.PinLocked():
            return PermissionDeniedError("signer.pin_locked", token=token)
        case told.PinExpired():
            return PermissionDeniedError("signer.pin_expired", token=token)
        case told.UserPinNotInitialized():
            return PermissionDeniedError("signer.pin_unset", token=token)
        case told.FunctionCancelled() | told.FunctionRejected():
            return PermissionDeniedError("signer.refused_at_token", token=token)
        case told.MechanismInvalid() | told.KeyTypeInconsistent() | told.FunctionNotSupported():
            return PermissionDeniedError("signer.key_cannot_sign", token=token)
        case _ if isinstance(error, _GONE):
            return HostError("signer.token_removed", token=token)
        case _ if _NOT_PERMITTED in str(error).split():
            return PermissionDeniedError("signer.key_cannot_sign", token=token)
        case _:
            return HostError("signer.token_failed", token=token, reason=reason(error))


def reason(error: told.PKCS11Error) -> str:
    """Short name of an answer for the person who looks after the token."""
    return str(error)[:200] or type(error).__name__
