"""What documents say in words of their own: other names of members, and documents that stand for other resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from policysync.documents.document import Document
from policysync.documents.finding import Finding
from policysync.kinds.kind import Kind
from policysync.pointer import MISSING, resolve, split
from policysync.state.resource import Address


def spelt(kind: Kind, document: Document) -> Document:
    """Return a document with every other name of a member replaced by the member's own.

    Where it states both, the other name is left in place; `spelt_twice` says so.
    """
    names = {
        field.alias_of: name
        for name, field in kind.root.properties.items()
        if field.alias_of and name in document.spec and field.alias_of not in document.spec
    }
    if not names:
        return document
    own = {name: member for member, name in names.items()}
    spec = {own.get(name, name): value for name, value in document.spec.items()}
    return replace(document, spec=spec, spelt=names)


def spelt_twice(kind: Kind, spec: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a finding for each member that a document states under two names."""
    for name, field in kind.root.properties.items():
        if field.alias_of and name in spec:
            message = f"`{name}` is another name of `{field.alias_of}`, and both stand here; keep one"
            yield Finding((name,), message, "stated-twice", at_key=True)


def expanded(kind: Kind, spec: Mapping[str, Any], other: Kind | None) -> tuple[dict[str, Any], ...] | None:
    """Return the specs of the resources of another kind that a document stands for; None when it stands for itself.

    Args:
        other: the kind that `kind.expands` names.
    """
    if not stands_for_others(kind, spec) or kind.expands is None or other is None:
        return None
    shared = {name: _stated(kind, spec, pointer) for name, pointer in kind.expands.spec.items()}
    said = {name: value for name, value in shared.items() if value is not MISSING}
    names = spec.get(kind.expands.each)
    return tuple({other.key[0]: name, **said} for name in names) if isinstance(names, list) else ()


def stands_for_others(kind: Kind, spec: Mapping[str, Any]) -> bool:
    """Return whether a document with this spec stands for resources of another kind."""
    return kind.expands is not None and all(
        resolve(spec, pointer) == value for pointer, value in kind.expands.when.items()
    )


def addresses(kind: Kind, name: str, spec: Mapping[str, Any]) -> frozenset[Address]:
    """Return the resources that a document of a kind with one key stands for."""
    if kind.expands is None or not stands_for_others(kind, spec):
        return frozenset({Address(kind.name, name)})
    names = spec.get(kind.expands.each)
    return (
        frozenset(Address(kind.expands.kind, str(each)) for each in names) if isinstance(names, list) else frozenset()
    )


def bound(kind: Kind, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a target that a document asks for by what only documents say."""
    asked = {
        option: resolve(spec, pointer)
        for pointer, option in kind.binds.items()
        if kind.root.properties[split(pointer)[0]].declared
    }
    return {option: value for option, value in asked.items() if value is not MISSING}


def _stated(kind: Kind, spec: Mapping[str, Any], pointer: str) -> Any:
    said = resolve(spec, pointer)
    field = kind.root.properties.get(pointer.removeprefix("/"))
    return field.default if said is MISSING and field is not None else said
