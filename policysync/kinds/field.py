"""One field of a kind: what a plain schema says, and what only its annotations say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from policysync.pointer import MISSING, escape

Stricter = bool | str | tuple[str, ...] | None
"""Which way is stricter: a boolean value; "higher", "lower", "superset", "subset"; or values from weak to strong."""


# Not frozen: a frozen dataclass of this size takes ten times as long to make, at every start.
@dataclass(slots=True, eq=False)
class Field:
    """A node of the tree that is walked beside a value, never looked up by path. Nobody changes one.

    Attributes:
        types: JSON type names; empty means any.
        default: the value the server assumes when the field is left out; MISSING when it has none.
        initial: the value a new object gets and that is always sent on create; MISSING when none.
        properties: the members of an object.
        values: what every member of a map with free names is.
        each: what every element of an array is.
        positions: what the elements of an array of fixed length are.
        unordered: order and repeats mean nothing.
        key: the members by which objects in a list are matched.
        env_specific: differs per console and is never in git. A string names the sibling that holds the
            name by which the value is looked up.
        empty: values equal to the default, besides null and absent.
        empty_means_all: an empty list means everything.
        unlimited: the value that stands for more than any other: a list that holds it covers everything, a number that
            is it lies above all numbers; MISSING when there is none.
        gated_by: the boolean sibling without which the field has no effect.
        normalizer: how values are spelt before they are compared: "case", "lines", "port-range" or "quantity".
        ref: the kinds one of whose resources the text names.
        ref_with: the sibling whose value and the text together make the key of what is referred to; empty when the
            text is the key alone.
        ref_keys: the kind whose resources the names of a map's members name.
        applies_when: values of siblings without which the field has no effect; `../name` is a member beside the object.
        computed: how the field is made from a sibling when a change is sent, and that sibling: ("added", name),
            ("removed", name), ("before", name) or ("same", name); empty when it is not.
        echo: never in git, but sent back on an update as it was read.
        without: the sibling whose value is taken out of this list before it is compared; empty when none.
        from_text: the member of its elements that a bare text in this list stands for; empty when there are none.
        required_on: "create" when only that call needs the field.
        declared: only documents say it: where a resource belongs, or how. Never sent, never compared.
        alias_of: the sibling that this is another name of, in documents; empty when it is none.
        stated: the value every document states, whether it says so or not; MISSING when there is none.
        idle: a mapping all of whose members have this value does nothing; MISSING where that means nothing.
        known: the values seen so far; another one is a warning, not an error.
        usual: the pattern a text usually has, and what to say as a warning of one that has not; empty when none.
        secret_source: an object that says where a secret is kept; a text in its place may be the secret itself.
        exclude: elements of an array with these values are the server's own: never compared, never changed.
        relevant: False when the field travels in the body of this kind without effect.
        wire: pointer of the field in the body, relative to its parent; empty when it stands under its own name.
        confidence: "sure", "likely" or "guess".
    """

    name: str = ""
    types: frozenset[str] = frozenset()
    default: Any = MISSING
    initial: Any = MISSING
    properties: Mapping[str, Field] = field(default_factory=dict)
    values: Field | None = None
    each: Field | None = None
    positions: tuple[Field, ...] = ()
    unordered: bool = False
    key: tuple[str, ...] = ()
    read_only: bool = False
    server_filled: bool = False
    write_only: bool = False
    sensitive: bool = False
    immutable: bool = False
    cosmetic: bool = False
    optional: bool = False
    relevant: bool = True
    env_specific: bool | str = False
    ref: tuple[str, ...] = ()
    ref_with: str = ""
    ref_keys: tuple[str, ...] = ()
    applies_when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    computed: tuple[str, ...] = ()
    echo: bool = False
    without: str = ""
    from_text: str = ""
    required_on: str = ""
    declared: bool = False
    alias_of: str = ""
    stated: Any = MISSING
    stricter: Stricter = None
    unlimited: Any = MISSING
    gated_by: str = ""
    empty: tuple[Any, ...] = ()
    empty_means_all: bool = False
    normalizer: str = ""
    idle: Any = MISSING
    known: tuple[Any, ...] = ()
    usual: Mapping[str, str] = field(default_factory=dict)
    secret_source: bool = False
    exclude: Mapping[str, Any] = field(default_factory=dict)
    removed: str = ""
    wire: str = ""
    title: str = ""
    description: str = ""
    source: str = ""
    confidence: str = "sure"

    @property
    def compared(self) -> bool:
        """Whether git can say anything about it."""
        return not (self.read_only or self.env_specific)

    @property
    def held(self) -> bool:
        """Whether a target can hold it, and the two sides are compared by it."""
        return self.compared and not self.declared and not self.alias_of


def paired(field: Field, beside: Mapping[str, Any], text: Any) -> str:
    """Return the name that a reference by `text` and a sibling's value stands for; `beside` holds the sibling."""
    return f"{escape(str(beside.get(field.ref_with) or ''))}/{escape(str(text))}"


