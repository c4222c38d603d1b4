"""GitHub's own OpenAPI description, cut down to the requests policysync makes: a proxy starts with it in seconds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_REPO = "/repos/{owner}/{repo}"
USED = {
    "/user": ["get"],
    _REPO: ["get"],
    f"{_REPO}/issues": ["get", "post"],
    f"{_REPO}/issues/{{issue_number}}": ["get", "patch"],
    f"{_REPO}/issues/{{issue_number}}/comments": ["get", "post"],
    f"{_REPO}/issues/comments/{{comment_id}}": ["patch", "delete"],
    f"{_REPO}/pulls": ["get", "post"],
    f"{_REPO}/pulls/{{pull_number}}": ["patch"],
    f"{_REPO}/pulls/{{pull_number}}/reviews": ["get"],
    f"{_REPO}/commits/{{ref}}": ["get"],
    f"{_REPO}/commits/{{commit_sha}}/pulls": ["get"],
    f"{_REPO}/contents/{{path}}": ["get"],
    "/orgs/{org}/teams/{team_slug}/memberships/{username}": ["get"],
}
_EXAMPLES = {
    "user": "private-user-response-with-public-and-private-profile-information",
    "repository": "full-repository-default-response",
    "issue": "issue",
    "comment": "issue-comment",
    "pull": "pull-request",
    "commit": "commit",
    "content": "content-file-response-if-content-is-a-file",
    "membership": "team-membership-response-if-user-is-a-team-maintainer",
}


def read(file: Path) -> dict[str, Any]:
    """Return the description with nothing but what is used."""
    whole = json.loads(file.read_text(encoding="utf-8"))
    paths = {
        path: {name: each for name, each in whole["paths"][path].items() if name in [*methods, "parameters"]}
        for path, methods in USED.items()
    }
    for item in paths.values():
        for method in item.values():
            if isinstance(method, dict):
                _without_examples(method)
    kept: dict[str, Any] = {"components": {}}
    todo = list(_references(paths))
    while todo:
        _, section, name = todo.pop().removeprefix("#/").split("/")
        held = kept["components"].setdefault(section, {})
        if name not in held:
            held[name] = whole["components"][section][name]
            todo += _references(held[name])
    return {**{name: whole[name] for name in ("openapi", "info", "servers")}, "paths": paths, **kept}


def examples(file: Path) -> dict[str, Any]:
    """Return GitHub's own example of each object the stand-in gives out."""
    held = json.loads(file.read_text(encoding="utf-8"))["components"]["examples"]
    found = {name: held[example]["value"] for name, example in _EXAMPLES.items()}
    found["review"] = held["pull-request-review-items"]["value"][0]
    # These examples lack what the description requires.
    found["pull"]["requested_teams"] = []
    for repository in (found["repository"], found["repository"]["source"], found["repository"]["parent"]):
        repository.setdefault("language", None)
    found["label"] = found["issue"]["labels"][0]
    return found


def _without_examples(method: dict[str, Any]) -> None:
    for answer in method.get("responses", {}).values():
        for content in answer.get("content", {}).values():
            content.pop("examples", None)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
