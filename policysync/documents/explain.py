"""A broken schema rule → a sentence for the author: what is wrong, then what would be right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from policysync.documents import surprise
from policysync.documents.branches import field_at
from policysync.documents.finding import Finding, Path
from policysync.documents.flaw import Flaw, Steps
from policysync.documents.section import shown
from policysync.documents.suggest import did_you_mean, nearest, one_of
from policysync.kinds.kind import Kind
from policysync.secret import MASK

_WORDS = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "array": "a list",
    "null": "nothing",
}
_FORMATS = {
    "date-time": "a date and time such as 2026-01-31T12:00:00Z",
    "date": "a date such as 2026-01-31",
    "email": "an e-mail address",
    "uri": "an address such as https://example.com",
    "ipv4": "an IP address such as 192.0.2.1",
    "ipv6": "an IP address such as 2001:db8::1",
    "regex": "a regular expression",
}
Sentence = Callable[[Any, Any, str], tuple[str, str]]
"""(what the rule wants, the value, how the value may be shown) → (message, code)."""


def explain(kind: Kind, spec: Any, flaw: Flaw) -> Iterator[Finding]:
    """Yield what one flaw means. A flaw about several members of a mapping gives a finding for each."""
    path = tuple(str(step) for step in flaw.value)
    node = _follow(kind.schema, flaw.rule[:-1])
    value = _follow(spec, flaw.value)
    keyword = str(flaw.rule[-1]) if flaw.rule else ""
    limit = node.get(keyword) if isinstance(node, Mapping) else node
    if told := _told(kind.schema, flaw.rule):
        lacking = next((name for name in limit or () if name not in value), "") if keyword == "required" else ""
        yield Finding((*path, lacking) if lacking else path, told["message"], told["code"])
    elif keyword in {"additionalProperties", "unevaluatedProperties"}:
        yield from _unknown(path, node, value)
    elif keyword == "required":
        if path or not kind.is_there_from_the_start(kind.name_of(value)):
            yield from _missing(kind, path, limit, value)
    elif keyword == "type" and _is_source(kind, path):
        yield Finding(path, f"a secret stands here in clear text, or nothing; want {_SOURCE}", "literal-secret")
    else:
        mark = MASK if _is_secret(kind, path) else shown(value)
        say = _SENTENCES.get(keyword)
        message, code = say(limit, value, mark) if say else (f"{mark} breaks the rule `{keyword}`", "invalid")
        yield Finding(path, message, code)


def _told(schema: Any, rule: Steps) -> Mapping[str, str] | None:
    """Return what the innermost schema on the way to a rule says of its being broken."""
    said = None
    for step in rule:
        try:
            schema = schema[step]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(schema, Mapping) and "x-explain" in schema:
            said = schema["x-explain"]
    return said


_SOURCE = "where it is kept, such as {env: NAME}, {file: PATH} or {kubernetesSecret: {name: NAME, key: KEY}}"


def _is_source(kind: Kind, path: Path) -> bool:
    field = field_at(kind.root, path)
    return field is not None and field.secret_source


def _is_secret(kind: Kind, path: Path) -> bool:
    fields = (field_at(kind.root, path[:length]) for length in range(len(path) + 1))
    return any(field is not None and (field.sensitive or field.secret_source) for field in fields)


def _follow(value: Any, steps: Steps) -> Any:
    for step in steps:
        value = value[step]
    return value


def _unknown(path: Path, node: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[Finding]:
    known = node.get("properties", {})
    for name in value:
        if name not in known:
            hint = did_you_mean(name, known) or (f"; want one of {one_of(known)}" if known else "")
            meant = nearest(name, [other for other in known if other not in value])
            yield Finding((*path, name), f"unknown field `{name}`{hint}", "unknown-field", at_key=True, meant=meant)


def _missing(kind: Kind, path: Path, wanted: Any, value: Mapping[str, Any]) -> Iterator[Finding]:
    for name in wanted:
        if name not in value:
            field = field_at(kind.root, (*path, name))
            words = _types(sorted(field.types)) if field and field.types else ""
            want = f"; want {words}" if words else ""
            yield Finding((*path, name), f"`{name}` is missing{want}", "required")


def _types(names: list[str]) -> str:
    words = [_WORDS.get(name, name) for name in names if name != "null"]
    return " or ".join(words) or _WORDS["null"]


def _type(limit: Any, value: Any, mark: str) -> tuple[str, str]:
    names = [limit] if isinstance(limit, str) else list(limit)
    if isinstance(value, str) and mark != MASK:
        looks = surprise.boolean(value) if "boolean" in names else ""
        if not looks and {"integer", "number"} & set(names):
            looks = surprise.number(value)
        return looks or f"{mark} is text, want {_types(names)}", "type"
    scalar = isinstance(value, bool | int | float)
    hint = "; put it in quotes" if "string" in names and scalar else ""
    noun = "" if value is None or isinstance(value, dict | list) else f" is {_noun(value)}"
    return f"{mark}{noun or ' stands here'}, want {_types(names)}{hint}", "type"


def _noun(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    return "text" if isinstance(value, str) else "a number"


def _enum(limit: Any, value: Any, mark: str) -> tuple[str, str]:
    words = [shown(word).strip('"') for word in limit]
    hint = did_you_mean(value, words) if isinstance(value, str) and mark != MASK else ""
    return f"{mark} is not allowed here; want one of {one_of(words)}{hint}", "enum"


def _const(limit: Any, _value: Any, mark: str) -> tuple[str, str]:
    return f"{mark} is not allowed here; want {shown(limit)}", "const"


def _at_least(limit: Any, _value: Any, mark: str) -> tuple[str, str]:
    return f"{mark} is too small; want at least {limit}", "range"


def _at_most(limit: Any, _value: Any, mark: str) -> tuple[str, str]:
    return f"{mark} is too large; want at most {limit}", "range"


def _multiple(limit: Any, _value: Any, mark: str) -> tuple[str, str]:
    return f"{mark} is not a multiple of {limit}", "range"


def _more_than(limit: Any, _value: Any, mark: str) -> tuple[str, str]:
    return f"{mark} is too small; want more than {limit}", "range"


def _less_than(limit: Any, _value: Any, mark: str) -> tuple[str, str]:
    return f"{mark} is too large; want less than {limit}", "range"


def _pattern(limit: Any, _value: Any, mark: str) -> tuple[str, str]:
    return f"{mark} is not spelt as it has to be; want text that matches {limit}", "pattern"


def _too_long(limit: Any, value: Any, _mark: str) -> tuple[str, str]:
    unit = "characters" if isinstance(value, str) else "entries"
    return f"{len(value)} {unit} are too many; want at most {limit}", "length"


def _too_short(limit: Any, value: Any, _mark: str) -> tuple[str, str]:
    unit = "characters" if isinstance(value, str) else "entries"
    return f"{len(value)} {unit} are too few; want at least {limit}", "length"


def _unique(_limit: Any, value: Any, _mark: str) -> tuple[str, str]:
    again = next((item for index, item in enumerate(value) if item in value[:index]), None)
    return f"{shown(again)} stands in this list twice; keep one", "unique"


def _format(limit: Any, _value: Any, mark: str) -> tuple[str, str]:
    return f"{mark} is not {_FORMATS.get(limit, f'of the format {limit}')}", "format"


def _no_form(_limit: Any, _value: Any, mark: str) -> tuple[str, str]:
    return f"{mark} has none of the forms that are allowed here; `policysync schema` shows them", "form"


def _forbidden(_limit: Any, _value: Any, mark: str) -> tuple[str, str]:
    return f"{mark} cannot stand here; leave it out", "forbidden"


_SENTENCES: Mapping[str, Sentence] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minimum": _at_least,
    "maximum": _at_most,
    "exclusiveMinimum": _more_than,
    "exclusiveMaximum": _less_than,
    "multipleOf": _multiple,
    "pattern": _pattern,
    "maxLength": _too_long,
    "maxItems": _too_long,
    "maxProperties": _too_long,
    "minLength": _too_short,
    "minItems": _too_short,
    "minProperties": _too_short,
    "uniqueItems": _unique,
    "format": _format,
    "oneOf": _no_form,
    "anyOf": _no_form,
    "not": _forbidden,
    "falseSchema": _forbidden,
}
