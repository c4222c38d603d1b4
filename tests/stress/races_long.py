"""Many rounds of applies that begin at the same time."""

from __future__ import annotations

from pathlib import Path

import pytest
from stress.races import runners


@pytest.mark.parametrize("count", [2, 4, 6])
def test_rounds(tmp_path: Path, count: int) -> None:
    with runners(tmp_path, count) as field:
        for _ in range(24 // count):
            field.race()
    print(f"{field.rounds} rounds of {count} applies")  # noqa: T201  # shown with -s, for the record
