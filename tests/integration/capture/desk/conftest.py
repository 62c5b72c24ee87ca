"""A demo desk, the town of test sites, and captures of them with the real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast
from unittest.mock import patch

import pytest

from evidence_desk.bootstrap.capturing import capture_tools, report_press
from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.core.trust import NO_TRUST
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.services.capture import CaptureControl, CaptureOutcome, CaptureTools, capture
from evidence_desk.services.capture_seal import Sealed, seal_capture
from evidence_desk.services.captured import opened_capture, secrets_of
from evidence_desk.services.desk import Desk
from evidence_desk.services.seal import SealRequest
from evidence_desk.texts import Language
from evidence_desk.verify.capture import verify_capture
from tests.integration.capture.desk.capturing import no_list_of_updates
from tests.sites.recording import TownResolver
from tests.sites.town import Town
from tests.unit.vault.rows import CHEAP

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
Capture = Callable[..., CaptureOutcome]
REQUEST = SealRequest(case_number="案一", kind=ExhibitKind.PUBLISHED, operator={"name": "张三"})


@pytest.fixture(autouse=True, scope="session")
def _quick_checks():
    with patch.object(shutil, "which", no_list_of_updates):
        yield


def sealed_soundly(desk: Desk, *given: Any, **more: Any) -> Sealed:
    """`seal_capture`; however the capture went, nothing in what was sealed contradicts itself."""
    sealed = seal_capture(desk, *given, **more)
    assert contradictions(desk, sealed.exhibit) == set()
    return sealed


@pytest.fixture(autouse=True, scope="session")
def _sound():
    with patch("evidence_desk.services.capture_recover.seal_capture", sealed_soundly):
        yield


@pytest.fixture(scope="module")
def town():
    with Town() as sites:
        yield sites


def open_desk(folder: Path) -> Session:
    """A demo desk with cheap keys."""
    opened, _ = init_session(folder / "vault", "capture", office="test", demo=True, kdf=CHEAP)
    return opened


@pytest.fixture
def session(tmp_path):
    opened = open_desk(tmp_path)
    yield opened
    opened.close()


def tools_for(session: Session, town: Town) -> CaptureTools:
    """Adapters of this machine; names are those of the town, no time server is asked."""
    return capture_tools(
        session, Language.ZH, ntp=(), dns=(), resolver=TownResolver(addresses=town.addresses)
    )


def plan_for(town: Town, *targets: str, **changes: object) -> CapturePlan:
    """``site.test/page`` each."""
    urls = []
    for target in targets:
        name, _, path = target.partition("/")
        urls.append(town.url(name, f"/{path}"))
    plan = CapturePlan(urls=tuple(urls), settle_ms=300, allow_private=True, extra_ca=(town.ca.root_der,))
    return replace(plan, **changes)  # type: ignore[arg-type]


def taken(
    session: Session, town: Town, *targets: str, control: CaptureControl | None = None, **changes: object
) -> CaptureOutcome:
    """Capture targets of the town; whatever came of it, nothing in its record contradicts itself."""
    outcome = capture(
        session.desk, tools_for(session, town), plan_for(town, *targets, **changes), REQUEST, job=Job(),
        control=control,
    )  # fmt: skip
    assert outcome.exhibit is None or contradictions(session.desk, outcome.exhibit) == set()
    return outcome


def contradictions(desk: Desk, exhibit: ExhibitRow) -> set[str]:
    """Codes of what a check of a sealed capture, with the keys of the case, finds wrong with its integrity."""
    with opened_capture(desk, exhibit, spool, Job()) as captured:
        found = verify_capture(
            captured.source, bond=captured.bond, trust=NO_TRUST, now=datetime.now(UTC), job=Job(), spool=spool,
            secrets=secrets_of(desk, captured), press=report_press(),
        ).findings  # fmt: skip
    return {
        item.code for item in found if item.status is Status.FAILED and item.dimension is Dimension.INTEGRITY
    }


def spool() -> BinaryIO:
    """An anonymous file."""
    return cast("BinaryIO", TemporaryFile("w+b"))


@pytest.fixture
def take(session, town) -> Capture:
    return partial(taken, session, town)


@pytest.fixture(scope="module")
def kept(tmp_path_factory, town):
    """A desk with one capture of two pages, shared by the tests of a module: they change neither."""
    opened = open_desk(tmp_path_factory.mktemp("kept"))
    yield opened, taken(opened, town, "site.test/", "modern.test/")
    opened.close()
