"""One row a figure, with its method; ratios are medians of paired runs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measured figure beside the one that was asked for."""

    name: str
    value: float
    unit: str
    limit: float
    method: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the wish is met."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def row(self) -> str:
        """A line of the table."""
        sign = "≥" if self.at_least else "≤"
        mark = "met    " if self.met else "NOT MET"
        return (
            f"{mark} {self.name:<58} {self.value:>10.3f} {self.unit:<8} {sign} {self.limit:g}   {self.method}"
        )


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median(work: Callable[[], object], runs: int) -> float:
    """Median wall time of `runs` calls."""
    return statistics.median(seconds(work) for _ in range(runs))


def paired(ours: Callable[[], object], peer: Callable[[], object], runs: int) -> tuple[float, float, float]:
    """Median ratio ours/peer of runs in turn, and the two median times."""
    pairs = [(seconds(ours), seconds(peer)) for _ in range(runs)]
    return (
        statistics.median(a / b for a, b in pairs),
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
    )


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