def field_of(schema: Mapping[str, Any], kind: str, name: str = "") -> Field:
    """Return the field a resolved schema node describes. `kind` decides what `x-applies-to` means here."""
    empty = schema.get("x-empty", ())
    confidence = schema.get("x-confidence", "sure")
    ref = schema.get("x-ref", ())
    paired = isinstance(ref, Mapping)
    return Field(
        name=name,
        **_shape(schema, kind),
        unordered=schema.get("x-set", False),
        key=_names(schema.get("x-key", ())),
        read_only=any(schema.get(word) for word in ("x-read-only", "x-volatile", "x-computed")),
        server_filled=schema.get("x-server-filled", False),
        write_only=schema.get("x-write-only", False),
        sensitive=schema.get("x-sensitive", False),
        immutable=schema.get("x-immutable", False),
        cosmetic=schema.get("x-cosmetic", False),
        optional=schema.get("x-optional", False),
        relevant=kind in schema.get("x-applies-to", (kind,)),
        env_specific=schema.get("x-env-specific", False),
        ref=_names(ref["kind"] if paired else ref),
        ref_with=ref["with"] if paired else "",
        ref_keys=_names(schema.get("x-ref-keys", ())),
        applies_when={name: tuple(values) for name, values in schema.get("x-applies-when", {}).items()},
        computed=next(iter(schema.get("x-computed", {}).items()), ()),
        echo=schema.get("x-echo", False),
        without=schema.get("x-without", ""),
        from_text=schema.get("x-from-text", ""),
        required_on=schema.get("x-required-on", ""),
        declared=schema.get("x-declared", False),
        alias_of=schema.get("x-alias-of", ""),
        stated=schema.get("x-stated", MISSING),
        stricter=_stricter(schema.get("x-stricter")),
        unlimited=schema.get("x-unlimited", MISSING),
        gated_by=schema.get("x-gated-by", ""),
        empty=() if empty == "all" else tuple(empty),
        empty_means_all=empty == "all",
        normalizer=schema.get("x-normalize", ""),
        idle=schema.get("x-idle", MISSING),
        known=tuple(schema.get("x-known", ())),
        usual=schema.get("x-usual", {}),
        secret_source=schema.get("x-secret-source", False),
        exclude=schema.get("x-exclude", {}),
        removed=schema.get("x-removed", ""),
        wire=schema.get("x-wire", ""),
        title=schema.get("title", ""),
        description=schema.get("description", ""),
        source=schema.get("x-source", ""),
        confidence=confidence if isinstance(confidence, str) else confidence.get("field", "sure"),
    )


def _shape(schema: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return what a plain schema says: types, values that stand in, and what is below."""
    types, items, free = schema.get("type", ()), schema.get("items"), schema.get("additionalProperties")
    return {
        "types": frozenset((types,) if isinstance(types, str) else types),
        "default": schema.get("default", schema.get("const", MISSING)),
        "initial": schema.get("x-initial", MISSING),
        "properties": {n: field_of(sub, kind, n) for n, sub in schema.get("properties", {}).items()},
        "values": field_of(free, kind) if isinstance(free, Mapping) else None,
        "each": field_of(items, kind) if isinstance(items, Mapping) else None,
        "positions": tuple(field_of(sub, kind) for sub in schema.get("prefixItems", ())),
    }


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _stricter(value: Any) -> Stricter:
    return tuple(value) if isinstance(value, list) else value
