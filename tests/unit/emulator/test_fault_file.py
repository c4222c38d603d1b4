"""Faults file → fault plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policysync.emulator.fault_file import read_faults
from policysync.emulator.faults import Fault, FaultPlan
from policysync.errors import InvalidInput


def write(folder: Path, text: str) -> Path:
    file = folder / "faults.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_whole_file(tmp_path: Path) -> None:
    text = """
latency: 0.02
seed: 7
rules:
  - {method: PUT, path: "/api/v2/doors/*", after: 1, times: 2, status: 429, retry_after: 3}
  - kind: Door
    probability: 0.5
    drop: after
    forget: [colour]
"""
    assert read_faults(write(tmp_path, text)) == FaultPlan(
        (
            Fault(method="PUT", path="/api/v2/doors/*", after=1, times=2, status=429, retry_after=3),
            Fault(kind="Door", probability=0.5, drop="after", forget=("colour",)),
        ),
        0.02,
        7,
    )


def test_a_bare_list_and_json(tmp_path: Path) -> None:
    text = json.dumps([{"status": 503, "body": {"a": [1]}, "worked": True}])
    assert read_faults(write(tmp_path, text)) == FaultPlan((Fault(status=503, body={"a": [1]}, worked=True),))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules:\n  - statsu: 3\n", "2:13: /rules/0/statsu: unknown word 'statsu'"),
        ("rules:\n  - statsu: 3\n", "2:5: /rules/0: does nothing; give one of "),
        ("- {status: ok}\n", "1:12: /0/status: 'ok' is not a whole number"),
        ("- {status: true}\n", "1:12: /0/status: True is not a whole number"),
        ("- {status: 99}\n", "1:12: /0/status: 99 is not an HTTP status"),
        ("- {drop: now}\n", "1:10: /0/drop: 'now' is not a time to drop the connection"),
        ("- {empty: 1}\n", "1:11: /0/empty: 1 is not true or false"),
        ("- {delay: 1, probability: 2}\n", "1:27: /0/probability: 2 is not a probability"),
        ("- {delay: -1}\n", "1:11: /0/delay: -1 is less than nothing"),
        ("- {forget: [a, 1]}\n", "1:16: /0/forget/1: 1 is not the name of a member"),
        ("- {forget: a}\n", "1:12: /0/forget: 'a' is not a list"),
        ("- 5\n", "1:3: /0: 5 is no rule"),
        ("5\n", "1:1: want a mapping with rules"),
        ("latency: slow\n", "1:10: /latency: 'slow' is not a number"),
        ("{rules: 1}\n", "1:9: /rules: 1 is not a list"),
        ("a: [\n", "2:1: not YAML: "),
        ("", "faults.yaml: want a mapping with rules"),
    ],
)
def test_mistakes_have_their_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_faults(write(tmp_path, text))
    assert problem in str(caught.value)
    assert {found.code for found in caught.value.problems} == {"faults"}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_faults(tmp_path / "none.yaml")
