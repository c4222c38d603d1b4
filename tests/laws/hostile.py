"""Values that nobody writes by accident, and good values with such a one in some place."""

from __future__ import annotations

import copy
import json
import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

DEEP: Any = None
for _ in range(200):
    DEEP = [{"a": DEEP}]

CASES = int(os.environ.get("POLICYSYNC_FUZZ", "0"))
"""How often each law is tried; 0 is the short form of the test suite."""

_ODD = [
    None,
    True,
    0,
    -1,
    10**30,
    1e308,
    -0.0,
    "",
    "\0",
    "\ufeff",
    "é́",
    "${env:X",
    "${var.x}",
    "a/b~1",
    "..",
    "%00",
    "x" * 5000,
    "9" * 5000,
    "Label",
    "2026-13-45T99:99:99Z",
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"spec": []},
    DEEP,
]
_NAMES = st.sampled_from(["", "name", "spec", "kind", "metadata", "$ref", "id", "result", "data", "count", "a/b"])
odd = st.one_of(
    # Fresh each time: what is drawn may be spoilt further.
    st.sampled_from(_ODD).map(lambda value: json.loads(json.dumps(value))),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
        max_leaves=8,
    ),
)


def often(short: int) -> settings:
    """Return how hard a law is tried: so many times in the test suite, as often as wanted otherwise."""
    unhealthy = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    return settings(max_examples=CASES or short, deadline=60_000, suppress_health_check=unhealthy)


@st.composite
def spoilt(draw: st.DrawFn, good: Any) -> Any:
    """Return a good value with something odd in one to three of its places, or something odd altogether."""
    value = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        value = _spoil(draw, value)
    return value


def _spoil(draw: st.DrawFn, value: Any) -> Any:
    choice = draw(st.integers(0, 9))
    if choice == 0 or not isinstance(value, dict | list) or not value:
        return draw(odd)
    if isinstance(value, list):
        at = draw(st.integers(0, len(value) - 1))
        value[at] = _spoil(draw, value[at])
        return value
    name = draw(st.sampled_from(sorted(value)))
    if choice == 1:
        del value[name]
    elif choice == 2:
        value[draw(_NAMES)] = draw(odd)
    else:
        value[name] = _spoil(draw, value[name])
    return value
