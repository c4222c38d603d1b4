"""What only a person can do: the steps of a kind, filled in for one resource."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from policysync.pointer import MISSING, resolve
from policysync.state.resource import Resource

_PLACE = re.compile(r"\{(name|/[^{}]*)\}")


def steps(texts: Iterable[str], resource: Resource) -> tuple[str, ...]:
    """Return the steps with `{name}` and `{/pointer}` replaced by what the resource says."""

    def said(found: re.Match[str]) -> str:
        at = found[1]
        return resource.address.name if at == "name" else _text(resolve(resource.spec, at))

    return tuple(_PLACE.sub(said, text) for text in texts)


def _text(value: Any) -> str:
    if value is MISSING or value is None:
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(below)}" for name, below in value.items())
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return str(value)
