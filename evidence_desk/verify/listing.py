"""What a file says of itself before it is judged: whether it means to be evidence of ours, which exhibits and files it lists.

For finding the originals that belong to it, and for telling a certificate from any other PDF, a package from any other
ZIP. Nothing here is proven; `verify.files` judges. Foreign bytes never raise: what cannot be read lists nothing.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, assert_never

from evidence_desk.core.certificate import NAME, parse_printed
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import PlainObject, parse_leaf
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.package import read_package
from evidence_desk.core.proof import MAX_PROOF_FILE, parse_proof
from evidence_desk.core.statement import (
    MAX_DISCLOSURES,
    MAX_STATEMENT,
    match_disclosures,
    parse_disclosures,
    parse_statement,
)
from evidence_desk.errors import EvidenceDeskError, MalformedError
from evidence_desk.verify.files import MAX_PDF, InputKind, beside, open_regular, read_bounded, recognize
from tsa.response import RESPONSE_LIMIT, parse_response, parse_token

_PACKAGE_TYPE: Final = b"mimetypeapplication/vnd.etsi.asic"
_PACKAGE_FOLDER: Final = b"META-INF/ASiC"
_SUFFIX: Final = ".asice"
_TAIL: Final = 256 * 1024
_PROOF_VERSION: Final = (b'"v":"proof/', b'"v": "proof/')
_SIGNED_DATA: Final = bytes.fromhex("06092a864886f70d010702")
"""OBJECT IDENTIFIER id-signedData (RFC 5652 §5.1)."""

_STATUS: Final = re.compile(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..)\x02\x01", re.DOTALL)
"""PKIStatusInfo begins with its status, an INTEGER of one byte (RFC 3161 §2.4.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """One file that evidence lists: its name there, size in bytes, digests."""

    name: str
    size: int
    digests: DigestPair


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedExhibit:
    """One exhibit by leaf hash and log, with the files that are disclosed."""

    leaf_hash: bytes
    origin: str
    files: tuple[ListedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a piece of evidence says it is about.

    Attributes:
        number: certificate number that it states, "" when none.
        imprint: digest that a token covers, b"" otherwise.
    """

    kind: InputKind
    exhibits: tuple[ListedExhibit, ...] = ()
    number: str = ""
    imprint: bytes = b""

    @property
    def files(self) -> tuple[ListedFile, ...]:
        """Files of all exhibits."""
        return tuple(item for exhibit in self.exhibits for item in exhibit.files)


def read_listing(path: Path) -> Listing | None:
    """What a file says it is about; None when it does not mean to be evidence of ours.

    Raises:
        UnreadableError: ``input.missing``, ``input.unreadable``, ``input.not_regular``.
    """
    try:
        kind = recognize(path)
    except MalformedError:
        return None
    try:
        match kind:
            case InputKind.CERTIFICATE:
                return _certificate(read_bounded(path, MAX_PDF))
            case InputKind.PACKAGE:
                return _package(path)
            case InputKind.PROOF:
                return _proof(path)
            case InputKind.TOKEN | InputKind.RESPONSE:
                return _token(read_bounded(path, RESPONSE_LIMIT), kind)
            case InputKind.CAPTURE:
                return None  # an original: it belongs to the exhibit that lists it
            case _:
                assert_never(kind)
    except MalformedError:  # larger than its kind may be
        return None


def _certificate(pdf: bytes) -> Listing | None:
    """A PDF with a ``certificate.json``; one that is broken but names it still means to be a certificate."""
    from evidence_desk.verify.certificate.structure import read_structure  # noqa: PLC0415 - PDF libraries load slowly

    try:
        attachments = read_structure(pdf).attachments
    except MalformedError:
        return Listing(kind=InputKind.CERTIFICATE) if NAME.encode() in pdf else None
    if NAME not in attachments:
        return None
    number = ""
    with contextlib.suppress(MalformedError):
        number = parse_printed(attachments[NAME]).number
    tags = sorted(
        name.removeprefix("proof-").removesuffix(".json")
        for name in attachments
        if name.startswith("proof-") and name.endswith(".json")
    )
    exhibits = (
        _exhibit(
            attachments[f"proof-{tag}.json"],
            attachments.get(f"statement-{tag}.json"),
            attachments.get(f"disclosures-{tag}.json"),
        )
        for tag in tags
    )
    return Listing(
        kind=InputKind.CERTIFICATE,
        number=number,
        exhibits=tuple(item for item in exhibits if item is not None),
    )


def _package(path: Path) -> Listing | None:
    """A ZIP that says it is ASiC, by its first entry, its directory or its name; .docx and .zip are none."""
    with open_regular(path) as stream:
        try:
            claims = path.suffix.lower() == _SUFFIX or _is_asic(stream.read(128))
            size = stream.seek(0, io.SEEK_END)
            stream.seek(max(0, size - _TAIL))
            claims = claims or _PACKAGE_FOLDER in stream.read()
            stream.seek(0)
            if not claims:
                return None
            package = read_package(stream)
        except MalformedError:
            return Listing(kind=InputKind.PACKAGE)
        except OSError:
            return None
    exhibit = _exhibit(package.proof, package.statement, package.disclosures)
    return Listing(kind=InputKind.PACKAGE, exhibits=() if exhibit is None else (exhibit,))


def _is_asic(head: bytes) -> bool:
    return head[30:].startswith(_PACKAGE_TYPE)


def _proof(path: Path) -> Listing | None:
    """A proof says so; other JSON with a member ``checkpoint`` is none."""
    data = read_bounded(path, MAX_PROOF_FILE)
    if not any(version in data for version in _PROOF_VERSION):
        return None
    exhibit = _exhibit(
        data, beside(path, "statement", MAX_STATEMENT), beside(path, "disclosures", MAX_DISCLOSURES)
    )
    return Listing(kind=InputKind.PROOF, exhibits=() if exhibit is None else (exhibit,))


def _token(data: bytes, kind: InputKind) -> Listing | None:
    """DER that fills the file and begins like a token or a response; other files begin with 0x30 («0») too."""
    content = _content(data)
    if content is None:
        return None
    if kind is InputKind.TOKEN and not content.startswith(_SIGNED_DATA):
        return None
    if kind is InputKind.RESPONSE and not _STATUS.match(content):
        return None
    imprint = b""
    with contextlib.suppress(MalformedError):
        token = data if kind is InputKind.TOKEN else parse_response(data).token
        imprint = b"" if token is None else parse_token(token).imprint
    return Listing(kind=kind, imprint=imprint)


def _content(data: bytes) -> bytes | None:
    """What is in the one DER SEQUENCE that the bytes are."""
    if len(data) < 2:
        return None
    length, start = data[1], 2
    if length & 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(data[2:start], "big")
    return data[start:] if start + length == len(data) else None


def _exhibit(proof: bytes, statement: bytes | None, disclosures: bytes | None) -> ListedExhibit | None:
    try:
        data = parse_proof(proof).leaf.leaf
        leaf = parse_leaf(data)
    except MalformedError:
        return None
    plain = (item for item in leaf.objects if isinstance(item, PlainObject))
    files = dict.fromkeys(ListedFile(name="", size=item.size, digests=item.digests) for item in plain)
    named = tuple(_disclosed(statement, disclosures))
    known = {(item.size, item.digests) for item in named}
    rest = tuple(item for item in files if (item.size, item.digests) not in known)
    return ListedExhibit(leaf_hash=leaf_hash(data), origin=leaf.log, files=named + rest)


def _disclosed(statement: bytes | None, disclosures: bytes | None) -> Iterator[ListedFile]:
    if statement is None or disclosures is None:
        return
    try:
        found = match_disclosures(parse_statement(statement), parse_disclosures(disclosures))
    except EvidenceDeskError:
        return
    for _, entry in sorted(found.files.items()):
        yield ListedFile(name=entry.name, size=entry.size, digests=entry.digests)
