"""Real evidence made by the real services, and the toolkit of someone who wants to pass off other evidence as such.

The forger may own everything but the trust roots: other keys, another authority, another log; and he may be the desk's
owner himself, who signs whatever he likes with the desk's own keys and asks the honest authority for tokens.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.canonical import encode
from evidence_desk.core.checkpoint import Checkpoint
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.groups import group_hashes
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import Leaf, LeafType, PlainObject, parse_leaf
from evidence_desk.core.log import note_keys
from evidence_desk.core.merkle import TileTree, extend_tiles, leaf_hash
from evidence_desk.core.moment import format_moment
from evidence_desk.core.note import sign_note
from evidence_desk.core.ports import LogSigner, TimestampAuthority
from evidence_desk.core.proof import Proof, ProvenLeaf, ProvenNote, TimeProof
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.statement import (
    ClockState,
    ExhibitKind,
    FileEntry,
    StatementDraft,
    make_statement,
)
from evidence_desk.core.time_record import build_batch, issue_record
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import DATA_POLICY, Finding, Status, Verdict
from evidence_desk.crypto.pki import KeyKind
from evidence_desk.services.export import export
from evidence_desk.services.prove import prove
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from evidence_desk.verify.exhibit import ExhibitInput, ExhibitVerdict, GivenFile, verify_exhibit
from tests.fixed import FixedRandom, FixedSigner
from tsa.authority.embedded import EmbeddedAuthority
from tsa.authority.keys import make_demo_authority

PASSPHRASE = "一二三四五六"
OTHER_DESK = "desk.other.evidence/11111111-2222-4333-8444-555555555555/1"


def given(label: str, data: bytes, index: int | None = None) -> GivenFile:
    pair = DigestPair.of(data)
    return GivenFile(label=label, size=len(data), sha256=pair.sha256, sm3=pair.sm3, index=index)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One exhibit with everything that a verifier may be given about it."""

    proof: Proof
    statement: bytes | None
    disclosures: bytes | None
    files: tuple[GivenFile, ...]
    row: ExhibitRow | None = None

    @property
    def leaf(self) -> Leaf:
        return parse_leaf(self.proof.leaf.leaf)

    def judge(
        self, trust: Trust, *, proof: bytes | None = None, now: datetime | None = None
    ) -> ExhibitVerdict:
        return verify_exhibit(
            ExhibitInput(
                proof=self.proof.encode() if proof is None else proof,
                statement=self.statement,
                disclosures=self.disclosures,
                files=self.files,
            ),
            trust=trust,
            now=now or datetime.now(UTC),
        )

    def timed(self, **changes: Any) -> Item:
        """The same with its first time proof changed."""
        first, *rest = self.proof.times
        return replace(self, proof=replace(self.proof, times=(replace(first, **changes), *rest)))


def overall(verdict: ExhibitVerdict) -> Status:
    return Verdict(policy=DATA_POLICY, findings=verdict.findings).overall


def codes(findings: Sequence[Finding], status: Status) -> set[str]:
    return {item.code for item in findings if item.status is status}


