"""`policysync validate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from policysync.commands.forms import Output, folder_in_repository, forms_option, write
from policysync.commands.validating import root_around, validation
from policysync.documents.verdict import ENGINES
from policysync.errors import Exit
from policysync.reports.validated import Validated


@click.command(short_help="Check policy files offline, without credentials.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--stage", "-s", help="Only this stage, as policysync.yaml names it; all of them by default.")
@click.option("--validator", type=click.Choice(ENGINES), default="rust", help="Who gives the schema verdict.")
@forms_option("validate")
def command(paths: Sequence[Path], stage: str | None, validator: str, outputs: Sequence[Output]) -> int:
    """Check policy files offline, without credentials.

    With PATHS, only the resources of these files, and what refers to them, are judged.

    \b
    Example:
      policysync validate
      policysync validate policies/base/label/pci.yaml --stage prod --format json
      policysync validate --format text --format sarif=policysync.sarif
    """
    root = root_around(paths)
    result = validation(root, paths, stage, validator)
    view = Validated(result, folder_in_repository(root))
    write("validate", outputs, view)
    click.echo(view.summary, err=True)
    return Exit.ERROR if result.errors else Exit.DONE
