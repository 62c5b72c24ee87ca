"""Palette and style sheet of a scheme, on top of Fusion."""

from __future__ import annotations

from string import Template
from typing import Final

from PySide6.QtGui import QColor, QPalette

from evidence_desk.paths import assets_folder
from ui.look import tokens
from ui.look.tokens import COLORS, Colors, Scheme

_SHEET: Final = Template("""
QToolTip { color: $text; background: $surface; border: 1px solid $line; padding: 4px 8px; }
QMainWindow, QDialog, QWizard { background: $window; }
#rail { background: $surface; border-right: 1px solid $line; }
#rail QToolButton { border: none; border-radius: ${radius}px; padding: 0 12px; text-align: left; color: $text; min-height: 40px; }
#rail QToolButton[narrow="true"] { padding: 0; }
#rail QToolButton:hover { background: $raised; }
#rail QToolButton:checked { background: $selected; color: $accent; font-weight: bold; }
#rail QToolButton:focus { border: 2px solid $focus; }
#statusline { background: $surface; border-top: 1px solid $line; }
#card, QFrame[card="true"] { background: $surface; border: 1px solid $line; border-radius: ${radius}px; }
QFrame[drop="true"] { background: $surface; border: 2px dashed $secondary; border-radius: ${radius}px; }
QFrame[drop="true"][over="true"] { border-color: $accent; background: $selected; }
QFrame[banner="neutral"] { background: $raised; border: 1px solid $line; border-radius: ${radius}px; }
QFrame[banner="passed"] { background: $surface; border: 1px solid $passed; border-radius: ${radius}px; }
QFrame[banner="warning"] { background: $surface; border: 1px solid $warning; border-radius: ${radius}px; }
QFrame[banner="failed"] { background: $surface; border: 1px solid $failed; border-radius: ${radius}px; }
QFrame[banner="undetermined"] { background: $surface; border: 1px solid $undetermined; border-radius: ${radius}px; }
QLabel { background: transparent; }
QLabel[toast="true"] { background: $text; color: $window; border-radius: ${radius}px; padding: 10px 16px; }
QLabel[role="title"] { font-size: ${title}px; font-weight: bold; }
QLabel[role="heading"] { font-size: 15px; font-weight: bold; }
QLabel[role="secondary"] { color: $secondary; font-size: ${small}px; }
QLabel[role="failed"] { color: $failed; }
QLabel[role="warning"] { color: $warning; }
QLabel[role="passed"] { color: $passed; }
QLabel[role="undetermined"] { color: $undetermined; }
QPushButton { background: $surface; color: $text; border: 1px solid $line; border-radius: 6px; padding: 0 12px; min-height: ${inner}px; }
QPushButton:hover { background: $raised; border-color: $secondary; }
QPushButton:pressed { background: $selected; }
QPushButton:focus { border: 2px solid $focus; padding: 0 11px; }
QPushButton:disabled { color: $secondary; background: $window; border: 1px $off $line; }
QPushButton[main="true"] { background: $accent; color: $on_accent; border: 1px solid $accent; font-weight: bold; min-height: ${main}px; padding: 0 16px; }
QPushButton[main="true"]:hover { background: $accent_hover; }
QPushButton[main="true"]:focus { border: 2px solid $text; }
QPushButton[main="true"]:disabled { background: $raised; color: $secondary; border: 1px $off $line; }
QPushButton[danger="true"] { color: $failed; border-color: $failed; }
QPushButton[danger="true"]:disabled { color: $secondary; border: 1px $off $line; }
QPushButton[flat="true"] { border: none; background: transparent; color: $accent; padding: 0 6px; }
QPushButton[flat="true"]:hover { background: $raised; }
QPushButton[flat="true"]:focus { border: 2px solid $focus; }
QPushButton[flat="true"]:disabled { border: none; background: transparent; color: $secondary; }
QDialogButtonBox { button-layout: 3; }
QToolButton { border: 1px solid transparent; border-radius: 6px; padding: 4px; color: $text; background: transparent; }
QToolButton:hover { background: $raised; }
QToolButton:focus { border: 2px solid $focus; }
QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QSpinBox, QDateEdit { background: $surface; color: $text; border: 1px solid $secondary; border-radius: 6px; padding: 0 8px; min-height: ${inner}px; selection-background-color: $accent; selection-color: $on_accent; }
QPlainTextEdit, QTextEdit { padding: 4px 8px; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus, QSpinBox:focus, QDateEdit:focus { border: 2px solid $focus; padding: 0 7px; }
QLineEdit:disabled, QComboBox:disabled { color: $secondary; background: $window; }
QLineEdit, QPlainTextEdit { placeholder-text-color: $secondary; }
QComboBox::drop-down, QDateEdit::drop-down { border: none; width: 24px; }
QComboBox::down-arrow, QDateEdit::down-arrow { image: url("$pictures/chevron-$scheme.svg"); width: 16px; height: 16px; }
QComboBox QAbstractItemView { background: $surface; color: $text; border: 1px solid $line; selection-background-color: $selected; selection-color: $text; outline: none; }
QSpinBox { padding-right: 28px; }
QSpinBox::up-button, QSpinBox::down-button { subcontrol-origin: border; border: none; background: transparent; width: 24px; }
QSpinBox::up-button { subcontrol-position: top right; margin: 2px 2px 0 0; }
QSpinBox::down-button { subcontrol-position: bottom right; margin: 0 2px 2px 0; }
QSpinBox::up-arrow { image: url("$pictures/chevron-up-$scheme.svg"); width: 12px; height: 12px; }
QSpinBox::down-arrow { image: url("$pictures/chevron-$scheme.svg"); width: 12px; height: 12px; }
QCheckBox, QRadioButton { spacing: 8px; min-height: 28px; border: 2px solid transparent; }
QCheckBox::indicator, QRadioButton::indicator, QAbstractItemView::indicator { width: 16px; height: 16px; border: 1px solid $secondary; border-radius: 4px; background: $surface; }
QRadioButton::indicator { border-radius: 9px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: $accent; }
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked { background: $accent; border-color: $accent; image: url("$pictures/check-$scheme.svg"); }
QRadioButton::indicator:checked { background: $accent; border-color: $accent; image: url("$pictures/dot-$scheme.svg"); }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { background: $window; }
QCheckBox:focus, QRadioButton:focus { border: 2px solid $focus; border-radius: 4px; }
QAbstractItemView { background: $surface; alternate-background-color: $surface; color: $text; border: 1px solid $line; border-radius: ${radius}px; gridline-color: $line; selection-background-color: $selected; selection-color: $text; outline: none; }
QAbstractItemView:focus { border: 2px solid $focus; }
QAbstractItemView::item { padding: 4px 8px; }
QHeaderView, QHeaderView:focus { background: $window; border: none; border-radius: 0; }
QHeaderView::section { background: $window; color: $secondary; border: none; border-bottom: 1px solid $line; padding: 6px 8px; font-size: ${small}px; }
QTabWidget::pane { border: none; border-top: 1px solid $line; }
QTabBar::tab { padding: 8px 16px; color: $secondary; background: transparent; border: none; border-bottom: 3px solid transparent; }
QTabBar::tab:selected { color: $text; border-bottom: 3px solid $accent; }
QTabBar::tear { width: 0; border: none; }
QTabBar::tab:focus { border: 2px solid $focus; }
QProgressBar { background: $raised; border: none; border-radius: 4px; max-height: 8px; min-height: 8px; text-align: center; }
QProgressBar::chunk { background: $accent; border-radius: 4px; }
QScrollArea, QScrollArea > QWidget > QWidget#scrolled { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar::handle:vertical { background: $secondary; border-radius: 4px; min-height: 32px; margin: 2px; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle:horizontal { background: $secondary; border-radius: 4px; min-width: 32px; margin: 2px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QMenu { background: $surface; color: $text; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: $selected; }
QMenu::item:disabled { color: $secondary; }
QSplitter::handle { background: $line; }
""")


