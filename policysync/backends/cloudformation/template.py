"""The template of a stack: what it asks for, and whether a document gives it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from policysync.backends.cloudformation.account import Account
from policysync.errors import Refused
from policysync.render.stack import Stack

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
BYTES = 51_200
"""A larger template has to come from an address."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a template. `allowed` is empty where anything is."""

    name: str
    type: str
    default: str | None
    hidden: bool
    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a template says of itself."""

    parameters: Mapping[str, Parameter]
    capabilities: tuple[str, ...]
    types: tuple[str, ...]


def source_of(stack: Stack, root: Path) -> dict[str, str]:
    """Return the template as calls take it.

    Raises:
        Refused: the file cannot be a template.
    """
    if not stack.template_file:
        return {"TemplateURL": stack.template_url}
    return {"TemplateBody": text_of(stack.template_file, root)}


def text_of(name: str, root: Path) -> str:
    """Return a template kept in the policy repository.

    Raises:
        Refused: there is none, it leads out of the repository, or it is too large.
    """
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise Refused(f"{name} leads out of the policy repository; keep the template inside")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{name} cannot be read as a template: {error}") from error
    if len(text.encode()) > BYTES:
        raise Refused(f"{name} has more than {BYTES} bytes: put it into a bucket, and name its address in templateUrl")
    return text


def summary(account: Account, **source: str) -> Summary:
    """Ask for the summary of a template, by its address or body, or by the name of a stack."""
    said = account.call("cloudformation", "get_template_summary", writes=False, **source)
    return Summary(
        {p["ParameterKey"]: _parameter(p) for p in said.get("Parameters", ())},
        tuple(said.get("Capabilities", ())),
        tuple(said.get("ResourceTypes", ())),
    )


def fitted(stack: Stack, asked: Summary) -> Stack:
    """Return a stack with the name of its secret parameter filled in, once it fits its template.

    Raises:
        Refused: something is missing, unknown or not allowed.
    """
    if stack.source:
        stack = replace(stack, secret=stack.secret or _only_hidden(asked))
    if stack.partly:
        stack = replace(stack, parameters={n: v for n, v in stack.parameters.items() if n in asked.parameters})
    given = {*stack.parameters, *stack.outputs, *([stack.secret] if stack.secret else [])}
    if troubles := [*_misfits(stack, asked, given)]:
        raise Refused(f"stack {stack.name} does not fit its template: {'; '.join(troubles)}")
    return stack


def same_text(live: Any, text: str) -> bool:
    """Return whether a stack's template, as GetTemplate answers, is this one. JSON comes parsed, YAML as it was."""
    if isinstance(live, str):
        return live.strip() == text.strip()
    try:
        return bool(json.loads(text) == live)
    except ValueError:
        return False


def differences(one: Summary, other: Summary) -> Iterator[str]:
    """Yield in which way two templates differ, as far as their summaries tell."""
    for noun, before, after in (
        ("parameter", one.parameters.keys(), other.parameters.keys()),
        ("resource type", set(one.types), set(other.types)),
        ("capability", set(one.capabilities), set(other.capabilities)),
    ):
        yield from (f"{noun} {name} is new" for name in sorted(after - before))
        yield from (f"{noun} {name} is gone" for name in sorted(before - after))
    for name in sorted(one.parameters.keys() & other.parameters.keys()):
        if one.parameters[name] != other.parameters[name]:
            yield f"parameter {name} has another type, default or set of values"


def _parameter(said: Mapping[str, Any]) -> Parameter:
    allowed = said.get("ParameterConstraints", {}).get("AllowedValues", ())
    return Parameter(
        said["ParameterKey"],
        said.get("ParameterType", "String"),
        said.get("DefaultValue"),
        said.get("NoEcho", False),
        tuple(allowed),
    )


def _only_hidden(asked: Summary) -> str:
    hidden = sorted(name for name, parameter in asked.parameters.items() if parameter.hidden)
    if len(hidden) != 1:
        if not hidden:
            raise Refused("the template has no parameter that is never shown (NoEcho), so no token can go into it")
        found = ", ".join(hidden)
        raise Refused(
            f"the template has several parameters that are never shown ({found}); name the one for the token in "
            "install.cloudFormation.tokenParameter"
        )
    return hidden[0]


def _misfits(stack: Stack, asked: Summary, given: set[str]) -> Iterator[str]:
    if unknown := sorted(given - asked.parameters.keys()):
        yield f"it has no parameter {', '.join(unknown)}"
    if stack.source and stack.secret in asked.parameters and not asked.parameters[stack.secret].hidden:
        yield (
            f"{stack.secret} is shown to everybody who may look at the stack, so no token goes there; tokenParameter "
            "wants one with NoEcho"
        )
    missing = [p for n, p in sorted(asked.parameters.items()) if n not in given and p.default is None]
    if open_ := [parameter.name for parameter in missing if not parameter.hidden]:
        yield f"it wants {', '.join(open_)}; state them in extraParameters"
    if hidden := [parameter.name for parameter in missing if parameter.hidden]:
        yield f"it wants {', '.join(hidden)} as a secret too, and a document gives one; give it a default there"
    for name, value in stack.parameters.items():
        if name in asked.parameters:
            yield from _misfit(asked.parameters[name], value)
    declared = set(stack.capabilities) | ({"CAPABILITY_IAM"} if "CAPABILITY_NAMED_IAM" in stack.capabilities else set())
    if lacking := sorted(set(asked.capabilities) - declared):
        yield f"it wants {', '.join(lacking)}; state that in capabilities, when it is meant"


def _misfit(parameter: Parameter, value: str) -> Iterator[str]:
    """Yield why a template does not take a value. One that is never shown is not shown here."""
    if parameter.hidden:
        yield f"{parameter.name} is never shown, so its value has no place in git; say in tokenFrom where it is kept"
    elif parameter.allowed and value not in parameter.allowed:
        yield f"{parameter.name} is {value!r}, want one of {', '.join(parameter.allowed)}"
    elif parameter.type == "Number" and not _NUMBER.fullmatch(value):
        yield f"{parameter.name} is {value!r}, want a number"
