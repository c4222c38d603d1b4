"""Resources that no target of their stage is meant by."""

from __future__ import annotations

from collections.abc import Iterator

from policysync.documents.finding import Finding
from policysync.documents.serving import holds
from policysync.documents.stage import Draft
from policysync.documents.together import Found, Together
from policysync.pointer import resolve


def homeless(together: Together) -> Iterator[Found]:
    """Yield a warning for each resource that no target of the stage serves."""
    targets = together.stage.targets
    for draft in together.drafts:
        if targets and not any(holds(target, draft.kind, draft.spec) for target in targets):
            message = f"no target serves it; want one with backend {_wanted(draft)}"
            yield draft, Finding((), message, "no-target", warning=True)


def _wanted(draft: Draft) -> str:
    said = [(option, resolve(draft.spec, pointer)) for pointer, option in draft.kind.binds.items()]
    bound = [f"{option} {value}" for option, value in said if value]
    return draft.kind.backend_of(draft.spec) + (f" with {' and '.join(bound)}" if bound else "")