class Scene:
    """A demo desk with exhibits of every shape under one token, `later` under a second, `waiting` under none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session: Session = init_session(folder / "vault", PASSPHRASE, office="example", demo=True)[0]
        self.contents: dict[str, list[bytes]] = {
            "single": [b"\xe5\x90\x88\xe5\x90\x8c"],
            "other": ["另一份".encode()],
            "empty": [b""],
            "pair": [b"first", b"second"],
            "duplicates": [b"same", b"same", b"else"],
            "many": [b"file %d" % number for number in range(20)],
            "large": [b"piece %d" % number for number in range(150)],
            "blinded": [b"secret", b"form"],
            "blinded_many": [b"entry %d" % number for number in range(18)],
        }
        paths = [self._write(name) for name in self.contents]
        plain = [path for path in paths if not path.name.startswith("blinded")]
        blind = [path for path in paths if path.name.startswith("blinded")]
        self.rows: dict[str, ExhibitRow] = {}
        self._seal(plain, blinded=False)
        self._seal(blind, blinded=True)
        self.timestamp()
        self.contents |= {"later": [b"afterwards"], "waiting": [b"not yet"]}
        self._seal([self._write("later")], blinded=False)
        self.timestamp()
        self._seal([self._write("waiting")], blinded=False)
        self.trust = self.session.trust
        self.authority = self.session.authorities[0]
        self.signer: LogSigner = self.session.vault.signer
        self.origin = self.session.desk.origin

    def _write(self, name: str) -> Path:
        folder = self.folder / "originals" / name
        folder.mkdir(parents=True)
        for number, data in enumerate(self.contents[name]):
            (folder / f"{number:03}.txt").write_bytes(data)
        return folder

    def _seal(self, paths: list[Path], *, blinded: bool) -> None:
        for outcome in seal(self.session.desk, paths, SealRequest(blinded=blinded), job=Job()):
            assert outcome.exhibit is not None, outcome.error
            self.rows[outcome.path.name] = outcome.exhibit

    def timestamp(self) -> None:
        timestamp(self.session.desk, self.session.authorities, job=Job())

    def item(self, name: str) -> Item:
        row = self.rows[name]
        files = tuple(given(f"{number:03}.txt", data) for number, data in enumerate(self.contents[name]))
        return Item(
            proof=prove(self.session.desk, row),
            statement=row.statement,
            disclosures=row.disclosures,
            files=files,
            row=row,
        )

    def package(self, name: str) -> bytes:
        """A package as exported; exporting adds a custody leaf, so it is made once."""
        out = io.BytesIO()
        export(self.session.desk, self.rows[name], out, trust=self.trust, job=Job())
        return out.getvalue()

    @property
    def leaves(self) -> list[bytes]:
        log = self.session.desk.store.log
        return [log.leaf(seq).leaf for seq in range(log.size())]

    # --- the forger's tools -----------------------------------------------------------------------------------

    def log(
        self, leaves: Sequence[bytes], *, origin: str | None = None, signer: LogSigner | None = None
    ) -> Log:
        """A log of the forger's choice, signed by the desk's own keys unless others are given."""
        return Log(leaves, origin or self.origin, signer or self.signer)

    def owner(self, item: Item, *, leaf: Leaf | None = None, attested: Leaf | None = None) -> Item:
        """The desk's owner writes another log, in which these leaves stand in place of the true ones."""
        leaves = self.leaves
        first = item.proof.times[0]
        if leaf is not None:
            leaves[item.proof.leaf.seq] = leaf.encode()
        if attested is not None and first.attested is not None:
            leaves[first.attested.seq] = attested.encode()
        log = self.log(leaves)
        proof = replace(
            item.proof,
            number=format_number(Prefix.EVIDENCE, leaf_hash(leaves[item.proof.leaf.seq])),
            leaf=log.proven(item.proof.leaf.seq),
            checkpoint=log.note,
            times=tuple(
                replace(one, attested=None if one.attested is None else log.proven(one.attested.seq))
                for one in item.proof.times
            ),
        )
        return replace(item, proof=proof)

    def owner_untimed(self, item: Item, leaf: Leaf) -> Item:
        """An exhibit without a token, its leaf rewritten by the owner in its place."""
        leaves = self.leaves
        leaves[item.proof.leaf.seq] = leaf.encode()
        log = self.log(leaves)
        proof = replace(
            item.proof,
            number=format_number(Prefix.EVIDENCE, leaf_hash(leaf.encode())),
            leaf=log.proven(item.proof.leaf.seq),
            checkpoint=log.note,
        )
        return replace(item, proof=proof)

    def craft(
        self,
        contents: Mapping[str, bytes],
        *,
        entries: Mapping[str, FileEntry] | None = None,
        listed: Mapping[str, bytes] | None = None,
        objects: Mapping[str, bytes] | None = None,
        covered: Mapping[str, bytes] | None = None,
        at: datetime | None = None,
        authority: TimestampAuthority | None = None,
        attested: Mapping[str, Any] | None = None,
        attest_first: bool = False,
        origin: str | None = None,
        signer: LogSigner | None = None,
    ) -> Item:
        """Evidence from nothing, by whoever holds `signer`: every part may tell of other files.

        Args:
            contents: files put before the verifier; by default also what the statement lists (`listed`), the leaf
                registers (`objects`) and the token covers (`covered`).
            entries: file entries that contradict themselves, by name.
        """
        origin, signer = origin or self.origin, signer or self.signer
        now = at or datetime.now(UTC)
        statement, disclosures, _ = make_statement(
            _draft(listed or contents, now, entries or {}), FixedRandom(repr(sorted(contents)))
        )
        leaves = self.leaves[: 1 + attest_first]
        leaf = Leaf(
            log=origin, seq=len(leaves), type=LeafType.EXHIBIT_SEALED, at=now,
            statement=DigestPair.of(statement),
            objects=tuple(
                PlainObject(digests=DigestPair.of(data), size=len(data))
                for data in (objects or listed or contents).values()
            ),
        )  # fmt: skip
        if not attest_first:
            leaves.append(leaf.encode())
        stamped = Log(leaves, origin, signer)
        hashes = [sha256(data) for data in (covered or listed or contents).values()]
        batch = build_batch([*group_hashes(sha256(statement), hashes), (sha256(stamped.note),)])
        reply = (authority or self.authority).timestamp(batch.root)
        facts = {
            "token_sha256": sha256(reply.token).hex(), "gen_time": format_moment(reply.gen_time),
            "tsa": reply.tsa.hex(), "ranges": [[leaf.seq, leaf.seq]], **(attested or {}),
        }  # fmt: skip
        attesting = len(leaves)
        if attest_first:
            leaf = replace(leaf, seq=attesting + 1)
            facts["ranges"] = [[leaf.seq, leaf.seq]]
        word = Leaf(log=origin, seq=attesting, type=LeafType.TIME_ATTESTED, at=now, facts=facts)
        leaves.append(word.encode())
        if attest_first:
            leaves.append(leaf.encode())
        log = Log(leaves, origin, signer)
        time = TimeProof(
            records=tuple(issue_record(tree, reply.token, crls=reply.crls) for tree in batch.trees[:-1]),
            token=reply.token,
            attested=log.proven(attesting),
            checkpoint=ProvenNote(
                data=stamped.note,
                record=issue_record(batch.trees[-1], reply.token, crls=reply.crls),
                path=log.grown(stamped.checkpoint.size),
            ),
        )
        proof = Proof(
            number=format_number(Prefix.EVIDENCE, leaf_hash(leaves[leaf.seq])),
            leaf=log.proven(leaf.seq), checkpoint=log.note, times=(time,),
        )  # fmt: skip
        files = tuple(given(name, data) for name, data in contents.items())
        return Item(proof=proof, statement=statement, disclosures=disclosures, files=files)

    def stranger_authority(self, *, clock: timedelta = timedelta()) -> EmbeddedAuthority:
        """An authority of the forger's own, whose clock he sets as he likes."""
        moving = MovedClock(clock)
        keys = make_demo_authority(KeyKind.P256, now=moving.now() - timedelta(days=1))
        return EmbeddedAuthority(keys.tsa, self.folder / f"tsa{clock.total_seconds():.0f}", moving)


