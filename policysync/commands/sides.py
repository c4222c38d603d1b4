"""The two sides of `policysync diff`: what they are called, and what they hold."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from policysync.backends.port import Backend
from policysync.commands.document_file import documents_of, with_secrets
from policysync.commands.project import known_kinds
from policysync.commands.session import Session, open_session
from policysync.documents.desired import desired_state
from policysync.documents.expand import Expansion
from policysync.documents.project import Project, Stage, Target
from policysync.documents.secrets import resolver
from policysync.documents.serving import belongs, serves
from policysync.errors import InvalidInput, PolicySyncError, Problem, Refused
from policysync.kinds.kind import Kind
from policysync.plan.between import State
from policysync.pointer import join
from policysync.secret import Secret
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource

_STAGE = re.compile(r"stage:(?P<stage>[^:]+)(?::(?P<state>live|desired))?(?:@(?P<target>.+))?\Z")
_REVISION = re.compile(r"rev:(?P<revision>[^:]+)(?::(?P<stage>[^:]+))?\Z")
_FORMS = "stage:S[:live|:desired][@TARGET] or rev:REVISION[:S]"
_KINDS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Side:
    """One side as it was named on the command line; empty attributes were not said."""

    text: str
    stage: str = ""
    live: bool = False
    target: str = ""
    revision: str = ""
    file: str = ""

    @classmethod
    def of(cls, text: str) -> Side:
        """Read one argument.

        Raises:
            PolicySyncError: it has none of the forms.
        """
        if found := _STAGE.match(text):
            return cls(text, found["stage"], found["state"] == "live", found["target"] or "")
        if found := _REVISION.match(text):
            return cls(text, found["stage"] or "", revision=found["revision"])
        if text.startswith(("stage:", "rev:")):
            raise PolicySyncError(f"{text}: want {_FORMS}")
        return cls(text, file=text.removeprefix("file:"))


@dataclass
class Sides:
    """Both sides of one comparison, and the policy repository around them where there is one."""

    first: Side
    second: Side
    _session: Session | None = field(default=None, init=False)

    @property
    def session(self) -> Session:
        """The policy repository; it is looked for only when a side needs it."""
        if self._session is None:
            self._session = open_session()
        return self._session

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """The kinds there are, inside a policy repository and outside."""
        return known_kinds(Path.cwd()) if self._session is None else self._session.kinds

    def states(self) -> tuple[State, State]:
        """Return what both sides hold.

        Raises:
            InvalidInput: a document is wrong.
        """
        online = self.first.live or self.second.live
        read: dict[Side, State] = {}
        for side in sorted((self.first, self.second), key=lambda side: side.live):
            others = [resource.address.kind for state in read.values() for resource in state.resources]
            read[side] = self._live(side, others) if side.live else self._desired(side, online=online)
        return read[self.first], read[self.second]

    def _desired(self, side: Side, *, online: bool) -> State:
        if side.file == side.text and not Path(side.file).exists():
            raise PolicySyncError(f"{side.text} cannot be read: there is no such file; want {_FORMS}, or a file")
        if side.file:
            return State(tuple(self._of_file(side, online=online)))
        stage = self.stage_of(side)
        source = self.session.source_of(stage, side.revision or None)
        secrets = resolver(self.session.environ, self.session.project.root) if online else _unresolved
        found = desired_state(source, self.session.project, stage, self.session.kinds, secrets)
        if found.errors:
            raise InvalidInput(found.errors)
        if side.target:
            self.session.targets(stage, [side.target])
        other = self._other(side)
        target = side.target or (other.target if other.stage == stage.name else "")
        return State(meant_for(stage, target, found.resources, self.session.kinds))

    def _other(self, side: Side) -> Side:
        return self.second if side is self.first else self.first

    def stage_of(self, side: Side) -> Stage:
        """Return the stage of a side; a revision alone is meant for the first one."""
        project = self.session.project
        if side.stage:
            return project.stage(side.stage)
        if not project.stages:
            raise PolicySyncError("policysync.yaml has no stages")
        return project.stages[0]

    def _live(self, side: Side, kinds: list[str]) -> State:
        """Read a target: the kinds the other side has, or all of them when that is live as well."""
        target = self._target(side)
        every = {name for name, kind in self.session.kinds.items() if kind.key and kind.api.get("list")}
        wanted = every if self._other(side).live else set(kinds)
        served = [self.session.kinds[name] for name in wanted if serves(target, self.session.kinds[name])]
        served = [kind for kind in served if not kind.manual]
        with self.session.backend(target) as backend, ThreadPoolExecutor(_KINDS_AT_ONCE) as pool:
            backend.probe()
            parts = list(pool.map(lambda kind: _read(backend, kind, asked=bool(kinds)), served))
        return State(tuple(resource for part in parts for resource in part), live=True)

    def _target(self, side: Side) -> Target:
        stage = self.stage_of(side)
        targets = self.session.targets(stage, [side.target] if side.target else [])
        if len(targets) > 1:
            names = " or ".join(f"stage:{stage.name}:live@{target.name}" for target in targets)
            raise PolicySyncError(f"stage {stage.name} has several targets; want {names}")
        return targets[0]

    def _of_file(self, side: Side, *, online: bool) -> Iterator[Resource]:
        stage = self._stage_for_files()
        secrets = resolver(os.environ, self._project().root) if online else _unresolved
        for document in documents_of(side.file, self.kinds, self._project()):
            kind = self.kinds[document.kind]
            expanded, findings = Expansion(stage.vars).of(kind.root, document.spec)
            # What a console exported holds secrets as they are, and outside a stage nobody knows the variables.
            excused = set() if stage.name else {"unknown-variable"}
            wrong = [f for f in findings if not (document.raw or f.warning or f.code in excused)]
            if wrong:
                raise InvalidInput(Problem(document.where, join(f.path), f.message, f.code) for f in wrong)
            spec = dict(with_secrets(kind.root, expanded, secrets))
            if len(kind.key) == 1:
                spec.setdefault(kind.key[0], document.name)
            name = document.name if len(kind.key) == 1 else kind.name_of(spec)
            yield Resource(Address(kind.name, name), desired_spec(kind, spec), where=document.where)

    def _project(self) -> Project:
        return self._session.project if self._session else Project(Path.cwd())

    def _stage_for_files(self) -> Stage:
        """Return the stage whose variables stand in for those of a file: that of the other side, else none."""
        named = self.first.stage or self.second.stage
        if named or self.first.revision or self.second.revision:
            return self.stage_of(self.first if not self.first.file else self.second)
        return Stage("")


def meant_for(
    stage: Stage, target: str, resources: Iterable[Resource], kinds: Mapping[str, Kind]
) -> tuple[Resource, ...]:
    """Return what git means for a target, or for any target of the stage where none is named."""
    targets = [one for one in stage.targets if target in ("", one.name)]
    return tuple(r for r in resources if not targets or any(belongs(one, kinds[r.address.kind], r) for one in targets))


def _read(backend: Backend, kind: Kind, *, asked: bool) -> list[Resource]:
    try:
        return list(backend.read(kind))
    except Refused:
        # Not every console has every kind; one that git mentions has to be there.
        if asked:
            raise
        return []


def _unresolved(reference: str) -> Secret:
    return Secret(reference, reference)
