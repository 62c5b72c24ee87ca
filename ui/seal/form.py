"""What is said once about a batch of files: case and exhibit fields, remembered while they are filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLineEdit

from evidence_desk.core.canonical import JSON
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.services.browse import CaseSummary
from evidence_desk.services.register import DEFAULT_CASE
from evidence_desk.services.seal import SealRequest
from ui.context import Context
from ui.look import tokens
from ui.widgets.flow import FlowLayout
from ui.widgets.form import Form
from ui.widgets.panels import Card, Fold

_SAVE_MS: Final = 800
_PARTIES: Final = "；"
LINES: Final = (
    "court",
    "cause",
    "parties",
    "purpose",
    "obtained",
    "from_whom",
    "medium",
    "operator",
    "role",
    "witness",
    "interest",
)
FLAGS: Final = ("each_file", "blinded", "leaves_only", "allow_duplicates")
_UPPER: Final = ("title", "purpose")
"""Lines that are always in sight, when there are any; the others are folded."""
_LAST: Final = ("witness", "interest")
_ORIGINAL: Final = ("", "original", "copy")


class BatchForm(Card):
    """The form. `changed` when the draft is worth keeping: some time after the last change."""

    changed = Signal()

    def __init__(
        self,
        context: Context,
        *,
        lines: Sequence[str] = LINES,
        flags: Sequence[str] = FLAGS,
        usual: ExhibitKind = ExhibitKind.FILE,
        more: str = "ui_seal.more",
        hints: str = "ui_seal",
    ) -> None:
        """`lines` and `flags` that it has, the kind of exhibit it begins with, the code of the fold's heading.

        `hints` is the area of texts whose hints stand in empty fields, where it has some.
        """
        super().__init__()
        self._context, self._usual, self._hints = context, usual, hints
        self._cases: dict[str, CaseSummary] = {}
        self.body.setContentsMargins(tokens.L, tokens.M, tokens.L, tokens.M)
        first = Form(context, columns=2)
        self.case = QComboBox(editable=True)
        self.case.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        first.add("ui_seal.case", self.case)
        self.kind = QComboBox()
        first.add("ui_seal.kind", self.kind)
        for box, letters in ((self.case, 14), (self.kind, 4)):  # not as wide as their longest line
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(letters)
            box.currentTextChanged.connect(box.setToolTip)
        self.lines = {name: QLineEdit() for name in lines}
        grid = first.layout()
        if isinstance(grid, QGridLayout):
            grid.setColumnStretch(1, 3)
            grid.setColumnStretch(3, 4)
        for name in _UPPER:
            if name in self.lines:
                first.add(f"ui_seal.{name}", self.lines[name], wide=True)
        self.body.addWidget(first)
        self.more = Fold(context, more)
        form = Form(context, columns=2)
        for name in lines:
            if name not in (*_UPPER, *_LAST):
                form.add(f"ui_seal.{name}", self.lines[name])
        self.original = QComboBox(self)
        if "medium" in self.lines:
            form.add("ui_seal.original", self.original)
        else:
            self.original.hide()
            context.tongue.bind(self.original, self.original.setAccessibleName, "ui_seal.original")
        form.add("ui_seal.witness", self.lines["witness"])
        form.add("ui_seal.interest", self.lines["interest"], wide=True)
        self.more.body.addWidget(form)
        self.flags = {name: QCheckBox() for name in flags}
        flow = FlowLayout()
        flow.setSpacing(tokens.L)
        for name, flag in self.flags.items():
            context.tongue.bind(flag, flag.setText, f"ui_seal.{name}")
            context.tongue.bind(flag, flag.setToolTip, f"ui_seal.{name}.tip")
            flow.addWidget(flag)
        self.more.body.addLayout(flow)
        self.body.addWidget(self.more)
        context.tongue.follow(self, self._say)
        self._timer = QTimer(self, singleShot=True, interval=_SAVE_MS)
        self._timer.timeout.connect(self.changed)
        self._connect()

    def set_cases(self, cases: Sequence[CaseSummary]) -> None:
        """Cases to choose from; what is typed stays."""
        typed = self.case.currentText()
        self._cases = {item.number: item for item in cases}
        self.case.clear()
        self.case.addItems([item.number for item in cases if item.erased is None and item.archived is None])
        self.case.setCurrentText(typed)

    def request(self) -> SealRequest:
        """What was filled in."""
        text = {
            **dict.fromkeys(LINES, ""),
            **{name: line.text().strip() for name, line in self.lines.items()},
        }
        source: dict[str, JSON] = {
            name: text[name] for name in ("obtained", "from_whom", "medium") if text[name]
        }
        if self.original.currentIndex() > 0:
            source["is_original"] = _ORIGINAL[self.original.currentIndex()] == "original"
        operator = {
            name: value for name, value in (("name", text["operator"]), ("role", text["role"])) if value
        }
        return SealRequest(
            case_number=self.case.currentText().strip() or DEFAULT_CASE,
            court=text["court"],
            cause=text["cause"],
            parties=tuple(part for item in text["parties"].replace(";", _PARTIES).split(_PARTIES) if (part := item.strip())),
            kind=ExhibitKind(self.kind.currentData()),
            title=text.get("title", ""),
            purpose=text["purpose"],
            source=source,
            operator=operator,
            witness={"name": text["witness"]} if text["witness"] else None,
            interest=text["interest"],
            blinded=self._flag("blinded"),
            leaves_only=self._flag("leaves_only"),
            allow_duplicates=self._flag("allow_duplicates"),
        )  # fmt: skip

    @property
    def each_file(self) -> bool:
        """Whether each file of a folder becomes an exhibit of its own."""
        return self._flag("each_file")

    def _flag(self, name: str) -> bool:
        return name in self.flags and self.flags[name].isChecked()

    def content(self) -> dict[str, JSON]:
        """The draft as it is kept."""
        return {
            "case": self.case.currentText(),
            "kind": str(self.kind.currentData()),
            "original": _ORIGINAL[self.original.currentIndex()],
            **{name: line.text() for name, line in self.lines.items()},
            **{name: box.isChecked() for name, box in self.flags.items()},
        }

    @property
    def filled(self) -> bool:
        """Whether anything in it is other than in a new form."""
        lines = (self.case.currentText(), *(line.text() for line in self.lines.values()))
        chosen = (*(box.isChecked() for box in self.flags.values()), self.kind.currentIndex() > 0)
        return any(text.strip() for text in lines) or any(chosen) or self.original.currentIndex() > 0

    def fill(self, content: Mapping[str, JSON]) -> None:
        """Put a kept draft back; what cannot be meant is left empty."""
        self.case.setCurrentText(_text(content.get("case")))
        self.kind.setCurrentIndex(max(0, self.kind.findData(_text(content.get("kind")))))
        original = _text(content.get("original"))
        self.original.setCurrentIndex(_ORIGINAL.index(original) if original in _ORIGINAL else 0)
        for name, line in self.lines.items():
            line.setText(_text(content.get(name)))
        for name, box in self.flags.items():
            box.setChecked(content.get(name) is True)
        self._timer.stop()

    def _connect(self) -> None:
        self.case.currentTextChanged.connect(self._on_case)
        for line in self.lines.values():
            line.textEdited.connect(self._timer.start)
        for box in self.flags.values():
            box.clicked.connect(self._timer.start)
        for combo in (self.case, self.kind, self.original):
            combo.activated.connect(self._timer.start)
        editor = self.case.lineEdit()
        if editor is not None:
            editor.textEdited.connect(self._timer.start)

    def _on_case(self, number: str) -> None:
        """Fields of a known case fill themselves where they are empty."""
        known = self._cases.get(number.strip())
        if known is None:
            return
        for name, value in (
            ("court", known.court),
            ("cause", known.cause),
            ("parties", _PARTIES.join(known.parties)),
        ):
            if name in self.lines and not self.lines[name].text():
                self.lines[name].setText(value)

    def _say(self) -> None:
        say = self._context.tongue.say
        kind, original = self.kind.currentData(), self.original.currentIndex()
        self.kind.clear()
        for item in (self._usual, *(other for other in ExhibitKind if other is not self._usual)):
            self.kind.addItem(say(f"certificate.kind.{item.value}"), item.value)
        self.kind.setCurrentIndex(max(0, self.kind.findData(kind)))
        self.original.clear()
        self.original.addItems([say(f"ui_seal.original.{name or 'unknown'}") for name in _ORIGINAL])
        self.original.setCurrentIndex(max(0, original))
        for name in ("case", "title", "purpose", "parties"):
            line = self.case.lineEdit() if name == "case" else self.lines.get(name)
            own, shared = f"{self._hints}.{name}.hint", f"ui_seal.{name}.hint"
            code = own if self._context.tongue.has(own) else shared
            if line is not None and self._context.tongue.has(code):
                line.setPlaceholderText(say(code))


def _text(value: JSON | None) -> str:
    return value if isinstance(value, str) else ""
