"""`policysync config`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from policysync.documents.project import Project, Stage, Target, find_root, load_project
from policysync.documents.secret_reference import origin, secret_trouble
from policysync.secret import MASK

FORMAT_VERSION = 1

_REFERENCE = re.compile(r"\$\{(?P<scheme>[a-z-]+):(?P<name>[^}]+)\}")
_USERINFO = re.compile(r"(?<=//)[^/@]+(?=@)")
_OPEN = frozenset({"method", "header", "roles", "allowed_endpoints", "validity"})


@click.group(name="config", short_help="Check and show policysync.yaml.")
def command() -> None:
    """Look at the configuration.

    \b
    Example:
      policysync config check
    """


@command.command(name="check", short_help="Check policysync.yaml and show what it resolves to.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the answer.")
def check(form: str) -> None:
    """Check policysync.yaml, found upward from here, and show what it resolves to with POLICYSYNC_* applied.

    References to secrets are shown as references, and with where each leads; nothing is looked up there, and no
    program is run. Whatever else stands where a secret belongs is masked.

    \b
    Example:
      policysync config check
      policysync -C my-policies config check --format json
    """
    project = load_project(find_root(Path.cwd()), os.environ)
    shown = resolved(project)
    if form == "json":
        click.echo(json.dumps({"format_version": FORMAT_VERSION, **shown}, indent=2, default=str))
        return
    click.echo("\n".join(lines(shown)))
    for variable in unset(project, os.environ):
        click.echo(f"not set in this environment: {variable}", err=True)


def resolved(project: Project) -> dict[str, Any]:
    """Return the configuration as plain data, without a secret in it."""
    return {
        "root": str(project.root),
        "stages": [_stage(stage) for stage in project.stages],
        "guards": dict(project.guards),
        "limits": {
            "parallelism": project.limits.parallelism,
            "requests_per_second": project.limits.requests_per_second,
            "timeout": project.limits.timeout,
        },
        "ledger": {"remote": project.ledger.remote},
        "schemas": [os.path.relpath(folder, project.root) for folder in project.schemas],
        "references": {"external": list(project.external)},
    }


def lines(shown: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Yield plain data as lines a person can read; what is empty is left out."""
    for name, value in shown.items():
        if isinstance(value, Mapping):
            inner = list(lines(value, f"{indent}  "))
            yield from [f"{indent}{name}:", *inner] if inner else []
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            yield f"{indent}{name}:"
            for item in value:
                first, *rest = lines(item, f"{indent}    ")
                yield from [f"{indent}  - {first.strip()}", *rest]
        elif value not in (None, "", []):
            yield f"{indent}{name}: {_text(value)}"


def unset(project: Project, environ: Mapping[str, str]) -> list[str]:
    """Return the environment variables the targets refer to and that are not there."""
    texts = json.dumps([target.auth for stage in project.stages for target in stage.targets], default=str)
    wanted = {match["name"] for match in _REFERENCE.finditer(texts) if match["scheme"] == "env"}
    return sorted(wanted - environ.keys())


def masked(auth: Mapping[str, Any]) -> dict[str, Any]:
    """Return a target's sign-in: references as they stand, any other value that may be a secret masked."""
    return {
        name: masked(value) if isinstance(value, Mapping) else value if _shows(name, value) else MASK
        for name, value in auth.items()
    }


def origins(auth: Mapping[str, Any]) -> dict[str, str]:
    """Return where each secret of a sign-in comes from, or what is wrong with the reference to it."""
    references = {name: value for name, value in auth.items() if isinstance(value, str) and value.startswith("${")}
    return {name: secret_trouble(text, commands=True) or origin(text) for name, text in references.items()}


def _shows(name: str, value: Any) -> bool:
    return name in _OPEN or (isinstance(value, str) and _REFERENCE.fullmatch(value) is not None)


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "name": stage.name,
        "follows": "the checked-out branch" if stage.first else f"releases/{stage.name}.yaml",
        "targets": [_target(target) for target in stage.targets],
        "vars": dict(stage.vars),
        "gates": dict(stage.gates),
    }


def _target(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "backend": target.backend,
        "url": _USERINFO.sub(MASK, target.url),
        "auth": masked(target.auth),
        "secrets": origins(target.auth),
        "options": dict(target.options),
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
