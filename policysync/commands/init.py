"""`policysync init`: a policy repository that validates and plans at once, on embedded consoles."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import click

from policysync.commands.schema import any_document, as_text
from policysync.errors import PolicySyncError
from policysync.kinds.load import load_kinds
from policysync.version import VERSION

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_SCHEMAS = ".vscode/policysync"


@click.command(name="init", short_help="Create a policy repository that works at once.")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
def command(folder: Path) -> None:
    """Create a policy repository in DIR (default: here): three stages on embedded consoles, a few policies,
    schemas for editors, a pre-commit hook, and workflows that plan pull requests, apply what is merged, watch for drift
    and promote.

    Files that are there already are kept and named.

    \b
    Example:
      policysync init my-policies
      cd my-policies
      policysync plan --stage dev
    """
    try:
        kept = [path for path, text in new_files() if not _create(folder / path, text)]
    except OSError as error:
        raise PolicySyncError(f"cannot write {error.filename}: {error.strerror}") from error
    for path in kept:
        click.echo(f"kept {path}: it was there already", err=True)
    if ".gitignore" in kept and ".policysync" not in (folder / ".gitignore").read_text(encoding="utf-8"):
        click.echo("add .policysync/ to .gitignore: embedded consoles and caches are local", err=True)
    if start_repository(folder):
        click.echo("started a git repository", err=True)
    click.echo(next_steps(folder))


def new_files() -> Iterator[tuple[str, str]]:
    """Yield path and content of every file of a new policy repository."""
    for template in sorted(_TEMPLATES.rglob("*")):
        if template.is_file():
            path = template.relative_to(_TEMPLATES).as_posix().replace("dot-", ".")
            yield path, template.read_text(encoding="utf-8").replace("@VERSION@", VERSION)
    kinds = load_kinds().values()
    yield f"{_SCHEMAS}/document.schema.json", as_text(any_document(kinds))
    yield f"{_SCHEMAS}/overlay.schema.json", as_text(any_document(kinds, overlay=True))


def start_repository(folder: Path) -> bool:
    """Make `folder` a git repository unless it is inside one. Returns whether it was made one.

    Raises:
        PolicySyncError: git is missing, or refuses.
    """
    inside = _git(folder, "rev-parse", "--is-inside-work-tree")
    if inside.returncode == 0:
        return False
    made = _git(folder, "init", "--quiet")
    if made.returncode != 0:
        raise PolicySyncError(f"git init failed in {folder}: {made.stderr.strip()}")
    return True


def next_steps(folder: Path) -> str:
    """Return what to type next."""
    steps = [
        "policysync validate                 # offline, no credentials",
        "policysync plan --stage dev         # what would change",
        "policysync apply --stage dev        # change it",
    ]
    enter = [] if folder == Path() else [f"cd {folder}"]
    return "\n".join(["A policy repository is ready. Next:", *(f"  {step}" for step in [*enter, *steps])])


def _create(file: Path, text: str) -> bool:
    """Write a new file; an existing one is never touched, not even when it appears at this moment."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        return False
    return True


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise PolicySyncError("git is not installed; policysync keeps policies and its ledger in git") from error
