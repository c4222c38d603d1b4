from __future__ import annotations

from typing import Any

import pytest

from policysync.kinds.load import load_kinds
from policysync.state.slots import is_reset, slot_name
from policysync.state.wire import from_wire

KINDS = load_kinds()
LOGS = KINDS["LogManagement"]


@pytest.mark.parametrize(
    ("body", "reset"),
    [
        ({"name": "Syslog"}, True),
        ({"name": "Syslog", "enable": False, "url": "", "logo": "x"}, True),
        ({"name": "Syslog", "enable": False, "password": "*****"}, True),
        ({"name": "Syslog", "enable": True}, False),
        ({"name": "Syslog", "enable": False, "url": "host:514"}, False),
    ],
)
def test_a_slot_that_says_nothing_is_as_a_delete_leaves_it(body: dict[str, Any], reset: bool) -> None:
    assert is_reset(LOGS, from_wire(LOGS, body)) is reset


def test_an_object_that_comes_and_goes_is_never_reset() -> None:
    assert not is_reset(KINDS["Label"], from_wire(KINDS["Label"], {"name": "team"}))


@pytest.mark.parametrize(("there", "ours"), [("Qradar", "QRadar"), ("StackDriver", "Stackdriver"), ("New", "New")])
def test_letter_case_does_not_make_another_slot(there: str, ours: str) -> None:
    assert slot_name(LOGS, there) == ours
    found = from_wire(LOGS, {"name": there})
    assert (found.address.name, found.id) == (ours, there)
