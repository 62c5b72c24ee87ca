"""What every packaged program runs first: which one it is, its file's name says."""

import sys
from pathlib import Path

from evidence_desk.launch import start

start(Path(sys.executable).name)
