"""A spec ↔ a CloudFormation stack, led by the table under `x-api.stack` of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from policysync.kinds.kind import Kind
from policysync.pointer import MISSING, resolve, split
from policysync.render.artefact import PLACEHOLDER

OWNER = {"managed-by": "policysync"}
"""The tag by which a stack is known to be ours. Source: reference, connectors 0."""

_CONSOLE = "console.aws.amazon.com"
_CONSOLES = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}
"""Where the console of regions with such a name is, which are partitions of their own."""


@dataclass(frozen=True, slots=True)
class Output:
    """A parameter that takes an output of the stack of another resource."""

    key: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"<output {self.key} of {self.kind}/{self.name}>"


@dataclass(frozen=True, slots=True)
class Stack:
    """What a stack is to be made of.

    Attributes:
        template_url, template_file: where the template is; one of the two is empty. A file is below the policy root.
        parameters: by name, lists joined by commas; without the secret.
        secret: the parameter that takes the secret; empty where the template has to be asked.
        source: where the secret is kept, as the document says it; empty where the stack takes none.
        outputs: parameters whose value is not known before another stack is.
        partly: the template may lack some of the parameters: what it takes is a guess.
    """

    name: str
    account: str
    region: str
    template_url: str
    template_file: str
    parameters: Mapping[str, str]
    capabilities: tuple[str, ...]
    tags: Mapping[str, str]
    secret: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=dict)
    partly: bool = False
    full_access: bool = False


def stack_of(kind: Kind, spec: Mapping[str, Any]) -> Stack:
    """Return the stack a spec in normal form describes."""
    table = kind.api["stack"]
    parameters, outputs = {}, {}
    for name, pointer in table["parameters"].items():
        value = resolve(spec, pointer)
        if value is not MISSING:
            parameters[name] = ",".join(value) if isinstance(value, list) else str(value)
    for name, said in table.get("resolved", {}).items():
        if name not in parameters:
            outputs[name] = Output(_at(spec, said["output"]), said["of"], _at(spec, said["named"]))
    secret, guessed, full = table.get("secret", {}), table.get("guessed", {}), table["full-access"]
    return Stack(
        name=stack_name(kind, spec),
        account=_at(spec, table["account"]),
        region=_at(spec, table["region"]),
        template_url="" if _at(spec, table["template-file"]) else _at(spec, table["template-url"]),
        template_file=_at(spec, table["template-file"]),
        parameters={**parameters, **_at(spec, table.get("further", "/-"), {})},
        capabilities=tuple(_at(spec, table["capabilities"], ())),
        tags={**_at(spec, table["tags"], {}), **OWNER},
        secret=_at(spec, secret["parameter"]) if secret else "",
        source=_at(spec, secret["from"], {}) if secret else {},
        outputs=outputs,
        partly=bool(guessed) and _at(spec, guessed["at"]) in guessed["values"],
        full_access=_at(spec, full["at"]) == full["value"],
    )


def stack_name(kind: Kind, spec: Mapping[str, Any]) -> str:
    """Return what the stack of a spec is called."""
    table = kind.api["stack"]
    usual = table.get("usual-name", {})
    return str(_at(spec, table["name"]) or usual["prefix"] + _at(spec, usual["of"]))


def values_of(kind: Kind, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return what the parameters of a stack say, in the shape of a spec. An empty one says nothing."""
    table = kind.api["stack"]
    body: dict[str, Any] = {}
    for name, pointer in table["parameters"].items():
        value = parameters.get(name, "")
        if value:
            put(body, pointer, _parts(value) if name in table.get("lists", ()) else value)
    for pointer, said in table.get("implied", {}).items():
        put(body, pointer, said["set" if parameters.get(said["by"]) else "unset"])
    return body


def known_parameters(kind: Kind) -> frozenset[str]:
    """Return the parameters that stand for fields of the kind."""
    return frozenset(kind.api["stack"]["parameters"])


def create_stack(stack: Stack) -> dict[str, Any]:
    """Return the input of CreateStack in the form that can be shown: parameters by name, secrets as `<secret>`."""
    shown = {**stack.parameters, **{name: str(output) for name, output in stack.outputs.items()}}
    if stack.source:
        shown[stack.secret or "<the parameter with NoEcho>"] = PLACEHOLDER
    template = (
        {"TemplateURL": stack.template_url} if stack.template_url else {"TemplateBody": f"<{stack.template_file}>"}
    )
    return {
        "StackName": stack.name,
        **template,
        "Parameters": [{"ParameterKey": name, "ParameterValue": shown[name]} for name in sorted(shown)],
        **({"Capabilities": list(stack.capabilities)} if stack.capabilities else {}),
        "Tags": [{"Key": name, "Value": value} for name, value in sorted(stack.tags.items())],
    }


def quick_create(stack: Stack) -> str:
    """Return the link by which a person makes the stack in the AWS console. A secret is never in it.

    Source: reference, connectors 4.4.
    """
    shown = {**stack.parameters, **{name: str(output) for name, output in stack.outputs.items()}}
    query = [("templateURL", stack.template_url), ("stackName", stack.name)]
    query += [(f"param_{name}", shown[name]) for name in sorted(shown)]
    fragment = "&".join(f"{name}={quote(value, safe='')}" for name, value in query)
    console = next((host for start, host in _CONSOLES.items() if stack.region.startswith(start)), _CONSOLE)
    return f"https://{console}/cloudformation/home?region={stack.region}#/stacks/quickcreate?{fragment}"


def put(body: dict[str, Any], pointer: str, value: Any) -> None:
    """Set the value a pointer leads to, and make the objects on the way."""
    *way, last = split(pointer)
    for step in way:
        body = body.setdefault(step, {})
    body[last] = value


def _parts(text: str) -> list[str]:
    return [part for part in (part.strip() for part in text.split(",")) if part]


def _at(spec: Mapping[str, Any], pointer: str, default: Any = "") -> Any:
    found = resolve(spec, pointer)
    return default if found is MISSING else found
