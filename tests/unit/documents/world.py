"""A policy repository with a few small kinds, written into a temporary folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

from policysync.documents.project import Project, load_project
from policysync.documents.validate import validate
from policysync.documents.worktree import WorkTree
from policysync.errors import Problem
from policysync.kinds.load import Kinds

PROJECT = """\
version: 1
stages:
  - name: dev
    targets: [{name: dev-console, backend: aqua, url: "embedded:dev"}]
    vars: {score: 7, cluster: dev-1, strict: false}
  - name: prod
    targets:
      - {name: prod-eu, backend: aqua, url: "https://eu.example.com"}
      - {name: prod-us, backend: aqua, url: "https://us.example.com"}
    vars: {score: 9, cluster: prod-1, strict: true}
"""

SCOPE = {
    "type": "object",
    "properties": {
        "expression": {"type": "string"},
        "variables": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {n: {"type": "string"} for n in ("attribute", "value", "name")},
                "required": ["attribute", "value"],
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}

POLICY: Mapping[str, Any] = {
    "x-kind": {"name": "Policy", "backend": "aqua", "key": "name", "builtins": [{"name": "Default"}]},
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "enabled"],
    "properties": {
        "name": {"type": "string", "pattern": "^[^/]+$"},
        "enabled": {"type": "boolean"},
        "block_failed": {"type": "boolean", "default": False},
        "score": {"type": "integer", "minimum": 0, "maximum": 10},
        "ratio": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.5},
        "title": {"type": "string", "maxLength": 10, "minLength": 2},
        "severity": {"enum": ["low", "high", "critical"]},
        "type": {"const": "image"},
        "since": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3, "x-set": True},
        "rules": {
            "type": "array",
            "x-key": "id",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id"],
                "properties": {"id": {"type": "string"}, "on": {"type": "boolean"}, "path": {"type": "string"}},
            },
        },
        "nested": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        },
        "scopes": {"type": "array", "items": {"type": "string", "x-ref": "Scope"}},
        "scope": SCOPE,
        "level": {"type": "string", "x-known": ["alert", "block"]},
        "author": {"type": "string", "x-read-only": True},
        "script_id": {"type": "string", "x-env-specific": True},
        "old": {"type": "boolean", "x-removed": "ignored since 2022.4"},
        "other": {"type": "boolean", "x-applies-to": ["Elsewhere"]},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "odd": {"not": {"type": "boolean"}},
        "unique": {"type": "array", "uniqueItems": True},
    },
}
SCOPE_KIND: Mapping[str, Any] = {
    "x-kind": {"name": "Scope", "backend": "aqua", "key": "name", "builtins": [{"name": "Global"}]},
    "type": "object",
    "additionalProperties": False,
    "properties": {"name": {"type": "string"}, "description": {"type": "string"}},
}
REGISTRY: Mapping[str, Any] = {
    "x-kind": {"name": "Registry", "backend": "aqua", "key": "name", "scope": "shared"},
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "user": {"type": "string"},
        "password": {"type": "string", "maxLength": 20, "x-sensitive": True, "x-write-only": True},
        "tokens": {"type": "array", "items": {"type": "string", "x-sensitive": True}},
    },
}
MIRROR: Mapping[str, Any] = {
    "x-kind": {"name": "Mirror", "backend": "aqua", "key": "name", "scope": "shared"},
    "type": "object",
    "additionalProperties": False,
    "properties": {"name": {"type": "string"}, "of": {"type": "string", "x-ref": ["Registry", "Mirror"]}},
}
ACK: Mapping[str, Any] = {
    "x-kind": {"name": "Ack", "backend": "aqua", "key": ["issue", "image"]},
    "type": "object",
    "additionalProperties": False,
    "required": ["issue"],
    "properties": {n: {"type": "string"} for n in ("issue", "image", "comment")},
}
KINDS = {"policy": POLICY, "scope": SCOPE_KIND, "registry": REGISTRY, "mirror": MIRROR, "ack": ACK}


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder; indentation that all lines share is taken out."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
    return root


def repository(root: Path, files: Mapping[str, str | bytes], project: str = PROJECT) -> Project:
    """Write a policy repository and return its project."""
    write(root, {"policysync.yaml": project, **files})
    return load_project(root, {})


def kinds(root: Path) -> Kinds:
    """Return the small kinds, from schema files below a folder."""
    for stem, schema in KINDS.items():
        write(root, {f"schemas/{stem}.json": json.dumps(schema)})
    return Kinds([root / "schemas"])


def policy(spec: str, name: str = "web", metadata: str = "") -> str:
    """Return a document of kind Policy; its spec starts in line 5."""
    lines = "".join(f"  {line}\n" for line in dedent(spec).strip().splitlines())
    meta = f"{{name: {name}{', ' if metadata else ''}{metadata}}}"
    return f"apiVersion: policysync/v1\nkind: Policy\nmetadata: {meta}\nspec:\n{lines}"


def problems(root: Path, files: Mapping[str, str | bytes], project: str = PROJECT) -> list[Problem]:
    """Return everything that is wrong in a repository of these files."""
    loaded = repository(root, files, project)
    return list(validate(WorkTree(root), loaded, loaded.stages, kinds(root)).problems)


def told(root: Path, files: Mapping[str, str | bytes], project: str = PROJECT) -> list[str]:
    """Return everything that is wrong, as it is shown."""
    return [str(problem) for problem in problems(root, files, project)]


def git(root: Path, *arguments: str) -> str:
    """Run git as somebody."""
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(root), *who, *arguments], capture_output=True, check=True, text=True)
    return done.stdout.strip()
