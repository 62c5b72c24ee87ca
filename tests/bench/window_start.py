"""Starts the program as its entry does and prints when the first window is drawn; loads nothing else."""

from __future__ import annotations

import os
import time

from PySide6.QtWidgets import QApplication

from ui.app import make_program
from ui.preferences import PreferenceStore


def main() -> None:
    """Print a moment and leave."""
    application = QApplication([])
    program = make_program(application, PreferenceStore())
    program.window.show()
    application.sendPostedEvents()
    program.window.grab()
    print(time.monotonic(), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
