"""A kind: what one schema file says, ready to be walked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from policysync.kinds.field import Field
from policysync.pointer import escape, resolve

SINGLETON = "settings"
"""What the one resource of a kind is called that has only one."""


class Builtin(NamedTuple):
    """An object the product ships. It can never be deleted.

    `name` is its natural key; where it is empty, `match` names the values by which such objects are known.
    """

    name: str = ""
    match: Mapping[str, Any] | None = None
    editable: bool = True
    confidence: str = "sure"


class Expansion(NamedTuple):
    """Documents that stand for resources of another kind.

    Attributes:
        when: the values, by pointer, that make a document such a one.
        each: the member of the spec that lists the names of the resources.
        kind: the kind they are of.
        spec: where in the document each of their members stands, by pointer. What is not stated has its default.
    """

    when: Mapping[str, Any]
    each: str
    kind: str
    spec: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of resource.

    Attributes:
        name: PascalCase; what a document's `kind` says.
        backends: who may serve it; `backend_of` says which of them serves one resource.
        binds: which option of a target a value of the spec has to agree with, by the pointer of the value.
        namespace: the pointer of the value that may stand for metadata.namespace; empty where none may.
        expands: which of its documents stand for resources of another kind; None where none do.
        key: the members of `spec` that make the natural key. One member is also the resource's name in git;
            several are joined by `/` for messages, and `metadata.name` is then free.
        scope: kinds with the same scope share one space of names.
        singleton: there is one, called `settings`; it is neither created nor deleted, and has no key.
        slots: the names of the objects there are from the start and for ever; empty when they come and go.
        parts_of: the singleton each member writes into: the same values, seen from another side.
        whole: a document states everything: a default that git leaves out counts as stated.
        read_only: read and referred to, never in git.
        editions: the only editions of the product that have it; empty when all do.
        eventual: seconds for which a read may still show what was before a write.
        manual: the steps a person takes to create, update and delete one, because no interface does; empty when one
            does. `{name}` and `{/pointer}` in them stand for values of the spec.
        chosen_by: the pointer of the value in the spec that chooses the backend; empty where there is no choice.
        choices: the backend for each such value, and for `default`.
        exclude: live objects with these values are the product's own and are never managed.
        root: the fields, as a tree.
        api: `x-api` as written; its meaning belongs to the backend.
        schema: the whole schema with every `$ref` resolved; validates `spec`.
        file: where it was read from.
        digest: sha256 of the resolved schema, hex.
    """

    name: str
    backends: tuple[str, ...]
    key: tuple[str, ...]
    scope: str
    builtins: tuple[Builtin, ...]
    exclude: Mapping[str, Any]
    title: str
    description: str
    root: Field
    api: Mapping[str, Any]
    schema: Mapping[str, Any]
    file: str
    digest: str
    singleton: bool = False
    slots: tuple[str, ...] = ()
    parts_of: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False
    read_only: bool = False
    editions: tuple[str, ...] = ()
    eventual: int = 0
    binds: Mapping[str, str] = field(default_factory=dict)
    namespace: str = ""
    expands: Expansion | None = None
    manual: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chosen_by: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)

    def backend_of(self, spec: Mapping[str, Any]) -> str:
        """Return who serves a resource with this spec."""
        if not self.chosen_by:
            return self.backends[0]
        said = resolve(spec, self.chosen_by)
        return self.choices.get(said if isinstance(said, str) else "default", self.choices["default"])

    def name_of(self, spec: Mapping[str, Any]) -> str:
        """Return the natural key of an object as one text; empty when it has none.

        Where several members make the key, each has its own place, and a slash inside one is escaped as in a
        pointer: two objects never get the same name.
        """
        if self.singleton:
            return SINGLETON
        if len(self.key) == 1:
            return str(spec.get(self.key[0]) or "")
        return "/".join(escape(str(spec.get(member) or "")) for member in self.key).rstrip("/")

    def builtin(self, name: str, values: Mapping[str, Any] | None = None) -> Builtin | None:
        """Return the built-in object that `name` (and, where known, its live `values`) stands for."""
        for builtin in self.builtins:
            if builtin.name and builtin.name == name:
                return builtin
            if builtin.match and values and all(values.get(k) == v for k, v in builtin.match.items()):
                return builtin
        return None

    def is_there_from_the_start(self, name: str) -> bool:
        """Return whether the product ships an object of this name, so that git may state a part of it only."""
        return self.singleton or name in self.slots or any(builtin.name == name for builtin in self.builtins)

    @property
    def refs(self) -> frozenset[str]:
        """The kinds it can refer to."""
        return frozenset(target for node in walk(self.root) for target in (*node.ref, *node.ref_keys))


def walk(root: Field) -> Iterator[Field]:
    """Yield a field and everything below it."""
    yield root
    for below in root.properties.values():
        yield from walk(below)
    for other in (root.values, root.each, *root.positions):
        if other is not None:
            yield from walk(other)
