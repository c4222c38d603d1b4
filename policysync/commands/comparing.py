"""Reading the targets of a stage and comparing them with git."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from policysync.apply.ledger import Ledger
from policysync.apply.no_ledger import NoLedger
from policysync.backends.files import in_place_of
from policysync.backends.port import Backend, Forgets, Previews
from policysync.commands.depending import registries_notices
from policysync.commands.selection import Selection
from policysync.commands.session import Session
from policysync.documents.project import Stage, Target
from policysync.documents.serving import belongs
from policysync.documents.source import Source
from policysync.errors import NotServed, PolicySyncError
from policysync.kinds.kind import Kind
from policysync.plan.build import LastApplied, World, build
from policysync.plan.change import Plan
from policysync.plan.manual import confirmed, is_manual
from policysync.plan.rotated import as_held
from policysync.reports.view import printable
from policysync.state.resource import Address, Hindrance, Resource
from policysync.state.sharing import sharing

# Each read has workers of its own, so a few at once keep every connection busy.
_READS_AT_ONCE = 6
_TARGETS_AT_ONCE = 16

T = TypeVar("T")

Specs = dict[str, Mapping[str, Any]]
"""What git states, or the ledger remembers, of the resources of one kind, by name."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One target beside git: what both say, and the plan that follows."""

    target: Target
    world: World
    plan: Plan


@dataclass(frozen=True, slots=True)
class Comparing:
    """A stage as git says it is, ready to be held against its targets.

    `salt` makes the digests of secrets; it is the ledger's, or one for this run where there is no ledger.
    `heal_accepted` takes edits by hand back that policysync.yaml accepts.
    """

    session: Session
    stage: Stage
    source: Source
    desired: tuple[Resource, ...]
    ledger: Ledger | NoLedger
    selection: Selection
    salt: str
    prune: bool = False
    heal_accepted: bool = False

    def compare(self, target: Target, backend: Backend) -> Comparison:
        """Read a target and plan what makes it match git."""
        world = self.world(target, backend)
        plan = build(
            self.stage.name,
            target.name,
            world,
            self.session.kinds,
            prune=self.prune,
            revision=self.source.revision,
            dirty=self.source.dirty,
            notices=[self.ledger.notice] if self.ledger.notice else [],
        )
        carried = registries_notices(self.session.project, self.stage, self.desired, plan)
        notices = (*plan.notices, *carried, *_previews(backend, plan, self.session.kinds))
        return Comparison(target, world, replace(plan, heals_accepted=self.heal_accepted, notices=notices))

    def stated(self, target: Target) -> Iterator[Resource]:
        """Yield what git says one target should hold, whatever was selected."""
        kinds = self.session.kinds
        yield from (r for r in self.desired if belongs(target, kinds[r.address.kind], r))

    def world(self, target: Target, backend: Backend) -> World:
        """Read everything a plan is made of. Only kinds that git or the ledger mention are read."""
        desired = self.selection.of_resources(self.stated(target))
        stated = {resource.address: resource.spec for resource in desired}
        last, protected = self.ledger.remembered(target.name, stated)
        # Labels are only in git: what git no longer has cannot be selected by them.
        applied = {
            address: spec
            for address, spec in last.items()
            if (address in stated or not self.selection.labels) and self.selection.has(address)
        }
        expected = applied | stated
        backend.expect(expected)
        if isinstance(backend, Forgets):
            backend.forget(frozenset(applied.keys() - stated.keys()))
        kinds = self.session.kinds
        asked = {address: spec for address, spec in expected.items() if not is_manual(kinds, address)}
        live, others, blocked = self._read(backend, asked)
        return World(
            desired=desired,
            live=(*live, *confirmed(applied, kinds)),
            last_applied=as_held(applied, live),
            others=others - set(last),
            blocked=blocked,
            accepted=() if self.heal_accepted else self.session.accepted(self.stage),
            protected=protected,
            salt=self.salt,
            remembers=bool(last),
        )

    def _read(self, backend: Backend, wanted: LastApplied) -> _Read:
        """Return the live resources that were asked for, the others of the same kinds, and the kinds nobody serves."""
        names: dict[str, Specs] = {}
        for address, spec in wanted.items():
            names.setdefault(address.kind, {})[address.name] = spec
        kinds = self.session.kinds
        if unknown := sorted(set(names) - set(kinds)):
            raise PolicySyncError(f"the ledger knows kinds that have no schema here: {', '.join(unknown)}")
        everything, blocked = self.selection.everything, dict[str, Hindrance]()
        live: list[Resource] = []
        others: set[Address] = set()
        with ThreadPoolExecutor(_READS_AT_ONCE) as pool:
            found = {name: pool.submit(_bodies, backend, kinds[name], names[name]) for name in names}
            listed = {name: pool.submit(_others, backend, kinds[name], names[name]) for name in names if everything}
            for name, job in found.items():
                try:
                    live += job.result()
                    others |= set(listed[name].result() if everything else ())
                except NotServed as error:
                    blocked[name] = Hindrance("blocked", error.reason, str(error))
        return _Read(tuple(live), frozenset(others), blocked)


