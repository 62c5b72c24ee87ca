"""Pictures of windows for people to look at: ``build/screens/NAME.png``."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget

FOLDER = Path(__file__).resolve().parent.parent.parent / "build" / "screens"


def save_screen(widget: QWidget, name: str) -> Path:
    """Save what a widget shows; returns the file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.png"
    widget.grab().save(str(path))
    return path
