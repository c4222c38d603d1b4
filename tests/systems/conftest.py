"""Engines that tests run against, one of each for a worker."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from systems.cloudformation.engine import FOUND, Engine, engine

_NUMBERS = itertools.count(100_000_000_001)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A running engine for AWS."""
    with engine(tmp_path_factory.mktemp("ministack")) as running:
        yield running


@pytest.fixture(autouse=True)
def against(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    """Note what a test ran against, for the report of the run."""
    if "aws" in request.fixturenames:
        record_property("against", FOUND)


@pytest.fixture
def account() -> str:
    """The number of an account that nobody has used."""
    return str(next(_NUMBERS))


@pytest.fixture(autouse=True)
def no_cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let nothing of this machine's own AWS settings in."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
