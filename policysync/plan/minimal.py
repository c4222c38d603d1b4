"""The least a document has to say about a live object, so that git and live agree and a new object would be the same.

A member is said when its live value differs from what a new object gets. Elements of lists are stated whole, so what
git leaves out of them is the default; elements that are compared as a whole keep everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.pointer import MISSING
from policysync.secret import Secret
from policysync.state.normalize import Side, canonical, item_key, left_to_server, normalizer

Path = tuple[str, ...]
Reference = Callable[[Path], str]
"""Returns what a document says in place of the secret at a path."""

_NOTHING: Mapping[str, Any] = {}
_UNKNOWN = Field()


@dataclass(frozen=True, slots=True)
class Stated:
    """What a document says.

    Sensitive values are never taken over: `supplied` are the paths of those that stand as references, `secrets` of
    those that are left out.
    """

    spec: Mapping[str, Any]
    secrets: tuple[Path, ...]
    supplied: tuple[Path, ...] = ()


def stated(kind: Kind, live: Mapping[str, Any], *, full: bool = False, reference: Reference | None = None) -> Stated:
    """Return the spec for a live object in normal form, members in the schema's order.

    With `full` every member is said that git can say anything about. A key of one member is left to `metadata.name`.
    With `reference` a secret is said as what that returns, where it is the member of an object and the server does
    not make it up.
    """
    telling = _Telling(full, reference)
    spec = telling.members(kind.root, kind.schema, live, Side.NEW)
    if len(kind.key) == 1:
        spec.pop(kind.key[0], None)
    supplied = tuple(telling.supplied)
    return Stated(spec, tuple(path for path in _secrets(kind.root, live) if path not in supplied), supplied)


class _Telling:
    """One object; `full` and `reference` are the same all the way down. `supplied` grows."""

    def __init__(self, full: bool, reference: Reference | None) -> None:
        self.full = full
        self.reference = reference
        self.supplied: list[Path] = []

    def members(
        self,
        field: Field,
        schema: Mapping[str, Any],
        live: Mapping[str, Any],
        side: Side,
        keep: tuple[str, ...] = (),
        *,
        whole: bool = False,
        at: Path = (),
        above: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return what has to be said of an object; `whole` says that every value no document implies counts.

        `at` is where it stands, and `above` the object around it.
        """
        implied = normalizer(field, side)(_NOTHING)
        assumed = implied if whole else {**normalizer(field, Side.LIVE)(_NOTHING), **implied}
        required = {*_required(schema, live), *(name for name in keep if live.get(name))}
        said: dict[str, Any] = {}
        for name, below in field.properties.items():
            value = live.get(name, MISSING)
            if below.sensitive and self.reference is not None and _is_supplied(below, value, live, above or {}):
                said[name] = self.reference((*at, name))
                self.supplied.append((*at, name))
            if value is MISSING and name in required and "array" in below.types:
                said[name] = []
            if value is MISSING or value is None or not _can_say(below, whole=whole):
                continue
            if below.server_filled and not _applies(below, live, above or {}):
                continue
            wanted = name in required or (self.full and not below.removed)
            if wanted or not _same(value, assumed.get(name, MISSING)):
                told = self.value(below, _property(schema, name), value, side, whole=whole, at=(*at, name), above=live)
                if told is not MISSING and (told != {} or whole or name in required or _is_said_empty(below)):
                    said[name] = told
        return said

    def value(
        self,
        field: Field,
        schema: Mapping[str, Any],
        live: Any,
        side: Side,
        *,
        whole: bool,
        at: Path = (),
        above: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return what has to be said of a value; MISSING where it holds a secret and cannot be said in part."""
        if field.sensitive:
            return MISSING
        if isinstance(live, Mapping) and field.properties:
            return self.members(field, schema, live, side, whole=whole, at=at, above=above)
        if holds_secret(live):
            return MISSING
        if isinstance(live, Mapping) and field.values is not None:
            inner = schema.get("additionalProperties") or _NOTHING
            return {name: self.value(field.values, inner, item, Side.ITEM, whole=whole) for name, item in live.items()}
        if isinstance(live, list) and field.each is not None and field.each.properties:
            whole = whole or not _by_member(field, live)
            return [self.element(field, schema.get("items", _NOTHING), item, whole=whole) for item in live]
        return live

    def element(self, field: Field, schema: Mapping[str, Any], item: Any, *, whole: bool) -> Any:
        if not isinstance(item, Mapping):
            return item
        return self.members(field.each or _UNKNOWN, schema, item, Side.ITEM, field.key, whole=whole)


def _can_say(field: Field, *, whole: bool) -> bool:
    # A write-only value cannot be read, so whatever stands there is not it. One without effect is left alone.
    return field.held and field.stated is MISSING and not field.write_only and (field.relevant or whole)


def _is_supplied(field: Field, value: Any, beside: Mapping[str, Any], above: Mapping[str, Any]) -> bool:
    """Return whether somebody has to supply a secret: it is set, or nobody can see whether it is."""
    if not field.compared or not field.relevant or field.server_filled:
        return False
    return isinstance(value, Secret) or (field.write_only and _applies(field, beside, above))


def _applies(field: Field, beside: Mapping[str, Any], above: Mapping[str, Any]) -> bool:
    """Return whether a field has an effect with these values of its siblings, and of those of the object around it."""
    for name, wanted in field.applies_when.items():
        value = above.get(name[3:]) if name.startswith("../") else beside.get(name)
        if value not in wanted:
            return False
    return True


def _is_said_empty(field: Field) -> bool:
    """Return whether an object without a member to say has to be there: without it, the server makes up its own."""
    return left_to_server(field) or not field.properties


def _by_member(field: Field, items: list[Any]) -> bool:
    """Return whether elements are compared member by member; see `plan.diff`."""
    if field.key and len({item_key(field, item) for item in items}) == len(items):
        return True
    return not (field.unordered or field.key)


def _same(a: Any, b: Any) -> bool:
    if a is MISSING or b is MISSING:
        # Something empty and nothing at all are the same to every backend.
        return (b if a is MISSING else a) in ("", [], {})
    return canonical(a) == canonical(b)


def _property(schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema.get("properties", _NOTHING).get(name, _NOTHING)
    return found


def _required(schema: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[str]:
    """Yield the members a schema wants for these values, conditions on other members included."""
    yield from schema.get("required", ())
    for part in schema.get("allOf", ()):
        if "if" in part:
            yield from part.get("then" if _holds(part["if"], live) else "else", _NOTHING).get("required", ())


def _holds(condition: Mapping[str, Any], value: Any) -> bool:
    """Return whether a value is as a condition wants it, in the words that conditions are written with."""
    if "const" in condition or "enum" in condition:
        return value in condition.get("enum", (condition.get("const"),))
    members = value if isinstance(value, Mapping) else _NOTHING
    return all(name in members for name in condition.get("required", ())) and all(
        _holds(below, members[name]) for name, below in condition.get("properties", _NOTHING).items() if name in members
    )


def holds_secret(value: Any) -> bool:
    """Return whether there is a secret anywhere in a value."""
    if isinstance(value, Mapping):
        return any(map(holds_secret, value.values()))
    if isinstance(value, list):
        return any(map(holds_secret, value))
    return isinstance(value, Secret)


def _secrets(field: Field, live: Any, path: Path = (), above: Any = None) -> Iterator[Path]:
    """Yield the path of every sensitive value that is set, or that has an effect and nobody can read back."""
    if field.properties:
        members = live if isinstance(live, Mapping) else _NOTHING
        around = above if isinstance(above, Mapping) else _NOTHING
        for name, below in field.properties.items():
            value = members.get(name, MISSING)
            if not below.compared or not (below.relevant or name in members):
                continue
            if not below.sensitive:
                yield from _secrets(below, value, (*path, name), members)
            elif isinstance(value, Secret) or (below.write_only and _applies(below, members, around)):
                yield (*path, name)
    elif holds_secret(live):
        yield path
