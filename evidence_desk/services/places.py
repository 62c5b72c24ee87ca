"""Ask the open vault and the reachable court network one question; every outcome is told, none is raised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from evidence_desk.core.job import Job
from evidence_desk.core.leaf import PlainObject
from evidence_desk.core.moment import format_moment
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import DATA_POLICY, Caveat, Finding, Verdict, unique_caveats
from evidence_desk.errors import CanceledError, EvidenceDeskError, MalformedError
from evidence_desk.services.court_query import Court, GatewayFault
from evidence_desk.services.desk import Desk
from evidence_desk.services.examination import LookedUp, Outcome, Place, PlaceAnswer
from evidence_desk.services.find import Here, find_here
from evidence_desk.services.logged import certificate_logged, file_logged, logged_leaf
from evidence_desk.services.lookup import LookupOutcome, look_up
from evidence_desk.services.prove import prove
from evidence_desk.services.question import Question, QuestionKind
from evidence_desk.verify.answer import Said
from evidence_desk.verify.exhibit import ExhibitInput, GivenFile, verify_exhibit
from evidence_desk.verify.files import open_regular, spool

MOST_PROVEN: Final = 3
"""Exhibits of our own whose proofs are judged for one question; all are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where to look things up.

    Attributes:
        desk: an open vault, None when there is none or it is locked.
        court: a reachable network, None when there is none; `why_no_court` says why.
    """

    trust: Trust
    now: datetime
    desk: Desk | None = None
    court: Court | None = None
    why_no_court: EvidenceDeskError | None = None

    def ask(self, question: Question) -> LookedUp:
        """One question at both places; a digest that was not made public is not shown to a gateway."""
        vault = self._vault(question)
        if self.court is not None and self.desk is not None and _undisclosed(self.desk, question, vault.here):
            court = _not_asked(Place.COURT, "examination.court.blinded")
        else:
            court = self._court(question)
        return LookedUp(question=question, vault=vault, court=court)

    def _vault(self, question: Question) -> PlaceAnswer:
        if self.desk is None:
            return _not_asked(Place.VAULT, "examination.vault.none")
        try:
            here = find_here(self.desk, question)
        except CanceledError:
            raise
        except EvidenceDeskError as error:
            return _failed(Place.VAULT, error)
        if not here:
            return PlaceAnswer(
                place=Place.VAULT, outcome=Outcome.ABSENT, why=Said(code="examination.vault.absent")
            )
        here = _borne_out(self.desk, question, here)
        if not here:
            return PlaceAnswer(
                place=Place.VAULT, outcome=Outcome.UNDETERMINED, why=Said(code="examination.vault.unproven")
            )
        numbers = [item.number for item in here.exhibits]
        if question.kind is QuestionKind.CERTIFICATE_NUMBER or not numbers:
            numbers = [item.number for item in here.certificates]
        facts: dict[str, str | int] = {"count": len(numbers), "number": numbers[0]}
        return PlaceAnswer(
            place=Place.VAULT, outcome=Outcome.FOUND, here=here,
            why=Said(code="examination.vault.found", parameters=facts),
        )  # fmt: skip

    def _court(self, question: Question) -> PlaceAnswer:
        if self.court is None:
            if self.why_no_court is None:
                return _not_asked(Place.COURT, "examination.court.none")
            return _failed(Place.COURT, self.why_no_court)
        faults: list[GatewayFault] = []
        try:
            found = look_up(self.court, question, faults)
        except CanceledError:
            raise
        except MalformedError as error:  # the network cannot be asked that
            return _failed(Place.COURT, error)
        except EvidenceDeskError as error:
            return _unbelieved(error, tuple(faults))
        return _network(found)

    def own_verdict(self, looked: LookedUp, given: GivenFile | None, job: Job) -> Verdict:
        """Findings on the proofs of our own exhibits that answer to a question; what cannot be proven says nothing.

        A given file that is a capture is looked into: its course and the checks of the machine are judged with it.
        """
        findings: list[Finding] = []
        caveats: list[Caveat] = []
        if self.desk is None:
            return Verdict(policy=DATA_POLICY, findings=())
        for row in looked.vault.here.exhibits[:MOST_PROVEN]:
            if row.erased:
                continue
            try:
                proof = prove(self.desk, row).encode()
            except EvidenceDeskError:
                continue
            verdict = verify_exhibit(
                ExhibitInput(
                    proof=proof, statement=row.statement, disclosures=row.disclosures,
                    files=() if given is None else (given,),
                ),
                trust=self.trust, now=self.now, job=job, spool=spool,
            )  # fmt: skip
            findings += verdict.findings
            caveats += verdict.caveats
        return Verdict(policy=DATA_POLICY, findings=tuple(findings), caveats=unique_caveats(caveats))


def _undisclosed(desk: Desk, question: Question, here: Here) -> bool:
    """Whether the question is a file's digest that no leaf shows: blinded (盲化), or under a root of many."""
    digest = question.digest if question.digests is None else question.digests.sha256
    rows = [row for row in here.exhibits if row.leaf_hash != digest]
    if not digest or not rows or len(rows) != len(here.exhibits) or here.certificates:
        return False
    leaves = [logged_leaf(desk, row.leaf_hash) for row in rows]
    return not any(
        leaf is None or any(isinstance(one, PlainObject) for one in leaf.objects) for leaf in leaves
    )


