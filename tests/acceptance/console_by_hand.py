"""An embedded console, filled and changed by hand through its own API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from policysync.backends.routes import routes_of, shaped
from policysync.emulator.embedded import Local, embedded
from policysync.emulator.settings import Settings
from policysync.kinds.load import load_kinds

KINDS = load_kinds()


class ByHand:
    """What somebody does in the web pages."""

    def __init__(self, local: Local) -> None:
        self.local = local
        self.headers = {"Content-Type": "application/json"}
        settings = Settings()
        login = self.call("POST", "/api/v1/login", {"id": settings.user, "password": settings.password})
        self.headers["Authorization"] = f"Bearer {login['token']}"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call the console and return the JSON of its answer."""
        content = b"" if body is None else json.dumps(body).encode()
        status, _, answer = self.local(method, path, self.headers, content)
        assert status < 300, f"{method} {path}: {status} {answer!r}"
        return json.loads(answer) if answer else {}

    def create(self, kind: str, body: Mapping[str, Any]) -> None:
        """Make an object."""
        call = routes_of(KINDS[kind]).create
        assert call is not None
        self.call(call.method, call.path, shaped(call.body, dict(body)))

    def edit(self, kind: str, name: str, **members: object) -> None:
        """Change members of an object: read, change, write back."""
        path = KINDS[kind].api["get"]["path"].replace("{id}", quote(name, safe=""))
        self.call("PUT", path, {**self.call("GET", path), **members})


@contextmanager
def by_hand(root: Path, console: str = "dev") -> Iterator[ByHand]:
    """Open an embedded console of a policy repository for the length of a block."""
    local = embedded(root / ".policysync" / "consoles" / f"{console}.sqlite", KINDS)
    try:
        yield ByHand(local)
    finally:
        local.close()
