"""A recorded machine: files in a folder, outputs of commands as they were recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from evidence_desk.capture.environment.machine import Machine, Ran
from evidence_desk.capture.environment.surroundings import ClockSources, Surroundings
from evidence_desk.core.capture.environment import Item, Target, When

Output = tuple[int | None, str]


def a_machine(
    root: Path,
    *,
    files: Mapping[str, str | bytes] | None = None,
    outputs: Mapping[str, Output] | None = None,
    environ: Mapping[str, str] | None = None,
    system: str = "linux",
    errors: str = "",
) -> Machine:
    for path, content in (files or {}).items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())

    def run(command: Sequence[str], timeout: float) -> Ran | None:
        assert timeout > 0
        shown = " ".join(command)
        for beginning, (status, output) in (outputs or {}).items():
            if shown.startswith(beginning):
                return Ran(command=shown, output=output.encode(), errors=errors.encode(), exit_code=status)
        return None

    return Machine(system=system, root=root, environ=environ or {}, home=root / "home/user", run=run)


def around(machine: Machine, *targets: Target, **facts: object) -> Surroundings:
    given: dict[str, object] = {"when": When.BEFORE, "clocks": ClockSources(ntp=()), **facts}
    return Surroundings(machine=machine, targets=targets, **given)  # type: ignore[arg-type]


def codes(item: Item) -> list[str]:
    return [reason.code.removeprefix("environment.") for reason in item.reasons]
