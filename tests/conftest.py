"""What every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write the golden files again instead of comparing them")


class Golden:
    """Texts that were looked at once and must not change unseen."""

    def __init__(self, update: bool) -> None:
        self._update = update

    def check(self, file: Path, text: str) -> None:
        """Compare `text` with the file; with `--update`, write it."""
        if self._update:
            file.write_text(text, encoding="utf-8")
        assert file.exists(), f"{file} is missing; write it with --update and look at it"
        assert text == file.read_text(encoding="utf-8")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(request.config.getoption("--update"))
