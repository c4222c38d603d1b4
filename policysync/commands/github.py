"""`policysync github`: what a workflow needs of GitHub, one line each."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from policysync.clock import SystemClock
from policysync.documents.envelope import RELEASES
from policysync.documents.project import FILES, Project, find_root, load_project
from policysync.errors import Exit, PolicySyncError
from policysync.forges.fit import COMMENT, SUMMARY, fitted
from policysync.forges.listed import open_forge
from policysync.forges.port import Forge

_WHOLE = "The whole text is among the artifacts of the run."
_MARKER = re.compile(r"[\w.-]+(?: [\w.-]+)*")

file_option = click.option(
    "--file",
    "files",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Markdown to show; several are shown one after another.",
)


@click.group(name="github", short_help="Comment, open issues and choose stages from a GitHub workflow.")
def command() -> None:
    """What a workflow needs of GitHub, one line each.

    GITHUB_TOKEN and GITHUB_REPOSITORY say as whom and where, GITHUB_API_URL where GitHub is a server of your own.

    \b
    Example:
      policysync plan --stage dev --format markdown > plan.md
      policysync github comment --marker plan --file plan.md
    """


@command.command(short_help="Keep one comment on a pull request up to date.")
@click.option("--pull-request", "number", type=click.IntRange(1), help="Its number; without it, the workflow's own.")
@click.option("--marker", required=True, help="Which of our comments it is, for example `plan`; people do not see it.")
@file_option
def comment(number: int | None, marker: str, files: Sequence[Path]) -> None:
    """Make the one comment of MARKER say what is in the files: it is created once, and updated afterwards.

    What is longer than a comment may be is cut at the end of a line and says so. Needs `pull-requests: write`.

    \b
    Example:
      policysync github comment --pull-request 12 --marker plan --file plan.md
    """
    text = fitted([_read(file) for file in files], COMMENT - 200, _WHOLE)
    click.echo(_forge().comment(number or _pull_request(os.environ), _sound(marker), text))


@command.command(name="drift-issue", short_help="Open, update or close the issue about drift.")
@click.option("--status", type=int, required=True, help="How `policysync drift` ended: 0 closes, 2 opens or updates.")
@click.option("--marker", default="drift", show_default=True, help="Which of our issues it is; people do not see it.")
@click.option("--title", default="Drift: consoles were changed by hand", show_default=True, help="Title of the issue.")
@click.option("--label", "labels", multiple=True, help="A label for a new issue; may be repeated.")
@file_option
def drift_issue(*, status: int, marker: str, title: str, labels: Sequence[str], files: Sequence[Path]) -> int:
    """Open an issue when there is drift, keep it up to date, and close it when the drift is gone.

    A status other than 0 and 2 says that nothing is known: the issue stays as it is, and this ends with 1.
    Needs `issues: write`.

    \b
    Example:
      status=0; policysync drift --all --format markdown > drift.md || status=$?
      policysync github drift-issue --status "$status" --file drift.md
    """
    if status not in {Exit.DONE, Exit.CHANGES}:
        raise PolicySyncError(f"drift ended with status {status}: whether there is any is not known; nothing was done")
    there = status == Exit.CHANGES
    text = fitted([_read(file) for file in files], COMMENT - 200, _WHOLE) if there else None
    address = _forge().issue(_sound(marker), title, text, labels)
    click.echo(address or "no drift, and no issue about it")
    return Exit.DONE


@command.command(short_help="Show files in the summary of the step.")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def summary(files: Sequence[Path]) -> None:
    """Add files to the summary of the step (GITHUB_STEP_SUMMARY); outside GitHub, print them.

    What ends in .md is Markdown; anything else is shown as it is.

    \b
    Example:
      policysync github summary plan.md
      policysync github summary plan.txt
    """
    # Bytes are what GitHub counts, and a character has at most four.
    text = fitted([_read(file) if file.suffix == ".md" else as_it_is(_read(file)) for file in files], SUMMARY, _WHOLE)
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if not place:
        click.echo(text)
        return
    with Path(place).open("a", encoding="utf-8") as out:
        out.write(f"{text}\n\n")


@command.command(short_help="List stages as JSON, for a matrix.")
@click.option("--since", metavar="REVISION", help="Only those that something changed for since this revision.")
@click.option("--later", is_flag=True, help="Only those that are promoted to: all but the first.")
@click.option("--only", multiple=True, metavar="STAGE", help="Only this one; may be repeated.")
def stages(since: str | None, later: bool, only: Sequence[str]) -> None:
    """List the stages as JSON, on stdout and as the output `stages` of the step.

    The output `released` lists those of them that follow something: the first one, and each that releases/STAGE.yaml
    was written for. A push changes the first stage by its policies, a later one by releases/STAGE.yaml, and all of
    them by policysync.yaml. A revision git does not know, as after a forced push, changes all of them.

    \b
    Example:
      policysync github stages
      policysync github stages --since HEAD~1
    """
    project = load_project(find_root(Path.cwd()), os.environ)
    asked = {project.stage(name).name for name in only}
    names = [
        stage.name for stage in project.stages if not (later and stage.first) and (not asked or stage.name in asked)
    ]
    if since:
        changed = _changed(project.root, since)
        names = [name for name in names if changed is None or _touched(project, name, changed)]
    for forgetful in _forgetful(project):
        click.echo(forgetful, err=True)
    released = [name for name in names if project.stage(name).first or _released(project.root, name)]
    click.echo(json.dumps(names))
    _output({"stages": json.dumps(names), "released": json.dumps(released)})


@command.command(short_help="Give the counts of a saved plan as outputs of the step.")
@click.argument("plan", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def outputs(plan: Path) -> None:
    """Give `add`, `change`, `destroy` and `summary` of a plan saved by `plan --out` as outputs of the step.

    \b
    Example:
      policysync plan --stage dev --out plan.json
      policysync github outputs plan.json
    """
    try:
        sums = [each["summary"] for each in json.loads(_read(plan))["plans"]]
        counts = {name: sum(int(one[name]) for one in sums) for name in ("add", "change", "destroy")}
    except (ValueError, KeyError, TypeError) as error:
        raise PolicySyncError(f"{plan} is not a saved plan; make one with `policysync plan --out plan.json`") from error
    line = f"{counts['add']} to add, {counts['change']} to change, {counts['destroy']} to destroy"
    click.echo(line)
    _output({**{name: str(number) for name, number in counts.items()}, "summary": line})


def as_it_is(text: str) -> str:
    """Return a text as a block of code that nothing in it can end."""
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text.strip(chr(10))}\n{fence}"


def _forge() -> Forge:
    return open_forge(os.environ, SystemClock(), "github")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise PolicySyncError(f"{file} cannot be read as text: {error}") from error


def _sound(marker: str) -> str:
    if not _MARKER.fullmatch(marker) or "--" in marker:
        raise PolicySyncError(f"--marker {marker}: want letters, digits, dots and single dashes")
    return marker


def _pull_request(environ: Mapping[str, str]) -> int:
    """Return the number of the pull request the workflow runs for, as the event says it."""
    try:
        event: Any = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        return int(event["pull_request"]["number"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PolicySyncError("this workflow does not run for a pull request; say which with --pull-request") from error


def _output(values: Mapping[str, str]) -> None:
    """Write outputs of the step. None of the values has a line end in it."""
    place = os.environ.get("GITHUB_OUTPUT")
    if place:
        with Path(place).open("a", encoding="utf-8") as out:
            out.writelines(f"{name}={value}\n" for name, value in values.items())


def _changed(root: Path, since: str) -> list[str] | None:
    """Return the files that changed, relative to the policy root; None when git cannot tell."""
    line = ["git", "-C", str(root), "diff", "--name-only", "--relative", "-z", "--end-of-options", since, "HEAD", "--"]
    try:
        done = subprocess.run(line, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise PolicySyncError("git is not installed; policysync keeps policies and its ledger in git") from error
    return done.stdout.split("\0")[:-1] if done.returncode == 0 else None


def _touched(project: Project, name: str, changed: Iterable[str]) -> bool:
    schemas = tuple(f"{os.path.relpath(folder, project.root)}/" for folder in project.schemas)
    first, own = project.stage(name).first, {*FILES, _pin(name)}
    return any(file in own or (first and file.startswith(("policies/", *schemas))) for file in changed)


def _released(root: Path, name: str) -> bool:
    return (root / _pin(name)).is_file()


def _pin(name: str) -> str:
    return f"{RELEASES}/{name}.yaml"


def _forgetful(project: Project) -> list[str]:
    """Return a warning when runs on different machines would not know what the others applied."""
    real = any(urlsplit(target.url).scheme != "embedded" for stage in project.stages for target in stage.targets)
    if not real or project.ledger.remote or not os.environ.get("GITHUB_ACTIONS"):
        return []
    return ["::warning file=policysync.yaml::no ledger.remote: every run forgets what the last one applied; set origin"]
