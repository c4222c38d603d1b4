"""`policysync validate` with paths and nothing else, as pre-commit calls it, without the command line.

Importing the command line takes longer than judging a file.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from policysync.commands.validating import root_around, validation
from policysync.errors import Exit, PolicySyncError
from policysync.reports.validated import Validated, text


def main(paths: Sequence[str]) -> None:
    """Validate some files, or all of them, and exit with the status. The command line tells of failures."""
    try:
        status = validate(paths)
    except (PolicySyncError, KeyboardInterrupt, BrokenPipeError) as error:
        importlib.import_module("policysync.cli").fail(error)
    else:
        sys.exit(status)


def validate(paths: Sequence[str]) -> Exit:
    """Write the problems of some files to stdout and the summary to stderr.

    Raises:
        PolicySyncError: as the command does.
    """
    files = [Path(path) for path in paths]
    view = Validated(validation(root_around(files), files))
    if view.result.problems:
        sys.stdout.write(f"{text(view)}\n")
        sys.stdout.flush()
    sys.stderr.write(f"{view.summary}\n")
    return Exit.ERROR if view.result.errors else Exit.DONE
