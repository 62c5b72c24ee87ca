"""TLS connections, and the certificates that servers sent in them."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from evidence_desk.core.job import Job
from evidence_desk.services.capture_sessions import Chain, Link, Session
from evidence_desk.services.capture_view import CaptureView
from ui.capture.sayings import say_code
from ui.capture.view.tab import TextPane, ViewTab, list_of, on_choice, split
from ui.context import Context
from ui.plain import plain
from ui.widgets.labels import words
from ui.widgets.table import Index, RowsModel
from ui.words import local_time

_COLUMNS: Final = ("connection", "host", "version", "suite", "proof")
_DIGITS: Final = 8


def proof_of(session: Session) -> tuple[str, str, str]:
    """(icon, role, code): whether server and key were proven in this session."""
    if session.signature == "invalid" or session.finished is False:
        return "circle-x", "failed", "ui_capture.view.proof.wrong"
    if session.finished is None:
        return "circle-question-mark", "undetermined", "ui_capture.view.proof.unknown"
    if session.resumed:
        return "circle-check", "passed", "ui_capture.view.proof.resumed"
    if session.signature == "valid":
        return "circle-check", "passed", "ui_capture.view.proof.right"
    return "circle-question-mark", "undetermined", "ui_capture.view.proof.unsigned"


class SessionModel(RowsModel[Session]):
    """Sessions by connection."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, [f"ui_capture.column.{name}" for name in _COLUMNS])

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Cells."""
        row, column = self.row(index.row()), index.column()
        icon, color, code = proof_of(row)
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                cells = (str(row.connection), plain(row.host, 120), row.version or "—", row.suite or "—")
                return cells[column] if column < len(cells) else self._context.tongue.say(code)
            case Qt.ItemDataRole.DecorationRole if column == len(_COLUMNS) - 1:
                return self._context.look.icon(icon, color)
            case Qt.ItemDataRole.ForegroundRole if column == len(_COLUMNS) - 1:
                return QColor(getattr(self._context.look.colors, color))
        return None


class SessionsTab(ViewTab[tuple[Session, ...]]):
    """See the module."""

    def __init__(self, context: Context, view: CaptureView) -> None:
        super().__init__(context, view)
        self._shown: tuple[Session, Chain] | None = None
        self.model = SessionModel(context)
        self.table = list_of(
            context, self.model, "ui_capture.view.sessions", 1, {0: 90, 2: 80, 3: 220, 4: 270}
        )
        self.text = TextPane(context, "ui_capture.view.certificates")
        self.text.setLineWrapMode(TextPane.LineWrapMode.WidgetWidth)
        self.column.addWidget(words(context, "ui_capture.view.sessions.note", role="secondary"))
        self.column.addWidget(split(self.table, self.text, shares=(2, 3)), 1)
        on_choice(self.table, self._on_chosen)
        context.tongue.follow(self, self._say)

    def read(self, job: Job) -> tuple[Session, ...]:
        """All of them."""
        del job
        return self.view.sessions()

    def show_found(self, found: tuple[Session, ...]) -> None:
        """List them."""
        self.model.reset(found)
        if found:
            self.table.selectRow(0)
        else:
            self._context.tongue.bind(self.told, self.told.setText, "ui_capture.view.no_sessions")
            self.told.show()

    def _on_chosen(self, at: int) -> None:
        session = self.model.row(at)

        def done(chain: Chain) -> None:
            self._shown = (session, chain)
            self._say()

        self.ask(lambda _job: self.view.chain(self._source_of(session)), done)

    def _source_of(self, session: Session) -> Session:
        """The session whose certificates count: the one that was resumed, as far as it is here."""
        rows = {self.model.row(at).connection: self.model.row(at) for at in range(self.model.rowCount())}
        seen: set[int] = set()
        while session.resumed and session.origin in rows and session.origin not in seen:
            seen.add(session.origin)
            session = rows[session.origin]
        return session

    def _say(self) -> None:
        if self._shown is None:
            return
        session, chain = self._shown
        say = self._context.tongue.say
        lines = [
            say("ui_capture.view.session", host=plain(session.host), address=session.address or "—"),
            say(
                "ui_capture.view.session.tls", version=session.version or "—", suite=session.suite or "—",
                group=session.group or "—", alpn=session.alpn or "—",
            ),
            say(f"ui_capture.view.signature.{session.signature or 'none'}", scheme=session.scheme or "—",
                reason=session.signature_reason or "—"),
            say(f"ui_capture.view.finished.{'unseen' if session.finished is None else 'right' if session.finished else 'wrong'}"),
        ]  # fmt: skip
        if session.resumed:
            known = session.origin is not None
            code = "ui_capture.view.resumed" if known else "ui_capture.view.resumed.unknown"
            lines.append(say(code, connection=session.origin or 0))
        if session.stapled:
            lines.append(say("ui_capture.view.stapled"))
        lines += [f"· {say_code(self._context.tongue, fault)}" for fault in session.faults]
        for number, link in enumerate(chain, 1):
            lines += ["", *self._link(number, link)]
        if not chain:
            lines += ["", say("ui_capture.view.no_certificates")]
        self.text.setPlainText("\n".join(lines))

    def _link(self, number: int, link: Link) -> list[str]:
        say, certificate = self._context.tongue.say, link.certificate
        digits = link.fingerprint.hex()
        digest = " ".join(digits[at : at + _DIGITS] for at in range(0, len(digits), _DIGITS))
        heading = say("ui_capture.view.certificate", number=number)
        if certificate is None:
            return [heading, f"  {say('ui_capture.view.unreadable')}", f"  SHA-256  {digest}"]
        return [
            heading,
            f"  {say('ui_capture.view.subject')}  {plain(certificate.subject.text)}",
            f"  {say('ui_capture.view.issuer')}  {plain(certificate.issuer.text)}",
            f"  {say('ui_capture.view.validity')}  {local_time(certificate.not_before)} — {local_time(certificate.not_after)}",
            f"  SHA-256  {digest}",
        ]  # fmt: skip
