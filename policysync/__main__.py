"""Where the program starts: `policysync`, and `python -m policysync`."""

from __future__ import annotations

import importlib
import sys

from policysync.version import VERSION


def main() -> None:
    """Run the command line and exit with its status."""
    if sys.argv[1:] == ["--version"]:
        # Editors and hooks ask for it at every start; building the command line takes longer than the answer.
        sys.stdout.write(f"policysync {VERSION}\n")
        return
    importlib.import_module("policysync.cli").main()


if __name__ == "__main__":
    main()
