"""检查明细: what each check ran, found and printed, before and after the capture side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Final

from evidence_desk.core.capture.environment import STOPPED, Check, Item, Raw, When
from evidence_desk.core.documents import CheckedEnvironment
from evidence_desk.texts import Language, sentence
from reports.blocks import Block, Commands, Fact, Facts, Heading
from reports.speak import Speaker, count, digest

MOST_LINES: Final = 30
"""Lines of one output that are printed; the report file keeps 64 KiB."""
MOST_COLUMNS: Final = 1_200
MOST_VALUES: Final = 24
Checked = Mapping[When, CheckedEnvironment]


def details(checked: Checked, say: Speaker) -> Iterator[Block]:
    """Every check in the order of the report."""
    yield Heading(text=say("cleanliness.detail"), note=say("cleanliness.detail.note"))
    for number, check in enumerate(Check, 1):
        items = {
            when: item for when, made in checked.items() if (item := made.report.item(check)) is not None
        }
        if items:
            title = say(f"environment.item.{check.value}")
            yield Heading(text=say("cleanliness.detail.item", number=number, item=title), level=2)
            yield Facts(rows=(*_outcomes(items, say), *_found(items, say)))
            yield from _outputs(items, say)


def _outcomes(items: Mapping[When, Item], say: Speaker) -> Iterator[Fact]:
    for when, item in items.items():
        outcome = say(f"environment.outcome.{item.outcome.value}")
        value = say(
            "cleanliness.detail.value",
            outcome=outcome,
            why=reasons(item, say),
            elapsed=count(item.duration_ms),
        )
        yield Fact(label=say(f"environment.when.{when.value}"), value=value)


def reasons(item: Item, say: Speaker) -> str:
    """All reasons of an item as running text; a report of another program may hold any parameters."""
    glue = "" if say.language is Language.ZH else " "
    return glue.join(sentence(reason.code, reason.parameters, say.language) for reason in item.reasons)


def _found(items: Mapping[When, Item], say: Speaker) -> Iterator[Fact]:
    """Facts; those that are the same in both checks stand once."""
    before = items.get(When.BEFORE)
    for when, item in items.items():
        for name, values in item.facts.items():
            same = before is not None and before.facts.get(name) == values
            if not values or (when is When.AFTER and same):
                continue
            fact = say.known("environment.fact", name)
            alone = len(items) == 1 or _alike(items, name)
            label = (
                fact
                if alone
                else say(
                    "cleanliness.detail.found.when", fact=fact, when=say(f"environment.when.{when.value}")
                )
            )
            shown = values[:MOST_VALUES]
            if len(values) > len(shown):
                shown = (*shown, say("cleanliness.detail.more", count=count(len(values) - len(shown))))
            yield Fact(label=label, value=shown, mono=True)


def _alike(items: Mapping[When, Item], name: str) -> bool:
    return len({item.facts.get(name) for item in items.values()}) == 1


def _outputs(items: Mapping[When, Item], say: Speaker) -> Iterator[Block]:
    """What was run; an output that is the same after as before stands once."""
    sides = [items[when].raws if when in items else () for when in When]
    for pair in zip_longest(*sides):
        told = {when: raw for when, raw in zip(When, pair, strict=True) if raw is not None}
        if len({(raw.ran, raw.exit_code, raw.digests) for raw in told.values()}) < len(told):
            yield from _output(told[When.BEFORE], say("cleanliness.raw.both"), say)
            continue
        for when, raw in told.items():
            moment = say(f"environment.when.{when.value}")
            yield from _output(raw, say("cleanliness.raw", when=moment), say)


def _output(raw: Raw, label: str, say: Speaker) -> Iterator[Block]:
    said = [say("cleanliness.raw.size", size=count(raw.size))]
    if raw.exit_code == STOPPED:
        said.append(say("cleanliness.raw.stopped"))
    elif raw.exit_code is not None:
        said.append(say("cleanliness.raw.exit", status=raw.exit_code))
    if raw.attachment is not None:
        said.append(say("cleanliness.raw.private", name=raw.attachment))
    elif raw.cut:
        said.append(say("cleanliness.raw.cut", kept=count(len(raw.kept))))
    if raw.masked:
        said.append(say("cleanliness.raw.masked"))
    yield Facts(rows=(Fact(label=label, value=(raw.ran, say("certificate.join").join(said))),))
    if raw.size:
        lines = (f"SHA-256 {digest(raw.digests.sha256)}", f"SM3 {digest(raw.digests.sm3)}")
        yield Commands(lines=(*lines, *_excerpt(raw, say)))


def _excerpt(raw: Raw, say: Speaker) -> Iterator[str]:
    """The output's first lines, ready for print; tabs become spaces, what no font has a visible code."""
    try:
        text = raw.kept.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.kept.hex(" ")
    lines = text.replace("\r\n", "\n").expandtabs(8).rstrip("\n").split("\n") if text else []
    for line in lines[:MOST_LINES]:
        yield line if len(line) <= MOST_COLUMNS else f"{line[:MOST_COLUMNS]}…"
    if len(lines) > MOST_LINES:
        yield say("cleanliness.raw.more", count=count(len(lines) - MOST_LINES))
