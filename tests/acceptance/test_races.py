"""Applies that begin at the same time on several machines; `make stress` runs many more."""

from __future__ import annotations

from pathlib import Path

from acceptance.policy_repository import PolicyRepository
from stress.races import runners

from policysync.apply.ledger import Ledger
from policysync.clock import SystemClock


def test_applies_at_once_go_one_after_another(tmp_path: Path) -> None:
    with runners(tmp_path, 3) as field:
        field.race()


def test_a_second_apply_refuses_and_says_who_is_there(tmp_path: Path) -> None:
    with runners(tmp_path, 2) as field:
        one, two = field.clones
        one.environ["POLICYSYNC_RUN_URL"] = "https://ci.example.com/run/7"
        hold(one)
        refused = two.run("apply", "--stage", "dev", "--yes")
        assert refused.status == 3
        assert "the lock of console is held by Test <test@example.com> on " in refused.err
        assert "https://ci.example.com/run/7" in refused.err
        waited = two.run("apply", "--stage", "dev", "--yes", "--lock-timeout", "0.5")
        assert waited.status == 3
        assert "waiting for up to 0.5 s: the lock of console is held by" in waited.err
        freed = two.run("unlock", "--stage", "dev", "--yes")
        assert "took the lock of Test <test@example.com> on" in freed.out
        assert two.run("apply", "--stage", "dev", "--yes").status == 0


def hold(clone: PolicyRepository) -> None:
    """Take the lock as an apply does, and never give it back."""
    environ = clone._environ()
    Ledger(clone.root, "dev", SystemClock(), environ=environ, remote="origin").lock("console").acquire()
