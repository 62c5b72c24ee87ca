"""A bundle 卷宗 of one case for filing, as data, and the port to whoever prints it. Pure; nothing is opened here."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from evidence_desk.core.certificate.model import Exhibit
from evidence_desk.core.documents import Catalog
from evidence_desk.core.job import Job


class BundleOriginal(Protocol):
    """The bytes of one file of an exhibit; nothing comes out of it that does not match the sealed digests."""

    def head(self, size: int) -> bytes:
        """The first bytes, unchecked: to see what kind of file it is, never to print.

        Raises:
            IntegrityError: the original is missing or damaged.
        """
        ...

    def checked(self) -> AbstractContextManager[BinaryIO]:
        """The whole file, seekable, hashed before it is handed out; gone when the block ends.

        Raises:
            IntegrityError: the original is missing, damaged, or not what was sealed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleCertificate:
    """A certificate that was issued and is not revoked; `pdf` was compared with its logged digest."""

    number: str
    pdf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleExhibit:
    """One exhibit of a bundle.

    Attributes:
        exhibit: what is printed about it; `originals` stand in the order of its files.
        certificate: the newest valid one, None before one was issued; exhibits may share one.
    """

    exhibit: Exhibit
    originals: tuple[BundleOriginal, ...]
    certificate: BundleCertificate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A case to be printed: the catalog, without page numbers yet, and its exhibits in the same order."""

    catalog: Catalog
    exhibits: tuple[BundleExhibit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnprintedFile:
    """A file that stands in the bundle by name and digests only; `reason` is a key under ``bundle.reason``."""

    number: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedBundle:
    """What came out.

    Attributes:
        pages: of the whole bundle.
        ranges: first and last page of each exhibit, 1-based, in order.
        unprinted: files that could not be printed, or not to their end.
    """

    pages: int
    ranges: tuple[tuple[int, int], ...]
    unprinted: tuple[UnprintedFile, ...] = ()


class BundlePrinter(Protocol):
    """Prints bundles."""

    def print(self, bundle: Bundle, out: BinaryIO, *, job: Job) -> PrintedBundle:
        """Write the bundle to `out`, front to back; discard `out` when an error is raised.

        A file that cannot be printed never ends the work: a page says which and why.

        Raises:
            IntegrityError: an original is not what was sealed. CanceledError: `job` was canceled.
        """
        ...
