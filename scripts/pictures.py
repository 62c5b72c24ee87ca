"""Pictures for README and manual, from what `make demo` left in build/demo: a certificate page and two verdicts.

The verdict is the real output of ``evidence-verify``, drawn as a terminal shows it; nothing is typed by hand.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pypdfium2
from PIL import Image, ImageDraw, ImageFont
from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text

ROOT: Final = Path(__file__).parents[1]
DEMO: Final = ROOT / "build" / "demo"
OUT: Final = ROOT / "docs" / "images"
FONTS: Final = ROOT / "assets" / "fonts"
COLUMNS: Final = 104
CELL: Final = (10, 27)
"""Width and height of a terminal cell in pixels; a Chinese character has two cells."""
MARGIN: Final = 22
BACKGROUND: Final = "#1b1f27"
INK: Final = "#d8dee9"
COLORS: Final = {1: "#f47067", 2: "#8fce7e", 3: "#e5c07b"}
"""Red, green and yellow of the sixteen terminal colors."""
LINES: Final = 36
"""What goes beyond is left out, and said so."""
CROSS: Final = "✘"
TICK: Final = "✔"


def main() -> None:
    """Write docs/images/*.png."""
    if not (DEMO / "spoiled").is_dir():
        sys.exit("Run `make demo` first / 请先执行 make demo")
    OUT.mkdir(parents=True, exist_ok=True)
    certificate = DEMO / "results" / "存证证书.pdf"
    pages(certificate, "certificate", 2)
    trust = Path("vault", "trust")
    package = next((DEMO / "results").glob("1-*.asice")).relative_to(DEMO)
    terminal("verdict-passed", "evidence-verify", package, "--trust", trust)
    terminal("verdict-failed", "evidence-verify", Path("spoiled", package.name), "--trust", trust)


def pages(pdf: Path, name: str, count: int) -> None:
    """The first `count` pages, at 100 dots an inch, with a thin frame."""
    document = pypdfium2.PdfDocument(pdf)
    for number in range(min(count, len(document))):
        page = document[number].render(scale=100 / 72).to_pil().convert("RGB")
        ImageDraw.Draw(page).rectangle((0, 0, page.width - 1, page.height - 1), outline="#9aa0a6")
        save(page.quantize(128, dither=Image.Dither.NONE), f"{name}-{number + 1}.png")


def terminal(name: str, *command: str | Path, folder: Path = DEMO, out: Path = OUT) -> None:
    """Run a command in a folder, the demo's, and draw what it says."""
    words = [str(word) for word in command]
    done = subprocess.run(
        [str(Path(sys.executable).parent / words[0]), *words[1:]],
        cwd=folder,
        env={**os.environ, "FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": str(COLUMNS - 2)},
        capture_output=True,
        text=True,
        check=False,
    )
    prompt = Text.assemble(("$ ", "green"), " ".join(words))
    ending = Text.assemble(("$ ", "green"), f"echo $?\n{done.returncode}")
    said = list(wrapped(list(Text.from_ansi(done.stdout).split("\n"))))
    if len(said) > LINES:
        said = [*said[:LINES], Text(f"… 以下 {len(said) - LINES} 行从略")]
    lines = [prompt, *said, *ending.split("\n")]
    width, height = CELL
    picture = Image.new("RGB", (2 * MARGIN + COLUMNS * width, 2 * MARGIN + len(lines) * height), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        draw_line(draw, line, MARGIN + row * height)
    save(picture.quantize(64, dither=Image.Dither.NONE), f"{name}.png", out)


def wrapped(texts: Sequence[Text]) -> Iterator[Text]:
    """Lines that the program did not fold, because a digest stays whole, are cut where the terminal ends."""
    console = Console(width=COLUMNS)
    for text in texts:
        yield from text.wrap(console, COLUMNS, no_wrap=False)


def draw_line(draw: ImageDraw.ImageDraw, line: Text, top: int) -> None:
    """One line, character by character on the grid."""
    width, height = CELL
    left = MARGIN
    console = Console()
    for offset, letter in enumerate(line.plain):
        style = line.get_style_at_offset(console, offset)
        cells = cell_len(letter)
        middle = (left + cells * width / 2, top + height / 2)
        if letter in {TICK, CROSS}:
            mark(draw, letter, middle, ink(style))
        elif letter.strip():
            draw.text(middle, letter, fill=ink(style), font=font(letter, bold=bool(style.bold)), anchor="mm")
        left += cells * width


def mark(draw: ImageDraw.ImageDraw, letter: str, middle: tuple[float, float], color: str) -> None:
    """✔ and ✘, which the fonts at hand lack."""
    x, y = middle
    if letter == TICK:
        draw.line([(x - 5, y), (x - 1, y + 5), (x + 6, y - 6)], fill=color, width=3, joint="curve")
    else:
        draw.line([(x - 5, y - 5), (x + 5, y + 5)], fill=color, width=3)
        draw.line([(x - 5, y + 5), (x + 5, y - 5)], fill=color, width=3)


def font(letter: str, *, bold: bool) -> ImageFont.FreeTypeFont:
    """Monospaced where a letter has one cell, Noto Sans SC where it has two."""
    if cell_len(letter) == 1:
        key = ("NotoSansMono-Regular.ttf", 17)
    else:
        key = ("NotoSansSC-Bold.ttf" if bold else "NotoSansSC-Regular.ttf", 19)
    if key not in _fonts:
        _fonts[key] = ImageFont.truetype(str(FONTS / key[0]), key[1], layout_engine=ImageFont.Layout.BASIC)
    return _fonts[key]


_fonts: dict[tuple[str, int], ImageFont.FreeTypeFont] = {}


def ink(style: Style) -> str:
    """Color of a style on our dark ground."""
    return COLORS.get(style.color.number or 0, INK) if style.color is not None else INK


def save(picture: Image.Image, name: str, folder: Path = OUT) -> None:
    """Write and tell."""
    picture.save(folder / name, optimize=True)
    sys.stdout.write(f"{(folder / name).relative_to(ROOT)}  {picture.width} × {picture.height}\n")


if __name__ == "__main__":
    main()
