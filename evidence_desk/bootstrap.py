"""Composition root of desk and command line: the only module that knows every concrete class."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asn1crypto import pem

from evidence_desk.core.canonical import JSON
from evidence_desk.core.checkpoint import Checkpoint
from evidence_desk.core.job import Job
from evidence_desk.core.log import note_keys
from evidence_desk.core.ports import CertificateIssuer, Clock, CourtGateway, TimestampAuthority
from evidence_desk.core.trust import MANIFEST, Roots, Trust, encode_manifest
from evidence_desk.court.protocol.registry import DeskKeys
from evidence_desk.crypto.oids import DEMO_PDF_POLICY
from evidence_desk.crypto.pki import Identity, KeyKind, generate_key, make_ca, make_signer_certificate
from evidence_desk.errors import ConfigurationError, HostError, MalformedError
from evidence_desk.program import program
from evidence_desk.services.court_query import Court
from evidence_desk.services.desk import Desk
from evidence_desk.services.log_keys import key_generations
from evidence_desk.services.open_log import open_log
from evidence_desk.services.rotate import RotateOutcome, rotate
from evidence_desk.settings import (
    AuthorityKind,
    AuthoritySetting,
    NetworkSetting,
    load_authorities,
    load_networks,
    load_signer_roots,
    save_authorities,
    save_networks,
    save_signer_roots,
)
from evidence_desk.vault.durable import write_atomically
from evidence_desk.vault.keys import KdfParameters
from evidence_desk.vault.store import Vault
from evidence_desk.verify.court import read_network
from evidence_desk.verify.files import read_trust
from tsa.policy import TokenTrust

if TYPE_CHECKING:
    import httpx

    from tsa.authority.keys import AuthorityKeys

TRUST: Final = "trust"
_DEMO_CA: Final = "demo.tsa-ca"
_DEMO_TSA: Final = "demo.tsa"
_PDF_SIGNER: Final = "pdf.signer"
_DEMO_STATE: Final = "demo-authority"


class SystemClock:
    """`core.ports.Clock` of this machine."""

    def now(self) -> datetime:
        """Present time, UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class Session:
    """An open desk with the adapters its settings ask for; made by `open_session`."""

    vault: Vault
    desk: Desk
    clock: Clock
    _authorities: tuple[TimestampAuthority, ...] | None = field(default=None, init=False)
    _http: httpx.Client | None = field(default=None, init=False)

    @property
    def settings(self) -> tuple[AuthoritySetting, ...]:
        """Configured authorities."""
        return load_authorities(self.vault.exhibits)

    @property
    def authorities(self) -> tuple[TimestampAuthority, ...]:
        """Authorities to ask, in order."""
        if self._authorities is None:
            self._authorities = tuple(
                self.authority(setting)
                for setting in self.settings
                if setting.kind is not AuthorityKind.RETIRED
            )
        return self._authorities

    @property
    def trust(self) -> Trust:
        """The desk's own trust folder: what it verifies itself with before it prints."""
        return read_trust(self.vault.folder / TRUST)

    def authority(self, setting: AuthoritySetting) -> TimestampAuthority:
        """Adapter of one configured authority."""
        if setting.kind is AuthorityKind.EMBEDDED:
            from tsa.authority.embedded import EmbeddedAuthority  # noqa: PLC0415 - not loaded unless used

            return EmbeddedAuthority(
                self._demo_identity(setting), self.vault.folder / _DEMO_STATE, self.clock, name=setting.name
            )
        import httpx  # noqa: PLC0415 - a fifth of a second

        from tsa.client import HttpAuthority  # noqa: PLC0415

        if self._http is None:
            self._http = httpx.Client(follow_redirects=False)
        roots, crls = _pem_parts(setting.roots)
        return HttpAuthority(
            setting.name,
            setting.url,
            TokenTrust(roots=roots, crls=crls),
            self._http,
            self.clock,
            policy=setting.policy or None,
            crl_urls=setting.crl_urls,
        )

    def issuer(self) -> CertificateIssuer:
        """Who signs certificates here.

        Raises:
            ConfigurationError: ``certify.no_signer``.
        """
        from reports.issuer import PdfIssuer  # noqa: PLC0415 - half a second of PDF libraries
        from reports.signing import PdfSigner  # noqa: PLC0415

        if self.vault.secret(_PDF_SIGNER) is None:
            raise ConfigurationError("certify.no_signer")
        return PdfIssuer(PdfSigner(self._identity(_PDF_SIGNER)), self.authorities, self.clock)

    def signer_certificate(self) -> bytes:
        """DER certificate of the key that signs certificates here.

        Raises:
            ConfigurationError: ``certify.no_signer``.
        """
        if self.vault.secret(_PDF_SIGNER) is None:
            raise ConfigurationError("certify.no_signer")
        return self._identity(_PDF_SIGNER).certificate

    def set_authorities(self, settings: tuple[AuthoritySetting, ...]) -> None:
        """Store the list and write the trust folder anew."""
        with self.vault.transaction():
            save_authorities(self.vault.exhibits, settings)
        self._authorities = None
        self.write_trust()

    def set_signer(self, identity: Identity) -> None:
        """Keep the key that signs certificates, in the key file, and its root beside those of earlier keys.

        Raises:
            UserError: ``certificate.key_kind``, ``certificate.signer_name`` for a key that cannot sign certificates.
        """
        from reports.signing import PdfSigner  # noqa: PLC0415 - half a second of PDF libraries

        PdfSigner(identity)
        self.vault.set_secret(_PDF_SIGNER, identity.to_bytes())
        roots = _roots_of(identity)
        known = load_signer_roots(self.vault.exhibits)
        if roots not in known:
            with self.vault.transaction():
                save_signer_roots(self.vault.exhibits, (*known, roots))
        self.write_trust()

    @property
    def networks(self) -> tuple[NetworkSetting, ...]:
        """Court networks joined, the present one first."""
        return load_networks(self.vault.exhibits)

    def court(self) -> Court:
        """The network that this desk anchors in.

        Raises:
            ConfigurationError: ``network.not_joined``.
        """
        joined = self.networks
        if not joined:
            raise ConfigurationError("network.not_joined")
        return Court(
            trust=read_network(joined[0].network),
            roots=self.trust,
            gateways=tuple(self.gateway(url) for url in joined[0].gateways),
            clock=self.clock,
        )

    def gateway(self, url: str) -> CourtGateway:
        """Adapter of one gateway; UsageError ``gateway.url``."""
        import httpx  # noqa: PLC0415 - a fifth of a second

        if self._http is None:
            self._http = httpx.Client(follow_redirects=False)
        return open_gateway(url, self._http)

    def join_network(self, setting: NetworkSetting) -> None:
        """Make this the network to anchor in; the trust in earlier ones stays, for proofs that rest on it."""
        others = tuple(item for item in self.networks if item.chain_id != setting.chain_id)
        with self.vault.transaction():
            save_networks(self.vault.exhibits, (setting, *others))
        self.write_trust()

    def registry_keys(self) -> DeskKeys:
        """Public keys of the active log and the digests of those that may succeed them."""
        digests, keys = self.vault.next_key_digests, self.desk.keys
        return DeskKeys(
            ed25519=keys.ed25519,
            sm2=keys.sm2,
            next_ed25519=digests.ed25519.sha256 + digests.ed25519.sm3,
            next_sm2=digests.sm2.sha256 + digests.sm2.sm3,
        )

    def write_trust(self, networks: Mapping[str, bytes] | None = None) -> None:
        """``VAULT/trust/``: authority roots, signer root, the desk's keys and court networks under one manifest.

        Args:
            networks: chain ID → ``network/1`` bytes; None keeps those joined and those that the folder names.
        """
        files: dict[str, bytes] = {}
        authorities: dict[str, tuple[str, ...]] = {}
        for number, setting in enumerate(self.settings, start=1):
            if setting.roots:
                name = f"tsa-{number}.pem"
                files[name] = setting.roots.encode()
                authorities[setting.name] = (name,)
        for number, (name, roots) in enumerate(self._network_authorities(), start=1):
            file = f"network-tsa-{number}.pem"
            files[file] = roots.encode()
            authorities.setdefault(name, ())
            authorities[name] = (*authorities[name], file)
        signers: dict[str, tuple[str, ...]] = {}
        for number, text in enumerate(load_signer_roots(self.vault.exhibits), start=1):
            name = f"signer-{number}.pem"
            files[name] = text.encode()
            signers[f"certificates {number}"] = (name,)
        desks: dict[str, str] = {}
        former: dict[str, tuple[str, ...]] = {}
        for origin in self.vault.origins:
            name = "desk.vkey" if origin == self.vault.origin else f"desk-{origin.rpartition('/')[2]}.vkey"
            generations = self._desk_keys(origin)
            if not generations:
                continue
            present, *replaced = generations
            files[name] = present
            desks[origin] = name
            for number, keys in enumerate(replaced, start=1):
                old = f"former-{origin.rpartition('/')[2]}-{number}.vkey"
                files[old] = keys
                former[origin] = (*former.get(origin, ()), old)
        known = self._known_networks() if networks is None else networks
        chains = {chain_id: f"network-{number}.json" for number, chain_id in enumerate(known, start=1)}
        files |= {chains[chain_id]: data for chain_id, data in known.items()}
        manifest = encode_manifest(
            authorities=authorities,
            signers=signers,
            desks=desks,
            files=files,
            networks=chains,
            former=former,
        )
        _write_folder(self.vault.folder / TRUST, {**files, MANIFEST: manifest})

    def _known_networks(self) -> Mapping[str, bytes]:
        folder = self.vault.folder / TRUST
        found = read_trust(folder).networks if (folder / MANIFEST).exists() else {}
        return {**found, **{item.chain_id: item.network for item in self.networks}}

    def _network_authorities(self) -> list[tuple[str, str]]:
        """Names and roots, each root once: several networks may trust one authority."""
        known = {item.roots for item in self.settings}
        found = {
            roots: name for item in self.networks for name, roots in item.authorities if roots not in known
        }
        return [(name, roots) for roots, name in found.items()]

    def close(self) -> None:
        """Close network and vault."""
        if self._http is not None:
            self._http.close()
        self.vault.close()

    def _demo_identity(self, setting: AuthoritySetting) -> Identity:
        """The demo authority's key, its revocation list and certificate renewed in time."""
        from tsa.authority.keys import AuthorityKeys, refresh  # noqa: PLC0415

        kept = AuthorityKeys(ca=self._identity(_DEMO_CA), tsa=self._identity(_DEMO_TSA))
        fresh = refresh(kept, now=self.clock.now())
        if fresh != kept and not self.vault.read_only:
            _keep_demo(self.vault, fresh)
            renewed = replace(setting, roots=_roots_of(fresh.tsa))
            others = tuple(renewed if item == setting else item for item in self.settings)
            with self.vault.transaction():
                save_authorities(self.vault.exhibits, others)
            self.write_trust()
        return fresh.tsa

    def _identity(self, name: str) -> Identity:
        data = self.vault.secret(name)
        if data is None:
            raise ConfigurationError("vault.no_secret", name=name)
        return Identity.from_bytes(data)

    def _desk_keys(self, origin: str) -> list[bytes]:
        """Verifier keys of a log, the newest first: the active one's from its signer, the others as its leaves name them."""
        log = self.vault.archived_log(origin)
        generations = key_generations(log, origin) if log.size() else ()
        found = [item.keys for item in reversed(generations)]
        if origin == self.vault.origin:
            found[:1] = [note_keys(origin, self.vault.signer)]
        return [item.encode().encode() for item in found]

    def rotate_keys(self, recovery_key: str, *, job: Job) -> RotateOutcome:
        """Put the keys that the recovery key holds ready in the place of the present ones, here and in the network.

        Raises:
            MalformedError: ``malformed.recovery_key``. PermissionDeniedError: ``vault.wrong_recovery_key``.
            RemoteError, ConfigurationError: the network did not take them; nothing is changed then.
        """
        signer, following = self.vault.prepare_rotation(recovery_key)
        outcome = rotate(
            self.desk,
            signer,
            {"ed25519": following.ed25519, "sm2": following.sm2},
            self.court() if self.networks else None,
            store_next=lambda: self.vault.set_next_keys(following),
            job=job,
        )
        self.vault.finish_rotation()
        self.write_trust()
        return outcome


