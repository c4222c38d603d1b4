"""Connectors and registries of one stage, held against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policysync.documents.finding import Finding
from policysync.documents.project import Project, Stage
from policysync.documents.stage import Draft
from policysync.documents.together import Found, Together
from policysync.topology.findings import misfits
from policysync.topology.graph import CONNECTOR, REGISTRY, Console, Topology, topology

_CONSOLE = "aqua"
_KINDS = frozenset({CONNECTOR, REGISTRY})


def consoles(project: Project) -> tuple[Console, ...]:
    """Return the consoles of every stage."""
    return tuple(
        Console(target.name, stage.name, target.url)
        for stage in project.stages
        for target in stage.targets
        if target.backend == _CONSOLE
    )


def topology_of(drafts: Sequence[Draft], stage: Stage, project: Project) -> Topology:
    """Return what leads where in a stage."""
    specs = {draft.address: draft.spec for draft in drafts if draft.kind.name in _KINDS}
    return topology(stage.name, consoles(project), specs)


def misfitting(together: Together) -> Iterator[Found]:
    """Yield what does not fit together, with both places."""
    concerned = {draft.address: draft for draft in together.drafts if draft.kind.name in _KINDS}
    if not concerned:
        return
    project = together.project
    for misfit in misfits(topology_of(together.drafts, together.stage, project), consoles(project)):
        others = [f"{other} at {concerned[other].where}" for other in misfit.others]
        message = f"{misfit.message} ({', '.join(others)})" if others else misfit.message
        yield concerned[misfit.address], Finding(misfit.path, message, misfit.code, misfit.warning)
