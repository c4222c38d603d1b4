"""What is to be released: everything of a revision, or single resources of it beside what a stage has. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from policysync.documents.pin import Pin
from policysync.documents.suggest import did_you_mean
from policysync.errors import PolicySyncError
from policysync.kinds.kind import Kind
from policysync.plan.order import references
from policysync.state.resource import Address, Resource


def with_singles(pin: Pin, offered: Pin, addresses: Iterable[Address]) -> Pin:
    """Return a pin in which some resources are as another pin has them."""
    singles = {**pin.resources, **{address: offered.revision_of(address) for address in addresses}}
    return Pin(pin.stage, pin.revision, {a: r for a, r in sorted(singles.items()) if r != pin.revision})


class NothingToPromote(PolicySyncError):
    """The stage follows already what was asked for."""


def chosen(patterns: Iterable[str], differing: Iterable[Address], known: Iterable[Address]) -> frozenset[Address]:
    """Return the resources that were asked for.

    Raises:
        NothingToPromote: a pattern matches only what does not differ.
        PolicySyncError: it matches no resource at all.
    """
    found: set[Address] = set()
    different = sorted(differing)
    names = sorted({str(address) for address in known})
    for pattern in patterns:
        matching = {a for a in different if str(a) == pattern or fnmatchcase(str(a), pattern)}
        if matching:
            found |= matching
        elif any(name == pattern or fnmatchcase(name, pattern) for name in names):
            raise NothingToPromote(
                f"--only {pattern}: the stage has it as the release does; there is nothing to promote"
            )
        else:
            hint = did_you_mean(pattern, names) or "; want KIND/NAME, for example Label/pci"
            raise PolicySyncError(f"--only {pattern}: there is no such resource{hint}")
    return frozenset(found)


def with_references(
    addresses: Iterable[Address],
    offered: Mapping[Address, Resource],
    differing: frozenset[Address],
    kinds: Mapping[str, Kind],
) -> frozenset[Address]:
    """Return resources with all that they refer to, directly or not, and that is different too."""
    found: set[Address] = set()
    ahead = list(addresses)
    while ahead:
        address = ahead.pop()
        found.add(address)
        resource = offered.get(address)
        if resource is not None:
            near = references(kinds[address.kind], resource) & differing
            ahead += near - found
    return frozenset(found)