def init_session(
    folder: Path, passphrase: str, *, office: str, demo: bool, kdf: KdfParameters | None = None
) -> tuple[Session, str]:
    """Make a vault and open its log; returns the open session and the recovery key to print.

    Args:
        folder: missing or empty.
        passphrase: of the vault.
        office: short code of the office, ``[a-z0-9-]``, first part of the log's origin.
        demo: configure the embedded authority and a demo CA for signing (演示/非第三方).
        kdf: cost of the passphrase, None for the usual one.
    """
    clock = SystemClock()
    origin = f"desk.{office}.evidence/{uuid.uuid4()}/1"
    vault, recovery_key = Vault.create(folder, passphrase, clock=clock, origin=origin, kdf=kdf)
    try:
        session = assemble(vault, clock)
        _open_log(session)
        if demo:
            _make_demo(session)
        session.write_trust()
    except BaseException:
        vault.close()
        raise
    return session, recovery_key


@contextmanager
def open_session(folder: Path, passphrase: str, *, read_only: bool = False) -> Iterator[Session]:
    """Open a vault for the length of a block."""
    clock = SystemClock()
    session = assemble(Vault.open(folder, passphrase, clock=clock, read_only=read_only), clock)
    try:
        yield session
    finally:
        session.close()


def open_successor(session: Session, previous: Checkpoint) -> None:
    """Open the log of a restored vault as the successor of `previous`, and write its trust folder.

    Keys that are never in a backup (demo authority, certificate signer) are made anew when they were demo keys.
    """
    _open_log(session, (previous.origin, previous.size, previous.root))
    settings = session.settings
    if any(item.kind is AuthorityKind.EMBEDDED for item in settings):
        retired = tuple(
            replace(
                item,
                name=f"{item.name} ({previous.origin.rpartition('/')[2]})",
                kind=AuthorityKind.RETIRED,
            )
            if item.kind is AuthorityKind.EMBEDDED
            else item
            for item in settings
        )
        _make_demo(session, retired)
    session.write_trust()


