"""The console inside the process: reached by a call, with no port and no server to start."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from policysync.clock import Clock
from policysync.emulator.console import Console
from policysync.emulator.exchange import Request
from policysync.emulator.faults import FaultPlan
from policysync.emulator.settings import Settings
from policysync.emulator.store import Store
from policysync.kinds.kind import Kind


class Local:
    """Answers as the console would over HTTP. The store is opened by the first request."""

    def __init__(
        self,
        store: Path | None,
        kinds: Mapping[str, Kind],
        *,
        settings: Settings,
        seed: Path | None = None,
        faults: FaultPlan | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._open = (store, kinds, settings, seed, faults, clock)
        self._console: Console | None = None
        self._lock = threading.Lock()

    @property
    def console(self) -> Console:
        with self._lock:
            if self._console is None:
                store, kinds, settings, seed, faults, clock = self._open
                self._console = Console(kinds, Store(store), settings=settings, clock=clock, seed=seed, faults=faults)
            return self._console

    def __call__(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return status, headers and body of the answer to one request.

        Raises:
            ConnectionResetError: the connection broke, before the work was done or after it.
        """
        lower = {name.lower(): value for name, value in headers.items()}
        try:
            response = self.console.handle(Request(method, target, lower, body))
        except sqlite3.Error as error:
            # A console on a full disk answers too.
            said = {"message": f"the store of this console cannot be used: {error}", "code": 500}
            return 500, [("Content-Type", "application/json")], json.dumps(said).encode()
        return response.status, list(response.headers), response.body[: response.cut]

    def close(self) -> None:
        with self._lock:
            if self._console is not None:
                self._console.close()
                self._console = None


def embedded(
    store: Path | None,
    kinds: Mapping[str, Kind],
    password: str = "",
    *,
    settings: Settings | None = None,
    seed: Path | None = None,
    faults: FaultPlan | None = None,
    clock: Clock | None = None,
) -> Local:
    """Return a console kept in the file `store`, or in memory when that is None.

    It is signed in to as `administrator`; an empty password is the default one of `Settings`.
    """
    chosen = settings or Settings()
    if password:
        chosen = replace(chosen, password=password)
    return Local(store, kinds, settings=chosen, seed=seed, faults=faults, clock=clock)
