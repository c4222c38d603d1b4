from __future__ import annotations

from typing import Any

import pytest

from policysync.documents.scalar import plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(word, True) for word in ("true", "True", "TRUE")],
        *[(word, False) for word in ("false", "False", "FALSE")],
        *[(word, None) for word in ("", "~", "null", "Null", "NULL")],
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("-7", -7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1e3", -1000.0),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
    ],
)
def test_values_of_yaml_1_2(text: str, value: Any) -> None:
    assert plain(text) == value
    assert type(plain(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "no", "on", "off", "y", "n", "Yes", "NO", "tRUE", "nUll", "truer"),
        *("017", "00", "-01", "01.5", "1_000", "1:30", "2026-01-01", "0b1", "0x", "0o8", "-0x1"),
        *("12e400", "5e781234567890", "-1e999", ".inf", "-.inf", ".nan", ".", "-", "+", "e5", "1e", "1.2.3"),
        "9" * 5000,
        *("9223372036854775808", "-9223372036854775809", "0xffffffffffffffff", "12345678901234567890123"),
    ],
)
def test_everything_else_is_text(text: str) -> None:
    assert plain(text) == text
