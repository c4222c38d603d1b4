"""The same pipeline as a plan, written with the first call of each library that comes to mind.

Reads the documents of a git revision, judges them, reads the console, and counts what differs.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import git
import httpx
import jsonschema
import yaml
from deepdiff import DeepDiff

_LIST = "/api/v2/assurance_policy/image"
_CONNECTIONS = 32


def documents(root: Path) -> dict[str, Mapping[str, Any]]:
    """Return the documents of HEAD by name."""
    with git.Repo(root) as repository:
        tree = repository.head.commit.tree / "policies"
        blobs = [found for found in tree.traverse() if isinstance(found, git.Blob)]
        read = [yaml.safe_load(blob.data_stream.read()) for blob in blobs]
    return {document["metadata"]["name"]: document for document in read}


async def live(base: str, names: list[str]) -> dict[str, Mapping[str, Any]]:
    """Return the bodies of these policies."""
    limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
    turns = asyncio.Semaphore(_CONNECTIONS)
    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=60) as client:
        answer = await client.post("/api/v1/login", json={"id": "administrator", "password": "emulator"})
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"

        async def fetch(name: str) -> tuple[str, Mapping[str, Any]]:
            async with turns:
                return name, (await client.get(f"{_LIST}/{name}")).raise_for_status().json()

        return dict(await asyncio.gather(*map(fetch, names)))


def main(root: str, base: str, schema: str) -> None:
    """Print how many policies differ."""
    desired = documents(Path(root))
    judge = jsonschema.Draft202012Validator(json.loads(Path(schema).read_text(encoding="utf-8")))
    for document in desired.values():
        judge.validate(document)
    bodies = asyncio.run(live(base, list(desired)))
    changed = 0
    for name, document in desired.items():
        stated = {field: bodies[name].get(field) for field in document["spec"]}
        changed += bool(DeepDiff(stated, document["spec"], ignore_order=True, ignore_numeric_type_changes=True))
    print(changed)


if __name__ == "__main__":
    main(*sys.argv[1:])