def _open_log(session: Session, predecessor: tuple[str, int, bytes] | None = None) -> None:
    digests = session.vault.next_key_digests
    open_log(
        session.desk, next_keys={"ed25519": digests.ed25519, "sm2": digests.sm2}, predecessor=predecessor
    )


def assemble(vault: Vault, clock: Clock) -> Session:
    """Session over an open vault."""
    zone = time.strftime("%Z") or "UTC"
    ours = program()
    tool: dict[str, JSON] = {"name": ours.name, "version": ours.version, **ours.digests.to_json()}
    desk = Desk(store=vault, clock=clock, origin=vault.origin, zone=zone, tools=(tool,))
    return Session(vault=vault, desk=desk, clock=clock)


def _make_demo(session: Session, others: tuple[AuthoritySetting, ...] = ()) -> None:
    """New demo keys for timestamps and certificates, both marked 演示/非第三方 by policy OID."""
    from tsa.authority.keys import make_demo_authority  # noqa: PLC0415

    now = session.clock.now()
    keys = make_demo_authority(KeyKind.P256, now=now)
    _keep_demo(session.vault, keys)
    setting = AuthoritySetting(name="演示时间戳 demo", kind=AuthorityKind.EMBEDDED, roots=_roots_of(keys.tsa))
    session.set_authorities((setting, *others))
    session.set_signer(_demo_signer(now))


