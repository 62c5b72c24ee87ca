"""Export an exhibit as an evidence package: originals decrypted into it, proofs beside them, custody recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Final

from asn1crypto import pem

from evidence_desk.core.digests import sha256
from evidence_desk.core.groups import group_of
from evidence_desk.core.job import Job
from evidence_desk.core.note import sign_note
from evidence_desk.core.package import PackageContent, PackageEntry, PackageRecord, file_name, write_package
from evidence_desk.core.package.hand_check import hand_check_readme
from evidence_desk.core.proof import Proof
from evidence_desk.core.rows import ExhibitRow, ObjectRow
from evidence_desk.core.time_record import path_text
from evidence_desk.core.trust import Trust
from evidence_desk.crypto import oids
from evidence_desk.services.assess import assess
from evidence_desk.services.custody import CustodyNote, record
from evidence_desk.services.desk import Desk
from evidence_desk.verify.exhibit import ExhibitFacts
from tsa.policy import is_demo
from tsa.response import TokenFacts

_STATEMENT: Final = "statement.json"


def export(
    desk: Desk, exhibit: ExhibitRow, out: BinaryIO, *, trust: Trust, job: Job, operator: str = ""
) -> Proof:
    """Write the package of an exhibit to a seekable, empty `out` (docs/spec/package.md).

    The certificate is the newest one over the exhibit that is not revoked.

    Raises:
        IntegrityError: an original or the log is not what was sealed; `out` must then be discarded.
    """
    proof, facts = assess(desk, exhibit, trust)
    names = [file_name(item.position + 1, item.path) for item in exhibit.objects]
    token = next((time.token for time in facts.times if time.token is not None), None)
    content = PackageContent(
        origin=desk.origin,
        files=[_entry(desk, exhibit, item, name) for item, name in zip(exhibit.objects, names, strict=True)],
        statement=exhibit.statement,
        disclosures=exhibit.disclosures,
        proof=proof.encode(),
        sign_index=lambda body: _sign(desk, body),
        records=_records(proof, names),
        certificate=_certificate(desk, exhibit),
        verify=_verify_files(desk, exhibit, token, trust, network=_network(facts)),
    )
    write_package(out, content, job)
    record(desk, [CustodyNote(exhibit=exhibit.leaf_hash, action="exported", operator=operator)])
    return proof


def _network(facts: ExhibitFacts) -> str:
    return "" if facts.court.part is None else facts.court.part.chain_id


def _entry(desk: Desk, exhibit: ExhibitRow, item: ObjectRow, name: str) -> PackageEntry:
    def source() -> BinaryIO:
        return desk.store.objects.open(item.stored, case_number=exhibit.case_number)

    return PackageEntry(name=name, source=source, size=item.stored.size)


def _sign(desk: Desk, body: bytes) -> bytes:
    signer = desk.store.signer
    return sign_note(body.decode(), desk.keys, ed25519=signer.sign_ed25519, sm2=signer.sign_sm2).encode()


def _records(proof: Proof, names: list[str]) -> tuple[PackageRecord, ...]:
    """Records of the first token; the objects of each are those of its group."""
    if not proof.times:
        return ()
    groups: dict[int, list[str]] = {0: [_STATEMENT]}
    for index, name in enumerate(names):
        groups.setdefault(group_of(index), []).append(name)
    return tuple(
        PackageRecord(der=record, objects=tuple(groups[number]))
        for number, record in enumerate(proof.times[0].records)
    )


def _certificate(desk: Desk, exhibit: ExhibitRow) -> bytes | None:
    valid = [
        row for row in desk.store.exhibits.certificates(exhibit.leaf_hash) if row.revoked is None and row.pdf
    ]
    return valid[-1].pdf if valid else None


def _verify_files(
    desk: Desk, exhibit: ExhibitRow, facts: TokenFacts | None, trust: Trust, *, network: str
) -> Mapping[str, bytes]:
    """Files for the check by hand with openssl, sha256sum, sort and xxd."""
    files: dict[str, bytes] = {"desk.vkey": desk.keys.encode().encode()}
    records = desk.store.exhibits.time_records(exhibit.leaf_hash)
    demo = facts is not None and is_demo(facts.policy)
    if records and facts is not None:
        first = [item for item in records if item.token_sha256 == records[0].token_sha256]
        token = desk.store.exhibits.token(first[0].token_sha256)
        files["timestamp.tsr"] = token.response
        files["timestamp.preimage"] = token.preimage
        for item in first:
            suffix = "" if len(first) == 1 else f"-{item.group + 1:03d}"
            files[f"timestamp{suffix}.path.txt"] = path_text(item.tree, sha256(token.preimage)).encode()
        for number, crl in enumerate(token.crls, start=1):
            files[f"crl-{number}.pem"] = pem.armor("X509 CRL", crl)
        roots = [item for roots in trust.authorities for item in roots.certificates]
        if roots:
            files["ca.pem"] = b"".join(pem.armor("CERTIFICATE", item) for item in roots)
    files["README.txt"] = hand_check_readme(
        number=exhibit.number,
        origin=desk.origin,
        demo=demo,
        timestamped=facts is not None,
        network=network,
        sm2_token=facts is not None and facts.signature_oid in {oids.SM2_SM3, oids.SM2_SIGN, oids.SM2_CURVE},
    )
    return files
