from __future__ import annotations

import pytest

from policysync.reports.table import table, width


@pytest.mark.parametrize(("text", "columns"), [("pci", 3), ("é", 1), ("e\u0301", 1), ("機密", 4), ("ＡＢ", 4), ("", 0)])
def test_a_text_is_as_wide_as_a_terminal_shows_it(text: str, columns: int) -> None:
    assert width(text) == columns


def test_columns_line_up_whatever_stands_in_them() -> None:
    assert table(("NAME", "STATE"), [("機密情報", "in sync"), ("pci", "1 drift")]).splitlines() == [
        "NAME      STATE",
        "機密情報  in sync",
        "pci       1 drift",
    ]
