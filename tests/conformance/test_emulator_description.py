"""The console answers as its own OpenAPI description says, whatever it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.emulator.caller import Answer, Caller

from policysync.clock import FakeClock
from policysync.emulator.embedded import embedded
from policysync.emulator.seed import find_seed
from policysync.emulator.settings import Settings
from policysync.kinds.load import load_kinds

METHODS = ("get", "post", "put", "delete")
EXAMPLES = 250
NAMES = st.sampled_from(["Default", "Global", "Harbor Prod", "Administrator", "CloudWatch", "1", "7", "gone", "images"])
SCALARS = st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats(0, 10) | st.text(max_size=6)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner)
)


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    about: dict[str, Any]


@pytest.fixture(scope="module", params=[{}, {"quirks": "harsh", "strict": True, "references": "refuse"}], ids=str)
def one(request: pytest.FixtureRequest) -> Iterator[Caller]:
    chosen = Settings(hidden_for=0, **request.param)
    local = embedded(None, load_kinds(), settings=chosen, seed=find_seed("demo"), clock=FakeClock())
    yield Caller(local)
    local.close()


@cache
def described() -> dict[str, Any]:
    local = embedded(None, load_kinds())
    found = local.console.description()
    local.close()
    return found


@cache
def operations() -> tuple[Operation, ...]:
    return tuple(
        Operation(method, path, about)
        for path, calls in described()["paths"].items()
        for method, about in calls.items()
        if method in METHODS
    )


def body_of(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return bodies of a described form: most fit, some members do not."""
    node = resolved(node)
    if "anyOf" in node:
        return st.one_of(*map(body_of, node["anyOf"]))
    types = node.get("type", [])
    types = [types] if isinstance(types, str) else types
    if "object" in types:
        return st.lists(st.sampled_from(sorted(node.get("properties", {"x": {}}))), max_size=4, unique=True).flatmap(
            lambda names: st.fixed_dictionaries({name: member_of(node.get("properties", {}), name) for name in names})
        )
    if "array" in types:
        return st.lists(body_of(node.get("items", {})), max_size=2)
    simple = {"string": NAMES, "integer": st.integers(0, 400), "boolean": st.booleans(), "number": st.floats(0, 10)}
    return st.one_of(*(simple[name] for name in types if name in simple)) if set(types) & set(simple) else ANYTHING


def member_of(members: dict[str, Any], name: str) -> st.SearchStrategy[Any]:
    fits = body_of(members.get(name, {}))
    return st.integers(0, 9).flatmap(lambda chance: ANYTHING if chance == 0 else fits)


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    reference = node.get("$ref")
    return described()["components"]["schemas"][reference.rpartition("/")[2]] if reference else node


@cache
def validator(method: str, path: str, status: str) -> Any:
    about = described()["paths"][path][method]["responses"][status]
    schema = about.get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return None
    return jsonschema_rs.validator_for({**schema, "components": described()["components"]})


@st.composite
def calls(draw: st.DrawFn) -> tuple[Operation, str, bytes]:
    operation = draw(st.sampled_from(operations()))
    path = operation.path
    while "{" in path:
        head, _, tail = path.partition("{")
        path = head + quote(draw(NAMES | st.text(min_size=1, max_size=5)), safe="") + tail.partition("}")[2]
    asked = operation.about.get("requestBody", {}).get("content", {}).get("application/json")
    body = json.dumps(draw(body_of(asked["schema"]) | ANYTHING)).encode() if asked else b""
    query = draw(st.sampled_from(["", "?page=2&pagesize=1", "?order_by=-name", "?scope=payments", "?limit=1&offset=x"]))
    return operation, path + query, draw(st.just(body) | st.just(body[:-1]))


def check(operation: Operation, answer: Answer) -> None:
    status = str(answer.status)
    assert answer.status < 500 or "/exporters/" in operation.path, answer.body
    assert status in operation.about["responses"], (operation.method, operation.path, answer.body)
    kind = answer.headers.get("content-type", "")
    assert bool(answer.body) == bool(kind)
    if kind.startswith("application/json"):
        judge = validator(operation.method, operation.path, status)
        if judge is not None:
            judge.validate(answer.json)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=calls())
def test_every_answer_is_described(one: Caller, made: tuple[Operation, str, bytes]) -> None:
    operation, target, body = made
    check(operation, one.send(operation.method.upper(), target, body))


def test_every_list_of_the_demonstration_is_described(one: Caller) -> None:
    for operation in operations():
        if operation.method == "get" and "{" not in operation.path:
            check(operation, one.get(operation.path))


def test_the_description_is_served_without_signing_in() -> None:
    local = embedded(None, load_kinds())
    status, _, body = local("GET", "/openapi.json", {})
    local.close()
    assert status == 200
    assert json.loads(body) == described()
    assert len({about["operationId"] for calls in described()["paths"].values() for about in calls.values()}) == len(
        operations()
    )
