"""Pictures of the judges' portal: the demo's network started again, a file dropped in a real browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image

from scripts.demo import PASSPHRASE
from tests.integration.portal.chromium import PROGRAM, Chromium

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "build" / "demo"
HEIGHT = 1600
"""Pixels of the page that are shown."""
ANSWERED = "document.querySelector('#answer')?.innerText.length > 200"


def main() -> None:
    """Write docs/images/portal-*.png."""
    if PROGRAM is None:
        sys.exit("Chromium is not here / 未安装 Chromium")
    court: list[str | Path] = [
        Path(sys.executable).with_name("court-node"),
        "localnet",
        "4",
        "--dir",
        DEMO / "court",
    ]
    with subprocess.Popen(court, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            if process.stdout is None or not (line := process.stdout.readline()):
                sys.exit("the court nodes did not start")
            # What was certified since makes a new block: answers under an old one are undetermined.
            vault = {"EVIDENCE_DESK_VAULT": str(DEMO / "vault"), "EVIDENCE_DESK_PASSPHRASE": PASSPHRASE}
            desk = Path(sys.executable).with_name("evidence-desk")
            subprocess.run([desk, "anchor", "--wait"], env={**os.environ, **vault}, check=True)
            shoot(json.loads(line)["gateways"][0])
        finally:
            process.terminate()
            process.wait(60)


def shoot(gateway: str) -> None:
    """A file that was sealed, on a desktop and on a phone."""
    original = next((DEMO / "originals").glob("*.pdf"))
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile, Chromium(Path(profile)) as browser:
        for name, width, dark, language in (
            ("desktop", 1100, False, "zh"), ("phone", 390, False, "zh"), ("dark-en", 1100, True, "en"),
        ):  # fmt: skip
            page = browser.page(width=width, dark=dark)
            page.open(f"{gateway}/?lang={language}")
            page.choose("#file", original)
            page.wait(ANSWERED)
            target = ROOT / "docs" / "images" / f"portal-{name}.png"
            page.screenshot(target)
            with Image.open(target) as whole:
                top = whole.convert("RGB").crop((0, 0, whole.width, min(whole.height, HEIGHT)))
            top.quantize(96, dither=Image.Dither.NONE).save(target, optimize=True)
            sys.stdout.write(f"docs/images/{target.name}\n")


if __name__ == "__main__":
    main()
