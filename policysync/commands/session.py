"""Where deciding and doing meet: everything a command needs of one policy repository."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import click

from policysync.apply.ledger import Ledger
from policysync.apply.no_ledger import NoLedger, open_ledger
from policysync.apply.retry import Retry
from policysync.backends.connect import connect
from policysync.backends.port import Backend
from policysync.clock import Clock, SystemClock
from policysync.commands.embedded_target import clock_of, is_embedded, store_of
from policysync.documents.accepted import Accepted, in_force, unfit
from policysync.documents.desired import desired_state
from policysync.documents.pin import Pin, file_of, load_pin
from policysync.documents.project import Limits as Pace
from policysync.documents.project import Project, Stage, Target, find_root, load_project
from policysync.documents.released import Released
from policysync.documents.revision import Revision
from policysync.documents.secrets import resolver
from policysync.documents.source import Source
from policysync.documents.worktree import WorkTree
from policysync.emulator.embedded import embedded
from policysync.errors import InvalidInput, PolicySyncError, Problem, StalePlan
from policysync.kinds.load import Kinds, load_kinds
from policysync.secret import Secret
from policysync.state.resource import Resource


@dataclass(frozen=True)
class Session:
    """One run of a command in one policy repository. `pace` is how hard targets may be driven."""

    project: Project
    kinds: Kinds
    pace: Pace
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: Clock = field(default_factory=SystemClock)
    _open: dict[int, Backend] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def retry(self) -> Retry:
        """The only place where requests are repeated."""
        return Retry(self.clock)

    @cached_property
    def _secrets(self) -> Callable[[str], Secret]:
        """What resolves the references in documents, each once a run."""
        return resolver(self.environ, self.project.root)

    @cached_property
    def _own_secrets(self) -> Callable[[str], Secret]:
        """What resolves those in policysync.yaml, which may also run programs."""
        return resolver(self.environ, self.project.root, commands=True)

    def own_secret(self, reference: str) -> Secret:
        """Return what a reference in policysync.yaml stands for."""
        return self._own_secrets(reference)

    def targets(self, stage: Stage, names: Iterable[str] = ()) -> tuple[Target, ...]:
        """Return the targets of a stage, or those of them that were named.

        Raises:
            PolicySyncError: the stage has none, or none of that name.
        """
        known = {target.name: target for target in stage.targets}
        wanted = tuple(names) or tuple(known)
        if not wanted:
            raise PolicySyncError(f"stage {stage.name} has no targets; name one in policysync.yaml")
        for name in wanted:
            if name not in known:
                raise PolicySyncError(f"stage {stage.name} has no target {name}; it has {', '.join(known)}")
        return tuple(known[name] for name in wanted)

    def source(self, revision: str | None = None) -> Source:
        """Return the work tree, or a revision."""
        return Revision(self.project.root, revision) if revision else WorkTree(self.project.root)

    def source_of(self, stage: Stage, revision: str | None = None) -> Source:
        """Return what a stage follows: the work tree for the first one, its pin for the others.

        With `revision` it is read from there instead, unless that is what the pin names anyway.

        Raises:
            PolicySyncError: nothing is released to the stage yet, or the pin names what is not here.
            InvalidInput: the pin is wrong.
        """
        if stage.first:
            return self.source(revision)
        pin = self.pin(stage) if revision is None or "+" in revision else None
        if pin and revision in (None, pin.id):
            return Released(self.project.root, pin)
        if revision is None:
            raise PolicySyncError(
                f"nothing is released to {stage.name} yet: `policysync promote --to {stage.name}` judges its gates and "
                f"writes {file_of(stage.name)}; `--revision HEAD` shows what would change"
            )
        if "+" in revision:
            raise StalePlan(
                f"the release {revision} is not what {file_of(stage.name)} names"
                + (f", that is {pin.id}" if pin else "; there is no such file")
            )
        return self.source(revision)

    def released(self) -> Iterator[Stage]:
        """Yield the stages that git states something of; of the others a line on stderr says so."""
        for stage in self.project.stages:
            if stage.first or self.pin(stage) is not None:
                yield stage
            else:
                click.echo(f"stage {stage.name} is left out: nothing is released to it yet", err=True)

    def pin(self, stage: Stage) -> Pin | None:
        """Return the pin of a stage as it stands in the work tree; None when nothing is released to it.

        Raises:
            InvalidInput: the pin is wrong.
        """
        return None if stage.first else load_pin(tree := WorkTree(self.project.root), stage.name, tree.has)

    def accepted(self, stage: Stage) -> tuple[Accepted, ...]:
        """Return the edits by hand that are accepted in a stage at this moment.

        Raises:
            InvalidInput: policysync.yaml names a kind or a field there is not.
        """
        if wrong := tuple(unfit(self.project.accepted, self.kinds)):
            raise InvalidInput(wrong)
        return in_force(self.project.accepted, stage.name, self.clock.now())

    def desired(self, source: Source, stage: Stage) -> tuple[tuple[Resource, ...], tuple[Problem, ...]]:
        """Return what git says of a stage, secrets resolved, and the warnings.

        Raises:
            InvalidInput: a document is wrong.
        """
        state = desired_state(source, self.project, stage, self.kinds, self._secrets)
        if any(not problem.warning for problem in state.problems):
            raise InvalidInput(state.problems)
        return state.resources, state.problems

    def ledger(self, stage: Stage) -> Ledger | NoLedger:
        """Return the memory of a stage."""
        remote = self.project.ledger.remote or ""
        return open_ledger(self.project.root, stage.name, self.clock, environ=self.environ, remote=remote)

    @contextmanager
    def backend(self, target: Target) -> Iterator[Backend]:
        """Connect to a target for the length of a block."""
        local = embedded(store_of(self.project.root, target), self.kinds) if is_embedded(target) else None
        backend = connect(
            target,
            self.kinds,
            secrets=self._own_secrets,
            again=self.retry.read,
            limits=self._pace(target),
            local=local,
            root=self.project.root,
            peers=self._peers(target),
        )
        self._open[id(backend)] = backend
        try:
            yield backend
        except KeyboardInterrupt:
            self.halt()
            raise
        finally:
            self._open.pop(id(backend), None)
            backend.close()
            if local is not None:
                local.close()

    def halt(self) -> None:
        """End every wait and every request of other threads; a signal handler may."""
        self.retry.halt()
        for backend in tuple(self._open.values()):
            # Closing may wait for what the interrupted thread holds itself.
            threading.Thread(target=backend.close, daemon=True).start()

    def _peers(self, target: Target) -> tuple[Target, ...]:
        stage = next((stage for stage in self.project.stages if target in stage.targets), Stage(""))
        return tuple(other for other in stage.targets if other is not target)

    def _pace(self, target: Target) -> Pace:
        # Nobody else uses an embedded console, so there is nothing to be gentle with.
        return self.pace._replace(requests_per_second=0) if is_embedded(target) else self.pace


def open_session(parallelism: int | None = None, max_rps: float | None = None) -> Session:
    """Find the policy repository around the working folder and read its configuration.

    Raises:
        PolicySyncError: there is none.
        InvalidInput: policysync.yaml is wrong.
    """
    project = load_project(find_root(Path.cwd()), os.environ)
    pace = project.limits
    if parallelism is not None:
        pace = pace._replace(parallelism=parallelism)
    if max_rps is not None:
        pace = pace._replace(requests_per_second=max_rps)
    session = Session(project, load_kinds(project.schemas), pace, clock=clock_of(project, os.environ))
    command = click.get_current_context(silent=True)
    if command is not None and threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGINT, lambda _number, _frame: _interrupted(session))
        command.find_root().call_on_close(lambda: signal.signal(signal.SIGINT, before))
    return session


def _interrupted(session: Session) -> NoReturn:
    """Stop at once: threads that wait or read would be waited for otherwise."""
    session.halt()
    raise KeyboardInterrupt
