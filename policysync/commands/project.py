"""Where the command line was started: inside a policy repository or not."""

from __future__ import annotations

import os
from pathlib import Path

from policysync.documents.project import find_root, load_project
from policysync.errors import PolicySyncError
from policysync.kinds.load import Kinds, load_kinds


def known_kinds(start: Path) -> Kinds:
    """Return the product's kinds and, inside a policy repository, those of its own schema folders.

    Raises:
        InvalidInput: there is a policysync.yaml, and something in it is wrong.
    """
    try:
        root = find_root(start)
    except PolicySyncError:
        return load_kinds()
    return load_kinds(load_project(root, os.environ).schemas)
