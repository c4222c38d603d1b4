"""Measuring two things in the same run, so that a busy machine slows both."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PYTHON = sys.executable
POLICYSYNC = str(Path(sys.executable).with_name("policysync"))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    `bar` is what the ratio has to keep: "at most 4" or "at least 10". `unit` is of `ours` and `theirs`.
    """

    work: str
    against: str
    ours: float
    theirs: float
    bar: str
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """How many times the other ours is; how many times less, where the bar is a least."""
        return self.theirs / self.ours if self.bar.startswith("at least") else self.ours / self.theirs

    @property
    def kept(self) -> bool:
        limit = float(self.bar.split()[-1])
        return self.ratio >= limit if self.bar.startswith("at least") else self.ratio <= limit


def compare(ours: Callable[[], float], theirs: Callable[[], float], runs: int) -> tuple[float, float]:
    """Return the medians of two measurements, taken in turns."""
    pairs = [(ours(), theirs()) for _ in range(runs)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def seconds(line: Sequence[str], cwd: Path | None = None, status: int = 0) -> float:
    """Return how long a process takes.

    Raises:
        RuntimeError: it ended with another status than `status`; carries what it said.
    """
    started = time.perf_counter()
    ended = subprocess.run(line, cwd=cwd, env=environ(), capture_output=True, text=True, check=False)
    took = time.perf_counter() - started
    if ended.returncode != status:
        raise RuntimeError(f"{line[0]} ended with {ended.returncode}:\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}")
    return took


def peak_megabytes(line: Sequence[str], cwd: Path) -> float:
    """Return the most memory a process held at once."""
    with subprocess.Popen(line, cwd=cwd, env=environ(), stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{line[0]} ended with {process.returncode}")
    return usage.ru_maxrss / 1024


def environ() -> dict[str, str]:
    """Return the environment of what is measured: an installed program has its bytecode, so ours may write it."""
    without = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**without, "BENCH_PASSWORD": "emulator", "NO_COLOR": "1"}
