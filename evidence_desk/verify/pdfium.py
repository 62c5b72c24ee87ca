"""The one lock around PDFium, which is not made for threads: whoever extracts text or draws pages takes it."""

from __future__ import annotations

import threading
from typing import Final

PDFIUM: Final = threading.Lock()
"""Held while any PDFium object of this process lives or is used."""
