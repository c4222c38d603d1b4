"""The images of a console, each with everything that was found in it.

One record is one row of the store; its parts are the bodies of the calls about an image.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from policysync.emulator.store import Store, Stored

Record = dict[str, Any]
"""`image` (the body of a read), `findings`, `sensitive`, `malware`, `layers`, `scans`, `workloads`."""

_IMAGES = "#image"
_FACTS = "estate"
_ALL = 1 << 40


def ident_of(registry: str, repository: str, tag: str) -> str:
    """Return what stands for an image. A digest may stand in for the tag, as `@sha256:…`."""
    return f"{registry}\n{repository}\n{tag}"


class Records:
    """The images of one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def all(self) -> Iterator[Record]:
        for raw in self.store.page([_IMAGES], "name", 0, _ALL):
            yield orjson.loads(raw)

    def get(self, registry: str, repository: str, tag: str) -> Record | None:
        found = self.store.get([_IMAGES], ident_of(registry, repository, tag))
        if found is not None:
            return dict(orjson.loads(found.body))
        if tag.startswith("@"):
            named = (
                r for r in self.all() if (r["image"]["registry"], r["image"]["repository"]) == (registry, repository)
            )
            return next((record for record in named if record["image"]["digest"] == tag[1:]), None)
        return None

    def put(self, record: Record) -> None:
        """Store an image, over what is there under its name. Inside `Store.writing`."""
        image = record["image"]
        ident = ident_of(image["registry"], image["repository"], image["tag"])
        before = self.store.get([_IMAGES], ident)
        number = before.number if before else 0
        key = f"{image['registry']}/{image['name']}"
        self.store.put(Stored(number, _IMAGES, ident, key, _IMAGES, orjson.dumps(record)))

    def delete(self, record: Record) -> None:
        image = record["image"]
        found = self.store.get([_IMAGES], ident_of(image["registry"], image["repository"], image["tag"]))
        if found is not None:
            self.store.delete([found.number])

    def facts(self, name: str) -> Any:
        """Return what else was seeded: hosts, functions, code_repositories, licenses. Empty when nothing was."""
        kept = self.store.fact(_FACTS)
        return (orjson.loads(kept) if kept else {}).get(name) or []

    def remember(self, facts: dict[str, Any]) -> None:
        self.store.remember(_FACTS, orjson.dumps(facts).decode())
