"""Several processes guess at once: they get no more attempts than one would."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from evidence_desk.vault.attempts import delay
from evidence_desk.vault.store import Vault
from tests.unit.vault.rows import CHEAP, ORIGIN, PASSPHRASE, StandingClock

GUESS = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from evidence_desk.errors import PermissionDeniedError
from evidence_desk.vault.attempts import WallClock
from evidence_desk.vault.vault_file import VaultFile
from evidence_desk.vault.store import Vault
tried = VaultFile.unlock
def noted(self, passphrase):
    print(time.time(), flush=True)
    return tried(self, passphrase)
VaultFile.unlock = noted
try:
    Vault.open(Path(sys.argv[1]), "wrong", clock=WallClock())
except PermissionDeniedError as error:
    assert error.code == "vault.wrong_passphrase"
"""


def test_guesses_of_several_processes_stand_in_one_queue(tmp_path: Path):
    folder = tmp_path / "vault"
    Vault.create(folder, PASSPHRASE, clock=StandingClock(), origin=ORIGIN, kdf=CHEAP)[0].close()
    guessing = [
        subprocess.Popen([sys.executable, "-c", GUESS, str(folder)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = [process.communicate(timeout=120)[0] for process in guessing]
    assert [process.returncode for process in guessing] == [0] * 4
    moments = sorted(float(line) for text in said for line in text.splitlines())
    assert len(moments) == 4
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    # The rule itself, not a figure: no attempt before the delay that the one before it earned.
    assert all(gap >= delay(number) for number, gap in enumerate(gaps, start=1)), gaps
    assert json.loads((folder / "attempts").read_text())["failures"] == 4
