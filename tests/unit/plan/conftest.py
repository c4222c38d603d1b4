"""The small kinds, read once."""

from __future__ import annotations

import pytest
from unit.plan.small import policies

from policysync.kinds.kind import Kind


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kind]:
    return policies(tmp_path_factory.mktemp("schemas"))
