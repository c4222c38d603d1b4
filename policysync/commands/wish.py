"""What `policysync adopt` was asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from policysync.commands.selection import Selection
from policysync.documents.project import Target
from policysync.documents.serving import serves
from policysync.documents.suggest import did_you_mean
from policysync.errors import PolicySyncError
from policysync.kinds.kind import Kind
from policysync.state.resource import Address, Resource

_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Wish:
    """The resources and kinds that were named; without any, everything.

    `in_git` are the resources git has already: those of the product count only when they are among them.
    """

    selection: Selection
    kinds: tuple[str, ...]
    builtins: bool
    in_git: frozenset[Address] = frozenset()

    @property
    def everything(self) -> bool:
        """Whether nothing was named."""
        return not (self.kinds or self.selection.only)

    def of_target(self, kinds: Mapping[str, Kind], target: Target) -> list[Kind]:
        """Return the kinds to read from a target.

        A view over other kinds is read where it was asked for, or is in git: else the kinds themselves say it all.
        """
        patterns = [pattern.partition("/")[0] for pattern in self.selection.only]
        literal = [name for name in patterns if not _WILD & set(name)]
        named = {*self.kinds, *known_kinds(kinds, literal)}
        wanted = named if len(literal) == len(patterns) else set(self.kinds)
        said = {address.kind for address in self.in_git}
        return [
            kind
            for name, kind in kinds.items()
            if serves(target, kind)
            and (name in wanted or not wanted)
            and can_adopt(kind)
            and (not kind.parts_of or name in named | said)
        ]

    def names(self, kind: Kind) -> frozenset[str] | None:
        """Return the names to read, None for all of them."""
        patterns = [pattern.partition("/") for pattern in self.selection.only]
        if kind.name in self.kinds or not patterns or any(_WILD & {*of, *name} for of, _, name in patterns):
            return None
        return frozenset(name for of, _, name in patterns if of == kind.name)

    def names_it(self, address: Address) -> bool:
        """Return whether an address is among what was named, or nothing was."""
        return (address.kind in self.kinds) or (
            self.selection.has(address) and bool(self.selection.only or not self.kinds)
        )

    def has(self, kind: Kind, resource: Resource) -> bool:
        """Return whether a live resource was asked for. A built-in one has to be named, or in git."""
        address = resource.address
        if str(address) in self.selection.only:
            return True
        values = {**resource.raw, **resource.spec}
        if kind.builtin(address.name, values) and not self.builtins and address not in self.in_git:
            return False
        return self.names_it(address)

    def missing(self, live: Collection[str]) -> Iterator[str]:
        """Yield what was named and is not there."""
        for pattern in self.selection.only:
            if not _WILD & set(pattern) and pattern not in live:
                yield pattern


def can_adopt(kind: Kind) -> bool:
    """Return whether git can hold objects of a kind: it can name them, and policysync can read and write them."""
    if kind.manual:
        return False
    if kind.read_only or kind.singleton:
        return kind.singleton and not kind.read_only
    named = kind.key and all(kind.root.properties[member].compared for member in kind.key)
    return bool(named and kind.api.get("list") and (kind.api.get("create") or kind.api.get("update")))


def known_kinds(kinds: Mapping[str, Kind], names: Sequence[str]) -> Iterator[str]:
    """Yield the kinds that were named.

    Raises:
        PolicySyncError: there is no such kind, or git cannot hold its objects.
    """
    for name in names:
        if name not in kinds:
            hint = did_you_mean(name, kinds) or "; `policysync kinds` lists them"
            raise PolicySyncError(f"there is no kind {name}{hint}")
        if not can_adopt(kinds[name]):
            raise PolicySyncError(f"objects of kind {name} cannot be adopted: git cannot name them, or not make them")
        yield name
