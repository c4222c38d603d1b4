"""A console that answers by a table, and kinds made for one test."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from policysync.backends.connect import connect
from policysync.backends.http import Local
from policysync.backends.port import Backend
from policysync.clock import FakeClock
from policysync.documents.project import Limits, Target
from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kind
from policysync.secret import Secret

Reply = tuple[int, Any, dict[str, str]]


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: Any


def reply(status: int, body: Any = b"", **headers: str) -> Reply:
    """Return an answer; what is not bytes goes out as JSON."""
    return status, body, {name.replace("_", "-"): value for name, value in headers.items()}


def jwt(**claims: Any) -> Secret:
    """Return a token that says this of itself."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return Secret(f"head.{payload}.signature")


@dataclass
class Console:
    """Answers each call with the replies noted for it, the last one again and again; 404 to what it does not know."""

    asked: list[Asked] = field(default_factory=list)
    table: dict[tuple[str, str], list[Reply]] = field(default_factory=dict)

    def on(self, method: str, target: str, *replies: Reply) -> None:
        self.table[method, target] = list(replies)

    def __call__(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        self.asked.append(Asked(method, target, headers, json.loads(body) if body else None))
        replies = self.table.get((method, target)) or self.table.get((method, target.partition("?")[0]))
        if not replies:
            return 404, [], b'{"message": "not found", "code": 404}'
        status, said, extra = replies.pop(0) if len(replies) > 1 else replies[0]
        content = said if isinstance(said, bytes) else json.dumps(said).encode()
        return status, list(extra.items()), content

    def calls(self, method: str) -> list[str]:
        return [asked.target for asked in self.asked if asked.method == method and asked.target != "/api/v1/login"]

    def sent(self, method: str) -> list[Any]:
        return [asked.body for asked in self.asked if asked.method == method and asked.target != "/api/v1/login"]

    @property
    def logins(self) -> int:
        return sum(asked.target == "/api/v1/login" for asked in self.asked)


@pytest.fixture
def console() -> Console:
    made = Console()
    made.on("POST", "/api/v1/login", reply(200, {"token": "first-token"}))
    return made


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def kind_of(tmp_path: Path) -> Callable[..., Kind]:
    """Returns a function that makes a kind: a Thing with a name, a size and tags, under /things."""

    def make(name: str = "Thing", **differences: Any) -> Kind:
        path = f"/{name.lower()}s"
        item = f"{path}/{{id}}"
        listed = {"method": "GET", "path": path, "paging": "count", **differences.pop("list", {})}
        api = {
            "id": "name",
            "noun": name.lower(),
            "list": listed,
            "get": {"method": "GET", "path": item, "missing": [404]},
            "create": {"method": "POST", "path": path, "conflict": 409},
            "update": {"method": "PUT", "path": item},
            "delete": {"method": "DELETE", "path": item},
        }
        about = {"name": name, "backend": "aqua", "key": "name", **differences.pop("kind", {})}
        properties = {
            "name": {"type": "string"},
            "size": {"type": "integer", "default": 3},
            "tags": {"type": "array", "items": {"type": "string"}, "x-set": True, "default": []},
            **differences.pop("properties", {}),
        }
        schema = {"x-kind": about, "x-api": {**api, **differences}, "type": "object", "properties": properties}
        file = tmp_path / f"{name.lower()}.json"
        file.write_text(json.dumps(schema))
        return load_kind(file)

    return make


@pytest.fixture
def kind(kind_of: Callable[..., Kind]) -> Kind:
    return kind_of()


def once(call: Callable[[], Any]) -> Any:
    """Run a read without trying again."""
    return call()


Connects = Callable[..., Backend]


@pytest.fixture
def connected(console: Console, kind_of: Callable[..., Kind]) -> Iterator[Connects]:
    """Returns a function that connects to the console in process, with these kinds."""
    opened: list[Backend] = []

    def make(*kinds: Kind, local: Local = console, **settings: Any) -> Backend:
        target = Target("dev", "aqua", "embedded:dev", **settings)
        known = {kind.name: kind for kind in kinds}
        backend = connect(target, known, secrets=Secret, again=once, limits=Limits(4), local=local)
        opened.append(backend)
        return backend

    yield make
    for backend in opened:
        backend.close()
