from __future__ import annotations

from pathlib import Path

import pytest
from unit.apply.world import git, make_kinds

from policysync.clock import FakeClock
from policysync.kinds.load import Kinds


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Kinds:
    return make_kinds(tmp_path_factory.mktemp("schemas"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """An empty git repository, without any commit."""
    git(tmp_path, "init", "-q", "-b", "main")
    return tmp_path