def _borne_out(desk: Desk, question: Question, here: Here) -> Here:
    """What the log says too: a row may have been changed so that it answers to a look-alike."""
    digest = question.digest if question.digests is None else question.digests.sha256
    exhibits = here.exhibits
    if digest:
        exhibits = tuple(row for row in exhibits if row.erased or file_logged(desk, row, digest))
    certificates = tuple(row for row in here.certificates if certificate_logged(desk, row))
    if question.kind is QuestionKind.CERTIFICATE_NUMBER and not certificates:
        return Here()
    return Here(exhibits=exhibits, certificates=certificates)


def given_of(question: Question, name: str, path: Path | None = None) -> GivenFile | None:
    """What is known of the file that a question is about; `path` where it lies, None when only its digests are known."""
    if question.digests is not None:
        pair = question.digests
        again = None if path is None else partial(open_regular, path)
        return GivenFile(label=name, size=question.size, sha256=pair.sha256, sm3=pair.sm3, open=again)
    if question.kind is not QuestionKind.DIGEST or not question.algorithm:
        return None
    sha256 = question.digest if question.algorithm == "sha256" else None
    return GivenFile(label=name, size=None, sha256=sha256, sm3=question.digest if sha256 is None else None)


def _network(found: LookupOutcome) -> PlaceAnswer:
    facts: dict[str, str | int] = {
        "chain": found.chain_id, "height": found.height,
        "time": "" if found.time is None else format_moment(found.time),
    }  # fmt: skip
    if found.present:
        outcome, code = Outcome.FOUND, "examination.court.found"
    elif found.present is False:
        outcome, code = Outcome.ABSENT, "court.lookup.absent"
    elif found.stale:
        outcome, code = Outcome.UNDETERMINED, "court.lookup.stale"
    elif found.others:
        outcome, code = Outcome.UNDETERMINED, "examination.court.others"
    else:
        outcome = Outcome.UNDETERMINED
        code = "examination.court.unproven" if found.found else "lookup.network.unknown"
    return PlaceAnswer(
        place=Place.COURT, outcome=outcome, why=Said(code=code, parameters=facts), network=found,
        faults=tuple(found.faults),
    )  # fmt: skip


def _unbelieved(error: EvidenceDeskError, faults: tuple[GatewayFault, ...]) -> PlaceAnswer:
    """No answer that holds: silence is no answer at all, a false one leaves everything open."""
    lied = [item for item in faults if item.lied]
    code = "examination.court.false" if lied else "examination.court.silent"
    told = lied or faults
    return PlaceAnswer(
        place=Place.COURT,
        outcome=Outcome.UNDETERMINED if lied else Outcome.NOT_ASKED,
        why=Said(code=code, parameters={"gateways": ", ".join(item.gateway for item in told) or "-"}),
        faults=faults,
        error=error,
    )


def _not_asked(place: Place, code: str) -> PlaceAnswer:
    return PlaceAnswer(place=place, outcome=Outcome.NOT_ASKED, why=Said(code=code))


def _failed(place: Place, error: EvidenceDeskError) -> PlaceAnswer:
    """Not asked, for the reason that the error tells."""
    why = Said(code=error.code, parameters=error.parameters)
    return PlaceAnswer(place=place, outcome=Outcome.NOT_ASKED, why=why, error=error)
