"""Laws of the order: for any graph of references, nothing runs before what it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kind
from policysync.plan.change import Action, Change
from policysync.plan.order import references, waves
from policysync.state.resource import Address, Resource

NODES = 7
Graph = Mapping[int, frozenset[int]]
graphs = st.fixed_dictionaries({node: st.frozensets(st.integers(0, NODES - 1)) for node in range(NODES)})
trees = st.fixed_dictionaries({node: st.frozensets(st.integers(0, max(0, node - 1))) for node in range(NODES)}).map(
    lambda graph: {node: below - {node} for node, below in graph.items()}
)
_ALONE: Graph = dict.fromkeys((3, 4, 6), frozenset())
actions = st.lists(st.sampled_from(Action), min_size=NODES, max_size=NODES)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kind]:
    file = tmp_path_factory.mktemp("schemas") / "node.json"
    names = {"type": "array", "items": {"type": "string", "x-ref": "Node"}}
    inner = {"type": "object", "properties": {"next": names}}
    schema = {
        "x-kind": {"name": "Node", "backend": "memory", "key": "name"},
        "type": "object",
        "properties": {"name": {"type": "string"}, "next": names, "parts": {"type": "array", "items": inner}},
    }
    file.write_text(json.dumps(schema))
    return {"Node": load_kind(file)}


def _node(number: int, graph: Graph) -> Resource:
    below = [f"n{other}" for other in sorted(graph[number])]
    parts = [{"next": below[1:]}] if below[1:] else []
    return Resource(Address("Node", f"n{number}"), {"name": f"n{number}", "next": below[:1], "parts": parts})


def _change(number: int, action: Action, before: Graph, after: Graph) -> Change:
    return Change(
        action,
        Address("Node", f"n{number}"),
        None if action is Action.CREATE else _node(number, before),
        None if action is Action.DELETE else _node(number, after),
    )


@settings(deadline=None)
@given(before=trees, after=trees, which=actions)
def test_nothing_runs_before_what_it_refers_to(
    kinds: dict[str, Kind], before: Graph, after: Graph, which: list[Action]
) -> None:
    changes = [_change(number, which[number], before, after) for number in range(NODES)]
    place = {change.address: index for index, wave in enumerate(waves(changes, kinds)) for change in wave}
    by_address = {change.address: change for change in changes}
    for change in changes:
        for other in references(kinds["Node"], change.after) if change.after else ():
            if by_address[other].action is not Action.DELETE:
                assert place[other] < place[change.address]
        for other in references(kinds["Node"], change.before) if change.before else ():
            if by_address[other].action is Action.DELETE:
                assert place[change.address] < place[other]


@settings(deadline=None)
@given(graph=graphs, which=actions)
def test_every_change_runs_once_whatever_refers_to_what(
    kinds: dict[str, Kind], graph: Graph, which: list[Action]
) -> None:
    changes = [_change(number, which[number], graph, graph) for number in range(NODES)]
    ran = [change.id for wave in waves(changes, kinds) for change in wave]
    assert sorted(ran) == sorted(change.id for change in changes)


@settings(deadline=None, max_examples=300)
@given(graph=graphs)
@example(graph={0: frozenset({1, 2}), 1: frozenset({5}), 2: frozenset({1}), 5: frozenset({1}), **_ALONE})
def test_only_what_is_in_a_circle_shares_a_wave_with_what_it_refers_to(kinds: dict[str, Kind], graph: Graph) -> None:
    changes = [_change(number, Action.CREATE, graph, graph) for number in range(NODES)]
    place = {change.address.name: index for index, wave in enumerate(waves(changes, kinds)) for change in wave}
    for number, below in graph.items():
        for other in below - {number}:
            if number in _reached(graph, other):
                assert place[f"n{other}"] == place[f"n{number}"]
            else:
                assert place[f"n{other}"] < place[f"n{number}"]


def _reached(graph: Graph, start: int) -> set[int]:
    reached: set[int] = set()
    ahead = [start]
    while ahead:
        new = graph[ahead.pop()] - reached
        reached |= new
        ahead += new
    return reached
