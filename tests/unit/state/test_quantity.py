from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policysync.state.quantity import quantity


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0.5Gi", "512Mi"),
        ("512Mi", "512Mi"),
        ("524288Ki", "512Mi"),
        ("2000m", "2"),
        ("2", "2"),
        ("0.5", "500m"),
        ("500m", "500m"),
        ("1G", "1000000000"),
        ("1e3", "1000"),
        ("2Gi", "2Gi"),
        ("0", "0"),
        ("100n", "100n"),
        ("0.0001", "0.0001"),
        ("two", "two"),
        ("", ""),
    ],
)
def test_one_amount_has_one_spelling(text: str, wanted: str) -> None:
    assert quantity(text) == wanted


UNITS = st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi"])
NUMBERS = st.decimals(min_value=Decimal(0), max_value=Decimal(9999), places=2).map(lambda number: f"{number:f}")


@given(NUMBERS, UNITS)
def test_spelling_it_twice_changes_nothing(number: str, unit: str) -> None:
    once = quantity(number + unit)
    assert quantity(once) == once


@given(st.integers(1, 5000))
def test_units_that_say_the_same_are_spelt_the_same(number: int) -> None:
    assert quantity(f"{number}Gi") == quantity(f"{number * 1024}Mi")
    assert quantity(f"{number}") == quantity(f"{number * 1000}m")
