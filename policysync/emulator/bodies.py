"""Request bodies → the objects in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from policysync.emulator.objects import refuse_body


def objects_in(raw: bytes, form: Any, noun: str) -> list[dict[str, Any]]:
    """Return the objects a body carries.

    Args:
        form: "object", "array", {"wrap": member, "lift": [members that every object shares]}, or any other
            mapping for one object.

    Raises:
        Answered: the body is not JSON or has another form: 400.
    """
    body = _read(raw, noun)
    if isinstance(form, Mapping) and "wrap" in form:
        return _unwrapped(body, form, noun)
    items = body if form == "array" and isinstance(body, list) else [body]
    if form == "array" and items is not body:
        raise refuse_body(noun, f"Unmarshal type error: expected=[]object, got={_name(body)}, field=, offset=1")
    for item in items:
        if not isinstance(item, dict):
            raise refuse_body(noun, f"Unmarshal type error: expected=object, got={_name(item)}, field=, offset=1")
    return items


def keys_in(raw: bytes, noun: str) -> list[str]:
    """Return the names in a body that is nothing but an array of them.

    Raises:
        Answered: it is not: 400.
    """
    body = _read(raw, noun)
    if not isinstance(body, list) or not all(isinstance(key, str) for key in body):
        raise refuse_body(noun, f"Unmarshal type error: expected=[]string, got={_name(body)}, field=, offset=1")
    return body


def _read(raw: bytes, noun: str) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise refuse_body(noun, f"Syntax error: offset={error.pos}, error={error.msg}") from error


def _unwrapped(body: Any, form: Mapping[str, Any], noun: str) -> list[dict[str, Any]]:
    inside = body.get(form["wrap"]) if isinstance(body, dict) else None
    if not isinstance(inside, list) or not all(isinstance(item, dict) for item in inside):
        raise refuse_body(noun, f"Unmarshal type error: expected=[]object, got={_name(inside)}, field={form['wrap']}")
    shared = {name: body[name] for name in form.get("lift", ()) if name in body}
    return [{**shared, **item} for item in inside]


def _name(value: Any) -> str:
    if value is None:
        return "null"
    return {dict: "object", list: "array", str: "string", bool: "bool"}.get(type(value), "number")
