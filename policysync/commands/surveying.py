"""Reading what the targets of a stage hold, as far as it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from policysync.backends.port import Backend
from policysync.commands.session import Session
from policysync.commands.wish import Wish
from policysync.documents.project import Target
from policysync.errors import NotServed, Refused
from policysync.kinds.kind import Kind
from policysync.state.resource import Address, Resource

_KINDS_AT_ONCE = 4

T = TypeVar("T")


@dataclass
class Survey:
    """What was found.

    Attributes:
        live: every resource with the name of the target that has it.
        unread: kinds that a target should give and did not.
        notes: kinds that a target may do without, and did not give.
        lacking: kinds that the edition of a target does not have, by its name.
        whole: what is known for each kind: the names that were looked for, None for all of them.
    """

    live: list[tuple[str, Resource]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lacking: dict[str, list[str]] = field(default_factory=dict)
    whole: dict[str, frozenset[str] | None] = field(default_factory=dict)

    @property
    def not_there(self) -> list[str]:
        """Return the kinds that were not looked for, a sentence for each target."""
        return [
            f"{target}: this edition of the console does not have {', '.join(sorted(kinds))}"
            for target, kinds in self.lacking.items()
        ]

    def knows(self, address: Address) -> bool:
        """Return whether it would have been found, had it been there."""
        if address.kind not in self.whole:
            return False
        names = self.whole[address.kind]
        return names is None or address.name in names


def survey(session: Session, targets: Sequence[Target], wish: Wish) -> Survey:
    """Read what was asked for from every target."""
    found = Survey()
    failed: set[str] = set()
    for target in targets:
        kinds = wish.of_target(session.kinds, target)
        with session.backend(target) as backend:
            backend.probe()
            for kind, result in by_kind(kinds, partial(_read, backend, wish)):
                found.whole[kind.name] = wish.names(kind)
                if lacks(result) and kind.name not in wish.kinds:
                    found.lacking.setdefault(target.name, []).append(kind.name)
                elif isinstance(result, Refused):
                    expected = bool(kind.editions) and kind.name not in wish.kinds
                    (found.notes if expected else found.unread).append(f"{target.name}: {kind.name}: {result}")
                    failed |= set() if expected else {kind.name}
                else:
                    found.live += [(target.name, resource) for resource in result]
    found.whole = {name: names for name, names in found.whole.items() if name not in failed}
    return found


def lacks(result: object) -> bool:
    """Return whether the answer for a kind is that this edition of the console does not have it."""
    return isinstance(result, NotServed) and result.reason == "edition"


def by_kind(kinds: Iterable[Kind], read: Callable[[Kind], T]) -> Iterator[tuple[Kind, T | Refused]]:
    """Yield each kind with what reading it gave, or why the target does not give it. A few are read at a time."""

    def one(kind: Kind) -> tuple[Kind, T | Refused]:
        try:
            return kind, read(kind)
        except Refused as error:
            return kind, error

    with ThreadPoolExecutor(_KINDS_AT_ONCE) as pool:
        yield from pool.map(one, kinds)


def _read(backend: Backend, wish: Wish, kind: Kind) -> list[Resource]:
    return [resource for resource in backend.read(kind, wish.names(kind)) if wish.has(kind, resource)]
