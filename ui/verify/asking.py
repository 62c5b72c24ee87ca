"""What is asked and by what it is judged; the work itself, done beside the window. No widgets. Nothing is written anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from PySide6.QtGui import QImage

from evidence_desk.bootstrap.examining import open_examiner
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.qr_payload import CodePayload, parse_code
from evidence_desk.core.trust import NO_TRUST, Trust
from evidence_desk.errors import EvidenceDeskError, MalformedError
from evidence_desk.qr import MAX_CODES, read_codes
from evidence_desk.services.examination import Examination, Row, Subject
from evidence_desk.services.examine import MOST_CODES, SCAN_LIMIT, Examiner, examine, refused
from evidence_desk.services.examine_all import examine_all
from evidence_desk.verify.answer import Said
from evidence_desk.verify.files import read_trust
from evidence_desk.verify.listing import read_listing
from ui.preferences import Preferences
from ui.verify.picture import gray_of

NO_TRUST_READ: Final = "ui_verify.note.trust"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing a person put before the page; asking it again gives its present answer.

    Attributes:
        paths: files and folders given at once.
        originals: what the person says belongs to the first path.
        text: typed or pasted. `code`: payload read from a picture. `picture`: from the clipboard.
    """

    paths: tuple[Path, ...] = ()
    originals: tuple[Path, ...] = ()
    text: str = ""
    code: CodePayload | None = None
    picture: QImage | None = field(default=None, compare=False)
    picture_key: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """By what is judged: a folder of trust roots given by hand (None: the open vault's own, or none), and who is asked."""

    trust: Path | None = None
    gateways: tuple[str, ...] = ()
    look_up: bool = True

    @classmethod
    def of(cls, preferences: Preferences) -> Basis:
        """As the user chose."""
        trust = Path(preferences.trust) if preferences.trust else None
        return cls(trust=trust, gateways=preferences.gateways, look_up=preferences.look_up)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An examination, and what to ask for having it again; `rows` are its own, made beside the window."""

    request: Request
    examination: Examination
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustState:
    """Trust roots in force: by hand, the vault's own, or none; `fault` why they cannot be read.

    Attributes:
        joined: chain ID of the network that the open vault joined, empty for none.
    """

    trust: Trust = NO_TRUST
    by_hand: bool = False
    folder: str = ""
    fault: EvidenceDeskError | None = None
    joined: str = ""


def trust_state(basis: Basis, session: Session | None) -> TrustState:
    """The trust roots that an examination would go by now; no error, a fault."""
    by_hand = basis.trust is not None
    folder = "" if basis.trust is None else str(basis.trust)
    networks = () if session is None else session.networks
    joined = networks[0].chain_id if networks else ""
    try:
        if basis.trust is not None:
            return TrustState(trust=read_trust(basis.trust), by_hand=True, folder=folder, joined=joined)
        return TrustState(trust=NO_TRUST if session is None else session.trust, joined=joined)
    except EvidenceDeskError as error:
        return TrustState(by_hand=by_hand, folder=folder, fault=error, joined=joined)


def answer(request: Request, basis: Basis, session: Session | None, job: Job) -> list[Answered]:
    """Everything that can be said about a request.

    Trust roots that cannot be read leave everything undetermined that needs them, and every answer says so.

    Raises:
        CanceledError. Errors of the evidence itself when originals were added: the answer before still stands.
    """
    state = trust_state(basis, session)
    with _examiner(basis, state, session, job) as by:
        found = list(_answered(request, by))
    if state.fault is not None:
        note = Said(code=NO_TRUST_READ, parameters={"path": state.folder})
        found = [
            replace(item, examination=replace(item.examination, notes=(note, *item.examination.notes)))
            for item in found
        ]
    return [replace(item, rows=item.examination.rows) for item in found]


@contextmanager
def _examiner(basis: Basis, state: TrustState, session: Session | None, job: Job) -> Iterator[Examiner]:
    if state.fault is None:
        with open_examiner(
            job=job, session=session, given=basis.trust, gateways=basis.gateways, network=basis.look_up
        ) as by:
            yield by
        return
    with open_examiner(job=job, network=False) as by:
        desk = None if session is None else session.desk
        yield replace(by, trust=NO_TRUST, desk=desk, why_no_court=state.fault)


def _answered(request: Request, by: Examiner) -> Iterator[Answered]:
    if request.picture is not None:
        yield from _of_picture(request, request.picture, by)
    elif request.code is not None:
        yield Answered(request=request, examination=_of_code(request.code, by))
    elif not request.paths:
        yield Answered(request=request, examination=examine(Subject(text=request.text), by=by))
    elif request.originals:
        yield from _with_originals(request, by)
    else:
        for item in examine_all(request.paths, by=by):
            yield Answered(request=request, examination=item)


def _of_picture(request: Request, picture: QImage, by: Examiner) -> Iterator[Answered]:
    """The codes in a picture; each is an address, the picture itself proves nothing."""
    by.job.step("codes", 0, 0)
    try:
        texts = read_codes(*gray_of(picture))
    except MalformedError as error:
        yield Answered(request=request, examination=refused(Subject(), error, by))
        return
    payloads: dict[CodePayload, None] = {}
    strange = 0
    for text in texts[:MAX_CODES]:
        try:
            payloads[parse_code(text)] = None
        except MalformedError:
            strange += 1
    if not payloads:
        none = MalformedError("ui_verify.no_codes")
        fault = MalformedError("ui_verify.strange_codes", count=strange) if strange else none
        yield Answered(request=request, examination=refused(Subject(), fault, by))
    for number, code in enumerate(list(payloads)[:MOST_CODES]):
        by.job.step("examine", number, len(payloads))
        done = _of_code(code, by)
        if strange:
            note = Said(code="examination.note.strange_codes", parameters={"count": strange})
            done = replace(done, notes=(*done.notes, note))
        yield Answered(request=Request(code=code), examination=done)


def _of_code(code: CodePayload, by: Examiner) -> Examination:
    done = examine(Subject(code=code), by=by)
    return replace(done, limits=(SCAN_LIMIT, *done.limits))


def _with_originals(request: Request, by: Examiner) -> Iterator[Answered]:
    """Evidence with originals named for it. Of folders only what matches counts; other evidence among them is its own."""
    path = request.paths[0]
    if any(item.is_dir() for item in request.originals):
        found = examine_all((path, *request.originals), by=by)
        again = Request(paths=(path, *request.originals))
        for item in found:
            own = item.subject.path == path
            if own and item.error is not None:
                raise item.error
            yield Answered(request=request if own else again, examination=item)
        return
    others = [item for item in request.originals if read_listing(item) is not None]
    named = tuple(item for item in request.originals if item not in others)
    done = examine(Subject(path=path), by=by, originals=named)
    if done.error is not None:
        raise done.error
    yield Answered(request=replace(request, originals=named), examination=done)
    yield from _others(others, by)


def _others(paths: Sequence[Path], by: Examiner) -> Iterator[Answered]:
    for item in examine_all(paths, by=by) if paths else ():
        own = () if item.subject.path is None else (item.subject.path,)
        yield Answered(request=Request(paths=own), examination=item)
