"""A small world for tests of apply: two kinds, a console in memory, and faults."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from policysync.apply.retry import Retry
from policysync.backends.memory import Memory
from policysync.backends.port import Facts
from policysync.clock import FakeClock
from policysync.kinds.kind import Kind
from policysync.kinds.load import Kinds
from policysync.plan.build import World, build
from policysync.plan.change import Change, Plan
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource

SCOPE = {
    "x-kind": {"name": "Scope", "backend": "memory", "key": "name"},
    "type": "object",
    "properties": {"name": {"type": "string"}, "note": {"type": "string", "default": ""}},
}
POLICY = {
    "x-kind": {"name": "Policy", "backend": "memory", "key": "name"},
    "x-api": {"id": "policy_id"},
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "policy_id": {"x-read-only": True},
        "level": {"type": "integer", "default": 0},
        "tags": {"type": "array", "items": {"type": "string"}, "x-set": True, "default": []},
        "scopes": {"type": "array", "items": {"type": "string", "x-ref": "Scope"}, "x-set": True, "default": []},
        "newer": {"type": "string", "x-optional": True},
        "rules": {
            "type": "array",
            "x-key": "path",
            "default": [],
            "items": {"type": "object", "properties": {"path": {"type": "string"}, "deny": {"type": "boolean"}}},
        },
        "password": {"type": "string", "x-write-only": True, "x-sensitive": True},
    },
}


def make_kinds(folder: Path) -> Kinds:
    """Return the two kinds, from schema files as the product reads them."""
    for schema in (SCOPE, POLICY):
        name = str(schema["x-kind"]["name"]).lower()  # type: ignore[index]  # a literal above
        (folder / f"{name}.json").write_text(json.dumps(schema))
    return Kinds([folder])


def resource(kinds: Kinds, kind: str, name: str, protect: bool = False, **spec: Any) -> Resource:
    """Return a desired resource in normal form."""
    return Resource(Address(kind, name), desired_spec(kinds[kind], {"name": name, **spec}), protect=protect)


def plan_of(kinds: Kinds, backend: Memory | Faulty, desired: Iterable[Resource], last: Any = None, **how: Any) -> Plan:
    """Return the plan of a target called `console`, in the stage `dev`; `how` is passed to `build`."""
    live = tuple(r for kind in ("Scope", "Policy") for r in backend.read(kinds[kind]))
    world = World(tuple(desired), live, last or {}, salt=how.pop("salt", ""))
    return build("dev", "console", world, kinds, **how)


def retry_of(clock: FakeClock, attempts: int = 4) -> Retry:
    """Return retries that wait on a clock nobody has to wait for."""
    return Retry(clock, attempts=attempts, jitter=lambda: 1.0)


def git(root: Path, *arguments: str) -> str:
    """Return what git prints."""
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=True, text=True)
    return done.stdout


class Faulty:
    """A backend that passes everything on, and may be told to do something else first or afterwards.

    `on_read` and `on_write` are called with the change or the kind's name and the call that does the work.
    """

    def __init__(
        self,
        memory: Memory,
        on_write: Callable[[Change, Callable[[], None]], None] | None = None,
        on_read: Callable[[str], None] | None = None,
    ) -> None:
        self.memory = memory
        self.on_write = on_write
        self.on_read = on_read
        self.written: list[Change] = []
        self._lock = threading.Lock()

    def probe(self) -> Facts:
        return self.memory.probe()

    def expect(self, stated: Mapping[Address, Mapping[str, Any]]) -> None:
        self.memory.expect(stated)

    def read(self, kind: Kind, names: frozenset[str] | None = None) -> Iterator[Resource]:
        if self.on_read is not None:
            self.on_read(kind.name)
        return self.memory.read(kind, names)

    def list(self, kind: Kind) -> Iterator[str]:
        return self.memory.list(kind)

    def write(self, change: Change, kind: Kind) -> None:
        with self._lock:
            self.written.append(change)
        if self.on_write is None:
            self.memory.write(change, kind)
        else:
            self.on_write(change, lambda: self.memory.write(change, kind))

    def close(self) -> None:
        self.memory.close()
