"""The guard `wrong-console`."""

from __future__ import annotations

from policysync.plan.guards.case import Case


def wrong_console(case: Case) -> str | None:
    """Refuse when the address of a target leads to another console than it did when it was last applied.

    A target that was never applied must not lead to the console of another stage.
    """
    stage, target, here = case.plan.stage, case.plan.target, case.plan.identity
    was = case.consoles.get((stage, target), "")
    if not here or here == was:
        return None
    whose = [
        f"{name} of stage {of}" for (of, name), console in case.consoles.items() if console == here and of != stage
    ]
    owner = f", the console of {' and '.join(whose)}" if whose else ""
    if was:
        return f"{target} was {was} when it was last applied, and leads to {here} now{owner}"
    return f"{target} leads to {here}{owner}" if owner else None
