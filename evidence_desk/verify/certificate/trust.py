"""What the verification of a certificate starts from."""

from __future__ import annotations

from dataclasses import dataclass

from evidence_desk.core.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateTrust:
    """Roots of signers (DER) and revocation lists; what a PDF carries is never trusted.

    Attributes:
        roots, crls, certificates: of those who sign certificates.
        person_roots, person_crls: of those who confirm them, besides; nobody signs a certificate under these.
    """

    roots: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    certificates: tuple[bytes, ...] = ()
    person_roots: tuple[bytes, ...] = ()
    person_crls: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, trust: Trust) -> CertificateTrust:
        """The roots for certificates in a trust folder, each for its own purpose."""
        return cls(
            roots=tuple(item for roots in trust.signers for item in roots.certificates),
            crls=tuple(item for roots in trust.signers for item in roots.crls),
            person_roots=tuple(item for roots in trust.persons for item in roots.certificates),
            person_crls=tuple(item for roots in trust.persons for item in roots.crls),
        )

    def for_confirmations(self) -> CertificateTrust:
        """Where a confirmation may lead: to a root of persons, or to one of signers, which may vouch for persons too."""
        return CertificateTrust(
            roots=(*self.person_roots, *self.roots),
            crls=(*self.person_crls, *self.crls),
            certificates=self.certificates,
        )