def _previews(backend: Backend, plan: Plan, kinds: Mapping[str, Kind]) -> Iterator[str]:
    """Yield what a backend says of the changes of a plan, where it can say more than the plan does."""
    if isinstance(backend, Previews):
        for change in plan.changes:
            yield from backend.preview(change, kinds[change.address.kind])


class _Read(NamedTuple):
    """What a target holds of some kinds; see `World`."""

    live: tuple[Resource, ...]
    others: frozenset[Address]
    blocked: Mapping[str, Hindrance]


def _bodies(backend: Backend, kind: Kind, wanted: Specs) -> list[Resource]:
    # A write reads its object again first, so all a plan needs of a body is what tells the product's own objects.
    telling = {name for builtin in kind.builtins for name in builtin.match or ()}
    return [
        replace(
            resource,
            spec=sharing(resource.spec, wanted.get(resource.address.name)),
            raw={name: value for name, value in resource.raw.items() if name in telling},
        )
        for resource in backend.read(kind, frozenset(wanted))
    ]


def _others(backend: Backend, kind: Kind, names: Container[str]) -> list[Address]:
    return [Address(kind.name, name) for name in backend.list(kind) if name not in names]


def comparing(
    session: Session,
    stage_name: str,
    revision: str | None,
    selection: Selection,
    *,
    prune: bool = False,
    salt: str = "",
    heal_accepted: bool = False,
    render_only: Path | None = None,
) -> Comparing:
    """Read what git says of a stage, and show the warnings on stderr.

    With `render_only`, artefacts below that folder stand for what the targets would install.

    Raises:
        InvalidInput: a document is wrong.
        PolicySyncError: `selection` names a kind there is not, or artefacts were asked for, and the stage has no
            target that installs any.
    """
    stage = session.project.stage(stage_name)
    selection.hold_to(session.kinds)
    source = session.source_of(stage, revision)
    desired, warnings = session.desired(source, stage)
    for warning in warnings:
        click.echo(str(warning), err=True)
    stage = _rendered_only(stage, render_only) if render_only else stage
    ledger = session.ledger(stage)
    for line in selection.unmatched(desired, lambda: remembered_names(ledger, stage)):
        click.echo(printable(line), err=True)
    salt = salt or ledger.salt or randomness.token_hex(16)
    return Comparing(session, stage, source, desired, ledger, selection, salt, prune, heal_accepted)


def remembered_names(ledger: Ledger | NoLedger, stage: Stage) -> set[Address]:
    """Return what the ledger says was last applied to any target of a stage."""
    return {address for target in stage.targets for address in ledger.last_applied(target.name)}


def _rendered_only(stage: Stage, folder: Path) -> Stage:
    targets = tuple(made for target in stage.targets if (made := in_place_of(target, folder)))
    if not targets:
        raise PolicySyncError(f"stage {stage.name} has no cluster or account, so there is nothing to render for")
    return stage._replace(targets=targets)


def compare_targets(comparing: Comparing, names: Sequence[str]) -> list[Comparison]:
    """Compare every target that was named, or all of them, with git."""
    return each_target(comparing, names, comparing.compare)


def each_target(comparing: Comparing, names: Sequence[str], look: Callable[[Target, Backend], T]) -> list[T]:
    """Look at targets at the same time, and return what was seen in the order of the targets."""
    targets = comparing.session.targets(comparing.stage, names)

    def one(target: Target) -> T:
        with comparing.session.backend(target) as backend:
            return look(target, backend)

    with ThreadPoolExecutor(min(len(targets), _TARGETS_AT_ONCE)) as pool:
        return list(pool.map(one, targets))