def _keep_demo(vault: Vault, keys: AuthorityKeys) -> None:
    vault.set_secret(_DEMO_CA, keys.ca.to_bytes())
    vault.set_secret(_DEMO_TSA, keys.tsa.to_bytes())


def _demo_signer(now: datetime) -> Identity:
    ca = make_ca("证据台演示签发根 Evidence Desk demo signing root", generate_key(KeyKind.P256), not_before=now,
                 years=20, policy=DEMO_PDF_POLICY)  # fmt: skip
    return make_signer_certificate(
        "证据台演示签发 Evidence Desk demo signer", generate_key(KeyKind.P256), ca, not_before=now, years=10
    )


def network_setting(trust: Trust, chain_id: str, gateways: tuple[str, ...]) -> NetworkSetting:
    """What a desk keeps of a network: trust in it, and the authorities of the trust folder it came with."""
    return NetworkSetting(
        chain_id=chain_id,
        gateways=gateways,
        network=trust.networks[chain_id],
        authorities=tuple((item.name, _armored(item)) for item in trust.authorities if item.certificates),
    )


def open_gateway(url: str, http: httpx.Client) -> CourtGateway:
    """Adapter of one gateway; UsageError ``gateway.url``."""
    from evidence_desk.court.client import HttpGateway  # noqa: PLC0415 - with httpx

    return HttpGateway(url, http)


@contextmanager
def open_court(trust: Trust, chain_id: str, gateways: Sequence[str]) -> Iterator[Court]:
    """A network for a reader without a vault, for the length of a block."""
    import httpx  # noqa: PLC0415 - a fifth of a second

    with httpx.Client(follow_redirects=False) as http:
        yield Court(
            trust=read_network(trust.networks[chain_id]),
            roots=trust,
            gateways=tuple(open_gateway(url, http) for url in gateways),
            clock=SystemClock(),
        )


def _armored(roots: Roots) -> str:
    parts = [pem.armor("CERTIFICATE", item) for item in roots.certificates]
    parts += [pem.armor("X509 CRL", item) for item in roots.crls]
    return b"".join(parts).decode()


def _roots_of(identity: Identity) -> str:
    """PEM of an identity's root and its revocation list."""
    parts = [pem.armor("CERTIFICATE", identity.root)]
    if identity.crl:
        parts.append(pem.armor("X509 CRL", identity.crl))
    return b"".join(parts).decode()


def _pem_parts(text: str) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Certificates and CRLs of a PEM text."""
    if not text:
        return (), ()
    try:
        blocks = list(pem.unarmor(text.encode(), multiple=True))
    except ValueError as error:
        raise MalformedError("malformed.pem") from error
    return (
        tuple(der for kind, _, der in blocks if kind == "CERTIFICATE"),
        tuple(der for kind, _, der in blocks if kind == "X509 CRL"),
    )


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    try:
        folder.mkdir(exist_ok=True)
        for name, data in files.items():
            write_atomically(folder / name, data)
        for stale in folder.iterdir():
            ours = stale.suffix in {".pem", ".vkey"} or stale.match("network-*.json")
            if stale.name not in files and ours:
                stale.unlink()
    except OSError as error:
        raise HostError("trust.write", reason=error.strerror or "") from error
