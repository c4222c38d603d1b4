"""A tenant of Apono on a port, and backends that speak to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from policysync.apply.retry import Retry
from policysync.backends.apono.backend import Apono
from policysync.backends.connect import connect
from policysync.clock import FakeClock
from policysync.documents.project import Limits, Target
from policysync.emulator.apono import BEARER, Tenant
from policysync.emulator.serve import Server
from policysync.kinds.load import load_kinds
from policysync.secret import Secret

KINDS = load_kinds()
KIND = KINDS["AponoIntegration"]
PATIENT = 60.0


def once(call: Callable[[], Any]) -> Any:
    """Run a read and let its failure through."""
    return call()


def patient(call: Callable[[], Any]) -> Any:
    """Run a read again and again, in no time."""
    return Retry(FakeClock(), attempts=4).read(call)


@contextmanager
def serving(tenant: Tenant) -> Iterator[str]:
    """Serve a tenant for the length of a block, and return its address."""
    server = Server(tenant)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.stop()


@contextmanager
def connected(
    tenant: Tenant, again: Callable[[Callable[[], Any]], Any] = once, token: str = BEARER, timeout: float = PATIENT
) -> Iterator[Apono]:
    """Connect to a tenant over a port; `timeout` is in seconds."""
    limits = Limits(parallelism=4, requests_per_second=1_000_000.0, timeout=timeout)
    with serving(tenant) as url:
        target = Target("tenant", "apono", url, {"token": "${env:APONO_PERSONAL_TOKEN}"})
        made = connect(target, KINDS, secrets=lambda _: Secret(token), again=again, limits=limits)
        assert isinstance(made, Apono)
        try:
            yield made
        finally:
            made.close()
