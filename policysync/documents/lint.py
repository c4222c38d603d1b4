"""What a schema verdict cannot say: duplicates in keyed lists, scope expressions, and what is only unwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policysync.documents.branches import branches
from policysync.documents.finding import Finding, Path
from policysync.documents.overlay import key_of
from policysync.documents.scope import is_scope, scope_findings
from policysync.documents.section import shown
from policysync.documents.suggest import did_you_mean, one_of
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.pointer import MISSING


class Lint:
    """Looks at specs; the interesting branches of each kind are found once."""

    def __init__(self) -> None:
        self._branches: dict[str, Field | None] = {}

    def findings(self, kind: Kind, spec: Mapping[str, Any], exported: bool) -> list[Finding]:
        """Return what is wrong or unwise. An export from the console carries fields nobody chose: no warnings there."""
        if kind.name not in self._branches:
            self._branches[kind.name] = branches(kind.root, _interesting, whole=_whole)
        root = self._branches[kind.name]
        found = list(_walk(kind.name, root, spec, (), {})) if root else []
        return [finding for finding in found if not (exported and finding.code in _SILENT)]


_SILENT = frozenset({"read-only-field", "removed-field", "no-effect"})


def _interesting(field: Field) -> bool:
    said = field.key or field.idle is not MISSING or field.known or field.usual or field.removed or field.applies_when
    return bool(said) or not field.relevant or not field.compared


def _whole(field: Field) -> bool:
    """Return whether all that is below a field is needed: also where elements are told apart by what they leave out."""
    below = field.each.properties if field.each else {}
    return is_scope(field) or any(name in below and below[name].default is not MISSING for name in field.key)


def _walk(kind: str, field: Field, value: Any, path: Path, above: Mapping[str, Any]) -> Iterator[Finding]:
    if isinstance(value, Mapping):
        if is_scope(field):
            yield from scope_findings(value, path)
        if field.idle is not MISSING and value and all(member == field.idle for member in value.values()):
            message = f"everything in `{path[-1]}` is {shown(field.idle)}, so it does nothing; set one, or delete this"
            yield Finding(path, message, "does-nothing", warning=True)
        for name, member in value.items():
            below = field.properties.get(name) or field.values
            if below is not None and member is not None:
                yield from _idle(below, member, (*path, name), {**above, **_beside(field, value)})
                yield from _member(kind, below, member, (*path, name), _one_up(field, value))
    elif isinstance(value, list):
        if field.key:
            yield from _twice(field, value, path)
        if field.each is not None:
            for index, item in enumerate(value):
                yield from _member(kind, field.each, item, (*path, str(index)), {})


def _beside(field: Field, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an object and the defaults of those that are left out, as their siblings name them."""
    defaults = {name: below.default for name, below in field.properties.items() if below.default is not MISSING}
    return {**defaults, **value}


def _one_up(field: Field, value: Mapping[str, Any]) -> dict[str, Any]:
    return {f"../{name}": member for name, member in _beside(field, value).items()}


def _idle(field: Field, value: Any, path: Path, around: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the finding for a value that has no effect beside the others."""
    for name, values in field.applies_when.items():
        held = around.get(name)
        if held is not None and held not in values and not _is_default(field, value):
            beside = f"`{path[-1]}` has no effect while {name.removeprefix('../')} is {shown(held)}"
            message = f"{beside}; it counts for {one_of([v if isinstance(v, str) else shown(v) for v in values])}"
            yield Finding(path, message, "no-effect", warning=True)


def _member(kind: str, field: Field, value: Any, path: Path, above: Mapping[str, Any]) -> Iterator[Finding]:
    name = path[-1]
    if not field.compared:
        why = "is an id that differs from console to console" if field.env_specific else "is set by the server"
        yield Finding(path, f"`{name}` {why}, so it is ignored; take it out", "read-only-field", warning=True)
        return
    if field.removed:
        message = f"`{name}` is gone from current consoles ({field.removed}); take it out"
        yield Finding(path, message, "removed-field", warning=True)
    elif not field.relevant and not _is_default(field, value):
        yield Finding(path, f"`{name}` has no effect in any {kind}; take it out", "no-effect", warning=True)
    elif field.known and not field.ref and isinstance(value, str) and value and value not in field.known:
        known = [str(word) for word in field.known]
        hint = did_you_mean(value, known) or f"; known are {one_of(known)}"
        yield Finding(path, f"{shown(value)} was not seen here before{hint}", "unknown-value", warning=True)
    elif field.usual and isinstance(value, str) and not re.search(field.usual["pattern"], value):
        yield Finding(path, f"{shown(value)}: {field.usual['message']}", "unusual-value", warning=True)
    yield from _walk(kind, field, value, path, above)


def _is_default(field: Field, value: Any) -> bool:
    zero: tuple[Any, ...] = ("", [], {}, False, 0)
    if field.default is MISSING:
        return value in zero
    return bool(value == field.default) or value in field.empty or (value in ("", [], {}) and not field.default)


def _twice(field: Field, items: list[Any], path: Path) -> Iterator[Finding]:
    seen: dict[tuple[str, ...], int] = {}
    for index, item in enumerate(items):
        key = key_of(field, item)
        if key is None or not any(item.get(member) for member in field.key):
            continue
        first = seen.setdefault(key, index)
        if first != index:
            stated = ", ".join(f"{member} {shown(item[member])}" for member in field.key if item.get(member))
            message = f"{stated} stands in this list twice, first as element {first}; keep one"
            yield Finding((*path, str(index)), message, "duplicate-item")
