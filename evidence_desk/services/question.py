"""What a person asks for by a file or a short text: recognized once, for look-ups here and in the court network."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.evidence_number import Prefix, format_number, parse_number
from evidence_desk.core.job import Job
from evidence_desk.core.qr_payload import CodePayload, is_code, parse_code
from evidence_desk.errors import MalformedError
from evidence_desk.verify.files import hash_original

MAX_TEXT: Final = 1_000
"""Characters of a typed or pasted question; the longest that means anything is an address with a payload."""
_DIGEST: Final = re.compile(r"(?:(sha-?256|sm3)[:=])?([0-9a-f]{64})")
_HEXADECIMAL: Final = re.compile(r"(?:(?:sha-?256|sm3)[:=])?[0-9a-f]{40,}")
_BLANKS: Final = re.compile(r"\s+")


class QuestionKind(StrEnum):
    """What is asked for."""

    FILE = "file"
    DIGEST = "digest"
    EVIDENCE_NUMBER = "evidence_number"
    CERTIFICATE_NUMBER = "certificate_number"
    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, in its one spelling.

    Attributes:
        digests, size: of a file.
        digest: 32 bytes that somebody typed; `algorithm` is "" unless they said ``sha256`` or ``sm3``. It may be a leaf hash.
        number: evidence or certificate number.
        code: content of a QR code.
    """

    kind: QuestionKind
    digests: DigestPair | None = None
    size: int = 0
    digest: bytes = b""
    algorithm: str = ""
    number: str = ""
    code: CodePayload | None = None

    @property
    def text(self) -> str:
        """The question for people: a number, or digits."""
        if self.number:
            return self.number
        if self.code is not None:
            return self.code.encode()
        digest = self.digest if self.digests is None else self.digests.sha256
        return f"{self.algorithm}:{digest.hex()}" if self.algorithm else digest.hex()


def recognize(text: str) -> Question:
    """What a typed, pasted or scanned text asks for.

    Case, blanks, hyphens and full-width forms (Chinese input) are free in numbers and digests. The length is looked at
    before anything else is done.

    Raises:
        MalformedError: ``question.empty``, ``question.too_long``, ``question.unknown``, ``question.digest``,
            ``malformed.number``, ``malformed.number_check``, ``malformed.code``.
    """
    if len(text) > MAX_TEXT:
        raise MalformedError("question.too_long", limit=MAX_TEXT)
    line = " ".join(text.split())
    if not line:
        raise MalformedError("question.empty")
    if is_code(line):
        code = parse_code(line)
        return Question(kind=QuestionKind.CODE, code=code)
    compact = _BLANKS.sub("", unicodedata.normalize("NFKC", line)).lower()
    if digest := _DIGEST.fullmatch(_without_groups(compact)):
        algorithm = (digest[1] or "").replace("-", "")
        return Question(kind=QuestionKind.DIGEST, digest=bytes.fromhex(digest[2]), algorithm=algorithm)
    for prefix, kind in (
        (Prefix.EVIDENCE, QuestionKind.EVIDENCE_NUMBER),
        (Prefix.CERTIFICATE, QuestionKind.CERTIFICATE_NUMBER),
    ):
        if compact.startswith(prefix.lower()):
            number = format_number(prefix, parse_number(line, prefix))
            return Question(kind=kind, number=number)
    if _HEXADECIMAL.fullmatch(_without_groups(compact)):
        raise MalformedError("question.digest")
    raise MalformedError("question.unknown")


def ask_file(path: Path, job: Job) -> Question:
    """The question whether a file is known; both digests are computed.

    Raises:
        UnreadableError: ``input.missing``, ``input.unreadable``, ``input.not_regular``.
    """
    given = hash_original(path, job)
    return Question(
        kind=QuestionKind.FILE,
        digests=DigestPair(sha256=given.sha256 or b"", sm3=given.sm3 or b""),
        size=given.size or 0,
    )


def ask(what: str, job: Job) -> Question:
    """What a word on the command line asks for: a digest before a file of that name, a file before a number.

    Raises:
        MalformedError: as `recognize`. UnreadableError: as `ask_file`.
    """
    try:
        question = recognize(what)
    except MalformedError:
        question = None
    if question is not None and question.kind is QuestionKind.DIGEST:
        return question
    path = Path(what)
    if path.is_file():
        return ask_file(path, job)
    return recognize(what) if question is None else question


def _without_groups(compact: str) -> str:
    """Digits without what groups them: ``ab:cd…``, ``abcd-…``; the colon after an algorithm stays."""
    head, colon, rest = compact.partition(":")
    if colon and head in {"sha256", "sha-256", "sm3"}:
        return f"{head}:{rest.replace(':', '').replace('-', '')}"
    for name in ("sha-256", "sha256", "sm3"):
        if compact.startswith(name) and not compact.startswith(f"{name}="):
            return f"{name}:{compact[len(name) :].replace(':', '').replace('-', '')}"
    return compact.replace(":", "").replace("-", "")
