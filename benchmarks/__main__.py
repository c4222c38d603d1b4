"""`python -m benchmarks`: measure, and print one table of ratios.

Nothing here fails because of a number: a busy machine is no bug. A row that cannot be measured is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.rows import ROWS
from benchmarks.timing import Row

_FORM = "{:<55} {:>9}  {:<18} {:>9}  {:>6}  {:<13} {}"


def main() -> None:
    """Measure the chosen rows; each line is printed as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, and print a table of ratios.")
    parser.add_argument("--only", action="append", choices=ROWS, metavar="ROW", help=f"one of {', '.join(ROWS)}")
    parser.add_argument("--runs", type=int, default=3, help="measurements a row; medians are shown (default: 3)")
    chosen = parser.parse_args()
    print(_FORM.format("work", "ours", "against", "theirs", "ratio", "bar", ""))
    for name in chosen.only or ROWS:
        with tempfile.TemporaryDirectory(prefix="policysync-bench-") as folder:
            row = ROWS[name](chosen.runs, Path(folder))
        print(line(row), flush=True)
    sys.exit(0)


def line(row: Row) -> str:
    """Return a row of the table."""
    shown = [f"{value:.0f} {row.unit}" if row.unit == "MB" else f"{value:.3f} s" for value in (row.ours, row.theirs)]
    mark = "kept" if row.kept else "missed"
    return _FORM.format(row.work, shown[0], row.against, shown[1], f"{row.ratio:.1f}", row.bar, mark)


if __name__ == "__main__":
    main()
