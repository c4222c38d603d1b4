"""Which registries depend on a connector, and where git states them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from policysync.backends.port import Level, Sign
from policysync.documents.network import consoles
from policysync.documents.project import Project, Stage
from policysync.plan.change import Action, Plan
from policysync.state.resource import Address, Resource
from policysync.topology.graph import CONNECTOR, topology

Depending = Mapping[Address, str]
"""Connectors that carry registries, and these with their places as one text."""


def depending(project: Project, stage: Stage, resources: Sequence[Resource]) -> Depending:
    """Return the connectors of a stage that registries depend on."""
    where = {resource.address: resource.where for resource in resources}
    found = topology(stage.name, consoles(project), {resource.address: resource.spec for resource in resources})
    return {
        connector.address: ", ".join(f"{registry} ({where[registry]})" for registry in connector.registries)
        for connector in found.connectors
        if connector.registries
    }


def registries_sign(said: str, signs: Sequence[Sign]) -> Sign:
    """Return what the other signs of a connector mean for the registries it carries."""
    down = [sign for sign in signs if sign.level is Level.ERROR and sign.name.startswith(("health/", "target"))]
    if down:
        message = f"the connector is down ({', '.join(sign.reason for sign in down)}), and it carries {said}"
        return Sign("health/registries", Level.ERROR, "registries-unreached", message)
    if all(sign.level is Level.OK for sign in signs if sign.name.startswith("health/")):
        return Sign("health/registries", Level.OK, "", f"it carries {said}")
    message = f"it cannot be told how the connector is, and it carries {said}"
    return Sign("health/registries", Level.UNKNOWN, "registries-unknown", message)


def registries_notices(project: Project, stage: Stage, desired: Sequence[Resource], plan: Plan) -> Iterator[str]:
    """Yield a sentence for each connector that is unreadable, blocked, in pieces or to go while registries need it."""
    going = [c.before for c in plan.changes if c.address.kind == CONNECTOR and c.action is Action.DELETE and c.before]
    if not any(address.kind == CONNECTOR for address in _concerned(plan)):
        return
    needed = depending(project, stage, (*desired, *going))
    for blocked in plan.blocked:
        if said := needed.get(blocked.address):
            yield f"{blocked.address} carries {said}, and is {blocked.hindrance.state} ({blocked.hindrance.reason})"
    for change in plan.changes:
        if change.before is None or not (said := needed.get(change.address)):
            continue
        if change.action is Action.DELETE:
            yield f"{change.address} is to go, and carries {said}"
        elif gone := [text for text in map(str, change.before.spec.get("foreign") or ()) if text.endswith(" is gone")]:
            yield f"{change.address} carries {said}, and is down: {', '.join(gone)}"


def _concerned(plan: Plan) -> Iterator[Address]:
    yield from (blocked.address for blocked in plan.blocked)
    yield from (change.address for change in plan.changes)
