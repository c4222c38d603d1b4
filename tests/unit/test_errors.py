"""Problems and exceptions: how they read, and which exit status they earn."""

from __future__ import annotations

import pytest

from policysync.errors import (
    BackendError,
    Blocked,
    Exit,
    InvalidInput,
    Location,
    OutcomeUnknown,
    PartlyApplied,
    PolicySyncError,
    Problem,
    Refused,
    StalePlan,
    Unavailable,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PolicySyncError, 1),
        (InvalidInput, 1),
        (Blocked, 3),
        (StalePlan, 4),
        (PartlyApplied, 5),
        (BackendError, 1),
        (Refused, 1),
        (Unavailable, 1),
        (OutcomeUnknown, 1),
    ],
)
def test_an_exception_earns_its_exit_status(error: type[PolicySyncError], status: int) -> None:
    assert error.status == status
    assert issubclass(error, PolicySyncError)


def test_the_exit_statuses_are_a_contract() -> None:
    assert [(exit_.name, exit_.value) for exit_ in Exit] == [
        ("DONE", 0), ("ERROR", 1), ("CHANGES", 2), ("BLOCKED", 3), ("STALE", 4), ("PARTLY_APPLIED", 5)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem(Location("a.yaml", 3, 5), "/spec/x", "no", "type"), "a.yaml:3:5: /spec/x: no [type]"),
        (Problem(Location("a.yaml"), "", "no"), "a.yaml: no [invalid]"),
        (Problem(Location("a.yaml", 1, 1), "", "hm", "odd", warning=True), "a.yaml:1:1: warning: hm [odd]"),
    ],
)
def test_a_problem_names_its_place(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_problems_are_shown_in_the_order_of_the_files() -> None:
    late, early = (Problem(Location("a.yaml", line, 1), "", "no") for line in (10, 2))
    assert InvalidInput([late, early]).problems == (early, late)
    assert str(InvalidInput([late, early])) == f"{early}\n{late}"


def test_unavailable_says_when_to_come_back() -> None:
    assert Unavailable("busy", 2.5).retry_after == 2.5
    assert Unavailable("busy").retry_after is None
