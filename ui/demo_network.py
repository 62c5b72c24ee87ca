"""A court network of four nodes on this machine, for trying out: 演示/非第三方. Real nodes, real proofs, no third party.

The nodes are a process of their own (``court-node localnet``), which ends with this program, however that ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from evidence_desk.core.job import Job
from evidence_desk.court.protocol.history import DEMO_PREFIX
from evidence_desk.errors import EvidenceDeskError, HostError
from evidence_desk.launch import Role, command_for
from ui.desk import OpenDesk
from ui.tasks import Failed, Lane

if TYPE_CHECKING:
    from evidence_desk.bootstrap.session import Session

NODES: Final = 4
_READY_MS: Final = 150_000
_STOP_MS: Final = 20_000
_LIMIT: Final = 64 * 1024


class DemoNetwork(QObject):
    """At most one demo network, its folder beside the vault's. `changed` when it starts, answers or ends."""

    changed = Signal()

    def __init__(self, desk: OpenDesk) -> None:
        super().__init__()
        self._desk = desk
        self._process: QProcess | None = None
        self._vault: Path | None = None
        self._offered: tuple[list[str], Path] | None = None
        self._ready = False
        self._said = b""
        self._after: Callable[[], None] = _nothing
        self._fault: Failed | None = None
        self._stopped: Callable[[], None] | None = None
        self._deadline = QTimer(self, singleShot=True)
        self._deadline.timeout.connect(self._on_silent)

    @property
    def running(self) -> bool:
        """Whether its nodes answer."""
        return self._ready

    @property
    def starting(self) -> bool:
        """Whether it was started and does not answer yet."""
        return self._process is not None and not self._ready

    def start(self, *, done: Callable[[], None], failed: Failed) -> None:
        """Start the nodes, join them, register the desk; `done` once it is registered.

        Errors: HostError ``ui.demo_network`` with the last words of the nodes; those of `register_desk`.
        """
        session = self._desk.session
        if session is None or self._process is not None:
            return
        self._vault = session.vault.folder
        folder = demo_folder(self._vault)
        self._after, self._fault, self._said = done, failed, b""
        process = QProcess(self)
        process.setProcessEnvironment(QProcessEnvironment.systemEnvironment())
        process.readyReadStandardOutput.connect(self._on_output)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._process = process
        self._deadline.start(_READY_MS)
        program, *arguments = command_for(Role.COURT_NODE)
        process.start(program, [*arguments, "localnet", str(NODES), "--dir", str(folder), "--until-eof"])
        self.changed.emit()

    def resume(self) -> None:
        """Start it again when the open vault's network is one of this machine; that of another vault gives way."""
        session = self._desk.session
        if session is None:
            return
        if self._process is not None:
            if self._vault != session.vault.folder:
                self.stop(self.resume)
            else:
                self._join()
            return
        folder = session.vault.folder
        if demo_folder(folder).is_dir():
            self._desk.run(
                _is_demo, owner=self, done=lambda demo: self._resume(folder, demo=demo), failed=_ignored, lane=Lane.READ
            )  # fmt: skip

    def _resume(self, folder: Path, *, demo: bool) -> None:
        session = self._desk.session
        if demo and session is not None and session.vault.folder == folder:
            self.start(done=_nothing, failed=_ignored)

    def stop(self, finished: Callable[[], None]) -> None:
        """Stop the nodes; `finished` once they have ended."""
        if self._process is None:
            finished()
            return
        self._stopped = finished
        self._process.terminate()
        self._deadline.start(_STOP_MS)

    # --- what the process says --------------------------------------------------------------------------------

    def _on_output(self) -> None:
        process = self._process
        if process is None:
            return
        self._said = (self._said + process.readAllStandardOutput().data())[:_LIMIT]
        if self._ready or b"\n" not in self._said:
            return
        self._deadline.stop()
        try:
            ready = json.loads(self._said.partition(b"\n")[0])
            gateways, trust = [str(url) for url in ready["gateways"]], Path(str(ready["trust"]))
        except (ValueError, KeyError, TypeError):
            self._fail(HostError("ui.demo_network", reason="ready"))
            process.kill()
            return
        self._ready, self._offered = True, (gateways, trust)
        self.changed.emit()
        self._join()

    def _join(self) -> None:
        """Once, with the vault it was started for; when that is locked, once it is open again."""
        session, offered = self._desk.session, self._offered
        if session is None or offered is None or session.vault.folder != self._vault:
            return
        self._offered = None
        gateways, trust = offered

        def work(session: Session, job: Job) -> None:
            from evidence_desk.bootstrap.networking import (  # noqa: PLC0415 - half a second, not before the first window
                choose_network,
                register_desk,
            )

            choose_network(session, gateways, trust)
            register_desk(session, job=job)

        self._desk.run(
            work, owner=self, done=lambda _: self._after(), failed=self._fault, lane=Lane.NET, title="ui.work.join",
            changes=True,
        )  # fmt: skip

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._process = None
            self._deadline.stop()
            self.changed.emit()
            self._fail(HostError("ui.demo_network", reason=error.name))
            self._tell_stopped()

    def _on_finished(self) -> None:
        process, self._process = self._process, None
        was_ready, self._ready, self._offered = self._ready, False, None
        self._deadline.stop()
        words = b"" if process is None else bytes(process.readAllStandardError().data())
        if process is not None:
            process.deleteLater()
        self.changed.emit()
        if not self._tell_stopped() and not was_ready:
            last = words.decode(errors="replace").strip().splitlines()
            self._fail(HostError("ui.demo_network", reason=last[-1][:200] if last else "—"))

    def _tell_stopped(self) -> bool:
        """Whether somebody had asked for its end."""
        stopped, self._stopped = self._stopped, None
        if stopped is not None:
            stopped()
        return stopped is not None

    def _on_silent(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _fail(self, error: EvidenceDeskError) -> None:
        fault, self._fault = self._fault, None
        if fault is not None:
            fault(error)


def demo_folder(vault: Path) -> Path:
    """Where the demo network of a vault lies."""
    return vault.with_name(f"{vault.name}-demo-court")


def _is_demo(session: Session, _job: Job) -> bool:
    """Whether it anchors in a network for trying out."""
    networks = session.networks
    return bool(networks) and networks[0].chain_id.startswith(DEMO_PREFIX)


def _nothing() -> None:
    """Nobody waits."""


def _ignored(_error: EvidenceDeskError) -> None:
    """Resuming quietly: the status page says that the gateways are silent."""
