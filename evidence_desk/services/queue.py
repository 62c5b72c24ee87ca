"""The queue of files to seal, and drafts of forms: kept in the vault, so that neither a crash nor kill -9 loses them.

Everything here may be called while `work` runs in another thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import ItemState, NewItem, Outcome, QueueItem, StateCount
from evidence_desk.errors import MalformedError, NotFoundError, UnreadableError
from evidence_desk.services.desk import Desk
from evidence_desk.services.queue_request import encode_request, parse_request
from evidence_desk.services.seal import SealRequest
from evidence_desk.services.sources import MAX_FILES, display, find_each, find_sources
from evidence_desk.services.work_queue import QueueOutcome, QueueWatcher, Unwatched, work

__all__ = [
    "FINISHED", "Batch", "Draft", "QueueOutcome", "QueueWatcher", "ResumeState", "Unwatched", "cancel", "clear_finished",
    "counts", "drop_draft", "enqueue", "items", "load_draft", "resume_state", "retry", "save_draft", "waiting", "work",
]  # fmt: skip

FINISHED: Final = (ItemState.SEALED, ItemState.DUPLICATE, ItemState.CANCELED)
_MAX_DRAFT: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What came of one drop.

    Attributes:
        id: of the batch; None when nothing was queued.
        waiting: items that will be sealed; `size`: bytes of their files.
        failed: items that cannot be: missing, unreadable, link, empty folder…; they are in the queue with their error.
        repeated: paths that the queue has already, for the same case; they are not queued again.
    """

    id: int | None = None
    waiting: int = 0
    size: int = 0
    failed: int = 0
    repeated: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeState:
    """What an earlier run left behind.

    Attributes:
        waiting: items that are still to be sealed, those in hand included; `size`: bytes of their files.
        interrupted: how many of them were in hand when the program ended without warning.
        since: when the first of those was taken up; None when there are none.
    """

    waiting: int = 0
    size: int = 0
    interrupted: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The content of a form that was not sent."""

    content: Mapping[str, JSON]
    saved: datetime


def enqueue(desk: Desk, paths: Sequence[Path], request: SealRequest, *, each_file: bool, job: Job) -> Batch:
    """Queue paths, each to become an exhibit; what cannot be sealed is found at once.

    Args:
        desk: the open desk.
        paths: files and folders, absolute or of the current folder.
        request: case and exhibit fields for all of them.
        each_file: every file of a folder becomes an exhibit of its own.
        job: progress in paths; nothing is queued when it is canceled.

    Raises:
        NotFoundError: ``vault.case_erased``. HostError: the vault cannot be written.
        UnreadableError: ``input.too_many``: nothing of such a drop is queued.
    """
    data = encode_request(request)
    found: dict[bytes, NewItem] = {}
    repeated: list[Path] = []
    for path, item in _examine(paths, each_file=each_file):
        job.step("enqueue", len(found), max(len(found), len(paths)))
        if item.path in found:
            repeated.append(path)
        else:
            found[item.path] = item
        if len(found) > MAX_FILES:
            raise UnreadableError("input.too_many", path=display(item.path), limit=MAX_FILES)
    now = desk.clock.now()
    with desk.store.transaction():
        case = desk.store.exhibits.case(request.case_number)
        if case is not None and case.erased is not None:
            raise NotFoundError("vault.case_erased")
        known = desk.store.queue.open_paths(request.case_number)
        fresh = [item for item in found.values() if item.error or item.path not in known]
        repeated += [
            Path(os.fsdecode(item.path)) for item in found.values() if item.path in known and not item.error
        ]
        if not fresh:
            return Batch(repeated=tuple(repeated))
        batch = desk.store.queue.add_batch(request.case_number, data, fresh, now)
    good = [item for item in fresh if not item.error]
    return Batch(
        id=batch.id,
        waiting=len(good),
        size=sum(item.size for item in good),
        failed=len(fresh) - len(good),
        repeated=tuple(repeated),
    )


def _examine(paths: Sequence[Path], *, each_file: bool) -> Iterator[tuple[Path, NewItem]]:
    """Items of paths, those that cannot be sealed with their error."""
    for given in paths:
        path = Path(os.path.abspath(given))  # noqa: PTH100 - resolve() would follow links
        if not each_file:
            yield path, _item(path)
            continue
        refused: list[tuple[Path, UnreadableError]] = []
        for source in find_each(path, lambda at, error: refused.append((at, error))):  # noqa: B023 - used up within
            yield source.path, NewItem(path=os.fsencode(source.path), size=source.size, files=1)
        for at, error in refused:
            yield at, _refused(at, error)


def _item(path: Path) -> NewItem:
    try:
        sources = find_sources(path)
    except UnreadableError as error:
        return _refused(path, error)
    return NewItem(path=os.fsencode(path), size=sum(source.size for source in sources), files=len(sources))


def _refused(path: Path, error: UnreadableError) -> NewItem:
    return NewItem(path=os.fsencode(path), error=error.code, parameters=error.parameters)


def items(
    desk: Desk, offset: int = 0, limit: int = 1000, *, states: Sequence[ItemState] = ()
) -> Sequence[QueueItem]:
    """A page of the queue in its order, only of some states if asked."""
    return desk.store.queue.items(offset=offset, limit=limit, states=states)


def waiting(desk: Desk, limit: int = 1000) -> Sequence[QueueItem]:
    """The next items to be sealed."""
    return desk.store.queue.items(limit=limit, states=(ItemState.WAITING,))


def counts(desk: Desk) -> Mapping[ItemState, StateCount]:
    """Items and bytes of every state."""
    return desk.store.queue.counts()


def cancel(desk: Desk, ids: Sequence[int] | None = None) -> int:
    """Cancel items that wait or are in hand, all when `ids` is None; how many.

    One whose leaf is being appended at this moment is sealed all the same, and says so.
    """
    with desk.store.transaction():
        chosen = _open(desk) if ids is None else ids
        return desk.store.queue.cancel(chosen, desk.clock.now())


def _open(desk: Desk) -> list[int]:
    states = (ItemState.WAITING, ItemState.WORKING)
    return [item.id for item in desk.store.queue.items(limit=-1, states=states)]


def retry(desk: Desk, ids: Sequence[int], *, allow_duplicates: bool = False) -> int:
    """Have items that failed, were canceled or are duplicates wait again; how many do.

    Args:
        desk: the open desk.
        ids: of items.
        allow_duplicates: seal them although the case has the same files already.
    """
    again = (ItemState.FAILED, ItemState.CANCELED, ItemState.DUPLICATE)
    found = {item.id: item for item in desk.store.queue.items_by_id(ids) if item.state in again}
    seen = {item.id: _item(Path(os.fsdecode(item.path))) for item in found.values()}
    good = {at: (item.size, item.files) for at, item in seen.items() if not item.error}
    now = desk.clock.now()
    with desk.store.transaction():
        desk.store.queue.finish(
            [
                Outcome(id=at, state=ItemState.FAILED, error=item.error, parameters=item.parameters)
                for at, item in seen.items()
                if item.error
            ],
            now,
        )
        desk.store.queue.measure(good)
        if allow_duplicates:
            _allow(desk, [found[at] for at in good], now)
        return desk.store.queue.reopen(list(good), now)


def _allow(desk: Desk, chosen: Sequence[QueueItem], now: datetime) -> None:
    for batch_id in {item.batch_id for item in chosen}:
        batch = desk.store.queue.batch(batch_id)
        if batch is None:
            continue
        request = replace(parse_request(batch.request), allow_duplicates=True)
        other = desk.store.queue.add_batch(batch.case_number, encode_request(request), (), now)
        desk.store.queue.move([item.id for item in chosen if item.batch_id == batch_id], other.id)


def clear_finished(desk: Desk, *, failed: bool = False) -> int:
    """Take what is sealed, a duplicate or canceled off the list, with `failed` what failed too; how many."""
    with desk.store.transaction():
        return desk.store.queue.clear((*FINISHED, ItemState.FAILED) if failed else FINISHED)


def resume_state(desk: Desk) -> ResumeState:
    """What an earlier run left behind; items that it had in hand wait again. Nothing while the queue is worked on."""
    if not desk.working.acquire(blocking=False):
        return ResumeState()
    try:
        with desk.store.transaction():
            interrupted, since = desk.store.queue.release(desk.clock.now())
            left = desk.store.queue.counts()[ItemState.WAITING]
    finally:
        desk.working.release()
    return ResumeState(waiting=left.items, size=left.bytes, interrupted=interrupted, since=since)


def save_draft(desk: Desk, name: str, content: Mapping[str, JSON], *, case_number: str = "") -> None:
    """Keep the content of a form under a name; it goes with its case when that is erased.

    Raises:
        NotFoundError: ``vault.case_erased``: nothing about an erased case is kept again.
    """
    data = encode(dict(content))
    with desk.store.transaction():
        case = desk.store.exhibits.case(case_number) if case_number else None
        if case is not None and case.erased is not None:
            raise NotFoundError("vault.case_erased")
        desk.store.queue.save_draft(name, case_number, data, desk.clock.now())


def load_draft(desk: Desk, name: str) -> Draft | None:
    """A kept form.

    Raises:
        MalformedError: ``malformed.json``.
    """
    found = desk.store.queue.draft(name)
    if found is None:
        return None
    content = decode(found[0], what="draft", limit=_MAX_DRAFT)
    if not isinstance(content, dict):
        raise MalformedError("malformed.json", what="draft")
    return Draft(content=content, saved=found[1])


def drop_draft(desk: Desk, name: str) -> None:
    """Forget a kept form, if any: it was sent or thrown away."""
    with desk.store.transaction():
        desk.store.queue.drop_draft(name)