def style_sheet(scheme: Scheme) -> str:
    """The style sheet of a scheme (not of `Scheme.AUTO`)."""
    colors = COLORS[scheme]
    values = {name: getattr(colors, name) for name in colors.__slots__}
    return _SHEET.substitute(
        values, radius=tokens.RADIUS, title=tokens.TITLE, small=tokens.SMALL, inner=tokens.CONTROL - 4, main=tokens.MAIN - 4,
        scheme=scheme.value, off="dashed" if scheme is Scheme.CONTRAST else "solid", pictures=(assets_folder() / "look").as_posix(),
    )  # fmt: skip


def palette(colors: Colors) -> QPalette:
    """The palette of a scheme."""
    result = QPalette()
    roles = {
        QPalette.ColorRole.Window: colors.window, QPalette.ColorRole.WindowText: colors.text,
        QPalette.ColorRole.Base: colors.surface, QPalette.ColorRole.AlternateBase: colors.raised,
        QPalette.ColorRole.ToolTipBase: colors.surface, QPalette.ColorRole.ToolTipText: colors.text,
        QPalette.ColorRole.Text: colors.text, QPalette.ColorRole.Button: colors.surface,
        QPalette.ColorRole.ButtonText: colors.text, QPalette.ColorRole.BrightText: colors.on_accent,
        QPalette.ColorRole.Link: colors.accent, QPalette.ColorRole.LinkVisited: colors.accent,
        QPalette.ColorRole.Highlight: colors.accent, QPalette.ColorRole.HighlightedText: colors.on_accent,
        QPalette.ColorRole.PlaceholderText: colors.secondary, QPalette.ColorRole.Accent: colors.accent,
        QPalette.ColorRole.Light: colors.raised, QPalette.ColorRole.Midlight: colors.raised,
        QPalette.ColorRole.Mid: colors.line, QPalette.ColorRole.Dark: colors.secondary,
    }  # fmt: skip
    for role, color in roles.items():
        result.setColor(role, QColor(color))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(colors.secondary))
    return result
