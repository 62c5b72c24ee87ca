"""No byte of proof, token, package or certificate can be changed and still pass, outside a short, justified list.

Unauthenticated bytes, the whole list (docs/spec/verdict.md):

1. The revocation lists that the desk adds to the *record's copy* of a token (SignedData.crls, RFC 5652 §5.1, is outside
   the signature). A changed list is no longer signed by its CA and is ignored, so that another source must say that
   nothing was revoked; here the trust roots do.
   The same lists in the signature timestamp of a certificate.
2. Of a token that no leaf of the log names (a certificate's signature timestamp is one): the case of ASCII letters and
   the kind of white space in SignerInfo.sid. It only points to the certificate, by a comparison of names without
   either (RFC 5280 §7.1); the signed attribute ESSCertIDv2 binds it. The
   tokens over headers in a court part are such tokens too.

Each run takes another sample of positions; ``make test-full`` takes all of them.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from asn1crypto import cms

from evidence_desk.core.job import Job
from evidence_desk.core.proof import Proof, parse_proof
from evidence_desk.core.time_record import encode_record, parse_record, splice_crls, token_crls
from evidence_desk.core.verdict import CERTIFICATE_POLICY, Dimension, Status, Verdict, worst
from evidence_desk.court.protocol.part import CourtPart, TimedBlock, parse_court_part, read_court_part
from evidence_desk.errors import MalformedError
from evidence_desk.services.certify import certify
from evidence_desk.verify.certified import verify_certified
from evidence_desk.verify.package import verify_package
from tests.unit.verify.court_evidence import Past
from tests.unit.verify.evidence import Item, Scene, overall

SEED = datetime.now(UTC).toordinal()
"""Changes from day to day; a failure names it."""


@dataclass(frozen=True)
class Subject:
    """Bytes to flip, their judge, and which changed bytes may pass all the same."""

    data: bytes
    judge: Callable[[bytes], Status]
    allowed: Callable[[bytes], bool] = lambda _: False


def flip(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def passing(subject: Subject, places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Flips that pass and are not on the list."""
    found = []
    for at, bit in places:
        changed = flip(subject.data, at, bit)
        if subject.judge(changed) is Status.PASSED and not subject.allowed(changed):
            found.append((at, bit))
    return found


def sample(subject: Subject, count: int) -> list[tuple[int, int]]:
    source = random.Random(SEED)
    count = min(count, len(subject.data))
    return [(at, source.randrange(8)) for at in source.sample(range(len(subject.data)), count)]


def every(subject: Subject) -> list[tuple[int, int]]:
    return [(at, (at + SEED) % 8) for at in range(len(subject.data))]


# --- what is flipped ----------------------------------------------------------------------------------------------


def bare_record(record: bytes) -> bytes:
    """A record whose token lost its revocation lists."""
    parsed = parse_record(record)
    token = parsed.first.token
    if not token_crls(token):
        return record
    stripped = without_crls(token)
    return encode_record(replace(parsed, chains=((replace(parsed.first, token=stripped),),)))


def without_crls(token: bytes) -> bytes:
    """Cut SignedData.crls by building it again from a token that has none: compare by what stands around it."""
    from evidence_desk.core.time_record.token import _envelope  # noqa: PLC0415
    from evidence_desk.crypto import der  # noqa: PLC0415

    parts = _envelope(token)
    signed = der.encode(der.SEQUENCE, parts.before, parts.after)
    return der.encode(der.SEQUENCE, parts.content_type, der.encode(0xA0, signed))


def bare(proof: Proof) -> Proof:
    """The proof without the listed bytes."""
    times = tuple(
        replace(
            time,
            records=tuple(bare_record(record) for record in time.records),
            checkpoint=None
            if time.checkpoint is None
            else replace(time.checkpoint, record=bare_record(time.checkpoint.record)),
        )
        for time in proof.times
    )
    return replace(proof, times=times)


