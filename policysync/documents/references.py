"""References between resources: who names whom, and whether it is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from policysync.documents.branches import branches
from policysync.documents.finding import Finding, Path
from policysync.documents.suggest import did_you_mean
from policysync.kinds.field import Field, paired
from policysync.kinds.kind import Kind


class Reference(NamedTuple):
    """A name at a path inside a spec; any of `kinds` may answer to it. `paired`: a sibling's value is part of it."""

    path: Path
    name: str
    kinds: tuple[str, ...]
    paired: bool = False


class References:
    """Finds the references of specs; the referring branches of each kind are found once."""

    def __init__(self) -> None:
        self._branches: dict[str, Field | None] = {}

    def of(self, kind: Kind, spec: Mapping[str, Any]) -> list[Reference]:
        """Return the references in a spec. An empty text, and a value the field itself knows, refer to nothing."""
        if kind.name not in self._branches:
            self._branches[kind.name] = branches(
                kind.root, lambda field: bool(field.ref or field.ref_keys) and field.compared
            )
        root = self._branches[kind.name]
        return list(_walk(root, spec, (), ())) if root else []


def _walk(field: Field, value: Any, path: Path, inherited: tuple[str, ...]) -> Iterator[Reference]:
    kinds = field.ref or inherited
    if isinstance(value, str):
        if kinds and value and value not in field.known:
            yield Reference(path, value, kinds)
    elif isinstance(value, Mapping):
        if field.ref_keys:
            yield from (Reference((*path, name), name, field.ref_keys) for name in value)
        for name, member in value.items():
            below = field.properties.get(name) or field.values
            if below is not None and below.ref_with:
                if isinstance(member, str) and member:
                    yield Reference((*path, name), paired(below, value, member), below.ref, paired=True)
            elif below is not None:
                yield from _walk(below, member, (*path, name), ())
    elif isinstance(value, list):
        each = field.each or Field()
        for index, item in enumerate(value):
            yield from _walk(each, item, (*path, str(index)), kinds)


class Present:
    """What can be referred to in one stage."""

    def __init__(self, kinds: Mapping[str, Kind], external: tuple[str, ...], names: Iterable[tuple[str, str]]) -> None:
        self.kinds = kinds
        self.external = external
        self.names = frozenset(names)

    def has(self, reference: Reference) -> bool:
        """Whether something answers to a reference. Kinds we have no schema of cannot be judged, and count as yes."""
        return any(self._has(kind, reference.name) for kind in reference.kinds)

    def _has(self, kind: str, name: str) -> bool:
        if (kind, name) in self.names or kind not in self.kinds or self.kinds[kind].builtin(name):
            return True
        # What can only be read is not in git, and what differs per console cannot be known here.
        if self.kinds[kind].read_only or name in self.kinds[kind].slots:
            return True
        return any(fnmatchcase(f"{kind}/{name}", pattern) for pattern in self.external)

    def dangling(self, reference: Reference) -> Finding:
        """Return the finding for a reference that nothing answers to."""
        names = sorted(name for kind, name in self.names if kind in reference.kinds)
        names += [b.name for kind in reference.kinds if kind in self.kinds for b in self.kinds[kind].builtins if b.name]
        wanted = " or ".join(f"{kind}/{reference.name}" for kind in reference.kinds)
        remedy = did_you_mean(reference.name, names)
        remedy = remedy or "; add it, or list it under `references: {external: […]}` in policysync.yaml"
        return Finding(reference.path, f"there is no {wanted}{remedy}", "dangling-reference")
