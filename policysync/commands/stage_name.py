"""The name of a stage on the command line: completed, and listed where it is missing."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from policysync.documents.project import find_root, load_project
from policysync.errors import PolicySyncError


class StageName(click.types.StringParamType):
    """A text; which stages there are is looked up only when nobody named one."""

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None = None) -> str | None:
        """Return the names there are, where a policy repository is around."""
        del param, ctx
        names = _names()
        return f"policysync.yaml has {', '.join(names)}" if names else None

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the names that begin so."""
        del ctx, param
        return [CompletionItem(name) for name in _names() if name.startswith(incomplete)]


def _names() -> list[str]:
    try:
        return [stage.name for stage in load_project(find_root(Path.cwd()), os.environ).stages]
    except PolicySyncError:
        return []