def proof_subject(scene: Scene, name: str) -> Subject:
    item = scene.item(name)
    whole = bare(item.proof)

    def allowed(changed: bytes) -> bool:
        try:
            return bare(parse_proof(changed)) == whole
        except MalformedError:
            return False

    return Subject(
        data=item.proof.encode(),
        judge=lambda data: overall(item.judge(scene.trust, proof=data)),
        allowed=allowed,
    )


def court_subject(scene: Scene) -> Subject:
    """The court part within a whole proof: passing means that the network's word passes as well.

    Long after: a header at most 30 days old needs no token (ADR 0009), and a broken one harms nobody.
    """
    bench = Past(scene, changes=1)
    item = bench.anchored()
    part = read_court_part(item.proof.court)
    data = part.encode()
    before, after = item.proof.encode().split(data)
    whole = _loose_court(data)

    def judge(changed: bytes) -> Status:
        verdict = item.judge(bench.trust, proof=before + changed + after)
        court = [one.status for one in verdict.findings if one.dimension is Dimension.COURT]
        return worst([overall(verdict), *court])

    return Subject(data=data, judge=judge, allowed=lambda changed: _loose_court(changed) == whole)


def _loose_court(data: bytes) -> CourtPart | None:
    """The part with the pointers of its tokens in lower case, with one kind of white space."""
    try:
        part = parse_court_part(data)
        history = tuple(_loose(timed) for timed in part.history)
        return replace(part, history=history, anchor=replace(part.anchor, header=_loose(part.anchor.header)))
    except (MalformedError, ValueError, KeyError):
        return None


def _loose(timed: TimedBlock) -> TimedBlock:
    signer = cms.ContentInfo.load(timed.token)["content"]["signer_infos"][0]
    pointer = signer["sid"].chosen.dump()
    return replace(timed, token=timed.token.replace(pointer, pointer.lower().translate(_SPACES)))


_SPACES = bytes.maketrans(bytes([*range(9, 14), *range(28, 32)]), b" " * 9)


def token_subject(scene: Scene, *, attested: bool) -> Subject:
    """The token as received, the same flip in the record's copy; with and without the log's word on it."""
    item = scene.item("single")
    first = item.proof.times[0]
    crls = token_crls(parse_record(first.records[0]).first.token)
    parsed = parse_record(first.records[0])

    def with_token(data: bytes) -> Item:
        try:
            copy = splice_crls(data, crls)
        except MalformedError:
            copy = data
        stamp = replace(parsed.first, token=copy)
        record = encode_record(replace(parsed, chains=((stamp,),)))
        changed = item.timed(token=data, records=(record,), checkpoint=None)
        return changed if attested else changed.timed(attested=None)

    def judge(data: bytes) -> Status:
        return overall(with_token(data).judge(scene.trust))

    signer = cms.ContentInfo.load(first.token)["content"]["signer_infos"][0]
    pointer = signer["sid"].chosen.dump()
    start = first.token.index(pointer)
    stop = start + len(pointer)

    def allowed(changed: bytes) -> bool:
        same_around = (changed[:start], changed[stop:]) == (first.token[:start], first.token[stop:])
        return not attested and same_around and changed[start:stop].lower() == pointer.lower()

    return Subject(data=first.token, judge=judge, allowed=allowed)


def package_subject(scene: Scene) -> Subject:
    def judge(data: bytes) -> Status:
        source = io.BytesIO(data)
        return verify_package(source, trust=scene.trust, now=datetime.now(UTC), job=Job()).overall

    return Subject(data=scene.package("pair"), judge=judge)


