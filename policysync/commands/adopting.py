"""Live resources → documents: new ones for what git does not have, overlays for what it has otherwise."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from policysync.commands.file_names import FileNames
from policysync.commands.supplying import Supplies
from policysync.documents.catalog import Catalog
from policysync.documents.emit import emit
from policysync.documents.envelope import API_VERSION, BASE, STAGES
from policysync.documents.expand import escaped
from policysync.documents.project import Project, Stage
from policysync.documents.stage import Draft
from policysync.kinds.kind import Kind
from policysync.kinds.load import file_stem
from policysync.plan.minimal import Stated, stated
from policysync.plan.overlaid import overlaid
from policysync.reports.view import path_text
from policysync.state.normalize import canonical, live_spec
from policysync.state.resource import Address, Resource


@dataclass(frozen=True, slots=True)
class Found:
    """A live resource and the targets that have it exactly like this; `others` have it otherwise."""

    live: Resource
    targets: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adopted:
    """A document about a live resource, or about there being none.

    Attributes:
        live: None where an overlay says that the stage lacks the resource.
        file: where it is to be written.
        path: what `file` is called inside the policy repository; made up where it lies outside.
        secrets: the paths of the sensitive values it leaves out.
        supplied: the paths of those it refers to, and the environment variables that have to hold them.
    """

    address: Address
    live: Resource | None
    file: Path
    path: str
    text: str
    secrets: tuple[str, ...] = ()
    supplied: tuple[tuple[tuple[str, ...], str], ...] = ()


@dataclass(frozen=True, slots=True)
class Manner:
    """How documents are written.

    Attributes:
        full: say every member.
        supplies: names the variables that stand for secrets; None leaves secrets out.
        narrow: new documents are for the targets they were found in, because git is about other consoles as well.
    """

    full: bool = False
    supplies: Supplies | None = None
    narrow: bool = False


def together(found: Iterable[tuple[str, Resource]]) -> list[Found]:
    """Return each resource once, as the first target has it. `found` pairs targets with what they hold."""
    by_address: dict[Address, Found] = {}
    for target, live in found:
        first = by_address.get(live.address)
        if first is None:
            by_address[live.address] = Found(live, (target,))
        elif canonical(first.live.spec) == canonical(live.spec):
            by_address[live.address] = replace(first, targets=(*first.targets, target))
        else:
            by_address[live.address] = replace(first, others=(*first.others, target))
    return [by_address[address] for address in sorted(by_address)]


def in_git(catalog: Catalog, kinds: Mapping[str, Kind], desired: Iterable[Resource]) -> frozenset[Address]:
    """Return what git knows already, in this stage or only in others."""
    everywhere = (_address(kinds[document.kind], document.name, document.spec) for document in catalog.base.values())
    return frozenset({*(resource.address for resource in desired), *everywhere})


def _address(kind: Kind, name: str, spec: Mapping[str, Any]) -> Address:
    return Address(kind.name, name if len(kind.key) == 1 or kind.singleton else kind.name_of(spec))


class Writer:
    """Makes documents; what they are called depends on what is there and on what was made before."""

    def __init__(
        self, project: Project, stage: Stage, folder: Path | None, names: Collection[tuple[str, str]], manner: Manner
    ) -> None:
        """`names` are the documents git has, as kind and name."""
        self.root = project.root
        self.stage = stage
        self.manner = manner
        base = project.root / BASE
        inside = folder is None or folder == base or folder.is_relative_to(base)
        overlays = project.root / STAGES / stage.name if inside else (folder or base) / "stages" / stage.name
        self.base = FileNames(folder or base)
        self.overlays = FileNames(overlays)
        self.names = set(names)

    def document(self, kind: Kind, found: Found, leave_out: Collection[str] = ()) -> Adopted | None:
        """Return the document for a live resource; none for what is there from the start and was never changed.

        `leave_out` are members that another document states.
        """
        told = stated(kind, found.live.spec, full=self.manner.full, reference=self._reference(found.live.address))
        spec = {name: value for name, value in told.spec.items() if name not in leave_out}
        if is_untouched(kind, found.live) or (kind.singleton and not spec):
            return None
        narrow = self.manner.narrow or len(found.targets) < len(self.stage.targets)
        metadata: dict[str, Any] = {"name": self._name(kind, found.live)}
        if narrow:
            metadata["targets"] = list(found.targets)
        return self._adopted(self.base, metadata, found.live.address, replace(told, spec=spec), found.live)

    def overlay(self, draft: Draft, found: Found, now: Collection[str]) -> Adopted | None:
        """Return what a stage has otherwise than git says it; none where it has the same.

        `now` are the targets for which git has the resource.
        """
        told = overlaid(draft.kind, draft.spec, found.live.spec, reference=self._reference(found.live.address))
        metadata: dict[str, Any] = {"name": draft.layers[0].document.name}
        if set(now) != set(found.targets):
            metadata["targets"] = list(found.targets)
        elif not told.spec:
            return None
        return self._adopted(self.overlays, metadata, draft.address, told, found.live)

    def absence(self, draft: Draft) -> Adopted:
        """Return the overlay that takes a resource out of the stage."""
        metadata = {"name": draft.layers[0].document.name, "absent": True}
        return self._adopted(self.overlays, metadata, draft.address)

    def _adopted(
        self,
        files: FileNames,
        metadata: Mapping[str, Any],
        address: Address,
        told: Stated | None = None,
        live: Resource | None = None,
    ) -> Adopted:
        body = {"apiVersion": API_VERSION, "kind": address.kind, "metadata": metadata}
        if told is None:
            told = Stated({}, ())
        else:
            body["spec"] = _escaped_but(told.spec, frozenset(told.supplied))
        remarks = [
            f"{path_text(path)}: secret, not adopted; to manage it: {path[-1]}: ${{env:NAME}}" for path in told.secrets
        ]
        file = files.file(file_stem(address.kind), str(metadata["name"]))
        return Adopted(
            address,
            live,
            file,
            self._path(file, files),
            emit(body, remarks),
            tuple(path_text(path) for path in told.secrets),
            tuple((path, self._variable(address, path)) for path in told.supplied),
        )

    def _reference(self, address: Address) -> Any:
        if self.manner.supplies is None:
            return None
        return lambda path: f"${{env:{self._variable(address, path)}}}"

    def _variable(self, address: Address, path: tuple[str, ...]) -> str:
        return self.manner.supplies.name(address, path) if self.manner.supplies else ""

    def _name(self, kind: Kind, live: Resource) -> str:
        name, number = live.address.name, 2
        if len(kind.key) > 1:
            name = "/".join(str(live.spec[member]) for member in kind.key if live.spec.get(member))
        first = name
        # The name of a resource with several keys is free, so somebody may have given it to another one.
        while (kind.name, name) in self.names:
            name = f"{first} ({number})"
            number += 1
        self.names.add((kind.name, name))
        return name

    def _path(self, file: Path, files: FileNames) -> str:
        home = BASE if files is self.base else f"{STAGES}{self.stage.name}/"
        if file.is_relative_to(self.root / home):
            return file.relative_to(self.root).as_posix()
        return f"{home}{file.parent.name}/(new) {file.name}"


def is_untouched(kind: Kind, live: Resource) -> bool:
    """Return whether settings, or a slot, are as they are on a new console. What is only written cannot be seen."""
    if not kind.singleton and not kind.slots:
        return False
    fresh = live_spec(kind, {member: live.spec[member] for member in kind.key if member in live.spec})
    return _visible(live.spec) == _visible(fresh)


def _visible(spec: Mapping[str, Any]) -> bytes:
    """Return what is switched on, filled in or set."""
    return canonical({name: value for name, value in spec.items() if value})


def _escaped_but(spec: Mapping[str, Any], references: frozenset[tuple[str, ...]]) -> dict[str, Any]:
    """Return a spec in which nothing is taken for a reference but what stands at some paths."""

    def told(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, Mapping):
            return {name: told(below, (*path, name)) for name, below in value.items()}
        return value if path in references else escaped_value(value)

    return {name: told(value, (name,)) for name, value in spec.items()}


def escaped_value(value: Any) -> Any:
    """Return a value with every text spelt so that nothing in it is taken for a reference."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        return {name: escaped_value(below) for name, below in value.items()}
    if isinstance(value, list):
        return [escaped_value(item) for item in value]
    return value
