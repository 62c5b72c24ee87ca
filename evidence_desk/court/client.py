"""A gateway of the court network over HTTP (`core.ports.CourtGateway`): transport only.

Type, size and duration of answers are bounded; what they say is verified by the services. Nothing is asked twice here:
whether to try again, or elsewhere, is for the caller to decide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import httpx

from evidence_desk.core.rows import Submission
from evidence_desk.court.deadline import Deadline
from evidence_desk.errors import RemoteError, UsageError

MAX_REPLY: Final = 32 * 1024 * 1024
SILENCE_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 30.0
_MAX_REASON: Final = 200
_MAX_PORT: Final = 65535
_KNOWN: Final = 3
_REFUSED: Final = 422
_NOT_FOUND: Final = 404
_BUSY: Final = frozenset({429, 503})


class HttpGateway:
    """One gateway.

    Args:
        url: http or https address without path, query or password.
        http: client with the proxy and TLS settings of the program.
        total_seconds: limit for one question with its answer.

    Raises:
        UsageError: ``gateway.url``.
    """

    def __init__(self, url: str, http: httpx.Client, *, total_seconds: float = TOTAL_SECONDS) -> None:
        self._url = gateway_url(url)
        self._http = http
        self._total = total_seconds

    @property
    def url(self) -> str:
        """Address, for people."""
        return self._url

    def submit(self, transaction: bytes) -> Submission:
        """Hand over a transaction; a refusal by the rules is an answer, not an error."""
        status, body = self._ask(
            "POST", "/v1/transactions", content=transaction, kind="application/octet-stream"
        )
        value = _object(body)
        if status == _REFUSED and value.get("error") == "court.tx_refused":
            facts = value.get("parameters")
            code = facts.get("code") if isinstance(facts, dict) else None
            if type(code) is int and code > 0:
                reason = str(facts.get("reason", "")) if isinstance(facts, dict) else ""
                return Submission(id="", code=code, reason=_printable(reason))
        self._check(status, body)
        identity, code = value.get("id"), value.get("code", 0)
        if not isinstance(identity, str) or code not in {0, _KNOWN}:
            raise RemoteError("gateway.malformed", gateway=self._url, reason="submission")
        return Submission(id=_printable(identity), code=int(code))

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> bytes:
        """Body of an answer."""
        status, body = self._ask("GET", path, parameters=parameters)
        self._check(status, body)
        return body

    def post(self, path: str, body: bytes) -> bytes:
        """Body of the answer to a posted one."""
        kind = "application/json" if body[:1] in {b"{", b"["} else "application/octet-stream"
        status, answer = self._ask("POST", path, content=body, kind=kind)
        self._check(status, answer)
        return answer

    def keybag(self, method: str, family: str, *, authorization: str, body: bytes = b"") -> bytes:
        """Body of the answer about a desk's copy of its keybag."""
        status, answer = self._ask(
            method, f"/v1/keybags/{family}", content=body or None,
            kind="application/octet-stream" if body else "", authorization=authorization,
        )  # fmt: skip
        self._check(status, answer)
        return answer

    def _ask(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        content: bytes | None = None,
        kind: str = "",
        authorization: str = "",
    ) -> tuple[int, bytes]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if kind:
            headers["Content-Type"] = kind
        if authorization:
            headers["Authorization"] = authorization
        deadline = Deadline(self._http, self._url, self._total)
        try:
            with (
                deadline,
                self._http.stream(
                    method, self._url + path, params=parameters, content=content, headers=headers,
                    timeout=min(SILENCE_SECONDS, self._total), follow_redirects=False,
                    extensions={"trace": deadline.trace},
                ) as response,
            ):  # fmt: skip
                status, body = response.status_code, self._read(response, deadline)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            silent = deadline.expired or isinstance(error, httpx.TimeoutException)
            raise RemoteError(
                "gateway.silent" if silent else "gateway.unreachable", gateway=self._url
            ) from error
        if deadline.expired:  # the end of a body without length may be the connection's that was shut
            raise RemoteError("gateway.silent", gateway=self._url)
        return status, body

    def _read(self, response: httpx.Response, deadline: Deadline) -> bytes:
        if response.headers.get("Content-Encoding", "identity").lower() not in {"", "identity"}:
            raise RemoteError("gateway.malformed", gateway=self._url, reason="compressed")
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > MAX_REPLY:
                raise RemoteError("gateway.too_large", gateway=self._url, limit=MAX_REPLY)
            if deadline.expired:
                raise RemoteError("gateway.silent", gateway=self._url)
        return bytes(body)

    def _check(self, status: int, body: bytes) -> None:
        if 200 <= status < 300:
            return
        if status == _NOT_FOUND:
            raise RemoteError("gateway.not_found", gateway=self._url)
        if status in _BUSY:
            raise RemoteError("gateway.busy", gateway=self._url, status=status)
        code = _object(body).get("error")
        raise RemoteError(
            "gateway.refused", gateway=self._url, status=status,
            reason=_printable(code) if isinstance(code, str) else "-",
        )  # fmt: skip


def gateway_url(url: str) -> str:
    """Address in one spelling, without a slash at its end.

    Raises:
        UsageError: ``gateway.url``.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as error:
        raise UsageError("gateway.url", url=_printable(str(url))) from error
    port = 1 if parsed.port is None else parsed.port
    # httpx escapes what can be no host name ("http://[") instead of refusing it.
    named = parsed.host and "%" not in parsed.host and not parsed.userinfo
    plain = parsed.path in {"", "/"} and not parsed.query and not parsed.fragment
    if parsed.scheme not in {"http", "https"} or not named or not plain or not 1 <= port <= _MAX_PORT:
        raise UsageError("gateway.url", url=_printable(url))
    return str(parsed).rstrip("/")


def _object(body: bytes) -> dict[str, object]:
    """Members of a JSON object, none when it is anything else; only codes are read from it."""
    try:
        value = json.loads(body) if len(body) <= 1 << 16 else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:_MAX_REASON] or "-"
