from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from unit.emulator.caller import Caller
from unit.emulator.small_kinds import write_small_kinds

from policysync.clock import FakeClock
from policysync.emulator.embedded import Local, embedded
from policysync.emulator.faults import FaultPlan
from policysync.emulator.settings import Settings
from policysync.kinds.load import Kinds

Open = Callable[..., Caller]


@pytest.fixture(scope="session")
def small_kinds(tmp_path_factory: pytest.TempPathFactory) -> Kinds:
    return Kinds([write_small_kinds(tmp_path_factory.mktemp("kinds"))])


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def console(small_kinds: Kinds, clock: FakeClock) -> Iterator[Open]:
    """Open consoles in memory, signed in; keyword arguments are settings."""
    opened: list[Local] = []

    def open_one(*, store: Path | None = None, seed: Path | None = None, faults: Any = None, **settings: Any) -> Caller:
        plan = FaultPlan(tuple(faults)) if faults is not None else None
        local = embedded(store, small_kinds, settings=Settings(**settings), seed=seed, faults=plan, clock=clock)
        opened.append(local)
        return Caller(local, password=settings.get("password", "emulator"))

    yield open_one
    for local in opened:
        local.close()
