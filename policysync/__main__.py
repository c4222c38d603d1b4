"""Where the program starts: `policysync`, and `python -m policysync`."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence

from policysync.version import VERSION

# Options may come from the environment as well, and the library that knows them writes where others cannot.
_OPTIONS = ("POLICYSYNC_", "_POLICYSYNC_", "PYTHONIOENCODING")


def main() -> None:
    """Run the command line and exit with its status."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        # Editors and hooks ask for it at every start; building the command line takes longer than the answer.
        sys.stdout.write(f"policysync {VERSION}\n")
    elif is_plain(arguments, os.environ):
        importlib.import_module("policysync.commands.plain").main(arguments[1:])
    else:
        importlib.import_module("policysync.cli").main()


def is_plain(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Return whether somebody wants files validated and says nothing else; see decision 29."""
    return (
        arguments[:1] == ["validate"]
        and not any(argument.startswith("-") for argument in arguments)
        and not any(name.startswith(_OPTIONS) for name in environ)
    )


if __name__ == "__main__":
    main()
