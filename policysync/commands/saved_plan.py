"""The file of `plan --out`, as `apply` reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from policysync.errors import PolicySyncError, StalePlan
from policysync.plan.codec import Saved, load_all


def saved_plans(file: Path, stage: str) -> dict[str, Saved]:
    """Read the plans of a file, by target.

    Raises:
        StalePlan: it is about another stage.
        PolicySyncError: it is something else, or cannot be read.
    """
    try:
        plans = load_all(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, OSError, RecursionError) as error:
        raise PolicySyncError(f"{file} is not a saved plan; make one with `policysync plan --out plan.json`") from error
    except PolicySyncError as error:
        raise PolicySyncError(f"{file}: {error}") from error
    for plan in plans.values():
        if plan.stage != stage:
            raise StalePlan(f"{file} is a plan for stage {plan.stage}, not for {stage}")
    return plans


def reviewed(file: Path, stage: str, targets: Sequence[str], *, asked: bool) -> dict[str, Saved]:
    """Read the plans of a file, by target, where nothing more and nothing else than what was reviewed is asked for.

    Raises:
        UsageError: something else was asked for.
        PolicySyncError: a target was named that the file has no plan for, or it cannot be read.
    """
    plans = saved_plans(file, stage)
    if asked:
        raise click.UsageError(f"{file} says what is applied; leave out --select, --only, --exclude and --revision")
    for name in targets:
        if name not in plans:
            raise PolicySyncError(f"{file} holds no plan for target {name}; it has {', '.join(plans)}")
    return plans
