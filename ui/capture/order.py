"""What a person asks of a capture on the form, and the plan that becomes of it. No widgets; runs beside the window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence_desk.core.canonical import JSON
from evidence_desk.core.capture.plan import (
    MAX_URLS,
    CaptureMode,
    CapturePlan,
    CertificatePolicy,
    completed_address,
    extra_authorities,
)
from evidence_desk.errors import UnreadableError, UsageError

MAX_CA: Final = 1 << 20
MAX_TEXT: Final = 4 << 20
"""Characters of a list of addresses that is read at all."""
PAGE_SECONDS: Final = 60
MAX_SECONDS: Final = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """What stands in the field: addresses in order, each once; lines (from 1) that are none, with what stands there.

    Attributes:
        repeated: lines whose address stood in an earlier one; they are left out.
        beyond: more addresses than one capture takes.
    """

    urls: tuple[str, ...]
    wrong: tuple[tuple[int, str], ...] = ()
    repeated: tuple[int, ...] = ()
    beyond: bool = False


def read_addresses(text: str) -> Addresses:
    """One address a line; empty lines and those that begin with ``#`` are none."""
    found: dict[str, None] = {}
    wrong: list[tuple[int, str]] = []
    repeated: list[int] = []
    for number, line in enumerate(text[:MAX_TEXT].splitlines(), 1):
        typed = line.strip().removeprefix("\ufeff").strip()
        if not typed or typed.startswith("#"):
            continue
        try:
            url = completed_address(typed)
        except UsageError:
            wrong.append((number, typed))
            continue
        if url in found:
            repeated.append(number)
        found[url] = None
    urls = tuple(found)
    return Addresses(
        urls=urls[:MAX_URLS], wrong=tuple(wrong), repeated=tuple(repeated), beyond=len(urls) > MAX_URLS
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Choices of the form.

    Attributes:
        authorities: files with further root certificates.
    """

    urls: tuple[str, ...]
    interactive: bool = False
    scroll: bool = True
    page_seconds: int = PAGE_SECONDS
    max_seconds: int = MAX_SECONDS
    allow_private: bool = False
    accept_errors: bool = False
    authorities: tuple[Path, ...] = ()

    def plan(self) -> CapturePlan:
        """The plan; reads the certificates.

        Raises:
            UnreadableError: ``input.unreadable``. MalformedError: ``malformed.extra_ca``.
        """
        return CapturePlan(
            urls=self.urls[:1] if self.interactive else self.urls,
            mode=CaptureMode.INTERACTIVE if self.interactive else CaptureMode.AUTOMATIC,
            scroll=self.scroll,
            page_seconds=self.page_seconds,
            max_seconds=self.max_seconds,
            allow_private=self.allow_private,
            extra_ca=extra_authorities([_read(path) for path in self.authorities]),
            certificate_errors=CertificatePolicy.ACCEPT if self.accept_errors else CertificatePolicy.REFUSE,
        )


def options_json(order: Order, text: str) -> dict[str, JSON]:
    """Choices as they are kept with the form; `text` is what stands in the field of addresses."""
    return {
        "addresses": text[:MAX_TEXT], "interactive": order.interactive, "scroll": order.scroll,
        "page_seconds": order.page_seconds, "max_seconds": order.max_seconds, "allow_private": order.allow_private,
        "authorities": [str(path) for path in order.authorities],
    }  # fmt: skip


def options_from(content: Mapping[str, JSON]) -> tuple[Order, str]:
    """Kept choices and addresses; what cannot be meant takes its default.

    That wrong certificates are accepted is not kept: it is decided for one capture.
    """
    paths = content.get("authorities")
    return (
        Order(
            urls=(),
            interactive=content.get("interactive") is True,
            scroll=content.get("scroll") is not False,
            page_seconds=_number(content.get("page_seconds"), PAGE_SECONDS),
            max_seconds=_number(content.get("max_seconds"), MAX_SECONDS),
            allow_private=content.get("allow_private") is True,
            authorities=_paths(paths if isinstance(paths, list) else ()),
        ),
        text if isinstance(text := content.get("addresses"), str) else "",
    )


def _paths(items: Sequence[JSON]) -> tuple[Path, ...]:
    return tuple(Path(item) for item in items if isinstance(item, str) and item)


def _number(value: JSON | None, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else default


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as source:
            data = source.read(MAX_CA + 1)
    except OSError as error:
        raise UnreadableError("input.unreadable", path=str(path), reason=type(error).__name__) from error
    if len(data) > MAX_CA:
        raise UnreadableError("input.unreadable", path=str(path), reason="size")
    return data
