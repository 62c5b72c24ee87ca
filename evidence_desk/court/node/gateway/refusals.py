"""Answers that refuse: our errors with their HTTP status, as uniform JSON with the sentences of both languages."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.errors import (
    BusyError,
    EvidenceDeskError,
    IntegrityError,
    MalformedError,
    NotFoundError,
    PermissionDeniedError,
    RemoteError,
    UserError,
)
from evidence_desk.texts import Language, error_sentences

BAD_REQUEST: Final = 400
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
TOO_LARGE: Final = 413
REFUSED: Final = 422
TOO_MANY: Final = 429
UNAVAILABLE: Final = 503
JSON_TYPE: Final = "application/json"
_STATUS: Final[tuple[tuple[type[EvidenceDeskError], int], ...]] = (
    (MalformedError, BAD_REQUEST),
    (NotFoundError, NOT_FOUND),
    (PermissionDeniedError, FORBIDDEN),
    (UserError, REFUSED),
    (BusyError, UNAVAILABLE),
    (RemoteError, UNAVAILABLE),
    (IntegrityError, UNAVAILABLE),  # it is our own engine that is wrong, and it may get right again
)
_RETRY_SECONDS: Final = 2


class RefusalError(Exception):
    """An answer that refuses, with another status or delay than the kind of its error says."""

    def __init__(self, error: EvidenceDeskError, status: int, *, retry_after: int = 0) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.retry_after = retry_after


def refusal(error: Exception) -> Response:
    """The response to an exception; what is not ours is a bug and says nothing about itself."""
    if isinstance(error, RefusalError):
        return error_response(error.error, error.status, retry_after=error.retry_after)
    if not isinstance(error, EvidenceDeskError):
        return error_response(EvidenceDeskError("bug"), 500)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if error.code == "malformed.too_large":
        status = TOO_LARGE
    return error_response(error, status, retry_after=_RETRY_SECONDS if status == UNAVAILABLE else 0)


def error_response(error: EvidenceDeskError, status: int, *, retry_after: int = 0) -> Response:
    """Code, parameters and sentences."""
    value: dict[str, JSON] = {
        "error": error.code,
        "parameters": dict[str, JSON](error.parameters),
        "message_zh": "".join(error_sentences(error, Language.ZH)),
        "message_en": " ".join(error_sentences(error, Language.EN)).strip(),
    }
    response = Response(encode(value), status_code=status, media_type=JSON_TYPE)
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response


def json_response(value: dict[str, JSON], status: int = 200) -> Response:
    """Canonical JSON."""
    return Response(encode(value), status_code=status, media_type=JSON_TYPE)
