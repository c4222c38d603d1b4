"""The annotations a schema may carry, and where each may stand.

`schemas/annotations.json` is the same vocabulary as a meta-schema, with the form of every value; a test
keeps the two together. An annotation that is not listed here is an error, so that a typo cannot
silently turn a rule off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ON_ROOT = frozenset({"x-kind", "x-api", "x-render"})

ON_FIELD = frozenset(
    {
        "x-alias-of",
        "x-applies-to",
        "x-applies-when",
        "x-computed",
        "x-confidence",
        "x-cosmetic",
        "x-declared",
        "x-echo",
        "x-empty",
        "x-env-specific",
        "x-exclude",
        "x-explain",
        "x-from-text",
        "x-gated-by",
        "x-idle",
        "x-immutable",
        "x-initial",
        "x-key",
        "x-known",
        "x-normalize",
        "x-optional",
        "x-read-only",
        "x-ref",
        "x-ref-keys",
        "x-removed",
        "x-required-on",
        "x-secret-source",
        "x-sensitive",
        "x-server-filled",
        "x-set",
        "x-source",
        "x-stated",
        "x-stricter",
        "x-unlimited",
        "x-usual",
        "x-volatile",
        "x-wire",
        "x-without",
        "x-write-only",
    }
)

# Below these, names are an author's (a property may be called anything) or data, not keywords.
_NAMED_SCHEMAS = ("properties", "$defs", "patternProperties")
_DATA = (
    "default",
    "const",
    "enum",
    "examples",
    "x-applies-when",
    "x-computed",
    "x-explain",
    "x-usual",
    "x-idle",
    "x-initial",
    "x-empty",
    "x-stated",
    "x-known",
    "x-kind",
    "x-api",
    "x-render",
)


def unknown_annotations(schema: Any, at: str = "") -> Iterator[str]:
    """Yield the pointer of every `x-` keyword that is not in the vocabulary, or that stands too deep."""
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from unknown_annotations(item, f"{at}/{index}")
    if not isinstance(schema, Mapping):
        return
    for name, value in schema.items():
        here = f"{at}/{name}"
        if name.startswith("x-") and name not in ON_FIELD and not (name in ON_ROOT and not at):
            yield here
        if name in _NAMED_SCHEMAS:
            for inner, sub in value.items():
                yield from unknown_annotations(sub, f"{here}/{inner}")
        elif name not in _DATA:
            yield from unknown_annotations(value, here)
