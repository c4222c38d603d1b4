"""What the server makes of a body: refused, completed, or cut down to what it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policysync.emulator.exchange import refuse
from policysync.emulator.shape import Shape
from policysync.pointer import MISSING

_JSON_TYPE = {bool: "boolean", str: "string", int: "integer", float: "number", list: "array", dict: "object"}
_GO_TYPE = {"boolean": "bool", "string": "string", "integer": "int", "number": "float64", "object": "object"}
_SENT = {"boolean": "bool", "integer": "number"}
_MASK = "********"
_EXACT = 2**53
"""From here on a fraction and a whole number are no longer told apart."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one body is read.

    Attributes:
        noun: what error texts call the object.
        raw: the body as sent, for the offset in error texts.
        creating: whether values for new objects are filled in.
        trusted: the body comes from the product itself: read-only members are kept.
        odd: whole numbers come back as 7.0.
        strict: a member nobody knows is refused.
    """

    noun: str
    raw: bytes = b""
    creating: bool = True
    trusted: bool = False
    odd: bool = False
    secrets: str = "omit"
    strict: bool = False


def complete(shape: Shape, value: Any, reading: Reading, at: str = "") -> Any:
    """Return what is stored for `value`; MISSING stands for a member that is left out.

    Raises:
        Answered: a value has the wrong type, or current consoles refuse it: 400.
    """
    if value is MISSING or value is None:
        return shape.missing(reading.creating)
    kind = _JSON_TYPE[type(value)]
    if shape.types and kind not in shape.types and not (kind == "integer" and "number" in shape.types):
        raise _wrong_type(shape, kind, reading, at)
    if (shape.fills and value in ("", [])) or (shape.empties and value in shape.empties):
        return shape.missing(reading.creating)
    if shape.removed and (value.get("enabled") if isinstance(value, dict) else value):
        raise refuse(400, f"{at} is not supported for this {reading.noun}")
    if kind == "object":
        return _object(shape, value, reading, at)
    if kind == "array":
        return _array(shape, value, reading, at)
    if shape.alternates and kind in ("integer", "number") and abs(value) < _EXACT and value == int(value):
        return float(value) if reading.odd else int(value)
    return value


def _object(shape: Shape, value: Mapping[str, Any], reading: Reading, at: str) -> Any:
    if shape.members is None:
        if shape.free is None:
            return value
        return {name: complete(shape.free, sub, reading, f"{at}.{name}") for name, sub in value.items()}
    done: dict[str, Any] = {}
    for name, sub in shape.members.items():
        given = value.get(name, MISSING)
        if sub.read_only and not at and not reading.trusted:
            given = MISSING
        here = complete(sub, given, reading, f"{at}.{name}" if at else name)
        if here is MISSING:
            continue
        if sub.hidden:
            if reading.secrets == "omit":
                continue
            here = _MASK if here and reading.secrets == "masked" else ""
        done[name] = here
    if reading.strict and shape.free is None and shape.closed:
        for name in value:
            if name not in shape.members:
                raise refuse_body(reading.noun, f'json: unknown field "{name}"')
    if shape.free is not None:
        for name in value.keys() - shape.members.keys():
            done[name] = complete(shape.free, value[name], reading, f"{at}.{name}")
    return done


def _array(shape: Shape, value: list[Any], reading: Reading, at: str) -> list[Any]:
    if shape.positions:
        pairs = zip(shape.positions, value, strict=False)
        return [complete(sub, item, reading, at) for sub, item in pairs] + value[len(shape.positions) :]
    done = value if shape.each is None else [complete(shape.each, item, reading, at) for item in value]
    return done[::-1] if shape.reversed else done


def _wrong_type(shape: Shape, sent: str, reading: Reading, at: str) -> Exception:
    """Source: reference, policies 2.8; the type names are those of the server's language."""
    wanted = sorted(shape.types)[0]
    inner = sorted(shape.each.types)[0] if wanted == "array" and shape.each and shape.each.types else "object"
    expected = f"[]{_GO_TYPE.get(inner, inner)}" if wanted == "array" else _GO_TYPE[wanted]
    name = at.rpartition(".")[2] or "body"
    offset = reading.raw.find(f'"{name}"'.encode()) + len(name) + 3
    return refuse_body(
        reading.noun,
        f"Unmarshal type error: expected={expected}, got={_SENT.get(sent, sent)}, field={at}, offset={max(offset, 0)}",
    )


def refuse_body(noun: str, why: str) -> Exception:
    """Return the 400 of a body that cannot be read."""
    noun = "policy" if noun.endswith("policy") else noun
    return refuse(400, f"Failed reading {noun} body: code=400, message={why}")
