"""Choosing the key that signs certificates: a PKCS#12 file, or a key in a token (PKCS#11)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QWidget

from evidence_desk.bootstrap.files import read_input
from evidence_desk.bootstrap.pem_texts import certificates_of
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.crypto.pki import Identity, identity_from_pkcs12
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.errors import CanceledError, EvidenceDeskError
from evidence_desk.pkcs11.module import TokenInfo
from evidence_desk.settings import Pkcs11Setting
from ui.certify.dialogs import Sheet
from ui.certify.pin import PinAsker
from ui.context import Context
from ui.start.passphrase_field import CapsHint, PassphraseField
from ui.tasks import Lane, Running
from ui.widgets.buttons import button
from ui.widgets.form import Form

_LIMIT: Final = 1 << 20


class FileSignerDialog(Sheet):
    """A PKCS#12 file and its password; what it holds is shown before it is taken over."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "ui_certify.p12.title", "ui_certify.p12.do")
        self._path: Path | None = None
        self.say("ui_certify.p12.about", "secondary")
        row = QHBoxLayout()
        self.choose = button(context, "ui_certify.p12.file", self._on_file, icon="folder-open")
        self.choose.setAutoDefault(False)
        self.file = QLabel()
        row.addWidget(self.choose)
        row.addWidget(self.file, 1)
        self.body.addLayout(row)
        self.passphrase = PassphraseField(context)
        form = Form(context)
        form.add("ui_certify.p12.password", self.passphrase)
        self.body.addWidget(form)
        self.body.addWidget(CapsHint(context, self.passphrase))
        self.watch(self.passphrase)

    def complete(self) -> bool:
        """A file was chosen."""
        return self._path is not None

    def act(self) -> None:
        """Read the file, ask, take it over."""
        path, secret = self._path, self.passphrase.text()
        if path is None:
            return

        def work(_job: Job) -> Identity:
            return identity_from_pkcs12(read_input(path, _LIMIT), secret.encode() or None)

        self.begin()
        self.context.tasks.run(Lane.NET, work, owner=self, done=self._on_read, failed=self.failed)

    def _on_read(self, identity: Identity) -> None:
        certificate = load_certificate(identity.certificate)
        self.context.messages.confirm(
            "ui_certify.key.sure",
            action="ui_certify.p12.do",
            accepted=lambda: self._take(identity),
            refused=lambda: self.failed(CanceledError("job.canceled", stage="signer")),
            subject=certificate.subject.text,
            until=certificate.not_after.date().isoformat(),
        )

    def _take(self, identity: Identity) -> None:
        self.context.desk.run(
            lambda session, _job: session.set_signer(identity),
            owner=self,
            done=self._done,
            failed=self.failed,
        )

    def _done(self, _result: None) -> None:
        self._busy = False
        self.context.messages.inform("ui_certify.key.changed")
        self.accept()

    def _on_file(self) -> None:
        def chosen(paths: list[Path]) -> None:
            self._path = paths[0]
            self.file.setText(paths[0].name)
            self.check()

        self.context.messages.open_files(chosen, code="ui_certify.p12.file", pattern="PKCS#12 (*.p12 *.pfx)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """What was chosen, tried with a signature."""

    setting: Pkcs11Setting
    crls: tuple[bytes, ...]


class TokenSignerDialog(Sheet):
    """Module, token, key and certificate; the key signs a trial message before anything is changed."""

    def __init__(self, context: Context, pin: PinAsker) -> None:
        super().__init__(context, "ui_certify.token.title", "ui_certify.token.do")
        self._pin = pin
        self._running: Running[_Choice] | None = None
        self._tokens: tuple[TokenInfo, ...] = ()
        self.say("ui_certify.token.about", "secondary")
        form = Form(context)
        self.module = QLineEdit()
        form.add(
            "ui_certify.token.module",
            self._with_button(self.module, "ui_certify.token.browse", self._on_module),
        )
        self.token = QComboBox()
        form.add(
            "ui_certify.token.token", self._with_button(self.token, "ui_certify.token.look", self._on_look)
        )
        self.key = QComboBox(editable=True)
        self.key.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        form.add("ui_certify.token.key", self._with_button(self.key, "ui_certify.token.keys", self._on_keys))
        self.certificate = QLineEdit()
        form.add(
            "ui_certify.token.certificate",
            self._with_button(self.certificate, "ui_certify.token.browse", self._on_certificate),
        )
        for field, code in (
            (self.module, "module"),
            (self.token, "token"),
            (self.key, "key"),
            (self.certificate, "certificate"),
        ):
            context.tongue.bind(field, field.setAccessibleName, f"ui_certify.token.{code}")
        self.body.addWidget(form)
        self.say("ui_certify.token.pin", "secondary")
        self.module.editingFinished.connect(self._on_typed)
        context.tongue.follow(self, self._say)
        self.watch(self.module, self.certificate)
        self.finished.connect(lambda _result: self._stop())

    def complete(self) -> bool:
        """A module and a token in it."""
        return bool(self.module.text().strip()) and self.token.count() > 0

    def act(self) -> None:
        """Ask for the PIN, try the key, ask whether to use it."""
        module, token, key = self._module(), self._label(), self._key()
        path = self.certificate.text().strip()

        def work(job: Job) -> _Choice:
            from evidence_desk.pkcs11.choosing import choose_signer  # noqa: PLC0415 - native library, for tokens only

            certificates, crls = certificates_of(read_input(Path(path), _LIMIT)) if path else ((), ())
            setting = choose_signer(
                module, self._pin.prompt(job), token=token, key=key, certificates=certificates
            )
            return _Choice(setting=setting, crls=crls)

        self.begin()
        self._running = self.context.tasks.run(
            Lane.NET, work, owner=self, done=self._on_tried, failed=self.failed
        )

    def _on_tried(self, choice: _Choice) -> None:
        self._running = None
        certificate = load_certificate(choice.setting.certificate)
        self.context.messages.confirm(
            "ui_certify.key.sure",
            action="ui_certify.token.do",
            accepted=lambda: self._take(choice),
            refused=lambda: self.failed(CanceledError("job.canceled", stage="signer")),
            subject=certificate.subject.text,
            until=certificate.not_after.date().isoformat(),
        )

    def _take(self, choice: _Choice) -> None:
        def work(session: Session, _job: Job) -> None:
            session.set_token_signer(choice.setting, choice.crls)

        self.context.desk.run(work, owner=self, done=self._done, failed=self.failed)

    def _done(self, _result: None) -> None:
        self._busy = False
        self.context.messages.inform("ui_certify.key.changed")
        self.accept()

    def failed(self, error: EvidenceDeskError) -> None:
        """It was not taken over."""
        self._running = None
        super().failed(error)

    # --- module, tokens, keys ---------------------------------------------------------------------------------

    def _with_button(self, field: QWidget, code: str, clicked: object) -> QWidget:
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(field, 1)
        deed = button(self.context, code, clicked)  # type: ignore[arg-type]
        deed.setAutoDefault(False)
        row.addWidget(deed)
        box.setFocusProxy(field)
        return box

    def _module(self) -> Path:
        return Path(self.module.text().strip()).expanduser()

    def _label(self) -> str:
        at = self.token.currentIndex()
        return self._tokens[at].serial if 0 <= at < len(self._tokens) else ""

    def _key(self) -> str:
        data = self.key.currentData()
        text = self.key.currentText().strip()
        at = self.key.currentIndex()
        return str(data) if data and at >= 0 and self.key.itemText(at) == self.key.currentText() else text

    def _on_module(self) -> None:
        def chosen(paths: list[Path]) -> None:
            self.module.setText(str(paths[0]))
            self._on_look()

        self.context.messages.open_files(chosen, code="ui_certify.token.module")

    def _on_certificate(self) -> None:
        self.context.messages.open_files(
            lambda paths: self.certificate.setText(str(paths[0])), code="ui_certify.token.certificate"
        )

    def _on_typed(self) -> None:
        if self.module.text().strip() and not self._tokens and not self._busy:
            self._on_look()

    def _on_look(self) -> None:
        """List the tokens that the module sees."""
        module = self._module()

        def work(_job: Job) -> tuple[TokenInfo, ...]:
            from evidence_desk.pkcs11.module import list_tokens  # noqa: PLC0415 - native library, for tokens only

            return list_tokens(module)

        self.begin()
        self.context.tasks.run(Lane.NET, work, owner=self, done=self._on_tokens, failed=self.failed)

    def _on_tokens(self, found: tuple[TokenInfo, ...]) -> None:
        self._busy = False
        self._tokens = found
        self.token.clear()
        self.token.addItems([f"{item.label} ({item.serial})" for item in found])
        self._say()
        if not found:
            self.context.messages.inform("ui_certify.token.none")

    def _on_keys(self) -> None:
        """List the keys of the token; they can be seen only after the PIN was given."""
        module, wanted = self._module(), self._label()

        def work(job: Job) -> list[tuple[str, str]]:
            from evidence_desk.pkcs11.keys import read_keys  # noqa: PLC0415 - native library, for tokens only
            from evidence_desk.pkcs11.login import ask_and_log_in  # noqa: PLC0415
            from evidence_desk.pkcs11.module import choose_token, list_tokens, load  # noqa: PLC0415

            token = choose_token(list_tokens(module), wanted)
            login = ask_and_log_in(load(module), token, self._pin.prompt(job))
            try:
                return [(item.name, item.key_id) for item in read_keys(login) if item.can_sign]
            finally:
                login.end()

        self.begin()
        self.context.tasks.run(Lane.NET, work, owner=self, done=self._on_listed, failed=self.failed)

    def _on_listed(self, keys: list[tuple[str, str]]) -> None:
        self._busy = False
        self.key.clear()
        for name, key_id in keys:
            self.key.addItem(f"{name} ({key_id})" if name != key_id else name, key_id)
        self.check()

    def _stop(self) -> None:
        if self._running is not None:
            self._running.cancel()

    def _say(self) -> None:
        say = self.context.tongue.say
        self.module.setPlaceholderText(say("ui_certify.token.module.hint"))
        self.certificate.setPlaceholderText(say("ui_certify.token.certificate.hint"))
        editor = self.key.lineEdit()
        if editor is not None:
            editor.setPlaceholderText(say("ui_certify.token.key.hint"))
            editor.setAccessibleName(say("ui_certify.token.key"))
        self.check()