def certificate_subject(scene: Scene) -> Subject:
    item = scene.item("pair")
    outcome = certify(
        scene.session.desk, [scene.rows["pair"]], scene.session.issuer(), trust=scene.trust, job=Job()
    )

    def judge(data: bytes) -> Status:
        found = verify_certified(data, files=item.files, trust=scene.trust, now=datetime.now(UTC))
        return Verdict(policy=CERTIFICATE_POLICY, findings=found.findings).overall

    pdf = outcome.certificate.pdf
    start = pdf.index(b"/Contents <") + len(b"/Contents <")
    signature = bytes.fromhex(pdf[start : pdf.index(b">", start)].decode())
    info = cms.ContentInfo.load(signature)
    (attribute,) = info["content"]["signer_infos"][0]["unsigned_attrs"]
    token = attribute["values"][0]
    lists = b"".join(token_crls(token.dump()))
    pointer = token["content"]["signer_infos"][0]["sid"].chosen.dump()
    inside = signature.index(token.dump())
    free = [
        range(start + 2 * at, start + 2 * (at + len(part)))
        for part in (lists, pointer)
        for at in (signature.index(part, inside),)
    ]

    def allowed(changed: bytes) -> bool:
        """Within the revocation lists of the signature timestamp, or the case of its pointer to the signer."""
        places = [at for at in range(len(pdf)) if changed[at] != pdf[at]]
        if all(at in free[0] for at in places):
            return True
        span = slice(free[1].start, free[1].stop)
        try:
            pointed = bytes.fromhex(changed[span].decode())
        except ValueError:
            return False
        return all(at in free[1] for at in places) and pointed.lower() == pointer.lower()

    return Subject(data=pdf, judge=judge, allowed=allowed)


SUBJECTS: dict[str, tuple[Callable[[Scene], Subject], int]] = {
    "proof": (lambda scene: proof_subject(scene, "single"), 400),
    "proof of blinded files": (lambda scene: proof_subject(scene, "blinded"), 100),
    "proof of several groups": (lambda scene: proof_subject(scene, "large"), 100),
    "court part of a proof": (court_subject, 300),
    "token": (lambda scene: token_subject(scene, attested=True), 200),
    "token not attested": (lambda scene: token_subject(scene, attested=False), 300),
    "package": (package_subject, 300),
    "certificate": (certificate_subject, 40),
}
WHOLE = ["proof", "court part of a proof", "token", "token not attested", "package"]


@pytest.fixture(scope="session", params=list(SUBJECTS))
def subject(request: pytest.FixtureRequest, scene: Scene) -> tuple[Subject, int]:
    make, count = SUBJECTS[request.param]
    return make(scene), count


def test_unchanged_it_passes(subject):
    """Else the tests below would show nothing."""
    assert subject[0].judge(subject[0].data) is Status.PASSED


def test_no_flipped_bit_passes(subject):
    one, count = subject
    assert passing(one, sample(one, count)) == [], f"seed {SEED}"


def test_no_shortened_or_lengthened_one_passes(subject):
    one, _ = subject
    for changed in (one.data[:-1], one.data + b"\0", one.data + b"\n", b"\0" + one.data, one.data[1:]):
        assert one.judge(changed) is not Status.PASSED


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", WHOLE)
def test_no_flipped_byte_passes(scene: Scene, name):
    one = SUBJECTS[name][0](scene)
    assert passing(one, every(one)) == [], f"seed {SEED}"


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_many_flipped_bytes_of_a_certificate(scene: Scene):
    """Every digit of the signature, and a sample of the rest."""
    one = certificate_subject(scene)
    start = one.data.index(b"/Contents <")
    digits = range(start, one.data.index(b"0000000000", start))
    places = [*((at, (at + SEED) % 3) for at in digits), *sample(one, 1_000)]
    assert passing(one, places) == [], f"seed {SEED}"


def test_a_changed_list_does_not_help_when_it_is_the_only_one(scene: Scene):
    """The listed bytes cannot turn undetermined into passed, nor hide behind a trust root that is silent."""
    silent = tuple(replace(roots, crls=()) for roots in scene.trust.authorities)
    trust = replace(scene.trust, authorities=silent)
    item = scene.item("single")
    assert overall(item.judge(trust)) is Status.PASSED
    parsed = parse_record(item.proof.times[0].records[0])
    token = parsed.first.token
    (crl,) = token_crls(token)
    at = token.index(crl)
    source = random.Random(SEED)
    for place in source.sample(range(len(crl)), 40):
        broken = flip(token, at + place, source.randrange(8))
        stamp = replace(parsed.first, token=broken)
        record = encode_record(replace(parsed, chains=((stamp,),)))
        changed = item.timed(records=(record,))
        assert overall(changed.judge(trust)) is not Status.PASSED, (SEED, place)
