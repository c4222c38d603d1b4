"""An embedded console, filled and changed by hand through its own API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from conformance.samples import SAMPLES, create, update

from policysync.apply.retry import Retry
from policysync.backends.connect import connect
from policysync.backends.port import Backend
from policysync.backends.routes import routes_of, shaped
from policysync.clock import SystemClock
from policysync.documents.project import Limits, Target
from policysync.emulator.embedded import Local, embedded
from policysync.emulator.settings import Settings
from policysync.kinds.load import load_kinds
from policysync.secret import Secret

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

    def put(self, kind: str, spec: Mapping[str, Any]) -> None:
        """Make an object, or write the settings, of any kind."""
        backend = self._backend()
        try:
            backend.write(create(KINDS[kind], dict(spec)), KINDS[kind])
        finally:
            backend.close()

    def change(self, kind: str, spec: Mapping[str, Any]) -> None:
        """Change what a sample of any kind says."""
        backend = self._backend()
        try:
            stated = create(KINDS[kind], dict(spec)).after
            assert stated is not None
            (live,) = backend.read(KINDS[kind], frozenset({stated.address.name}))
            backend.write(update(KINDS[kind], live, dict(spec)), KINDS[kind])
        finally:
            backend.close()

    def spec(self, kind: str, name: str) -> dict[str, Any]:
        """Return what an object is like."""
        backend = self._backend()
        try:
            (live,) = backend.read(KINDS[kind], frozenset({name}))
            return dict(live.spec)
        finally:
            backend.close()

    def everything(self) -> None:
        """Make a sample of every kind that can be made."""
        needed_first = ("PermissionSet", "Group", "RoleMapping")
        for kind in (*needed_first, *sorted(set(SAMPLES) - {*needed_first, "ApiKey"})):
            self.put(kind, SAMPLES[kind][0])

    def _backend(self) -> Backend:
        target = Target("by-hand", "aqua", "embedded:by-hand")
        limits = Limits(requests_per_second=1_000_000.0)
        again = Retry(SystemClock()).read
        return connect(target, KINDS, secrets=Secret, again=again, limits=limits, local=self.local)

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
