"""Faults file → fault plan.

    latency: 0.02
    seed: 7
    rules:
      - {method: PUT, path: "/api/v2/runtime_policies/*", after: 1, times: 2, status: 429, retry_after: 3}
      - {kind: Label, probability: 0.1, drop: after}

YAML or JSON; a bare list is the rules alone. What the words mean stands at `faults.Fault`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from policysync.emulator.faults import Fault, FaultPlan
from policysync.errors import InvalidInput, Location, Problem
from policysync.pointer import escape

_NUMBER = (int, float)
_TEXT_TYPES: Mapping[type | tuple[type, ...], str] = {
    str: "text",
    int: "a whole number",
    _NUMBER: "a number",
    bool: "true or false",
    dict: "a mapping",
    list: "a list",
    object: "anything",
}
_TOP: Mapping[str, Any] = {"latency": _NUMBER, "seed": int, "rules": list}
_RULE: Mapping[str, Any] = {
    "method": str,
    "path": str,
    "kind": str,
    "after": int,
    "times": int,
    "probability": _NUMBER,
    "delay": _NUMBER,
    "status": int,
    "body": object,
    "headers": dict,
    "retry_after": _NUMBER,
    "empty": bool,
    "truncate": int,
    "drop": str,
    "worked": bool,
    "forget": list,
}
_EFFECTS = frozenset({"delay", "status", "empty", "truncate", "drop", "headers", "retry_after", "forget"})
_DROPS = ("before", "after")


def read_faults(file: Path) -> FaultPlan:
    """Read a faults file.

    Raises:
        InvalidInput: with the line and column of every mistake.
    """
    node, value = _read(file)
    top: Any = {"rules": value} if isinstance(value, list) else value
    prefix = "" if isinstance(value, list) else "/rules"
    places = dict(_places(node, str(file))) if node is not None else {}
    mistakes = list(_mistakes(top, prefix))
    if mistakes:
        start = Location(str(file))
        raise InvalidInput(Problem(places.get(at, start), at, message, "faults") for at, message in mistakes)
    rules = tuple(Fault(**{**rule, "forget": tuple(rule.get("forget", ()))}) for rule in top.get("rules", ()))
    return FaultPlan(rules, float(top.get("latency", 0.0)), top.get("seed", 0))


def _read(file: Path) -> tuple[yaml.Node | None, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        return node, loader.construct_document(node) if node is not None else None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput([Problem(Location(str(file)), "", f"cannot be read: {error}", "faults")]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = Location(str(file), mark.line + 1, mark.column + 1) if mark else Location(str(file))
        raise InvalidInput([Problem(where, "", f"not YAML: {error.problem}", "faults")]) from error


def _mistakes(top: Any, prefix: str) -> Iterator[tuple[str, str]]:
    if not isinstance(top, dict):
        yield "", "want a mapping with rules, or a list of rules"
        return
    yield from _members(top, _TOP, "")
    rules = top.get("rules", [])
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        at = f"{prefix}/{index}"
        if not isinstance(rule, dict):
            yield at, f"{rule!r} is no rule: want a mapping"
            continue
        yield from _members(rule, _RULE, at)
        if not _EFFECTS & rule.keys():
            yield at, f"does nothing; give one of {', '.join(sorted(_EFFECTS))}"
        yield from _ranges(rule, at)


def _members(given: Mapping[Any, Any], known: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        here = f"{at}/{escape(str(name))}"
        if name not in known:
            yield here, f"unknown word {name!r}; want one of {', '.join(known)}"
        elif not isinstance(value, known[name]) or (isinstance(value, bool) and known[name] not in (bool, object)):
            yield here, f"{value!r} is not {_TEXT_TYPES[known[name]]}"


def _ranges(rule: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    if "drop" in rule and rule["drop"] not in _DROPS:
        yield f"{at}/drop", f"{rule['drop']!r} is not a time to drop the connection; want before or after"
    status = rule.get("status")
    if isinstance(status, int) and not 200 <= status <= 599:
        yield f"{at}/status", f"{status} is not an HTTP status; want 200 to 599"
    chance = rule.get("probability")
    if isinstance(chance, _NUMBER) and not 0 <= chance <= 1:
        yield f"{at}/probability", f"{chance} is not a probability; want 0 to 1"
    for index, member in enumerate(rule["forget"] if isinstance(rule.get("forget"), list) else ()):
        if not isinstance(member, str):
            yield f"{at}/forget/{index}", f"{member!r} is not the name of a member"
    for name in ("after", "times", "delay", "retry_after", "truncate"):
        if isinstance(rule.get(name), _NUMBER) and rule[name] < 0:
            yield f"{at}/{name}", f"{rule[name]} is less than nothing; want 0 or more"


def _places(node: yaml.Node, file: str, at: str = "") -> Iterator[tuple[str, Location]]:
    yield at, Location(file, node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _places(value, file, f"{at}/{escape(str(key.value))}")
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _places(item, file, f"{at}/{index}")
