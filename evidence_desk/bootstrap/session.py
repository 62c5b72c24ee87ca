"""An open desk with the adapters its settings ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from evidence_desk.bootstrap import pem_texts, trust_folder
from evidence_desk.bootstrap.certificate_signer import CertificateSigner
from evidence_desk.bootstrap.demo import DEMO_CA, DEMO_TSA, keep_demo
from evidence_desk.bootstrap.reader import open_gateway
from evidence_desk.core.court_ports import CourtGateway
from evidence_desk.core.job import Job
from evidence_desk.core.ports import CertificateIssuer, Clock, TimestampAuthority
from evidence_desk.core.signing_ports import PinPrompt
from evidence_desk.core.trust import Trust
from evidence_desk.court.protocol.registry import DeskKeys
from evidence_desk.crypto.pki import Identity
from evidence_desk.errors import ConfigurationError
from evidence_desk.services.court_query import Court
from evidence_desk.services.desk import Desk
from evidence_desk.services.rotate import RotateOutcome, rotate
from evidence_desk.settings import (
    AuthorityKind,
    AuthoritySetting,
    NetworkSetting,
    Pkcs11Setting,
    load_authorities,
    load_networks,
    load_proxy,
    save_authorities,
    save_networks,
    save_proxy,
)
from evidence_desk.vault.store import Vault
from evidence_desk.verify.court import read_network
from evidence_desk.verify.files import read_trust
from tsa.policy import TokenTrust

if TYPE_CHECKING:
    import httpx

    from evidence_desk.bootstrap.connections import BreakableClient
    from tsa.authority.embedded import EmbeddedAuthority

_DEMO_STATE: Final = "demo-authority"
_THIS_MACHINE: Final = ("all://localhost", "all://127.0.0.1", "all://[::1]")


@dataclass(slots=True)
class Session:
    """An open desk with the adapters its settings ask for; made by `open_session`."""

    vault: Vault
    desk: Desk
    clock: Clock
    _authorities: tuple[TimestampAuthority, ...] | None = field(default=None, init=False)
    _embedded: list[EmbeddedAuthority] = field(default_factory=list, init=False)
    _http: BreakableClient | None = field(default=None, init=False)
    _signer: CertificateSigner | None = field(default=None, init=False)

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
        return read_trust(self.vault.folder / trust_folder.TRUST)

    def authority(self, setting: AuthoritySetting) -> TimestampAuthority:
        """Adapter of one configured authority."""
        if setting.kind is AuthorityKind.EMBEDDED:
            from tsa.authority.embedded import EmbeddedAuthority  # noqa: PLC0415 - not loaded unless used

            made = EmbeddedAuthority(
                self._demo_identity(setting), self.vault.folder / _DEMO_STATE, self.clock, name=setting.name
            )
            self._embedded.append(made)
            return made
        from tsa.client import HttpAuthority  # noqa: PLC0415 - with httpx

        roots, crls = pem_texts.parts(setting.roots)
        return HttpAuthority(
            setting.name,
            setting.url,
            TokenTrust(roots=roots, crls=crls),
            self.http,
            self.clock,
            policy=setting.policy or None,
            crl_urls=setting.crl_urls,
        )

    @property
    def signer(self) -> CertificateSigner:
        """Whose key signs certificates here."""
        if self._signer is None:
            self._signer = CertificateSigner(self.vault)
        return self._signer

    def issuer(self, prompt: PinPrompt | None = None, *, keep_login: bool = False) -> CertificateIssuer:
        """Who signs certificates here: the key in a token when one is set up, else that of the key file.

        Args:
            prompt: asks for the PIN of a token, at the first signature and in the thread that signs.
            keep_login: stay logged in to the token until the session closes; else each signature asks.

        Raises:
            ConfigurationError: ``certify.no_signer``.
        """
        from reports.issuer import PdfIssuer  # noqa: PLC0415 - half a second of PDF libraries

        return PdfIssuer(self.signer.pdf_signer(prompt, keep=keep_login), self.authorities, self.clock)

    def signer_certificate(self) -> bytes:
        """DER certificate of the key that signs certificates here.

        Raises:
            ConfigurationError: ``certify.no_signer``.
        """
        return self.signer.certificate()

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
        self.signer.keep_identity(identity)
        self.signer.leave_token()
        self.write_trust()

    def set_token_signer(self, setting: Pkcs11Setting, crls: tuple[bytes, ...] = ()) -> None:
        """Sign certificates with a key in a token, as `evidence_desk.pkcs11.choosing` found it; DER lists of its root.

        Raises:
            UserError: ``certificate.signer_name``.
        """
        self.signer.use_token(setting, crls)
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
        return open_gateway(url, self.http)

    @property
    def http(self) -> httpx.Client:
        """The one client for all that this desk asks, through its proxy where one is set; this machine is asked directly.

        Raises:
            ConfigurationError: ``network.proxy``.
        """
        if self._http is None:
            import httpx  # noqa: PLC0415 - a fifth of a second

            from evidence_desk.bootstrap.connections import BreakableClient  # noqa: PLC0415 - with httpx

            proxy = load_proxy(self.vault.exhibits)
            try:
                self._http = BreakableClient(
                    follow_redirects=False,
                    proxy=proxy or None,
                    mounts=dict.fromkeys(_THIS_MACHINE) if proxy else None,
                )
            except (ValueError, httpx.InvalidURL) as error:
                raise ConfigurationError("network.proxy", proxy=proxy) from error
        return self._http

    def set_proxy(self, url: str) -> None:
        """Ask the network through a proxy from now on; empty: as the system says.

        Raises:
            ConfigurationError: ``network.proxy`` for what cannot be one; nothing is changed then.
        """
        before = load_proxy(self.vault.exhibits)
        self._use_proxy(url)
        try:
            _ = self.http
        except ConfigurationError:
            self._use_proxy(before)
            raise

    def _use_proxy(self, url: str) -> None:
        with self.vault.transaction():
            save_proxy(self.vault.exhibits, url)
        if self._http is not None:
            self._http.close()
        self._http = None
        self._authorities = None

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
        """``VAULT/trust/`` anew; see `trust_folder.write`."""
        trust_folder.write(self.vault, networks)

    def hang_up(self) -> None:
        """Wait for nobody any more: what is asked of others now is broken off. From any thread, before `close`."""
        if self._http is not None:
            self._http.hang_up()

    def close(self) -> None:
        """Close authorities of ours, network, token and vault: no file stays open, its disk can be pulled out."""
        for authority in self._embedded:
            authority.close()
        if self._signer is not None:
            self._signer.close()
        if self._http is not None:
            self._http.close()
        self.vault.close()

    def _demo_identity(self, setting: AuthoritySetting) -> Identity:
        """The demo authority's key, its revocation list and certificate renewed in time."""
        from tsa.authority.keys import AuthorityKeys, refresh  # noqa: PLC0415

        kept = AuthorityKeys(ca=self._identity(DEMO_CA), tsa=self._identity(DEMO_TSA))
        fresh = refresh(kept, now=self.clock.now())
        if fresh != kept and not self.vault.read_only:
            keep_demo(self.vault, fresh)
            renewed = replace(setting, roots=pem_texts.roots_of(fresh.tsa))
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
            finish=self.vault.finish_rotation,
            job=job,
        )
        self.write_trust()
        return outcome
