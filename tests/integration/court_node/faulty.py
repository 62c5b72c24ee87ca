"""A node with a faulty application: it dies at named points of a block, or lies about its state.

`python -m tests.integration.court_node.faulty start FOLDER FAULT…` is `court-node start` with that application;
`… application --home FOLDER` is what its supervisor starts. Faults that fired are noted in a file, so each fires once.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from evidence_desk.court.node import service, supervisor
from evidence_desk.court.node.abci.application import Block, BlockResult, Info, Proposal, TxResult
from evidence_desk.court.node.app.machine import CourtMachine
from evidence_desk.court.node.app.sqlite_store import SqliteStore
from evidence_desk.court.node.app.store import Changes
from evidence_desk.court.node.engine import find_engine
from evidence_desk.court.node.home import NodeHome
from evidence_desk.court.node.supervisor import Supervisor, exclusive

POINTS: Final = (
    "info", "check_tx", "prepare_proposal", "process_proposal", "finalize_block.before", "finalize_block.after",
    "commit.before", "commit.in_transaction", "commit.after",
)  # fmt: skip
LIE: Final = "lie"
FAULTS: Final = "faults.txt"
FIRED: Final = "fired.txt"


def fired(folder: Path) -> list[str]:
    """Faults that have happened."""
    file = folder / FIRED
    return file.read_text().split() if file.exists() else []


class Faults:
    """The faults that are still to happen."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FIRED
        self._wanted = (folder / FAULTS).read_text().split()
        self._fired = fired(folder)

    def lying(self) -> bool:
        return LIE in self._wanted

    def reach(self, point: str) -> None:
        """Die here by kill -9, if it is this point's turn: one after the other, in the order they are named."""
        left = [name for name in self._wanted if name not in {*self._fired, LIE}]
        if left[:1] == [point]:
            with self._file.open("a") as file:
                file.write(f"{point}\n")
                file.flush()
                os.fsync(file.fileno())
            os.kill(os.getpid(), signal.SIGKILL)


class FaultyStore(SqliteStore):
    """Dies when the rows of a block are written and the transaction is not committed."""

    def __init__(self, path: Path, faults: Faults) -> None:
        super().__init__(path)
        self._faults = faults

    def commit(self, changes: Changes) -> None:
        self._connection.set_trace_callback(self._trace)
        super().commit(changes)

    def _trace(self, statement: str) -> None:
        if statement == "COMMIT":
            self._faults.reach("commit.in_transaction")


class FaultyMachine(CourtMachine):
    """The state machine, except for its faults."""

    def __init__(self, store: FaultyStore, faults: Faults) -> None:
        self._faults = faults
        super().__init__(store)

    def info(self) -> Info:
        self._faults.reach("info")
        return super().info()

    def check_tx(self, tx: bytes, *, recheck: bool) -> TxResult:
        self._faults.reach("check_tx")
        return super().check_tx(tx, recheck=recheck)

    def prepare_proposal(self, proposal: Proposal) -> tuple[bytes, ...]:
        self._faults.reach("prepare_proposal")
        return super().prepare_proposal(proposal)

    def process_proposal(self, proposal: Proposal) -> bool:
        self._faults.reach("process_proposal")
        return super().process_proposal(proposal)

    def finalize_block(self, block: Block) -> BlockResult:
        self._faults.reach("finalize_block.before")
        result = super().finalize_block(block)
        self._faults.reach("finalize_block.after")
        if self._faults.lying():
            return replace(result, app_hash=bytes(32))
        return result

    def commit(self) -> int:
        self._faults.reach("commit.before")
        kept = super().commit()
        self._faults.reach("commit.after")
        return kept


class FaultySupervisor(Supervisor):
    """Starts the faulty application, and starts it again without much delay."""

    def _command(self, name: str) -> list[str | Path]:
        command = super()._command(name)
        if name == "application":
            command[2] = __spec__.name if __spec__ else "tests.integration.court_node.faulty"
        return command


def serve(folder: Path) -> None:
    faults = Faults(folder)
    os.chdir(folder)
    store = FaultyStore(NodeHome.open(folder).store_file, faults)
    try:
        asyncio.run(service._serve(FaultyMachine(store, faults), supervised=True))
    finally:
        store.close()


async def run(home: NodeHome) -> None:
    node = FaultySupervisor(home, find_engine(), log_to_files=False)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, node.stop)
    await node.run()


def main(arguments: list[str]) -> None:
    if arguments[0] == "application":
        serve(Path(arguments[2]))
        return
    home = NodeHome.open(Path(arguments[1]))
    (home.path / FAULTS).write_text("\n".join(arguments[2:]))
    supervisor._LAST_DELAY = 0.3  # type: ignore[misc]
    with exclusive(home):
        asyncio.run(run(home))


if __name__ == "__main__":
    main(sys.argv[1:])