class Log:
    """A log in memory."""

    def __init__(self, leaves: Sequence[bytes], origin: str, signer: LogSigner) -> None:
        self.leaves = list(leaves)
        self._tiles = extend_tiles(lambda _level, _index: b"", 0, [leaf_hash(leaf) for leaf in leaves])
        self._tree = TileTree(self, len(self.leaves))
        self.checkpoint = Checkpoint(origin=origin, size=len(self.leaves), root=self._tree.root())
        self.note = sign_note(
            self.checkpoint.text(),
            note_keys(origin, signer),
            ed25519=signer.sign_ed25519,
            sm2=signer.sign_sm2,
        ).encode()

    def tile(self, level: int, index: int) -> bytes:
        return self._tiles.get((level, index), b"")

    def proven(self, seq: int) -> ProvenLeaf:
        return ProvenLeaf(leaf=self.leaves[seq], seq=seq, path=self._tree.inclusion(seq))

    def grown(self, size: int) -> tuple[bytes, ...]:
        """Consistency path from an earlier size."""
        return self._tree.consistency(size)


class MovedClock:
    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by


STRANGER = FixedSigner(b"stranger")


def file_entry(name: str, data: bytes, at: datetime, **changes: Any) -> FileEntry:
    entry = FileEntry(
        name=name, raw_name=name.encode(), size=len(data), media_type="text/plain",
        digests=DigestPair.of(data), modified=at,
    )  # fmt: skip
    return replace(entry, **changes)


def _draft(contents: Mapping[str, bytes], at: datetime, entries: Mapping[str, FileEntry]) -> StatementDraft:
    return StatementDraft(
        case_number="(2026)京0101民初1号", exhibit_no="证据1", title="伪造", kind=ExhibitKind.FILE,
        files=tuple(entries.get(name) or file_entry(name, data, at) for name, data in contents.items()),
        source={"is_original": True}, operator={"name": "张三"}, tools=(),
        clock=ClockState(utc=at, zone="CST", offset_ms=None, sources=()),
    )  # fmt: skip


def edit(document: bytes, change: Mapping[str, Any]) -> bytes:
    """Canonical JSON with top-level members replaced."""
    return encode({**json.loads(document), **change})


class Stage(Protocol):
    """Where forgeries are made, and what they are judged under."""

    @property
    def trust(self) -> Trust: ...


S = TypeVar("S", bound=Stage)


class Table(Generic[S]):
    """Forgeries by name, each with the whole set of failed codes that it must end in."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Callable[[S], Item], set[str]]] = {}

    def rule(self, *expected: str) -> Callable[[Callable[[S], Item]], Callable[[S], Item]]:
        def register(forge: Callable[[S], Item]) -> Callable[[S], Item]:
            name = forge.__name__
            assert name not in self.rows
            self.rows[name] = (forge, set(expected))
            return forge

        return register

    def check(self, name: str, stage: S) -> None:
        forge, expected = self.rows[name]
        verdict = forge(stage).judge(stage.trust)
        assert codes(verdict.findings, Status.FAILED) == expected
        assert overall(verdict) is Status.FAILED


def first_attested(item: Item) -> Leaf:
    attested = item.proof.times[0].attested
    assert attested is not None
    return parse_leaf(attested.leaf)


def stamped(item: Item) -> ProvenNote:
    found = item.proof.times[0].checkpoint
    assert found is not None
    return found


def former(origin: str) -> str:
    return origin.rpartition("/")[0] + "/0"
