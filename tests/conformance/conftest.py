"""The backends that the suite runs against, each fresh for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from policysync.apply.retry import Retry
from policysync.backends.connect import connect
from policysync.backends.memory import Memory
from policysync.backends.port import Again, Backend
from policysync.clock import FakeClock, SystemClock
from policysync.documents.project import Limits, Target
from policysync.emulator.console import Console
from policysync.emulator.embedded import Local
from policysync.emulator.faults import Fault, FaultPlan
from policysync.emulator.serve import Server
from policysync.emulator.settings import Settings
from policysync.emulator.store import Store
from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kinds
from policysync.secret import Secret

Opens = Callable[..., Backend]

PASSWORD = "conformance-password"
_LIMITS = Limits(parallelism=4, requests_per_second=1_000_000.0, timeout=60.0)


@pytest.fixture(scope="session")
def kinds() -> dict[str, Kind]:
    return {name: kind for name, kind in load_kinds().items() if "aqua" in kind.backends and not kind.manual}


def once(call: Callable[[], Any]) -> Any:
    """Run a read and let its failure through."""
    return call()


def patient(call: Callable[[], Any]) -> Any:
    """Run a read again and again, in no time."""
    return Retry(FakeClock(), attempts=4).read(call)


def _in_process(
    kinds: dict[str, Kind], plan: FaultPlan, settings: Settings, again: Again[Any], stack: ExitStack
) -> Backend:
    local = Local(None, kinds, settings=settings, faults=plan)
    stack.callback(local.close)
    target = Target("dev", "aqua", "embedded:dev", {"user": "robot", "password": "${env:PASSWORD}"})
    return connect(target, kinds, secrets=_secret, again=again, limits=_LIMITS, local=local)


def _over_a_port(
    kinds: dict[str, Kind], plan: FaultPlan, settings: Settings, again: Again[Any], stack: ExitStack
) -> Backend:
    console = Console(kinds, Store(None), settings=settings, faults=plan)
    stack.callback(console.close)
    server = Server(console)
    server.start()
    stack.callback(server.stop)
    url = f"http://127.0.0.1:{server.port}"
    auth = {"user": "robot", "password": "${env:PASSWORD}"}
    hosts = {"supply-chain": f"{url}/supply_chain", "front": url, "account": url}
    target = Target("dev", "aqua", url, auth, {"hosts": hosts})
    return connect(target, kinds, secrets=_secret, again=again, limits=_LIMITS, clock=SystemClock())


def _secret(reference: str) -> Secret:
    assert reference == "${env:PASSWORD}"
    return Secret(PASSWORD)


@pytest.fixture(params=["in process", "over a port"])
def console(request: pytest.FixtureRequest, kinds: dict[str, Kind]) -> Iterator[Opens]:
    """Returns a function that starts a console with these faults and settings, and connects to it."""
    make = {"in process": _in_process, "over a port": _over_a_port}[request.param]
    with ExitStack() as stack:

        def open_console(*rules: Fault, again: Again[Any] = once, **settings: Any) -> Backend:
            chosen = Settings(**{"user": "robot", "password": PASSWORD, **settings})
            backend = make(kinds, FaultPlan(rules), chosen, again, stack)
            stack.callback(backend.close)
            return backend

        yield open_console


@pytest.fixture(params=["memory", "in process", "in process, harsh", "over a port"])
def backend(request: pytest.FixtureRequest, kinds: dict[str, Kind]) -> Iterator[Backend]:
    """A backend of each sort, empty but for what the product ships."""
    settings = Settings("robot", PASSWORD, quirks="harsh" if "harsh" in request.param else "mild")
    with ExitStack() as stack:
        if request.param == "memory":
            yield Memory(kinds)
            return
        make = _over_a_port if request.param == "over a port" else _in_process
        opened = make(kinds, FaultPlan(), settings, once, stack)
        stack.callback(opened.close)
        yield opened
